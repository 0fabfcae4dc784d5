/* Whom a command is about. */
#include "cli/person.h"

int person_find(struct cli *cli, struct str email_or_id, struct user_row *ret)
{
    int64_t id;
    if (!str_to_i64(email_or_id, &id))
        return users_find(&cli->call, email_or_id, ret);
    int error = store_users_by_id(&cli->call, id, ret);
    return error == E_NOT_FOUND ? fail(&cli->call, error, "there is no user with the id %lld", (long long)id) : error;
}
