/* Does the process live, and can it do its work? */
#include "web/health.h"

#include "store/health.h"
#include "web/routes.h"

static struct db *database;
static int64_t asked_ms; /* on the monotonic clock */
static bool is_ready;
static bool is_stopping;

void health_init(struct db *db)
{
    database = db;
    asked_ms = clock_monotonic_ms();
    is_ready = true; /* it was just migrated */
    is_stopping = false;
}

void health_stopping(void)
{
    is_stopping = true;
}

void health_alive(struct call *call, struct http_exchange *exchange, struct str segment)
{
    (void)call;
    (void)segment;
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, 200, STR("application/json"), STR("{\"status\":\"ok\"}"));
}

static void ask_database(struct call *call)
{
    int64_t now = clock_monotonic_ms();
    if (now - asked_ms < HEALTH_FRESH_MS)
        return;
    if (call->deadline_ms > now + HEALTH_TIMEOUT_MS)
        call->deadline_ms = now + HEALTH_TIMEOUT_MS;
    asked_ms = now; /* before the wait: those who ask meanwhile get the last answer */
    is_ready = health_ask(call, database) == OK;
    asked_ms = clock_monotonic_ms();
}

void health_ready(struct call *call, struct http_exchange *exchange, struct str segment)
{
    (void)segment;
    ask_database(call);
    if (is_stopping || !is_ready) {
        http_answer_header(exchange, STR("Retry-After"), STR("2"));
        routes_error(call, exchange, 503, "unavailable",
                     is_stopping ? STR("The server is stopping.") : STR("The database does not answer."));
        return;
    }
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, 200, STR("application/json"), STR("{\"status\":\"ready\"}"));
}
