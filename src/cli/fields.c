/* A provider's form on the command line. */
#include "cli/fields.h"

#include "cli/secret.h"
#include "json/json_write.h"

enum { FIELD_OPTIONS_MAX = 64, FIELD_NAME_BYTES = 48, FIELD_JSON_BYTES_MAX = 64 * 1024 };

/* Made at the first look: an option's name needs a NUL and dashes. */
static struct field_option {
    char name[FIELD_NAME_BYTES];
    const struct provider_field *field;
} field_options[FIELD_OPTIONS_MAX];
static size_t n_field_options;
static bool is_made;

static void option_name(const char *field, char out[FIELD_NAME_BYTES])
{
    size_t length = 0;
    for (; field[length] && length + 1 < FIELD_NAME_BYTES; length++)
        out[length] = field[length] == '_' ? '-' : field[length];
    out[length] = 0;
}

static void add_option(const struct provider_field *field)
{
    char name[FIELD_NAME_BYTES];
    option_name(field->name, name);
    for (size_t i = 0; i < n_field_options; i++) {
        if (strcmp(field_options[i].name, name) == 0)
            return;
    }
    if (n_field_options == FIELD_OPTIONS_MAX)
        return;
    memcpy(field_options[n_field_options].name, name, sizeof name);
    field_options[n_field_options++].field = field;
}

static void make_options(void)
{
    is_made = true;
    for (size_t i = 0; i < provider_count(); i++) {
        const struct provider *provider = provider_at(i);
        for (size_t j = 0; j < provider->n_fields; j++) {
            if (provider->fields[j].kind != FIELD_SECRET)
                add_option(&provider->fields[j]);
        }
    }
}

bool fields_option(size_t index, struct option *ret)
{
    if (!is_made)
        make_options();
    if (index >= n_field_options)
        return false;
    const struct provider_field *field = field_options[index].field;
    *ret = (struct option){.name = field_options[index].name,
                           .value = field->kind == FIELD_URL ? "URL" : "TEXT",
                           .help = field->help ? field->help : field->label};
    return true;
}

/* A field option that was given, and is none of this provider's. */
static int refuse_foreign(struct cli *cli, const struct provider *provider)
{
    for (size_t i = 0; i < n_field_options; i++) {
        bool is_own = false;
        for (size_t j = 0; j < provider->n_fields; j++) {
            char name[FIELD_NAME_BYTES];
            option_name(provider->fields[j].name, name);
            is_own = is_own || strcmp(name, field_options[i].name) == 0;
        }
        if (!is_own && cli_has(cli, field_options[i].name))
            return cli_usage(cli, "--%s is not for %.*s", field_options[i].name, STR_ARG(provider->name));
    }
    return OK;
}

static int read_field(struct cli *cli, const struct provider_field *field, const struct json *before, struct str *ret)
{
    char name[FIELD_NAME_BYTES];
    option_name(field->name, name);
    if (field->kind == FIELD_SECRET)
        return secret_read(cli, "secret", field->label, false, ret);
    *ret = cli_option(cli, name);
    if (!ret->ptr && before && json_is(json_get(before, str_from(field->name)), JSON_STRING))
        *ret = json_str(json_get(before, str_from(field->name)));
    if (field->required && ret->len == 0)
        return cli_usage(cli, "--%s is missing: %s", name, field->help ? field->help : field->label);
    return OK;
}

static void begin(struct json_writer *writer, struct buf *buf, struct cli *cli)
{
    buf_init(buf, cli->arena, FIELD_JSON_BYTES_MAX);
    json_write_init(writer, buf);
    json_object(writer);
}

int fields_read(struct cli *cli, const struct provider *provider, struct str config_before, struct str *ret_config,
                struct str *ret_secret)
{
    struct buf config, secret;
    struct json_writer in_config, in_secret;
    struct json_error wrong;
    const struct json *before = NULL;
    int error = refuse_foreign(cli, provider);
    if (!error && config_before.len && json_parse(cli->arena, config_before, NULL, &before, &wrong) < 0)
        error = fail(&cli->call, E_INTERNAL, "the connection's settings cannot be read");
    begin(&in_config, &config, cli);
    begin(&in_secret, &secret, cli);
    for (size_t i = 0; i < provider->n_fields && !error; i++) {
        const struct provider_field *field = &provider->fields[i];
        struct str value;
        error = read_field(cli, field, before, &value);
        if (!error && value.ptr)
            json_member_str(provider_field_is_secret(field) ? &in_secret : &in_config, field->name, value);
    }
    json_end(&in_config);
    json_end(&in_secret);
    if (!error && (buf_failed(&config) || buf_failed(&secret)))
        error = fail(&cli->call, E_LIMIT, "what was given is too long");
    *ret_config = buf_str(&config);
    *ret_secret = buf_str(&secret);
    return error;
}
