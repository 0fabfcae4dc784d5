/* The head of an HTTP/1.x request. */
#include "net/http_parse.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What a byte may be part of. */
enum {
    IN_TOKEN = 1, /* RFC 9110 5.6.2 tchar */
    IN_VALUE = 2, /* RFC 9110 5.5: VCHAR, obs-text, space, tab */
    IN_TARGET =
        4, /* visible ASCII but '#', '"', '<', '>': those are never sent raw, and mean trouble where they are printed */
    IN_HOST = 8, /* RFC 3986 host and port */
};

#define T (IN_TOKEN | IN_VALUE | IN_TARGET)
#define A (IN_TOKEN | IN_VALUE | IN_TARGET | IN_HOST)
#define V IN_VALUE
#define R (IN_VALUE | IN_TARGET)
#define H (IN_VALUE | IN_TARGET | IN_HOST)

static const uint8_t classes[256] = {
    ['\t'] = V,        [' '] = V, ['!'] = A,           ['"'] = V,  ['#'] = IN_TOKEN | IN_VALUE,
    ['$'] = A,         ['%'] = A, ['&'] = A,           ['\''] = A, ['('] = H,
    [')'] = H,         ['*'] = A, ['+'] = A,           [','] = H,  ['-'] = A,
    ['.'] = A,         ['/'] = R, ['0' ... '9'] = A,   [':'] = H,  [';'] = H,
    ['<'] = V,         ['='] = H, ['>'] = V,           ['?'] = R,  ['@'] = R,
    ['A' ... 'Z'] = A, ['['] = H, ['\\'] = R,          [']'] = H,  ['^'] = T,
    ['_'] = A,         ['`'] = T, ['a' ... 'z'] = A,   ['{'] = R,  ['|'] = T,
    ['}'] = R,         ['~'] = A, [0x80 ... 0xFF] = V,
};

#undef T
#undef A
#undef V
#undef R
#undef H

static bool all_in(struct str s, uint8_t class)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(classes[(uint8_t)s.ptr[i]] & class))
            return false;
    return true;
}

#ifdef __SSE2__
/* Sixteen bytes of a field value: is each what IN_VALUE says? */
static bool sixteen_in_value(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    /* Signed: what is not ASCII is negative. */
    __m128i control =
        _mm_and_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)), _mm_cmpgt_epi8(bytes, _mm_set1_epi8(-1)));
    __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), control),
                               _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    return _mm_movemask_epi8(bad) == 0;
}
#endif

/* Values are most of a head. */
static bool is_value(struct str s)
{
#ifdef __SSE2__
    if (s.len >= 16) {
        for (size_t i = 0; i + 16 <= s.len; i += 16)
            if (!sixteen_in_value(s.ptr + i))
                return false;
        return sixteen_in_value(s.ptr + s.len - 16);
    }
#endif
    return all_in(s, IN_VALUE);
}

bool http_is_token(struct str s)
{
    return s.len > 0 && all_in(s, IN_TOKEN);
}

bool http_is_field_value(struct str s)
{
    return is_value(s);
}

void http_head_init(struct http_head *head)
{
    memset(head, 0, offsetof(struct http_head, headers)); /* the headers are written before they are read */
}

static enum http_progress refuse(struct http_head *head, int status, const char *problem)
{
    head->status = status;
    head->problem = problem;
    return HTTP_ERROR;
}

static enum http_progress bad(struct http_head *head, const char *problem)
{
    return refuse(head, 400, problem);
}

/* --- the request line -------------------------------------------------------------------------------------------------- */

/*
 * Judged from its first bytes on, so that who does not speak HTTP (TLS, say) is not waited for. `line` may be incomplete.
 * HTTP_DONE: complete, its length is in *ret_len.
 */
static enum http_progress check_method(struct http_head *head, struct str line, size_t *ret_len)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == ' ' && i > 0) {
            *ret_len = i;
            return HTTP_DONE;
        }
        if (!(classes[(uint8_t)line.ptr[i]] & IN_TOKEN))
            return bad(head, "The request does not begin with a method and a space.");
        if (i == HTTP_METHOD_MAX_BYTES)
            return refuse(head, 501, "The request method is not known here.");
    }
    return HTTP_MORE;
}

/* RFC 9112 3.2: origin form, absolute form, and "*" for OPTIONS. */
static enum http_progress read_target(struct http_head *head)
{
    struct str target = head->target, rest = target;
    if (!all_in(target, IN_TARGET) || target.len == 0)
        return bad(head, "The request target holds a character that must be percent-encoded.");
    if (str_eq(target, STR("*"))) {
        head->path = target;
        head->query = STR_EMPTY;
        return str_eq(head->method, STR("OPTIONS")) ? HTTP_DONE : bad(head, "The request target is not a path.");
    }
    if (target.ptr[0] != '/') {
        /* "http://authority/path": the authority is compared with Host at the end of the head. */
        bool secure = str_starts_with_nocase(target, STR("https://"));
        if (!secure && !str_starts_with_nocase(target, STR("http://")))
            return bad(head, "The request target is not a path.");
        rest = str_from_offset(target, secure ? 8 : 7);
        size_t authority = 0;
        while (authority < rest.len && rest.ptr[authority] != '/' && rest.ptr[authority] != '?')
            authority++;
        head->host = str_sub(rest, 0, authority);
        if (authority == 0 || !all_in(head->host, IN_HOST)) /* '@': user names in addresses are refused, too */
            return bad(head, "The host in the request target is not valid.");
        rest = str_from_offset(rest, authority);
    }
    size_t path_len = str_find_char(rest, '?');
    head->path = str_sub(rest, 0, path_len);
    head->query = path_len == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(rest, path_len + 1);
    if (str_find_char(head->path, '\\') != STR_NOT_FOUND)
        return bad(head, "The request target holds a character that must be percent-encoded.");
    if (head->path.len == 0)
        head->path = STR("/");
    return HTTP_DONE;
}

static enum http_progress read_request_line(struct http_head *head, struct str line)
{
    size_t method_len;
    if (check_method(head, line, &method_len) != HTTP_DONE)
        return head->status ? HTTP_ERROR : bad(head, "The request line is not \"METHOD TARGET HTTP/1.1\".");
    head->method = str_sub(line, 0, method_len);
    struct str rest = str_from_offset(line, method_len + 1);
    size_t target_len = str_find_char(rest, ' ');
    if (target_len == STR_NOT_FOUND)
        return bad(head, "The request line is not \"METHOD TARGET HTTP/1.1\".");
    head->target = str_sub(rest, 0, target_len);
    struct str version = str_from_offset(rest, target_len + 1);
    if (version.len != 8 || !str_starts_with(version, STR("HTTP/")) || !ascii_is_digit(version.ptr[5]) ||
        version.ptr[6] != '.' || !ascii_is_digit(version.ptr[7]))
        return bad(head, "The request line does not end in HTTP/1.1.");
    if (version.ptr[5] != '1' || version.ptr[7] > '1')
        return refuse(head, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    head->minor_version = version.ptr[7] - '0';
    if (str_eq(head->method, STR("CONNECT")))
        return refuse(head, 501, "This is not a proxy.");
    return read_target(head);
}

/* --- headers ----------------------------------------------------------------------------------------------------------- */

static enum http_progress read_content_length(struct http_head *head, struct str value)
{
    if (head->has_length)
        return bad(head, "There are two Content-Length headers.");
    if (head->transfer_seen)
        return bad(head, "Content-Length and Transfer-Encoding exclude each other.");
    if (value.len == 0 || value.len > 19 || !str_to_u64(value, &head->content_length)) /* 19 digits cannot overflow */
        return bad(head, "Content-Length is not a number.");
    head->has_length = true;
    return HTTP_DONE;
}

static enum http_progress read_transfer_encoding(struct http_head *head, struct str value)
{
    if (head->transfer_seen)
        return bad(head, "There are two Transfer-Encoding headers.");
    if (head->has_length)
        return bad(head, "Content-Length and Transfer-Encoding exclude each other.");
    if (head->minor_version == 0)
        return bad(head, "HTTP/1.0 has no Transfer-Encoding.");
    head->transfer_seen = true;
    if (!str_eq_nocase(value, STR("chunked"))) {
        /* RFC 9112 6.3: a request whose last coding is not chunked has no end one could know. */
        if (str_starts_with_nocase(value, STR("chunked")))
            return bad(head, "\"chunked\" must be the last transfer coding.");
        return refuse(head, 501, "The only transfer coding known here is \"chunked\".");
    }
    head->chunked = true;
    return HTTP_DONE;
}

static enum http_progress read_host(struct http_head *head, struct str value)
{
    if (head->host_seen)
        return bad(head, "There are two Host headers.");
    if (!all_in(value, IN_HOST))
        return bad(head, "The Host header is not valid.");
    if (head->host.ptr && !str_eq_nocase(head->host, value))
        return bad(head, "The Host header and the request target name different hosts.");
    head->host_seen = true;
    head->host = value;
    return HTTP_DONE;
}

static enum http_progress read_connection(struct http_head *head, struct str value)
{
    struct str rest = value, option;
    while (str_next(&rest, ',', &option)) {
        option = str_trim(option);
        if (str_eq_nocase(option, STR("close")))
            head->close_seen = true;
        else if (str_eq_nocase(option, STR("keep-alive")))
            head->keep_alive_seen = true;
    }
    return HTTP_DONE;
}

static enum http_progress read_expect(struct http_head *head, struct str value)
{
    if (!str_eq_nocase(value, STR("100-continue")))
        return refuse(head, 417, "The only expectation known here is \"100-continue\".");
    head->expect_continue = head->minor_version == 1;
    return HTTP_DONE;
}

/* The headers that decide where the request ends and what becomes of the connection. */
static enum http_progress read_framing(struct http_head *head, struct str name, struct str value)
{
    switch (name.len) {
    case 4:
        return str_eq_nocase(name, STR("host")) ? read_host(head, value) : HTTP_DONE;
    case 6:
        return str_eq_nocase(name, STR("expect")) ? read_expect(head, value) : HTTP_DONE;
    case 10:
        return str_eq_nocase(name, STR("connection")) ? read_connection(head, value) : HTTP_DONE;
    case 14:
        return str_eq_nocase(name, STR("content-length")) ? read_content_length(head, value) : HTTP_DONE;
    case 17:
        return str_eq_nocase(name, STR("transfer-encoding")) ? read_transfer_encoding(head, value) : HTTP_DONE;
    default:
        return HTTP_DONE;
    }
}

static enum http_progress read_header(struct http_head *head, struct str line)
{
    size_t name_len = 0;
    while (name_len < line.len && classes[(uint8_t)line.ptr[name_len]] & IN_TOKEN)
        name_len++;
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return bad(head, "Header lines must not be folded.");
    if (name_len == 0 || name_len == line.len || line.ptr[name_len] != ':')
        return bad(head, "A header line is not \"Name: value\".");
    if (head->n_headers == HTTP_HEADERS_MAX)
        return refuse(head, 431, "There are too many headers.");
    struct str name = str_sub(line, 0, name_len), value = str_from_offset(line, name_len + 1);
    if (!is_value(value))
        return bad(head, "A header holds a control character.");
    while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
        value = str_from_offset(value, 1);
    while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
        value.len--;
    head->headers[head->n_headers++] = (struct http_header){name, value};
    return read_framing(head, name, value);
}

static enum http_progress finish(struct http_head *head)
{
    if (head->minor_version == 1 && !head->host_seen)
        return bad(head, "There is no Host header.");
    head->keep_alive = !head->close_seen && (head->minor_version == 1 || head->keep_alive_seen);
    return HTTP_DONE;
}

/* --- lines ------------------------------------------------------------------------------------------------------------- */

/* `line` is from line_at on: complete (without its LF), or all there is. Says whether it may be what it is so far. */
static enum http_progress check_size(struct http_head *head, struct str line, bool complete)
{
    size_t size = line.len + complete;
    if (!head->in_headers) {
        size_t method_len;
        bool crlf = line.len > 0 && line.ptr[0] == '\r' && head->line_at == 0; /* one empty line is skipped */
        if (!crlf && check_method(head, line, &method_len) == HTTP_ERROR)
            return HTTP_ERROR;
        if (size > HTTP_LINE_MAX_BYTES)
            return refuse(head, 414, "The request line is too long.");
    } else if (head->line_at - head->size + size > HTTP_HEADERS_MAX_BYTES) {
        return refuse(head, 431, "The headers are too large.");
    }
    return HTTP_MORE;
}

/* A complete line without its CRLF. */
static enum http_progress read_line(struct http_head *head, struct str line, size_t next_at)
{
    if (head->in_headers) {
        if (line.len > 0)
            return read_header(head, line) == HTTP_ERROR ? HTTP_ERROR : HTTP_MORE;
        head->size = next_at;
        return finish(head);
    }
    if (line.len == 0)
        return HTTP_MORE; /* RFC 9112 2.2: an empty line before the request is to be ignored; a second, check_size() refused */
    if (read_request_line(head, line) == HTTP_ERROR)
        return HTTP_ERROR;
    head->in_headers = true;
    head->size = next_at; /* until HTTP_DONE: where the headers begin */
    return HTTP_MORE;
}

enum http_progress http_head_parse(struct http_head *head, const char *bytes, size_t len)
{
    if (head->bytes != bytes) {
        /* All results point into the bytes: when those have moved (a growing buffer does so a few times), begin again. */
        http_head_init(head);
        head->bytes = bytes;
    }
    for (;;) {
        const char *line = bytes + head->line_at;
        const char *end = len > head->seen ? memchr(bytes + head->seen, '\n', len - head->seen) : NULL;
        struct str so_far = str_of(line, (size_t)((end ? end : bytes + len) - line));
        if (check_size(head, so_far, end != NULL) == HTTP_ERROR)
            return HTTP_ERROR;
        if (!end) {
            head->seen = len;
            return HTTP_MORE;
        }
        if (so_far.len == 0 || so_far.ptr[so_far.len - 1] != '\r')
            return bad(head, "Lines must end in CR LF.");
        size_t next_at = (size_t)(end + 1 - bytes);
        enum http_progress progress = read_line(head, str_sub(so_far, 0, so_far.len - 1), next_at);
        if (progress != HTTP_MORE)
            return progress;
        head->line_at = head->seen = next_at;
    }
}
