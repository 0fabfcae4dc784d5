/* Looking at a service before a connection to it is made or changed. */
#include "accounts/connect.h"

#include "base/log.h"
#include "json/json_write.h"

enum { FIELDS_BYTES_MAX = 64 * 1024 };

int connect_provider(struct call *call, struct str key, const struct provider **ret)
{
    struct str keys = STR_EMPTY;
    *ret = provider_find(key);
    if (*ret)
        return OK;
    for (size_t i = 0; i < provider_count(); i++)
        keys = call_format(call, "%.*s%s%.*s", STR_ARG(keys), i ? ", " : "", STR_ARG(provider_at(i)->key));
    return fail(call, E_INVALID, "There is no provider \"%.*s\"; there is: %.*s.", STR_ARG(key), STR_ARG(keys));
}

/* ---- the form */

static const struct provider_field *find_field(const struct provider *provider, struct str name)
{
    for (size_t i = 0; i < provider->n_fields; i++)
        if (str_eq(str_from(provider->fields[i].name), name))
            return &provider->fields[i];
    return NULL;
}

static int check_given(struct call *call, const struct provider *provider, const struct json *given)
{
    for (size_t i = 0; given && i < json_count(given); i++) {
        struct json_member member = json_member_at(given, i);
        if (!find_field(provider, member.name))
            return fail(call, E_INVALID, "%.*s has no field \"%.*s\".", STR_ARG(provider->name), STR_ARG(member.name));
        if (!json_is(member.value, JSON_STRING))
            return fail(call, E_INVALID, "%.*s: must be a text.", STR_ARG(member.name));
    }
    return OK;
}

static struct str value_of(const struct provider_field *field, const struct json *given,
                           const struct json *given_secrets, const struct json *before)
{
    const struct json *sources[] = {given_secrets, given, field->kind == FIELD_SECRET ? NULL : before};
    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++) {
        const struct json *value = sources[i] ? json_get(sources[i], str_from(field->name)) : NULL;
        if (value && json_is(value, JSON_STRING))
            return json_str(value);
    }
    return (struct str){NULL, 0};
}

/* Was it not given now? */
static bool from_before(const struct provider_field *field, const struct json *given, const struct json *given_secrets)
{
    return !(given && json_is(json_get(given, str_from(field->name)), JSON_STRING)) &&
           !(given_secrets && json_is(json_get(given_secrets, str_from(field->name)), JSON_STRING));
}

struct given {
    const struct provider *provider;
    const struct json *fields, *secrets, *before;
};

static struct str given_value(void *context, const char *name)
{
    const struct given *given = context;
    const struct provider_field *field = find_field(given->provider, str_from(name));
    return field ? value_of(field, given->fields, given->secrets, given->before) : STR_EMPTY;
}

static void begin(struct call *call, struct buf *buf, struct json_writer *w)
{
    buf_init(buf, call->arena, FIELDS_BYTES_MAX);
    json_write_init(w, buf);
    json_object(w);
}

int connect_fields(struct call *call, const struct provider *provider, const struct json *given,
                   const struct json *given_secrets, const struct json *before, struct str *ret_config,
                   struct str *ret_secret)
{
    struct buf config, secret;
    struct json_writer in_config, in_secret;
    struct given all = {provider, given, given_secrets, before};
    int error = check_given(call, provider, given);
    if (!error)
        error = check_given(call, provider, given_secrets);
    if (error)
        return error;
    begin(call, &config, &in_config);
    begin(call, &secret, &in_secret);
    for (size_t i = 0; i < provider->n_fields; i++) {
        const struct provider_field *field = &provider->fields[i];
        struct str value = value_of(field, given, given_secrets, before);
        bool applies = provider_field_applies(provider, field, given_value, &all);
        if (!applies && value.ptr && value.len && !from_before(field, given, given_secrets))
            return fail(call, E_INVALID, "%s goes only with %s.", field->name, field->only_with);
        if (!applies)
            continue;
        if (value.len && !provider_field_takes(field, value))
            return fail(call, E_INVALID, "%s must be one of: %s.", field->name, field->choices);
        if (field->required && value.len == 0 && field->kind != FIELD_CHOICE)
            return fail(call, E_INVALID, "%s is missing: %s.", field->name, field->help ? field->help : field->label);
        if (value.ptr)
            json_member_str(provider_field_is_secret(field) ? &in_secret : &in_config, field->name, value);
    }
    json_end(&in_config);
    json_end(&in_secret);
    if (buf_failed(&config) || buf_failed(&secret))
        return fail(call, E_LIMIT, "What was given is too long.");
    *ret_config = buf_str(&config);
    *ret_secret = buf_str(&secret);
    return OK;
}

struct str connect_address(struct arena *arena, const struct provider *provider, struct str config_json)
{
    const struct json *config;
    struct str none = {NULL, 0};
    if (!provider || json_parse(arena, config_json, NULL, &config, NULL) < 0)
        return none;
    for (size_t i = 0; i < provider->n_fields; i++) {
        const struct json *value = json_get(config, str_from(provider->fields[i].name));
        if (provider->fields[i].kind == FIELD_URL && json_is(value, JSON_STRING))
            return json_str(value);
    }
    return none;
}

/* ---- looking */

static int refused(struct call *call, const struct site_check *check)
{
    fail_detail(call, "%.*s", STR_ARG(check->error_code));
    return fail(call, E_UPSTREAM, "%.*s", STR_ARG(check->error_text));
}

/*
 * What a proof found, once it is stored: the config went with the password, and may be another one by now. The connection is made by
 * then, and its token shown once: that does not fail any more, and the next look finds the same.
 */
static void keep_proof(struct call *call, int64_t id, const struct site_check *found)
{
    struct site_check check = *found;
    check.config_json = STR_EMPTY;
    if (connections_record_check(call, id, NULL, &check, false) == OK)
        return;
    log_warning("call %s: what a look at connection %lld found could not be kept: %.*s", call->id, (long long)id,
                STR_ARG(call->error_text));
    call_clear_error(call);
}

static int prove(struct call *call, const struct provider *provider, const struct site *site, struct site_check *ret)
{
    *ret = (struct site_check){0};
    int error = provider->check(call, site, ret);
    return error ? error : ret->ok ? OK : refused(call, ret);
}

int connect_add(struct call *call, struct connection_new *new, struct site_check *ret_check,
                struct token_made *ret_made)
{
    const struct provider *provider;
    const struct site site = {.user_id = new->user_id,
                              .name = new->name,
                              .provider_key = new->provider_key,
                              .config_json = new->config_json,
                              .plain_secret_json = new->secret_json};
    int error = connect_provider(call, new->provider_key, &provider);
    if (!error)
        error = prove(call, provider, &site, ret_check);
    if (error)
        return error;
    if (ret_check->config_json.len)
        new->config_json = ret_check->config_json;
    error = connections_add(call, new, ret_made);
    if (!error)
        keep_proof(call, ret_made->connection_id, ret_check);
    return error;
}

int connect_test(struct call *call, int64_t user_id, int64_t id, struct site_check *ret_check)
{
    const struct provider *provider;
    struct connection_row row;
    struct site site;
    *ret_check = (struct site_check){0};
    int error = connections_show(call, user_id, id, &row);
    if (!error)
        error = connect_provider(call, row.provider_key, &provider);
    if (!error)
        error = connections_site(call, user_id, id, &site);
    site.provider_key = row.provider_key;
    if (!error)
        error = provider->check(call, &site, ret_check);
    return error ? error
                 : connections_record_check(call, id, &site, ret_check, !ret_check->ok && ret_check->is_refused);
}

int connect_set_secret(struct call *call, int64_t user_id, int64_t id, struct str config_json, struct str secret_json,
                       struct site_check *ret_check)
{
    const struct provider *provider;
    struct connection_row row;
    int error = connections_show(call, user_id, id, &row);
    if (!error)
        error = connect_provider(call, row.provider_key, &provider);
    if (error)
        return error;
    const struct site site = {.user_id = row.user_id,
                              .name = row.name,
                              .provider_key = row.provider_key,
                              .config_json = config_json,
                              .plain_secret_json = secret_json};
    error = prove(call, provider, &site, ret_check);
    if (!error)
        error = connections_set_secret(call, user_id, id,
                                       ret_check->config_json.len ? ret_check->config_json : config_json, secret_json);
    if (!error)
        keep_proof(call, id, ret_check);
    return error;
}
