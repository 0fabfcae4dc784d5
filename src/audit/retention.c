/* Old audit rows go. */
#include "audit/retention.h"

#include "audit/chain.h"
#include "audit/checkpoint.h"

#include <limits.h>

enum { PIECE_BYTES = 64 * 1024 * 1024, PIECE_MS = 60 * 1000, WRITERS_IN_BATCH_MAX = RETENTION_BATCH };

static struct {
    int64_t days, looked_ms; /* on the monotonic clock */
    void (*also)(struct call *call);
} retention;

void retention_set_days(int64_t days)
{
    retention.days = days;
    retention.looked_ms = 0;
}

void retention_also(void (*forget)(struct call *call))
{
    retention.also = forget;
}

/* Where each chain stands while a batch is gone through. */
struct prune {
    struct audit_mark marks[WRITERS_IN_BATCH_MAX];
    size_t n_marks, n_rows;
    int64_t last_id;
};

/* A tombstone that we did not sign counts as none: then the rows behind it do not follow on anything. */
static struct audit_mark *mark_of(struct call *call, struct prune *prune, const struct audit_marks *tombstones,
                                  struct str writer)
{
    for (size_t i = 0; i < prune->n_marks; i++)
        if (str_eq(prune->marks[i].writer, writer))
            return &prune->marks[i];
    struct audit_mark *mark = &prune->marks[prune->n_marks++]; /* at most one for each row */
    *mark = (struct audit_mark){.writer = writer};
    for (size_t i = 0; i < tombstones->count; i++)
        if (str_eq(tombstones->items[i].writer, writer) &&
            mark_is_signed(call->arena, MARK_TOMBSTONE, &tombstones->items[i]))
            *mark = tombstones->items[i];
    return mark;
}

static int changed(struct call *call, int64_t id)
{
    return fail(call, E_CRYPTO,
                "The audit row %lld does not fit its chain, so nothing from there on is removed; see `porteiro audit "
                "verify`.",
                (long long)id);
}

/* Oldest first, up to the first row that is young enough. */
static int collect(struct call *call, const struct audit_rows *rows, int64_t before_ms, struct prune *prune)
{
    struct audit_marks tombstones;
    int error = store_tombstones(call, &tombstones);
    if (error)
        return error;
    for (size_t i = 0; i < rows->count && rows->items[i].created_at_ms < before_ms; i++) {
        const struct audit_row *row = &rows->items[i];
        const struct json *data;
        struct chain_link link;
        if (chain_read(call->arena, row->data_json, &data, &link)) {
            struct audit_mark *mark = mark_of(call, prune, &tombstones, link.writer);
            if (link.seq != mark->seq + 1 || !str_eq(link.prev, mark->hash) ||
                !chain_hash_is_right(call->arena, data, &link))
                return prune->n_rows ? OK : changed(call, row->id);
            mark->seq = link.seq;
            mark->hash = link.hash;
        }
        prune->last_id = row->id;
        prune->n_rows++;
    }
    return OK;
}

static int remove_collected(struct call *call, struct prune *prune)
{
    int error = OK;
    for (size_t i = 0; !error && i < prune->n_marks; i++) {
        struct audit_mark *mark = &prune->marks[i];
        if (mark->seq == 0)
            continue;
        mark->at_ms = clock_now_ms();
        mark_sign(call->arena, MARK_TOMBSTONE, mark);
        error = store_tombstone_set(call, mark);
        if (!error)
            error = store_prune_checkpoints(call, mark->writer, mark->seq);
    }
    return error ? error : store_prune_rows(call, prune->last_id);
}

static int prune_batch(struct call *call, int64_t before_ms, int64_t *ret_removed)
{
    struct prune *prune = arena_new_of(call->arena, struct prune);
    struct audit_rows rows;
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_prune_lock(call);
    if (!error)
        error = store_audit_after(call, INT64_MIN, RETENTION_BATCH, &rows);
    if (!error)
        error = collect(call, &rows, before_ms, prune);
    if (!error && prune->n_rows)
        error = remove_collected(call, prune);
    *ret_removed = (int64_t)prune->n_rows;
    return store_end(call, mine, error);
}

static int record(struct call *call, int64_t before_ms, int64_t removed)
{
    const struct audit_event event = {
        .action = STR("audit.prune"),
        .data_json = call_format(call, "{\"removed\":%lld,\"before\":%lld}", (long long)removed, (long long)before_ms)};
    return audit_record(call, &event);
}

int retention_prune(struct call *call, int64_t before_ms, int64_t rounds_max, int64_t *ret_removed)
{
    struct call piece;
    int64_t removed = 1;
    int error = OK;
    call_init_piece(&piece, call, PIECE_BYTES);
    *ret_removed = 0;
    for (int64_t round = 0; !error && removed && round < rounds_max; round++) {
        piece.deadline_ms = clock_monotonic_ms() + PIECE_MS;
        error = prune_batch(&piece, before_ms, &removed);
        if (error) {
            fail(call, (enum error)error, "%.*s", STR_ARG(piece.error_text));
            fail_detail(call, "%.*s", STR_ARG(piece.error_detail));
        } else {
            *ret_removed += removed;
        }
        arena_reset(piece.arena);
    }
    if (*ret_removed) {
        struct call said = *call; /* what went wrong first is what counts */
        int recorded = record(call, before_ms, *ret_removed);
        if (error)
            *call = said;
        else
            error = recorded;
    }
    return error;
}

int retention_when_due(struct call *call, int64_t now_ms)
{
    int64_t removed;
    if (retention.looked_ms && now_ms - retention.looked_ms < RETENTION_EVERY_MS)
        return OK;
    retention.looked_ms = now_ms;
    if (retention.also)
        retention.also(call);
    if (!retention.days)
        return OK;
    return retention_prune(call, clock_now_ms() - retention.days * 24 * 60 * 60 * 1000, RETENTION_ROUNDS, &removed);
}
