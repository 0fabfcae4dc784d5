/* Sealing what jobs hold. */
#include "jobs/job_seal.h"

static struct seal_place place_of(const struct principal *who, struct str id, const char *column)
{
    return (struct seal_place){.owner = who->user_id, .table = STR("mcp_jobs"), .row = id, .column = str_from(column)};
}

int job_seal(struct call *call, const struct principal *who, struct str id, const char *column, struct str plain,
             struct str *ret)
{
    struct seal_place place = place_of(who, id, column);
    return seal_make_at(call, &place, who->site.secret.wrapped_key, plain, ret);
}

int job_unseal(struct call *call, const struct principal *who, struct str id, const char *column, struct str sealed,
               const struct json **ret)
{
    struct seal_place place = place_of(who, id, column);
    struct str plain = STR("{}");
    if (sealed.ptr) {
        int error = seal_open_at(call, &place, who->site.secret.wrapped_key, sealed, &plain);
        if (error)
            return error;
    }
    if (json_parse(call->arena, plain, NULL, ret, NULL) != OK)
        return fail(call, E_CRYPTO, "What this job holds cannot be read any more.");
    if (!sealed.ptr)
        *ret = json_at(*ret, 0); /* JSON_MISSING */
    return OK;
}
