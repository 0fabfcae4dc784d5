/* What was changed at connected services. */
#include <sodium.h> /* before base/banned.h */

#include "audit/history.h"

#include "crypto/seal.h"
#include "json/json_write.h"
#include "store/changes.h"

enum { ID_BYTES = 10, NUMBER_TRIES = 8, DAY_MS = 24 * 60 * 60 * 1000, WORK_BYTES_MAX = 24 * 1024 * 1024 };

static struct history_limits limits = {HISTORY_DAYS, HISTORY_CHANGES_MAX, HISTORY_BYTES_MAX};
static int64_t next_prune_ms; /* monotonic */

void history_set_limits(const struct history_limits *given)
{
    limits = *given;
    next_prune_ms = 0;
}

static int64_t oldest_ms(void)
{
    return clock_now_ms() - limits.days * DAY_MS;
}

/* ---- memory: what sealing needs (four times the text) is not the call's, which has its own large texts by then */

struct work {
    struct call call; /* the same call with memory of its own */
    struct call *outer;
};

static void release(void *arena)
{
    arena_free(arena);
}

static void work_begin(struct work *work, struct call *call)
{
    *work = (struct work){*call, call};
    work->call.arena = arena_new(WORK_BYTES_MAX);
    if (!work->call.arena)
        arena_give_up(call->arena);
    arena_defer(call->arena, release, work->call.arena);
    arena_exhaust_with(work->call.arena, call->arena);
}

static int work_end(struct work *work, int error)
{
    struct call *call = work->outer;
    call->cancelled = work->call.cancelled;
    call->db_link = work->call.db_link;
    if (error) {
        call->error = work->call.error;
        call->error_text = str_copy(call->arena, work->call.error_text);
        call->error_detail = str_copy(call->arena, work->call.error_detail);
    }
    arena_reset(work->call.arena);
    return error;
}

/* ---- sealing */

static struct seal_place place_of(struct call *call, const struct history_owner *owner, struct str id,
                                  struct str column)
{
    return (struct seal_place){
        .owner = owner->user_id,
        .table = STR("mcp_changes"),
        .row = call_format(call, "%lld/%.*s", (long long)owner->connection_id, STR_ARG(id)),
        .column = column,
    };
}

static int seal(struct call *call, const struct history_owner *owner, struct str id, struct str column,
                struct str plain, struct str *ret)
{
    struct seal_place place = place_of(call, owner, id, column);
    *ret = (struct str){NULL, 0};
    return plain.len ? seal_make_at(call, &place, owner->wrapped_key, plain, ret) : OK;
}

static int unseal(struct call *call, const struct history_owner *owner, struct str id, struct str column,
                  struct str sealed, struct str *ret)
{
    struct seal_place place = place_of(call, owner, id, column);
    *ret = STR_EMPTY;
    return sealed.ptr ? seal_open_at(call, &place, owner->wrapped_key, sealed, ret) : OK;
}

/* What the columns say too, so that a row whose columns were edited does not pass for another change. */
static struct str note_of(struct call *call, const struct site_change *change)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, 2 * CHANGE_NOTE_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "kind", change->kind);
    json_member_str(&w, "type", change->item_type);
    json_member_i64(&w, "item", change->item_id);
    json_member_i64(&w, "undo_of", change->undo_of);
    json_member_i64(&w, "part_of", change->part_of);
    json_member_bool(&w, "before_lost", change->before_lost);
    json_member_bool(&w, "after_lost", change->after_lost);
    json_member_raw(&w, "note", change->note_json.len ? change->note_json : STR("{}"));
    json_end(&w);
    return buf_failed(&text) ? STR_EMPTY : buf_str(&text);
}

static int seal_note(struct call *call, const struct history_owner *owner, const struct site_change *change,
                     struct str *ret)
{
    struct str note = note_of(call, change);
    if (change->note_json.len > CHANGE_NOTE_BYTES_MAX || !note.len)
        return fail(call, E_INTERNAL, "The note of a change is too large.");
    return seal(call, owner, change->id, STR("note_sealed"), note, ret);
}

/* ---- a long text of which little was changed is kept once: `after` as what stands between two pieces of `before` */

enum { PIECES_WORTH = 256 /* what it must save */, COMPARED_AT_ONCE = 64 };

static size_t same_first(struct str a, struct str b, size_t most)
{
    size_t n = 0;
    while (most - n >= COMPARED_AT_ONCE && memcmp(a.ptr + n, b.ptr + n, COMPARED_AT_ONCE) == 0)
        n += COMPARED_AT_ONCE;
    while (n < most && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

static size_t same_last(struct str a, struct str b, size_t most)
{
    const char *a_end = a.ptr + a.len, *b_end = b.ptr + b.len;
    size_t n = 0;
    while (most - n >= COMPARED_AT_ONCE &&
           memcmp(a_end - n - COMPARED_AT_ONCE, b_end - n - COMPARED_AT_ONCE, COMPARED_AT_ONCE) == 0)
        n += COMPARED_AT_ONCE;
    while (n < most && a_end[-1 - (ptrdiff_t)n] == b_end[-1 - (ptrdiff_t)n])
        n++;
    return n;
}

/* "=3 120 140\nrest": the first 3 bytes of before, the rest, the last 120 of before, which has 140. An object never begins so. */
static struct str in_pieces(struct call *call, const struct site_change *change)
{
    struct str before = change->before_json, after = change->after_json;
    size_t shorter = before.len < after.len ? before.len : after.len;
    if (change->before_lost || shorter < PIECES_WORTH)
        return after;
    size_t first = same_first(before, after, shorter), last = same_last(before, after, shorter - first);
    if (first + last < PIECES_WORTH)
        return after;
    return call_format(call, "=%zu %zu %zu\n%.*s", first, last, before.len,
                       STR_ARG(str_sub(after, first, after.len - first - last)));
}

/* In the memory of `outer`. False: it is not of this before. */
static bool from_pieces(struct call *outer, struct str before, struct str kept, struct str *ret)
{
    struct str rest = kept, line, word;
    uint64_t numbers[3];
    *ret = kept;
    if (!kept.len || kept.ptr[0] != '=')
        return true;
    rest = str_from_offset(kept, 1);
    if (!str_next(&rest, '\n', &line) || !rest.ptr)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        if (!str_next(&line, ' ', &word) || !str_to_u64(word, &numbers[i]))
            return false;
    if (numbers[0] > before.len || numbers[1] > before.len - numbers[0] || numbers[2] != before.len)
        return false;
    struct str last = str_from_offset(before, before.len - numbers[1]);
    char *text = arena_alloc(outer->arena, numbers[0] + rest.len + last.len + 1);
    keyring_wipe_later(outer, text, numbers[0] + rest.len + last.len);
    memcpy(text, before.ptr, numbers[0]);
    memcpy(text + numbers[0], rest.ptr, rest.len);
    memcpy(text + numbers[0] + rest.len, last.ptr, last.len);
    *ret = str_of(text, numbers[0] + rest.len + last.len);
    return true;
}

static int seal_after(struct call *call, const struct history_owner *owner, const struct site_change *change,
                      struct str *ret)
{
    return seal(call, owner, change->id, STR("after_sealed"), change->after_lost ? STR_EMPTY : in_pieces(call, change),
                ret);
}

/* ---- forgetting */

int history_prune(struct call *call)
{
    int64_t before = oldest_ms(), count = HISTORY_PRUNE_ROWS;
    int error = OK;
    for (int i = 0; i < HISTORY_PRUNE_ROUNDS && !error && count == HISTORY_PRUNE_ROWS; i++)
        error = store_changes_delete_old(call, before, HISTORY_PRUNE_ROWS, &count);
    return error ? error : store_changes_empty_old(call, before);
}

static int prune_connection(struct call *call, const struct history_owner *owner)
{
    struct change_rows rows;
    int64_t bytes = 0;
    int error = store_changes_sizes(call, owner->connection_id, limits.changes_max + HISTORY_COUNT_EVERY, &rows);
    for (size_t i = 0; !error && i < rows.count; i++) {
        bytes += rows.items[i].size_bytes;
        if ((int64_t)i >= limits.changes_max || bytes > limits.bytes_max)
            return store_changes_delete_up_to(call, owner->connection_id, rows.items[i].number);
    }
    return error;
}

/* What is kept too long or too much is no reason not to keep this one. */
static void prune_sometimes(struct call *call, const struct history_owner *owner, int64_t number)
{
    int error = OK;
    if (number % HISTORY_COUNT_EVERY == 0)
        error = prune_connection(call, owner);
    if (!error && clock_monotonic_ms() >= next_prune_ms) {
        next_prune_ms = clock_monotonic_ms() + HISTORY_PRUNE_MS;
        error = history_prune(call);
    }
    if (error)
        call_clear_error(call);
}

/* ---- writing */

static struct change_row row_of(struct call *call, const struct history_owner *owner, const struct site_change *change)
{
    return (struct change_row){
        .id = change->id,
        .user_id = owner->user_id,
        .connection_id = owner->connection_id,
        .token_id = owner->token_id,
        .number = change->number,
        .call_id = str_from(call->id),
        .tool = owner->tool,
        .kind = change->kind,
        .item_type = change->item_type,
        .item_id = change->item_id,
        .undo_of = change->undo_of,
        .part_of = change->part_of,
    };
}

static struct str new_id(struct call *call)
{
    unsigned char bytes[ID_BYTES];
    char *hex = arena_alloc(call->arena, sizeof bytes * 2 + 1);
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(hex, sizeof bytes * 2 + 1, bytes, sizeof bytes);
    return str_from(hex);
}

static int insert(struct call *call, const struct history_owner *owner, const struct site_change *change,
                  int64_t *ret_number)
{
    struct change_row row = row_of(call, owner, change);
    row.state = STR("begun");
    row.created_at_ms = clock_now_ms();
    int error = seal_note(call, owner, change, &row.note_sealed);
    if (!error)
        error = seal(call, owner, row.id, STR("before_sealed"), change->before_lost ? STR_EMPTY : change->before_json,
                     &row.before_sealed);
    if (!error)
        error = seal_after(call, owner, change, &row.after_sealed);
    if (error)
        return error;
    row.size_bytes = (int64_t)(row.note_sealed.len + row.before_sealed.len + row.after_sealed.len);
    error = store_changes_insert(call, &row, ret_number);
    for (int i = 1; error == E_CONFLICT && i < NUMBER_TRIES; i++) {
        call_clear_error(call); /* another write of this connection took the number */
        error = store_changes_insert(call, &row, ret_number);
    }
    if (error == E_CONFLICT)
        return fail(call, E_UNAVAILABLE, "Too much is written through this connection at once. Try again.");
    return error;
}

int history_begin(struct call *call, const struct history_owner *owner, struct site_change *change)
{
    struct work work;
    change->id = new_id(call);
    change->number = 0;
    change->before_lost = change->before_json.len > CHANGE_BYTES_MAX;
    change->after_lost = change->after_json.len > CHANGE_BYTES_MAX;
    work_begin(&work, call);
    int error = insert(&work.call, owner, change, &change->number);
    if (!error)
        prune_sometimes(&work.call, owner, change->number);
    return work_end(&work, error);
}

/* The row as it ends; without a state: it is to be forgotten. */
static int seal_end(struct call *call, const struct history_owner *owner, struct site_change *change,
                    enum change_state state, struct change_row *ret)
{
    *ret = row_of(call, owner, change);
    if (state == CHANGE_FAILED)
        return OK;
    change->after_lost = change->after_json.len > CHANGE_BYTES_MAX;
    ret->state = state == CHANGE_DONE ? STR("done") : STR("unknown");
    ret->ended_at_ms = clock_now_ms();
    int error = seal_note(call, owner, change, &ret->note_sealed);
    if (!error)
        error = seal_after(call, owner, change, &ret->after_sealed);
    ret->size_bytes = (int64_t)(ret->note_sealed.len + ret->after_sealed.len);
    return error;
}

static int complete(struct call *call, const struct change_row *row)
{
    bool done;
    if (!row->state.len)
        return store_changes_delete(call, row);
    int error = store_changes_end(call, row, &done);
    return error || done ? error : fail(call, E_NOT_FOUND, "This change is not kept any more.");
}

int history_end(struct call *call, const struct history_owner *owner, struct site_change *change,
                enum change_state state)
{
    struct work work;
    struct change_row row;
    work_begin(&work, call);
    int error = seal_end(&work.call, owner, change, state, &row);
    if (!error)
        error = complete(&work.call, &row);
    return work_end(&work, error);
}

struct history_ending {
    struct work work;
    struct change_row row;
};

int history_seal_end(struct call *call, const struct history_owner *owner, struct site_change *change,
                     enum change_state state, struct history_ending **ret)
{
    struct history_ending *ending = arena_new_of(call->arena, struct history_ending);
    work_begin(&ending->work, call);
    int error = seal_end(&ending->work.call, owner, change, state, &ending->row);
    *ret = ending;
    return error ? work_end(&ending->work, error) : OK;
}

int history_post_end(struct call *call, const struct history_ending *ending)
{
    return store_changes_post_end(call, &ending->row);
}

void history_end_posted(struct history_ending *ending)
{
    arena_reset(ending->work.call.arena);
}

/* ---- reading */

static enum change_state state_of(struct str word)
{
    return str_eq(word, STR("done")) ? CHANGE_DONE : str_eq(word, STR("begun")) ? CHANGE_BEGUN : CHANGE_UNKNOWN;
}

/* Everything but before and after. False: the note does not open, or the columns say something else. */
static bool read_note(struct call *call, const struct history_owner *owner, const struct change_row *row,
                      struct site_change *ret)
{
    struct str text;
    const struct json *note;
    *ret = (struct site_change){
        .number = row->number,
        .id = row->id,
        .state = state_of(row->state),
        .begun_at_ms = row->created_at_ms,
        .ended_at_ms = row->ended_at_ms,
        .undone_by = row->undone_by,
        .tool = row->tool,
        .token_name = row->token_name,
        .is_forgotten = !row->note_sealed.ptr,
    };
    if (ret->is_forgotten)
        return true;
    ret->is_sealed_shut = true;
    if (unseal(call, owner, row->id, STR("note_sealed"), row->note_sealed, &text) ||
        json_parse(call->arena, text, NULL, &note, NULL) != OK) {
        call_clear_error(call);
        return false;
    }
    ret->kind = json_str(json_get(note, STR("kind")));
    ret->item_type = json_str(json_get(note, STR("type")));
    ret->item_id = json_i64_or(json_get(note, STR("item")), 0);
    ret->undo_of = json_i64_or(json_get(note, STR("undo_of")), 0);
    ret->part_of = json_i64_or(json_get(note, STR("part_of")), 0);
    ret->before_lost = json_bool_or(json_get(note, STR("before_lost")), false);
    ret->after_lost = json_bool_or(json_get(note, STR("after_lost")), false);
    ret->note_json = json_raw(json_get(note, STR("note")));
    ret->is_sealed_shut = !str_eq(ret->kind, row->kind) || !str_eq(ret->item_type, row->item_type) ||
                          ret->item_id != row->item_id || ret->undo_of != row->undo_of || ret->part_of != row->part_of;
    return !ret->is_sealed_shut;
}

static struct str keep_text(struct call *outer, struct str text)
{
    struct str copy = str_copy(outer->arena, text);
    keyring_wipe_later(outer, (void *)(uintptr_t)copy.ptr, copy.len);
    return copy;
}

static int get(struct work *work, const struct history_owner *owner, int64_t number, struct site_change *ret)
{
    struct call *call = &work->call, *outer = work->outer;
    struct change_row row;
    struct str before, after;
    int error = store_changes_get(call, owner->user_id, owner->connection_id, number, &row);
    if (error)
        return error;
    bool is_good = read_note(outer, owner, &row, ret);
    ret->id = str_copy(outer->arena, row.id);
    ret->tool = str_copy(outer->arena, row.tool);
    ret->token_name = str_copy(outer->arena, row.token_name);
    if (ret->is_forgotten || row.created_at_ms < oldest_ms())
        return fail(call, E_NOT_FOUND, "Change %lld is older than %lld days: what it was is not kept any more.",
                    (long long)number, (long long)limits.days);
    if (!is_good || unseal(call, owner, row.id, STR("before_sealed"), row.before_sealed, &before) ||
        unseal(call, owner, row.id, STR("after_sealed"), row.after_sealed, &after) ||
        !from_pieces(call, before, after, &after))
        return fail(call, E_CRYPTO,
                    "Change %lld cannot be opened: its row was changed, or belongs to another key. It cannot be shown "
                    "or taken back.",
                    (long long)number);
    ret->before_json = keep_text(outer, before);
    ret->after_json = keep_text(outer, after);
    return OK;
}

int history_get(struct call *call, const struct history_owner *owner, int64_t number, struct site_change *ret)
{
    struct work work;
    work_begin(&work, call);
    return work_end(&work, get(&work, owner, number, ret));
}

int history_list(struct call *call, const struct history_owner *owner, const struct change_query *query,
                 struct change_list *ret)
{
    size_t limit = query->limit < CHANGES_LISTED_MAX ? query->limit : CHANGES_LISTED_MAX;
    struct change_rows rows;
    struct change_filter filter = {
        .user_id = owner->user_id,
        .connection_id = owner->connection_id,
        .item_id = query->item_id,
        .part_of = query->part_of,
        .below = query->below,
        .from_ms = oldest_ms(),
        .limit = (int64_t)limit + 1,
    };
    int error = store_changes_list(call, &filter, &rows);
    if (error)
        return error;
    ret->has_more = rows.count > limit;
    ret->count = ret->has_more ? limit : rows.count;
    ret->items = arena_array_of(call->arena, struct site_change, ret->count + 1);
    for (size_t i = 0; i < ret->count; i++)
        (void)read_note(call, owner, &rows.items[i], &ret->items[i]);
    return OK;
}
