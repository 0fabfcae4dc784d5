/* Web addresses from strangers: what is accepted is written and read again the same, and libcurl sees the same host and port. */
#include "net/egress.h"
#include "net/url.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_curl_agrees(struct str text, const struct url *url)
{
    char *host = NULL, *port = NULL, *user = NULL;
    CURLU *handle = curl_url();
    assert(handle && curl_url_set(handle, CURLUPART_URL, text.ptr, 0) == CURLUE_OK);
    assert(curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
    assert(curl_url_get(handle, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    assert(curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
    struct str seen = str_from(host);
    if (url->host_is_ipv6)
        seen = str_sub(seen, 1, seen.len - 2);
    assert(str_eq_nocase(seen, url->host));
    assert(strtoul(port, NULL, 10) == url->port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(handle);
}

static void assert_sound(struct arena *arena, const struct url *url)
{
    assert(url->port != 0);
    assert(url->host.len > 0 && url->host.len <= URL_HOST_MAX_BYTES);
    assert(str_eq(url->host, str_lower(arena, url->host)));
    struct str text = url_format(arena, url);
    for (size_t i = 0; i < text.len; i++)
        assert((unsigned char)text.ptr[i] > ' ' && (unsigned char)text.ptr[i] < 0x7f && text.ptr[i] != '\\');
    assert(str_find_char(text, '#') == STR_NOT_FOUND);
    if (text.len > URL_MAX_BYTES) /* encoding makes it longer */
        return;
    struct url again;
    assert(url_parse(arena, text, &again) == OK);
    assert(url_same_origin(url, &again));
    assert(str_eq(url_format(arena, &again), url->path.len ? text : str_concat(arena, text, STR("/"))));
    assert_curl_agrees(str_copy(arena, text), url);
}

static void try_base(struct arena *arena, struct str text)
{
    struct url base, url;
    if (url_parse(arena, STR("https://base.example:8443/a/b?c"), &base) != OK)
        abort();
    if (url_join(arena, &base, text, &url) == OK) {
        assert(url_same_origin(&base, &url)); /* no path leads to another host */
        assert_sound(arena, &url);
    }
    if (url_resolve(arena, &base, text, &url) == OK)
        assert_sound(arena, &url);
}

static void try_query(struct arena *arena, struct str text)
{
    struct str rest = text, name, value;
    struct buf buf;
    buf_init(&buf, arena, text.len * 3 + 16);
    url_encode_component(&buf, text);
    assert(!buf_failed(&buf) && str_eq(url_decode(arena, buf_str(&buf), true), text));
    while (url_query_next(arena, &rest, true, &name, &value)) {
        struct str one, again_name, again_value;
        buf_init(&buf, arena, (name.len + value.len) * 3 + 16);
        url_query_add(&buf, name, value);
        one = buf_str(&buf);
        assert(url_query_next(arena, &one, true, &again_name, &again_value));
        assert(str_eq(name, again_name) && str_eq(value, again_value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 * URL_MAX_BYTES)
        return 0;
    struct arena *arena = arena_new(64 << 20);
    struct str text = str_of((const char *)data, size), bad;
    struct url url;
    struct egress_policy policy = {0};
    bool guessed;
    struct url careful;
    int error = url_parse(arena, text, &url);
    assert(error == url_parse_carefully(arena, text, &careful));
    if (error) {
        assert(url.problem);
    } else {
        assert(url_same_origin(&url, &careful) && url.host_is_ipv6 == careful.host_is_ipv6);
        assert(str_eq(url.path, careful.path) && str_eq(url.query, careful.query));
        assert_sound(arena, &url);
    }
    if (url_parse_site(arena, text, &url, &guessed) == OK)
        assert_sound(arena, &url);
    try_base(arena, text);
    try_query(arena, text);
    if (egress_policy_parse(&policy, text, &bad) != OK)
        assert(policy.n_ranges == 0 && policy.n_ports == 0);
    arena_free(arena);
    return 0;
}
