/* porteiro config check */
#include "cli/cli.h"

#include "cli/open.h"
#include "cli/values.h"
#include "net/http_authorities.h"
#include "net/tls.h"
#include "net/url.h"
#include "store/health.h"

#include <errno.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATABASE_MS = 10 * 1000 };

static const char *const source_names[] = {"default", "file", "environment", "flag"};

/* Findings beside those of loading: what is well formed, and yet does not work. */
struct check {
    struct cli *cli;
    struct answers *problems, *warnings;
};

static void add_finding(struct answers *list, struct str where, struct str text)
{
    struct answer *item = answers_add(list);
    answer_text(item, "where", where);
    answer_text(item, "text", text);
}

static void PRINTF_LIKE(4, 5)
    note(struct check *check, struct answers *list, enum setting setting, const char *format, ...)
{
    const struct setting_value *value = &check->cli->config->values[setting];
    bool chosen = value->where.len && value->source != SOURCE_DEFAULT;
    va_list arguments;
    va_start(arguments, format);
    struct str text = str_format_list(check->cli->arena, format, arguments);
    va_end(arguments);
    add_finding(list, chosen ? value->where : str_from(setting_table[setting].environment), text);
}

static void check_data_dir(struct check *check)
{
    struct str problem;
    if (!config_make_data_dir(check->cli->arena, check->cli->config, &problem))
        note(check, check->problems, SETTING_DATA_DIR, "%.*s", STR_ARG(problem));
}

static bool check_database_url(struct check *check, enum setting setting)
{
    struct str url = config_text(check->cli->config, setting);
    if (!str_starts_with(url, STR("postgres")))
        return true;
    char *error = NULL;
    PQconninfoOption *options = PQconninfoParse(str_copy_cstr(check->cli->arena, url), &error);
    if (options == NULL) /* libpq's words may repeat the password, so they are not shown */
        note(check, check->problems, setting,
             "is not a URL that PostgreSQL's client library reads; special characters in the password must be "
             "%%-encoded");
    PQconninfoFree(options);
    PQfreemem(error);
    return options != NULL;
}

/* A server is asked whether it answers. A file is not made here: that is the first start's. */
static void try_database(struct check *check)
{
    struct cli *cli = check->cli;
    struct call *call = &cli->call;
    struct str url = config_text(cli->config, SETTING_DATABASE_URL);
    const char *file =
        str_copy_cstr(cli->arena, str_starts_with(url, STR("sqlite:")) ? str_from_offset(url, 7) : STR_EMPTY);
    if (!url.ptr || (*file && access(file, F_OK) && errno == ENOENT))
        return;
    call->deadline_ms = clock_monotonic_ms() + DATABASE_MS;
    int error = open_database(cli);
    if (!error)
        error = health_ask(call, cli->db);
    if (error)
        note(check, check->problems, SETTING_DATABASE_URL,
             "cannot be used now: %.*s%s%.*s%s; see whether the database runs, and whether this names it, its user and "
             "its password",
             STR_ARG(call->error_text), call->error_detail.len ? " (" : "", STR_ARG(call->error_detail),
             call->error_detail.len ? ")" : "");
    call_clear_error(call);
}

/* Addresses of another machine, and ports below 1024 without the right, are found by trying. A port in use is no mistake of
 * the settings: the server itself may run right now. */
static void check_listen(struct check *check)
{
    struct str host, listen = config_text(check->cli->config, SETTING_LISTEN);
    uint16_t port;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (!setting_split_address(listen, &host, &port) ||
        getaddrinfo(str_copy_cstr(check->cli->arena, host), str_format(check->cli->arena, "%u", port).ptr, &hints,
                    &found))
        return;
    int one = 1, file = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file >= 0) {
        (void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(file, found->ai_addr, found->ai_addrlen) && errno != EADDRINUSE)
            note(check, check->problems, SETTING_LISTEN, "%.*s cannot be listened on: %s", STR_ARG(listen),
                 strerror(errno));
        close(file);
    }
    freeaddrinfo(found);
}

static bool is_loopback(struct str address)
{
    return str_starts_with(address, STR("127.")) || str_starts_with(address, STR("[::1]")) ||
           str_starts_with(address, STR("localhost"));
}

static void check_public_url(struct check *check)
{
    const struct config *config = check->cli->config;
    struct str url = config_text(config, SETTING_PUBLIC_URL), listen = config_text(config, SETTING_LISTEN);
    bool is_default = config->values[SETTING_PUBLIC_URL].source == SOURCE_DEFAULT;
    if (is_default && !is_loopback(listen))
        note(check, check->warnings, SETTING_PUBLIC_URL,
             "is not set, and the server listens on %.*s; name the address that clients use", STR_ARG(listen));
    else if (str_starts_with(url, STR("http://")) && !is_loopback(str_from_offset(url, 7)))
        note(check, check->warnings, SETTING_PUBLIC_URL,
             "is plain http: tokens can be read on the way; put a proxy with TLS in front");
}

/* Then clients are sent to a name that the certificate is not for. */
static void check_domain(struct check *check)
{
    const struct config *config = check->cli->config;
    struct url url;
    if (config_is_set(config, SETTING_DOMAIN) && config_is_set(config, SETTING_PUBLIC_URL) &&
        url_parse(check->cli->arena, config_text(config, SETTING_PUBLIC_URL), &url) == OK &&
        !str_eq_nocase(url.host, config_text(config, SETTING_DOMAIN)))
        note(check, check->warnings, SETTING_PUBLIC_URL,
             "names %.*s, and PORTEIRO_DOMAIN gets the certificate for %.*s; give both the same name",
             STR_ARG(url.host), STR_ARG(config_text(config, SETTING_DOMAIN)));
}

static void check_ca_file(struct check *check)
{
    struct str path = config_text(check->cli->config, SETTING_CA_FILE);
    const char *file = str_copy_cstr(check->cli->arena, path);
    if (path.len && access(file, R_OK))
        note(check, check->problems, SETTING_CA_FILE, "the file %s cannot be read: %s", file, strerror(errno));
    else if (path.len && http_authorities_init(file))
        note(check, check->problems, SETTING_CA_FILE, "the file %s cannot be read as PEM", file);
    http_authorities_done();
}

static void check_certificate(struct check *check)
{
    const struct config *config = check->cli->config;
    struct str problem = STR_EMPTY;
    if (!config_is_set(config, SETTING_TLS_CERT) || !config_is_set(config, SETTING_TLS_KEY))
        return;
    struct tls_context *tls = tls_context_new(str_copy_cstr(check->cli->arena, config_text(config, SETTING_TLS_CERT)),
                                              str_copy_cstr(check->cli->arena, config_text(config, SETTING_TLS_KEY)),
                                              check->cli->arena, &problem);
    if (!tls)
        note(check, check->problems, SETTING_TLS_CERT, "%.*s", STR_ARG(problem));
    tls_context_free(tls);
}

static void check_key(struct check *check)
{
    struct cli *cli = check->cli;
    if (!config_is_set(cli->config, SETTING_SECRET_KEY))
        return;
    const struct keyring_source source = {.key_text = config_text(cli->config, SETTING_SECRET_KEY)};
    if (keyring_load_master(&cli->call, &source))
        note(check, check->problems, SETTING_SECRET_KEY, "%.*s", STR_ARG(cli->call.error_text));
    call_clear_error(&cli->call);
    keyring_done();
}

/* Without making it: whoever checks may be another user than the server's. */
static void check_checkpoints(struct check *check)
{
    const struct config *config = check->cli->config;
    struct str path = config_text(config, SETTING_AUDIT_CHECKPOINTS);
    if (config->values[SETTING_AUDIT_CHECKPOINTS].source == SOURCE_DEFAULT || !path.len)
        return;
    size_t slash = str_find_last_char(path, '/');
    struct str dir = slash == STR_NOT_FOUND ? STR(".") : str_sub(path, 0, slash ? slash : 1);
    const char *name = str_copy_cstr(check->cli->arena, path);
    if (access(name, W_OK) == 0 || (errno == ENOENT && access(str_copy_cstr(check->cli->arena, dir), W_OK | X_OK) == 0))
        return;
    note(check, check->problems, SETTING_AUDIT_CHECKPOINTS, "the file %s cannot be written: %s", name, strerror(errno));
}

static void check_values(struct check *check)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        struct str problem = values_problem(check->cli->arena, check->cli->config, (enum setting)i);
        if (problem.ptr)
            note(check, check->problems, (enum setting)i, "%.*s", STR_ARG(problem));
    }
}

static void check_all(struct check *check)
{
    const struct config *config = check->cli->config;
    for (size_t i = 0; i < config->n_problems; i++)
        add_finding(check->problems, config->problems[i].where, config->problems[i].text);
    for (size_t i = 0; i < config->n_warnings; i++)
        add_finding(check->warnings, config->warnings[i].where, config->warnings[i].text);
    if (config_is_set(config, SETTING_DATA_DIR))
        check_data_dir(check);
    bool good = check_database_url(check, SETTING_DATABASE_URL);
    good &= check_database_url(check, SETTING_DATABASE_URL_DIRECT);
    check_listen(check);
    check_public_url(check);
    check_domain(check);
    check_ca_file(check);
    check_certificate(check);
    check_key(check);
    check_checkpoints(check);
    check_values(check);
    if (good && answers_count(check->problems) == 0)
        try_database(check);
}

static struct answers *list_settings(struct cli *cli)
{
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting_value *value = &cli->config->values[i];
        struct answer *item = answers_add(list);
        struct str none = {NULL, 0}, shown = config_shown(cli->arena, cli->config, (enum setting)i);
        answer_text(item, "name", str_from(setting_table[i].name));
        answer_text(item, "value", value->text.ptr ? shown : none);
        answer_text(item, "source", str_from(source_names[value->source]));
        answer_text(item, "where", value->where.len ? value->where : STR("default"));
        answer_text(item, "environment", str_from(setting_table[i].environment));
    }
    return list;
}

static int show(struct check *check, const struct answers *list)
{
    struct cli *cli = check->cli;
    bool good = answers_count(check->problems) == 0;
    struct str none = {NULL, 0};
    if (cli->arguments.json) {
        struct answer *answer = answer_new(cli->arena);
        answer_switch(answer, "ok", good);
        answer_text(answer, "file", cli->config->file.len ? cli->config->file : none);
        answer_list(answer, "settings", list);
        answer_list(answer, "problems", check->problems);
        answer_list(answer, "warnings", check->warnings);
        return cli_answer(cli, answer, NULL);
    }
    struct str text = answers_as_text(cli->arena, list, "name value where");
    text = str_format(cli->arena, "%.*s\nfile: %.*s\n", STR_ARG(text),
                      STR_ARG(cli->config->file.len ? cli->config->file : STR("none")));
    if (answers_count(check->warnings))
        text = str_format(cli->arena, "%.*s\nWarnings\n%.*s", STR_ARG(text),
                          STR_ARG(answers_as_text(cli->arena, check->warnings, "where text")));
    if (!good)
        text = str_format(cli->arena, "%.*s\nProblems\n%.*s", STR_ARG(text),
                          STR_ARG(answers_as_text(cli->arena, check->problems, "where text")));
    return cli_print(cli, text);
}

static int run_check(struct cli *cli)
{
    struct check check = {.cli = cli, .problems = answers_new(cli->arena), .warnings = answers_new(cli->arena)};
    check_all(&check);
    int error = show(&check, list_settings(cli));
    size_t n = answers_count(check.problems);
    if (!error && n > 0)
        error = cli_usage(cli, "%zu %s cannot be used", n, n == 1 ? "setting" : "settings");
    return error;
}

static const struct command commands[] = {{
    .verb = "check",
    .summary = "Shows the settings in force and where each comes from, and tries whether they work.",
    .bad_settings = true,
    .example = "porteiro config check\nPORTEIRO_LISTEN=[::1]:9000 porteiro config check --json",
    .run = run_check,
}};
const struct noun config_noun = {"config", "the settings: what is in force, and whether it works", commands,
                                 ARRAY_LENGTH(commands)};
