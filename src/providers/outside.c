/* Reading a file from an address that somebody named. */
#include "providers/outside.h"

#include "net/url.h"

enum { FIRST_BYTE_MS = 20 * 1000, SHOWN_URL_BYTES = 200 };

/* --- names ------------------------------------------------------------------------------------------------------------- */

/* The value of one parameter of a header: name=value or name="value". */
static struct str parameter(struct call *call, struct str header, struct str name)
{
    struct str rest = header, part;
    while (str_next(&rest, ';', &part)) {
        part = str_trim(part);
        size_t equals = str_find_char(part, '=');
        if (equals == STR_NOT_FOUND || !str_eq_nocase(str_trim(str_sub(part, 0, equals)), name))
            continue;
        struct str value = str_trim(str_from_offset(part, equals + 1));
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = str_replace(call->arena, str_sub(value, 1, value.len - 2), STR("\\"), STR_EMPTY);
        return value;
    }
    return STR_EMPTY;
}

struct str outside_disposition_name(struct call *call, struct str header)
{
    if (!header.ptr)
        return STR_EMPTY;
    struct str extended = parameter(call, header, STR("filename*"));
    size_t quote = str_find_char(extended, '\'');
    size_t second = quote == STR_NOT_FOUND ? quote : str_find_char(str_from_offset(extended, quote + 1), '\'');
    if (second != STR_NOT_FOUND && str_starts_with_nocase(extended, STR("utf-8'")))
        return url_decode(call->arena, str_from_offset(extended, quote + 1 + second + 1), false);
    return parameter(call, header, STR("filename"));
}

static struct str name_of_address(struct call *call, const struct url *url)
{
    struct str last = str_from_offset(url->path, str_find_last_char(url->path, '/') + 1);
    return url_decode(call->arena, last, false);
}

/* --- opening ----------------------------------------------------------------------------------------------------------- */

static int refuse_status(struct call *call, const struct url *url, int status)
{
    struct str host = url->host;
    if (status == 401 || status == 403)
        return fail(call, E_DENIED,
                    "%.*s does not give this file to us (HTTP %d): it wants a login, or does not want to be linked.",
                    STR_ARG(host), status);
    if (status == 404 || status == 410)
        return fail(call, E_NOT_FOUND, "There is no file at this address of %.*s (HTTP %d).", STR_ARG(host), status);
    return fail(call, E_UPSTREAM, "%.*s did not give the file (HTTP %d). Try again, or give another address.",
                STR_ARG(host), status);
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The client's own words speak of answers and of asking for less. */
static int in_words(struct call *call, const struct url *url, enum http_fetch_failure failure, size_t max_bytes,
                    int error)
{
    if (failure == HTTP_FETCH_TOO_LARGE)
        return fail(call, E_LIMIT, "The file at %.*s is larger than the %zu MiB that are taken here.",
                    STR_ARG(url->host), max_bytes >> 20);
    if (failure == HTTP_FETCH_RESET)
        return fail(call, E_UPSTREAM, "%.*s broke the connection before the file was complete. Try again.",
                    STR_ARG(url->host));
    return error;
}

/* One hop. */
static int open_hop(struct call *call, const struct site *site, const struct url *url, int64_t max_bytes,
                    struct http_fetched *answer, struct outside *ret)
{
    static const struct http_header headers[] = {{STR_INIT("Accept"), STR_INIT("*/*")}};
    struct http_fetch *request = arena_new_of(call->arena, struct http_fetch);
    *request = (struct http_fetch){
        .method = STR("GET"),
        .url = url_format(call->arena, url),
        .headers = headers,
        .n_headers = ARRAY_LENGTH(headers),
        .pool_key = call_format(call, "outside %lld", (long long)site->connection_id), /* shared with no other tenant */
        .timeout_ms = OUTSIDE_TIMEOUT_MS,
        .first_byte_ms = FIRST_BYTE_MS,
        .max_body_bytes = (size_t)max_bytes,
    };
    int error = http_download_begin(call, request, answer, &ret->download);
    return error ? in_words(call, url, answer->failure, request->max_body_bytes, error) : OK;
}

static int read_answer(struct call *call, const struct url *url, const struct http_fetched *answer, struct outside *ret)
{
    struct str encoding = http_header_get(answer->headers, answer->n_headers, STR("content-encoding"));
    struct str disposition = http_header_get(answer->headers, answer->n_headers, STR("content-disposition"));
    if (answer->status != 200)
        return refuse_status(call, url, answer->status);
    if (encoding.len && !str_eq_nocase(encoding, STR("identity")))
        return fail(call, E_UPSTREAM, "%.*s gives the file only encoded (%.*s). Give another address.",
                    STR_ARG(url->host), STR_ARG(str_sub(encoding, 0, 40)));
    ret->url = url_format(call->arena, url);
    ret->content_type = answer->content_type;
    ret->size_bytes = http_download_length(ret->download);
    ret->file_name = outside_disposition_name(call, disposition);
    if (!ret->file_name.len)
        ret->file_name = name_of_address(call, url);
    return OK;
}

int outside_open(struct call *call, const struct site *site, struct str address, int64_t max_bytes, struct outside *ret)
{
    struct url url;
    struct http_fetched answer;
    *ret = (struct outside){.size_bytes = -1, .max_bytes = max_bytes};
    if (url_parse(call->arena, address, &url))
        return fail(call, E_INVALID, "'%.*s' is no address that can be read: %s.",
                    STR_ARG(str_sub(address, 0, SHOWN_URL_BYTES)), url.problem);
    for (int hop = 0; hop <= OUTSIDE_HOPS_MAX; hop++) {
        struct url next;
        int error = open_hop(call, site, &url, max_bytes, &answer, ret);
        if (error)
            return error;
        if (!is_redirect(answer.status)) {
            error = read_answer(call, &url, &answer, ret);
            if (error)
                http_download_end(call, ret->download);
            return error;
        }
        http_download_end(call, ret->download);
        struct str location = http_header_get(answer.headers, answer.n_headers, STR("location"));
        if (!location.ptr || url_resolve(call->arena, &url, location, &next) != OK)
            return fail(call, E_UPSTREAM, "%.*s redirects to nothing that can be read.", STR_ARG(url.host));
        url = next;
    }
    return fail(call, E_UPSTREAM, "The address redirects more than %d times. Give the file's own address.",
                OUTSIDE_HOPS_MAX);
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */

static int read_outside(struct call *call, void *context, char *room, size_t size, size_t *ret_read)
{
    struct outside *outside = context;
    struct url url;
    int error = http_download_read(call, outside->download, room, size, ret_read);
    if (!error || url_parse(call->arena, outside->url, &url))
        return error;
    return in_words(call, &url, http_download_failure(outside->download), (size_t)outside->max_bytes, error);
}

struct http_source outside_source(struct outside *outside)
{
    return (struct http_source){read_outside, outside, outside->size_bytes};
}
