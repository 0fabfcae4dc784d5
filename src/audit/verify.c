/* Checking the audit chains: every row in the order of its id, each chain against its head. */
#include "audit/chain.h"

enum { ROWS_AT_ONCE = 500, WRITERS_MAX = 10 * 1000, BATCH_BUDGET_BYTES = 64 * 1024 * 1024 };

struct chain_state {
    struct str writer;
    int64_t seq; /* of the last row seen */
    char hash[MAC_HEX_BYTES];
    bool has_head, head_is_right;
    int64_t head_seq;
    struct str head_hash;
};

struct verification {
    struct arena *arena; /* lives as long as the verification; the call's own is changed batch by batch */
    struct chain_state *states;
    size_t n_states, capacity;
    struct audit_verdict verdict;
};

static struct chain_state *find_state(struct verification *v, struct str writer)
{
    for (size_t i = 0; i < v->n_states; i++)
        if (str_eq(v->states[i].writer, writer))
            return &v->states[i];
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

static void check_row(struct call *call, struct verification *v, const struct audit_row *row)
{
    const struct json *data;
    struct chain_link link;
    v->verdict.rows++;
    if (!chain_read(call->arena, row->data_json, &data, &link))
        return;
    struct chain_state *state = find_state(v, link.writer);
    if (!state && v->n_states < WRITERS_MAX)
        state = add_state(v, link.writer);
    if (!state || (state->has_head && state->head_is_right && link.seq > state->head_seq))
        return; /* newer than what is looked at; a missing head is noticed at the end */
    v->verdict.chained++;
    if (link.seq > state->seq + 1)
        broken(v, row->id, "before this row %lld rows of the writer \"%.*s\" are missing",
               (long long)(link.seq - state->seq - 1), STR_ARG(link.writer));
    else if (link.seq != state->seq + 1)
        broken(v, row->id, "the row's number %lld of the writer \"%.*s\" is out of order", (long long)link.seq,
               STR_ARG(link.writer));
    else if (!chain_hash_is_right(call->arena, data, &link))
        broken(v, row->id, "the row was changed: its hash does not fit");
    else if (!str_eq(link.prev, str_from(state->hash)))
        broken(v, row->id, "the row does not follow the one before it");
    else if (!str_eq(link.action, row->action) || link.at_ms != row->created_at_ms)
        broken(v, row->id, "action or time of the row were changed");
    else if ((row->user_id && row->user_id != link.user_id) ||
             (row->connection_id && row->connection_id != link.connection_id))
        broken(v, row->id, "user or connection of the row were changed");
    else if (state->has_head && state->head_is_right && link.seq == state->head_seq &&
             !str_eq(link.hash, state->head_hash))
        broken(v, row->id, "the chain of \"%.*s\" was rewritten: its end does not fit its head", STR_ARG(link.writer));
    if (!v->verdict.ok)
        return;
    state->seq = link.seq;
    if (!str_to_cstr(link.hash, state->hash, sizeof state->hash))
        state->hash[0] = '\0';
}

static int check_rows(struct call *call, struct verification *v)
{
    int64_t last_id = INT64_MIN;
    for (;;) {
        struct audit_rows rows;
        int error = store_audit_after(call, last_id, ROWS_AT_ONCE, &rows);
        if (error || rows.count == 0)
            return error;
        for (size_t i = 0; i < rows.count; i++) {
            check_row(call, v, &rows.items[i]);
            if (!v->verdict.ok)
                return OK;
        }
        last_id = rows.items[rows.count - 1].id;
        arena_reset(call->arena);
    }
}

static void check_ends(struct verification *v)
{
    for (size_t i = 0; i < v->n_states && v->verdict.ok; i++) {
        const struct chain_state *state = &v->states[i];
        if (state->seq)
            v->verdict.chains++;
        if (!state->has_head)
            broken(v, 0, "the head of the writer \"%.*s\" is missing", STR_ARG(state->writer));
        else if (!state->head_is_right)
            broken(v, 0, "the head of the writer \"%.*s\" was changed", STR_ARG(state->writer));
        else if (state->seq < state->head_seq)
            broken(v, 0, "%lld rows are missing at the end of the writer \"%.*s\"",
                   (long long)(state->head_seq - state->seq), STR_ARG(state->writer));
    }
}

/* A chain that began after the heads were read has its head now. */
static int look_for_late_heads(struct call *call, struct verification *v)
{
    struct audit_heads heads;
    int error = store_audit_heads(call, &heads);
    for (size_t i = 0; !error && i < heads.count; i++) {
        struct chain_state *state = find_state(v, heads.items[i].writer);
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

int audit_verify(struct call *call, struct audit_verdict *ret)
{
    struct arena *parent = call->arena, *rows = arena_new(BATCH_BUDGET_BYTES);
    if (!rows)
        return fail(call, E_UNAVAILABLE, "There is no memory for this.");
    arena_defer(parent, free_arena, rows);
    struct batch *batch = arena_new_of(parent, struct batch);
    *batch = (struct batch){call, parent};
    arena_on_exhausted(rows, batch_exhausted, batch);

    struct verification v = {.arena = parent, .verdict = {.ok = true}};
    call->arena = rows;
    int error = read_heads(call, &v);
    if (!error)
        error = check_rows(call, &v);
    if (!error && v.verdict.ok)
        error = look_for_late_heads(call, &v);
    call->arena = parent;
    if (error) { /* the texts are in the batch's arena */
        call->error_text = str_copy(parent, call->error_text);
        call->error_detail = str_copy(parent, call->error_detail);
        return error;
    }
    check_ends(&v);
    *ret = v.verdict;
    return OK;
}
