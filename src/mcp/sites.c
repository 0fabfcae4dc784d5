/* A token over several connections. */
#include "mcp/sites.h"

bool sites_are_chosen(const struct principal *who)
{
    return who->n_grants > 1;
}

unsigned sites_rights(const struct principal *who)
{
    unsigned rights = who->rights;
    for (size_t i = 0; i < who->n_grants; i++)
        rights |= who->grants[i].rights;
    return rights;
}

struct str sites_schema(struct arena *arena, const struct principal *who)
{
    enum { SCHEMA_MAX_BYTES = 16 * 1024 };
    struct buf text;
    struct json_writer w;
    buf_init(&text, arena, SCHEMA_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "type", STR("string"));
    json_key(&w, STR("enum"));
    json_array(&w);
    for (size_t i = 0; i < who->n_grants; i++)
        json_string(&w, who->grants[i].alias);
    json_end(&w);
    json_end(&w);
    return buf_str(&text);
}

static struct str names_of(struct call *call, const struct principal *who)
{
    struct buf names;
    buf_init(&names, call->arena, 4096);
    for (size_t i = 0; i < who->n_grants; i++)
        buf_add_format(&names, "%s%.*s", i ? ", " : "", STR_ARG(who->grants[i].alias));
    return buf_str(&names);
}

/* The arguments without this one (instead NULL), or with a text in its place. */
static int change_argument(struct call *call, struct mcp_host *host, const struct json *one, const struct str *instead)
{
    struct buf rest;
    struct json_writer w;
    buf_init(&rest, call->arena, ANSWER_MAX_BYTES);
    json_write_init(&w, &rest);
    json_object(&w);
    for (size_t i = 0; i < json_count(host->arguments); i++) {
        struct json_member member = json_member_at(host->arguments, i);
        if (member.value == one && !instead)
            continue;
        json_key(&w, member.name);
        if (member.value == one)
            json_string(&w, *instead);
        else
            json_value(&w, member.value);
    }
    json_end(&w);
    if (buf_failed(&rest) || json_parse(call->arena, buf_str(&rest), NULL, &host->arguments, NULL) != OK)
        return fail(call, E_LIMIT, "The arguments are too large.");
    return OK;
}

int sites_take(struct call *call, struct mcp_host *host, const struct mcp_request *all, const struct site_grant *grant)
{
    const struct principal *who;
    struct mcp_request *request = arena_new_of(call->arena, struct mcp_request);
    int error = principal_for(call, all->who, grant->site.connection_id, &who);
    if (error)
        return error;
    *request = *all;
    request->who = who;
    host->request = request;
    call->who = (struct principal *)who;
    return OK;
}

#define NAME_END ':'

int sites_choose_by_id(struct call *call, struct mcp_host *host, const struct site_grant **ret)
{
    const struct principal *who = host->request->who;
    const struct json *id = json_get(host->arguments, STR("id"));
    struct str text = json_str(id);
    size_t end = str_find_char(text, NAME_END);
    for (size_t i = 0; end != STR_NOT_FOUND && i < who->n_grants; i++)
        if (str_eq(str_sub(text, 0, end), who->grants[i].alias)) {
            struct str rest = str_from_offset(text, end + 1);
            *ret = &who->grants[i];
            int error = sites_take(call, host, host->request, *ret);
            return error ? error : change_argument(call, host, id, &rest);
        }
    return fail(call, E_INVALID,
                "This token is for several sites: an id begins with the name of one, as search gives it. There are: "
                "%.*s.",
                STR_ARG(names_of(call, who)));
}

void sites_write_named(struct call *call, struct json_writer *w, const struct json *object,
                       const struct site_grant *grant)
{
    json_object(w);
    for (size_t i = 0; i < json_count(object); i++) {
        struct json_member member = json_member_at(object, i);
        json_key(w, member.name);
        if (str_eq(member.name, STR("id")))
            json_string(
                w, call_format(call, "%.*s%c%.*s", STR_ARG(grant->alias), NAME_END, STR_ARG(json_str(member.value))));
        else
            json_value(w, member.value);
    }
    json_end(w);
}

int sites_choose(struct call *call, struct mcp_host *host)
{
    const struct principal *who = host->request->who;
    const struct json *name = json_get(host->arguments, STR(SITE_ARGUMENT));
    if (!who->n_grants)
        return OK;
    if (json_is(name, JSON_MISSING) && !sites_are_chosen(who))
        return OK; /* the others have dropped out */
    if (json_is(name, JSON_MISSING))
        return fail(call, E_INVALID, "This token is for several sites: name one as " SITE_ARGUMENT ". There are: %.*s.",
                    STR_ARG(names_of(call, who)));
    for (size_t i = 0; i < who->n_grants; i++)
        if (json_is(name, JSON_STRING) && str_eq(json_str(name), who->grants[i].alias)) {
            int error = sites_take(call, host, host->request, &who->grants[i]);
            return error ? error : change_argument(call, host, name, NULL);
        }
    return fail(call, E_INVALID, "This token has no such site, or it rests just now. There are: %.*s.",
                STR_ARG(names_of(call, who)));
}
