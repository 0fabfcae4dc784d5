/* TLS of our own listeners. */
#include <openssl/err.h> /* before base/banned.h: they use banned names */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    RECORD_BYTES = 16 * 1024, /* of plain text; larger answers go in several */
    SECURE_HEAP_BYTES = 64 * 1024,
    SECURE_HEAP_MIN_BYTES = 16,
    PROVISIONAL_DAYS = 7,
};

struct tls {
    SSL *ssl;
    bool broken; /* nothing may be said any more */
};

/* ---- the context */

/* The name that ALPN gives HTTP/1.1 (RFC 7301); who insists on something else is refused, as section 3.2 has it. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)context;
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, ours, sizeof ours - 1, in, in_len) ==
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *new_context(void)
{
    /* Once, before the first key: its numbers then lie in locked memory. Without that (a limit) they lie where others do. */
    if (!CRYPTO_secure_malloc_initialized())
        (void)CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_MIN_BYTES);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* clients keep tickets; we keep nothing */
    SSL_CTX_set_num_tickets(context, 1);
    /* Of TLS 1.2 only what has forward secrecy and authenticates what it encrypts. */
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* The first error that OpenSSL has noted, in its words. */
static const char *reason(void)
{
    unsigned long code = ERR_get_error();
    const char *text =
        ERR_GET_LIB(code) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    ERR_clear_error();
    return text ? text : "it is not what it should be";
}

struct tls_context *tls_context_new(const char *certificate_file, const char *key_file, struct arena *arena,
                                    struct str *ret_problem)
{
    SSL_CTX *context = new_context();
    ERR_clear_error();
    if (!context)
        *ret_problem = STR("TLS cannot be used: no memory");
    else if (SSL_CTX_use_certificate_chain_file(context, certificate_file) != 1)
        *ret_problem = str_format(arena, "the certificate %s cannot be used: %s", certificate_file, reason());
    else if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        *ret_problem = str_format(arena, "the key %s cannot be used, or is not that of the certificate %s: %s",
                                  key_file, certificate_file, reason());
    else
        return (struct tls_context *)context;
    SSL_CTX_free(context);
    return NULL;
}

static bool use_provisional(SSL_CTX *context, const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    bool good = key && certificate && X509_set_version(certificate, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), 0) &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), PROVISIONAL_DAYS * 86400L) &&
                X509_set_pubkey(certificate, key) == 1 &&
                X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                           (const unsigned char *)name, -1, -1, 0) == 1 &&
                X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
                X509_sign(certificate, key, EVP_sha256()) > 0 && SSL_CTX_use_certificate(context, certificate) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return good;
}

struct tls_context *tls_context_provisional(const char *name)
{
    SSL_CTX *context = new_context();
    if (context && use_provisional(context, name))
        return (struct tls_context *)context;
    SSL_CTX_free(context);
    return NULL;
}

void tls_context_free(struct tls_context *context)
{
    SSL_CTX_free((SSL_CTX *)context);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts;
    return time && ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

int64_t tls_certificate_ends_s(const char *certificate_file, int64_t *ret_begins_s)
{
    FILE *file = fopen(certificate_file, "re");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    int64_t ends_s = certificate ? seconds_of(X509_get0_notAfter(certificate)) : 0;
    if (ret_begins_s)
        *ret_begins_s = certificate ? seconds_of(X509_get0_notBefore(certificate)) : 0;
    X509_free(certificate);
    if (file)
        fclose(file);
    ERR_clear_error();
    return ends_s;
}

/* ---- a connection */

struct tls *tls_new(struct tls_context *context, int fd)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    tls->ssl = SSL_new((SSL_CTX *)context);
    if (!tls->ssl || SSL_set_fd(tls->ssl, fd) != 1) {
        tls_free(tls);
        return NULL;
    }
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static enum tls_result judge(struct tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WAIT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WAIT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_END;
    default:
        break;
    }
    tls->broken = true;
    bool plain = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
    ERR_clear_error();
    return plain ? TLS_PLAIN : TLS_BROKEN;
}

enum tls_result tls_handshake(struct tls *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    return result == 1 ? TLS_DONE : judge(tls, result);
}

enum tls_result tls_read(struct tls *tls, char *room, size_t size, size_t *ret_read)
{
    ERR_clear_error();
    int result = SSL_read_ex(tls->ssl, room, size, ret_read);
    return result == 1 ? TLS_DONE : judge(tls, result);
}

bool tls_has_more(const struct tls *tls)
{
    return !tls->broken && SSL_has_pending(tls->ssl) && SSL_pending(tls->ssl) > 0;
}

/* What comes next, up to a record's size: one piece as it lies, several side by side in `room`. */
static struct str next_record(const struct iovec *pieces, size_t n_pieces, size_t offset, char room[RECORD_BYTES])
{
    size_t len = 0;
    while (n_pieces && offset >= pieces->iov_len) {
        offset -= pieces->iov_len;
        pieces++;
        n_pieces--;
    }
    if (!n_pieces)
        return STR_EMPTY;
    size_t first = pieces->iov_len - offset;
    if (n_pieces == 1 || first >= RECORD_BYTES)
        return str_of((char *)pieces->iov_base + offset, first < RECORD_BYTES ? first : RECORD_BYTES);
    for (; n_pieces && len < RECORD_BYTES; pieces++, n_pieces--, offset = 0) {
        size_t take = pieces->iov_len - offset;
        take = take < RECORD_BYTES - len ? take : RECORD_BYTES - len;
        memcpy(room + len, (char *)pieces->iov_base + offset, take);
        len += take;
    }
    return str_of(room, len);
}

enum tls_result tls_write(struct tls *tls, const struct iovec *pieces, size_t n_pieces, size_t *ret_taken)
{
    static char room[RECORD_BYTES]; /* tasks have small stacks, and this does not wait */
    *ret_taken = 0;
    for (;;) {
        size_t taken = 0;
        struct str record = next_record(pieces, n_pieces, *ret_taken, room);
        if (!record.len)
            return TLS_DONE;
        ERR_clear_error();
        int result = SSL_write_ex(tls->ssl, record.ptr, record.len, &taken);
        if (result != 1)
            return judge(tls, result);
        *ret_taken += taken;
    }
}

void tls_goodbye(struct tls *tls)
{
    ERR_clear_error();
    if (!tls->broken && SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl);
    tls->broken = true;
    ERR_clear_error();
}
