/* The rows of mcp_user_profiles. */
#include "store/profiles.h"

int store_profiles_get(struct call *call, int64_t user_id, struct profile_row *ret)
{
    struct db_rows rows;
    *ret = (struct profile_row){.language = STR_EMPTY, .totp_sealed = STR_EMPTY};
    int error =
        db_query(call, store_db(), &rows,
                 "SELECT is_admin, language, email_confirmed_at, stopped_at, totp_sealed, totp_since, totp_step, "
                 "stopped_by_admin FROM mcp_user_profiles WHERE user_id = $1",
                 DB_INT(user_id));
    if (error || rows.n_rows == 0)
        return error;
    *ret = (struct profile_row){
        .is_admin = db_bool(&rows, 0, 0),
        .language = db_text(&rows, 0, 1),
        .email_confirmed_at_ms = db_time_ms(&rows, 0, 2),
        .stopped_at_ms = db_time_ms(&rows, 0, 3),
        .totp_sealed = db_text(&rows, 0, 4),
        .totp_since_ms = db_time_ms(&rows, 0, 5),
        .totp_step = db_int(&rows, 0, 6),
        .stopped_by_admin = db_bool(&rows, 0, 7),
    };
    return OK;
}

int store_profiles_people(struct call *call, struct people_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT u.id, u.name, u.email, u.phone, u.created_at, u.updated_at, p.is_admin, p.language, "
                         "p.email_confirmed_at, p.stopped_at, p.totp_since, p.stopped_by_admin FROM mcp_users u "
                         "LEFT JOIN mcp_user_profiles p ON p.user_id = u.id ORDER BY u.id");
    if (error)
        return error;
    *ret = (struct people_rows){rows.n_rows, arena_array_of(call->arena, struct people_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct people_row){
            .user = {.id = db_int(&rows, i, 0),
                     .name = db_text(&rows, i, 1),
                     .email = db_text(&rows, i, 2),
                     .phone = db_text(&rows, i, 3),
                     .password_hash = STR_EMPTY,
                     .created_at_ms = db_time_ms(&rows, i, 4),
                     .updated_at_ms = db_time_ms(&rows, i, 5)},
            .profile = {.is_admin = db_bool(&rows, i, 6),
                        .language = db_is_null(&rows, i, 7) ? STR_EMPTY : db_text(&rows, i, 7),
                        .email_confirmed_at_ms = db_time_ms(&rows, i, 8),
                        .stopped_at_ms = db_time_ms(&rows, i, 9),
                        .totp_sealed = STR_EMPTY,
                        .totp_since_ms = db_time_ms(&rows, i, 10),
                        .stopped_by_admin = db_bool(&rows, i, 11)},
        };
    return OK;
}

int store_profiles_put(struct call *call, int64_t user_id, const struct profile_row *row)
{
    struct str none = {NULL, 0};
    return db_query(
        call, store_db(), NULL,
        "INSERT INTO mcp_user_profiles (user_id, is_admin, language, email_confirmed_at, stopped_at, totp_sealed, "
        "totp_since, totp_step, updated_at, stopped_by_admin) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (user_id) DO UPDATE SET is_admin = $2, language = $3, email_confirmed_at = $4, stopped_at = $5, "
        "totp_sealed = $6, totp_since = $7, totp_step = $8, updated_at = $9, stopped_by_admin = $10",
        DB_INT(user_id), DB_BOOL(row->is_admin), DB_TEXT(row->language), db_time_or_null(row->email_confirmed_at_ms),
        db_time_or_null(row->stopped_at_ms), db_text_or_null(row->totp_sealed.len ? row->totp_sealed : none),
        db_time_or_null(row->totp_since_ms), DB_INT(row->totp_step), DB_TIME(clock_now_ms()),
        DB_BOOL(row->stopped_by_admin));
}

int store_profiles_count_admins(struct call *call, int64_t *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "SELECT count(*) FROM mcp_user_profiles WHERE is_admin = $1", DB_BOOL(true));
    if (!error)
        *ret = db_int(&rows, 0, 0);
    return error;
}

int store_profiles_use_totp_step(struct call *call, int64_t user_id, int64_t step, bool *ret_done)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_user_profiles SET totp_step = $1, updated_at = $2 WHERE user_id = $3 AND totp_step < $1",
                 DB_INT(step), DB_TIME(clock_now_ms()), DB_INT(user_id));
    if (!error)
        *ret_done = db_changes(&rows) > 0;
    return error;
}
