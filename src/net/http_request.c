/* What a caller wants to send, as libcurl wants to have it. */
#include <sodium.h> /* before base/banned.h: it uses a banned name */

#include "net/http_transfer.h"

enum { CREDENTIAL_MAX_BYTES = 768 /* user, colon, password */ };

/* libcurl would format these two anew with each request, byte by byte. */
static char accept_encoding_line[] = "Accept-Encoding: " HTTP_REQUEST_ENCODINGS;
static char user_agent_line[] = "User-Agent: porteiro/" PORTEIRO_VERSION;
static struct curl_slist accept_encoding = {accept_encoding_line, NULL};
static struct curl_slist common_lines = {user_agent_line, &accept_encoding};
/* What is read in pieces comes as it is: decoding could make any number of bytes of one piece. */
static char identity_line[] = "Accept-Encoding: identity";
static char user_agent_line_2[] = "User-Agent: porteiro/" PORTEIRO_VERSION;
static struct curl_slist accept_identity = {identity_line, NULL};
static struct curl_slist download_lines = {user_agent_line_2, &accept_identity};

static const struct method {
    struct str name;
    bool is_repeatable;
    bool has_body; /* Content-Length even when it is empty */
} methods[] = {
    {STR_INIT("GET"), true, false},     {STR_INIT("HEAD"), true, false},  {STR_INIT("POST"), false, true},
    {STR_INIT("PUT"), false, true},     {STR_INIT("PATCH"), false, true}, {STR_INIT("DELETE"), false, false},
    {STR_INIT("OPTIONS"), true, false},
};

static const struct method *method_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (str_eq(methods[i].name, name))
            return &methods[i];
    return NULL;
}

/* Fields that are libcurl's business. */
static bool is_our_field(struct str name)
{
    static const struct str ours[] = {
        STR_INIT("Host"),
        STR_INIT("Content-Length"),
        STR_INIT("Transfer-Encoding"),
        STR_INIT("Connection"),
        STR_INIT("TE"),
        STR_INIT("Keep-Alive"),
        STR_INIT("Accept-Encoding"),
        STR_INIT("Upgrade"),
        STR_INIT("Expect"),
        STR_INIT("Trailer"),
        STR_INIT("Proxy-Connection"),
        STR_INIT("Proxy-Authorization"),
        STR_INIT("User-Agent"),
        STR_INIT("Cookie"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
        if (str_eq_nocase(ours[i], name))
            return true;
    return false;
}

static bool is_field(const struct http_header *header)
{
    if (header->name.len == 0 || is_our_field(header->name))
        return false;
    for (size_t i = 0; i < header->name.len; i++) {
        char c = header->name.ptr[i];
        if (!ascii_is_alnum(c) && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    for (size_t i = 0; i < header->value.len; i++) {
        unsigned char c = (unsigned char)header->value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* What is wrong with the request, or NULL. */
const char *http_request_check(const struct http_fetch *request)
{
    if (!method_find(request->method))
        return "its method is not known";
    if (request->n_headers > HTTP_FETCH_HEADERS_MAX)
        return "it has too many headers";
    for (size_t i = 0; i < request->n_headers; i++)
        if (!is_field(&request->headers[i]))
            return "a header cannot be sent";
    if (request->pool_key.len > HTTP_FETCH_KEY_MAX_BYTES)
        return "its pool key is too long";
    if (request->basic_user.len + request->basic_password.len + 1 > CREDENTIAL_MAX_BYTES)
        return "its user name or password is too long";
    if (request->source && (request->body.len || !method_find(request->method)->has_body))
        return "it cannot have a body in pieces";
    if (str_find_char(request->basic_user, ':') != STR_NOT_FOUND)
        return "its user name holds a colon";
    return NULL;
}

/* Ends the piece of text that began at `from`, as a header line when it is one. Pointers are set when the text is complete. */
static void line_end(struct http_transfer *transfer, size_t from)
{
    buf_add_char(&transfer->text, '\0');
    transfer->lines[transfer->n_lines++].data = (char *)from; /* NOLINT(performance-no-int-to-ptr): an offset for now */
}

static void add_line(struct http_transfer *transfer, struct str line)
{
    size_t from = transfer->text.len;
    buf_add(&transfer->text, line);
    line_end(transfer, from);
}

static void add_basic(struct http_transfer *transfer, struct str user, struct str password)
{
    char plain[CREDENTIAL_MAX_BYTES], encoded[CREDENTIAL_MAX_BYTES * 4 / 3 + 8];
    size_t from = transfer->text.len;
    memcpy(plain, user.ptr, user.len);
    plain[user.len] = ':';
    if (password.len)
        memcpy(plain + user.len + 1, password.ptr, password.len);
    sodium_bin2base64(encoded, sizeof encoded, (unsigned char *)plain, user.len + 1 + password.len,
                      sodium_base64_VARIANT_ORIGINAL);
    buf_add(&transfer->text, STR("Authorization: Basic "));
    buf_add(&transfer->text, str_from(encoded));
    line_end(transfer, from);
    sodium_memzero(plain, sizeof plain);
    sodium_memzero(encoded, sizeof encoded);
}

static void add_header(struct http_transfer *transfer, const struct http_header *header)
{
    size_t from = transfer->text.len;
    buf_add(&transfer->text, header->name);
    if (header->value.len) {
        buf_add(&transfer->text, STR(": "));
        buf_add(&transfer->text, header->value);
    } else {
        buf_add_char(&transfer->text, ';'); /* libcurl's way to send an empty field */
    }
    line_end(transfer, from);
}

static size_t text_max(const struct http_fetch *request, const struct url *url)
{
    size_t max = url->host.len + url->path.len + url->query.len + CREDENTIAL_MAX_BYTES * 4 / 3 + 256;
    for (size_t i = 0; i < request->n_headers; i++)
        max += request->headers[i].name.len + request->headers[i].value.len + 3;
    return max;
}

/* False: no memory. */
bool http_request_write(struct http_transfer *transfer, const struct http_fetch *request, const struct url *url)
{
    bool has_type = http_header_get(request->headers, request->n_headers, STR("Content-Type")).ptr != NULL;
    transfer->text.max = text_max(request, url);
    if (!buf_reserve(&transfer->text, transfer->text.max)) /* all at once: growing would leave secrets behind */
        return false;
    url_add_origin(&transfer->text, url);
    buf_add_char(&transfer->text, '\0');
    transfer->target_at = transfer->text.len;
    url_add_target(&transfer->text, url);
    buf_add_char(&transfer->text, '\0');
    for (size_t i = 0; i < request->n_headers; i++)
        add_header(transfer, &request->headers[i]);
    if (request->basic_user.len)
        add_basic(transfer, request->basic_user, request->basic_password);
    if (request->body.len || method_find(request->method)->has_body) {
        add_line(transfer, STR("Expect:")); /* not sent */
        if (!has_type)
            add_line(transfer, STR("Content-Type:"));
        if (request->source && request->source->size_bytes < 0)
            add_line(transfer, STR("Transfer-Encoding: chunked"));
    }
    struct curl_slist *last = transfer->is_download ? &download_lines : &common_lines;
    for (size_t i = 0; i < transfer->n_lines; i++) {
        transfer->lines[i].data = transfer->text.ptr + (uintptr_t)transfer->lines[i].data;
        transfer->lines[i].next = i + 1 < transfer->n_lines ? &transfer->lines[i + 1] : last;
    }
    return !buf_failed(&transfer->text);
}

/* Streamed bodies want a connection of their own that breaks with them: no HTTP/2, none that was kept. */
static CURLcode set_streaming(CURL *easy, struct http_transfer *transfer)
{
    struct http_carrier *carrier = transfer->carrier;
    bool streams = transfer->is_download || transfer->request->source;
    if (!streams && !carrier->has_streamed)
        return CURLE_OK;
    carrier->has_streamed = streams;
    CURLcode failed = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, streams ? 1L : 0L);
    failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                               streams ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
    failed |= curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, transfer->is_download ? NULL : HTTP_REQUEST_ENCODINGS);
    failed |= curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_upload_give);
    failed |= curl_easy_setopt(easy, CURLOPT_READDATA, carrier);
    return failed;
}

/*
 * libcurl would take the address apart anew with each request: parse it, format it three times. So it is told the origin, which
 * hardly ever changes within a pool, in pieces, and the target as it is to be sent.
 */
static CURLcode set_address(CURL *easy, struct http_transfer *transfer)
{
    struct http_carrier *carrier = transfer->carrier;
    const char *origin = transfer->text.ptr;
    CURLcode failed = curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, transfer->text.ptr + transfer->target_at);
    if (carrier->origin && strcmp(carrier->origin_text, origin) == 0)
        return failed;
    curl_url_cleanup(carrier->origin);
    carrier->origin_text[0] = '\0';
    carrier->origin = curl_url();
    if (!carrier->origin || curl_url_set(carrier->origin, CURLUPART_URL, origin, 0) != CURLUE_OK ||
        !str_to_cstr(str_from(origin), carrier->origin_text, sizeof carrier->origin_text))
        return CURLE_OUT_OF_MEMORY;
    failed |= curl_easy_setopt(easy, CURLOPT_URL, origin);
    failed |= curl_easy_setopt(easy, CURLOPT_CURLU, carrier->origin);
    return failed;
}

/* Tells the easy handle what differs from request to request. */
bool http_request_set_options(CURL *easy, struct http_transfer *transfer)
{
    const struct http_fetch *request = transfer->request;
    const struct method *method = method_find(request->method);
    const char *custom = method->name.ptr; /* NUL-terminated by the literal */
    CURLcode failed = set_streaming(easy, transfer);
    failed |= set_address(easy, transfer);
    if (request->source) {
        failed |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
        failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
        failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->source->size_bytes);
        if (str_eq(method->name, STR("POST")))
            custom = NULL;
    } else if (request->body.len || method->has_body) {
        failed |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
        failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len ? request->body.ptr : "");
        failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        if (str_eq(method->name, STR("POST")))
            custom = NULL;
    } else if (str_eq(method->name, STR("HEAD"))) {
        failed |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        custom = NULL;
    } else {
        failed |= curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        if (str_eq(method->name, STR("GET")))
            custom = NULL;
    }
    failed |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, custom);
    /* A server that answers a HEAD with a body all the same, and late, would answer the next request with it. */
    failed |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, str_eq(method->name, STR("HEAD")) ? 1L : 0L);
    failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                               transfer->n_lines       ? transfer->lines
                               : transfer->is_download ? &download_lines
                                                       : &common_lines);
    return failed == CURLE_OK;
}

bool http_request_is_repeatable(const struct http_fetch *request)
{
    return method_find(request->method)->is_repeatable;
}
