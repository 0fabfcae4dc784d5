/* The database: pools, transactions, results and error texts; the engines are in db_sqlite.c and db_postgres.c. */
#include "store/db.h"

#include "base/metrics.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/db_driver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    JANITOR_MS = 5000, /* for rolling back what a call left open */
    JANITOR_BYTES = 4096,
    CLOSE_WAIT_MS = 6000, /* db_close() waits for janitors */
    ATTEMPTS = 3,         /* of a statement that the server undid, or a read whose connection broke */
    RETRY_PAUSE_MS = 10,
    RAW_CELLS_MAX = 4 * 1024 * 1024,
};

/* A call that waits for a link of a pool. */
struct db_waiter {
    struct db_waiter *next;
    struct call *call;
    struct db_link *link; /* handed over */
    bool has_link;
};

/* The open transaction of a call, in its arena. */
struct transaction {
    struct db_link *link; /* NULL when it has ended */
};

/* ---- raw results ------------------------------------------------------------------------------------------------------ */

static bool grow(void **block, size_t *capacity, size_t wanted, size_t size, size_t max)
{
    if (wanted <= *capacity)
        return true;
    size_t larger = *capacity ? *capacity * 2 : 64;
    while (larger < wanted)
        larger *= 2;
    if (wanted > max)
        return false;
    void *moved = realloc(*block, larger * size);
    if (!moved)
        return false;
    *block = moved;
    *capacity = larger;
    return true;
}

void db_raw_add(struct db_raw *raw, const char *ptr, size_t len, bool is_null)
{
    void *cells = raw->cells, *text = raw->text;
    if (raw->failed)
        return;
    raw->failed = len > DB_RESULT_BYTES_MAX ||
                  !grow(&cells, &raw->cells_capacity, raw->n_cells + 1, sizeof *raw->cells, RAW_CELLS_MAX) ||
                  !grow(&text, &raw->text_capacity, raw->text_len + len + 1, 1, DB_RESULT_BYTES_MAX);
    raw->cells = cells;
    raw->text = text;
    if (raw->failed)
        return;
    raw->cells[raw->n_cells++] = (struct db_raw_cell){raw->text_len, len, is_null};
    if (len)
        memcpy(raw->text + raw->text_len, ptr, len);
    raw->text[raw->text_len + len] = '\0';
    raw->text_len += len + 1;
}

void db_raw_done(struct db_raw *raw)
{
    free(raw->cells);
    free(raw->text);
    *raw = (struct db_raw){0};
}

static void raw_release(void *object)
{
    db_raw_done(object);
}

static void rows_from_raw(struct arena *arena, const struct db_raw *raw, struct db_rows *rows)
{
    struct str *cells = arena_array_of(arena, struct str, raw->n_cells);
    char *text = arena_alloc(arena, raw->text_len + 1);
    if (raw->text_len)
        memcpy(text, raw->text, raw->text_len);
    for (size_t i = 0; i < raw->n_cells; i++)
        if (!raw->cells[i].is_null)
            cells[i] = str_of(text + raw->cells[i].offset, raw->cells[i].len);
    *rows = (struct db_rows){raw->n_rows, raw->n_columns, raw->changes, cells};
}

/* ---- outcomes --------------------------------------------------------------------------------------------------------- */

void db_outcome_set(struct db_outcome *outcome, enum error error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    outcome->error = error;
    vsnprintf(outcome->detail, sizeof outcome->detail, format, list);
    va_end(list);
    for (char *c = outcome->detail; *c; c++)
        if (*c == '\n')
            *c = ' ';
}

static int fail_with(struct call *call, const struct db_outcome *outcome)
{
    fail_detail(call, "database: %s", outcome->detail);
    switch (outcome->error) {
    case E_CONFLICT:
        return fail(call, E_CONFLICT, "This exists already.");
    case E_NOT_FOUND:
        return fail(call, E_NOT_FOUND, "What this belongs to does not exist any more.");
    case E_TIMEOUT:
        return fail(call, E_TIMEOUT, "The database took longer than this request may. Try again.");
    case E_LIMIT:
        return fail(call, E_LIMIT,
                    "The database's answer is larger than one request may hold. Ask for less at a time.");
    case E_INVALID:
        return fail(call, E_INVALID,
                    "A text holds bytes that cannot be stored: it must be UTF-8 without NUL characters.");
    case E_UNAVAILABLE:
        return fail(call, E_UNAVAILABLE, "The database is not available right now. Try again in a moment.");
    default:
        return fail(call, E_INTERNAL, "Something went wrong inside. The log has the details under id %s.", call->id);
    }
}

/* ---- waiting and pools ------------------------------------------------------------------------------------------------ */

static void wake_call(void *context)
{
    task_wake(context);
}

bool db_wait(struct call *call, const bool *done, int64_t deadline_ms)
{
    struct loop_timer timer = {0};
    if (*done)
        return true;
    if (!loop_timer_init(&timer, wake_call, call))
        return false;
    while (!*done && clock_monotonic_ms() < deadline_ms) {
        loop_timer_set(&timer, deadline_ms - clock_monotonic_ms());
        task_park_firmly(call);
    }
    loop_timer_done(&timer);
    return *done;
}

static void forget_posted(struct db_link *link)
{
    link->begin = NULL;
    link->posted = NULL;
    link->last_posted = &link->posted;
}

bool db_link_add(struct db *db, struct db_pool *pool, struct db_link *link)
{
    link->janitor_arena = arena_new(JANITOR_BYTES);
    if (!link->janitor_arena)
        return false;
    link->db = db;
    link->pool = pool;
    link->next = db->links;
    db->links = link;
    link->next_idle = pool->idle;
    pool->idle = link;
    forget_posted(link);
    return true;
}

void db_link_done(struct db_link *link)
{
    arena_free(link->janitor_arena);
    link->janitor_arena = NULL;
}

static void waiter_remove(struct db_pool *pool, struct db_waiter *waiter)
{
    struct db_waiter *previous = NULL;
    for (struct db_waiter *at = pool->first; at; previous = at, at = at->next) {
        if (at != waiter)
            continue;
        if (previous)
            previous->next = at->next;
        else
            pool->first = at->next;
        if (pool->last == at)
            pool->last = previous;
        return;
    }
}

/* First come, first served. NULL when the deadline came first. */
static struct db_link *link_take(struct call *call, struct db_pool *pool)
{
    struct db_link *link = pool->idle;
    if (link) { /* then nobody waits */
        pool->idle = link->next_idle;
        link->busy = true;
        return link;
    }
    struct db_waiter waiter = {.call = call};
    if (pool->last)
        pool->last->next = &waiter;
    else
        pool->first = &waiter;
    pool->last = &waiter;
    if (!db_wait(call, &waiter.has_link, call->deadline_ms))
        waiter_remove(pool, &waiter);
    return waiter.link;
}

static void link_give_back(struct db_link *link)
{
    struct db_pool *pool = link->pool;
    struct db_waiter *waiter = pool->first;
    link->failed = false;
    link->transaction = NULL;
    forget_posted(link);
    if (waiter) {
        pool->first = waiter->next;
        if (!pool->first)
            pool->last = NULL;
        waiter->link = link;
        waiter->has_link = true;
        task_wake(waiter->call);
        return;
    }
    link->busy = false;
    link->next_idle = pool->idle;
    pool->idle = link;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

int db_open(struct call *call, struct str url, struct db **ret_db)
{
    if (str_starts_with(url, STR("sqlite:")) && url.len > strlen("sqlite:"))
        return db_sqlite_open(call, str_from_offset(url, strlen("sqlite:")), ret_db);
    if (str_starts_with(url, STR("postgres://")) || str_starts_with(url, STR("postgresql://")))
        return db_postgres_open(call, url, ret_db);
    return fail(call, E_INVALID, "DATABASE_URL must begin with postgres:// or postgresql://, or be sqlite:PATH.");
}

static bool has_busy_link(const struct db *db)
{
    for (const struct db_link *link = db->links; link; link = link->next)
        if (link->busy)
            return true;
    return false;
}

static void do_nothing(void *context)
{
    (void)context;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    /* Calls have ended; what may still go on is rolling back for them. */
    struct loop_timer timer = {0};
    int64_t until_ms = clock_monotonic_ms() + CLOSE_WAIT_MS;
    if (has_busy_link(db) && loop_timer_init(&timer, do_nothing, NULL)) {
        while (has_busy_link(db) && clock_monotonic_ms() < until_ms) {
            loop_timer_set(&timer, until_ms - clock_monotonic_ms());
            loop_turn();
        }
        loop_timer_done(&timer);
    }
    db->driver->close(db);
}

enum db_kind db_kind(const struct db *db)
{
    return db->kind;
}

int64_t db_used_ms(const struct db *db)
{
    return db->used_ms;
}

/* ---- statements ------------------------------------------------------------------------------------------------------- */

/* What the engine cannot take as it is. SQLite takes all but times; PostgreSQL wants every parameter as C text. */
static const char *param_text(struct call *call, enum db_kind kind, const struct db_param *param)
{
    switch (param->type) {
    case DB_PARAM_TEXT:
        return kind == DB_SQLITE ? NULL : str_copy_cstr(call->arena, param->text);
    case DB_PARAM_INT:
        return kind == DB_SQLITE ? NULL : str_format(call->arena, "%lld", (long long)param->integer).ptr;
    case DB_PARAM_BOOL:
        return param->integer ? "t" : "f";
    case DB_PARAM_TIME: {
        char *text = arena_alloc(call->arena, CLOCK_TEXT_BYTES);
        clock_format(param->integer, text);
        return text;
    }
    default:
        return NULL;
    }
}

/* Only by its first word: a WITH may write, so it goes where writes go. */
static bool only_reads(struct str sql)
{
    return str_starts_with_nocase(str_trim(sql), STR("select"));
}

static bool is_storable(const struct db_param *param)
{
    return param->type != DB_PARAM_TEXT ||
           (str_find_char(param->text, '\0') == STR_NOT_FOUND && str_is_utf8(param->text));
}

/* Each of $1 to $n occurs, and no other. PostgreSQL lets some parameters be superfluous, SQLite none. */
static bool params_match(struct str sql, size_t n_params)
{
    bool seen[DB_PARAMS_MAX] = {false};
    size_t n_seen = 0;
    for (const char *at = sql.ptr; at += strcspn(at, "$'\""), *at;) {
        char c = *at++;
        if (c != '$') {
            const char *end = strchr(at, c); /* of what is quoted */
            if (!end)
                break;
            at = end + 1;
            continue;
        }
        size_t number = 0;
        while (ascii_is_digit(*at) && number <= DB_PARAMS_MAX)
            number = number * 10 + (size_t)(*at++ - '0');
        if (number < 1 || number > n_params)
            return false;
        n_seen += !seen[number - 1];
        seen[number - 1] = true;
    }
    return n_seen == n_params;
}

static int prepare_request(struct call *call, enum db_kind kind, struct str sql, const struct db_param *params,
                           size_t n_params, struct db_request *request)
{
    assert(n_params <= DB_PARAMS_MAX);
    if (!params_match(sql, n_params)) {
        struct db_outcome outcome = {0};
        db_outcome_set(&outcome, E_INTERNAL, "the statement does not use exactly $1 to $%zu", n_params);
        return fail_with(call, &outcome);
    }
    const char **texts = arena_array_of(call->arena, const char *, n_params);
    for (size_t i = 0; i < n_params; i++) {
        struct db_outcome outcome = {0};
        if (!is_storable(&params[i])) {
            db_outcome_set(&outcome, E_INVALID, "parameter $%zu is not UTF-8 or holds a NUL", i + 1);
            return fail_with(call, &outcome);
        }
        texts[i] = param_text(call, kind, &params[i]);
    }
    *request = (struct db_request){sql, params, texts, n_params, .deadline_ms = call->deadline_ms};
    return OK;
}

/* The link of the call's transaction in this database, or NULL. */
static struct db_link *open_transaction(const struct call *call, const struct db *db)
{
    return call->db_link && call->db_link->db == db ? call->db_link : NULL;
}

/* DB_POSTED, for an engine that is given one statement at a time. */
static void take_posted(struct call *call, const struct db_posted *before, struct db_request *request)
{
    const char **texts = arena_array_of(call->arena, const char *, request->n_params);
    for (size_t i = 0; i < request->n_params; i++)
        texts[i] = request->params[i].type == DB_PARAM_POSTED && before && before->raw.n_cells
                       ? str_copy_cstr(call->arena, str_of(before->raw.text, before->raw.cells[0].len))
                       : request->texts[i];
    request->texts = texts;
}

void db_outcome_unchanged(struct db_outcome *outcome)
{
    db_outcome_set(outcome, E_CONFLICT, "a statement that must change a row found none");
}

/* The request, and before it what its transaction still has to run. */
static void run_with_posted(struct call *call, struct db_link *link, struct db_request *request, struct db_raw *raw,
                            struct db_outcome *outcome)
{
    const struct db_driver *driver = link->db->driver;
    struct db_posted *posted = link->posted;
    request->begin = link->begin;
    request->posted = posted;
    forget_posted(link);
    if (!driver->takes_posted)
        for (struct db_posted *before = NULL; posted && !outcome->error; before = posted, posted = posted->next) {
            posted->request.deadline_ms = request->deadline_ms;
            take_posted(call, before, &posted->request);
            driver->run(call, link, &posted->request, &posted->raw, outcome);
            if (!outcome->error && posted->must_change && !posted->raw.changes)
                db_outcome_unchanged(outcome);
        }
    if (!outcome->error)
        driver->run(call, link, request, raw, outcome);
}

static void run_in_transaction(struct call *call, struct db_link *link, struct db_request *request, struct db_raw *raw,
                               struct db_outcome *outcome)
{
    if (link->failed) {
        db_outcome_set(outcome, E_INTERNAL, "a statement after one that failed in the same transaction");
        return;
    }
    request->in_transaction = true;
    run_with_posted(call, link, request, raw, outcome);
    if (outcome->error)
        link->failed = true;
}

/* Others are at it as well: not all at the same moment again. */
static void pause_before_retry(struct call *call, int attempt)
{
    bool never = false;
    int64_t until_ms = clock_monotonic_ms() + (RETRY_PAUSE_MS << attempt) + clock_now_ms() % RETRY_PAUSE_MS;
    (void)db_wait(call, &never, until_ms < call->deadline_ms ? until_ms : call->deadline_ms);
}

static void run_alone(struct call *call, struct db *db, const struct db_request *request, struct db_raw *raw,
                      struct db_outcome *outcome)
{
    bool reads = only_reads(request->sql);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct db_link *link = link_take(call, reads ? db->read_pool : db->write_pool);
        if (!link) {
            db_outcome_set(outcome, E_TIMEOUT, "no connection became free in time");
            return;
        }
        *outcome = (struct db_outcome){0};
        db->driver->run(call, link, request, raw, outcome);
        link_give_back(link);
        if (!outcome->rolled_back && !(outcome->lost && reads))
            return;
        db_raw_done(raw);
        if (attempt)
            pause_before_retry(call, attempt);
    }
}

bool db_was_rolled_back(const struct call *call)
{
    static const char *const states[] = {"40001", "40P01", "57P01", "57P02", "57P03"};
    struct str state = str_sub(call->error_detail, strlen("database: "), 5);
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        if (call->error == E_UNAVAILABLE && str_eq(state, str_from(states[i])))
            return true;
    return false;
}

int db_query_params(struct call *call, struct db *db, struct db_rows *ret_rows, const char *sql,
                    const struct db_param *params, size_t n_params)
{
    struct db_request request;
    struct db_outcome outcome = {0};
    db->used_ms = clock_monotonic_ms();
    int error = prepare_request(call, db->kind, str_from(sql), params, n_params, &request);
    if (error)
        return error;
    int64_t begun_ns = clock_monotonic_ns();
    struct db_link *transaction = open_transaction(call, db);
    struct db_raw *raw = arena_new_of(call->arena, struct db_raw);
    arena_defer(call->arena, raw_release, raw);
    if (transaction)
        run_in_transaction(call, transaction, &request, raw, &outcome);
    else
        run_alone(call, db, &request, raw, &outcome);
    if (!outcome.error && raw->failed)
        db_outcome_set(&outcome, E_LIMIT, "the result is larger than %d bytes", DB_RESULT_BYTES_MAX);
    if (!outcome.error && ret_rows)
        rows_from_raw(call->arena, raw, ret_rows);
    db_raw_done(raw);
    metric_time(METRIC_DATABASE, (clock_monotonic_ns() - begun_ns) / 1000,
                db->kind == DB_SQLITE ? STR("sqlite") : STR("postgres"),
                outcome.error ? str_from(error_name(outcome.error)) : STR("ok"));
    return outcome.error ? fail_with(call, &outcome) : OK;
}

int db_post_params(struct call *call, struct db *db, enum db_post how, const char *sql, const struct db_param *params,
                   size_t n_params)
{
    struct db_link *link = open_transaction(call, db);
    struct db_outcome outcome = {0};
    if (!link || link->failed) {
        db_outcome_set(&outcome, E_INTERNAL,
                       link ? "a statement after one that failed" : "posted outside a transaction");
        return fail_with(call, &outcome);
    }
    struct db_posted *posted = arena_new_of(call->arena, struct db_posted);
    struct db_param *copies = arena_array_of(call->arena, struct db_param, n_params);
    memcpy(copies, params, n_params * sizeof *copies);
    int error = prepare_request(call, db->kind, str_from(sql), copies, n_params, &posted->request);
    if (error) {
        link->failed = true;
        return error;
    }
    posted->next = NULL;
    posted->request.in_transaction = true;
    posted->must_change = how == DB_POST_MUST_CHANGE;
    arena_defer(call->arena, raw_release, &posted->raw);
    *link->last_posted = posted;
    link->last_posted = &posted->next;
    return OK;
}

int db_script(struct call *call, struct db *db, struct str sql)
{
    struct db_link *link = open_transaction(call, db);
    struct db_outcome outcome = {0};
    struct db_raw raw = {0};
    struct db_request request = {
        .sql = str_copy(call->arena, sql), .is_script = true, .deadline_ms = call->deadline_ms};
    if (!link)
        db_outcome_set(&outcome, E_INTERNAL, "a script outside a transaction");
    else
        run_in_transaction(call, link, &request, &raw, &outcome);
    db_raw_done(&raw);
    return outcome.error ? fail_with(call, &outcome) : OK;
}

/* ---- transactions ----------------------------------------------------------------------------------------------------- */

static void run_plain(struct call *call, struct db_link *link, struct str sql, int64_t deadline_ms,
                      struct db_outcome *outcome)
{
    struct db_raw raw = {0};
    struct db_request request = {.sql = sql, .deadline_ms = deadline_ms, .in_transaction = link->transaction != NULL};
    *outcome = (struct db_outcome){0};
    run_with_posted(call, link, &request, &raw, outcome);
    db_raw_done(&raw);
}

/* A rollback needs its own time: it must succeed although the call's is up. */
static void rollback_link(struct call *call, struct db_link *link, struct db_outcome *outcome)
{
    bool has_begun = !link->begin;
    forget_posted(link);
    *outcome = (struct db_outcome){0};
    if (has_begun)
        run_plain(call, link, STR("ROLLBACK"), clock_monotonic_ms() + JANITOR_MS, outcome);
    if (outcome->error && !outcome->lost)
        link->db->driver->reset(link);
    link_give_back(link);
}

static void janitor_run(struct call *call, void *context)
{
    struct db_outcome outcome;
    (void)context;
    rollback_link(call, call->db_link, &outcome);
}

static void janitor_ended(struct call *call, void *context)
{
    (void)call;
    (void)context;
}

/* The call has ended with its transaction open; nothing may wait here, so a task of the link's own rolls back. */
static void transaction_abandoned(void *object)
{
    struct transaction *transaction = object;
    struct db_link *link = transaction->link;
    if (!link)
        return;
    transaction->link = NULL;
    if (link->begin) { /* nothing of it has run */
        link_give_back(link);
        return;
    }
    call_init(&link->janitor, link->janitor_arena, JANITOR_MS);
    link->janitor.db_link = link;
    if (task_spawn(&link->janitor, janitor_run, janitor_ended, NULL) == OK)
        return;
    link->db->driver->reset(link);
    link_give_back(link);
}

static int begin_with(struct call *call, const struct db *db, struct db_pool *pool, const char *begin)
{
    struct db_outcome outcome = {0};
    if (call->db_link) {
        db_outcome_set(&outcome, E_INTERNAL, "a transaction inside a transaction");
        return fail_with(call, &outcome);
    }
    struct transaction *transaction = arena_new_of(call->arena, struct transaction);
    arena_defer(call->arena, transaction_abandoned, transaction);
    for (int attempt = 0; attempt < 2; attempt++) {
        struct db_link *link = link_take(call, pool);
        if (!link) {
            db_outcome_set(&outcome, E_TIMEOUT, "no connection became free in time");
            break;
        }
        if (db->driver->takes_posted)
            link->begin = begin;
        else
            run_plain(call, link, str_from(begin), call->deadline_ms, &outcome);
        if (!outcome.error) {
            transaction->link = link;
            link->transaction = transaction;
            call->db_link = link;
            return OK;
        }
        link_give_back(link);
        if (!outcome.lost)
            break;
    }
    return fail_with(call, &outcome);
}

int db_begin(struct call *call, struct db *db)
{
    return begin_with(call, db, db->write_pool, db->driver->begin);
}

int db_begin_snapshot(struct call *call, struct db *db)
{
    return begin_with(call, db, db->read_pool, db->driver->begin_snapshot);
}

int db_commit(struct call *call, struct db *db)
{
    struct db_link *link = open_transaction(call, db);
    struct db_outcome outcome = {0};
    if (!link) {
        db_outcome_set(&outcome, E_INTERNAL, "a commit without a transaction");
        return fail_with(call, &outcome);
    }
    link->transaction->link = NULL;
    call->db_link = NULL;
    if (link->failed) {
        rollback_link(call, link, &outcome);
        db_outcome_set(&outcome, E_INTERNAL, "a commit after a statement that failed; rolled back");
        return fail_with(call, &outcome);
    }
    if (!link->begin || link->posted)
        run_plain(call, link, STR("COMMIT"), call->deadline_ms, &outcome);
    if (outcome.error && !outcome.lost) {
        struct db_outcome ignored;
        rollback_link(call, link, &ignored);
    } else {
        link_give_back(link);
    }
    return outcome.error ? fail_with(call, &outcome) : OK;
}

int db_rollback(struct call *call, struct db *db)
{
    struct db_link *link = open_transaction(call, db);
    struct db_outcome outcome = {0};
    if (!link)
        return OK;
    link->transaction->link = NULL;
    call->db_link = NULL;
    rollback_link(call, link, &outcome);
    return outcome.error ? fail_with(call, &outcome) : OK;
}

/* ---- results ---------------------------------------------------------------------------------------------------------- */

static struct str cell(const struct db_rows *rows, size_t row, size_t column)
{
    assert(row < rows->n_rows && column < rows->n_columns);
    return rows->cells[row * rows->n_columns + column];
}

bool db_is_null(const struct db_rows *rows, size_t row, size_t column)
{
    return cell(rows, row, column).ptr == NULL;
}

struct str db_text(const struct db_rows *rows, size_t row, size_t column)
{
    struct str text = cell(rows, row, column);
    return text.ptr ? text : STR_EMPTY;
}

int64_t db_int(const struct db_rows *rows, size_t row, size_t column)
{
    int64_t value;
    return str_to_i64(cell(rows, row, column), &value) ? value : 0;
}

bool db_bool(const struct db_rows *rows, size_t row, size_t column)
{
    struct str text = cell(rows, row, column);
    return str_eq(text, STR("t")) || str_eq(text, STR("1")) || str_eq(text, STR("true"));
}

int64_t db_time_ms(const struct db_rows *rows, size_t row, size_t column)
{
    int64_t unix_ms;
    struct str text = cell(rows, row, column);
    return text.ptr && clock_parse(text, &unix_ms) ? unix_ms : 0;
}
