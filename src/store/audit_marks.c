/* The rows of mcp_audit_checkpoints and mcp_audit_tombstones. */
#include "store/audit_marks.h"

/* The row that every prune locks. No writer has an empty name. */
#define LOCK_ROW ""

static void marks_from(struct call *call, const struct db_rows *rows, struct audit_marks *ret)
{
    *ret = (struct audit_marks){rows->n_rows, arena_array_of(call->arena, struct audit_mark, rows->n_rows)};
    for (size_t i = 0; i < rows->n_rows; i++)
        ret->items[i] = (struct audit_mark){
            .writer = db_text(rows, i, 0),
            .seq = db_int(rows, i, 1),
            .hash = db_text(rows, i, 2),
            .at_ms = db_time_ms(rows, i, 3),
            .signature = db_text(rows, i, 4),
        };
}

int store_checkpoint_add(struct call *call, const struct audit_mark *mark)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_audit_checkpoints (writer, seq, hash, at, signature) VALUES ($1, $2, $3, $4, $5) "
                    "ON CONFLICT (writer, seq) DO NOTHING",
                    DB_TEXT(mark->writer), DB_INT(mark->seq), DB_TEXT(mark->hash), DB_TIME(mark->at_ms),
                    DB_TEXT(mark->signature));
}

int store_checkpoints_after(struct call *call, struct str after_writer, int64_t after_seq, int64_t limit,
                            struct audit_marks *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT writer, seq, hash, at, signature FROM mcp_audit_checkpoints "
                         "WHERE writer > $1 OR (writer = $1 AND seq > $2) ORDER BY writer, seq LIMIT $3",
                         DB_TEXT(after_writer), DB_INT(after_seq), DB_INT(limit));
    if (!error)
        marks_from(call, &rows, ret);
    return error;
}

int store_tombstones(struct call *call, struct audit_marks *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT writer, seq, hash, removed_at, signature FROM mcp_audit_tombstones "
                         "WHERE writer <> '" LOCK_ROW "' ORDER BY writer");
    if (!error)
        marks_from(call, &rows, ret);
    return error;
}

int store_tombstone_set(struct call *call, const struct audit_mark *mark)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_audit_tombstones (writer, seq, hash, removed_at, signature) "
                    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (writer) DO UPDATE SET seq = excluded.seq, "
                    "hash = excluded.hash, removed_at = excluded.removed_at, signature = excluded.signature "
                    "WHERE mcp_audit_tombstones.seq < excluded.seq",
                    DB_TEXT(mark->writer), DB_INT(mark->seq), DB_TEXT(mark->hash), DB_TIME(mark->at_ms),
                    DB_TEXT(mark->signature));
}

int store_prune_lock(struct call *call)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_audit_tombstones (writer, seq, hash, removed_at, signature) "
                    "VALUES ('" LOCK_ROW "', 0, '', $1, '') ON CONFLICT (writer) DO UPDATE SET removed_at = $1",
                    DB_TIME(clock_now_ms()));
}

int store_prune_rows(struct call *call, int64_t last_id)
{
    int error = db_query(call, store_db(), NULL, "DELETE FROM mcp_audit_index WHERE audit_id <= $1", DB_INT(last_id));
    if (error)
        return error;
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_audit_logs WHERE id <= $1", DB_INT(last_id));
}

int store_prune_checkpoints(struct call *call, struct str writer, int64_t seq)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_audit_checkpoints WHERE writer = $1 AND seq <= $2",
                    DB_TEXT(writer), DB_INT(seq));
}
