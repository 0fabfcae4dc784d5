/*
 * All tables of ours as text, row by row, out of either engine and into either: for backups (accounts/backup.h). Nothing here
 * knows a table by name, so a new one is in the next backup.
 *
 * Left out are what belongs to running processes (mcp_key_holders, mcp_leases) and what is not ours (neon_auth, Drizzle's history).
 */
#ifndef STORE_DUMP_H
#define STORE_DUMP_H

#include "store/store.h"

enum {
    DUMP_TABLES_MAX = 128,
    DUMP_COLUMNS_MAX = 60,
    DUMP_BATCH_ROWS = 500,
    DUMP_BATCH_BYTES = 8 * 1024 * 1024,
};

/* DUMP_TEXT stands for what is stored as text in SQLite, times included. */
enum dump_kind { DUMP_TEXT, DUMP_INTEGER, DUMP_BOOL, DUMP_TIME, DUMP_JSON, DUMP_KINDS };
extern const char *const dump_kind_names[DUMP_KINDS];

struct dump_column {
    struct str name;
    enum dump_kind kind;
    bool is_optional; /* may be left out of a new row */
};
struct dump_table {
    struct str name;
    size_t n_columns;
    struct dump_column *columns;
    int64_t next; /* the largest number its ids ever had; 0: it counts none */
};
struct dump_tables {
    size_t count;
    struct dump_table *items; /* what others refer to comes first */
};
MUST_CHECK int dump_tables(struct call *call, struct dump_tables *ret);

/*
 * In db_begin_snapshot(): each row of the table as its cells (ptr NULL: null), which last until `row` returns. What that returns
 * but OK ends it. Booleans are "1" and "0".
 */
MUST_CHECK int dump_rows(struct call *call, const struct dump_table *table,
                         int (*row)(struct call *call, const struct str *cells, void *context), void *context);

/* ---- the way back, in a transaction */

/* What refers to what is not there yet is looked at when the transaction ends (SQLite; elsewhere the order suffices). */
MUST_CHECK int dump_defer_references(struct call *call);
/* `source` names the columns of the rows, `target` the table as it is here. */
MUST_CHECK int dump_insert(struct call *call, const struct dump_table *source, const struct dump_table *target,
                           const struct str *cells, size_t n_rows);
MUST_CHECK int dump_set_next(struct call *call, const struct dump_table *table);
MUST_CHECK int dump_count(struct call *call, struct str table, int64_t *ret);

#endif
