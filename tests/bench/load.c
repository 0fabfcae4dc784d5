/*
 * load PORT REQUEST flight CONNECTIONS SECONDS   closed loop: each connection asks again as soon as it is answered
 * load PORT REQUEST rate PER_SECOND SECONDS      open loop: requests start on a fixed schedule, whether or not the last ones are
 *                                                answered; times count from the schedule, so that a stall is seen by all it delays
 * load PORT REQUEST hold CONNECTIONS             one request on each, then all stay idle; prints a line, waits for a line on stdin
 *
 * REQUEST is a file with one raw HTTP/1.1 request; 127.0.0.1, keep-alive. Prints one JSON object. Anything but a complete 200 answer
 * with a Content-Length is an error, and so is a JSON-RPC or tool error in it. Part of ./dev bench only.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 1 << 20, RATE_CONNECTIONS = 2000, SAMPLES_MAX = 1 << 24 };

struct connection {
    int fd;
    bool connected;
    bool busy;
    bool closing; /* the server said that this answer is the connection's last */
    int64_t begun_ns;
    size_t have;  /* bytes of the answer so far */
    size_t total; /* of the whole answer; 0 while its head is incomplete */
    char head[4096];
};

static char request[65536];
static size_t request_size;
static struct sockaddr_in address;
static int epoll;
static struct connection *connections, **idle;
static size_t n_connections, n_idle;
static uint32_t *samples_us;
static size_t n_samples, n_errors, n_late;
static uint64_t answer_bytes;
static int64_t count_from_ns, stop_ns;
static bool is_flight;
static char sink[ANSWER_MAX];

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void open_connection(struct connection *connection)
{
    int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address))
        err(1, "connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = connection});
    connection->connected = true;
}

static void begin(struct connection *connection, int64_t begun_ns)
{
    if (!connection->connected)
        open_connection(connection);
    connection->begun_ns = begun_ns;
    connection->have = connection->total = 0;
    connection->busy = true;
    connection->closing = false;
    if (send(connection->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) {
        close(connection->fd); /* the server closed a connection that it had kept: ask once more on a new one */
        connection->connected = false;
        n_late++;
        open_connection(connection);
        if (send(connection->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size)
            err(1, "send");
    }
}

static void end(struct connection *connection, bool good)
{
    int64_t now = now_ns();
    connection->busy = false;
    if (now >= count_from_ns && connection->begun_ns < stop_ns) {
        if (!good)
            n_errors++;
        else if (n_samples < SAMPLES_MAX)
            samples_us[n_samples++] = (uint32_t)((now - connection->begun_ns) / 1000);
        answer_bytes += connection->total;
    }
    if (is_flight && now < stop_ns)
        begin(connection, now);
    else
        idle[n_idle++] = connection;
}

/* The answer's whole size, once its head is there; 0 before; SIZE_MAX when it is not one we count. */
static size_t whole_size(const char *head, size_t have, bool *ret_closing)
{
    size_t size = SIZE_MAX;
    const char *stop = memmem(head, have, "\r\n\r\n", 4);
    if (!stop)
        return have == sizeof((struct connection *)0)->head ? SIZE_MAX : 0;
    if (have < 12 || strncmp(head + 9, "200", 3) != 0)
        return SIZE_MAX;
    for (const char *line = head; line < stop;
         line = (const char *)memmem(line, (size_t)(stop + 2 - line), "\r\n", 2) + 2) {
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            size = (size_t)(stop + 4 - head) + (size_t)atoll(line + 15);
        *ret_closing = *ret_closing || strncasecmp(line, "Connection: close", 17) == 0;
    }
    return size;
}

/* Looks at one piece of the answer, which is enough for answers that come in one. */
static bool tells_of_error(size_t size)
{
    return memmem(sink, size, "\"isError\":true", 14) || memmem(sink, size, "\"error\":{", 9);
}

static void on_readable(struct connection *connection)
{
    ssize_t got = recv(connection->fd, sink, sizeof sink, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || !connection->busy) {
        close(connection->fd);
        connection->connected = false;
        if (connection->busy)
            end(connection, false);
        return;
    }
    if (connection->total == 0) {
        size_t room = sizeof connection->head - connection->have;
        memcpy(connection->head + connection->have, sink, (size_t)got < room ? (size_t)got : room);
        size_t known = connection->have + (size_t)got;
        connection->total = whole_size(
            connection->head, known < sizeof connection->head ? known : sizeof connection->head, &connection->closing);
    }
    connection->have += (size_t)got;
    if (connection->total == SIZE_MAX || tells_of_error((size_t)got)) {
        if (n_errors == 0)
            fprintf(stderr, "load: answered %.*s\n", got < 800 ? (int)got : 800, sink);
        close(connection->fd);
        connection->connected = false;
        connection->total = 0;
        end(connection, false);
    } else if (connection->total && connection->have >= connection->total) {
        if (connection->closing) {
            close(connection->fd);
            connection->connected = false;
        }
        end(connection, connection->have == connection->total);
    }
}

static void serve(int64_t until_ns)
{
    struct epoll_event events[512];
    int64_t left = until_ns - now_ns();
    left = left < 0 ? 0 : left;
    int n = epoll_pwait2(epoll, events, 512, &(struct timespec){left / 1000000000, left % 1000000000}, NULL);
    for (int i = 0; i < n; i++)
        on_readable(events[i].data.ptr);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double p)
{
    return n_samples ? samples_us[(size_t)((double)(n_samples - 1) * p)] / 1000.0 : 0;
}

static void report(double seconds)
{
    qsort(samples_us, n_samples, sizeof *samples_us, by_size);
    printf("{\"requests\":%zu,\"errors\":%zu,\"reopened\":%zu,\"per_second\":%.1f,\"answer_bytes\":%.0f,"
           "\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
           n_samples, n_errors, n_late, (double)n_samples / seconds,
           n_samples ? (double)answer_bytes / (double)n_samples : 0, percentile(0.5), percentile(0.9), percentile(0.99),
           percentile(1));
}

static void flight(double seconds)
{
    is_flight = true;
    count_from_ns = now_ns();
    stop_ns = count_from_ns + (int64_t)(seconds * 1e9);
    for (size_t i = 0; i < n_connections; i++)
        begin(&connections[i], now_ns());
    while (now_ns() < stop_ns)
        serve(stop_ns);
    report(seconds);
}

static void rate(double per_second, double seconds)
{
    for (size_t i = 0; i < n_connections; i++)
        idle[n_idle++] = &connections[i];
    int64_t start = now_ns() + 10000000, count = (int64_t)(per_second * seconds);
    count_from_ns = start;
    stop_ns = start + (int64_t)(seconds * 1e9);
    for (int64_t i = 0; i < count;) {
        int64_t next = start + (int64_t)((double)i * 1e9 / per_second);
        if (now_ns() >= next && n_idle) {
            begin(idle[--n_idle], next);
            i++;
        } else {
            serve(n_idle ? next : now_ns() + 1000000);
        }
    }
    for (int64_t limit = now_ns() + 10000000000; n_idle < n_connections && now_ns() < limit;)
        serve(limit);
    n_errors += n_connections - n_idle; /* never answered */
    report(seconds);
}

static void hold(void)
{
    count_from_ns = now_ns();
    stop_ns = INT64_MAX;
    for (size_t i = 0; i < n_connections; i++) {
        begin(&connections[i], now_ns());
        while (connections[i].busy)
            serve(now_ns() + 1000000000);
    }
    report(1);
    fflush(stdout);
    getchar();
    for (size_t i = 0, n = n_connections; i < n; i++) {
        char byte;
        ssize_t got = recv(connections[i].fd, &byte, 1, MSG_DONTWAIT);
        if (got == 0)
            n_errors++;
    }
    printf("{\"closed\":%zu}\n", n_errors);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        errx(2, "usage: load PORT REQUEST flight CONNECTIONS SECONDS | rate PER_SECOND SECONDS | hold CONNECTIONS");
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    FILE *file = fopen(argv[2], "r");
    if (!file)
        err(1, "%s", argv[2]);
    request_size = fread(request, 1, sizeof request, file);
    epoll = epoll_create1(0);
    samples_us = malloc(sizeof *samples_us * SAMPLES_MAX);
    bool is_rate = strcmp(argv[3], "rate") == 0;
    n_connections = is_rate ? RATE_CONNECTIONS : (size_t)atoll(argv[4]);
    connections = calloc(n_connections, sizeof *connections);
    idle = calloc(n_connections, sizeof *idle);
    if (!samples_us || !connections || !idle)
        errx(1, "no memory");
    if (is_rate)
        rate(atof(argv[4]), atof(argv[5]));
    else if (strcmp(argv[3], "flight") == 0)
        flight(atof(argv[5]));
    else if (strcmp(argv[3], "hold") == 0)
        hold();
    else
        errx(2, "what is %s?", argv[3]);
}
