/* A provider's form on the command line. */
#include "cli/fields.h"

#include "cli/secret.h"
#include "json/json_write.h"

enum { FIELD_OPTIONS_MAX = 64, FIELD_NAME_BYTES = 56, FIELD_JSON_BYTES_MAX = 64 * 1024 };

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

/* The first secret that a form asks for has the options of all commands (--secret-file); a further one is read from a file. */
static void secret_option_name(const struct provider_field *field, char out[FIELD_NAME_BYTES])
{
    size_t length;
    option_name(field->name, out);
    length = strlen(out);
    if (length + sizeof "-file" <= FIELD_NAME_BYTES)
        memcpy(out + length, "-file", sizeof "-file");
}

static void add_option(const struct provider_field *field)
{
    char name[FIELD_NAME_BYTES];
    if (field->kind == FIELD_SECRET)
        secret_option_name(field, name);
    else
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
        size_t n_secrets = 0;
        for (size_t j = 0; j < provider->n_fields; j++)
            n_secrets += provider->fields[j].kind == FIELD_SECRET;
        for (size_t j = 0; j < provider->n_fields; j++) {
            if (provider->fields[j].kind != FIELD_SECRET || n_secrets > 1)
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
                           .value = field->kind == FIELD_URL      ? "URL"
                                    : field->kind == FIELD_SECRET ? "FILE"
                                    : field->kind == FIELD_CHOICE ? "WORD"
                                                                  : "TEXT",
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
            secret_option_name(&provider->fields[j], name);
            is_own = is_own || (provider->fields[j].kind == FIELD_SECRET && strcmp(name, field_options[i].name) == 0);
        }
        if (!is_own && cli_has(cli, field_options[i].name))
            return cli_usage(cli, "--%s is not for %.*s", field_options[i].name, STR_ARG(provider->name));
    }
    return OK;
}

struct form {
    struct cli *cli;
    const struct provider *provider;
    const struct json *before;
    size_t n_secrets; /* read so far */
};

static struct str given_value(void *context, const char *name)
{
    const struct form *form = context;
    char option[FIELD_NAME_BYTES];
    option_name(name, option);
    struct str value = cli_option(form->cli, option);
    if (!value.ptr && form->before && json_is(json_get(form->before, str_from(name)), JSON_STRING))
        value = json_str(json_get(form->before, str_from(name)));
    return value;
}

static int read_secret(struct form *form, const struct provider_field *field, struct str *ret)
{
    char name[FIELD_NAME_BYTES];
    option_name(field->name, name);
    bool is_first = form->n_secrets++ == 0 && !cli_has(form->cli, str_format(form->cli->arena, "%s-file", name).ptr);
    if (!field->required && is_first)
        return OK;
    return secret_read(form->cli, is_first ? "secret" : str_copy_cstr(form->cli->arena, str_from(name)), field->label,
                       false, ret);
}

static int read_field(struct form *form, const struct provider_field *field, struct str *ret)
{
    struct cli *cli = form->cli;
    char name[FIELD_NAME_BYTES];
    option_name(field->name, name);
    *ret = (struct str){NULL, 0};
    if (!provider_field_applies(form->provider, field, given_value, form))
        return cli_has(cli, name) ? cli_usage(cli, "--%s goes only with --%s", name, field->only_with) : OK;
    if (field->kind == FIELD_SECRET)
        return read_secret(form, field, ret);
    *ret = given_value(form, field->name);
    if (ret->len && !provider_field_takes(field, *ret))
        return cli_usage(cli, "--%s must be one of: %s", name, field->choices);
    if (field->required && ret->len == 0 && field->kind != FIELD_CHOICE)
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
    struct form form = {.cli = cli, .provider = provider};
    int error = refuse_foreign(cli, provider);
    if (!error && config_before.len && json_parse(cli->arena, config_before, NULL, &form.before, &wrong) < 0)
        error = fail(&cli->call, E_INTERNAL, "the connection's settings cannot be read");
    begin(&in_config, &config, cli);
    begin(&in_secret, &secret, cli);
    for (size_t i = 0; i < provider->n_fields && !error; i++) {
        const struct provider_field *field = &provider->fields[i];
        struct str value;
        error = read_field(&form, field, &value);
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
