/* Talking to one WordPress site's REST API. */
#include "providers/wordpress/rest.h"

#include "net/task.h"
#include "net/url.h"
#include "providers/site.h"
#include "providers/wordpress/kept.h"
#include "providers/wordpress/refusal.h"

enum {
    QUERY_MAX_BYTES = 16 * 1024,
    RETRY_PAUSE_MIN_MS = 100,
    RETRY_PAUSE_MAX_MS = 400,
    RETRY_AFTER_MAX_S = 5, /* a site that wants a longer pause is told of instead */
    STREAM_TIMEOUT_MS = 15 * 60 * 1000,
    STREAM_FIRST_BYTE_MS = 90 * 1000, /* WordPress makes its smaller sizes of an image before it answers */
    JSON_SEARCH_BYTES = 8192,         /* how far behind stray output the JSON may begin */
};

/* --- addresses and queries ----------------------------------------------------------------------------------------------- */

int wp_open(struct call *call, const struct site *site, unsigned rights, struct wp *ret)
{
    const struct json *config;
    *ret = (struct wp){.site = site, .rights = rights};
    if (json_parse(call->arena, site->config_json, NULL, &config, NULL) != OK)
        return fail(call, E_INTERNAL, "This connection's settings cannot be read.");
    ret->rest_root = json_str(json_get(config, STR("rest")));
    ret->version = json_str(json_get(config, STR("version")));
    if (ret->rest_root.len)
        return OK;
    /* A connection made by the earlier system knows only the site's address, with or without /wp-json. */
    struct str url = json_str_or(json_get(config, STR("url")), json_str(json_get(config, STR("base_url"))));
    if (!url.len)
        return fail(call, E_UPSTREAM,
                    "This connection has no site address. Enter it again in the connection's settings.");
    while (str_ends_with(url, STR("/")))
        url.len--;
    ret->rest_root = str_concat(call->arena, url, str_ends_with(url, STR("/wp-json")) ? STR("/") : STR("/wp-json/"));
    return OK;
}

void wp_query_init(struct call *call, struct wp_query *query)
{
    buf_init(&query->text, call->arena, QUERY_MAX_BYTES);
}

void wp_query_add(struct wp_query *query, const char *name, struct str value)
{
    url_query_add(&query->text, str_from(name), value);
}

void wp_query_add_i64(struct wp_query *query, const char *name, int64_t value)
{
    char digits[24];
    struct buf number = {.ptr = digits, .capacity = sizeof digits, .max = sizeof digits};
    buf_add_i64(&number, value);
    wp_query_add(query, name, buf_str(&number));
}

static int add_scalar(struct call *call, struct wp_query *query, struct str name, const struct json *value)
{
    if (json_is(value, JSON_STRING))
        url_query_add(&query->text, name, json_str(value));
    else if (json_is(value, JSON_NUMBER) || json_is(value, JSON_BOOL))
        url_query_add(&query->text, name, json_raw(value));
    else
        return fail(call, E_INVALID, "%.*s must be a text, a number, true or false, or a list of those.",
                    STR_ARG(name));
    return OK;
}

int wp_query_add_json(struct call *call, struct wp_query *query, struct str name, const struct json *value)
{
    if (!json_is(value, JSON_ARRAY))
        return add_scalar(call, query, name, value);
    struct str many = str_concat(call->arena, name, STR("[]"));
    for (size_t i = 0; i < json_count(value); i++) {
        int error = add_scalar(call, query, many, json_at(value, i));
        if (error)
            return error;
    }
    return OK;
}

bool wp_name_is_reserved(struct str name)
{
    /* All that begin with an underscore are WordPress's own switches: _method, _envelope, _jsonp, _fields, _embed, _wpnonce.
     * PHP folds spaces, dots and brackets in names, so only plain names pass. */
    if (name.len == 0 || name.ptr[0] == '_')
        return true;
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_' && name.ptr[i] != '-')
            return true;
    return str_eq_nocase(name, STR("rest_route")) || str_eq_nocase(name, STR("context")) ||
           str_contains_nocase(name, STR("method-override"));
}

struct str wp_url(struct call *call, struct str rest_root, struct str route, struct str query)
{
    struct str marker = STR("?rest_route=/");
    if (!str_ends_with(rest_root, marker))
        return call_format(call, "%.*s%.*s%s%.*s", STR_ARG(rest_root), STR_ARG(route), query.len ? "?" : "",
                           STR_ARG(query));
    /* The pair last: of two rest_route in a query PHP takes the later one. */
    struct str front = str_sub(rest_root, 0, rest_root.len - marker.len);
    return call_format(call, "%.*s?%.*s%srest_route=/%.*s", STR_ARG(front), STR_ARG(query), query.len ? "&" : "",
                       STR_ARG(route));
}

/* --- answers ------------------------------------------------------------------------------------------------------------- */

static const struct json missing = {.type = JSON_MISSING};

int wp_parse_answer(struct call *call, struct str body, const struct json **ret)
{
    static const struct json_limits limits = {
        .max_depth = 64, .max_bytes = SITE_ANSWER_MAX_BYTES, .reject_duplicates = false};
    /* PHP notices and byte order marks before the JSON are the commonest damage; a notice may hold brackets of its own. */
    for (size_t from = 0; from < body.len && from < JSON_SEARCH_BYTES; from++)
        if ((body.ptr[from] == '{' || body.ptr[from] == '[') &&
            json_parse(call->arena, str_from_offset(body, from), &limits, ret, NULL) == OK)
            return OK;
    *ret = &missing;
    return fail(call, E_UPSTREAM, "The site answered with something that is not JSON.");
}

static int64_t total_of(const struct http_fetched *http)
{
    int64_t total;
    struct str text = http_header_get(http->headers, http->n_headers, STR("x-wp-total"));
    return text.ptr && str_to_i64(text, &total) ? total : -1;
}

/* -1: the site did not say, or a date, which are rare and far away. */
static int64_t retry_after_of(const struct http_fetched *http)
{
    int64_t seconds;
    struct str text = http_header_get(http->headers, http->n_headers, STR("retry-after"));
    return text.ptr && str_to_i64(text, &seconds) && seconds >= 0 ? seconds : -1;
}

static int take_answer(struct call *call, const struct wp *wp, const struct http_fetched *http, struct wp_answer *ret)
{
    ret->status = http->status;
    ret->total = total_of(http);
    ret->retry_after_s = retry_after_of(http);
    if (http->status == 204)
        return OK;
    int error = wp_parse_answer(call, http->body, &ret->json);
    if (http->status >= 200 && http->status <= 299)
        return error ? refusal_of_no_json(call, http) : OK;
    ret->code = json_str(json_get(ret->json, STR("code")));
    return refusal_of_status(call, wp->rest_root, http, ret->json);
}

/* Fills in the address. */
static int fetch_request(struct call *call, const struct wp *wp, struct str route, const struct wp_query *query,
                         struct site_request *request, struct wp_answer *ret)
{
    bool reads = request->fresh;
    struct http_fetched http;
    *ret = (struct wp_answer){.total = -1, .retry_after_s = -1, .json = &missing};
    if (query && buf_failed(&query->text))
        return fail(call, E_LIMIT, "The query is too long. Ask for less at a time.");
    request->url = wp_url(call, wp->rest_root, route, query ? buf_str(&query->text) : STR_EMPTY);
    int error = site_fetch(call, wp->site, request, &http);
    if (error) {
        ret->outcome_unknown = !reads && http.may_have_arrived;
        return error;
    }
    error = take_answer(call, wp, &http, ret);
    /*
     * A gateway that gave up may have passed the request on before; a 2xx we cannot read was most likely done. "Not implemented"
     * with a code of its own is WordPress's: it says that it has no trash for this, and has done nothing.
     */
    bool is_refusal = http.status == 501 && ret->code.len;
    ret->outcome_unknown = error && !reads && !is_refusal && (http.status >= 500 || http.status < 300);
    struct str attachment = http_header_get(http.headers, http.n_headers, STR("x-wp-upload-attachment-id"));
    if (error && (!attachment.ptr || !str_to_i64(attachment, &ret->attachment_id)))
        ret->attachment_id = 0;
    return error;
}

static int fetch_once(struct call *call, const struct wp *wp, const char *method, struct str route,
                      const struct wp_query *query, struct str body, struct wp_answer *ret)
{
    struct site_request request = {
        .method = str_from(method),
        .body = body,
        .content_type = body.len ? STR("application/json") : STR_EMPTY,
        .fresh = method[0] == 'G' || method[0] == 'O', /* reads */
    };
    return fetch_request(call, wp, route, query, &request, ret);
}

int wp_send_stream(struct call *call, const struct wp *wp, struct str route, const struct wp_query *query,
                   const struct wp_stream *stream, struct wp_answer *ret)
{
    struct site_request request = {
        .method = STR("POST"),
        .source = &stream->source,
        .content_type = stream->content_type,
        .headers = stream->headers,
        .n_headers = stream->n_headers,
        .timeout_ms = STREAM_TIMEOUT_MS,
        .first_byte_ms = STREAM_FIRST_BYTE_MS,
    };
    return fetch_request(call, wp, route, query, &request, ret);
}

/* How long to wait before reading once more; -1: not at all. Only what has no answer, or an answer that says "later". */
static int64_t retry_pause_ms(int error, const struct wp_answer *answer)
{
    int64_t jitter_ms = RETRY_PAUSE_MIN_MS + clock_monotonic_ns() % (RETRY_PAUSE_MAX_MS - RETRY_PAUSE_MIN_MS);
    if (answer->status == 0)
        return error == E_UPSTREAM ? jitter_ms : -1; /* not after a time limit: the next one would be the same */
    if (answer->status != 429 && answer->status != 502 && answer->status != 503)
        return -1;
    if (answer->retry_after_s >= 0)
        return answer->retry_after_s <= RETRY_AFTER_MAX_S ? answer->retry_after_s * 1000 + jitter_ms : -1;
    return answer->status == 429 ? -1 : jitter_ms;
}

/* Reading twice does no harm. */
static int fetch_reading(struct call *call, const struct wp *wp, const char *method, struct str route,
                         const struct wp_query *query, struct wp_answer *ret)
{
    int error = fetch_once(call, wp, method, route, query, STR_EMPTY, ret);
    int64_t pause_ms = error ? retry_pause_ms(error, ret) : -1;
    if (pause_ms < 0 || call_time_left_ms(call) <= pause_ms || task_sleep(call, pause_ms) != OK)
        return error;
    call_clear_error(call);
    return fetch_once(call, wp, method, route, query, STR_EMPTY, ret);
}

/*
 * Some hosts keep answers for a few seconds, by address alone, whoever asks and whatever the request's Cache-Control says: an
 * edit would then be made on the text before the last one. So each address is one of its own; WordPress does not look at `_`.
 */
static void add_cache_buster(struct call *call, struct wp_query *query)
{
    static unsigned count;
    wp_query_add(query, "_", call_format(call, "%s%x", call->id, count++));
}

int wp_get(struct call *call, const struct wp *wp, struct str route, const struct wp_query *query,
           struct wp_answer *ret)
{
    struct wp_query own;
    wp_query_init(call, &own);
    if (query) {
        buf_add(&own.text, buf_str(&query->text));
        own.text.failed |= buf_failed(&query->text);
    }
    add_cache_buster(call, &own);
    return fetch_reading(call, wp, "GET", route, &own, ret);
}

int wp_send(struct call *call, const struct wp *wp, const char *method, struct str route, const struct wp_query *query,
            struct str body, struct wp_answer *ret)
{
    return fetch_once(call, wp, method, route, query, body, ret);
}

/* --- what is kept -------------------------------------------------------------------------------------------------------- */

void wp_forget_kept(const struct wp *wp, struct str route_prefix)
{
    kept_forget(wp->site->connection_id, route_prefix);
}

int wp_get_kept(struct call *call, const struct wp *wp, const char *method, struct str route,
                const struct wp_query *query, int64_t ttl_ms, struct wp_answer *ret)
{
    struct kept_answer kept;
    int64_t connection_id = wp->site->connection_id; /* 0: one that is being made */
    struct str key = call_format(call, "%s %.*s?%.*s %.*s", method, STR_ARG(route),
                                 STR_ARG(query ? buf_str(&query->text) : STR_EMPTY), STR_ARG(wp->rest_root));
    if (kept_find(connection_id, key, clock_monotonic_ms(), &kept)) {
        /* The entry may go while this call waits: its values point into a copy. */
        *ret = (struct wp_answer){.status = 200, .total = kept.total};
        return wp_parse_answer(call, str_copy(call->arena, kept.text), &ret->json);
    }
    int error = fetch_reading(call, wp, method, route, query, ret);
    int64_t now_ms = clock_monotonic_ms();
    kept = (struct kept_answer){.text = json_raw(ret->json), .total = ret->total, .until_ms = now_ms + ttl_ms};
    if (!error && connection_id)
        kept_put(connection_id, key, &kept, now_ms);
    return error;
}
