/* Going through many rows while others work. */
#include "accounts/batches.h"

#include "base/buf.h"
#include "net/task.h"
#include "store/store.h"

enum { KEY_BYTES_MAX = 4096 }; /* of the last row's */

struct run {
    batch_function *batch;
    const void *context;
    struct buf last;
    int64_t changed;
    bool found; /* any row, by the last batch */
};

static int one(struct call *piece, struct run *run)
{
    struct str last = {NULL, 0};
    int64_t changed = 0;
    bool mine;
    int error = store_begin(piece, &mine);
    if (!error)
        error = store_end(piece, mine, run->batch(piece, run->context, buf_str(&run->last), &last, &changed));
    if (error)
        return error;
    run->found = last.ptr != NULL;
    run->changed += changed;
    buf_clear(&run->last);
    buf_add(&run->last, last);
    return OK;
}

/* A batch's memory goes with it; what failed in it failed here. */
static int in_piece(struct call *call, struct call *piece, struct run *run)
{
    int error = OK;
    for (int i = 0; i < BATCH_TRIES; i++) {
        piece->deadline_ms = clock_monotonic_ms() + BATCH_MS;
        error = one(piece, run);
        if (!error || !db_was_rolled_back(piece))
            break;
    }
    if (error) {
        fail(call, (enum error)error, "%.*s", STR_ARG(piece->error_text));
        fail_detail(call, "%.*s", STR_ARG(piece->error_detail));
    }
    call_clear_error(piece);
    arena_reset(piece->arena);
    return error;
}

static int run_pass(struct call *call, struct call *piece, struct run *run)
{
    buf_clear(&run->last);
    run->changed = 0;
    do {
        int64_t began_ms = clock_monotonic_ms();
        int error = in_piece(call, piece, run);
        if (error)
            return error;
        int64_t rest_ms = clock_monotonic_ms() - began_ms;
        if (run->found && task_sleep(piece, rest_ms < BATCH_REST_MAX_MS ? rest_ms : BATCH_REST_MAX_MS))
            return fail(call, E_CANCELLED, "Stopped. Run it again: it goes on where it was.");
    } while (run->found);
    return OK;
}

int batches_run(struct call *call, batch_function *batch, const void *context, int64_t *ret_changed)
{
    struct call piece;
    struct run run = {.batch = batch, .context = context};
    call_init_piece(&piece, call, BATCH_BYTES);
    buf_init(&run.last, call->arena, KEY_BYTES_MAX);
    *ret_changed = 0;
    do {
        int error = run_pass(call, &piece, &run);
        *ret_changed += run.changed;
        if (error)
            return error;
    } while (run.changed);
    return OK;
}
