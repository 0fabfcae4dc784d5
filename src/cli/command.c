/* The table of subcommands. */
#include "cli/command.h"

const struct noun *const nouns[] = {
    &serve_noun,     &user_noun,   &connection_noun, &token_noun,   &oauth_client_noun, &approval_noun, &provider_noun,
    &audit_noun,     &config_noun, &migrate_noun,    &key_noun,     &backup_noun,       &restore_noun,  &stdio_noun,
    &setup_url_noun, &mail_noun,   &message_noun,    &version_noun, &completion_noun,   &manual_noun,   &doctor_noun,
};
const size_t n_nouns = ARRAY_LENGTH(nouns);

bool command_option(const struct command *command, size_t index, struct option *ret)
{
    if (index < command->n_options) {
        *ret = command->options[index];
        return true;
    }
    return command->more_options && command->more_options(index - command->n_options, ret);
}
