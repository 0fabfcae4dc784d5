/* Client ID metadata documents. */
#include "oauth/document.h"

#include "json/json_write.h"
#include "limits/tries.h"
#include "net/http_client.h"
#include "net/url.h"
#include "oauth/redirect.h"

enum { ID_BYTES_MAX = 1024, NAME_BYTES_MAX = 64, DEPTH_MAX = 8, WORDS_BYTES_MAX = 32 * 1024 };

bool document_is_id(struct arena *arena, struct str id)
{
    struct url url;
    return id.len <= ID_BYTES_MAX && redirect_judge(arena, id).kind == REDIRECT_HTTPS &&
           url_parse(arena, id, &url) == OK && url.path.len > 1 && str_eq(url_format(arena, &url), id);
}

/* ---- what a description says */

/* Cut to what fits, between characters; what would break a line or reorder it is for the page to show. */
static struct str short_name(struct str name)
{
    name = str_trim(name);
    if (name.len <= NAME_BYTES_MAX)
        return name;
    size_t end = NAME_BYTES_MAX;
    while (end > 0 && ((unsigned char)name.ptr[end] & 0xC0) == 0x80)
        end--;
    return str_sub(name, 0, end);
}

static bool lists(const struct json *list, struct str word)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (str_eq(json_str(json_at(list, i)), word))
            return true;
    return false;
}

static int read_redirects(struct call *call, const struct json *list, struct str *ret)
{
    struct buf text;
    struct json_writer w;
    size_t count = json_is(list, JSON_ARRAY) ? json_count(list) : 0;
    if (count == 0 || count > REDIRECTS_MAX)
        return fail(call, E_INVALID, "redirect_uris must list 1 to %d addresses.", REDIRECTS_MAX);
    buf_init(&text, call->arena, WORDS_BYTES_MAX);
    json_write_init(&w, &text);
    json_array(&w);
    for (size_t i = 0; i < count; i++) {
        const struct json *uri = json_at(list, i);
        if (!json_is(uri, JSON_STRING) || redirect_judge(call->arena, json_str(uri)).kind == REDIRECT_BAD)
            return fail(call, E_INVALID,
                        "redirect_uris: address %zu is not taken. Give https://... or http:// on 127.0.0.1, [::1] or "
                        "localhost, without user name and fragment, in its plain form.",
                        i + 1);
        json_string(&w, json_str(uri));
    }
    json_end(&w);
    *ret = buf_str(&text);
    return buf_failed(&text) ? fail(call, E_LIMIT, "redirect_uris is too long.") : OK;
}

int client_words_read(struct call *call, const struct json *document, struct client_words *ret, const char **ret_code)
{
    const struct json *grants = json_get(document, STR("grant_types")), *name = json_get(document, STR("client_name")),
                      *responses = json_get(document, STR("response_types"));
    *ret_code = "invalid_client_metadata";
    if (!json_is(document, JSON_OBJECT))
        return fail(call, E_INVALID, "A client is described by a JSON object.");
    if (!json_is(name, JSON_MISSING) && !json_is(name, JSON_STRING))
        return fail(call, E_INVALID, "client_name must be a string.");
    if (!json_is(grants, JSON_MISSING) && !lists(grants, STR("authorization_code")))
        return fail(call, E_INVALID,
                    "grant_types must have authorization_code: there is no other way for this client.");
    if (!json_is(responses, JSON_MISSING) && !lists(responses, STR("code")))
        return fail(call, E_INVALID, "response_types must have code.");
    ret->name = short_name(json_str(name));
    ret->wants_refresh = json_is(grants, JSON_MISSING) || lists(grants, STR("refresh_token"));
    *ret_code = "invalid_redirect_uri";
    return read_redirects(call, json_get(document, STR("redirect_uris")), &ret->redirect_uris);
}

/* ---- reading a document */

static int64_t fresh_seconds(const struct http_fetched *fetched)
{
    int64_t seconds = DOCUMENT_FRESH_MIN_S, said;
    struct str rest = http_header_get(fetched->headers, fetched->n_headers, STR("cache-control")), part;
    while (str_next(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_eq_nocase(part, STR("no-store")) || str_eq_nocase(part, STR("no-cache")))
            return DOCUMENT_FRESH_MIN_S;
        if (str_starts_with_nocase(part, STR("max-age=")) && str_to_i64(str_from_offset(part, 8), &said))
            seconds = said;
    }
    if (seconds > DOCUMENT_FRESH_MAX_S)
        return DOCUMENT_FRESH_MAX_S;
    return seconds < DOCUMENT_FRESH_MIN_S ? DOCUMENT_FRESH_MIN_S : seconds;
}

static int fetch(struct call *call, struct str id, struct http_fetched *ret)
{
    static const struct http_header accept = {STR_INIT("Accept"), STR_INIT("application/json")};
    const struct http_fetch request = {
        .method = STR("GET"),
        .url = id,
        .headers = &accept,
        .n_headers = 1,
        .pool_key = STR("oauth documents"),
        .timeout_ms = DOCUMENT_MS,
        .max_body_bytes = DOCUMENT_BYTES_MAX,
    };
    int error = http_fetch(call, &request, ret);
    if (error && ret->failure == HTTP_FETCH_TOO_LARGE)
        return fail(call, E_INVALID, "The description of this app is larger than %d KiB.", DOCUMENT_BYTES_MAX / 1024);
    if (error)
        return error;
    if (ret->status != 200)
        return fail(call, E_INVALID, "The address of this app answered with status %d instead of its description.",
                    ret->status);
    struct str type = str_trim(str_sub(ret->content_type, 0, str_find_char(ret->content_type, ';')));
    if (!str_eq_nocase(type, STR("application/json")) &&
        !(str_starts_with_nocase(type, STR("application/")) && str_ends_with(type, STR("+json"))))
        return fail(call, E_INVALID, "What lies at the address of this app is no JSON document.");
    return OK;
}

/*
 * Without a secret there are only `none` and keys of the client's own. With those we say (as ChatGPT's document allows) that we take
 * `none`; PKCE then ties the code to who asked for it. A shared secret cannot be in a public document.
 */
static bool has_good_method(const struct json *document)
{
    const struct json *method = json_get(document, STR("token_endpoint_auth_method"));
    return json_is(method, JSON_MISSING) || str_eq(json_str(method), STR("none")) ||
           str_eq(json_str(method), STR("private_key_jwt"));
}

int document_read(struct call *call, struct str id, int64_t user_id, struct oauth_client_row *ret)
{
    static const struct tries_rule of_all = {"oauth documents", 20, 3 * 1000}, of_user = {"oauth user", 10, 6 * 1000};
    static const struct json_limits limits = {DEPTH_MAX, DOCUMENT_BYTES_MAX, true};
    struct http_fetched fetched = {0};
    const struct json *document;
    struct client_words words = {0};
    const char *code;
    int error = tries_take(call, &of_user, call_format(call, "%lld", (long long)user_id));
    if (!error)
        error = tries_take(call, &of_all, STR("all"));
    if (!error)
        error = fetch(call, id, &fetched);
    if (error)
        return error;
    if (json_parse(call->arena, fetched.body, &limits, &document, NULL) != OK || !json_is(document, JSON_OBJECT))
        return fail(call, E_INVALID, "What lies at the address of this app is no JSON document.");
    if (!str_eq(json_str(json_get(document, STR("client_id"))), id))
        return fail(call, E_INVALID, "The description of this app names another address as its own.");
    if (!has_good_method(document) || !json_is(json_get(document, STR("client_secret")), JSON_MISSING))
        return fail(call, E_INVALID, "The description of this app wants a shared secret, which cannot be in public.");
    error = client_words_read(call, document, &words, &code);
    if (!error && !words.name.len)
        error = fail(call, E_INVALID, "The description of this app does not say its name (client_name).");
    if (error)
        return error;
    int64_t now_ms = clock_now_ms();
    *ret = (struct oauth_client_row){
        .id = id,
        .kind = STR(CLIENT_DOCUMENT),
        .name = words.name,
        .redirect_uris = words.redirect_uris,
        .grant_types = words.wants_refresh ? STR("authorization_code,refresh_token") : STR("authorization_code"),
        .auth_method = STR("none"),
        .created_at_ms = now_ms,
        .fresh_until_ms = now_ms + fresh_seconds(&fetched) * 1000,
    };
    return OK;
}
