/*
 * Every column that holds values sealed under the data keys of users (crypto/seal.h), in one table: sealing anew goes through it,
 * so a column that is missing in it would be left under keys that are dropped. tests/trust/rotation.test.mjs looks for sealed
 * values in all columns of a filled database, accounts/reseal_test.c for columns that are named as if they held some.
 */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include "store/store.h"

struct sealed_column {
    const char *table, *column;
    const char *key;    /* the primary key, or what stands for it: rows are gone through in its order */
    bool key_is_number; /* else text */
    bool is_json;       /* jsonb, which has its own order of members; else text as seal_box() wrote it */
    const char *row;    /* SQL for seal_place.row */
};

const struct sealed_column *store_sealed_columns(size_t *ret_count);

struct sealed_value {
    struct str key, row, sealed;
    int64_t user_id;
    struct str wrapped; /* the owner's data keys */
};
struct sealed_values {
    struct str last_key; /* as far as this goes; ptr NULL: there is nothing behind `after_key` */
    size_t count;
    struct sealed_value *items;
};

/*
 * Values behind `after_key` (empty: from the first one) that name another data key than `kid`: as many as are small enough to be
 * taken at once. Values whose owner has no data key are left out.
 */
MUST_CHECK int store_sealed_others(struct call *call, const struct sealed_column *column, int64_t kid,
                                   struct str after_key, struct sealed_values *ret);

/* *ret_done false: the value is another one by now, and stays. */
MUST_CHECK int store_sealed_replace(struct call *call, const struct sealed_column *column,
                                    const struct sealed_value *value, struct str sealed, bool *ret_done);

#endif
