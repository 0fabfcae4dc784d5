/*
 * upstream PORT DIR DELAY_MS: plays a recorded WordPress, the same to whoever asks, each answer DELAY_MS after its request.
 *
 * DIR/index has lines "METHOD URI<tab>FILE": exactly that request, whatever its body, is answered with the raw HTTP response in
 * DIR/FILE. Anything else is a 404 and told on stderr, for then the measurement is of something else than was meant. Part of
 * ./dev bench only: 127.0.0.1, one process, requests of up to REQUEST_MAX bytes.
 */
#define _GNU_SOURCE
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 65536, ANSWERS_MAX = 64, REQUEST_MAX = 65536, DUE_MAX = 1 << 17 };

struct answer {
    char request[2048]; /* method and URI */
    char *bytes;
    size_t size;
};

struct connection {
    char *request;
    size_t have;
    unsigned generation; /* a descriptor's number is used again */
};

/* The delay is the same for all, so what is due comes in the order of the requests. */
struct due {
    int64_t at_ns;
    int fd;
    unsigned generation;
    const struct answer *answer;
};

static struct answer answers[ANSWERS_MAX];
static size_t n_answers;
static struct connection connections[CONNECTIONS_MAX];
static struct due due[DUE_MAX];
static size_t due_first, due_end;
static int64_t delay_ns;

static const char NOT_FOUND[] =
    "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
static const struct answer not_found = {.bytes = (char *)NOT_FOUND, .size = sizeof NOT_FOUND - 1};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void load(const char *dir)
{
    char path[4096], line[4096];
    snprintf(path, sizeof path, "%s/index", dir);
    FILE *index = fopen(path, "r");
    if (!index)
        err(1, "%s", path);
    while (fgets(line, sizeof line, index) && n_answers < ANSWERS_MAX) {
        struct answer *answer = &answers[n_answers++];
        char file[256];
        if (sscanf(line, "%2047[^\t]\t%255s", answer->request, file) != 2)
            errx(1, "%s: not METHOD URI<tab>FILE: %s", path, line);
        char answer_path[4096 + 256];
        snprintf(answer_path, sizeof answer_path, "%s/%s", dir, file);
        FILE *bytes = fopen(answer_path, "r");
        if (!bytes)
            err(1, "%s", answer_path);
        answer->bytes = malloc(1 << 20);
        answer->size = answer->bytes ? fread(answer->bytes, 1, 1 << 20, bytes) : 0;
        fclose(bytes);
    }
    fclose(index);
}

static const struct answer *find(const char *request, size_t size)
{
    const char *uri = memchr(request, ' ', size);
    const char *end = uri ? memchr(uri + 1, ' ', size - (size_t)(uri + 1 - request)) : NULL;
    /* "_=..." at the end makes each address its own, for caches on the way; WordPress does not look at it. */
    const char *own = end ? memmem(uri, (size_t)(end - uri), "&_=", 3) : NULL;
    if (end && !own)
        own = memmem(uri, (size_t)(end - uri), "?_=", 3);
    end = own ? own : end;
    size_t length = end ? (size_t)(end - request) : 0;
    for (size_t i = 0; i < n_answers && end; i++)
        if (strncmp(answers[i].request, request, length) == 0 && answers[i].request[length] == '\0')
            return &answers[i];
    fprintf(stderr, "not recorded: %.*s\n", end ? (int)length : 20, request);
    return &not_found;
}

/* The whole request's size, once its head is there; 0 before. */
static size_t whole_size(const char *request, size_t have)
{
    const char *end = memmem(request, have, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t size = (size_t)(end + 4 - request);
    for (const char *line = request; line < end;
         line = (const char *)memmem(line, (size_t)(end + 2 - line), "\r\n", 2) + 2)
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            size += (size_t)atoll(line + 15);
    return size;
}

static void drop(int fd)
{
    connections[fd].have = 0;
    connections[fd].generation++;
    close(fd);
}

static void send_answer(int fd, const struct answer *answer)
{
    /* The socket's buffer takes far more than an answer, and the client has read the one before. */
    if (send(fd, answer->bytes, answer->size, MSG_NOSIGNAL) != (ssize_t)answer->size)
        drop(fd);
}

static void on_readable(int fd)
{
    struct connection *connection = &connections[fd];
    ssize_t got = recv(fd, connection->request + connection->have, REQUEST_MAX - connection->have, 0);
    if (got <= 0) {
        drop(fd);
        return;
    }
    connection->have += (size_t)got;
    size_t size = whole_size(connection->request, connection->have);
    if (size == 0 || connection->have < size) {
        if (connection->have == REQUEST_MAX)
            drop(fd);
        return;
    }
    const struct answer *answer = find(connection->request, connection->have);
    connection->have = 0; /* nobody pipelines here */
    if (delay_ns == 0) {
        send_answer(fd, answer);
        return;
    }
    if (due_end - due_first == DUE_MAX)
        errx(1, "too many requests at once");
    due[due_end++ % DUE_MAX] = (struct due){now_ns() + delay_ns, fd, connection->generation, answer};
}

static void send_due(void)
{
    for (int64_t now = now_ns(); due_first < due_end && due[due_first % DUE_MAX].at_ns <= now; due_first++) {
        const struct due *one = &due[due_first % DUE_MAX];
        if (connections[one->fd].generation == one->generation)
            send_answer(one->fd, one->answer);
    }
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096))
        err(1, "port %d", port);
    return fd;
}

static void accept_all(int listener, int epoll)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), yes = 1;
        if (fd < 0)
            return;
        if (fd >= CONNECTIONS_MAX)
            errx(1, "too many connections");
        if (!connections[fd].request)
            connections[fd].request = malloc(REQUEST_MAX);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        errx(2, "usage: upstream PORT DIR DELAY_MS");
    load(argv[2]);
    delay_ns = atoll(argv[3]) * 1000000;
    int listener = listen_on(atoi(argv[1])), epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct epoll_event events[512];
        struct timespec wait = {3600, 0};
        if (due_first < due_end) {
            int64_t left = due[due_first % DUE_MAX].at_ns - now_ns();
            left = left < 0 ? 0 : left;
            wait = (struct timespec){left / 1000000000, left % 1000000000};
        }
        int n = epoll_pwait2(epoll, events, 512, &wait, NULL);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener, epoll);
            else
                on_readable(events[i].data.fd);
        }
        send_due();
    }
}
