/*
 * porteiro stdio: the MCP server for one client that starts it itself.
 *
 * With a token it is a window to a database as any other. With a site's address and password in the environment instead, it
 * makes itself a database that lives as long as the process (in a directory of its own, sealed under a key that is only in
 * memory) with one user, one connection and one token, so that everything behind is the same; what stays is the audit log.
 */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "accounts/authenticate.h"
#include "accounts/connections.h"
#include "accounts/users.h"
#include "audit/checkpoint.h"
#include "audit/journal.h"
#include "base/log.h"
#include "cli/open.h"
#include "cli/secret.h"
#include "json/json_write.h"
#include "mcp/background.h"
#include "mcp/stdio.h"
#include "mcp/tasks.h"
#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_BYTES = 64, RANDOM_BYTES = 32 };

/* ---- which site, from the environment: PROVIDER_FIELD for each field, WORDPRESS_URL and so on */

static const char *variable(char name[NAME_BYTES], const struct provider *provider, const struct provider_field *field)
{
    int length = snprintf(name, NAME_BYTES, "%.*s_%s", STR_ARG(provider->key), field->name);
    for (int i = 0; i < length && i < NAME_BYTES; i++)
        if (name[i] >= 'a' && name[i] <= 'z')
            name[i] = (char)(name[i] - 'a' + 'A');
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The first provider of which anything is set. */
static const struct provider *find_provider(struct cli *cli, struct str *ret_problem)
{
    char name[NAME_BYTES];
    for (size_t i = 0; i < provider_count(); i++) {
        const struct provider *provider = provider_at(i);
        struct str missing = STR_EMPTY;
        bool any = false;
        for (size_t j = 0; j < provider->n_fields; j++) {
            if (variable(name, provider, &provider->fields[j]))
                any = true;
            else if (provider->fields[j].required)
                missing = str_format(cli->arena, "%.*s%s%s", STR_ARG(missing), missing.len ? ", " : "", name);
        }
        if (any && missing.len)
            *ret_problem = str_format(cli->arena, "%.*s must be set, too", STR_ARG(missing));
        if (any)
            return missing.len ? NULL : provider;
    }
    *ret_problem = STR("set PORTEIRO_TOKEN (or --token-file FILE), or WORDPRESS_URL, WORDPRESS_USERNAME and "
                       "WORDPRESS_APP_PASSWORD");
    return NULL;
}

static void read_site(struct cli *cli, const struct provider *provider, struct site *site)
{
    char name[NAME_BYTES];
    struct buf config, secret;
    struct json_writer w[2];
    buf_init(&config, cli->arena, 16 * 1024);
    buf_init(&secret, cli->arena, 16 * 1024);
    json_write_init(&w[0], &config);
    json_write_init(&w[1], &secret);
    json_object(&w[0]);
    json_object(&w[1]);
    for (size_t i = 0; i < provider->n_fields; i++) {
        const struct provider_field *field = &provider->fields[i];
        const char *value = variable(name, provider, field);
        if (value)
            json_member_str(&w[field->in_secret || field->kind == FIELD_SECRET], field->name, str_from(value));
    }
    json_end(&w[0]);
    json_end(&w[1]);
    site->config_json = buf_str(&config);
    site->plain_secret_json = buf_str(&secret);
}

/* ---- a database for this process only */

static char directory[256];

static void remove_directory(void)
{
    static const char *const names[] = {"porteiro.db", "porteiro.db-wal", "porteiro.db-shm", "generation"};
    char path[sizeof directory + 32];
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/tmp", directory); /* where files on their way lay, which have no name */
    rmdir(path);
    rmdir(directory);
}

static struct str random_hex(struct arena *arena)
{
    unsigned char random[RANDOM_BYTES];
    char hex[2 * RANDOM_BYTES + 1];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(hex, sizeof hex, random, sizeof random);
    return str_copy(arena, str_from(hex));
}

static void set(struct config *config, enum setting setting, struct str text)
{
    config->values[setting].text = text;
    config->values[setting].source = SOURCE_FLAG;
}

static int open_temporary(struct cli *cli)
{
    const char *run = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
    struct config *config = arena_new_of(cli->arena, struct config);
    snprintf(directory, sizeof directory, "%s/porteiro-stdio-XXXXXX",
             run && *run == '/'   ? run
             : tmp && *tmp == '/' ? tmp
                                  : "/tmp");
    if (!mkdtemp(directory))
        return fail(&cli->call, E_UNAVAILABLE, "a directory %s cannot be made: %s", directory, strerror(errno));
    atexit(remove_directory);
    *config = *cli->config;
    set(config, SETTING_DATA_DIR, str_from(directory));
    set(config, SETTING_DATABASE_URL, str_format(cli->arena, "sqlite:%s/porteiro.db", directory));
    set(config, SETTING_DATABASE_URL_DIRECT, (struct str){NULL, 0});
    set(config, SETTING_AUDIT_CHECKPOINTS, (struct str){NULL, 0});
    set(config, SETTING_SECRET_KEY, random_hex(cli->arena));
    cli->config = config;
    bool json = cli->arguments.json;
    cli->arguments.json = true; /* that a database was made is nobody's interest */
    int error = open_accounts(cli);
    cli->arguments.json = json;
    return error;
}

static int make_token(struct cli *cli, const struct provider *provider, const struct site *site, unsigned rights,
                      struct str *ret_token)
{
    struct token_made made;
    struct connection_new connection = {
        .provider_key = provider->key,
        .name = provider->name,
        .config_json = site->config_json,
        .secret_json = site->plain_secret_json,
        .token = {.name = STR("stdio"), .rights = rights},
    };
    const struct user_new user = {.name = STR("stdio"),
                                  .email = STR("stdio@localhost.invalid"),
                                  .phone = STR("+15555550100"),
                                  .password = random_hex(cli->arena)};
    int error = users_add(&cli->call, &user, &connection.user_id);
    if (!error)
        error = connections_add(&cli->call, &connection, &made);
    if (!error)
        *ret_token = str_copy(cli->arena, made.token);
    return error;
}

static int open_journal(struct cli *cli)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/')
        return journal_open(&cli->call, str_format(cli->arena, "%s/porteiro", state));
    if (home && *home == '/')
        return journal_open(&cli->call, str_format(cli->arena, "%s/.local/state/porteiro", home));
    return fail(&cli->call, E_INVALID,
                "there is neither XDG_STATE_HOME nor HOME, and so no place for the audit log; set one of them");
}

static int open_site(struct cli *cli, const struct provider *provider, struct str *ret_token)
{
    unsigned rights = RIGHTS_DEFAULT;
    struct site site = {.name = provider->name};
    struct site_check check = {0};
    int error = OK;
    if (cli_has(cli, "rights") && rights_parse(&cli->call, cli_option(cli, "rights"), &rights))
        return cli_usage(cli, "--rights: %.*s", STR_ARG(cli->call.error_text));
    read_site(cli, provider, &site);
    error = open_temporary(cli);
    if (!error)
        error = open_client(cli);
    if (!error)
        error = provider->check(&cli->call, &site, &check);
    if (!error && !check.ok)
        error = fail(&cli->call, E_UPSTREAM, "%.*s", STR_ARG(check.error_text));
    if (!error && check.config_json.len)
        site.config_json = check.config_json;
    if (!error)
        error = make_token(cli, provider, &site, rights, ret_token);
    return error ? error : open_journal(cli);
}

/* ---- with a token */

static int open_with_token(struct cli *cli, struct str token)
{
    const struct principal *who;
    if (cli_has(cli, "rights"))
        return cli_usage(cli, "--rights: a token has its own; make one with others: porteiro token add --rights");
    int error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (error)
        return error;
    error = authenticate(&cli->call, token, &who);
    return error;
}

/* Jobs under way when the client leaves go back to the queue, for whoever else works on this database. */
static int serve(struct cli *cli, struct str token)
{
    checkpoint_log(true);
    background_set_wait(config_number(cli->config, SETTING_JOB_WAIT) * 1000);
    int error = tasks_open(&cli->call, config_number(cli->config, SETTING_JOB_LEASE) * 1000);
    if (error)
        return error;
    error = stdio_serve(&cli->call, token, STDIN_FILENO, STDOUT_FILENO);
    jobs_stop(NULL, NULL);
    jobs_cancel_all();
    while (jobs_busy())
        loop_turn();
    tasks_close();
    return error;
}

static int run_stdio(struct cli *cli)
{
    const char *given = getenv("PORTEIRO_TOKEN");
    struct str token = given ? str_from(given) : STR_EMPTY, problem = STR_EMPTY;
    const struct provider *provider;
    int error = OK;
    if (cli_has(cli, "token-file"))
        error = secret_read(cli, "token", "Token", false, &token);
    if (error)
        return error;
    if (token.len) {
        error = open_with_token(cli, token);
    } else {
        provider = find_provider(cli, &problem);
        if (!provider)
            return cli_usage(cli, "%.*s", STR_ARG(problem));
        error = open_site(cli, provider, &token);
    }
    return error ? error : serve(cli, token);
}

static const struct option options[] = {
    {.name = "token-file", .value = "FILE", .help = "the token is in this file, instead of in PORTEIRO_TOKEN"},
    {.name = "rights", .value = "RIGHTS", .help = "without a token: what may be done (default: read,draft)"},
};
static const struct command commands[] = {{
    .summary = "Serves MCP over standard input and output, to one client that starts this command itself: with a token "
               "in PORTEIRO_TOKEN, or without any database with a site in WORDPRESS_URL, WORDPRESS_USERNAME and "
               "WORDPRESS_APP_PASSWORD.",
    .options = options,
    .n_options = ARRAY_LENGTH(options),
    .example = "PORTEIRO_TOKEN=prt_pat_... porteiro stdio\n"
               "WORDPRESS_URL=https://example.com WORDPRESS_USERNAME=ana WORDPRESS_APP_PASSWORD=... porteiro stdio",
    .run = run_stdio,
}};
const struct noun stdio_noun = {"stdio", "serve MCP over standard input and output", commands, ARRAY_LENGTH(commands)};
