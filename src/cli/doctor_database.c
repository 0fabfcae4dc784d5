/* porteiro doctor: the database and what is in it. Only read. */
#include "cli/doctor.h"

#include "audit/audit.h"
#include "cli/open.h"
#include "providers/provider.h"
#include "store/health.h"
#include "store/migrate.h"
#include "store/providers.h"

#include <stdlib.h>
#include <unistd.h>

enum { SLOW_MS = 50, AUDIT_MS = 20 * 1000 };

static struct str database_url(const struct doctor *doctor)
{
    return config_text(doctor->cli->config, SETTING_DATABASE_URL);
}

static bool is_sqlite(const struct doctor *doctor)
{
    return str_starts_with(database_url(doctor), STR("sqlite:"));
}

static bool needs(struct doctor *doctor, bool what)
{
    if (!what)
        doctor_say(doctor, DOCTOR_SKIP, NULL, "the database cannot be asked");
    return what;
}

static void check_reachable(struct doctor *doctor)
{
    struct cli *cli = doctor->cli;
    const char *file = str_copy_cstr(cli->arena, str_from_offset(database_url(doctor), STR("sqlite:").len));
    if (is_sqlite(doctor) && access(file, F_OK))
        return doctor_say(doctor, DOCTOR_WARN, "The first start makes it.", "%s is not there yet", file);
    int error = open_database(cli);
    int64_t begun_ms = clock_monotonic_ms();
    if (!error)
        error = health_ask(&cli->call, cli->db);
    if (error)
        return doctor_say_failure(doctor, DOCTOR_FAIL,
                                  "See whether it runs, and whether DATABASE_URL names it, its user and its password.");
    doctor->has_database = true;
    long long ms = clock_monotonic_ms() - begun_ms;
    doctor_say(doctor, ms > SLOW_MS ? DOCTOR_WARN : DOCTOR_OK,
               ms > SLOW_MS ? "Each call asks it: bring it closer." : NULL, "answers (connected and asked in %lld ms)",
               ms);
}

static void check_version(struct doctor *doctor)
{
    enum { OLDEST = 120000 };
    struct health_server server;
    if (!needs(doctor, doctor->has_database))
        return;
    if (health_server(&doctor->cli->call, doctor->cli->db, &server))
        return doctor_say_failure(doctor, DOCTOR_WARN, NULL);
    bool is_old = !is_sqlite(doctor) && server.number && server.number < OLDEST;
    doctor_say(doctor, is_old ? DOCTOR_FAIL : DOCTOR_OK, is_old ? "Use PostgreSQL 12 or later." : NULL, "%.*s",
               STR_ARG(server.version));
}

static void check_clock(struct doctor *doctor)
{
    enum { ALLOWED_MS = 2000 };
    struct health_server server;
    if (!needs(doctor, doctor->has_database))
        return;
    if (health_server(&doctor->cli->call, doctor->cli->db, &server))
        return doctor_say_failure(doctor, DOCTOR_WARN, NULL);
    long long off_ms = server.now_ms ? server.now_ms - clock_now_ms() : 0;
    bool is_off = off_ms > ALLOWED_MS || off_ms < -ALLOWED_MS;
    doctor_say(doctor, is_off ? DOCTOR_WARN : DOCTOR_OK,
               is_off ? "Keep both clocks right: background jobs are taken over by time." : NULL,
               "%lld ms apart from this machine's", off_ms < 0 ? -off_ms : off_ms);
}

static void check_tls(struct doctor *doctor)
{
    struct str url = database_url(doctor);
    if (is_sqlite(doctor))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "SQLite is a file");
    if (str_contains(url, STR("sslmode=disable")) || str_contains(url, STR("sslmode=allow")) ||
        str_contains(url, STR("sslmode=prefer")) || str_contains(url, STR("sslmode=require")))
        return doctor_say(doctor, DOCTOR_WARN, "Use sslmode=verify-full where the database is on another machine.",
                          "the URL lets anybody on the way be the database");
    doctor_say(doctor, DOCTOR_OK, NULL, "a server on another machine must show its certificate");
}

static void check_pooler(struct doctor *doctor)
{
    struct str url = database_url(doctor);
    bool is_pooler = str_contains(url, STR("-pooler.")) || str_contains(url, STR(":6432/"));
    if (is_pooler && !config_is_set(doctor->cli->config, SETTING_DATABASE_URL_DIRECT))
        return doctor_say(
            doctor, DOCTOR_WARN, "Set PORTEIRO_DATABASE_URL_DIRECT to the database itself.",
            "the URL leads to a pooler: other nodes hear of changes later, and migrations need the other way");
    doctor_say(doctor, DOCTOR_OK, NULL,
               is_pooler ? "and the direct way is known" : "the URL leads to the database itself");
}

/* On an empty database without a key opening it would make one. */
static bool would_make_key(struct doctor *doctor)
{
    const struct config *config = doctor->cli->config;
    bool has_user = false, has_connection = false;
    struct str file = str_format(doctor->cli->arena, "%.*s/master.key", STR_ARG(config_text(config, SETTING_DATA_DIR)));
    if (config_is_set(config, SETTING_SECRET_KEY) || getenv("CREDENTIALS_DIRECTORY") || access(file.ptr, F_OK) == 0)
        return false;
    return health_look(&doctor->cli->call, doctor->cli->db, &has_user, &has_connection) != OK || !has_user;
}

static void check_migrations(struct doctor *doctor)
{
    struct migrate_status status;
    if (!needs(doctor, doctor->has_database))
        return;
    if (migrate_status(&doctor->cli->call, doctor->cli->db, &status))
        return doctor_say_failure(doctor, DOCTOR_FAIL, "porteiro migrate --status");
    if (status.state == MIGRATE_REFUSED)
        return doctor_say(doctor, DOCTOR_FAIL, "Use the program that this database was last used with, or a later one.",
                          "%.*s", STR_ARG(status.problem));
    if (status.state != MIGRATE_CURRENT)
        return doctor_say(doctor, DOCTOR_WARN, "porteiro migrate, or start the server: it does that.",
                          "%s: %zu migrations are to be made", migrate_state_name(status.state), status.n_pending);
    /* Now opening it changes nothing. */
    doctor->has_accounts = !would_make_key(doctor) && open_accounts(doctor->cli) == OK;
    doctor_say(doctor, DOCTOR_OK, NULL, "current");
}

static void check_keys(struct doctor *doctor)
{
    if (!doctor->has_database || doctor->cli->call.error == OK)
        return needs(doctor, doctor->has_accounts) ? doctor_say(doctor, DOCTOR_OK, NULL, "the master key opens it")
                                                   : (void)0;
    doctor_say_failure(doctor, DOCTOR_FAIL, "Give the program the master key that this database was made with.");
}

static void check_administrator(struct doctor *doctor)
{
    struct health_counts counts;
    if (!needs(doctor, doctor->has_accounts))
        return;
    if (health_counts(&doctor->cli->call, &counts))
        return doctor_say_failure(doctor, DOCTOR_WARN, NULL);
    if (!counts.administrators)
        return doctor_say(doctor, DOCTOR_WARN, "porteiro setup-url prints where the first one makes an account.",
                          "there is none among %lld people", (long long)counts.people);
    doctor_say(doctor, DOCTOR_OK, NULL, "%lld of %lld people", (long long)counts.administrators,
               (long long)counts.people);
}

static void check_connections(struct doctor *doctor)
{
    struct health_counts counts;
    if (!needs(doctor, doctor->has_accounts))
        return;
    if (health_counts(&doctor->cli->call, &counts))
        return doctor_say_failure(doctor, DOCTOR_WARN, NULL);
    if (counts.connections_in_error)
        return doctor_say(doctor, DOCTOR_WARN, "porteiro connection list shows them; doctor --connection ID tells why.",
                          "%lld of %lld do not work: their site refuses the password",
                          (long long)counts.connections_in_error, (long long)counts.connections);
    doctor_say(doctor, DOCTOR_OK, NULL, "%lld, none is refused by its site", (long long)counts.connections);
}

static void check_mail_queue(struct doctor *doctor)
{
    struct health_counts counts;
    if (!needs(doctor, doctor->has_accounts))
        return;
    if (health_counts(&doctor->cli->call, &counts))
        return doctor_say_failure(doctor, DOCTOR_WARN, NULL);
    doctor_say(doctor, counts.mails_failing ? DOCTOR_WARN : DOCTOR_OK,
               counts.mails_failing ? "porteiro mail test ADDRESS says what the mail server answers." : NULL,
               "%lld wait to be sent, %lld of them failed before", (long long)counts.mails_waiting,
               (long long)counts.mails_failing);
}

static void check_providers(struct doctor *doctor)
{
    struct provider_rows rows;
    size_t enabled = 0;
    if (!needs(doctor, doctor->has_accounts))
        return;
    if (store_providers_list(&doctor->cli->call, &rows))
        return doctor_say_failure(doctor, DOCTOR_WARN, NULL);
    for (size_t i = 0; i < rows.count; i++)
        enabled += rows.items[i].enabled && provider_find(rows.items[i].key);
    if (!enabled)
        return doctor_say(doctor, DOCTOR_FAIL, "porteiro provider enable wordpress",
                          "every kind of service is switched off");
    doctor_say(doctor, DOCTOR_OK, NULL, "%zu kind%s of service can be used", enabled, enabled == 1 ? "" : "s");
}

static void check_audit(struct doctor *doctor)
{
    struct call *call = &doctor->cli->call;
    struct audit_verdict verdict;
    int64_t deadline_ms = call->deadline_ms;
    if (!needs(doctor, doctor->has_accounts))
        return;
    call->deadline_ms = clock_monotonic_ms() + AUDIT_MS;
    int error = audit_verify(call, NULL, &verdict);
    call->deadline_ms = deadline_ms;
    if (error)
        return doctor_say_failure(doctor, DOCTOR_WARN, "porteiro audit verify takes the time it needs.");
    if (!verdict.ok)
        return doctor_say(doctor, DOCTOR_FAIL, "Find out who changed the database; porteiro audit verify says where.",
                          "was changed: %.*s", STR_ARG(verdict.problem));
    doctor_say(doctor, DOCTOR_OK, NULL, "%lld rows in %lld chains are as they were written", (long long)verdict.rows,
               (long long)verdict.chains);
}

const struct doctor_check doctor_database_checks[] = {
    {"database", check_reachable},
    {"database_version", check_version},
    {"database_clock", check_clock},
    {"database_tls", check_tls},
    {"database_pooler", check_pooler},
    {"migrations", check_migrations},
    {"keys", check_keys},
    {"administrator", check_administrator},
    {"connections", check_connections},
    {"mail_queue", check_mail_queue},
    {"providers", check_providers},
    {"audit", check_audit},
};
const size_t n_doctor_database_checks = ARRAY_LENGTH(doctor_database_checks);
