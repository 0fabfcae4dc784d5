/* Server-to-client requests of the legacy era, and cancellation by notification: both find a call by session and id. */
#include <sodium.h> /* before base/banned.h */

#include "mcp/ask.h"

#include "json/json_write.h"
#include "mcp/bus.h"
#include "mcp/carrier.h"
#include "net/task.h"

#include <stdlib.h>

/* One question that waits. In its call's frame; `answer` is on the heap, since it is filled on another stack. */
struct waiting {
    struct waiting *next;
    struct str session;
    int64_t id;
    struct call *call;
    struct buf answer;
    bool answered;
};
static struct waiting *all_waiting;
static bool ending;
static struct ask_running *all_running;

static void hear_answer(const struct bus_event *event)
{
    for (struct waiting *one = all_waiting; one; one = one->next)
        if (!one->answered && one->id == event->number && str_eq(one->session, event->key)) {
            one->answered = true;
            buf_add(&one->answer, event->payload);
            task_wake(one->call);
            return;
        }
}

static void hear_cancelled(const struct bus_event *event)
{
    for (struct ask_running *one = all_running; one; one = one->next)
        if (str_eq(one->session, event->key) && str_eq(one->id_raw, event->payload)) {
            one->call->cancelled = true;
            task_wake(one->call);
        }
}

static void hear(struct bus_listener *listener, const struct bus_event *event)
{
    (void)listener;
    if (event->topic == BUS_ANSWER)
        hear_answer(event);
    else
        hear_cancelled(event);
}

static void listen_once(void)
{
    static struct bus_listener listener = {.topics = 1 << BUS_ANSWER | 1 << BUS_CANCELLED, .deliver = hear};
    static bool listening;
    if (!listening)
        bus_listen(&listener);
    listening = true;
}

/* ---- asking */

static void forget(void *object)
{
    struct waiting *waiting = object;
    for (struct waiting **at = &all_waiting; *at; at = &(*at)->next)
        if (*at == waiting) {
            *at = waiting->next;
            break;
        }
    buf_done(&waiting->answer);
}

static struct waiting *wait_for(struct call *call, const struct mcp_session *session)
{
    struct waiting *waiting = arena_new_of(call->arena, struct waiting);
    uint64_t random;
    listen_once();
    randombytes_buf(&random, sizeof random);
    *waiting = (struct waiting){
        .session = str_from(session->id),
        .id = (int64_t)(random >> 11), /* what every client's numbers hold exactly */
        .call = call,
        .next = all_waiting,
    };
    buf_init_heap(&waiting->answer, BUS_PAYLOAD_MAX_BYTES);
    all_waiting = waiting;
    arena_defer(call->arena, forget, waiting); /* the frame below may be abandoned */
    return waiting;
}

static int send_question(struct call *call, const struct mcp_request *request, const struct waiting *waiting,
                         struct str method, struct str params_json)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, ANSWER_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "jsonrpc", STR("2.0"));
    json_member_i64(&w, "id", waiting->id);
    json_member_str(&w, "method", method);
    if (params_json.len)
        json_member_raw(&w, "params", params_json);
    json_end(&w);
    return request->outlet->send(call, request->outlet, buf_str(&text));
}

static int read_answer(struct call *call, const struct waiting *waiting, const struct json **ret)
{
    const struct json *message;
    struct str text = str_copy(call->arena, buf_str(&waiting->answer));
    if (buf_failed(&waiting->answer) || json_parse(call->arena, text, NULL, &message, NULL) != OK)
        return fail(call, E_LIMIT, "The client's answer is too large.");
    *ret = json_get(message, STR("result"));
    if (json_is(*ret, JSON_OBJECT))
        return OK;
    struct str said = json_str(json_path(message, "error.message"));
    return fail(call, E_DENIED, "The client did not answer the question%s%.*s", said.len ? ": " : ".",
                STR_ARG(str_sub(said, 0, 300)));
}

int ask_client(struct call *call, const struct mcp_request *request, struct str method, struct str params_json,
               const struct json **ret)
{
    struct waiting *waiting = wait_for(call, request->session);
    int error = carrier_await(call); /* the answer may come to another node */
    if (!error)
        error = send_question(call, request, waiting, method, params_json);
    int64_t end_ms = clock_monotonic_ms() + ASK_WAIT_MS;
    while (!error && !waiting->answered) {
        if (ending)
            return fail(call, E_UNAVAILABLE,
                        "The server is being restarted and cannot wait for the answer. Try again.");
        call->deadline_ms = clock_monotonic_ms() + ASK_KEEP_ALIVE_MS;
        error = task_park(call);
        if (error != E_TIMEOUT || waiting->answered)
            continue;
        if (clock_monotonic_ms() >= end_ms)
            return fail(call, E_TIMEOUT, "Nobody answered the question within %d minutes.", ASK_WAIT_MS / 60000);
        call_clear_error(call);
        error = request->outlet->keep_alive(call, request->outlet);
    }
    /* What the tool has left to do after it got its answer. */
    call->deadline_ms = clock_monotonic_ms() + 60 * 1000;
    return error && !waiting->answered ? error : read_answer(call, waiting, ret);
}

void ask_end_all(void)
{
    ending = true;
    for (struct waiting *one = all_waiting; one; one = one->next)
        task_wake(one->call);
}

void ask_answered(const struct mcp_session *session, const struct json *message)
{
    int64_t id;
    if (!json_to_i64(json_get(message, STR("id")), &id))
        return;
    /* What nobody would carry: the call that waits for it hears so. */
    struct str payload = json_raw(message);
    if (payload.len > BUS_PAYLOAD_MAX_BYTES)
        payload = STR("{\"error\":{\"message\":\"it is too large.\"}}");
    listen_once();
    bus_publish(
        &(struct bus_event){.topic = BUS_ANSWER, .key = str_from(session->id), .number = id, .payload = payload});
}

/* ---- cancelling */

static void forget_running(void *object)
{
    ask_running_end(object);
}

void ask_running_begin(struct ask_running *running, struct call *call, const struct mcp_request *request)
{
    *running = (struct ask_running){
        .session = str_from(request->session->id),
        .id_raw = request->message.id_raw,
        .call = call,
        .next = all_running,
    };
    listen_once();
    all_running = running;
    arena_defer(call->arena, forget_running, running);
}

void ask_running_end(struct ask_running *running)
{
    for (struct ask_running **at = &all_running; *at; at = &(*at)->next)
        if (*at == running) {
            *at = running->next;
            return;
        }
}

void ask_cancel(const struct mcp_session *session, const struct json *request_id)
{
    bus_publish(
        &(struct bus_event){.topic = BUS_CANCELLED, .key = str_from(session->id), .payload = json_raw(request_id)});
}
