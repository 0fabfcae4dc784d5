/* Web addresses: libcurl's parser with our refusals on top. */
#include "net/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <idn2.h>

enum {
    LABEL_MAX_BYTES = 63,
    ROOM_EXTRA_BYTES = 64, /* an IPv4 address in libcurl's spelling, a default port, terminators */
};

static bool is_hex(char c)
{
    return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static unsigned hex_value(char c)
{
    return ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a') + 10;
}

static bool is_unreserved(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* --- writing ----------------------------------------------------------------------------------------------------------- */

static void add_encoded(struct buf *buf, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
    buf_add(buf, str_of(encoded, sizeof encoded));
}

void url_encode_component(struct buf *buf, struct str text)
{
    size_t plain = 0; /* from here on nothing had to be encoded */
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.ptr[i]))
            continue;
        buf_add(buf, str_sub(text, plain, i - plain));
        add_encoded(buf, text.ptr[i]);
        plain = i + 1;
    }
    buf_add(buf, str_from_offset(text, plain));
}

void url_query_add(struct buf *buf, struct str name, struct str value)
{
    if (buf->len && buf->ptr[buf->len - 1] != '?' && buf->ptr[buf->len - 1] != '&')
        buf_add_char(buf, '&');
    url_encode_component(buf, name);
    buf_add_char(buf, '=');
    url_encode_component(buf, value);
}

void url_add_origin(struct buf *buf, const struct url *url)
{
    buf_add(buf, url->scheme);
    buf_add(buf, STR("://"));
    if (url->host_is_ipv6)
        buf_add_char(buf, '[');
    buf_add(buf, url->host);
    if (url->host_is_ipv6)
        buf_add_char(buf, ']');
    if (url->port != (url->is_https ? 443 : 80)) {
        buf_add_char(buf, ':');
        buf_add_u64(buf, url->port);
    }
}

void url_add_target(struct buf *buf, const struct url *url)
{
    buf_add(buf, url->path);
    if (url->query.len) {
        buf_add_char(buf, '?');
        buf_add(buf, url->query);
    }
}

void url_add(struct buf *buf, const struct url *url)
{
    url_add_origin(buf, url);
    url_add_target(buf, url);
}

static size_t formatted_max(const struct url *url)
{
    return url->scheme.len + url->host.len + url->path.len + url->query.len + sizeof "://[]:65535?";
}

struct str url_format(struct arena *arena, const struct url *url)
{
    struct buf buf;
    buf_init(&buf, arena, formatted_max(url));
    if (buf_reserve(&buf, formatted_max(url)))
        url_add(&buf, url);
    return buf_str(&buf);
}

struct str url_format_origin(struct arena *arena, const struct url *url)
{
    struct buf buf;
    buf_init(&buf, arena, formatted_max(url));
    url_add_origin(&buf, url);
    return buf_str(&buf);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->is_https == b->is_https && a->port == b->port && str_eq(a->host, b->host);
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */

static int refuse(struct url *ret, const char *problem)
{
    ret->problem = problem;
    return E_INVALID;
}

/* The pieces of a text before libcurl sees it. */
struct pieces {
    struct str scheme;
    struct str authority; /* with the port when the host is in brackets */
    struct str port;      /* with its colon */
    struct str rest;      /* path and query, without the fragment */
    bool is_idn;
};

static int check_bytes(struct str text, struct url *ret)
{
    if (text.len == 0)
        return refuse(ret, "it is empty");
    if (text.len > URL_MAX_BYTES)
        return refuse(ret, "it is too long");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f)
            return refuse(ret, "it holds a control character");
        if (c == ' ')
            return refuse(ret, "it holds a space");
        if (c == '\\')
            return refuse(ret, "it holds a backslash");
    }
    if (!str_is_utf8(text))
        return refuse(ret, "it is not UTF-8 text");
    return OK;
}

static int split(struct str text, struct pieces *pieces, struct url *ret)
{
    size_t at = str_find(text, STR("://"));
    if (at == STR_NOT_FOUND)
        return refuse(ret, "it does not begin with https://");
    pieces->scheme = str_sub(text, 0, at);
    struct str rest = str_from_offset(text, at + 3);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    pieces->authority = str_sub(rest, 0, end);
    pieces->rest = str_from_offset(rest, end);
    size_t fragment = str_find_char(pieces->rest, '#');
    if (fragment != STR_NOT_FOUND)
        pieces->rest.len = fragment;
    pieces->is_idn = false;
    for (size_t i = 0; i < pieces->authority.len; i++)
        if ((unsigned char)pieces->authority.ptr[i] >= 0x80)
            pieces->is_idn = true;
    if (!str_eq_nocase(pieces->scheme, STR("https")) && !str_eq_nocase(pieces->scheme, STR("http")))
        return refuse(ret, "only https:// and http:// addresses can be used");
    if (str_find_char(pieces->authority, '@') != STR_NOT_FOUND)
        return refuse(ret, "a user name or password does not belong into an address");
    if (str_find_char(pieces->authority, '%') != STR_NOT_FOUND)
        return refuse(ret, "its host holds a percent sign");
    if (pieces->authority.len == 0 || pieces->authority.ptr[0] == ':')
        return refuse(ret, "it names no host");
    size_t colon = pieces->authority.ptr[0] == '[' ? STR_NOT_FOUND : str_find_char(pieces->authority, ':');
    pieces->port = colon == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(pieces->authority, colon);
    pieces->authority = str_sub(pieces->authority, 0, colon);
    return OK;
}

/*
 * An international name becomes ASCII as browsers do it (UTS 46). By libidn2 and not by libcurl, which would need a locale for it
 * and leaks (7.88) when a name is not valid. What comes out is read like a host that was typed: it may be an IPv4 address. Not with
 * IDN2_USE_STD3_ASCII_RULES: libidn2 (2.3.3) leaves out what those forbid and goes on, so that another host would be meant.
 */
static int to_ascii(struct arena *arena, struct pieces *pieces, struct url *ret)
{
    char name[URL_HOST_MAX_BYTES * 4 + 1], ascii[URL_HOST_MAX_BYTES + 2];
    uint8_t *converted = NULL;
    if (!str_to_cstr(pieces->authority, name, sizeof name))
        return refuse(ret, "its host is too long");
    int code = idn2_lookup_u8((const uint8_t *)name, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    bool fits = code == IDN2_OK && str_to_cstr(str_from((const char *)converted), ascii, sizeof ascii);
    idn2_free(converted);
    if (!fits)
        return refuse(ret, "its host is not a valid international name");
    pieces->authority = str_copy(arena, str_from(ascii));
    for (size_t i = 0; i < pieces->authority.len; i++)
        if (!is_unreserved(ascii[i]))
            return refuse(ret, "its host is not a valid international name");
    return OK;
}

/* Bytes that may not stand in a request line are percent-encoded, as browsers do. None is NUL: check_bytes(). */
static bool needs_encoding(char c)
{
    return (unsigned char)c >= 0x80 || strchr("\"<>^`{|}", c);
}

static struct str cleaned(struct arena *arena, const struct pieces *pieces)
{
    size_t max = pieces->scheme.len + pieces->authority.len + pieces->port.len + pieces->rest.len * 3 + sizeof "://";
    struct buf buf;
    buf_init(&buf, arena, max);
    if (!buf_reserve(&buf, max))
        return STR_EMPTY;
    buf_add(&buf, pieces->scheme);
    buf_add(&buf, STR("://"));
    buf_add(&buf, pieces->authority);
    buf_add(&buf, pieces->port);
    for (size_t i = 0; i < pieces->rest.len; i++) {
        if (needs_encoding(pieces->rest.ptr[i]))
            add_encoded(&buf, pieces->rest.ptr[i]);
        else
            buf_add_char(&buf, pieces->rest.ptr[i]);
    }
    buf_add_char(&buf, '\0');
    return str_of(buf.ptr, buf.len - 1);
}

/* Where the parts go: made before there is a handle, so that no allocation can fail while libcurl's memory is held. */
struct room {
    char *ptr;
    size_t len, size;
};

/* libcurl hands out malloced text; it is copied and given back at once. */
static bool get_part(CURLU *handle, CURLUPart part, unsigned flags, struct room *room, struct str *ret)
{
    char *text = NULL;
    *ret = STR_EMPTY;
    if (curl_url_get(handle, part, &text, flags) != CURLUE_OK || !text)
        return false;
    size_t len = strlen(text);
    bool fits = len < room->size - room->len;
    if (fits) {
        *ret = str_of(memcpy(room->ptr + room->len, text, len + 1), len);
        room->len += len + 1;
    }
    curl_free(text);
    return fits;
}

static bool host_is_well_formed(struct str host, bool is_ipv6)
{
    if (host.len == 0 || host.len > URL_HOST_MAX_BYTES)
        return false;
    size_t label = 0;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (is_ipv6) {
            if (!is_hex(c) && c != ':' && c != '.')
                return false;
        } else if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!ascii_is_alnum(c) && c != '-' && c != '_') {
            return false;
        } else if (++label > LABEL_MAX_BYTES) {
            return false;
        }
    }
    return is_ipv6 || label > 0;
}

static int take_host(CURLU *handle, struct room *room, struct url *ret)
{
    struct str host;
    if (!get_part(handle, CURLUPART_HOST, 0, room, &host))
        return refuse(ret, "its host is not a valid name");
    for (char *c = room->ptr; *c; c++) /* the host is the first in the room */
        *c = ascii_lower(*c);
    ret->host_is_ipv6 = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (ret->host_is_ipv6)
        host = str_sub(host, 1, host.len - 2);
    if (!host_is_well_formed(host, ret->host_is_ipv6))
        return refuse(ret, "its host is not a valid name");
    ret->host = host;
    return OK;
}

/* "." or "..", a dot perhaps written as %2e */
static bool is_dot_segment(struct str segment)
{
    size_t dots = 0;
    while (segment.len) {
        if (segment.ptr[0] == '.')
            segment = str_from_offset(segment, 1);
        else if (segment.len >= 3 && str_eq_nocase(str_sub(segment, 0, 3), STR("%2e")))
            segment = str_from_offset(segment, 3);
        else
            return false;
        dots++;
    }
    return dots == 1 || dots == 2;
}

static int take_path(CURLU *handle, struct room *room, struct url *ret)
{
    if (!get_part(handle, CURLUPART_PATH, 0, room, &ret->path))
        return refuse(ret, "it is too long");
    struct str rest = ret->path, segment;
    while (str_next(&rest, '/', &segment))
        if (is_dot_segment(segment))
            return refuse(ret, "its path holds dot segments");
    if (ret->path.len == 0 || ret->path.ptr[0] != '/')
        return refuse(ret, "its path does not begin with a slash");
    return OK;
}

static int take_parts(CURLU *handle, struct room *room, struct url *ret)
{
    struct str text;
    uint64_t port;
    int error = take_host(handle, room, ret);
    if (error)
        return error;
    if (!get_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, room, &text) || !str_to_u64(text, &port) || port == 0 ||
        port > UINT16_MAX)
        return refuse(ret, "its port is not a number between 1 and 65535");
    ret->port = (uint16_t)port;
    if ((error = take_path(handle, room, ret)))
        return error;
    get_part(handle, CURLUPART_QUERY, 0, room, &ret->query); /* most have none */
    return OK;
}

static int parse_cleaned(const char *text, struct room *room, struct url *ret)
{
    CURLU *handle = curl_url();
    if (!handle)
        return refuse(ret, "there is no memory to read it");
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    int error = OK;
    if (code == CURLUE_BAD_PORT_NUMBER)
        error = refuse(ret, "its port is not a number between 1 and 65535");
    else if (code != CURLUE_OK)
        error = refuse(ret, "its host or form is not valid");
    else
        error = take_parts(handle, room, ret);
    curl_url_cleanup(handle);
    return error;
}

/*
 * The plain case, which is what we build ourselves for each request: libcurl would give back exactly these pieces (the fuzz target
 * compares), and takes ten times as long. Anything in the least unusual is left to libcurl.
 */
static bool is_plain_host(struct str host)
{
    char quad[16];
    struct in_addr address;
    struct str last = str_from_offset(host, str_find_last_char(host, '.') + 1); /* all of it without a dot */
    if (!host_is_well_formed(host, false))
        return false;
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] != ascii_lower(host.ptr[i]))
            return false;
    if (ascii_is_alpha(last.ptr[0])) /* well-formed: the last label is not empty */
        return true;
    return str_to_cstr(host, quad, sizeof quad) && inet_pton(AF_INET, quad, &address) == 1;
}

/* `rest` is empty or begins with a slash. */
static bool is_plain_rest(struct str rest)
{
    bool in_query = false;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        if (c == '?' && !in_query)
            in_query = true;
        else if (!is_unreserved(c) && (c == '\0' || !strchr("/%=&+,:;@!$()*", c)))
            return false;
        else if (!in_query && c == '/' && i + 1 < rest.len && (rest.ptr[i + 1] == '.' || rest.ptr[i + 1] == '%'))
            return false; /* may be a dot segment */
    }
    return true;
}

static bool parse_plain(struct arena *arena, struct str text, struct url *ret)
{
    bool is_https = str_starts_with(text, STR("https://"));
    if (text.len > URL_MAX_BYTES || (!is_https && !str_starts_with(text, STR("http://"))))
        return false;
    struct str rest = str_from_offset(text, is_https ? 8 : 7);
    size_t end = 0;
    uint64_t port = is_https ? 443 : 80;
    while (end < rest.len && rest.ptr[end] != '/')
        end++;
    struct str host = str_sub(rest, 0, end);
    rest = str_from_offset(rest, end);
    size_t colon = str_find_char(host, ':');
    if (colon != STR_NOT_FOUND) {
        if (!str_to_u64(str_from_offset(host, colon + 1), &port) || port == 0 || port > UINT16_MAX)
            return false;
        host.len = colon;
    }
    if (!is_plain_host(host) || !is_plain_rest(rest))
        return false;
    size_t question = str_find_char(rest, '?');
    *ret = (struct url){
        .is_https = is_https,
        .scheme = is_https ? STR("https") : STR("http"),
        .host = str_copy(arena, host),
        .port = (uint16_t)port,
        .path = rest.len ? str_copy(arena, str_sub(rest, 0, question)) : STR("/"),
        .query = question == STR_NOT_FOUND ? STR_EMPTY : str_copy(arena, str_from_offset(rest, question + 1)),
    };
    return true;
}

int url_parse(struct arena *arena, struct str text, struct url *ret)
{
    return parse_plain(arena, text, ret) ? OK : url_parse_carefully(arena, text, ret);
}

int url_parse_carefully(struct arena *arena, struct str text, struct url *ret)
{
    struct pieces pieces = {0};
    *ret = (struct url){0};
    int error = check_bytes(text, ret);
    if (!error)
        error = split(text, &pieces, ret);
    if (!error && pieces.is_idn)
        error = to_ascii(arena, &pieces, ret);
    if (error)
        return error;
    if (str_ends_with(pieces.authority, STR("."))) /* the root: the same host, but it would look like another */
        pieces.authority.len--;
    ret->is_https = pieces.scheme.len == 5;
    ret->scheme = ret->is_https ? STR("https") : STR("http");
    struct str clean = cleaned(arena, &pieces);
    struct room room = {.size = clean.len + ROOM_EXTRA_BYTES};
    room.ptr = arena_alloc(arena, room.size);
    return parse_cleaned(clean.ptr, &room, ret);
}

int url_parse_site(struct arena *arena, struct str typed, struct url *ret, bool *ret_guessed_scheme)
{
    struct str text = str_trim(typed);
    bool guessed = !str_contains(str_sub(text, 0, sizeof "https://" - 1), STR("://"));
    if (guessed && text.len && text.len <= URL_MAX_BYTES) {
        if (str_starts_with(text, STR("//")))
            text = str_from_offset(text, 2);
        text = str_concat(arena, STR("https://"), text);
    }
    if (ret_guessed_scheme)
        *ret_guessed_scheme = guessed;
    int error = url_parse(arena, text, ret);
    if (error)
        return error;
    if (ret->query.len)
        return refuse(ret, "the address of a site has no question mark");
    while (ret->path.len && ret->path.ptr[ret->path.len - 1] == '/')
        ret->path.len--;
    return OK;
}

int url_join(struct arena *arena, const struct url *base, struct str path, struct url *ret)
{
    struct url joined = *base;
    joined.query = STR_EMPTY;
    while (joined.path.len && joined.path.ptr[joined.path.len - 1] == '/')
        joined.path.len--;
    size_t max = formatted_max(&joined) + path.len + 1;
    struct buf buf;
    buf_init(&buf, arena, max);
    url_add(&buf, &joined);
    if (path.len && path.ptr[0] != '/' && path.ptr[0] != '?')
        buf_add_char(&buf, '/');
    buf_add(&buf, path);
    return url_parse(arena, buf_str(&buf), ret);
}

/* "name:" at the beginning */
static bool has_scheme(struct str reference)
{
    size_t colon = str_find_char(reference, ':');
    if (colon == STR_NOT_FOUND || colon == 0 || !ascii_is_alpha(reference.ptr[0]))
        return false;
    for (size_t i = 1; i < colon; i++)
        if (!ascii_is_alnum(reference.ptr[i]) && !strchr("+-.", reference.ptr[i]))
            return false;
    return true;
}

int url_resolve(struct arena *arena, const struct url *base, struct str reference, struct url *ret)
{
    *ret = (struct url){0};
    if (reference.len) {
        int error = check_bytes(reference, ret);
        if (error)
            return error;
    }
    if (has_scheme(reference))
        return url_parse(arena, reference, ret);
    if (str_starts_with(reference, STR("//")))
        return url_parse(arena, str_format(arena, "%.*s:%.*s", STR_ARG(base->scheme), STR_ARG(reference)), ret);
    struct str origin = url_format_origin(arena, base), path = base->path.len ? base->path : STR("/");
    struct str question = base->query.len ? STR("?") : STR_EMPTY;
    struct str whole;
    if (reference.len == 0 || reference.ptr[0] == '#')
        whole = str_format(arena, "%.*s%.*s%.*s%.*s", STR_ARG(origin), STR_ARG(path), STR_ARG(question),
                           STR_ARG(base->query));
    else if (reference.ptr[0] == '/')
        whole = str_concat(arena, origin, reference);
    else if (reference.ptr[0] == '?')
        whole = str_format(arena, "%.*s%.*s%.*s", STR_ARG(origin), STR_ARG(path), STR_ARG(reference));
    else
        whole = str_format(arena, "%.*s%.*s/%.*s", STR_ARG(origin),
                           STR_ARG(str_sub(path, 0, str_find_last_char(path, '/'))), STR_ARG(reference));
    return url_parse(arena, whole, ret); /* takes the dot segments out */
}

/* --- queries ----------------------------------------------------------------------------------------------------------- */

struct str url_decode(struct arena *arena, struct str text, bool plus_is_space)
{
    bool is_plain = true;
    for (size_t i = 0; i < text.len && is_plain; i++)
        is_plain = text.ptr[i] != '%' && !(plus_is_space && text.ptr[i] == '+');
    if (is_plain)
        return text;
    char *decoded = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' && text.len - i > 2 && is_hex(text.ptr[i + 1]) && is_hex(text.ptr[i + 2])) {
            c = (char)(hex_value(text.ptr[i + 1]) << 4 | hex_value(text.ptr[i + 2]));
            i += 2;
        } else if (plus_is_space && c == '+') {
            c = ' ';
        }
        decoded[len++] = c;
    }
    return str_of(decoded, len);
}

bool url_query_next(struct arena *arena, struct str *rest, bool plus_is_space, struct str *ret_name,
                    struct str *ret_value)
{
    struct str pair;
    while (str_next(rest, '&', &pair)) {
        if (pair.len == 0)
            continue;
        size_t equals = str_find_char(pair, '=');
        struct str name = equals == STR_NOT_FOUND ? pair : str_sub(pair, 0, equals);
        struct str value = equals == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(pair, equals + 1);
        *ret_name = url_decode(arena, name, plus_is_space);
        *ret_value = url_decode(arena, value, plus_is_space);
        return true;
    }
    return false;
}
