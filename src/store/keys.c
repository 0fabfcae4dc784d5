/* The rows of mcp_data_keys. */
#include "store/keys.h"

#include "base/buf.h"

static void rows_from(struct call *call, const struct db_rows *rows, struct key_rows *ret)
{
    *ret = (struct key_rows){rows->n_rows, arena_array_of(call->arena, struct keyring_row, rows->n_rows)};
    for (size_t i = 0; i < rows->n_rows; i++)
        ret->items[i] = (struct keyring_row){db_text(rows, i, 0), db_int(rows, i, 1), db_text(rows, i, 2)};
}

int store_keys_read(struct call *call, struct key_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT id, master_kid, wrapped FROM mcp_data_keys WHERE user_id IS NULL ORDER BY id");
    if (!error)
        rows_from(call, &rows, ret);
    return error;
}

int store_keys_put(struct call *call, const struct keyring_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int error = db_query(
            call, store_db(), NULL,
            "INSERT INTO mcp_data_keys (id, master_kid, wrapped, created_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (id) DO UPDATE SET master_kid = excluded.master_kid, wrapped = excluded.wrapped",
            DB_TEXT(rows[i].id), DB_INT(rows[i].master_kid), DB_TEXT(rows[i].wrapped), DB_TIME(clock_now_ms()));
        if (error)
            return error;
    }
    return OK;
}

int store_keys_needed(struct call *call, bool *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT (SELECT count(*) FROM mcp_data_keys) + (SELECT count(*) FROM mcp_token_details) + "
                         "(SELECT count(*) FROM mcp_service_connections WHERE secret_json ->> 'kid' IS NOT NULL) + "
                         "(SELECT count(*) FROM mcp_audit_heads)");
    if (!error)
        *ret = db_int(&rows, 0, 0) > 0;
    return error;
}

int store_keys_of_user(struct call *call, int64_t user_id, struct str *ret_wrapped)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT wrapped FROM mcp_data_keys WHERE id = $1",
                         DB_TEXT(keyring_user_row(call, user_id)));
    if (!error && rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "This account has no key yet.");
    if (!error)
        *ret_wrapped = db_text(&rows, 0, 0);
    return error;
}

int store_keys_lock_current(struct call *call, int64_t *ret_master_kid)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_data_keys SET master_kid = master_kid WHERE id = 'check' RETURNING master_kid");
    if (!error)
        *ret_master_kid = rows.n_rows ? db_int(&rows, 0, 0) : 0;
    return error;
}

int store_keys_insert_user(struct call *call, int64_t user_id, int64_t master_kid, struct str wrapped)
{
    int64_t current;
    int error = store_keys_lock_current(call, &current);
    if (!error && current != master_kid)
        return E_CONFLICT;
    if (error)
        return error;
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_data_keys (id, user_id, master_kid, wrapped, created_at) "
                    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                    DB_TEXT(keyring_user_row(call, user_id)), DB_INT(user_id), DB_INT(master_kid), DB_TEXT(wrapped),
                    DB_TIME(clock_now_ms()));
}

int store_keys_lock(struct call *call, int64_t user_id)
{
    struct str id = user_id ? keyring_user_row(call, user_id) : STR("server");
    return db_query(call, store_db(), NULL, "UPDATE mcp_data_keys SET master_kid = master_kid WHERE id = $1",
                    DB_TEXT(id));
}

/* ---- rotation */

int store_keys_older(struct call *call, int64_t master_kid, struct str after_id, int64_t limit, struct key_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT id, master_kid, wrapped FROM mcp_data_keys WHERE master_kid <> $1 AND id > $2 "
                         "AND id NOT LIKE 'master:%' ORDER BY id LIMIT $3",
                         DB_INT(master_kid), DB_TEXT(after_id), DB_INT(limit));
    if (!error)
        rows_from(call, &rows, ret);
    return error;
}

enum { ROWS_A_STATEMENT = (DB_PARAMS_MAX - 1) / 2 };

static int rewrap_some(struct call *call, const struct keyring_row *rows, size_t count)
{
    struct db_param params[DB_PARAMS_MAX];
    struct buf sql;
    buf_init(&sql, call->arena, 8 * 1024);
    buf_add(&sql, STR("UPDATE mcp_data_keys SET wrapped = v.column2, master_kid = $1 FROM (VALUES "));
    params[0] = DB_INT(rows[0].master_kid);
    for (size_t i = 0; i < count; i++) {
        params[1 + 2 * i] = DB_TEXT(rows[i].id);
        params[2 + 2 * i] = DB_TEXT(rows[i].wrapped);
        buf_add_format(&sql, "%s($%zu, $%zu)", i ? ", " : "", 2 + 2 * i, 3 + 2 * i);
    }
    buf_add(&sql, STR(") AS v WHERE mcp_data_keys.id = v.column1 AND mcp_data_keys.master_kid <> $1"));
    buf_add_char(&sql, '\0');
    return db_query_params(call, store_db(), NULL, sql.ptr, params, 1 + 2 * count);
}

int store_keys_rewrap(struct call *call, const struct keyring_row *rows, size_t count)
{
    for (size_t done = 0; done < count; done += ROWS_A_STATEMENT) {
        size_t some = count - done < ROWS_A_STATEMENT ? count - done : ROWS_A_STATEMENT;
        int error = rewrap_some(call, rows + done, some);
        if (error)
            return error;
    }
    return OK;
}

int store_keys_of_users(struct call *call, struct str after_id, int64_t limit, struct key_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT id, master_kid, wrapped FROM mcp_data_keys WHERE user_id IS NOT NULL AND id > $1 "
                         "ORDER BY id LIMIT $2",
                         DB_TEXT(after_id), DB_INT(limit));
    if (!error)
        rows_from(call, &rows, ret);
    return error;
}

enum { EXCHANGES_A_STATEMENT = (DB_PARAMS_MAX - 1) / 3 };

static int exchange_some(struct call *call, int64_t master_kid, const struct key_exchange *rows, size_t count,
                         int64_t *ret_done)
{
    struct db_param params[DB_PARAMS_MAX];
    struct db_rows changed;
    struct buf sql;
    buf_init(&sql, call->arena, 8 * 1024);
    buf_add(&sql, STR("UPDATE mcp_data_keys SET wrapped = v.column3, master_kid = $1 FROM (VALUES "));
    params[0] = DB_INT(master_kid);
    for (size_t i = 0; i < count; i++) {
        params[1 + 3 * i] = DB_TEXT(rows[i].id);
        params[2 + 3 * i] = DB_TEXT(rows[i].before);
        params[3 + 3 * i] = DB_TEXT(rows[i].after);
        buf_add_format(&sql, "%s($%zu, $%zu, $%zu)", i ? ", " : "", 2 + 3 * i, 3 + 3 * i, 4 + 3 * i);
    }
    buf_add(&sql, STR(") AS v WHERE mcp_data_keys.id = v.column1 AND mcp_data_keys.wrapped = v.column2"));
    buf_add_char(&sql, '\0');
    int error = db_query_params(call, store_db(), &changed, sql.ptr, params, 1 + 3 * count);
    if (!error)
        *ret_done += db_changes(&changed);
    return error;
}

int store_keys_exchange(struct call *call, int64_t master_kid, const struct key_exchange *rows, size_t count,
                        int64_t *ret_done)
{
    *ret_done = 0;
    for (size_t done = 0; done < count; done += EXCHANGES_A_STATEMENT) {
        size_t some = count - done < EXCHANGES_A_STATEMENT ? count - done : EXCHANGES_A_STATEMENT;
        int error = exchange_some(call, master_kid, rows + done, some, ret_done);
        if (error)
            return error;
    }
    return OK;
}

int store_keys_count(struct call *call, struct key_counts *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT master_kid, count(*) FROM mcp_data_keys WHERE id NOT LIKE 'master:%' "
                         "GROUP BY master_kid ORDER BY master_kid");
    if (error)
        return error;
    *ret = (struct key_counts){rows.n_rows, arena_array_of(call->arena, struct key_count, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct key_count){db_int(&rows, i, 0), db_int(&rows, i, 1)};
    return OK;
}

int store_keys_forget_masters(struct call *call)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_data_keys WHERE user_id IS NULL AND id LIKE 'master:%'");
}

int store_keys_holders(struct call *call, struct key_holders *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "SELECT holder, master_kid, started_at FROM mcp_key_holders ORDER BY holder");
    if (error)
        return error;
    *ret = (struct key_holders){rows.n_rows, arena_array_of(call->arena, struct key_holder, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct key_holder){db_text(&rows, i, 0), db_int(&rows, i, 1), db_time_ms(&rows, i, 2)};
    return OK;
}

int store_keys_hold(struct call *call, const struct key_holder *holder)
{
    return db_query(
        call, store_db(), NULL,
        "INSERT INTO mcp_key_holders (holder, master_kid, started_at) VALUES ($1, $2, $3) ON CONFLICT (holder) "
        "DO UPDATE SET master_kid = excluded.master_kid, started_at = excluded.started_at",
        DB_TEXT(holder->holder), DB_INT(holder->master_kid), DB_TIME(holder->started_at_ms));
}

int store_keys_let_go(struct call *call, const struct key_holder *holder)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_key_holders WHERE holder = $1 AND started_at = $2",
                    DB_TEXT(holder->holder), DB_TIME(holder->started_at_ms));
}
