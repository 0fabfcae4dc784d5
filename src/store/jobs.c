/* The rows of mcp_jobs. */
#include "store/jobs.h"

#define COLUMNS                                                                                                        \
    "id, user_id, connection_id, token_id, kind, status, arguments, state, input, result, message, done, total, "      \
    "abilities, revision, claims, attempts, lease_holder, lease_until, cancel_at, created_at, updated_at, ended_at, "  \
    "expires_at"

/* Without what only its holder needs, which may be large. */
#define FEW                                                                                                            \
    "id, user_id, connection_id, token_id, kind, status, '', NULL, input, result, message, done, total, "              \
    "abilities, revision, claims, attempts, lease_holder, lease_until, cancel_at, created_at, updated_at, ended_at, "  \
    "expires_at"

/* Those that may still go on. */
#define OPEN "('queued', 'working', 'input_required')"

/*
 * Of the token $2, or of another of its family: a refresh carries jobs to the token after it, while calls of the one before still
 * wait for them.
 */
#define OF_TOKEN                                                                                                       \
    "(token_id = $2 OR token_id IN (SELECT b.token_id FROM mcp_oauth_tokens a JOIN mcp_oauth_tokens b "                \
    "ON b.grant_id = a.grant_id WHERE a.token_id = $2))"

enum { CANCEL_TRIES = 5, RENEWED_AT_ONCE = 32 };

static int64_t time_or_0(const struct db_rows *rows, size_t i, size_t column)
{
    return db_is_null(rows, i, column) ? 0 : db_time_ms(rows, i, column);
}

/* A NULL stays one: ptr NULL. */
static struct str text_or_null(const struct db_rows *rows, size_t i, size_t column)
{
    return db_is_null(rows, i, column) ? (struct str){NULL, 0} : db_text(rows, i, column);
}

static struct job_row read_row(const struct db_rows *rows, size_t i)
{
    return (struct job_row){
        .id = db_text(rows, i, 0),
        .user_id = db_int(rows, i, 1),
        .connection_id = db_int(rows, i, 2),
        .token_id = db_int(rows, i, 3),
        .kind = db_text(rows, i, 4),
        .status = db_text(rows, i, 5),
        .arguments = db_text(rows, i, 6),
        .state = text_or_null(rows, i, 7),
        .input = text_or_null(rows, i, 8),
        .result = text_or_null(rows, i, 9),
        .message = db_text(rows, i, 10),
        .done = db_int(rows, i, 11),
        .total = db_int(rows, i, 12),
        .abilities = db_int(rows, i, 13),
        .revision = db_int(rows, i, 14),
        .claims = db_int(rows, i, 15),
        .attempts = db_int(rows, i, 16),
        .lease_holder = text_or_null(rows, i, 17),
        .lease_until_ms = time_or_0(rows, i, 18),
        .cancel_at_ms = time_or_0(rows, i, 19),
        .created_at_ms = db_time_ms(rows, i, 20),
        .updated_at_ms = db_time_ms(rows, i, 21),
        .ended_at_ms = time_or_0(rows, i, 22),
        .expires_at_ms = db_time_ms(rows, i, 23),
    };
}

static int found_job(struct call *call, const struct db_rows *rows, struct job_row *ret)
{
    if (rows->n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no job of this id, or it has expired.");
    *ret = read_row(rows, 0);
    return OK;
}

int store_jobs_count(struct call *call, int64_t token_id, int64_t connection_id, int64_t now_ms, int64_t *ret_open,
                     int64_t *ret_held)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT (SELECT COUNT(*) FROM mcp_jobs WHERE token_id = $1 AND status IN " OPEN
                         " AND expires_at > $3), (SELECT COUNT(*) FROM mcp_jobs WHERE connection_id = $2 AND "
                         "status = 'working' AND lease_until > $3)",
                         DB_INT(token_id), DB_INT(connection_id), DB_TIME(now_ms));
    if (error)
        return error;
    *ret_open = db_int(&rows, 0, 0);
    *ret_held = db_int(&rows, 0, 1);
    return OK;
}

int store_jobs_insert(struct call *call, const struct job_row *row)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_jobs (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
                    "$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
                    DB_TEXT(row->id), DB_INT(row->user_id), DB_INT(row->connection_id), DB_INT(row->token_id),
                    DB_TEXT(row->kind), DB_TEXT(row->status), DB_TEXT(row->arguments), db_text_or_null(row->state),
                    db_text_or_null(row->input), db_text_or_null(row->result), DB_TEXT(row->message), DB_INT(row->done),
                    DB_INT(row->total), DB_INT(row->abilities), DB_INT(row->revision), DB_INT(row->claims),
                    DB_INT(row->attempts), db_text_or_null(row->lease_holder), db_time_or_null(row->lease_until_ms),
                    db_time_or_null(row->cancel_at_ms), DB_TIME(row->created_at_ms), DB_TIME(row->updated_at_ms),
                    db_time_or_null(row->ended_at_ms), DB_TIME(row->expires_at_ms));
}

int store_jobs_get(struct call *call, int64_t token_id, struct str id, int64_t now_ms, struct job_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " FEW " FROM mcp_jobs WHERE id = $1 AND " OF_TOKEN " AND expires_at > $3", DB_TEXT(id),
                         DB_INT(token_id), DB_TIME(now_ms));
    return error ? error : found_job(call, &rows, ret);
}

int store_jobs_of_user(struct call *call, int64_t user_id, int64_t now_ms, int64_t limit, struct job_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " FEW " FROM mcp_jobs WHERE user_id = $1 AND connection_id IN (SELECT id FROM "
                         "mcp_service_connections WHERE user_id = $1) AND expires_at > $2 "
                         "ORDER BY created_at DESC, id LIMIT $3",
                         DB_INT(user_id), DB_TIME(now_ms), DB_INT(limit));
    if (error)
        return error;
    ret->count = rows.n_rows;
    ret->items = arena_array_of(call->arena, struct job_row, rows.n_rows);
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = read_row(&rows, i);
    return OK;
}

int store_jobs_get_of_user(struct call *call, int64_t user_id, struct str id, int64_t now_ms, struct job_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " FEW " FROM mcp_jobs WHERE id = $1 AND user_id = $2 AND expires_at > $3", DB_TEXT(id),
                         DB_INT(user_id), DB_TIME(now_ms));
    return error ? error : found_job(call, &rows, ret);
}

int store_jobs_claim(struct call *call, const struct job_claim *claim, struct job_row *ret, bool *ret_found)
{
    struct db_rows rows;
    /* What may be taken is asked again outside: of two at once, one changes a row. */
    int error = db_query(
        call, store_db(), &rows,
        "UPDATE mcp_jobs SET status = 'working', lease_holder = $1, lease_until = $2, updated_at = $3, "
        "claims = claims + 1, attempts = attempts + 1, revision = revision + 1 "
        "WHERE (status = 'queued' OR (status = 'working' AND lease_until < $4)) AND id = ("
        "SELECT w.id FROM mcp_jobs w WHERE (w.status = 'queued' OR (w.status = 'working' AND w.lease_until < $4)) "
        "AND w.expires_at > $3 AND (SELECT COUNT(*) FROM mcp_jobs h WHERE h.connection_id = w.connection_id AND "
        "h.status = 'working' AND h.lease_until >= $4) < $5 ORDER BY w.created_at, w.id LIMIT 1) RETURNING " FEW,
        DB_TEXT(claim->holder), DB_TIME(claim->until_ms), DB_TIME(claim->now_ms), DB_TIME(claim->stale_ms),
        DB_INT(claim->per_connection_max));
    *ret_found = !error && rows.n_rows;
    if (*ret_found)
        *ret = read_row(&rows, 0);
    return error;
}

int store_jobs_held(struct call *call, struct str holder, int64_t claims, struct str id, struct job_row *ret,
                    bool *ret_held)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_jobs WHERE id = $1 AND lease_holder = $2 AND claims = $3 AND "
                         "status = 'working'",
                         DB_TEXT(id), DB_TEXT(holder), DB_INT(claims));
    *ret_held = !error && rows.n_rows == 1;
    if (*ret_held)
        *ret = read_row(&rows, 0);
    return error;
}

int store_jobs_next(struct call *call, int64_t now_ms, int64_t *ret_lease_until_ms, int64_t *ret_queued)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT (SELECT MIN(lease_until) FROM mcp_jobs WHERE status = 'working' AND expires_at > $1), "
                         "(SELECT COUNT(*) FROM mcp_jobs WHERE status = 'queued' AND expires_at > $1)",
                         DB_TIME(now_ms));
    if (error)
        return error;
    *ret_lease_until_ms = time_or_0(&rows, 0, 0);
    *ret_queued = db_int(&rows, 0, 1);
    return OK;
}

int store_jobs_write(struct call *call, const struct job_row *row, bool *ret_held, bool *ret_cancel)
{
    struct db_rows rows;
    bool working = str_eq(row->status, STR(JOB_WORKING));
    int error = db_query(
        call, store_db(), &rows,
        "UPDATE mcp_jobs SET status = $4, state = $5, input = $6, result = $7, message = $8, done = $9, total = $10, "
        "attempts = $11, lease_holder = $12, lease_until = $13, updated_at = $14, ended_at = $15, expires_at = $16, "
        "revision = revision + 1 "
        "WHERE id = $1 AND lease_holder = $2 AND claims = $3 AND status = 'working' RETURNING cancel_at",
        DB_TEXT(row->id), DB_TEXT(row->lease_holder), DB_INT(row->claims), DB_TEXT(row->status),
        db_text_or_null(row->state), db_text_or_null(row->input), db_text_or_null(row->result), DB_TEXT(row->message),
        DB_INT(row->done), DB_INT(row->total), DB_INT(row->attempts), working ? DB_TEXT(row->lease_holder) : DB_NULL,
        working ? DB_TIME(row->lease_until_ms) : DB_NULL, DB_TIME(row->updated_at_ms),
        db_time_or_null(row->ended_at_ms), DB_TIME(row->expires_at_ms));
    *ret_held = !error && rows.n_rows == 1;
    *ret_cancel = *ret_held && !db_is_null(&rows, 0, 0);
    return error;
}

/* Appends to ret, which has room for them. */
static int renew_some(struct call *call, struct str holder, int64_t until_ms, const struct str *ids, size_t n_ids,
                      struct jobs_held *ret)
{
    enum { FIXED = 2 };
    struct db_param params[FIXED + RENEWED_AT_ONCE] = {DB_TEXT(holder), DB_TIME(until_ms)};
    struct db_rows rows;
    for (size_t i = 0; i < RENEWED_AT_ONCE; i++) /* one text for any number of them: no job has an empty id */
        params[FIXED + i] = DB_TEXT(i < n_ids ? ids[i] : STR_EMPTY);
    int error = db_query_params(
        call, store_db(), &rows,
        "UPDATE mcp_jobs SET lease_until = $2 WHERE lease_holder = $1 AND status = 'working' AND id IN ($3, $4, $5, "
        "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, "
        "$28, $29, $30, $31, $32, $33, $34) RETURNING id, claims, cancel_at",
        params, ARRAY_LENGTH(params));
    if (error)
        return error;
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[ret->count++] =
            (struct job_held){db_text(&rows, i, 0), db_int(&rows, i, 1), !db_is_null(&rows, i, 2)};
    return OK;
}

int store_jobs_renew(struct call *call, struct str holder, int64_t until_ms, const struct str *ids, size_t n_ids,
                     struct jobs_held *ret)
{
    int error = OK;
    *ret = (struct jobs_held){.items = arena_array_of(call->arena, struct job_held, n_ids + 1)};
    for (size_t i = 0; i < n_ids && !error; i += RENEWED_AT_ONCE) {
        size_t left = n_ids - i;
        error = renew_some(call, holder, until_ms, ids + i, left < RENEWED_AT_ONCE ? left : RENEWED_AT_ONCE, ret);
    }
    return error;
}

int store_jobs_answer(struct call *call, const struct job_row *row, int64_t now_ms, bool *ret_done)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_jobs SET status = $4, input = $5, updated_at = $6, revision = revision + 1 "
                         "WHERE id = $1 AND token_id = $2 AND revision = $3 AND status = 'input_required'",
                         DB_TEXT(row->id), DB_INT(row->token_id), DB_INT(row->revision), DB_TEXT(row->status),
                         db_text_or_null(row->input), DB_TIME(now_ms));
    *ret_done = !error && db_changes(&rows) == 1;
    return error;
}

static int cancel_waiting(struct call *call, int64_t token_id, struct str id, int64_t now_ms, int64_t expires_ms,
                          struct db_rows *ret)
{
    return db_query(call, store_db(), ret,
                    "UPDATE mcp_jobs SET status = 'cancelled', cancel_at = $3, updated_at = $3, ended_at = $3, "
                    "expires_at = $4, revision = revision + 1 WHERE id = $1 AND " OF_TOKEN " AND status IN "
                    "('queued', 'input_required') RETURNING " FEW,
                    DB_TEXT(id), DB_INT(token_id), DB_TIME(now_ms), DB_TIME(expires_ms));
}

int store_jobs_cancel(struct call *call, int64_t token_id, struct str id, int64_t now_ms, int64_t expires_ms,
                      struct job_row *ret, bool *ret_changed)
{
    struct db_rows rows;
    *ret_changed = false;
    for (int tries = 0; tries < CANCEL_TRIES; tries++) { /* between the two statements it may have moved on */
        int error = cancel_waiting(call, token_id, id, now_ms, expires_ms, &rows);
        if (!error && rows.n_rows == 1) {
            *ret_changed = true;
            *ret = read_row(&rows, 0);
            return OK;
        }
        if (!error)
            error = db_query(call, store_db(), NULL,
                             "UPDATE mcp_jobs SET cancel_at = $3, revision = revision + 1 WHERE id = $1 AND " OF_TOKEN
                             " AND status = 'working' AND cancel_at IS NULL",
                             DB_TEXT(id), DB_INT(token_id), DB_TIME(now_ms));
        if (!error)
            error = store_jobs_get(call, token_id, id, now_ms, ret);
        if (error || ret->cancel_at_ms || ret->ended_at_ms)
            return error;
    }
    return fail(call, E_CONFLICT, "The job could not be stopped: it is changing all the time. Try again.");
}

int store_jobs_prune(struct call *call, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_jobs WHERE expires_at < $1 AND (lease_until IS NULL OR lease_until < $1)",
                    DB_TIME(now_ms));
}
