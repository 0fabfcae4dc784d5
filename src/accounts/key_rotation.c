/* A new master key while everything runs. */
#include "accounts/key_rotation.h"

#include "audit/audit.h"
#include "base/buf.h"
#include "net/task.h"

enum { PIECE_BYTES = 16 * 1024 * 1024, PIECE_MS = 60 * 1000 };

static bool has_masters(const struct key_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (str_starts_with(rows->items[i].id, STR("master:")))
            return true;
    return false;
}

int key_rotation_refresh(struct call *call)
{
    struct key_rows rows;
    int error = store_keys_read(call, &rows);
    return error ? error : keyring_learn(call, rows.items, rows.count);
}

int key_rotation_status(struct call *call, struct key_status *ret)
{
    struct key_rows rows;
    int error = store_keys_read(call, &rows);
    if (!error)
        error = keyring_learn(call, rows.items, rows.count);
    if (!error)
        error = store_keys_count(call, &ret->counts);
    if (!error)
        error = store_keys_holders(call, &ret->holders);
    ret->is_rotating = !error && has_masters(&rows);
    ret->current = keyring_kid();
    ret->given = keyring_given_kid();
    return error;
}

static int record(struct call *call, const char *action, int64_t kid)
{
    const struct audit_event event = {.action = str_from(action),
                                      .data_json = call_format(call, "{\"master_key\":%lld}", (long long)kid)};
    return audit_record(call, &event);
}

/* ---- begin */

/* The server's row first: that is the order in which others take these two. */
static int lock_and_read(struct call *call, int64_t *ret_current, struct key_rows *ret)
{
    int error = store_keys_lock(call, 0);
    if (!error)
        error = store_keys_lock_current(call, ret_current);
    return error ? error : store_keys_read(call, ret);
}

static int begin_locked(struct call *call, struct str text)
{
    struct keyring_row made[KEYRING_ROTATION_ROWS];
    struct key_rows rows;
    int64_t current;
    int error = lock_and_read(call, &current, &rows);
    if (!error)
        error = keyring_learn(call, rows.items, rows.count);
    if (!error && has_masters(&rows))
        return fail(call, E_CONFLICT,
                    "The last rotation has not ended: master key %lld is still good. `porteiro key retire` ends it.",
                    (long long)current - 1);
    if (!error)
        error = keyring_rotate(call, text, made);
    if (!error)
        error = store_keys_put(call, made, ARRAY_LENGTH(made));
    return error ? error : record(call, "keys.rotate", keyring_kid());
}

int key_rotation_begin(struct call *call, struct str text)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = begin_locked(call, text);
    return store_end(call, mine, error);
}

/* ---- go on */

static int rewrap(struct call *call, struct key_rows *rows)
{
    int64_t kid = keyring_kid();
    int error = OK;
    for (size_t i = 0; !error && i < rows->count; i++) {
        error = keyring_rewrap(call, &rows->items[i], &rows->items[i].wrapped);
        rows->items[i].master_kid = kid;
    }
    return error ? error : store_keys_rewrap(call, rows->items, rows->count);
}

/* The rows behind `last`; *ret_count 0: there are none. The last id is kept in `last`. */
static int rewrap_batch(struct call *call, struct buf *last, size_t *ret_count)
{
    struct key_rows rows = {.count = 0};
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_keys_older(call, keyring_kid(), buf_str(last), KEY_ROTATION_BATCH, &rows);
    if (!error)
        error = rewrap(call, &rows);
    error = store_end(call, mine, error);
    if (error)
        return error;
    *ret_count = rows.count;
    buf_clear(last);
    if (rows.count)
        buf_add(last, rows.items[rows.count - 1].id);
    return OK;
}

/* A batch's memory goes with it; what failed in it failed here. */
static int in_piece(struct call *call, struct call *piece, struct buf *last, size_t *ret_count)
{
    piece->deadline_ms = clock_monotonic_ms() + PIECE_MS;
    int error = rewrap_batch(piece, last, ret_count);
    if (error) {
        fail(call, (enum error)error, "%.*s", STR_ARG(piece->error_text));
        fail_detail(call, "%.*s", STR_ARG(piece->error_detail));
    }
    arena_reset(piece->arena);
    return error;
}

int key_rotation_go_on(struct call *call, int64_t *ret_rewrapped)
{
    struct call piece;
    struct buf last;
    size_t count = 0, in_pass = 0;
    call_init_piece(&piece, call, PIECE_BYTES);
    buf_init(&last, call->arena, 4096);
    *ret_rewrapped = 0;
    do { /* a pass that finds nothing is the last */
        int64_t began_ms = clock_monotonic_ms();
        in_pass = last.len ? in_pass : 0;
        int error = in_piece(call, &piece, &last, &count);
        if (error)
            return error;
        *ret_rewrapped += (int64_t)count;
        in_pass += count;
        int64_t rest_ms = clock_monotonic_ms() - began_ms;
        if (count)
            error = task_sleep(&piece, rest_ms < KEY_ROTATION_REST_MAX_MS ? rest_ms : KEY_ROTATION_REST_MAX_MS);
        if (error)
            return fail(call, (enum error)error, "Stopped. Run it again: it goes on where it was.");
    } while (count || in_pass);
    return OK;
}

/* ---- retire */

static int check_rows(struct call *call, int64_t kid)
{
    struct key_counts counts;
    int error = store_keys_count(call, &counts);
    for (size_t i = 0; !error && i < counts.count; i++)
        if (counts.items[i].master_kid <= kid)
            return fail(call, E_CONFLICT,
                        "Master key %lld still wraps %lld rows: `porteiro key rotate` goes on with them. Nothing was "
                        "changed.",
                        (long long)counts.items[i].master_kid, (long long)counts.items[i].rows);
    return error;
}

static int check_holders(struct call *call, int64_t kid)
{
    struct key_holders holders;
    int error = store_keys_holders(call, &holders);
    for (size_t i = 0; !error && i < holders.count; i++) {
        char since[CLOCK_TEXT_BYTES];
        if (holders.items[i].master_kid > kid)
            continue;
        clock_format(holders.items[i].started_at_ms, since);
        return fail(
            call, E_CONFLICT,
            "%.*s, started at %s, was given master key %lld: give it the new key and restart it. If that process "
            "is gone for good, add --even-if-held. Nothing was changed.",
            STR_ARG(holders.items[i].holder), since, (long long)holders.items[i].master_kid);
    }
    return error;
}

static int retire_locked(struct call *call, int64_t kid, bool even_if_held)
{
    struct key_rows rows;
    int64_t current;
    int error = lock_and_read(call, &current, &rows);
    if (error)
        return error;
    if (kid == current)
        return fail(call, E_CONFLICT, "Master key %lld is the current one; `porteiro key rotate` makes another.",
                    (long long)kid);
    if (kid > current || !has_masters(&rows))
        return fail(call, E_NOT_FOUND, "There is no master key %lld to retire; the current one is %lld.",
                    (long long)kid, (long long)current);
    if (keyring_given_kid() <= kid)
        return fail(call, E_CONFLICT,
                    "This command itself was given master key %lld. Give it the new one (PORTEIRO_SECRET_KEY_FILE, or "
                    "where your settings have it), so that it is certain that you hold it.",
                    (long long)keyring_given_kid());
    error = check_rows(call, kid);
    if (!error && !even_if_held)
        error = check_holders(call, kid);
    if (!error)
        error = store_keys_forget_masters(call);
    return error ? error : record(call, "keys.retire", kid);
}

int key_rotation_retire(struct call *call, int64_t kid, bool even_if_held)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = retire_locked(call, kid, even_if_held);
    return store_end(call, mine, error);
}
