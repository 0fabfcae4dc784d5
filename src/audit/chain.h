/*
 * The links of the audit chains: making them and checking them, without a database.
 *
 * head (mcp_audit_heads.hash) = "<hash of the newest row>.<MAC over writer, seq and that hash>"
 */
#ifndef AUDIT_CHAIN_H
#define AUDIT_CHAIN_H

#include "audit/audit.h"
#include "crypto/keyring.h"
#include "json/json.h"

struct chain_link {
    struct str writer;
    int64_t seq;
    struct str prev; /* hash of seq - 1; empty for the first */
    struct str hash; /* empty: to be computed */
    int64_t user_id, connection_id, token_id;
    struct str action;
    int64_t at_ms;
};

/*
 * The event's data with its chain, as it stands in the row. Sets link->hash (in the arena). Data that is no object, or too
 * large, is replaced by a note of its size.
 */
struct str chain_seal(struct arena *arena, struct str data_json, struct chain_link *link);

/* Reads a row's data. False: no chain in it (a row of the earlier system). What is malformed gives empty members. */
bool chain_read(struct arena *arena, struct str data_json, const struct json **ret_data, struct chain_link *ret);

/* Recomputes the hash of what chain_read() found. */
bool chain_hash_is_right(struct arena *arena, const struct json *data, const struct chain_link *link);

/* The members of an event without "chain". */
struct str chain_strip(struct arena *arena, const struct json *data);

struct str chain_head_make(struct arena *arena, struct str writer, int64_t seq, struct str hash);
/* False: not made by this server for this writer and number. An empty head is right for seq 0. */
bool chain_head_read(struct arena *arena, const struct audit_head *head, struct str *ret_hash);

#endif
