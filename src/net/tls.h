/*
 * TLS of our own listeners (OpenSSL): a thin layer of read and write functions over a non-blocking socket, for
 * net/http_connection.c. TLS 1.2 and 1.3, ALPN http/1.1, no renegotiation, no compression. One certificate, whatever name the
 * client asks for: which names are ours is decided by Host, once for all transports (net/own_address.h).
 *
 * The private key is read into OpenSSL's secure heap: locked, not dumped, wiped.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "call/call.h"

#include <sys/uio.h>

struct tls_context; /* certificate, key and rules: one of a process */
struct tls;         /* one connection */

/* PEM files: the certificate with its chain, and its key. NULL: *ret_problem says why, with the file's name, for the operator. */
struct tls_context *tls_context_new(const char *certificate_file, const char *key_file, struct arena *arena,
                                    struct str *ret_problem);
/* A certificate that nobody trusts, made in memory: to listen with until the real one is there. NULL: no memory. */
struct tls_context *tls_context_provisional(const char *name);
void tls_context_free(struct tls_context *context);

/* When the certificate ends, Unix seconds; 0: it cannot be read. *ret_begins_s too, when not NULL. */
int64_t tls_certificate_ends_s(const char *certificate_file, int64_t *ret_begins_s);

enum tls_result {
    TLS_DONE,
    TLS_WAIT_READ,  /* until there is something to read */
    TLS_WAIT_WRITE, /* until the socket takes more */
    TLS_END,        /* the client has closed its side in order */
    TLS_BROKEN,
    TLS_PLAIN, /* of a handshake: the client does not speak TLS, but HTTP */
};

/* NULL: no memory. The descriptor stays the caller's. */
struct tls *tls_new(struct tls_context *context, int fd);
MUST_CHECK enum tls_result tls_handshake(struct tls *tls);
MUST_CHECK enum tls_result tls_read(struct tls *tls, char *room, size_t size, size_t *ret_read);
/*
 * As much of all pieces as the socket takes; *ret_taken says how much. What was not taken must be given again, from there on,
 * before anything else.
 */
MUST_CHECK enum tls_result tls_write(struct tls *tls, const struct iovec *pieces, size_t n_pieces, size_t *ret_taken);
/* Was more read from the socket than tls_read() has handed out? Then no event tells of it. */
bool tls_has_more(const struct tls *tls);
/* Tells the client that nothing more comes; does not wait. */
void tls_goodbye(struct tls *tls);
void tls_free(struct tls *tls); /* NULL is fine */

#endif
