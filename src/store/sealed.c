/* Every column that holds sealed values. */
#include "store/sealed.h"

enum {
    ROWS_AT_ONCE = 100, /* whose locks one transaction holds */
    BYTES_AT_ONCE = 4 * 1024 * 1024,
};

#define IN_CONNECTION "CAST(connection_id AS text) || '/' || "

static const struct sealed_column columns[] = {
    {"mcp_service_connections", "secret_json", "id", true, true, "CAST(id AS text)"},
    {"mcp_changes", "note_sealed", "id", false, false, IN_CONNECTION "id"},
    {"mcp_changes", "before_sealed", "id", false, false, IN_CONNECTION "id"},
    {"mcp_changes", "after_sealed", "id", false, false, IN_CONNECTION "id"},
    {"mcp_confirmations", "difference_sealed", "id", false, false, "id"},
    {"mcp_user_profiles", "totp_sealed", "user_id", true, false, "CAST(user_id AS text)"},
    {"mcp_proofs", "value", "id", false, false, "id"}, /* of the kind "authorized" only */
    {"mcp_outbox", "mail_sealed", "id", false, false, "id"},
    {"mcp_jobs", "arguments", "id", false, false, "id"},
    {"mcp_jobs", "state", "id", false, false, "id"},
    {"mcp_jobs", "input", "id", false, false, "id"},
    {"mcp_jobs", "result", "id", false, false, "id"},
    {"mcp_whatsapp_chats", "name_sealed", IN_CONNECTION "chat", false, false, IN_CONNECTION "chat"},
    {"mcp_whatsapp_messages", "content_sealed", "id", false, false, IN_CONNECTION "id"},
};

const struct sealed_column *store_sealed_columns(size_t *ret_count)
{
    *ret_count = ARRAY_LENGTH(columns);
    return columns;
}

static struct db_param key_param(const struct sealed_column *column, struct str key)
{
    int64_t number = 0;
    if (!column->key_is_number)
        return DB_TEXT(key);
    return DB_INT(str_to_i64(key, &number) ? number : 0);
}

/* SQL for: it is sealed, and $2 is not what it names (of text: how it begins). */
static const char *others(struct call *call, const struct sealed_column *column)
{
    if (column->is_json)
        return call_format(call, "CAST(%s ->> 'kid' AS text) <> $2", column->column).ptr;
    return call_format(call, "%s LIKE '{\"v\":1,\"kid\":%%' AND %s NOT LIKE $2", column->column, column->column).ptr;
}

static struct db_param kid_param(struct call *call, const struct sealed_column *column, int64_t kid)
{
    return DB_TEXT(call_format(call, column->is_json ? "%lld" : "{\"v\":1,\"kid\":%lld,%%", (long long)kid));
}

/* The key up to which values can be taken at once; ptr NULL: there are none. */
static int find_last(struct call *call, const struct sealed_column *column, struct db_param after,
                     struct db_param named, struct str *ret_last)
{
    struct db_rows rows;
    int64_t bytes = 0;
    int error =
        db_query(call, store_db(), &rows,
                 call_format(call,
                             "SELECT %s, LENGTH(CAST(%s AS text)) FROM %s WHERE %s > $1 AND %s ORDER BY %s "
                             "LIMIT $3",
                             column->key, column->column, column->table, column->key, others(call, column), column->key)
                     .ptr,
                 after, named, DB_INT(ROWS_AT_ONCE));
    *ret_last = (struct str){NULL, 0};
    for (size_t i = 0; !error && i < rows.n_rows; i++) {
        bytes += db_int(&rows, i, 1);
        if (i && bytes > BYTES_AT_ONCE)
            break;
        *ret_last = db_text(&rows, i, 0);
    }
    return error;
}

int store_sealed_others(struct call *call, const struct sealed_column *column, int64_t kid, struct str after_key,
                        struct sealed_values *ret)
{
    const struct db_param after = key_param(column, after_key), named = kid_param(call, column, kid);
    struct db_rows rows;
    *ret = (struct sealed_values){.count = 0};
    int error = find_last(call, column, after, named, &ret->last_key);
    if (error || !ret->last_key.ptr)
        return error;
    error = db_query(call, store_db(), &rows,
                     call_format(call,
                                 "SELECT t.place_key, t.place_row, t.sealed, t.user_id, k.wrapped FROM "
                                 "(SELECT %s AS place_key, %s AS place_row, %s AS sealed, user_id FROM %s "
                                 "WHERE %s > $1 AND %s AND %s <= $3) AS t "
                                 "JOIN mcp_data_keys k ON k.id = 'user:' || t.user_id ORDER BY t.place_key",
                                 column->key, column->row, column->column, column->table, column->key,
                                 others(call, column), column->key)
                         .ptr,
                     after, named, key_param(column, ret->last_key));
    if (error)
        return error;
    ret->count = rows.n_rows;
    ret->items = arena_array_of(call->arena, struct sealed_value, rows.n_rows);
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct sealed_value){.key = db_text(&rows, i, 0),
                                              .row = db_text(&rows, i, 1),
                                              .sealed = db_text(&rows, i, 2),
                                              .user_id = db_int(&rows, i, 3),
                                              .wrapped = db_text(&rows, i, 4)};
    return OK;
}

int store_sealed_replace(struct call *call, const struct sealed_column *column, const struct sealed_value *value,
                         struct str sealed, bool *ret_done)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         call_format(call, "UPDATE %s SET %s = $1 WHERE %s = $2 AND %s = $3", column->table,
                                     column->column, column->key, column->column)
                             .ptr,
                         DB_TEXT(sealed), key_param(column, value->key), DB_TEXT(value->sealed));
    if (!error)
        *ret_done = db_changes(&rows) > 0;
    return error;
}
