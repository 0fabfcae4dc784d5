/* One try to connect to PostgreSQL. */
#include "store/postgres_attempt.h"

#include "base/clock.h"
#include "store/db_driver.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define STRINGIFY(x) #x
#define TO_STRING(x) STRINGIFY(x)

/* ---- TLS */

static bool is_this_machine(struct str hosts)
{
    struct str host;
    while (str_next(&hosts, ',', &host))
        if (host.len && host.ptr[0] != '/' && !str_eq(host, STR("localhost")) && !str_starts_with(host, STR("127.")) &&
            !str_eq(host, STR("::1")))
            return false;
    return true;
}

static const char *option_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && options->val[0] ? options->val : NULL;
    return NULL;
}

struct db_postgres_tls db_postgres_tls(const char *url)
{
    static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt"; /* libpq before 16 does not know the system's */
    struct db_postgres_tls tls = {NULL, NULL};
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (!options)
        return tls;
    const char *mode = option_of(options, "sslmode"), *host = option_of(options, "host");
    if (!host)
        host = option_of(options, "hostaddr");
    if (!mode)
        mode = getenv("PGSSLMODE");
    if (!mode && host && !is_this_machine(str_from(host)))
        mode = tls.mode = "verify-full";
    if (mode && strncmp(mode, "verify-", 7) == 0 && !getenv("PGSSLROOTCERT") && access(bundle, R_OK) == 0)
        tls.root = bundle;
    PQconninfoFree(options);
    return tls;
}

/* ---- on the helper thread */

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static PGconn *connect_to(const char *url)
{
    /* What stands before dbname yields to the URL. */
    static const char *const names[] = {
        "connect_timeout", "gssencmode", "fallback_application_name", "client_encoding", "sslmode", "sslrootcert",
        "dbname",          NULL,
    };
    const struct db_postgres_tls tls = db_postgres_tls(url);
    const char *const values[] = {TO_STRING(5), "disable", "porteiro", "UTF8", tls.mode, tls.root, url, NULL};
    _Static_assert(DB_CONNECT_TIMEOUT_S == 5, "connect_timeout above");
    return PQconnectdbParams(names, values, 1);
}

/* Behind a pooler the connection alone says nothing about the server. */
static bool answers(PGconn *connection)
{
    int64_t until_ms = clock_monotonic_ms() + POSTGRES_ATTEMPT_MS;
    if (!PQsendQuery(connection, "SELECT 1"))
        return false;
    while (PQisBusy(connection)) {
        struct pollfd state = {.fd = PQsocket(connection), .events = POLLIN};
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&state, 1, (int)left_ms) < 0 || !PQconsumeInput(connection))
            return false;
    }
    return true;
}

static void work(void *context)
{
    struct postgres_attempt *attempt = context;
    int64_t begun_ms = clock_monotonic_ms();
    PGconn *connection = attempt->connection = connect_to(attempt->url);
    bool good = connection && PQstatus(connection) == CONNECTION_OK;
    if (!good)
        snprintf(attempt->problem, sizeof attempt->problem, "%s",
                 connection ? PQerrorMessage(connection) : "no memory");
    attempt->answered = good ? !attempt->asks || answers(connection) : strstr(attempt->problem, "FATAL:") != NULL;
    attempt->took_ms = clock_monotonic_ms() - begun_ms;
    if (good && !attempt->asks) {
        PQsetNoticeProcessor(connection, ignore_notice, NULL);
        return;
    }
    PQfinish(connection);
    attempt->connection = NULL;
}

/* ---- on the loop's thread */

static void work_ended(void *context)
{
    struct postgres_attempt *attempt = context;
    attempt->ended(attempt);
}

struct postgres_attempt *postgres_attempt_start(struct helper *helper, const char *url, bool asks,
                                                void (*ended)(struct postgres_attempt *attempt), void *context,
                                                void *owner)
{
    size_t url_bytes = strlen(url) + 1;
    struct postgres_attempt *attempt = calloc(1, sizeof *attempt + url_bytes);
    if (!attempt)
        return NULL;
    memcpy(attempt->url, url, url_bytes);
    attempt->asks = asks;
    attempt->ended = ended;
    attempt->context = context;
    attempt->owner = owner;
    attempt->begun_ms = clock_monotonic_ms();
    attempt->job = (struct helper_job){.work = work, .ended = work_ended, .context = attempt};
    helper_start(helper, &attempt->job);
    return attempt;
}

void postgres_attempt_free(struct postgres_attempt *attempt)
{
    PQfinish(attempt->connection);
    free(attempt);
}
