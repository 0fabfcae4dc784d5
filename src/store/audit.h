/* The rows of mcp_audit_logs, mcp_audit_index and mcp_audit_heads. What makes a chain of them is in audit/. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/store.h"

struct audit_row {
    int64_t id;
    int64_t user_id, connection_id; /* the foreign key columns: 0 once what they point at is gone */
    struct str action, data_json;
    int64_t created_at_ms;
};
struct audit_rows {
    size_t count;
    struct audit_row *items;
};

struct audit_head {
    struct str writer;
    int64_t seq;
    struct str hash;
};
struct audit_heads {
    size_t count;
    struct audit_head *items;
};

MUST_CHECK int store_audit_head(struct call *call, struct str writer, struct audit_head *ret, bool *ret_found);
MUST_CHECK int store_audit_heads(struct call *call, struct audit_heads *ret);

/*
 * In a transaction: takes the next `count` numbers of the writer's chain and locks its head until the end. The answer is the
 * head as it was; a new writer begins with seq 0 and an empty hash.
 */
MUST_CHECK int store_audit_take(struct call *call, struct str writer, int64_t count, struct audit_head *ret_before);
MUST_CHECK int store_audit_set_head(struct call *call, struct str writer, struct str hash);

/*
 * Rows and their index rows. A user or connection that is gone by now leaves the foreign key columns empty: the index and the
 * chain still name it. (E_NOT_FOUND: it went in this very moment; try again.)
 */
enum { STORE_AUDIT_ROWS_A_STATEMENT = 32 }; /* what one statement holds; more rows take more statements */

struct audit_new {
    int64_t user_id, connection_id; /* 0: none */
    struct str action, data_json;
    int64_t created_at_ms;
};
MUST_CHECK int store_audit_insert(struct call *call, const struct audit_new *rows, size_t count);
/* One row behind a head that is known: posted (db_post()), without waiting. The transaction fails with E_CONFLICT if the head is another. */
MUST_CHECK int store_audit_post(struct call *call, const struct audit_head *head, struct str new_hash,
                                const struct audit_new *row);

/* All fields are optional: 0 or empty. */
struct audit_query {
    int64_t user_id, connection_id;
    struct str action_prefix;
    int64_t since_ms;
    int64_t before_id;
    int64_t limit; /* 0: AUDIT_LIMIT_DEFAULT; at most AUDIT_LIMIT_MAX */
};
enum { AUDIT_LIMIT_DEFAULT = 100, AUDIT_LIMIT_MAX = 1000 };

/* Newest first. */
MUST_CHECK int store_audit_list(struct call *call, const struct audit_query *query, struct audit_rows *ret);
/*
 * How often which action of a person came to which outcome on which day (UTC), since then; intents are not counted. By token
 * instead: of all days and tools together.
 */
struct audit_count {
    struct str day; /* "2026-11-22"; empty by token */
    int64_t connection_id;
    int64_t token_id; /* by token; 0: it is gone */
    struct str action, outcome;
    int64_t count;
    int64_t timed, ms_total, ms_max; /* of how many it is known how long they took, and how long */
    int64_t ms_p95;                  /* no longer than that took 95 of 100 of them */
    int64_t sized, bytes_total;      /* the same of the text that the model got */
};
struct audit_counts {
    size_t count;
    struct audit_count *items;
};
MUST_CHECK int store_audit_count(struct call *call, int64_t user_id, int64_t since_ms, bool by_token,
                                 struct audit_counts *ret);

/* The largest id; 0: there are no rows. */
MUST_CHECK int store_audit_newest(struct call *call, int64_t *ret_id);

/* Oldest first, for checking the chains. */
MUST_CHECK int store_audit_after(struct call *call, int64_t after_id, int64_t limit, struct audit_rows *ret);

#endif
