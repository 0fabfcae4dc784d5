/* The rows of mcp_users. */
#include "store/users.h"

static struct user_row row_at(const struct db_rows *rows, size_t row)
{
    return (struct user_row){
        .id = db_int(rows, row, 0),
        .name = db_text(rows, row, 1),
        .email = db_text(rows, row, 2),
        .phone = db_text(rows, row, 3),
        .created_at_ms = db_time_ms(rows, row, 4),
        .updated_at_ms = db_time_ms(rows, row, 5),
        .password_hash = rows->n_columns > 6 ? db_text(rows, row, 6) : STR_EMPTY,
    };
}
#define COLUMNS "id, name, email, phone, created_at, updated_at"
#define COLUMNS_AND_HASH COLUMNS ", password_hash"

static struct user_rows rows_of(struct call *call, const struct db_rows *rows)
{
    struct user_rows users = {rows->n_rows, arena_array_of(call->arena, struct user_row, rows->n_rows)};
    for (size_t i = 0; i < rows->n_rows; i++)
        users.items[i] = row_at(rows, i);
    return users;
}

static int nobody(struct call *call)
{
    return fail(call, E_NOT_FOUND, "There is no such user.");
}

int store_users_list(struct call *call, struct user_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT " COLUMNS " FROM mcp_users ORDER BY id");
    if (!error)
        *ret = rows_of(call, &rows);
    return error;
}

int store_users_by_email(struct call *call, struct str email, struct user_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT " COLUMNS_AND_HASH " FROM mcp_users WHERE email = $1",
                         DB_TEXT(email));
    if (!error && rows.n_rows == 0)
        return nobody(call);
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_users_by_lower_email(struct call *call, struct str email, struct user_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS_AND_HASH " FROM mcp_users WHERE lower(email) = $1 ORDER BY id LIMIT 2",
                         DB_TEXT(str_lower(call->arena, email)));
    if (!error)
        *ret = rows_of(call, &rows);
    return error;
}

int store_users_by_id(struct call *call, int64_t id, struct user_row *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "SELECT " COLUMNS_AND_HASH " FROM mcp_users WHERE id = $1", DB_INT(id));
    if (!error && rows.n_rows == 0)
        return nobody(call);
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_users_by_phone(struct call *call, struct str phone, struct user_rows *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "SELECT " COLUMNS_AND_HASH " FROM mcp_users WHERE phone = $1 ORDER BY id LIMIT 2", DB_TEXT(phone));
    if (!error)
        *ret = rows_of(call, &rows);
    return error;
}

int store_users_by_reset(struct call *call, struct str reset_hash, int64_t now_ms, struct user_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS_AND_HASH " FROM mcp_users WHERE reset_token = $1 AND reset_expires_at > $2",
                         DB_TEXT(reset_hash), DB_TIME(now_ms));
    if (!error && rows.n_rows == 0)
        return nobody(call);
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_users_use_reset(struct call *call, int64_t id, struct str reset_hash)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_users SET reset_token = NULL, reset_expires_at = NULL WHERE id = $1 AND reset_token = $2",
                 DB_INT(id), DB_TEXT(reset_hash));
    return error ? error : db_changes(&rows) == 0 ? nobody(call) : OK;
}

int store_users_insert(struct call *call, const struct user_row *user, int64_t *ret_id)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "INSERT INTO mcp_users (name, email, phone, password_hash, created_at, updated_at) "
                         "VALUES ($1, $2, $3, $4, $5, $5) RETURNING id",
                         DB_TEXT(user->name), DB_TEXT(user->email), DB_TEXT(user->phone), DB_TEXT(user->password_hash),
                         DB_TIME(clock_now_ms()));
    if (!error)
        *ret_id = db_int(&rows, 0, 0);
    return error;
}

int store_users_set_password(struct call *call, int64_t id, struct str password_hash, const struct str *only_if_hash)
{
    struct db_rows rows;
    int error = db_query(
        call, store_db(), &rows,
        "UPDATE mcp_users SET password_hash = $1, reset_token = NULL, reset_expires_at = NULL, "
        "updated_at = $2 WHERE id = $3 AND (CAST($4 AS text) = '' OR password_hash = CAST($4 AS text))",
        DB_TEXT(password_hash), DB_TIME(clock_now_ms()), DB_INT(id), DB_TEXT(only_if_hash ? *only_if_hash : STR_EMPTY));
    return error ? error : db_changes(&rows) == 0 ? nobody(call) : OK;
}

int store_users_update(struct call *call, const struct user_row *user)
{
    struct db_rows rows;
    int error = db_query(
        call, store_db(), &rows,
        /* a link for a new password that went to the address before is good no longer */
        "UPDATE mcp_users SET name = $1, email = CAST($2 AS text), phone = $3, updated_at = $4, "
        "reset_token = CASE WHEN email = CAST($2 AS text) THEN reset_token END, "
        "reset_expires_at = CASE WHEN email = CAST($2 AS text) THEN reset_expires_at END WHERE id = $5",
        DB_TEXT(user->name), DB_TEXT(user->email), DB_TEXT(user->phone), DB_TIME(clock_now_ms()), DB_INT(user->id));
    return error ? error : db_changes(&rows) == 0 ? nobody(call) : OK;
}

int store_users_set_reset(struct call *call, int64_t id, struct str reset_hash, int64_t expires_at_ms)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_users SET reset_token = $1, reset_expires_at = $2, updated_at = $3 WHERE id = $4",
                         DB_TEXT(reset_hash), DB_TIME(expires_at_ms), DB_TIME(clock_now_ms()), DB_INT(id));
    return error ? error : db_changes(&rows) == 0 ? nobody(call) : OK;
}

int store_users_delete(struct call *call, int64_t id)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "DELETE FROM mcp_users WHERE id = $1", DB_INT(id));
    return error ? error : db_changes(&rows) == 0 ? nobody(call) : OK;
}
