/*
 * Going through many rows while others work: in batches, each a transaction of its own with its own memory and time, with a rest
 * after each as long as it took (at most BATCH_REST_MAX_MS). A batch that the database undid is tried again. Passes are made until
 * one changes nothing: what others wrote meanwhile behind one's back is found by the next.
 */
#ifndef ACCOUNTS_BATCHES_H
#define ACCOUNTS_BATCHES_H

#include "call/call.h"

enum {
    BATCH_BYTES = 64 * 1024 * 1024,
    BATCH_MS = 60 * 1000,
    BATCH_REST_MAX_MS = 50,
    BATCH_TRIES = 5, /* of one that the database undid */
};

/* In a transaction: the rows behind `after` (empty: the first). *ret_last stays ptr NULL when there are none. */
typedef int batch_function(struct call *call, const void *context, struct str after, struct str *ret_last,
                           int64_t *ret_changed);

/* *ret_changed: by all batches. Killed in between, it is begun anew. Waits long. */
MUST_CHECK int batches_run(struct call *call, batch_function *batch, const void *context, int64_t *ret_changed);

#endif
