/* Checking the audit chains: every row in the order of its id, each chain against its head and its checkpoints. */
#include "audit/chain.h"
#include "audit/checkpoint.h"
#include "net/task.h"

#include <sodium.h>
#include <stdlib.h>

enum { ROWS_AT_ONCE = 500, WRITERS_MAX = 10 * 1000, BATCH_BUDGET_BYTES = 64 * 1024 * 1024 };

/* A checkpoint as it is kept while rows are read: there may be a million. */
struct kept_mark {
    int64_t seq, at_ms;
    unsigned char hash[(MAC_HEX_BYTES - 1) / 2];
};

struct chain_state {
    struct str writer;
    int64_t seq; /* of the last row seen, or removed by retention */
    int64_t last_id;
    struct kept_mark *marks; /* its checkpoints, by number; freed by free_marks() */
    size_t n_marks, marks_capacity, next_mark;
    char hash[MAC_HEX_BYTES];
    bool has_head, head_is_right;
    int64_t head_seq, late_head_seq; /* before the rows were read, and after */
    struct str head_hash;
};

struct verification {
    struct arena *arena; /* lives as long as the verification; the call's own is changed batch by batch */
    struct chain_state *states;
    size_t n_states, capacity;
    struct chain_state *latest; /* rows of a writer often stand together */
    struct audit_verdict verdict;
    bool is_out_of_memory; /* for the checkpoints */
};

static struct chain_state *find_state(struct verification *v, struct str writer)
{
    if (v->latest && str_eq(v->latest->writer, writer))
        return v->latest;
    for (size_t i = 0; i < v->n_states; i++)
        if (str_eq(v->states[i].writer, writer))
            return v->latest = &v->states[i];
    return NULL;
}

static struct chain_state *add_state(struct verification *v, struct str writer)
{
    if (v->n_states == v->capacity) {
        size_t capacity = v->capacity ? 2 * v->capacity : 16;
        struct chain_state *states = arena_array_of(v->arena, struct chain_state, capacity);
        if (v->n_states)
            memcpy(states, v->states, v->n_states * sizeof *states);
        v->states = states;
        v->capacity = capacity;
        v->latest = NULL;
    }
    struct chain_state *state = &v->states[v->n_states++];
    *state = (struct chain_state){.writer = str_copy(v->arena, writer)};
    return state;
}

static void broken(struct verification *v, int64_t id, const char *format, ...) PRINTF_LIKE(3, 4);
static void broken(struct verification *v, int64_t id, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    v->verdict.ok = false;
    v->verdict.broken_id = id;
    v->verdict.problem = str_format_list(v->arena, format, list);
    va_end(list);
}

/* Heads first: whatever they name is committed by now, so it must be found; what is newer is left for the next time. */
static int read_heads(struct call *call, struct verification *v)
{
    struct audit_heads heads;
    int error = store_audit_heads(call, &heads);
    for (size_t i = 0; !error && i < heads.count; i++) {
        const struct audit_head *head = &heads.items[i];
        struct str hash;
        struct chain_state *state = add_state(v, head->writer);
        state->has_head = true;
        state->head_seq = head->seq;
        state->head_is_right = chain_head_read(call->arena, head, &hash);
        state->head_hash = str_copy(v->arena, hash);
    }
    return error;
}

/* ---- what retention removed */

static void take_tombstone(struct call *call, struct verification *v, const struct audit_mark *mark)
{
    struct chain_state *state = find_state(v, mark->writer);
    if (!state && v->n_states < WRITERS_MAX)
        state = add_state(v, mark->writer);
    if (!state || mark->seq <= state->seq)
        return;
    if (!mark_is_signed(call->arena, MARK_TOMBSTONE, mark)) {
        broken(v, 0, "the tombstone of the writer \"%.*s\" was changed: rows were removed, and not by retention",
               STR_ARG(mark->writer));
        return;
    }
    v->verdict.removed += mark->seq - state->seq;
    state->seq = mark->seq;
    if (!str_to_cstr(mark->hash, state->hash, sizeof state->hash))
        state->hash[0] = '\0';
}

static int read_tombstones(struct call *call, struct verification *v)
{
    struct audit_marks marks;
    int error = store_tombstones(call, &marks);
    for (size_t i = 0; !error && v->verdict.ok && i < marks.count; i++)
        take_tombstone(call, v, &marks.items[i]);
    return error;
}

/* ---- checkpoints */

static void free_marks(void *object)
{
    struct verification *v = object;
    for (size_t i = 0; i < v->n_states; i++)
        free(v->states[i].marks);
}

static bool make_room(struct chain_state *state)
{
    if (state->n_marks < state->marks_capacity)
        return true;
    size_t capacity = state->marks_capacity ? 2 * state->marks_capacity : 16;
    struct kept_mark *marks = realloc(state->marks, capacity * sizeof *marks);
    if (!marks)
        return false;
    state->marks = marks;
    state->marks_capacity = capacity;
    return true;
}

static void add_checkpoint(void *context, const struct audit_mark *mark)
{
    struct verification *v = context;
    struct chain_state *state = find_state(v, mark->writer);
    if (!state && v->n_states < WRITERS_MAX)
        state = add_state(v, mark->writer);
    if (!state)
        return;
    if (!make_room(state)) {
        v->is_out_of_memory = true;
        return;
    }
    struct kept_mark *kept = &state->marks[state->n_marks++];
    *kept = (struct kept_mark){.seq = mark->seq, .at_ms = mark->at_ms};
    if (sodium_hex2bin(kept->hash, sizeof kept->hash, mark->hash.ptr, mark->hash.len, NULL, NULL, NULL) != 0)
        memset(kept->hash, 0, sizeof kept->hash); /* of no row */
}

static int by_number(const void *left, const void *right)
{
    const struct kept_mark *a = left, *b = right;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static bool is_hash(const struct kept_mark *mark, struct str hash)
{
    char hex[MAC_HEX_BYTES];
    sodium_bin2hex(hex, sizeof hex, mark->hash, sizeof mark->hash);
    return str_eq(hash, str_from(hex));
}

static int read_checkpoints_of_database(struct call *call, struct verification *v)
{
    struct str writer = STR_EMPTY;
    int64_t seq = 0;
    for (;;) {
        struct audit_marks marks;
        int error = store_checkpoints_after(call, writer, seq, ROWS_AT_ONCE, &marks);
        if (error || marks.count == 0)
            return error;
        for (size_t i = 0; i < marks.count && v->verdict.ok; i++) {
            if (mark_is_signed(call->arena, MARK_CHECKPOINT, &marks.items[i]))
                add_checkpoint(v, &marks.items[i]);
            else
                broken(v, 0, "the checkpoint %lld of the writer \"%.*s\" was changed", (long long)marks.items[i].seq,
                       STR_ARG(marks.items[i].writer));
        }
        writer = str_copy(v->arena, marks.items[marks.count - 1].writer);
        seq = marks.items[marks.count - 1].seq;
        arena_reset(call->arena);
    }
}

static int read_checkpoints_of_file(struct call *call, struct verification *v, const char *path)
{
    struct checkpoint_file file;
    int error = checkpoint_read(call, path, add_checkpoint, v, &file);
    if (error)
        return error;
    v->verdict.foreign = file.n_foreign;
    if (file.bad_line)
        broken(v, 0, "line %lld of %s is no checkpoint that this server signed", (long long)file.bad_line, path);
    arena_reset(call->arena);
    return OK;
}

static int read_checkpoints(struct call *call, struct verification *v, const char *path)
{
    int error = path ? read_checkpoints_of_file(call, v, path) : OK;
    if (!error && v->verdict.ok)
        error = read_checkpoints_of_database(call, v);
    if (!error && v->is_out_of_memory)
        return fail(call, E_UNAVAILABLE, "There is no memory for this many checkpoints.");
    for (size_t i = 0; i < v->n_states; i++)
        if (v->states[i].n_marks)
            qsort(v->states[i].marks, v->states[i].n_marks, sizeof(struct kept_mark), by_number);
    return error;
}

/* Those of this row; earlier ones are of rows that retention took. */
static void compare_checkpoints(struct verification *v, struct chain_state *state, int64_t id,
                                const struct chain_link *link)
{
    for (; state->next_mark < state->n_marks; state->next_mark++) {
        const struct kept_mark *mark = &state->marks[state->next_mark];
        if (mark->seq > link->seq)
            return;
        if (mark->seq < link->seq)
            continue;
        v->verdict.checkpoints++;
        if (is_hash(mark, link->hash))
            continue;
        char at[CLOCK_TEXT_BYTES];
        clock_format(mark->at_ms, at);
        broken(v, id, "the chain of \"%.*s\" was rewritten: the checkpoint of %s has another hash for this row",
               STR_ARG(state->writer), at);
        return;
    }
}

/* ---- rows */

/* Retention may go on while we look. */
static int look_for_late_tombstone(struct call *call, struct verification *v, const struct chain_state *state,
                                   const struct chain_link *link)
{
    return link->seq > state->seq + 1 ? read_tombstones(call, v) : OK;
}

static void judge_row(struct call *call, struct verification *v, struct chain_state *state, const struct audit_row *row,
                      const struct json *data, const struct chain_link *link)
{
    if (link->seq > state->seq + 1)
        broken(v, row->id, "before this row %lld rows of the writer \"%.*s\" are missing",
               (long long)(link->seq - state->seq - 1), STR_ARG(link->writer));
    else if (link->seq != state->seq + 1)
        broken(v, row->id, "the row's number %lld of the writer \"%.*s\" is out of order", (long long)link->seq,
               STR_ARG(link->writer));
    else if (!chain_hash_is_right(call->arena, data, link))
        broken(v, row->id, "the row was changed: its hash does not fit");
    else if (!str_eq(link->prev, str_from(state->hash)))
        broken(v, row->id, "the row does not follow the one before it");
    else if (!str_eq(link->action, row->action) || link->at_ms != row->created_at_ms)
        broken(v, row->id, "action or time of the row were changed");
    else if ((row->user_id && row->user_id != link->user_id) ||
             (row->connection_id && row->connection_id != link->connection_id))
        broken(v, row->id, "user or connection of the row were changed");
    else if (state->has_head && state->head_is_right && link->seq == state->head_seq &&
             !str_eq(link->hash, state->head_hash))
        broken(v, row->id, "the chain of \"%.*s\" was rewritten: its end does not fit its head", STR_ARG(link->writer));
    else
        compare_checkpoints(v, state, row->id, link);
}

static int check_row(struct call *call, struct verification *v, const struct audit_row *row)
{
    const struct json *data;
    struct chain_link link;
    v->verdict.rows++;
    if (!chain_read(call->arena, row->data_json, &data, &link))
        return OK;
    struct chain_state *state = find_state(v, link.writer);
    if (!state && v->n_states < WRITERS_MAX)
        state = add_state(v, link.writer);
    if (!state || (state->has_head && state->head_is_right && link.seq > state->head_seq))
        return OK; /* newer than what is looked at; a missing head is noticed at the end */
    v->verdict.chained++;
    int error = look_for_late_tombstone(call, v, state, &link);
    if (error || !v->verdict.ok)
        return error;
    state = find_state(v, link.writer); /* a tombstone of a new writer may have moved them */
    judge_row(call, v, state, row, data, &link);
    if (!v->verdict.ok)
        return OK;
    state->seq = link.seq;
    state->last_id = row->id;
    if (!str_to_cstr(link.hash, state->hash, sizeof state->hash))
        state->hash[0] = '\0';
    return OK;
}

/* ---- pages: while one is checked, the database reads the next */

struct page {
    struct call call;
    struct call *reader; /* who checks it; NULL: has gone */
    struct audit_rows rows;
    int64_t after_id;
    bool is_read;
};

static void page_free(struct page *page)
{
    arena_free(page->call.arena);
    free(page);
}

/* Whoever checks ends, perhaps in the middle of it: what is still being read goes by itself. */
static void page_release(void *object)
{
    struct page *page = object;
    page->reader = NULL;
    if (page->is_read)
        page_free(page);
}

static struct page *page_new(struct call *call, struct verification *v)
{
    struct page *page = calloc(1, sizeof *page);
    struct arena *arena = page ? arena_new(BATCH_BUDGET_BYTES) : NULL;
    if (!arena) {
        free(page);
        return NULL;
    }
    page->call.arena = arena;
    page->reader = call;
    page->is_read = true;
    arena_defer(v->arena, page_release, page);
    return page;
}

static void read_page(struct call *call, void *context)
{
    struct page *page = context;
    call->error = (enum error)store_audit_after(call, page->after_id, ROWS_AT_ONCE, &page->rows);
}

static void page_was_read(struct call *call, void *context)
{
    struct page *page = context;
    (void)call;
    page->is_read = true;
    if (page->reader)
        task_wake(page->reader);
    else
        page_free(page);
}

static int page_begin(struct call *call, struct page *page, int64_t after_id)
{
    struct arena *arena = page->call.arena;
    arena_reset(arena);
    call_init(&page->call, arena, call_time_left_ms(call));
    page->after_id = after_id;
    page->is_read = false;
    if (call->db_link) { /* in a transaction, which only this call sees */
        page->call.db_link = call->db_link;
        read_page(&page->call, page);
        page->call.db_link = NULL;
        page->is_read = true;
    } else if (task_spawn(&page->call, read_page, page_was_read, page) != OK) {
        page->is_read = true;
        return fail(call, E_UNAVAILABLE, "There is no memory for this.");
    }
    return OK;
}

static int page_await(struct call *call, struct verification *v, struct page *page)
{
    while (!page->is_read)
        task_park_firmly(call);
    if (page->call.error) {
        call->error = page->call.error;
        call->error_text = str_copy(v->arena, page->call.error_text);
        call->error_detail = str_copy(v->arena, page->call.error_detail);
    }
    return page->call.error;
}

static int check_rows(struct call *call, struct verification *v)
{
    struct page *page = page_new(call, v), *next = page_new(call, v);
    if (!page || !next)
        return fail(call, E_UNAVAILABLE, "There is no memory for this.");
    int error = page_begin(call, page, INT64_MIN);
    while (!error && v->verdict.ok) {
        error = page_await(call, v, page);
        if (error || page->rows.count == 0)
            break;
        error = page_begin(call, next, page->rows.items[page->rows.count - 1].id);
        for (size_t i = 0; !error && v->verdict.ok && i < page->rows.count; i++)
            error = check_row(call, v, &page->rows.items[i]);
        if (!error) /* else its texts are in there */
            arena_reset(call->arena);
        struct page *checked = page;
        page = next;
        next = checked;
    }
    while (!page->is_read) /* the last one that was begun: the database is closed behind us */
        task_park_firmly(call);
    return error;
}

/* What the heads and the newest checkpoints say is there. */
static void check_ends(struct verification *v)
{
    for (size_t i = 0; i < v->n_states && v->verdict.ok; i++) {
        const struct chain_state *state = &v->states[i];
        const struct kept_mark *newest = state->n_marks ? &state->marks[state->n_marks - 1] : &(struct kept_mark){0};
        if (state->seq)
            v->verdict.chains++;
        if (!state->has_head)
            broken(v, 0, "the head of the writer \"%.*s\" is missing", STR_ARG(state->writer));
        else if (!state->head_is_right)
            broken(v, 0, "the head of the writer \"%.*s\" was changed", STR_ARG(state->writer));
        else if (state->seq < state->head_seq)
            broken(v, 0, "%lld rows are missing at the end of the writer \"%.*s\"",
                   (long long)(state->head_seq - state->seq), STR_ARG(state->writer));
        else if (state->seq == state->head_seq && state->seq && !str_eq(str_from(state->hash), state->head_hash))
            broken(v, state->last_id, "the chain of \"%.*s\" was rewritten: its end does not fit its head",
                   STR_ARG(state->writer));
        else if (state->late_head_seq < state->seq) /* a row and its head are one transaction */
            broken(v, 0, "the head of the writer \"%.*s\" was put back: retention has removed rows up to %lld",
                   STR_ARG(state->writer), (long long)state->seq);
        else if (state->late_head_seq < newest->seq) {
            char at[CLOCK_TEXT_BYTES];
            clock_format(newest->at_ms, at);
            broken(
                v, 0,
                "%lld rows are missing at the end of the writer \"%.*s\", and its head was put back: the checkpoint of "
                "%s says so",
                (long long)(newest->seq - state->seq), STR_ARG(state->writer), at);
        }
        if (!v->verdict.ok)
            v->verdict.last_id = state->last_id;
    }
}

/* A chain that began after the heads were read has its head now; others may have grown. */
static int look_for_late_heads(struct call *call, struct verification *v)
{
    struct audit_heads heads;
    int error = store_audit_heads(call, &heads);
    for (size_t i = 0; !error && i < heads.count; i++) {
        struct chain_state *state = find_state(v, heads.items[i].writer);
        if (state)
            state->late_head_seq = heads.items[i].seq;
        if (state && !state->has_head) {
            struct str hash;
            state->has_head = true;
            state->head_is_right = chain_head_read(call->arena, &heads.items[i], &hash);
        }
    }
    return error;
}

/* ---- memory: the rows of one batch at a time */

struct batch {
    struct call *call;
    struct arena *parent;
};

static void batch_exhausted(struct arena *arena, size_t size, void *context)
{
    struct batch *batch = context;
    (void)arena;
    (void)size;
    batch->call->arena = batch->parent;
    arena_alloc(batch->parent, SIZE_MAX / 2); /* abandons the call */
}

static void free_arena(void *object)
{
    arena_free(object);
}

int audit_verify(struct call *call, const char *checkpoints, struct audit_verdict *ret)
{
    struct arena *parent = call->arena, *rows = arena_new(BATCH_BUDGET_BYTES);
    if (!rows)
        return fail(call, E_UNAVAILABLE, "There is no memory for this.");
    arena_defer(parent, free_arena, rows);
    struct batch *batch = arena_new_of(parent, struct batch);
    *batch = (struct batch){call, parent};
    arena_on_exhausted(rows, batch_exhausted, batch);

    struct verification *v = arena_new_of(parent, struct verification);
    *v = (struct verification){.arena = parent, .verdict = {.ok = true}};
    arena_defer(parent, free_marks, v);
    call->arena = rows;
    int error = read_heads(call, v);
    if (!error)
        error = read_tombstones(call, v);
    if (!error && v->verdict.ok)
        error = read_checkpoints(call, v, checkpoints);
    if (!error && v->verdict.ok)
        error = check_rows(call, v);
    if (!error && v->verdict.ok)
        error = look_for_late_heads(call, v);
    call->arena = parent;
    if (error) { /* the texts are in the batch's arena */
        call->error_text = str_copy(parent, call->error_text);
        call->error_detail = str_copy(parent, call->error_detail);
        return error;
    }
    if (v->verdict.ok)
        check_ends(v);
    *ret = v->verdict;
    return OK;
}
