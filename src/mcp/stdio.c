/* The MCP server over stdin and stdout. */
#include "mcp/stdio.h"

#include "base/log.h"
#include "mcp/listen.h"
#include "mcp/protocol.h"
#include "net/loop.h"
#include "net/task.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024 };

/* One line and its answer; lies in its own arena. */
struct line {
    struct line *next, *previous;
    struct call call;
    struct arena *arena;
    struct str text;
    struct mcp_outlet outlet;
    struct mcp_request request;
    struct mcp_reply reply;
    bool finished; /* false behind serve(): its arena was exhausted, and the reply may be half of one */
};

static struct {
    struct str token;
    int in, out;
    struct event *readable;
    struct loop_timer patience;
    struct buf input; /* what is not a whole line yet, or waits for its turn */
    bool skipping;    /* the rest of a line that is too long */
    bool ended;       /* no more input */
    bool is_file;     /* always readable, and no event tells so */
    bool leaving;
    struct line *first;
    size_t n_lines;
    bool has_session;
    struct mcp_session session;
} self;

/* ---- writing */

static void output_has_gone(void)
{
    self.out = -1;
    self.ended = true;
    listen_end_all();
    for (struct line *one = self.first; one; one = one->next) {
        call_cancel(&one->call);
        task_wake(&one->call);
    }
}

static bool write_all(struct str text)
{
    while (text.len && self.out >= 0) {
        ssize_t done = write(self.out, text.ptr, text.len);
        if (done < 0 && errno != EINTR)
            output_has_gone();
        if (done > 0)
            text = str_from_offset(text, (size_t)done);
    }
    return self.out >= 0;
}

/* In one line: a line break between JSON's tokens is white space, and within a string there is none. */
static bool write_message(struct str message)
{
    size_t from = 0;
    bool good = true;
    for (size_t at = 0; at < message.len && good; at++)
        if (message.ptr[at] == '\n' || message.ptr[at] == '\r') {
            good = write_all(str_of(message.ptr + from, at - from)) && write_all(STR(" "));
            from = at + 1;
        }
    return good && write_all(str_from_offset(message, from)) && write_all(STR("\n"));
}

static int send_ahead(struct call *call, struct mcp_outlet *outlet, struct str message)
{
    (void)outlet;
    return write_message(message) ? OK : fail(call, E_CANCELLED, "The client has gone.");
}

static int keep_alive(struct call *call, struct mcp_outlet *outlet)
{
    (void)call;
    (void)outlet;
    return OK; /* a pipe needs none */
}

/* ---- one line */

static void refuse(struct line *line, struct str text)
{
    const struct json *body = NULL;
    struct rpc_message message = {0};
    if (json_parse(line->arena, line->text, NULL, &body, NULL) == OK)
        message = rpc_read(body);
    line->reply.status = 202;
    if (message.kind == RPC_REQUEST || message.kind == RPC_INVALID)
        mcp_reply_error(&line->reply, 401, message.id_raw, RPC_INVALID_REQUEST, text);
    line->finished = true;
}

static void serve(struct call *call, void *context)
{
    struct line *line = context;
    const struct principal *who;
    buf_init(&line->reply.body, call->arena, ANSWER_MAX_BYTES);
    line->reply.status = 500;
    if (authenticate(call, self.token, &who)) {
        refuse(line, call->error_text);
        return;
    }
    const struct provider *provider = provider_find(who->provider_key);
    if (!provider) {
        refuse(line, STR("This connection's provider is not part of this program."));
        return;
    }
    call->who = (struct principal *)who;
    line->outlet = (struct mcp_outlet){send_ahead, keep_alive};
    line->request = (struct mcp_request){
        .who = who,
        .bearer = self.token,
        .provider = provider,
        .outlet = &line->outlet,
        .session = self.has_session ? &self.session : NULL,
    };
    mcp_serve_text(call, &line->request, line->text, &line->reply);
    line->finished = true;
}

/* In both eras; the legacy one also finds what it asked the client in its session. */
static void cancel(const struct line *by)
{
    const struct rpc_message *message = &by->request.message;
    if (message->kind != RPC_NOTIFICATION || !str_eq(message->method, STR("notifications/cancelled")))
        return;
    struct str id = json_raw(json_get(message->params, STR("requestId")));
    for (struct line *one = self.first; one && id.len; one = one->next)
        if (one != by && str_eq(one->request.message.id_raw, id)) {
            one->call.cancelled = true;
            task_wake(&one->call);
        }
}

/* In memory of its own: that of the call is used up. */
static void answer_unfinished(const struct line *line)
{
    const struct rpc_message *message = &line->request.message;
    struct buf text;
    log_warning("call %s: %.*s", line->call.id, STR_ARG(line->call.error_text));
    if (message->kind == RPC_NOTIFICATION || message->kind == RPC_RESPONSE)
        return;
    buf_init_heap(&text, CHUNK_BYTES);
    rpc_error(&text, message->id_raw, RPC_INTERNAL_ERROR, line->call.error_text, (struct str){NULL, 0});
    if (!buf_failed(&text))
        (void)write_message(buf_str(&text));
    buf_done(&text);
}

static void answer(struct line *line)
{
    if (line->finished && line->reply.session) {
        self.session = *line->reply.session;
        self.has_session = true;
    }
    bool is_listen = str_eq(line->request.message.method, STR("subscriptions/listen"));
    if (line->call.cancelled && !is_listen)
        return;
    if (!line->finished)
        answer_unfinished(line);
    else if (line->reply.status != 202 && line->reply.body.len)
        (void)write_message(buf_str(&line->reply.body));
}

static void take_lines(void);

static void done(struct call *call, void *context)
{
    struct line *line = context;
    (void)call;
    answer(line);
    cancel(line);
    if (line->next)
        line->next->previous = line->previous;
    if (line->previous)
        line->previous->next = line->next;
    else
        self.first = line->next;
    self.n_lines--;
    arena_free(line->arena);
    take_lines();
}

static void start_line(struct str text)
{
    struct arena *arena = arena_new(STDIO_CALL_MEMORY_BYTES);
    if (!arena) {
        log_error("no memory for a call");
        return;
    }
    struct line *line = arena_new_of(arena, struct line);
    *line = (struct line){.arena = arena, .text = str_copy(arena, text), .next = self.first};
    call_init(&line->call, arena, STDIO_CALL_TIMEOUT_MS);
    if (self.first)
        self.first->previous = line;
    self.first = line;
    self.n_lines++;
    if (task_spawn(&line->call, serve, done, line)) {
        refuse(line, STR("Too many calls are under way. Try again later."));
        done(&line->call, line);
    }
}

/* ---- reading */

static void refuse_long_line(void)
{
    struct str text =
        STR("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"The message is too long: 4 MiB at "
            "most.\"}}\n");
    (void)write_all(text);
}

static void drop(size_t size)
{
    memmove(self.input.ptr, self.input.ptr + size, self.input.len - size);
    self.input.len -= size;
}

/* Whole lines, as long as there is room for calls. */
static void take_lines(void)
{
    static bool within; /* a call that ends at once comes here again */
    if (within)
        return;
    within = true;
    size_t taken = 0;
    while (self.n_lines < STDIO_CALLS_MAX && !self.leaving) {
        struct str rest = str_from_offset(buf_str(&self.input), taken);
        size_t end = str_find_char(rest, '\n');
        if (end == STR_NOT_FOUND && self.ended)
            end = rest.len; /* the last line may lack its end */
        if (end == STR_NOT_FOUND || rest.len == 0)
            break;
        struct str text = str_trim(str_sub(rest, 0, end));
        taken += end < rest.len ? end + 1 : end;
        if (self.skipping)
            self.skipping = false;
        else if (text.len)
            start_line(text);
    }
    if (taken)
        drop(taken);
    if (self.input.len > STDIO_LINE_MAX_BYTES && self.n_lines < STDIO_CALLS_MAX) {
        if (!self.skipping)
            refuse_long_line();
        self.skipping = true;
        drop(self.input.len);
    }
    within = false;
    if (self.n_lines >= STDIO_CALLS_MAX)
        event_del(self.readable);
    else if (!self.ended && !self.is_file)
        event_add(self.readable, NULL);
    if ((self.ended || self.leaving) && self.n_lines == 0 && (self.input.len == 0 || self.leaving))
        loop_stop();
}

static void input_ended(void)
{
    self.ended = true;
    event_del(self.readable);
    listen_end_all();
    take_lines();
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    static char chunk[CHUNK_BYTES];
    (void)what;
    (void)context;
    ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        input_ended();
        return;
    }
    buf_add(&self.input, str_of(chunk, (size_t)got));
    if (buf_failed(&self.input)) {
        log_error("no memory for what the client sends");
        input_ended();
        return;
    }
    take_lines();
}

static void read_file(void)
{
    while (!self.ended)
        if (self.n_lines < STDIO_CALLS_MAX)
            on_readable(self.in, 0, NULL);
        else
            loop_turn();
}

/* Pipes, sockets and terminals tell when there is something to read. */
static bool is_file(int in)
{
    struct stat status;
    return fstat(in, &status) == 0 && !S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode) && !isatty(in);
}

/* ---- the end */

static void on_patience_over(void *context)
{
    (void)context;
    log_warning("%zu calls do not end; stopping all the same", self.n_lines);
    _exit(1);
}

static void on_signal(int signal_number, void *context)
{
    (void)signal_number;
    (void)context;
    self.leaving = true;
    event_del(self.readable);
    listen_end_all();
    for (struct line *one = self.first; one; one = one->next) {
        call_cancel(&one->call);
        task_wake(&one->call);
    }
    loop_timer_set(&self.patience, STDIO_LEAVE_MS);
    take_lines();
}

int stdio_serve(struct call *call, struct str token, int in, int out)
{
    self.token = token;
    self.in = in;
    self.out = out;
    buf_init_heap(&self.input, STDIO_LINE_MAX_BYTES + 2 * CHUNK_BYTES);
    self.readable = event_new(loop_base(), in, EV_READ | EV_PERSIST, on_readable, NULL);
    if (!self.readable || !loop_timer_init(&self.patience, on_patience_over, NULL) ||
        !loop_on_signal(SIGTERM, on_signal, NULL) || !loop_on_signal(SIGINT, on_signal, NULL))
        return fail(call, E_UNAVAILABLE, "there is no memory to serve");
    self.is_file = is_file(in);
    if (self.is_file)
        read_file();
    else if (event_add(self.readable, NULL) != 0)
        return fail(call, E_UNAVAILABLE, "standard input cannot be read");
    if (!self.ended || self.n_lines)
        loop_run();
    event_free(self.readable);
    loop_timer_done(&self.patience);
    buf_done(&self.input);
    return OK;
}
