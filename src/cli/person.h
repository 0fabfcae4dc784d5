/* Whom a command is about: --user or an argument, as an e-mail or an id. */
#ifndef CLI_PERSON_H
#define CLI_PERSON_H

#include "accounts/users.h"
#include "cli/cli.h"

/* E_NOT_FOUND. */
MUST_CHECK int person_find(struct cli *cli, struct str email_or_id, struct user_row *ret);

#endif
