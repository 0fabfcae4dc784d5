/* A new master key while everything runs. */
#include "accounts/key_rotation.h"

#include "accounts/batches.h"
#include "audit/audit.h"
#include "net/task.h"

enum { READERS_MS = 2000 }; /* who has read a value before it was sealed anew has opened it by then */

static bool has_masters(const struct key_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (str_starts_with(rows->items[i].id, STR("master:")))
            return true;
    return false;
}

static bool has_master(struct call *call, const struct key_rows *rows, int64_t kid)
{
    struct str id = call_format(call, "master:%lld", (long long)kid);
    for (size_t i = 0; i < rows->count; i++)
        if (str_eq(rows->items[i].id, id))
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
    if (!error)
        error = reseal_count(call, &ret->data_keys);
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

static int rewrap_batch(struct call *call, const void *context, struct str after, struct str *ret_last,
                        int64_t *ret_changed)
{
    struct key_rows rows;
    (void)context;
    int error = store_keys_older(call, keyring_kid(), after, KEY_ROTATION_BATCH, &rows);
    if (error || rows.count == 0)
        return error;
    *ret_last = rows.items[rows.count - 1].id;
    *ret_changed = (int64_t)rows.count;
    return rewrap(call, &rows);
}

int key_rotation_go_on(struct call *call, int64_t *ret_rewrapped)
{
    return batches_run(call, rewrap_batch, NULL, ret_rewrapped);
}

/* ---- the data keys too */

int key_rotation_renew(struct call *call, int64_t *ret_renewed)
{
    int error = reseal_renew(call, ret_renewed);
    if (error || !*ret_renewed)
        return error;
    const struct audit_event event = {.action = STR("keys.rotate"),
                                      .data_json = call_format(call, "{\"master_key\":%lld,\"data_keys\":%lld}",
                                                               (long long)keyring_kid(), (long long)*ret_renewed)};
    return audit_record(call, &event);
}

int key_rotation_reseal(struct call *call, struct resealed *ret)
{
    struct data_key_counts counts;
    *ret = (struct resealed){.example = STR_EMPTY};
    int error = reseal_count(call, &counts);
    return error || !counts.with_previous ? error : reseal_values(call, ret);
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

static int no_such_key(struct call *call, int64_t kid, int64_t current, bool is_rotating)
{
    if (is_rotating)
        return fail(call, E_NOT_FOUND,
                    "There is no master key %lld to retire; the current one is %lld, the old one %lld.", (long long)kid,
                    (long long)current, (long long)current - 1);
    return fail(call, E_NOT_FOUND, "There is no master key %lld to retire; the current one is %lld.", (long long)kid,
                (long long)current);
}

/*
 * The server's rows are locked; nothing is changed. Only the number of a key that is there is taken: what still needs a key is asked
 * by its number, and retiring ends whichever is the old one.
 */
static int check_retire(struct call *call, int64_t kid, bool even_if_held)
{
    struct key_rows rows;
    int64_t current;
    int error = lock_and_read(call, &current, &rows);
    if (error)
        return error;
    if (kid == current)
        return fail(call, E_CONFLICT, "Master key %lld is the current one; `porteiro key rotate` makes another.",
                    (long long)kid);
    if (kid > current || !has_master(call, &rows, kid))
        return no_such_key(call, kid, current, has_masters(&rows));
    if (keyring_given_kid() <= kid)
        return fail(call, E_CONFLICT,
                    "This command itself was given master key %lld. Give it the new one (PORTEIRO_SECRET_KEY_FILE, or "
                    "where your settings have it), so that it is certain that you hold it.",
                    (long long)keyring_given_kid());
    error = check_rows(call, kid);
    return error || even_if_held ? error : check_holders(call, kid);
}

static int check(struct call *call, const struct key_retirement *what)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, check_retire(call, what->kid, what->even_if_held));
}

/* Nobody who could seal under a previous data key is left: what was sealed under one since, then the keys. */
static int end_data_keys(struct call *call, const struct key_retirement *what, struct key_retired *ret)
{
    struct resealed resealed;
    int error = key_rotation_reseal(call, &resealed);
    if (error)
        return error;
    ret->resealed = resealed.values;
    ret->unreadable = resealed.unreadable;
    if (resealed.unreadable && !what->even_if_unreadable)
        return fail(
            call, E_CONFLICT,
            "%lld values that were sealed under a previous data key do not open: they were changed or moved in the "
            "database. One is %.*s. Enter them again or restore them; to give them up, add --even-if-unreadable. "
            "The old keys stay for now.",
            (long long)resealed.unreadable, STR_ARG(resealed.example));
    if (resealed.values)
        error = task_sleep(call, READERS_MS);
    return error ? error : reseal_drop(call, &ret->dropped);
}

static int retire_locked(struct call *call, const struct key_retirement *what)
{
    int error = check_retire(call, what->kid, what->even_if_held);
    if (!error)
        error = store_keys_forget_masters(call);
    return error ? error : record(call, "keys.retire", what->kid);
}

int key_rotation_retire(struct call *call, const struct key_retirement *what, struct key_retired *ret)
{
    bool mine;
    *ret = (struct key_retired){0};
    int error = check(call, what);
    if (!error)
        error = end_data_keys(call, what, ret);
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, retire_locked(call, what));
}
