/* What commands and the server open in the same way. */
#include "cli/open.h"

#include "cli/values.h"

#include "accounts/registration.h"

#include "accounts/accounts.h"
#include "accounts/authenticate.h"
#include "accounts/connections.h"
#include "accounts/neon.h"
#include "accounts/passwords.h"
#include "audit/audit.h"
#include "audit/history.h"
#include "audit/journal.h"
#include "audit/retention.h"
#include "base/log.h"
#include "limits/limits.h"
#include "messages/messages.h"
#include "net/spool.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/otlp.h"
#include "net/smtp.h"
#include "net/url.h"
#include "net/worker.h"
#include "providers/provider.h"
#include "store/migrate.h"
#include "store/notices.h"
#include "store/store.h"

#include <limits.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLUSH_MS = 10 * 1000, PROVIDERS_MAX = 64, TLS_MORE_MS = 3 * 1000 };

/* What is open; one of each in a process. */
static struct {
    bool loop, accounts, client;
    struct db *direct;
    struct egress_policy egress;
} opened;

/* ---- the database */

int open_database(struct cli *cli)
{
    return open_database_at(cli, config_text(cli->config, SETTING_DATABASE_URL));
}

int open_database_at(struct cli *cli, struct str url)
{
    struct str problem;
    if (cli->db)
        return OK;
    if (!config_make_data_dir(cli->arena, cli->config, &problem))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(problem));
    if (!loop_init())
        return fail(&cli->call, E_UNAVAILABLE,
                    "the event loop cannot be made: no memory or no file descriptor is left");
    opened.loop = true;
    return db_open(&cli->call, url, &cli->db);
}

int open_for_migration(struct cli *cli, struct db **ret_db)
{
    *ret_db = cli->db;
    if (!config_is_set(cli->config, SETTING_DATABASE_URL_DIRECT))
        return OK;
    int error = db_open(&cli->call, config_text(cli->config, SETTING_DATABASE_URL_DIRECT), &opened.direct);
    *ret_db = opened.direct;
    return error;
}

int open_migrated(struct cli *cli)
{
    struct migrate_result done;
    struct db *db;
    int error = open_for_migration(cli, &db);
    if (!error)
        error = migrate_apply(&cli->call, db, &done);
    if (!error && done.n_applied)
        cli_note(cli, "the database now has this program's schema (%zu migrations applied)", done.n_applied);
    db_close(opened.direct); /* not needed any more */
    opened.direct = NULL;
    return error;
}

/* ---- what stands on it */

static int sync_providers(struct cli *cli)
{
    struct provider_entry entries[PROVIDERS_MAX];
    size_t count = provider_count() < PROVIDERS_MAX ? provider_count() : PROVIDERS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct provider *provider = provider_at(i);
        entries[i] = (struct provider_entry){provider->key, provider->name, provider->version};
    }
    return providers_sync(&cli->call, entries, count);
}

/* Workers do not wait for each other's commits. */
static struct str worker_writer(struct cli *cli, const struct worker *worker)
{
    char host[HOST_NAME_MAX + 1];
    if (gethostname(host, sizeof host) != 0)
        host[0] = 0;
    host[HOST_NAME_MAX] = 0;
    return str_format(cli->arena, "%s/worker-%d", host[0] ? host : "host", worker->number);
}

struct keyring_source open_key_source(struct cli *cli)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    return (struct keyring_source){
        .credentials_dir = credentials ? str_from(credentials) : STR_EMPTY,
        .key_text =
            config_is_set(cli->config, SETTING_SECRET_KEY) ? config_text(cli->config, SETTING_SECRET_KEY) : STR_EMPTY,
        .data_dir = config_text(cli->config, SETTING_DATA_DIR),
    };
}

static int start_accounts(struct cli *cli)
{
    const struct config *config = cli->config;
    struct str none = STR_EMPTY, data_dir = config_text(config, SETTING_DATA_DIR);
    const struct worker *worker = worker_self();
    struct accounts_options options = {
        .keys = open_key_source(cli),
        .data_dir = data_dir,
        .audit_writer = worker ? worker_writer(cli, worker) : none,
        .checkpoints = config_text(config, SETTING_AUDIT_CHECKPOINTS),
        .key_holder = worker ? worker_writer(cli, worker) : none,
    };
    bool made_key = false;
    int error = accounts_open(&cli->call, cli->db, &options, &made_key);
    opened.accounts = !error;
    if (made_key)
        cli_note(
            cli,
            "a master key was made: %.*s/master.key; without it stored passwords and tokens are lost, so keep a copy "
            "of it apart from the database",
            STR_ARG(data_dir));
    return error;
}

/* Workers of one supervisor tell each other what they know by a shorter way, and are one origin. */
static void start_notices(struct cli *cli)
{
    const struct config *config = cli->config;
    const struct worker *worker = worker_self();
    struct str origin = STR_EMPTY;
    if (worker)
        origin = str_format(cli->arena, "%d-%lld", (int)getppid(), (long long)worker->begun_ns);
    notices_init(cli->db,
                 config_text(config, config_is_set(config, SETTING_DATABASE_URL_DIRECT) ? SETTING_DATABASE_URL_DIRECT
                                                                                        : SETTING_DATABASE_URL),
                 origin);
}

void open_registration(struct cli *cli, struct str url)
{
    struct str word = config_text(cli->config, SETTING_REGISTRATION);
    registration_init(str_eq(word, STR("open"))     ? REGISTRATION_OPEN
                      : str_eq(word, STR("closed")) ? REGISTRATION_CLOSED
                                                    : REGISTRATION_INVITATION,
                      url);
}

/* As the settings name it; a server that listens may know better. */
static struct str own_url(struct cli *cli)
{
    if (cli->config->values[SETTING_PUBLIC_URL].source != SOURCE_DEFAULT)
        return config_text(cli->config, SETTING_PUBLIC_URL);
    return str_format(cli->arena, "http://%.*s", STR_ARG(config_text(cli->config, SETTING_LISTEN)));
}

int open_mail(struct cli *cli)
{
    const struct config *config = cli->config;
    if (!config_is_set(config, SETTING_SMTP_URL))
        return OK;
    int error = values_use(cli, SETTING_SMTP_URL);
    if (!error)
        error = values_use(cli, SETTING_MAIL_FROM);
    if (error)
        return error;
    struct str url = config_text(config, SETTING_SMTP_URL);
    const struct smtp_settings smtp = {
        .url = str_copy_cstr(cli->arena, url),
        .from = str_copy_cstr(cli->arena, config_text(config, SETTING_MAIL_FROM)),
        .ca_file = config_is_set(config, SETTING_CA_FILE)
                       ? str_copy_cstr(cli->arena, config_text(config, SETTING_CA_FILE))
                       : NULL,
    };
    smtp_init(&smtp);
    return OK;
}

static int open_neon(struct cli *cli)
{
    const struct config *config = cli->config;
    struct str text = config_text(config, SETTING_NEON_AUTH_URL);
    if (!config_is_set(config, SETTING_NEON_AUTH_URL))
        return OK;
    int error = values_use(cli, SETTING_NEON_AUTH_URL);
    if (error)
        return error;
    while (str_ends_with(text, STR("/")))
        text.len--;
    size_t host = str_find(text, STR("://")) + 3, path = str_find_char(str_from_offset(text, host), '/');
    struct neon_settings settings = {.url = text,
                                     .issuer = str_sub(text, 0, path == STR_NOT_FOUND ? path : host + path)};
    if (config_is_set(config, SETTING_NEON_AUTH_ISSUER))
        settings.issuer = config_text(config, SETTING_NEON_AUTH_ISSUER);
    settings.audience = config_is_set(config, SETTING_NEON_AUTH_AUDIENCE)
                            ? config_text(config, SETTING_NEON_AUTH_AUDIENCE)
                            : settings.issuer;
    neon_init(&settings);
    return OK;
}

static void forget_old(struct call *call)
{
    messages_forget_old(call);
    registration_forget_expired(call);
}

int open_accounts(struct cli *cli)
{
    int error = open_database(cli);
    if (!error)
        error = open_migrated(cli);
    if (error)
        return error;
    store_init(cli->db);
    start_notices(cli);
    error = start_accounts(cli);
    history_set_limits(&(struct history_limits){
        .days = config_number(cli->config, SETTING_CHANGES_DAYS),
        .changes_max = config_number(cli->config, SETTING_CHANGES_MAX),
        .bytes_max = HISTORY_BYTES_MAX,
    });
    retention_set_days(config_number(cli->config, SETTING_AUDIT_DAYS));
    retention_also(forget_old);
    open_registration(cli, own_url(cli));
    if (!error)
        error = open_mail(cli);
    if (!error)
        error = open_neon(cli);
    return error ? error : sync_providers(cli);
}

/* ---- the way out */

struct egress_policy *open_egress(void)
{
    return &opened.egress;
}

/* The address in the settings may not be called as a site, and neither may public_url. */
static int guard_ourselves(struct cli *cli)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found = NULL;
    struct str host;
    struct url own;
    uint16_t port;
    if (url_parse(cli->arena, config_text(cli->config, SETTING_PUBLIC_URL), &own) == OK)
        egress_policy_set_own(&opened.egress, own.host, own.port);
    if (!setting_split_address(config_text(cli->config, SETTING_LISTEN), &host, &port) || port == 0 ||
        getaddrinfo(str_copy_cstr(cli->arena, host), str_format(cli->arena, "%u", port).ptr, &hints, &found))
        return OK;
    int error = egress_policy_add_listener(&opened.egress, found->ai_addr);
    freeaddrinfo(found);
    return error ? fail(&cli->call, error, "this machine has more addresses than the address guard can hold") : OK;
}

static int open_limits(struct cli *cli)
{
    const struct config *config = cli->config;
    const struct limits_settings limits = {
        .per_site = (size_t)config_number(config, SETTING_MAX_UPSTREAM_PER_SITE),
        .per_user = (size_t)config_number(config, SETTING_MAX_UPSTREAM_PER_USER),
        .queued = (size_t)config_number(config, SETTING_MAX_UPSTREAM_QUEUED),
        .failures = (size_t)config_number(config, SETTING_BREAKER_FAILURES),
        .pause_ms = config_number(config, SETTING_BREAKER_PAUSE_S) * 1000,
        .token_calls_per_minute = (size_t)config_number(config, SETTING_TOKEN_CALLS_PER_MINUTE),
        .token_writes_per_minute = (size_t)config_number(config, SETTING_TOKEN_WRITES_PER_MINUTE),
        .token_calls_at_once = (size_t)config_number(config, SETTING_TOKEN_CALLS_AT_ONCE),
        .user_calls_per_minute = (size_t)config_number(config, SETTING_USER_CALLS_PER_MINUTE),
    };
    if (limits_open(worker_self() ? WORKER_LIMITS_FD : -1, &limits))
        return OK;
    return fail(&cli->call, E_UNAVAILABLE, "the memory of the limits cannot be used: no memory is left");
}

int open_traces(struct cli *cli, struct str instance, const char **ret_problem)
{
    const struct otlp_settings settings = {
        .endpoint = config_text(cli->config, SETTING_OTLP_ENDPOINT),
        .headers = config_text(cli->config, SETTING_OTLP_HEADERS),
        .service = config_text(cli->config, SETTING_SERVICE_NAME),
        .instance = instance,
    };
    return otlp_init(&settings, ret_problem);
}

int open_client(struct cli *cli)
{
    const struct config *config = cli->config;
    struct str bad = STR_EMPTY;
    opened.egress = (struct egress_policy){0};
    if (config_is_set(config, SETTING_EGRESS_ALLOW) &&
        egress_policy_parse(&opened.egress, config_text(config, SETTING_EGRESS_ALLOW), &bad))
        return cli_usage(cli, "PORTEIRO_EGRESS_ALLOW: \"%.*s\" cannot be used", STR_ARG(bad));
    int error = guard_ourselves(cli);
    if (!error)
        error = open_limits(cli);
    if (error)
        return error;
    spool_init(config_text(config, SETTING_DATA_DIR), config_number(config, SETTING_MAX_UPLOAD) << 20,
               config_number(config, SETTING_MAX_UPLOADS) << 20);
    struct http_client_settings client = {
        .policy = &opened.egress,
        .max_in_flight = (size_t)config_number(config, SETTING_MAX_UPSTREAM),
        .max_in_flight_per_key = (size_t)config_number(config, SETTING_MAX_UPSTREAM_PER_SITE),
        .max_queued_per_key = (size_t)config_number(config, SETTING_MAX_UPSTREAM_QUEUED),
        .max_answer_memory_bytes = (size_t)config_number(config, SETTING_MAX_ANSWER_MEMORY) << 20,
        .connect_ms = config_number(config, SETTING_UPSTREAM_CONNECT_S) * 1000,
        .tls_ms = config_number(config, SETTING_UPSTREAM_CONNECT_S) * 1000 + TLS_MORE_MS,
        .first_byte_ms = config_number(config, SETTING_UPSTREAM_FIRST_BYTE_S) * 1000,
        .total_ms = config_number(config, SETTING_UPSTREAM_TOTAL_S) * 1000,
    };
    if (config_is_set(config, SETTING_CA_FILE))
        client.ca_file = str_copy_cstr(cli->arena, config_text(config, SETTING_CA_FILE));
    error = http_client_init(&client);
    opened.client = !error;
    if (error == E_INVALID)
        return cli_usage(cli, "PORTEIRO_CA_FILE: %s cannot be read as PEM", client.ca_file);
    return error ? fail(&cli->call, error, "the HTTP client cannot start: no memory") : OK;
}

/* ---- the end */

/* A call of its own: the command's may have failed or be out of time. */
static void flush(struct cli *cli)
{
    struct call call;
    call_init(&call, cli->arena, FLUSH_MS);
    if (audit_flush(&call))
        log_error("the last audit events could not be written: %.*s %.*s", STR_ARG(call.error_text),
                  STR_ARG(call.error_detail));
    if (audit_is_busy())
        _exit(CLI_FAILED); /* its tasks use what would be closed */
    (void)authenticate_flush(&call);
    accounts_let_go(&call);
}

void open_close(struct cli *cli)
{
    if (opened.accounts)
        flush(cli);
    journal_close(); /* not before: what was flushed goes there, too */
    if (opened.client) {
        http_client_done();
        smtp_done();
        spool_done();
    }
    limits_close();
    if (opened.accounts) {
        authenticate_done();
        neon_done();
        accounts_close();
        passwords_done();
    }
    notices_done();
    store_init(NULL);
    db_close(opened.direct);
    db_close(cli->db);
    if (opened.loop)
        loop_done();
    cli->db = NULL;
    opened.loop = opened.accounts = opened.client = false;
    opened.direct = NULL;
}
