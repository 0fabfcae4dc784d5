/* The rows of mcp_changes. */
#include "store/changes.h"

int store_changes_insert(struct call *call, const struct change_row *row, int64_t *ret_number)
{
    struct db_rows rows;
    int error = db_query(
        call, store_db(), &rows,
        "INSERT INTO mcp_changes (id, user_id, connection_id, token_id, number, call_id, tool, kind, item_type, "
        "item_id, undo_of, part_of, state, note_sealed, before_sealed, after_sealed, created_at, ended_at, size_bytes) "
        "VALUES ($1, $2, $3, $4, (SELECT COALESCE(MAX(number), 0) + 1 FROM mcp_changes WHERE connection_id = $3), $5, "
        "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, NULL, $17) RETURNING number",
        DB_TEXT(row->id), DB_INT(row->user_id), DB_INT(row->connection_id), DB_INT(row->token_id),
        DB_TEXT(row->call_id), DB_TEXT(row->tool), DB_TEXT(row->kind), DB_TEXT(row->item_type),
        db_int_or_null(row->item_id), db_int_or_null(row->undo_of), db_int_or_null(row->part_of), DB_TEXT(row->state),
        db_text_or_null(row->note_sealed), db_text_or_null(row->before_sealed), db_text_or_null(row->after_sealed),
        DB_TIME(row->created_at_ms), DB_INT(row->size_bytes));
    if (!error)
        *ret_number = db_int(&rows, 0, 0);
    return error;
}

#define OF_ROW "connection_id = $1 AND number = $2 AND user_id = $3 AND id = $4"
#define END                                                                                                            \
    "UPDATE mcp_changes SET state = $5, item_id = $6, note_sealed = $7, after_sealed = $8, ended_at = $9, "            \
    "size_bytes = COALESCE(LENGTH(before_sealed), 0) + $10 WHERE " OF_ROW
#define FORGET "DELETE FROM mcp_changes WHERE " OF_ROW

enum { ROW_PARAMS = 4, END_PARAMS = 10 };

static void end_params(const struct change_row *row, struct db_param ret[END_PARAMS])
{
    const struct db_param params[END_PARAMS] = {
        DB_INT(row->connection_id),
        DB_INT(row->number),
        DB_INT(row->user_id),
        DB_TEXT(row->id),
        DB_TEXT(row->state),
        db_int_or_null(row->item_id),
        db_text_or_null(row->note_sealed),
        db_text_or_null(row->after_sealed),
        db_time_or_null(row->ended_at_ms),
        DB_INT(row->size_bytes),
    };
    memcpy(ret, params, sizeof params);
}

int store_changes_end(struct call *call, const struct change_row *row, bool *ret_done)
{
    struct db_rows rows;
    struct db_param params[END_PARAMS];
    end_params(row, params);
    int error = db_query_params(call, store_db(), &rows, END, params, END_PARAMS);
    *ret_done = !error && db_changes(&rows) == 1;
    return error;
}

int store_changes_delete(struct call *call, const struct change_row *row)
{
    struct db_param params[END_PARAMS];
    end_params(row, params);
    return db_query_params(call, store_db(), NULL, FORGET, params, ROW_PARAMS);
}

int store_changes_post_end(struct call *call, const struct change_row *row)
{
    struct db_param params[END_PARAMS];
    end_params(row, params);
    return row->state.len ? db_post_params(call, store_db(), DB_POST_MUST_CHANGE, END, params, END_PARAMS)
                          : db_post_params(call, store_db(), DB_POST, FORGET, params, ROW_PARAMS);
}

/* ---- reading */

#define COLUMNS                                                                                                        \
    "c.id, c.user_id, c.connection_id, c.token_id, c.number, c.call_id, c.tool, c.kind, c.item_type, c.item_id, "      \
    "c.undo_of, c.part_of, c.state, c.note_sealed, c.created_at, c.ended_at, c.size_bytes, d.name, "                   \
    "(SELECT MAX(u.number) FROM mcp_changes u WHERE u.connection_id = c.connection_id AND u.undo_of = c.number AND "   \
    "u.state = 'done')"
#define FROM " FROM mcp_changes c LEFT JOIN mcp_token_details d ON d.token_id = c.token_id "

static struct str text_or_null(const struct db_rows *rows, size_t i, size_t column)
{
    return db_is_null(rows, i, column) ? (struct str){NULL, 0} : db_text(rows, i, column);
}

static struct change_row read_row(const struct db_rows *rows, size_t i)
{
    return (struct change_row){
        .id = db_text(rows, i, 0),
        .user_id = db_int(rows, i, 1),
        .connection_id = db_int(rows, i, 2),
        .token_id = db_int(rows, i, 3),
        .number = db_int(rows, i, 4),
        .call_id = db_text(rows, i, 5),
        .tool = db_text(rows, i, 6),
        .kind = db_text(rows, i, 7),
        .item_type = db_text(rows, i, 8),
        .item_id = db_int(rows, i, 9),
        .undo_of = db_int(rows, i, 10),
        .part_of = db_int(rows, i, 11),
        .state = db_text(rows, i, 12),
        .note_sealed = text_or_null(rows, i, 13),
        .created_at_ms = db_time_ms(rows, i, 14),
        .ended_at_ms = db_is_null(rows, i, 15) ? 0 : db_time_ms(rows, i, 15),
        .size_bytes = db_int(rows, i, 16),
        .token_name = db_text(rows, i, 17),
        .undone_by = db_int(rows, i, 18),
    };
}

int store_changes_get(struct call *call, int64_t user_id, int64_t connection_id, int64_t number, struct change_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS ", c.before_sealed, c.after_sealed" FROM
                         "WHERE c.connection_id = $1 AND c.number = $2 AND "
                         "c.user_id = $3",
                         DB_INT(connection_id), DB_INT(number), DB_INT(user_id));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no change %lld of this connection. wp_history lists those there are.",
                    (long long)number);
    *ret = read_row(&rows, 0);
    ret->before_sealed = text_or_null(&rows, 0, rows.n_columns - 2);
    ret->after_sealed = text_or_null(&rows, 0, rows.n_columns - 1);
    return OK;
}

int store_changes_list(struct call *call, const struct change_filter *filter, struct change_rows *ret)
{
    struct db_rows rows;
    int error = db_query(
        call, store_db(), &rows,
        "SELECT " COLUMNS FROM "WHERE c.connection_id = $1 AND c.user_id = $2 AND ($3 = 0 OR c.item_id = $3) AND "
        "($4 = 0 OR c.part_of = $4) AND ($3 <> 0 OR $4 <> 0 OR c.part_of IS NULL) AND "
        "($5 = 0 OR c.number < $5) AND c.created_at >= $6 ORDER BY c.number DESC LIMIT $7",
        DB_INT(filter->connection_id), DB_INT(filter->user_id), DB_INT(filter->item_id), DB_INT(filter->part_of),
        DB_INT(filter->below), DB_TIME(filter->from_ms), DB_INT(filter->limit));
    if (error)
        return error;
    *ret = (struct change_rows){arena_array_of(call->arena, struct change_row, rows.n_rows + 1), rows.n_rows};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = read_row(&rows, i);
    return OK;
}

/* ---- forgetting */

#define IS_NEWEST(row)                                                                                                 \
    row ".number = (SELECT MAX(m.number) FROM mcp_changes m WHERE m.connection_id = " row ".connection_id)"

int store_changes_delete_old(struct call *call, int64_t before_ms, int64_t limit, int64_t *ret_count)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "DELETE FROM mcp_changes WHERE id IN (SELECT c.id FROM mcp_changes c WHERE c.created_at < $1 "
                         "AND NOT (" IS_NEWEST("c") ") LIMIT $2)",
                         DB_TIME(before_ms), DB_INT(limit));
    *ret_count = error ? 0 : db_changes(&rows);
    return error;
}

int store_changes_empty_old(struct call *call, int64_t before_ms)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_changes SET note_sealed = NULL, before_sealed = NULL, after_sealed = NULL, "
                    "size_bytes = 0 WHERE created_at < $1 AND note_sealed IS NOT NULL",
                    DB_TIME(before_ms));
}

int store_changes_sizes(struct call *call, int64_t connection_id, int64_t limit, struct change_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT number, size_bytes FROM mcp_changes WHERE connection_id = $1 ORDER BY number DESC "
                         "LIMIT $2",
                         DB_INT(connection_id), DB_INT(limit));
    if (error)
        return error;
    *ret = (struct change_rows){arena_array_of(call->arena, struct change_row, rows.n_rows + 1), rows.n_rows};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct change_row){.number = db_int(&rows, i, 0), .size_bytes = db_int(&rows, i, 1)};
    return OK;
}

int store_changes_delete_up_to(struct call *call, int64_t connection_id, int64_t number)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_changes WHERE connection_id = $1 AND number <= $2 AND number < (SELECT "
                    "MAX(m.number) FROM mcp_changes m WHERE m.connection_id = $1)",
                    DB_INT(connection_id), DB_INT(number));
}
