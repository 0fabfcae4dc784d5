/* A small web site in a thread, good and bad, for http_client_test.c and http_pool_test.c (by http_client_test_scene.h). */
#ifndef NET_HTTP_CLIENT_TEST_SERVER_H
#define NET_HTTP_CLIENT_TEST_SERVER_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <openssl/ssl.h> /* before base/banned.h */

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_FIRST = 27700, PORT_LAST = 27799, REQUEST_MAX = 64 * 1024, LARGE_BYTES = 50 * 1024 * 1024 };

struct site {
    int fd;
    uint16_t port;
    SSL_CTX *tls; /* NULL: plain */
    pthread_t thread;
    atomic_int connections, requests, open, stop;
};

struct visit {
    struct site *site;
    int fd;
    SSL *tls;
    int served; /* requests on this connection before */
    char request[REQUEST_MAX + 1];
    size_t len;
};

static bool visit_send(struct visit *visit, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len) {
        ssize_t sent = visit->tls ? SSL_write(visit->tls, at, (int)len) : send(visit->fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool visit_text(struct visit *visit, const char *text)
{
    return visit_send(visit, text, strlen(text));
}

static bool visit_answer(struct visit *visit, const char *headers, const void *body, size_t len)
{
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n", len, headers);
    return visit_text(visit, head) && visit_send(visit, body, len);
}

/* Waits, but not longer than the site lives or the client stays. */
static void visit_hang(struct visit *visit)
{
    struct pollfd poll_fd = {.fd = visit->fd, .events = POLLIN | POLLRDHUP};
    while (!visit->site->stop && poll(&poll_fd, 1, 20) == 0)
        ;
}

static void visit_reset(struct visit *visit)
{
    struct linger linger = {.l_onoff = 1};
    setsockopt(visit->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* gzip of `zeros` zero bytes, 13 bits for 258 of them, written by hand: fixed Huffman codes. */
struct bits {
    unsigned char *out;
    size_t len;
    unsigned hold, n_hold;
};

static void bits_put(struct bits *bits, unsigned value, unsigned count)
{
    bits->hold |= value << bits->n_hold;
    bits->n_hold += count;
    while (bits->n_hold >= 8) {
        bits->out[bits->len++] = (unsigned char)bits->hold;
        bits->hold >>= 8;
        bits->n_hold -= 8;
    }
}

/* Huffman codes go out with their highest bit first. */
static void bits_put_code(struct bits *bits, unsigned code, unsigned count)
{
    while (count--)
        bits_put(bits, code >> count & 1, 1);
}

static uint32_t crc_of_zeros(size_t count)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < count; i++) {
        crc ^= 0;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static size_t gzip_zeros(size_t matches, unsigned char *out)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8};
    struct bits bits = {.out = out, .len = sizeof head};
    size_t zeros = 1 + matches * 258;
    memcpy(out, head, sizeof head);
    bits_put(&bits, 1, 1);         /* the last block */
    bits_put(&bits, 1, 2);         /* fixed codes */
    bits_put_code(&bits, 0x30, 8); /* literal 0 */
    for (size_t i = 0; i < matches; i++) {
        bits_put_code(&bits, 0xc5, 8); /* length 258 */
        bits_put_code(&bits, 0, 5);    /* distance 1 */
    }
    bits_put_code(&bits, 0, 7); /* end */
    bits_put(&bits, 0, 7);
    uint32_t trailer[2] = {crc_of_zeros(zeros), (uint32_t)zeros};
    memcpy(out + bits.len, trailer, sizeof trailer);
    return bits.len + sizeof trailer;
}

enum { BOMB_MATCHES = 20000, BOMB_BYTES = 1 + BOMB_MATCHES * 258 };

static bool serve_bomb(struct visit *visit, size_t matches)
{
    unsigned char *bomb = malloc(matches * 2 + 64);
    bool sent = visit_answer(visit, "Content-Encoding: gzip\r\n", bomb, gzip_zeros(matches, bomb));
    free(bomb);
    return sent;
}

static bool serve_large(struct visit *visit, const char *head, bool is_chunked)
{
    static const char block[32768];
    bool sent = visit_text(visit, head);
    for (size_t i = 0; sent && i < LARGE_BYTES / sizeof block; i++)
        sent = (!is_chunked || visit_text(visit, "8000\r\n")) && visit_send(visit, block, sizeof block) &&
               (!is_chunked || visit_text(visit, "\r\n"));
    return sent && visit_text(visit, "0\r\n\r\n");
}

static void serve_drip(struct visit *visit)
{
    visit_text(visit, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (!visit->site->stop && visit_text(visit, "x"))
        usleep(50 * 1000);
}

/* False: the connection ends. */
static bool serve(struct visit *visit, const char *path)
{
    if (!strcmp(path, "/ok"))
        return visit_answer(visit, "Content-Type: application/json; charset=UTF-8\r\nX-Two: a\r\nx-two: b\r\n",
                            "{\"a\":1}", 7);
    if (!strcmp(path, "/echo"))
        return visit_answer(visit, "", visit->request, visit->len);
    if (!strcmp(path, "/gzip"))
        return serve_bomb(visit, 10);
    if (!strcmp(path, "/bomb"))
        return serve_bomb(visit, BOMB_MATCHES);
    if (!strcmp(path, "/encodings"))
        return visit_answer(visit, "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n", "x", 1);
    if (!strcmp(path, "/chunked"))
        return visit_text(visit, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n"
                                 "X-Trailer: t\r\n\r\n");
    if (!strcmp(path, "/early"))
        return visit_text(visit, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") && visit_answer(visit, "", "ok", 2);
    if (!strcmp(path, "/large"))
        return serve_large(visit, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true);
    if (!strcmp(path, "/large-length"))
        return serve_large(visit, "HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n", false);
    if (!strcmp(path, "/redirect"))
        return visit_text(visit, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    if (!strcmp(path, "/404"))
        return visit_text(visit, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope");
    if (!strcmp(path, "/pause")) {
        usleep(100 * 1000);
        return visit_answer(visit, "", "late", 4);
    }
    if (!strcmp(path, "/once") && visit->served == 0)
        return visit_answer(visit, "", "once", 4);
    if (!strcmp(path, "/hang"))
        visit_hang(visit);
    if (!strcmp(path, "/drip"))
        serve_drip(visit);
    if (!strcmp(path, "/stall")) {
        visit_text(visit, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
        visit_hang(visit);
    }
    if (!strcmp(path, "/partial"))
        visit_text(visit, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    if (!strcmp(path, "/reset")) {
        visit_text(visit, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
        usleep(20 * 1000);
        visit_reset(visit);
    }
    if (!strcmp(path, "/garbage"))
        visit_text(visit, "SSH-2.0-OpenSSH_9.2\r\n\r\nhello hello hello");
    if (!strcmp(path, "/headers")) {
        bool sent = visit_text(visit, "HTTP/1.1 200 OK\r\n");
        while (sent && !visit->site->stop)
            sent = visit_text(visit, "X-Endless: 0123456789012345678901234567890123456789012345678901234567890\r\n");
    }
    return false;
}

static ssize_t visit_read(struct visit *visit)
{
    size_t room = REQUEST_MAX - visit->len;
    return visit->tls ? SSL_read(visit->tls, visit->request + visit->len, (int)room)
                      : recv(visit->fd, visit->request + visit->len, room, 0);
}

/* Reads one request with its body; false at the end of the connection. */
static bool visit_next(struct visit *visit, char path[128])
{
    visit->len = 0;
    for (;;) {
        visit->request[visit->len] = '\0';
        char *end = strstr(visit->request, "\r\n\r\n");
        if (end) {
            const char *length = strcasestr(visit->request, "\r\nContent-Length: ");
            size_t body = length && length < end ? strtoul(length + 18, NULL, 10) : 0;
            if (visit->len >= (size_t)(end + 4 - visit->request) + body)
                break;
        }
        ssize_t got = visit_read(visit);
        if (got <= 0)
            return false;
        visit->len += (size_t)got;
    }
    return sscanf(visit->request, "%*s %127[^ ?]", path) == 1;
}

static void *visit_run(void *context)
{
    struct visit *visit = context;
    char path[128];
    if (visit->site->tls) {
        visit->tls = SSL_new(visit->site->tls);
        SSL_set_fd(visit->tls, visit->fd);
        if (SSL_accept(visit->tls) != 1)
            goto end;
    }
    while (!visit->site->stop && visit_next(visit, path)) {
        visit->site->requests++;
        if (!serve(visit, path))
            break;
        visit->served++;
    }
end:
    SSL_free(visit->tls);
    close(visit->fd);
    visit->site->open--;
    free(visit);
    return NULL;
}

static void *site_run(void *context)
{
    struct site *site = context;
    for (;;) {
        int fd = accept(site->fd, NULL, NULL);
        if (fd < 0 || site->stop) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct timeval patience = {.tv_sec = 10};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        struct visit *visit = calloc(1, sizeof *visit);
        visit->site = site;
        visit->fd = fd;
        site->connections++;
        site->open++;
        pthread_t thread;
        pthread_create(&thread, NULL, visit_run, visit);
        pthread_detach(thread);
    }
}

/* A listening socket on the next free port of ours. */
static int site_listen(int backlog, uint16_t *ret_port)
{
    for (int port = PORT_FIRST; port <= PORT_LAST; port++) {
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, backlog) == 0) {
            *ret_port = (uint16_t)port;
            return fd;
        }
        close(fd);
    }
    abort();
}

static inline void site_open(struct site *site, SSL_CTX *tls)
{
    *site = (struct site){.tls = tls};
    site->fd = site_listen(1024, &site->port);
    pthread_create(&site->thread, NULL, site_run, site);
}

static inline void site_close(struct site *site)
{
    site->stop = 1;
    shutdown(site->fd, SHUT_RDWR);
    pthread_join(site->thread, NULL);
    close(site->fd);
    while (site->open)
        usleep(1000);
}

#endif
