/* Streams of what changed. */
#include "mcp/listen.h"

#include "accounts/generation.h"
#include "base/log.h"
#include "json/json_write.h"
#include "mcp/bus.h"
#include "mcp/carrier.h"
#include "mcp/host.h"
#include "mcp/tasks.h"
#include "net/loop.h"
#include "net/task.h"

#define META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

enum mark {
    MARK_TOOLS = 1 << 0,
    MARK_PROMPTS = 1 << 1,
    MARK_RESOURCES = 1 << 2,
    MARK_URI = 1 << 3,    /* some of uris[] */
    MARK_RIGHTS = 1 << 4, /* ask again who this is */
    MARK_TASK = 1 << 5,   /* some of tasks[] */
};

struct listener {
    struct bus_listener bus;
    struct listener *next, *previous;
    struct call *call;
    const struct mcp_request *request;
    unsigned wanted; /* marks */
    unsigned marks;
    struct str *uris;
    size_t n_uris;
    uint64_t updated[(LISTEN_URIS_MAX + 63) / 64]; /* of uris[] */
    struct str *tasks;
    size_t n_tasks;
    uint64_t moved;  /* of tasks[] */
    uint64_t missed; /* of tasks[]: could not be read when it was their turn; tried again with the next sign of life */
    struct call piece; /* for what is told, and looks at the token: a stream lives long, their memory goes */
    bool ended;
};

static struct listener *first;
static size_t n_listeners;
static bool ending;

/* ---- revocations by other processes of this host move a counter in shared memory, which wakes nobody: look at it */

static struct loop_timer watch;
static uint64_t seen_generation;

static void mark_all(unsigned marks)
{
    for (struct listener *one = first; one; one = one->next) {
        one->marks |= marks;
        task_wake(one->call);
    }
}

static void look(void *context)
{
    (void)context;
    if (generation_now() != seen_generation) {
        seen_generation = generation_now();
        mark_all(MARK_RIGHTS);
    }
    if (first)
        loop_timer_set(&watch, LISTEN_WATCH_MS);
}

static void start_watch(void)
{
    static bool made;
    if (!made && !(made = loop_timer_init(&watch, look, NULL)))
        return; /* the bus still tells */
    if (!first)
        seen_generation = generation_now();
    loop_timer_set(&watch, LISTEN_WATCH_MS);
}

/* ---- the list */

static void hear(struct bus_listener *bus, const struct bus_event *event)
{
    static const unsigned marks[BUS_TOPICS] = {
        [BUS_TOOLS_CHANGED] = MARK_TOOLS,
        [BUS_PROMPTS_CHANGED] = MARK_PROMPTS,
        [BUS_RESOURCES_CHANGED] = MARK_RESOURCES,
        [BUS_RIGHTS_CHANGED] = MARK_RIGHTS,
    };
    struct listener *self = (struct listener *)bus;
    unsigned mark = marks[event->topic];
    for (size_t i = 0; event->topic == BUS_RESOURCE_UPDATED && i < self->n_uris; i++)
        if (str_eq(self->uris[i], event->key)) {
            self->updated[i / 64] |= UINT64_C(1) << (i % 64);
            mark = MARK_URI;
        }
    for (size_t i = 0; event->topic == BUS_JOB && i < self->n_tasks; i++)
        if (str_eq(self->tasks[i], event->key)) {
            self->moved |= UINT64_C(1) << i;
            mark = MARK_TASK;
        }
    mark &= self->wanted | MARK_RIGHTS; /* for anything else nobody is woken, nor asked whether he may still listen */
    self->marks |= mark;
    if (mark)
        task_wake(self->call);
}

static size_t count_of_token(int64_t token_id)
{
    size_t count = 0;
    for (const struct listener *one = first; one; one = one->next)
        count += one->request->who->token_id == token_id;
    return count;
}

static void leave(void *object)
{
    struct listener *self = object;
    bus_unlisten(&self->bus);
    if (self->next)
        self->next->previous = self->previous;
    if (self->previous)
        self->previous->next = self->next;
    else
        first = self->next;
    n_listeners--;
}

static void join(struct call *call, struct listener *self)
{
    start_watch();
    self->bus = (struct bus_listener){
        .topics = 1 << BUS_TOOLS_CHANGED | 1 << BUS_PROMPTS_CHANGED | 1 << BUS_RESOURCES_CHANGED |
                  1 << BUS_RESOURCE_UPDATED | 1 << BUS_RIGHTS_CHANGED | (self->n_tasks ? 1 << BUS_JOB : 0),
        .connection_id = self->request->who->connection_id,
        .deliver = hear,
    };
    self->next = first;
    if (first)
        first->previous = self;
    first = self;
    n_listeners++;
    bus_listen(&self->bus);
    arena_defer(call->arena, leave, self);
}

size_t listen_count(void)
{
    return n_listeners;
}

void listen_end_all(void)
{
    ending = true;
    mark_all(0);
}

/* ---- messages */

static void begin_message(struct buf *text, struct json_writer *w, const char *method)
{
    buf_clear(text);
    json_write_init(w, text);
    json_object(w);
    json_member_str(w, "jsonrpc", STR("2.0"));
    json_member_str(w, "method", str_from(method));
    json_key(w, STR("params"));
    json_object(w);
}

static int end_message(struct listener *self, struct buf *text, struct json_writer *w)
{
    json_key(w, STR("_meta"));
    json_object(w);
    json_member_raw(w, META_SUBSCRIPTION, self->request->message.id_raw);
    json_end(w);
    json_end(w);
    json_end(w);
    if (buf_failed(text))
        return fail(self->call, E_LIMIT, "The message is too large.");
    self->call->deadline_ms = clock_monotonic_ms() + LISTEN_KEEP_ALIVE_MS; /* of each one */
    return self->request->outlet->send(self->call, self->request->outlet, buf_str(text));
}

static int tell(struct listener *self, struct buf *text, const char *method, struct str uri)
{
    struct json_writer w;
    begin_message(text, &w, method);
    if (uri.len)
        json_member_str(&w, "uri", uri);
    return end_message(self, text, &w);
}

static int acknowledge(struct listener *self, struct buf *text)
{
    struct json_writer w;
    begin_message(text, &w, "notifications/subscriptions/acknowledged");
    json_key(&w, STR("notifications"));
    json_object(&w);
    if (self->wanted & MARK_TOOLS)
        json_member_bool(&w, "toolsListChanged", true);
    if (self->wanted & MARK_PROMPTS)
        json_member_bool(&w, "promptsListChanged", true);
    if (self->wanted & MARK_RESOURCES)
        json_member_bool(&w, "resourcesListChanged", true);
    if (self->n_uris) {
        json_key(&w, STR("resourceSubscriptions"));
        json_array(&w);
        for (size_t i = 0; i < self->n_uris; i++)
            json_string(&w, self->uris[i]);
        json_end(&w);
    }
    if (self->n_tasks) {
        json_key(&w, STR("taskIds"));
        json_array(&w);
        for (size_t i = 0; i < self->n_tasks; i++)
            json_string(&w, self->tasks[i]);
        json_end(&w);
    }
    json_end(&w);
    return end_message(self, text, &w);
}

/* The whole task as it is now. One that has gone is not told: whoever asks for it hears that. */
static int tell_task(struct listener *self, struct buf *text, size_t i)
{
    struct call *piece = &self->piece;
    struct json_writer w;
    struct job_view job;
    int error = OK;
    piece->deadline_ms = clock_monotonic_ms() + LISTEN_KEEP_ALIVE_MS;
    int found = jobs_get(piece, self->request->who, self->tasks[i], &job);
    if (!found) {
        begin_message(text, &w, "notifications/tasks");
        tasks_write(piece, &job, &w);
        error = end_message(self, text, &w);
    } else if (found != E_NOT_FOUND) {
        self->missed |= UINT64_C(1) << i;
    }
    call_clear_error(piece);
    arena_empty(piece->arena);
    return error;
}

static int tell_marks(struct listener *self, struct buf *text)
{
    unsigned marks = self->marks & self->wanted;
    uint64_t updated[ARRAY_LENGTH(self->updated)];
    memcpy(updated, self->updated, sizeof updated);
    memset(self->updated, 0, sizeof self->updated);
    uint64_t moved = self->moved | self->missed;
    self->moved = self->missed = 0;
    self->marks = 0; /* what comes while a message goes out is new */
    int error = OK;
    if (!error && marks & MARK_TOOLS)
        error = tell(self, text, "notifications/tools/list_changed", STR_EMPTY);
    if (!error && marks & MARK_PROMPTS)
        error = tell(self, text, "notifications/prompts/list_changed", STR_EMPTY);
    if (!error && marks & MARK_RESOURCES)
        error = tell(self, text, "notifications/resources/list_changed", STR_EMPTY);
    for (size_t i = 0; !error && marks & MARK_URI && i < self->n_uris; i++)
        if (updated[i / 64] & UINT64_C(1) << (i % 64))
            error = tell(self, text, "notifications/resources/updated", self->uris[i]);
    for (size_t i = 0; !error && marks & MARK_TASK && i < self->n_tasks; i++)
        if (moved & UINT64_C(1) << i)
            error = tell_task(self, text, i);
    return error;
}

/* ---- one stream */

/* What is asked for twice is told once. */
static bool is_in(const struct str *list, size_t count, struct str one)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i], one))
            return true;
    return false;
}

/*
 * Of this token's tasks, those that there are. Each is told at once, so that nothing is missed of what happened between its
 * beginning and this stream.
 */
static int read_tasks(struct call *call, struct listener *self, const struct json *ids)
{
    struct job_view job;
    if (json_is(ids, JSON_MISSING) || !self->request->provider->n_jobs)
        return OK;
    if (!json_is(ids, JSON_ARRAY))
        return fail(call, E_INVALID, "taskIds must be a list of ids.");
    if (json_count(ids) > LISTEN_TASKS_MAX)
        return fail(call, E_LIMIT, "At most %d tasks can be listened to in one stream.", LISTEN_TASKS_MAX);
    self->tasks = arena_array_of(call->arena, struct str, json_count(ids) + 1);
    for (size_t i = 0; i < json_count(ids); i++) {
        if (is_in(self->tasks, self->n_tasks, json_str(json_at(ids, i))))
            continue;
        int error = jobs_get(&self->piece, self->request->who, json_str(json_at(ids, i)), &job);
        arena_empty(self->piece.arena);
        if (error == OK)
            self->tasks[self->n_tasks++] = json_str(json_at(ids, i));
        else if (error != E_NOT_FOUND)
            return fail(call, error, "The tasks could not be looked up. Try again.");
    }
    if (self->n_tasks) {
        self->moved = UINT64_MAX >> (64 - self->n_tasks);
        self->marks |= MARK_TASK;
        self->wanted |= MARK_TASK;
    }
    return OK;
}

static int read_wishes(struct call *call, struct listener *self)
{
    const struct json *wishes = json_get(self->request->message.params, STR("notifications"));
    const struct json *uris = json_get(wishes, STR("resourceSubscriptions"));
    unsigned features = self->request->provider->features;
    if (self->request->http && self->request->http->body.len > LISTEN_BODY_BYTES)
        return fail(call, E_LIMIT, "A request to listen has at most %d bytes.", LISTEN_BODY_BYTES);
    if (!json_is(wishes, JSON_OBJECT))
        return fail(call, E_INVALID, "params.notifications must say what to listen for.");
    if (!json_is(uris, JSON_MISSING) && !json_is(uris, JSON_ARRAY))
        return fail(call, E_INVALID, "resourceSubscriptions must be a list of URIs.");
    if (json_count(uris) > LISTEN_URIS_MAX)
        return fail(call, E_LIMIT, "At most %d resources can be listened to in one stream.", LISTEN_URIS_MAX);
    if (json_bool_or(json_get(wishes, STR("toolsListChanged")), false) && features & PROVIDER_TOOLS_CHANGE)
        self->wanted |= MARK_TOOLS;
    if (json_bool_or(json_get(wishes, STR("promptsListChanged")), false) && features & PROVIDER_PROMPTS_CHANGE)
        self->wanted |= MARK_PROMPTS;
    if (json_bool_or(json_get(wishes, STR("resourcesListChanged")), false) && features & PROVIDER_RESOURCES_CHANGE)
        self->wanted |= MARK_RESOURCES;
    self->uris = arena_array_of(call->arena, struct str, json_count(uris) + 1);
    for (size_t i = 0; features & PROVIDER_RESOURCE_UPDATES && i < json_count(uris); i++) {
        struct str uri = json_str(json_at(uris, i));
        if (uri.len > BUS_KEY_MAX_BYTES)
            return fail(call, E_LIMIT, "The URI of a resource has at most %d bytes.", BUS_KEY_MAX_BYTES);
        if (uri.len && !is_in(self->uris, self->n_uris, uri))
            self->uris[self->n_uris++] = uri;
    }
    if (self->n_uris)
        self->wanted |= MARK_URI;
    return read_tasks(call, self, json_get(wishes, STR("taskIds")));
}

/* False: tasks are wanted by a client that did not say that it knows them. */
static bool may_wish(const struct mcp_request *request)
{
    const struct json *params = request->message.params;
    const struct json *capabilities =
        json_get(json_get(params, STR("_meta")), STR("io.modelcontextprotocol/clientCapabilities"));
    return json_is(json_get(json_get(params, STR("notifications")), STR("taskIds")), JSON_MISSING) ||
           mcp_abilities_read(capabilities) & HOST_TASKS || !request->provider->n_jobs;
}

/* Is the token still good, and for the same connection? Without a token there is nothing to ask. */
static bool still_allowed(struct listener *self)
{
    const struct mcp_request *request = self->request;
    struct call *piece = &self->piece;
    const struct principal *who;
    if (!request->bearer.len)
        return true;
    piece->deadline_ms = self->call->deadline_ms;
    int error = authenticate(piece, request->bearer, &who);
    bool allowed = error != E_UNAUTHENTICATED && error != E_DENIED; /* the database is away: its last word holds */
    if (!error)
        allowed = who->connection_id == request->who->connection_id;
    call_clear_error(piece);
    arena_empty(piece->arena);
    return allowed;
}

static int64_t next_wake_ms(const struct principal *who)
{
    int64_t wake_ms = LISTEN_KEEP_ALIVE_MS;
    if (who->expires_at_ms) {
        int64_t left_ms = who->expires_at_ms - clock_now_ms();
        wake_ms = left_ms < wake_ms ? left_ms : wake_ms;
    }
    return clock_monotonic_ms() + (wake_ms > 0 ? wake_ms : 0);
}

/* Returns when it is over. E_LIMIT: something of it could not be said. */
static int listen_on(struct call *call, struct listener *self, struct buf *text)
{
    const struct principal *who = self->request->who;
    int error = carrier_await(call);
    if (!error)
        error = acknowledge(self, text);
    while (!error && !ending) {
        call->deadline_ms = next_wake_ms(who);
        if (!self->marks)
            error = task_doze(call);
        if (error == E_TIMEOUT) {
            call->deadline_ms = clock_monotonic_ms() + LISTEN_KEEP_ALIVE_MS;
            error = self->request->outlet->keep_alive(call, self->request->outlet);
            if (self->missed)
                self->marks |= MARK_TASK;
        }
        if (who->expires_at_ms && clock_now_ms() >= who->expires_at_ms)
            return OK;
        if (error || !self->marks)
            continue;
        call->deadline_ms = clock_monotonic_ms() + LISTEN_KEEP_ALIVE_MS;
        if (!still_allowed(self))
            return OK;
        error = tell_marks(self, text);
    }
    return error;
}

static void refuse(struct mcp_reply *reply, const struct mcp_request *request, int code, struct str text)
{
    mcp_reply_error(reply, code == RPC_INVALID_REQUEST ? 400 : 200, request->message.id_raw, code, text);
}

void listen_serve(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    struct buf text;
    if (!request->outlet) {
        refuse(reply, request, RPC_INVALID_REQUEST,
               STR("This answer is a stream: send \"Accept: application/json, text/event-stream\"."));
        return;
    }
    if (!may_wish(request)) {
        buf_clear(&reply->body);
        reply->status = 400;
        rpc_error(&reply->body, request->message.id_raw, RPC_MISSING_CAPABILITY,
                  STR("Declare the extension " MCP_EXTENSION_TASKS " in the request's clientCapabilities."),
                  call_format(call, "{\"requiredCapabilities\":%.*s}", STR_ARG(mcp_abilities_json(call, HOST_TASKS))));
        return;
    }
    if (n_listeners >= LISTEN_MAX || count_of_token(request->who->token_id) >= LISTEN_PER_TOKEN_MAX) {
        refuse(reply, request, RPC_INTERNAL_ERROR, STR("Too many streams are open already. Close some, or poll."));
        return;
    }
    struct listener *self = arena_new_of(call->arena, struct listener);
    *self = (struct listener){.call = call, .request = request};
    call_init_piece(&self->piece, call, LISTEN_PIECE_BYTES);
    if (read_wishes(call, self)) {
        refuse(reply, request, RPC_INVALID_PARAMS, call->error_text);
        return;
    }
    buf_init(&text, call->arena, self->n_tasks ? ANSWER_MAX_BYTES : 256 * 1024);
    join(call, self);
    int error = listen_on(call, self, &text);
    /* The end is said even when the process stops and has cancelled everything; whoever has gone does not hear it. */
    call->cancelled = false;
    call->deadline_ms = clock_monotonic_ms() + 2000;
    if (error == E_LIMIT) {
        refuse(reply, request, RPC_INVALID_PARAMS, call->error_text);
        return;
    }
    reply->status = 200;
    rpc_begin_result(&reply->body, request->message.id_raw);
    buf_add(&reply->body, STR("\"resultType\":\"complete\",\"_meta\":{\"" META_SUBSCRIPTION "\":"));
    buf_add(&reply->body, request->message.id_raw);
    buf_add(&reply->body, STR(",\"io.modelcontextprotocol/serverInfo\":"));
    buf_add(&reply->body, mcp_server_info);
    buf_add_char(&reply->body, '}');
    rpc_end_result(&reply->body);
}
