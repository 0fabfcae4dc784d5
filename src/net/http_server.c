/* The HTTP server: listeners, time limits, drain. */
#include "net/http_server.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/http_connection.h"
#include "net/task.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,       /* cut by net.core.somaxconn */
    ACCEPTS_AT_ONCE = 32, /* then the others' events have their turn */
    ACCEPT_PAUSE_MS = 100,
    PAUSE_LOG_EVERY_MS = 60 * 1000,
    LAST_IDLE_MS = 1000,
    TICK_MAX_MS = 1000,
    TICK_MIN_MS = 10,
    TIDY_EVERY_MS = 5000,
    UNSENT_MAX_BYTES = 256 * 1024,
};

static void on_tick(void *context);
static void accept_again(void *context);

/* --- settings ---------------------------------------------------------------------------------------------------------- */

static void fill_defaults(struct http_server_settings *settings)
{
#define DEFAULT(name, value) settings->name = settings->name ? settings->name : (value)
    DEFAULT(max_connections, 20000);
    DEFAULT(max_requests_per_connection, 1000);
    DEFAULT(max_body_bytes, 4 * 1024 * 1024);
    DEFAULT(arena_budget_bytes, 16 * 1024 * 1024);
    DEFAULT(call_timeout_ms, 60000);
    DEFAULT(max_handshakes, 512);
    DEFAULT(handshake_timeout_ms, 10000);
    DEFAULT(head_timeout_ms, 10000);
    DEFAULT(body_grace_ms, 5000);
    DEFAULT(body_min_bytes_per_s, 500);
    DEFAULT(body_stall_ms, 20000);
    DEFAULT(bodies_max_bytes, (size_t)256 * 1024 * 1024);
    DEFAULT(idle_timeout_ms, 60000);
    DEFAULT(write_stall_ms, 20000);
    DEFAULT(linger_ms, 2000);
#undef DEFAULT
}

/* Time limits are looked at in ticks: fine enough for the shortest of them. */
static int64_t tick_for(const struct http_server_settings *settings)
{
    const int64_t limits[] = {
        settings->handshake_timeout_ms, settings->head_timeout_ms, settings->body_grace_ms, settings->body_stall_ms,
        settings->idle_timeout_ms,      settings->write_stall_ms,  settings->linger_ms};
    int64_t tick_ms = TICK_MAX_MS;
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++)
        if (limits[i] / 4 < tick_ms)
            tick_ms = limits[i] / 4;
    return tick_ms < TICK_MIN_MS ? TICK_MIN_MS : tick_ms;
}

struct http_server *http_server_new(const struct http_server_settings *settings)
{
    assert(settings->handler);
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->settings = *settings;
    fill_defaults(&server->settings);
    server->tick_ms = tick_for(&server->settings);
    if (loop_timer_init(&server->tick, on_tick, server) && loop_timer_init(&server->accept_again, accept_again, server))
        return server;
    http_server_free(server);
    return NULL;
}

/* --- accepting --------------------------------------------------------------------------------------------------------- */

static bool close_oldest_idle(struct http_server *server)
{
    struct http_connection *oldest = server->lists[HTTP_IDLE].first;
    if (oldest)
        http_connection_close(oldest);
    return oldest != NULL;
}

static void pause_accepting(struct http_server *server, int reason)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= server->next_pause_log_ms) {
        log_warning("http: not accepting new connections for the moment: %s", strerror(reason));
        server->next_pause_log_ms = now_ms + PAUSE_LOG_EVERY_MS;
    }
    for (size_t i = 0; i < server->n_listeners; i++)
        event_del(server->listeners[i].event);
    loop_timer_set(&server->accept_again, ACCEPT_PAUSE_MS);
}

static void accept_again(void *context)
{
    struct http_server *server = context;
    for (size_t i = 0; i < server->n_listeners; i++)
        event_add(server->listeners[i].event, NULL);
}

static void turn_away(int fd, const struct tls_context *tls)
{
    static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: text/plain\r\n"
        "Content-Length: 42\r\nConnection: close\r\n\r\nThe server is busy. Try again in a moment.";
    if (!tls) /* such a client would not understand it, and a handshake is what there is no room for */
        send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    close(fd);
}

/* Somebody who connects and says nothing, often: he must not keep others out. */
static void end_oldest_handshake(struct http_server *server)
{
    if (server->n_shaking >= server->settings.max_handshakes && server->lists[HTTP_SHAKE].first)
        http_connection_close(server->lists[HTTP_SHAKE].first);
}

static void tick_later(struct http_server *server)
{
    server->ticks = true;
    loop_timer_set(&server->tick, server->tick_ms);
}

static void welcome(struct http_server *server, int fd, struct tls_context *tls, const struct sockaddr *peer,
                    socklen_t peer_len)
{
    if (server->n_connections == 0)
        server->now_ms = clock_monotonic_ms();
    if (!server->ticks) /* else it comes when it was to come, however often somebody comes before */
        tick_later(server);
    if (tls)
        end_oldest_handshake(server);
    if (server->n_connections >= server->settings.max_connections && !close_oldest_idle(server))
        turn_away(fd, tls);
    else if (!http_connection_new(server, fd, tls, peer, peer_len))
        close(fd);
}

static void on_accept(evutil_socket_t fd_of_listener, short what, void *context)
{
    const struct http_listener *listener = context;
    struct http_server *server = listener->server;
    (void)what;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t peer_len = sizeof peer;
        int fd = accept4(fd_of_listener, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(server, fd, listener->tls, (struct sockaddr *)&peer, peer_len);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (!exhausted)
            return; /* EAGAIN; or a network's error, which concerns that one connection only */
        int reason = errno;
        if (!close_oldest_idle(server)) {
            pause_accepting(server, reason);
            return;
        }
    }
}

/* --- listening --------------------------------------------------------------------------------------------------------- */

static int listen_failed(char error[200], struct str address, const char *what)
{
    snprintf(error, 200, "Cannot listen on %.*s: %s.", (int)(address.len < 60 ? address.len : 60), address.ptr, what);
    return E_UNAVAILABLE;
}

static struct addrinfo *resolve(struct str address)
{
    char host[64], port[8];
    size_t colon = str_find_last_char(address, ':');
    if (colon == STR_NOT_FOUND)
        return NULL;
    struct str name = str_sub(address, 0, colon);
    bool brackets = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (brackets)
        name = str_sub(name, 1, name.len - 2);
    uint64_t number;
    if (!str_to_cstr(name, host, sizeof host) || !str_to_cstr(str_from_offset(address, colon + 1), port, sizeof port) ||
        !str_to_u64(str_from(port), &number) || number > 65535 || name.len == 0)
        return NULL;
    struct addrinfo hints = {.ai_family = brackets ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

int http_listen_socket(struct str address, char error[200])
{
    struct addrinfo *found = resolve(address);
    if (!found) {
        listen_failed(error, address, "it is not an address and a port, such as 127.0.0.1:8080 or [::1]:8080");
        return E_INVALID;
    }
    int one = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && str_starts_with(address, STR("[::]:"))) { /* everybody: then all there are */
        freeaddrinfo(found);
        struct str port = str_from_offset(address, sizeof "[::]" - 1);
        char everybody[32];
        snprintf(everybody, sizeof everybody, "0.0.0.0%.*s", STR_ARG(port));
        return http_listen_socket(str_from(everybody), error);
    }
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
                bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int reason = errno;
    freeaddrinfo(found);
    if (good)
        return fd;
    if (fd >= 0)
        close(fd);
    return listen_failed(error, address, strerror(reason));
}

int http_server_listen_fd(struct http_server *server, int fd, struct tls_context *tls, struct str *ret_error)
{
    int one = 1;
    *ret_error = STR("Cannot listen on one more socket.");
    if (server->n_listeners == HTTP_LISTENERS_MAX || evutil_make_socket_nonblocking(fd) != 0)
        return E_LIMIT;
    /* Accepted sockets inherit it; an answer is written at once and must not wait for an acknowledgement. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* Else the kernel takes up to 4 MiB of an answer (tcp_wmem) that its reader does not fetch, for each connection. */
    int unsent = UNSENT_MAX_BYTES;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    struct http_listener *listener = &server->listeners[server->n_listeners];
    struct event *event = event_new(loop_base(), fd, EV_READ | EV_PERSIST, on_accept, listener);
    if (!event || event_add(event, NULL) != 0) {
        if (event)
            event_free(event);
        return E_UNAVAILABLE;
    }
    *listener = (struct http_listener){.event = event, .server = server, .tls = tls, .fd = fd};
    server->n_listeners++;
    *ret_error = STR_EMPTY;
    return OK;
}

int http_server_listen(struct http_server *server, struct str address, struct str *ret_error)
{
    int fd = http_listen_socket(address, server->error);
    if (fd < 0) {
        *ret_error = str_from(server->error);
        return fd;
    }
    int error = http_server_listen_fd(server, fd, NULL, ret_error);
    if (error)
        close(fd);
    return error;
}

int http_server_port(const struct http_server *server)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    if (server->n_listeners == 0 || getsockname(server->listeners[0].fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port) : 0;
}

static void close_listeners(struct http_server *server)
{
    loop_timer_clear(&server->accept_again);
    for (size_t i = 0; i < server->n_listeners; i++) {
        event_free(server->listeners[i].event);
        close(server->listeners[i].fd);
    }
    server->n_listeners = 0;
}

/* --- time limits ------------------------------------------------------------------------------------------------------- */

/* While a crowd is there, its exchanges are taken and given back in waves: what one wave has left behind serves the next. What nobody
   took since the last look is freed, beyond HTTP_POOL_MAX. */
static void drop_exchanges(struct http_server *server)
{
    for (; server->n_unused && server->n_exchanges > HTTP_POOL_MAX; server->n_unused--) {
        struct http_exchange *exchange = server->exchanges;
        server->exchanges = exchange->next;
        server->n_exchanges--;
        http_exchange_free(exchange);
    }
    server->n_unused = server->n_exchanges;
}

/* What requests took lies between the living in malloc's heap, which therefore never becomes smaller than it was at the worst moment:
   under a steady load it would grow for hours. The pages that are free go back to the system; what is needed again costs a
   fault a page. */
static void tidy_memory(struct http_server *server)
{
    if (server->now_ms - server->tidied_ms < TIDY_EVERY_MS)
        return;
    server->tidied_ms = server->now_ms;
    drop_exchanges(server);
    if (server->n_taken)
        malloc_trim(0);
    server->n_taken = 0;
}

static void on_tick(void *context)
{
    struct http_server *server = context;
    server->now_ms = clock_monotonic_ms();
    for (enum http_phase phase = 0; phase < HTTP_CLOSED; phase++) {
        /* Oldest first; but of bodies and calls each has its own time. */
        bool in_order = phase != HTTP_BODY && phase != HTTP_CALL;
        struct http_connection *next;
        for (struct http_connection *at = server->lists[phase].first; at; at = next) {
            next = at->next;
            if (at->deadline_ms <= server->now_ms)
                http_connection_overdue(at);
            else if (in_order)
                break;
        }
    }
    tidy_memory(server);
    server->ticks = false;
    if (server->n_connections || server->n_exchanges > HTTP_POOL_MAX || server->n_taken)
        tick_later(server);
}

/* --- the end ----------------------------------------------------------------------------------------------------------- */

static void tell_drained(void *context)
{
    struct http_server *server = context;
    server->settings.drained(server->settings.context);
}

static void see_drained(struct http_server *server)
{
    if (!server->draining || server->n_connections || server->drained_told || !server->settings.drained)
        return;
    server->drained_told = true;
    server->drained_post = (struct loop_post){.run = tell_drained, .context = server};
    loop_post(&server->drained_post); /* not now: the caller still uses the server */
}

void http_server_left(struct http_server *server)
{
    server->n_connections--;
    see_drained(server);
}

void http_server_retire(struct http_server *server, int64_t idle_ms)
{
    if (server->draining)
        return;
    server->draining = true;
    server->last_idle_ms = idle_ms;
    close_listeners(server);
    int64_t latest_ms = clock_monotonic_ms() + idle_ms;
    for (struct http_connection *at = server->lists[HTTP_IDLE].first; at; at = at->next)
        if (at->deadline_ms > latest_ms)
            at->deadline_ms = latest_ms;
    see_drained(server);
}

void http_server_drain(struct http_server *server)
{
    server->draining = true;
    server->last_idle_ms = LAST_IDLE_MS; /* of those whose TLS is not agreed on yet */
    close_listeners(server);
    while (server->lists[HTTP_IDLE].first)
        http_connection_drain(server->lists[HTTP_IDLE].first);
    see_drained(server);
}

static void cancel_list(struct http_connection *first)
{
    for (struct http_connection *at = first; at; at = at->next) {
        call_cancel(&at->exchange->call);
        task_wake(&at->exchange->call);
    }
}

void http_server_cancel_all(struct http_server *server)
{
    cancel_list(server->lists[HTTP_CALL].first);
    cancel_list(server->lists[HTTP_CLOSED].first);
}

size_t http_server_connections(const struct http_server *server)
{
    return server->n_connections;
}

size_t http_server_busy(const struct http_server *server)
{
    return server->n_busy;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    assert(server->n_busy == 0);
    server->settings.drained = NULL;
    close_listeners(server);
    for (enum http_phase phase = 0; phase < HTTP_PHASES; phase++)
        while (server->lists[phase].first)
            http_connection_close(server->lists[phase].first);
    while (server->exchanges) {
        struct http_exchange *exchange = server->exchanges;
        server->exchanges = exchange->next;
        http_exchange_free(exchange);
    }
    loop_timer_done(&server->tick);
    loop_timer_done(&server->accept_again);
    free(server);
}
