/* New data keys for all users. */
#include "accounts/reseal.h"

#include "accounts/batches.h"
#include "crypto/seal.h"
#include "store/sealed.h"

enum { USERS_AT_ONCE = 500, KIDS_MAX = 64 };

/* The rows of users behind `after`, and where they end. */
static int read_users(struct call *call, struct str after, struct key_rows *ret, struct str *ret_last)
{
    int error = store_keys_of_users(call, after, USERS_AT_ONCE, ret);
    if (!error && ret->count)
        *ret_last = ret->items[ret->count - 1].id;
    return error;
}

/* ---- renew */

/*
 * Whoever was given the new master key is not asked to end before the old one is retired, so he must not have a row as it was. Both
 * this and his entry are made with the current master key locked (accounts_open()).
 */
static int check_nobody_is_ahead(struct call *call)
{
    struct key_holders holders;
    int error = store_keys_holders(call, &holders);
    for (size_t i = 0; !error && i < holders.count; i++)
        if (holders.items[i].master_kid >= keyring_kid())
            return fail(
                call, E_CONFLICT,
                "%.*s was started with the new master key already, and may hold data keys of people as they are "
                "now. So those that are not replaced yet stay for this time: end the rotation with `porteiro key "
                "retire %lld`, then run `porteiro key rotate --deep` again.",
                STR_ARG(holders.items[i].holder), (long long)keyring_kid() - 1);
    return error;
}

static int renew_some(struct call *call, const struct key_rows *rows, int64_t *ret_changed)
{
    struct key_exchange *exchanges = arena_array_of(call->arena, struct key_exchange, rows->count);
    size_t count = 0;
    int64_t done;
    for (size_t i = 0; i < rows->count; i++) {
        const struct keyring_row *row = &rows->items[i];
        int64_t kid, previous;
        int error = keyring_data_kids(call, keyring_row_user(row->id), row->wrapped, &kid, &previous);
        if (error)
            return error;
        if (previous || kid >= keyring_kid())
            continue;
        exchanges[count] = (struct key_exchange){.id = row->id, .before = row->wrapped};
        error = keyring_renew_data_key(call, keyring_row_user(row->id), row->wrapped, &exchanges[count++].after);
        if (error)
            return error;
    }
    *ret_changed = (int64_t)count; /* of which somebody else may have changed some: the next pass sees them */
    int error = count ? check_nobody_is_ahead(call) : OK;
    return error || !count ? error : store_keys_exchange(call, keyring_kid(), exchanges, count, &done);
}

static int renew_batch(struct call *call, const void *context, struct str after, struct str *ret_last,
                       int64_t *ret_changed)
{
    struct key_rows rows;
    int64_t current;
    (void)context;
    int error = store_keys_lock_current(call, &current);
    if (!error && current != keyring_kid())
        return fail(call, E_CONFLICT, "Another rotation of the master key has begun meanwhile. Run this again.");
    if (!error)
        error = read_users(call, after, &rows, ret_last);
    return error ? error : renew_some(call, &rows, ret_changed);
}

int reseal_renew(struct call *call, int64_t *ret_renewed)
{
    return batches_run(call, renew_batch, NULL, ret_renewed);
}

/* ---- values */

struct column_work {
    const struct sealed_column *column;
    struct call *whole; /* whose memory the example is in */
    struct resealed *of;
};

static void count_unreadable(const struct column_work *work, const struct sealed_value *value)
{
    if (!work->of->unreadable++)
        work->of->example =
            call_format(work->whole, "%s.%s of %.*s", work->column->table, work->column->column, STR_ARG(value->key));
}

static int reseal_value(struct call *call, const struct column_work *work, const struct sealed_value *value,
                        int64_t *changed)
{
    const struct seal_place place = {.owner = value->user_id,
                                     .table = str_from(work->column->table),
                                     .row = value->row,
                                     .column = str_from(work->column->column)};
    struct str plain, sealed;
    int64_t kid, previous, named = seal_kid(value->sealed);
    bool done;
    int error = keyring_data_kids(call, value->user_id, value->wrapped, &kid, &previous);
    if (error || !previous || named != previous)
        return error;
    error = seal_open_at(call, &place, value->wrapped, value->sealed, &plain);
    if (error == E_CRYPTO) {
        call_clear_error(call);
        count_unreadable(work, value);
        return OK;
    }
    if (!error)
        error = seal_make_at(call, &place, value->wrapped, plain, &sealed);
    if (!error)
        error = store_sealed_replace(call, work->column, value, sealed, &done);
    /* Not done: it was changed meanwhile, perhaps under the previous key; the next pass sees it. */
    *changed += !error;
    return error;
}

static int column_batch(struct call *call, const void *context, struct str after, struct str *ret_last,
                        int64_t *ret_changed)
{
    const struct column_work *work = context;
    struct sealed_values values;
    int error = store_sealed_others(call, work->column, keyring_kid(), after, &values);
    if (!error && !after.len)
        work->of->unreadable = 0; /* the last pass has seen them all */
    for (size_t i = 0; !error && i < values.count; i++)
        error = reseal_value(call, work, &values.items[i], ret_changed);
    *ret_last = values.last_key;
    return error;
}

int reseal_values(struct call *call, struct resealed *ret)
{
    size_t count;
    const struct sealed_column *columns = store_sealed_columns(&count);
    *ret = (struct resealed){.example = STR_EMPTY};
    for (size_t i = 0; i < count; i++) {
        struct resealed mine = {.example = STR_EMPTY};
        const struct column_work work = {&columns[i], call, &mine};
        int error = batches_run(call, column_batch, &work, &mine.values);
        if (error)
            return error;
        ret->values += mine.values;
        ret->unreadable += mine.unreadable;
        if (!ret->example.len)
            ret->example = mine.example;
    }
    return OK;
}

/* ---- drop */

static int drop_batch(struct call *call, const void *context, struct str after, struct str *ret_last,
                      int64_t *ret_changed)
{
    struct key_rows rows;
    int64_t current;
    (void)context;
    int error = store_keys_lock_current(call, &current);
    if (!error)
        error = read_users(call, after, &rows, ret_last);
    if (error)
        return error;
    struct key_exchange *exchanges = arena_array_of(call->arena, struct key_exchange, rows.count);
    size_t count = 0;
    int64_t done;
    for (size_t i = 0; i < rows.count; i++) {
        const struct keyring_row *row = &rows.items[i];
        int64_t kid, previous;
        error = keyring_data_kids(call, keyring_row_user(row->id), row->wrapped, &kid, &previous);
        if (!error && previous) {
            exchanges[count] = (struct key_exchange){.id = row->id, .before = row->wrapped};
            error = keyring_drop_previous(call, keyring_row_user(row->id), row->wrapped, &exchanges[count++].after);
        }
        if (error)
            return error;
    }
    *ret_changed = (int64_t)count;
    return count ? store_keys_exchange(call, keyring_kid(), exchanges, count, &done) : OK;
}

int reseal_drop(struct call *call, int64_t *ret_dropped)
{
    return batches_run(call, drop_batch, NULL, ret_dropped);
}

/* ---- count */

static int count_one(struct call *call, const struct keyring_row *row, struct data_key_counts *counts)
{
    int64_t kid, previous;
    size_t i = 0;
    int error = keyring_data_kids(call, keyring_row_user(row->id), row->wrapped, &kid, &previous);
    if (error)
        return error;
    while (i < counts->count && counts->items[i].kid != kid)
        i++;
    if (i == KIDS_MAX)
        return fail(call, E_LIMIT, "There are data keys of more than %d numbers.", KIDS_MAX);
    if (i == counts->count)
        counts->items[counts->count++] = (struct data_key_count){.kid = kid};
    counts->items[i].users++;
    counts->items[i].with_previous += previous != 0;
    counts->with_previous += previous != 0;
    return OK;
}

static int count_batch(struct call *call, const void *context, struct str after, struct str *ret_last,
                       int64_t *ret_changed)
{
    struct data_key_counts *const *counts = context;
    struct key_rows rows;
    (void)ret_changed;
    int error = read_users(call, after, &rows, ret_last);
    for (size_t i = 0; !error && i < rows.count; i++)
        error = count_one(call, &rows.items[i], *counts);
    return error;
}

int reseal_count(struct call *call, struct data_key_counts *ret)
{
    int64_t nothing;
    *ret = (struct data_key_counts){.items = arena_array_of(call->arena, struct data_key_count, KIDS_MAX)};
    return batches_run(call, count_batch, &ret, &nothing);
}
