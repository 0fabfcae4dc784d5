/* GET /api/events */
#include "web/api_events.h"

#include "mcp/bus.h"
#include "mcp/carrier.h"
#include "mcp/feed.h"
#include "net/task.h"

struct stream {
    struct bus_listener bus;
    struct stream *next, *previous;
    struct call *call;
    struct api *api;
    struct call piece; /* for a look at the login: a stream lives long, and what it needs goes with it */
    unsigned marks;    /* enum feed_kind, or'ed */
};

static struct stream *first;
static size_t n_streams;
static bool ending;

/* ---- the list */

static void hear(struct bus_listener *bus, const struct bus_event *event)
{
    struct stream *self = (struct stream *)bus;
    if (event->number != self->api->person.user_id)
        return;
    self->marks |= feed_kinds_parse(event->key);
    task_wake(self->call);
}

static void leave(void *object)
{
    struct stream *self = object;
    bus_unlisten(&self->bus);
    if (self->next)
        self->next->previous = self->previous;
    if (self->previous)
        self->previous->next = self->next;
    else
        first = self->next;
    n_streams--;
}

static void join(struct call *call, struct stream *self)
{
    self->bus = (struct bus_listener){.topics = 1 << BUS_ACCOUNT, .deliver = hear};
    self->next = first;
    if (first)
        first->previous = self;
    first = self;
    n_streams++;
    bus_listen(&self->bus);
    arena_defer(call->arena, leave, self);
}

static size_t count_of_person(int64_t user_id)
{
    size_t count = 0;
    for (const struct stream *one = first; one; one = one->next)
        count += one->api->person.user_id == user_id;
    return count;
}

void api_events_end_all(void)
{
    ending = true;
    for (struct stream *one = first; one; one = one->next)
        task_wake(one->call);
}

/* ---- one stream */

/*
 * Is the login still there? Asked only when something of the account changed: an open page must not keep a database
 * awake.
 */
static bool still_allowed(struct stream *self)
{
    struct call *piece = &self->piece;
    piece->deadline_ms = clock_monotonic_ms() + API_EVENTS_KEEP_ALIVE_MS;
    int error = sessions_look(piece, self->api->person.user_id, self->api->person.session_id);
    call_clear_error(piece);
    arena_reset(piece->arena);
    return error != E_NOT_FOUND; /* the database is away: its last word holds */
}

static int send_text(struct stream *self, struct str text)
{
    self->call->deadline_ms = clock_monotonic_ms() + API_EVENTS_KEEP_ALIVE_MS;
    return http_stream_write(self->call, self->api->exchange, text);
}

static int tell(struct stream *self)
{
    unsigned marks = self->marks;
    char text[FEED_KINDS * 48];
    size_t length = 0;
    self->marks = 0;
    for (size_t i = 0; i < FEED_KINDS; i++)
        if (marks & 1U << i)
            length += (size_t)snprintf(text + length, sizeof text - length, "event: %s\ndata: {}\n\n",
                                       feed_kind_name(1U << i));
    return send_text(self, str_of(text, length));
}

static void run_stream(struct stream *self)
{
    struct call *call = self->call;
    int64_t end_ms = clock_monotonic_ms() + API_EVENTS_LIFE_MS;
    int error = carrier_await(call);
    if (!error)
        error = send_text(self, STR("retry: 3000\n\n"));
    while (!error && !ending && clock_monotonic_ms() < end_ms) {
        call->deadline_ms = clock_monotonic_ms() + API_EVENTS_KEEP_ALIVE_MS;
        if (!self->marks)
            error = task_doze(call);
        bool is_idle = error == E_TIMEOUT;
        if (is_idle)
            error = OK;
        if (error || ending || !(is_idle || self->marks))
            continue;
        if (self->marks & FEED_ACCOUNT && !still_allowed(self))
            return;
        error = is_idle ? send_text(self, STR(":\n\n")) : tell(self);
    }
}

static int serve(struct call *call, struct api *api)
{
    struct str accept = http_header_value(api->request, STR("accept"));
    if (!accept.ptr || !str_contains_nocase(accept, STR("text/event-stream")))
        return fail(call, E_INVALID, "This answer is a stream: send Accept: text/event-stream.");
    if (n_streams >= API_EVENTS_MAX || count_of_person(api->person.user_id) >= API_EVENTS_PER_PERSON_MAX)
        return fail(call, E_LIMIT, "Too many streams are open already. Close some pages.");
    struct stream *self = arena_new_of(call->arena, struct stream);
    *self = (struct stream){.call = call, .api = api};
    http_answer_header(api->exchange, STR("Cache-Control"), STR("no-store"));
    http_answer_header(api->exchange, STR("X-Accel-Buffering"), STR("no"));
    int error = http_stream_begin(call, api->exchange, 200, STR("text/event-stream"));
    if (error)
        return error;
    call_init_piece(&self->piece, call, API_EVENTS_LOOK_BYTES);
    http_exchange_cancel_on_close(api->exchange, true);
    join(call, self);
    if (!str_eq(api->request->method, STR("HEAD")))
        run_stream(self);
    call_clear_error(call); /* somebody who has gone is no failure */
    http_stream_end(api->exchange);
    return OK;
}

const struct api_operation api_events = {
    .id = "events",
    .summary =
        "A stream (text/event-stream) that tells while a page is open what of the person's things changed: audit, "
        "approval, connection, token, account. The events hold nothing; ask for what is shown again.",
    .status = 200,
    .run = serve,
};
