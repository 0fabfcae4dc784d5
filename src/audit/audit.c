/* Recording what was done. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "audit/audit.h"

#include "audit/chain.h"
#include "audit/checkpoint.h"
#include "audit/journal.h"
#include "audit/retention.h"
#include "audit/watch.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/task.h"

#include <unistd.h>

enum { WRITER_BYTES = 128, HEAD_BYTES = 256, FLUSH_BUDGET_BYTES = 24 * 1024 * 1024, FLUSH_TIMEOUT_MS = 10 * 1000 };

/* An event that waits to be written, in one heap block. */
struct queued {
    struct queued *next;
    struct audit_event event;
    int64_t at_ms;
    char text[];
};

static struct audit {
    char writer[WRITER_BYTES];
    struct queued *first, **last;
    size_t n_queued;
    int64_t n_dropped;
    bool is_flushing;
    bool has_timer;
    struct loop_timer timer;
    int64_t n_unmarked; /* rows since the last checkpoint; those of a transaction that was rolled back count too */
    bool is_marking;
    struct loop_timer mark_timer;
    struct {
        bool is_known;
        int64_t seq;
        char hash[HEAD_BYTES]; /* as the row has it */
    } head;                    /* of our chain, as this process wrote it last */
} audit = {.last = &audit.first};

static void timer_ran(void *context);
static void mark_timer_ran(void *context);

int audit_init(struct call *call, struct str writer)
{
    char host[64] = "host";
    if (writer.len == 0) {
        gethostname(host, sizeof host - 1);
        snprintf(audit.writer, sizeof audit.writer, "%s/main", host);
    } else if (!str_to_cstr(writer, audit.writer, sizeof audit.writer)) {
        return fail(call, E_INVALID, "The name of the audit writer is longer than %d characters.", WRITER_BYTES - 1);
    }
    audit.has_timer =
        loop_timer_init(&audit.timer, timer_ran, NULL) && loop_timer_init(&audit.mark_timer, mark_timer_ran, NULL);
    if (!audit.has_timer)
        return fail(call, E_UNAVAILABLE, "There is no memory for the audit log.");
    return OK;
}

void audit_done(void)
{
    if (audit.has_timer) {
        loop_timer_done(&audit.timer);
        loop_timer_done(&audit.mark_timer);
    }
    checkpoint_close();
    while (audit.first) {
        struct queued *first = audit.first;
        audit.first = first->next;
        free(first);
    }
    audit = (struct audit){.last = &audit.first};
}

/* ---- the chain */

struct timed_event {
    const struct audit_event *event;
    int64_t at_ms;
};

/*
 * The head's MAC is wrong: somebody wrote it who has no key. Adding to that chain would vouch for it; what follows goes into a
 * new one, and audit_verify() finds the old one as it was left.
 */
static int begin_new_chain(struct call *call, int64_t count, struct audit_head *ret_head)
{
    unsigned char random_bytes[4];
    char hex[2 * sizeof random_bytes + 1];
    randombytes_buf(random_bytes, sizeof random_bytes);
    sodium_bin2hex(hex, sizeof hex, random_bytes, sizeof random_bytes);
    log_error("the head of the audit chain \"%s\" was changed by others; see `porteiro audit verify`", audit.writer);
    watch_head_changed(str_from(audit.writer));
    struct str base = str_from(audit.writer);
    base = str_sub(base, 0, str_find_char(base, '~'));
    base = str_copy(call->arena, str_sub(base, 0, WRITER_BYTES - 1 - sizeof hex));
    snprintf(audit.writer, sizeof audit.writer, "%.*s~%s", STR_ARG(base), hex);
    return store_audit_take(call, str_copy(call->arena, str_from(audit.writer)), count, ret_head);
}

/* The event as the row of its place behind the head; its hash. */
static struct str seal_event(struct arena *arena, const struct timed_event *timed, const struct audit_head *head,
                             int64_t place, struct str prev, struct audit_new *ret)
{
    const struct audit_event *event = timed->event;
    struct chain_link link = {
        .writer = head->writer,
        .seq = head->seq + 1 + place,
        .prev = prev,
        .user_id = event->user_id,
        .connection_id = event->connection_id,
        .token_id = event->token_id,
        .action = str_sub(event->action, 0, AUDIT_ACTION_BYTES_MAX),
        .at_ms = timed->at_ms,
    };
    struct str data = chain_seal(arena, event->data_json, &link);
    *ret = (struct audit_new){link.user_id, link.connection_id, link.action, data, link.at_ms};
    return link.hash;
}

/* A checkpoint comes a minute after the first row it stands for, or when there are many. */
static void count_unmarked(int64_t count)
{
    bool was_none = audit.n_unmarked == 0, were_few = audit.n_unmarked < CHECKPOINT_ROWS;
    audit.n_unmarked += count;
    if (!audit.has_timer || audit.is_marking)
        return;
    if (were_few && audit.n_unmarked >= CHECKPOINT_ROWS)
        loop_timer_set(&audit.mark_timer, 1);
    else if (was_none)
        loop_timer_set(&audit.mark_timer, CHECKPOINT_MS);
}

static void remember_head(int64_t seq, struct str hash)
{
    audit.head.seq = seq;
    audit.head.is_known = str_to_cstr(hash, audit.head.hash, sizeof audit.head.hash);
}

/* Only where a transaction has the database for itself is the head still what it was. */
static bool knows_head(void)
{
    return audit.head.is_known && db_kind(store_db()) == DB_SQLITE && !journal_is_open() &&
           watch_has_begun(str_from(audit.writer));
}

/*
 * In a transaction, without asking: behind the head as we left it. Should it be another by now, the transaction fails with E_CONFLICT
 * and append() finds out why.
 */
static int append_behind(struct call *call, const struct timed_event *event)
{
    struct audit_head head = {str_copy(call->arena, str_from(audit.writer)), audit.head.seq,
                              str_copy(call->arena, str_from(audit.head.hash))};
    struct audit_new row;
    struct str prev = str_sub(head.hash, 0, str_find_char(head.hash, '.'));
    struct str hash = seal_event(call->arena, event, &head, 0, prev, &row);
    hash = chain_head_make(call->arena, head.writer, head.seq + 1, hash);
    int error = store_audit_post(call, &head, hash, &row);
    remember_head(head.seq + 1, hash);
    count_unmarked(1);
    return error;
}

/* In a transaction. The events need one number each. */
static int append(struct call *call, const struct timed_event *events, size_t count)
{
    struct audit_head head;
    struct str prev;
    int error = store_audit_take(call, str_copy(call->arena, str_from(audit.writer)), (int64_t)count, &head);
    if (!error && !chain_head_read(call->arena, &head, &prev)) {
        error = begin_new_chain(call, (int64_t)count, &head);
        prev = STR_EMPTY;
    }
    if (!error)
        error = watch_begin(call, head.writer, head.seq, prev);
    if (error)
        return error;
    /* A statement's worth at a time: while one is written, the loop serves others; sealing a whole batch would hold them up. */
    for (size_t done = 0; !error && done < count; done += STORE_AUDIT_ROWS_A_STATEMENT) {
        struct audit_new rows[STORE_AUDIT_ROWS_A_STATEMENT];
        size_t n_rows = count - done < ARRAY_LENGTH(rows) ? count - done : ARRAY_LENGTH(rows);
        for (size_t i = 0; i < n_rows; i++)
            prev = seal_event(call->arena, &events[done + i], &head, (int64_t)(done + i), prev, &rows[i]);
        error = store_audit_insert(call, rows, n_rows);
    }
    struct str hash = chain_head_make(call->arena, head.writer, head.seq + (int64_t)count, prev);
    if (!error)
        error = store_audit_set_head(call, head.writer, hash);
    if (!error) {
        remember_head(head.seq + (int64_t)count, hash);
        count_unmarked((int64_t)count);
    }
    for (size_t i = 0; !error && i < count; i++)
        error =
            journal_write(call, events[i].event->action, events[i].event->data_json, events[i].at_ms, i + 1 == count);
    return error;
}

static void (*observe)(const struct audit_event *event);

void audit_set_observer(void (*observer)(const struct audit_event *event))
{
    observe = observer;
}

/* What else goes into the transaction. */
struct more {
    int (*post)(struct call *call, void *context);
    void *context;
};

static int try_to_write(struct call *call, const struct timed_event *events, size_t count, const struct more *more,
                        bool *ret_behind)
{
    bool mine;
    int error = store_begin(call, &mine);
    *ret_behind = mine && count == 1 && knows_head(); /* of others' transactions none may fail for it */
    if (!error && more)
        error = more->post(call, more->context);
    if (!error)
        error = *ret_behind ? append_behind(call, events) : append(call, events, count);
    error = store_end(call, mine, error);
    if (error)
        audit.head.is_known = false;
    return error;
}

static int write_events(struct call *call, const struct timed_event *events, size_t count, const struct more *more)
{
    bool behind;
    int error = try_to_write(call, events, count, more, &behind);
    if (error == E_CONFLICT && behind) {
        call_clear_error(call);
        error = try_to_write(call, events, count, more, &behind);
    }
    for (size_t i = 0; !error && observe && i < count; i++)
        observe(events[i].event);
    return error;
}

void audit_write_origin(struct json_writer *w, const struct call *call)
{
    json_member_str(w, "call", str_from(call->id));
    if (call->client.len)
        json_member_str(w, "client", call->client);
}

static int record(struct call *call, const struct audit_event *event, const struct more *more)
{
    const struct timed_event events[] = {{event, clock_now_ms()}};
    bool alone = !call->db_link;
    int error = write_events(call, events, 1, more);
    /* User or connection went in this very moment, or the database undid it. */
    if (alone && (error == E_NOT_FOUND || (error && db_was_rolled_back(call)))) {
        call_clear_error(call);
        error = write_events(call, events, 1, more);
    }
    return error;
}

int audit_record(struct call *call, const struct audit_event *event)
{
    return record(call, event, NULL);
}

int audit_record_with(struct call *call, const struct audit_event *event, int (*post)(struct call *call, void *context),
                      void *context)
{
    return record(call, event, &(struct more){post, context});
}

/* ---- batches */

static struct str keep(char **at, struct str s)
{
    struct str kept = {*at, s.len};
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

void audit_later(const struct audit_event *event)
{
    struct str action = str_sub(event->action, 0, AUDIT_ACTION_BYTES_MAX);
    struct queued *queued = NULL;
    if (audit.n_queued < AUDIT_QUEUE_ROWS_MAX)
        queued = malloc(sizeof *queued + action.len + event->data_json.len);
    if (!queued) {
        audit.n_dropped++;
        return;
    }
    char *at = queued->text;
    *queued = (struct queued){.event = *event, .at_ms = clock_now_ms()};
    queued->event.action = keep(&at, action);
    queued->event.data_json = keep(&at, event->data_json);
    *audit.last = queued;
    audit.last = &queued->next;
    audit.n_queued++;
    if (audit.has_timer && !audit.is_flushing) {
        if (audit.n_queued == 1)
            loop_timer_set(&audit.timer, AUDIT_BATCH_MS);
        else if (audit.n_queued == AUDIT_BATCH_ROWS)
            loop_timer_set(&audit.timer, 0);
    }
}

static bool has_room(size_t rows, size_t bytes)
{
    return rows < AUDIT_BATCH_ROWS || (rows < AUDIT_BATCH_ROWS_MAX && bytes < AUDIT_BATCH_BYTES_MAX);
}

/* The first of the queue, up to a batch; they leave it only when they are written. */
static int flush_batch(struct call *call)
{
    struct timed_event *events = arena_array_of(call->arena, struct timed_event, AUDIT_BATCH_ROWS_MAX + 1);
    struct audit_event dropped = {.action = STR("audit.dropped")};
    size_t count = 0, bytes = 0;
    int64_t n_dropped = audit.n_dropped;
    for (struct queued *at = audit.first; at && has_room(count, bytes); at = at->next) {
        events[count++] = (struct timed_event){&at->event, at->at_ms};
        bytes += at->event.data_json.len;
    }
    size_t n_taken = count;
    if (n_dropped) {
        dropped.data_json = call_format(call, "{\"events\":%lld}", (long long)n_dropped);
        events[count++] = (struct timed_event){&dropped, clock_now_ms()};
    }
    int error = write_events(call, events, count, NULL);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        error = write_events(call, events, count, NULL);
    }
    if (error)
        return error;
    audit.n_dropped -= n_dropped;
    audit.n_queued -= n_taken;
    while (n_taken--) {
        struct queued *first = audit.first;
        audit.first = first->next;
        free(first);
    }
    if (!audit.first)
        audit.last = &audit.first;
    return OK;
}

static int flush_all(struct call *call)
{
    int error = OK;
    while (!error && (audit.n_queued || audit.n_dropped))
        error = flush_batch(call);
    return error;
}

/* The background flush: a batch a task, so that its memory is bounded. */
static void flush_task(struct call *call, void *context)
{
    (void)context;
    call->error = flush_batch(call);
}

static void flush_ended(struct call *call, void *context)
{
    int error = call->error;
    (void)context;
    audit.is_flushing = false;
    if (error)
        log_warning("the audit log cannot be written, %zu events wait: %.*s %.*s", audit.n_queued,
                    STR_ARG(call->error_text), STR_ARG(call->error_detail));
    if (audit.has_timer && (audit.n_queued || audit.n_dropped))
        loop_timer_set(&audit.timer, error ? AUDIT_RETRY_MS : audit.n_queued >= AUDIT_BATCH_ROWS ? 0 : AUDIT_BATCH_MS);
    arena_free(call->arena);
    free(call);
}

/* A task without a request. False: there is no memory for it now. */
static bool start(void (*run)(struct call *, void *), void (*ended)(struct call *, void *))
{
    struct call *call = calloc(1, sizeof *call);
    struct arena *arena = call ? arena_new(FLUSH_BUDGET_BYTES) : NULL;
    if (arena) {
        call_init(call, arena, FLUSH_TIMEOUT_MS);
        if (task_spawn(call, run, ended, NULL) == OK)
            return true;
    }
    arena_free(arena);
    free(call);
    return false;
}

static void timer_ran(void *context)
{
    (void)context;
    if (audit.is_flushing || (!audit.n_queued && !audit.n_dropped))
        return;
    audit.is_flushing = true;
    if (start(flush_task, flush_ended))
        return;
    audit.is_flushing = false;
    loop_timer_set(&audit.timer, AUDIT_RETRY_MS);
}

/* ---- checkpoints and retention, at the pace of what is written */

/* A head that is not ours is noticed by who adds to it. */
static int look(struct call *call, struct str writer)
{
    struct audit_head head;
    struct str hash;
    bool found;
    if (!watch_is_on())
        return OK;
    int error = store_audit_head(call, writer, &head, &found);
    if (error || !found || !chain_head_read(call->arena, &head, &hash))
        return error;
    return watch_look(call, writer, head.seq);
}

static int mark(struct call *call)
{
    int64_t count = audit.n_unmarked;
    struct str writer = str_copy(call->arena, str_from(audit.writer));
    int error = look(call, writer);
    if (!error)
        error = checkpoint_write(call, writer);
    if (!error)
        audit.n_unmarked -= count;
    return error;
}

static void mark_task(struct call *call, void *context)
{
    (void)context;
    call->error = mark(call);
    if (!call->error)
        call->error = retention_when_due(call, clock_monotonic_ms());
}

static void mark_ended(struct call *call, void *context)
{
    (void)context;
    audit.is_marking = false;
    if (call->error)
        log_warning("the audit checkpoint waits: %.*s %.*s", STR_ARG(call->error_text), STR_ARG(call->error_detail));
    if (audit.has_timer && audit.n_unmarked > 0)
        loop_timer_set(&audit.mark_timer, CHECKPOINT_MS);
    arena_free(call->arena);
    free(call);
}

static void mark_timer_ran(void *context)
{
    (void)context;
    if (audit.is_marking || audit.n_unmarked == 0)
        return;
    audit.is_marking = true;
    if (start(mark_task, mark_ended))
        return;
    audit.is_marking = false;
    loop_timer_set(&audit.mark_timer, CHECKPOINT_MS);
}

int audit_flush(struct call *call)
{
    enum { LOOK_AGAIN_MS = 5 };
    while (audit_is_busy()) {
        int error = task_sleep(call, LOOK_AGAIN_MS);
        if (error)
            return error;
    }
    audit.is_flushing = audit.is_marking = true; /* nothing of it begins beside this */
    int error = flush_all(call);
    if (!error && audit.n_unmarked)
        error = mark(call);
    audit.is_flushing = audit.is_marking = false;
    if (audit.has_timer && audit.n_unmarked)
        loop_timer_set(&audit.mark_timer, CHECKPOINT_MS);
    return error;
}

bool audit_is_busy(void)
{
    return audit.is_flushing || audit.is_marking;
}

/* ---- reading */

int audit_list(struct call *call, const struct audit_query *query, struct audit_rows *ret)
{
    return store_audit_list(call, query, ret);
}

struct audit_shown audit_show(struct call *call, const struct audit_row *row)
{
    const struct json *data;
    struct chain_link link;
    struct audit_shown shown = {
        .id = row->id,
        .at_ms = row->created_at_ms,
        .user_id = row->user_id,
        .connection_id = row->connection_id,
        .action = row->action,
        .data_json = row->data_json.len ? row->data_json : STR("{}"),
    };
    if (!chain_read(call->arena, row->data_json, &data, &link))
        return shown;
    shown.is_chained = true;
    shown.at_ms = link.at_ms;
    shown.user_id = link.user_id;
    shown.connection_id = link.connection_id;
    shown.token_id = link.token_id;
    shown.data_json = chain_strip(call->arena, data);
    return shown;
}
