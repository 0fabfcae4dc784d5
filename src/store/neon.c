/* The people of Neon Auth. */
#include "store/neon.h"

/* SQLite has no schemas; there this text is not used. */
#define PROBE                                                                                                          \
    "SELECT CASE WHEN to_regclass('neon_auth.\"user\"') IS NULL THEN 0 ELSE 1 END, "                                   \
    "CASE WHEN to_regclass('neon_auth.users_sync') IS NULL THEN 0 ELSE 1 END"
#define USER                                                                                                           \
    "SELECT email, CASE WHEN \"emailVerified\" THEN 1 ELSE 0 END, CASE WHEN banned THEN 1 ELSE 0 END "                 \
    "FROM neon_auth.\"user\" WHERE CAST(id AS text) = $1"
#define SYNCED                                                                                                         \
    "SELECT email, CASE raw_json->>'primary_email_verified' WHEN 'true' THEN 1 WHEN 'false' THEN 0 END, 0 "            \
    "FROM neon_auth.users_sync WHERE id = $1 AND deleted_at IS NULL"

int store_neon_user(struct call *call, struct str subject, struct neon_row *ret)
{
    struct db_rows rows;
    *ret = (struct neon_row){.email = STR_EMPTY};
    if (db_kind(store_db()) != DB_POSTGRES)
        return OK;
    int error = db_query(call, store_db(), &rows, PROBE);
    if (error)
        return error;
    bool has_user = db_int(&rows, 0, 0) != 0, has_synced = db_int(&rows, 0, 1) != 0;
    ret->has_schema = has_user || has_synced;
    if (!ret->has_schema)
        return OK;
    error = db_query(call, store_db(), &rows, has_user ? USER : SYNCED, DB_TEXT(subject));
    if (error || rows.n_rows == 0)
        return error;
    ret->found = true;
    ret->email = db_text(&rows, 0, 0);
    ret->says_verified = !db_is_null(&rows, 0, 1);
    ret->is_verified = db_int(&rows, 0, 1) != 0;
    ret->is_banned = db_int(&rows, 0, 2) != 0;
    return OK;
}
