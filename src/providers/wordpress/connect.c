/* Proving a connection to a WordPress site. */
#include "providers/wordpress/connect.h"

#include "json/json_write.h"
#include "net/url.h"
#include "providers/site.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/refusal.h"
#include "providers/wordpress/rest.h"

#include <sodium.h>

enum {
    REDIRECTS_MAX = 3,
    PAGE_MAX_BYTES = 2 * 1024 * 1024,
    PROBE_TIMEOUT_MS = 20000,
    APPLICATION_PASSWORD_CHARS = 24,
    XMLRPC_MAX_BYTES = 4096,
};

/* A check under way. Its functions return OK, or E_INVALID after verdict() has said why the connection does not work. */
struct probe {
    struct site site; /* with the config as far as it is found */
    struct url base;  /* the site's address, after redirects */
    struct str rest_root;
    struct str home_page; /* as far as it was read: it tells the version */
    struct str authorize; /* the page where its owner may let us in; empty: the site has no application passwords */
    struct site_check *ret;
    int64_t step_ms; /* when the step that is under way began */
};

static int verdict(struct probe *probe, const char *code, struct str text)
{
    probe->ret->ok = false;
    probe->ret->error_code = str_from(code);
    probe->ret->error_text = text;
    return E_INVALID;
}

/* The transport failed: http_fetch()'s own sentence says cause and fix. */
static int verdict_unreachable(struct call *call, struct probe *probe, const struct http_fetched *http)
{
    return verdict(probe, http->failure ? http_fetch_failure_name(http->failure) : error_name(call->error),
                   call->error_text);
}

static void use_address(struct call *call, struct probe *probe)
{
    struct str url = json_quote(call->arena, url_format(call->arena, &probe->base));
    probe->site.config_json = call_format(call, "{\"url\":%.*s}", STR_ARG(url));
}

static int fetch_page(struct call *call, struct probe *probe, struct str url, struct http_fetched *ret)
{
    struct site_request request = {.method = STR("GET"),
                                   .url = url,
                                   .anonymous = true,
                                   .timeout_ms = PROBE_TIMEOUT_MS,
                                   .max_body_bytes = PAGE_MAX_BYTES};
    *ret = (struct http_fetched){0};
    return site_fetch(call, &probe->site, &request, ret);
}

/* --- the address --------------------------------------------------------------------------------------------------------- */

/* People paste what their browser shows: the login page, the dashboard, the REST root. */
static void cut_known_endings(struct url *url)
{
    static const struct str endings[] = {
        STR_INIT("/wp-json"),
        STR_INIT("/wp-admin"),
        STR_INIT("/wp-login.php"),
        STR_INIT("/index.php"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
        size_t at = str_find(url->path, endings[i]);
        if (at != STR_NOT_FOUND)
            url->path = str_sub(url->path, 0, at);
    }
    while (str_ends_with(url->path, STR("/")))
        url->path.len--;
}

/* Follows redirects by hand, without the password, to where the site lives now. */
static int read_home_page(struct call *call, struct probe *probe, struct http_fetched *http)
{
    for (int hop = 0;; hop++) {
        use_address(call, probe);
        struct str url = call_format(call, "%.*s/", STR_ARG(url_format(call->arena, &probe->base)));
        int error = fetch_page(call, probe, url, http);
        if (error == E_LIMIT) {
            call_clear_error(call); /* a home page of many megabytes: the REST root is tried without it */
            return OK;
        }
        if (error)
            return error;
        struct str location = http_header_get(http->headers, http->n_headers, STR("location"));
        if (http->status < 300 || http->status > 399 || !location.ptr) {
            probe->home_page = http->body;
            return OK;
        }
        struct url next, from;
        if (hop == REDIRECTS_MAX || url_parse(call->arena, url, &from) != OK ||
            url_resolve(call->arena, &from, location, &next) != OK) {
            return verdict(
                probe, "moved",
                call_format(call,
                            "%.*s redirects without end, or to what is no address. Enter the address at which the "
                            "site opens in a browser.",
                            STR_ARG(url)));
        }
        cut_known_endings(&next);
        next.query = STR_EMPTY;
        if (url_same_origin(&next, &probe->base) && str_eq(next.path, probe->base.path))
            return OK; /* only the page moves (a language, a trailing slash) */
        probe->base = next;
    }
}

/* A person's address without scheme: https, and http where only that answers. */
static int open_address(struct call *call, struct probe *probe, struct http_fetched *http)
{
    const struct json *config;
    bool guessed;
    if (json_parse(call->arena, probe->site.config_json, NULL, &config, NULL) != OK)
        return fail(call, E_INTERNAL, "This connection's settings cannot be read.");
    struct str typed = json_str_or(json_get(config, STR("url")), json_str(json_get(config, STR("base_url"))));
    typed = str_sub(typed, 0, str_find_char(typed, '#')); /* pasted with what the browser shows behind the address */
    typed = str_sub(typed, 0, str_find_char(typed, '?'));
    if (url_parse_site(call->arena, typed, &probe->base, &guessed) != OK)
        return verdict(probe, "bad_address",
                       call_format(call,
                                   "'%.*s' is no address of a site: %s. Enter it as in a browser: https://example.com",
                                   STR_ARG(str_sub(typed, 0, 200)),
                                   probe->base.problem ? probe->base.problem : "it cannot be read"));
    cut_known_endings(&probe->base);
    struct url wanted = probe->base;
    int error = read_home_page(call, probe, http);
    bool no_tls_there = http->failure == HTTP_FETCH_CONNECT || http->failure == HTTP_FETCH_TLS ||
                        http->failure == HTTP_FETCH_PROTOCOL || http->failure == HTTP_FETCH_RESET;
    if (error && error != E_INVALID && guessed && no_tls_there) {
        struct str why = call->error_text;
        enum http_fetch_failure failure = http->failure;
        call_clear_error(call);
        probe->base = wanted;
        probe->base.is_https = false;
        probe->base.scheme = STR("http");
        if (probe->base.port == 443)
            probe->base.port = 80;
        error = read_home_page(call, probe, http);
        if (error && error != E_INVALID) { /* what was wrong with https is what the person should hear */
            call->error_text = why;
            http->failure = failure;
        }
    }
    if (error && error != E_INVALID && error != E_CANCELLED) {
        if (!probe->base.is_https && http->failure == HTTP_FETCH_REFUSED_ADDRESS)
            call->error_text =
                call_format(call, "%.*s (And plain http is only for such addresses: all others need https.)",
                            STR_ARG(call->error_text));
        return verdict_unreachable(call, probe, http);
    }
    return error;
}

/* --- the REST root ------------------------------------------------------------------------------------------------------- */

/* <https://example.com/wp-json/>; rel="https://api.w.org/" */
static struct str link_target(const struct http_fetched *http)
{
    for (size_t i = 0; i < http->n_headers; i++) {
        if (!str_eq_nocase(http->headers[i].name, STR("link")) ||
            !str_contains(http->headers[i].value, STR("https://api.w.org/")))
            continue;
        struct str rest = http->headers[i].value, piece;
        while (str_next(&rest, ',', &piece)) {
            size_t open = str_find_char(piece, '<'), close = str_find_char(piece, '>');
            if (str_contains(piece, STR("https://api.w.org/")) && open != STR_NOT_FOUND && close != STR_NOT_FOUND &&
                open < close)
                return str_sub(piece, open + 1, close - open - 1);
        }
    }
    return STR_EMPTY;
}

/* Is this a REST root? Then it is kept. */
static bool try_root(struct call *call, struct probe *probe, struct str root, struct http_fetched *http)
{
    const struct json *index;
    if (fetch_page(call, probe, wp_url(call, root, STR_EMPTY, STR("_fields=name,namespaces,authentication")), http) !=
        OK) {
        call_clear_error(call);
        return false;
    }
    if (http->status != 200 || wp_parse_answer(call, http->body, &index) != OK) {
        call_clear_error(call);
        return false;
    }
    const struct json *namespaces = json_get(index, STR("namespaces"));
    for (size_t i = 0; i < json_count(namespaces); i++)
        if (str_eq(json_str(json_at(namespaces, i)), STR("wp/v2"))) {
            probe->rest_root = root;
            probe->authorize =
                json_str(json_path(index, "authentication.application-passwords.endpoints.authorization"));
            probe->ret->site_name = text_from_html(call->arena, json_str(json_get(index, STR("name"))));
            return true;
        }
    return false;
}

static int verdict_no_root(struct call *call, struct probe *probe, const struct http_fetched *home,
                           const struct http_fetched *api)
{
    struct str address = url_format(call->arena, &probe->base), vendor = refusal_vendor(api);
    const struct json *json;
    bool looks_like_wordpress =
        str_contains(home->body, STR("/wp-content/")) || str_contains(home->body, STR("/wp-includes/"));
    if (vendor.len)
        return verdict(probe, "firewall",
                       call_format(call,
                                   "%.*s in front of %.*s blocks the REST API. Allow /wp-json/ there for this server.",
                                   STR_ARG(vendor), STR_ARG(address)));
    if ((api->status == 401 || api->status == 403) && refusal_is_page(api))
        return verdict(
            probe, "firewall",
            call_format(call,
                        "%.*s answers the REST API with a web page (HTTP %d): a firewall, a login wall or a bot "
                        "check in front of it. Allow /wp-json/ there for this server.",
                        STR_ARG(address), api->status));
    bool refused = (api->status == 401 || api->status == 403) && wp_parse_answer(call, api->body, &json) == OK;
    call_clear_error(call);
    if (refused || looks_like_wordpress)
        return verdict(
            probe, "rest_disabled",
            call_format(
                call,
                "%.*s is WordPress, but its REST API is switched off or hidden%s%.*s. A security plugin "
                "usually does this: allow the REST API for logged-in users.",
                STR_ARG(address), refused ? ": " : "",
                STR_ARG(refused ? str_sub(text_from_html(call->arena, json_str(json_get(json, STR("message")))), 0, 200)
                                : STR_EMPTY)));
    if (api->status == 503 || home->status == 503)
        return verdict(
            probe, "maintenance",
            call_format(call, "%.*s is in maintenance (HTTP 503). Try again when it is back.", STR_ARG(address)));
    return verdict(
        probe, "not_wordpress",
        call_format(call,
                    "%.*s answers, but it is not WordPress, or WordPress lives in another folder. Enter the address "
                    "of the site's front page.",
                    STR_ARG(address)));
}

static int find_root(struct call *call, struct probe *probe, const struct http_fetched *home)
{
    struct http_fetched api = {0};
    struct str address = url_format(call->arena, &probe->base), link = link_target(home);
    struct url root;
    /* A link to another host is another site: its owner must enter that address. */
    if (link.len && url_parse(call->arena, link, &root) == OK && url_same_origin(&root, &probe->base)) {
        struct str plain = STR("rest_route=/");
        struct str text = url_format(call->arena, &root);
        if (str_ends_with(root.query, plain) || str_ends_with(root.query, STR("rest_route=%2F")))
            text = call_format(call, "%.*s%.*s?rest_route=/", STR_ARG(url_format_origin(call->arena, &root)),
                               STR_ARG(root.path));
        else if (!str_ends_with(text, STR("/")))
            text = str_concat(call->arena, text, STR("/"));
        if (try_root(call, probe, text, &api))
            return OK;
    }
    if (try_root(call, probe, str_concat(call->arena, address, STR("/wp-json/")), &api))
        return OK;
    struct http_fetched pretty = api;
    if (try_root(call, probe, str_concat(call->arena, address, STR("/?rest_route=/")), &api))
        return OK;
    return verdict_no_root(call, probe, home, pretty.status ? &pretty : &api);
}

/* --- the password -------------------------------------------------------------------------------------------------------- */

static bool looks_like_application_password(struct call *call, const struct probe *probe)
{
    const struct json *secret;
    size_t letters = 0;
    if (!probe->site.plain_secret_json.len ||
        json_parse(call->arena, probe->site.plain_secret_json, NULL, &secret, NULL) != OK)
        return true; /* a stored one was accepted once */
    struct str password = json_str(json_get(secret, STR("app_password")));
    for (size_t i = 0; i < password.len; i++) {
        if (ascii_is_alnum(password.ptr[i]))
            letters++;
        else if (password.ptr[i] != ' ')
            return false;
    }
    return letters == APPLICATION_PASSWORD_CHARS;
}

/* "<member><name>blogid" stands in the answer to a user whom XML-RPC knows; a wrong password gets a fault. */
enum xmlrpc_answer { XMLRPC_ACCEPTS, XMLRPC_REFUSES, XMLRPC_SILENT };

/*
 * XML-RPC takes the same password in the body, where no web server drops it: so it tells a dropped header from a wrong password.
 * Many sites switch it off; then nothing is known. Only while a connection is being made, when the password is at hand.
 */
static enum xmlrpc_answer ask_xmlrpc(struct call *call, struct probe *probe)
{
    const struct json *secret;
    struct http_fetched http;
    struct buf body;
    if (!probe->site.plain_secret_json.len ||
        json_parse(call->arena, probe->site.plain_secret_json, NULL, &secret, NULL) != OK)
        return XMLRPC_SILENT;
    buf_init(&body, call->arena, XMLRPC_MAX_BYTES);
    buf_reserve(&body, XMLRPC_MAX_BYTES); /* at once: growing would leave pieces of the password behind */
    buf_add(
        &body,
        STR("<?xml "
            "version=\"1.0\"?><methodCall><methodName>wp.getUsersBlogs</methodName><params><param><value><string>"));
    text_escape_attribute(&body, json_str(json_get(secret, STR("username"))));
    buf_add(&body, STR("</string></value></param><param><value><string>"));
    text_escape_attribute(&body, json_str(json_get(secret, STR("app_password"))));
    buf_add(&body, STR("</string></value></param></params></methodCall>"));
    struct site_request request = {
        .method = STR("POST"),
        .url = call_format(call, "%.*s/xmlrpc.php", STR_ARG(url_format(call->arena, &probe->base))),
        .body = buf_str(&body),
        .content_type = STR("text/xml"),
        .anonymous = true,
        .timeout_ms = PROBE_TIMEOUT_MS,
        .max_body_bytes = PAGE_MAX_BYTES,
    };
    bool answered = !buf_failed(&body) && site_fetch(call, &probe->site, &request, &http) == OK && http.status == 200;
    sodium_memzero(body.ptr, body.len);
    call_clear_error(call);
    if (answered && str_contains(http.body, STR("blogid")))
        return XMLRPC_ACCEPTS;
    return answered && str_contains(http.body, STR("<int>403</int>")) ? XMLRPC_REFUSES : XMLRPC_SILENT;
}

static const char header_advice[] =
    "the web server drops the Authorization header. On Apache add to .htaccess: SetEnvIf Authorization \"(.*)\" "
    "HTTP_AUTHORIZATION=$1 - with nginx and PHP-FPM: fastcgi_param HTTP_AUTHORIZATION $http_authorization; - or ask "
    "the host";
static const char password_advice[] =
    "Check the user name (the login name under Users, Profile), and make a new application password there under "
    "Application Passwords";

static int verdict_not_logged_in(struct call *call, struct probe *probe, struct str code)
{
    probe->ret->is_refused = true;
    if (str_eq(code, STR("application_passwords_disabled")) ||
        str_eq(code, STR("application_passwords_disabled_for_user")))
        return verdict(probe, "application_passwords_off",
                       STR("Application passwords are switched off on this site or for this user, usually by a "
                           "security plugin, or "
                           "because the site has no HTTPS. Switch them on."));
    if (!looks_like_application_password(call, probe))
        return verdict(
            probe, "login_password",
            STR("That is not an application password: those have 24 letters and digits. Your login password does not "
                "work here. Make one in WordPress: Users, Profile, Application Passwords."));
    /* WordPress answers a refused login and none at all with the same words (rest_not_logged_in). */
    switch (ask_xmlrpc(call, probe)) {
    case XMLRPC_ACCEPTS:
        probe->ret->is_refused = false;
        return verdict(
            probe, "header_stripped",
            call_format(call, "The password is right, but WordPress does not get to see it: %s.", header_advice));
    case XMLRPC_REFUSES:
        return verdict(probe, "wrong_password",
                       call_format(call,
                                   "WordPress refused the user name or the application password: mistyped, revoked, or "
                                   "of another user. %s.",
                                   password_advice));
    case XMLRPC_SILENT:
        break;
    }
    return verdict(probe, "not_logged_in",
                   call_format(call,
                               "WordPress did not accept the login. Most likely the user name or the application "
                               "password is wrong, revoked, or of another user. %s. If both are right, %s.",
                               password_advice, header_advice));
}

static int prove_password(struct call *call, struct probe *probe, struct str *ret_roles)
{
    struct wp_answer answer;
    struct wp_query query;
    struct wp wp = {.site = &probe->site, .rest_root = probe->rest_root};
    int64_t start_ms = clock_monotonic_ms();
    wp_query_init(call, &query);
    wp_query_add(&query, "context", STR("edit"));
    wp_query_add(&query, "_fields", STR("id,name,username,slug,roles"));
    int error = wp_get(call, &wp, STR("wp/v2/users/me"), &query, &answer);
    if (error == E_CANCELLED || error == E_CRYPTO)
        return error;
    if (error == E_REFUSED || (error && answer.status == 403 && answer.code.len))
        return verdict_not_logged_in(call, probe, answer.code);
    if (error)
        return verdict(probe, error_name(error), call->error_text);
    if (json_i64_or(json_get(answer.json, STR("id")), 0) <= 0)
        return verdict_not_logged_in(call, probe, STR_EMPTY);
    const struct json *roles = json_get(answer.json, STR("roles"));
    probe->ret->latency_ms = clock_monotonic_ms() - start_ms;
    probe->ret->site_user =
        json_str_or(json_get(answer.json, STR("username")), json_str(json_get(answer.json, STR("slug"))));
    *ret_roles = STR_EMPTY;
    for (size_t i = 0; i < json_count(roles); i++)
        *ret_roles =
            call_format(call, "%.*s%s%.*s", STR_ARG(*ret_roles), i ? "," : "", STR_ARG(json_str(json_at(roles, i))));
    probe->ret->site_role = *ret_roles;
    return OK;
}

/* --- the version --------------------------------------------------------------------------------------------------------- */

static struct str version_after(struct str text, struct str mark)
{
    size_t at = str_find(text, mark);
    if (at == STR_NOT_FOUND)
        return STR_EMPTY;
    struct str rest = str_from_offset(text, at + mark.len);
    size_t end = 0;
    while (end < rest.len && end < 20 &&
           (ascii_is_alnum(rest.ptr[end]) || rest.ptr[end] == '.' || rest.ptr[end] == '-'))
        end++;
    return str_sub(rest, 0, end);
}

/* The REST API does not tell it; the generator of the home page or the feed does, unless somebody hides it. */
static struct str find_version(struct call *call, struct probe *probe)
{
    struct http_fetched feed;
    struct str version = version_after(probe->home_page, STR("content=\"WordPress "));
    if (version.len)
        return version;
    struct str url = call_format(call, "%.*s/?feed=rss2", STR_ARG(url_format(call->arena, &probe->base)));
    if (fetch_page(call, probe, url, &feed) == OK && feed.status == 200)
        version = version_after(feed.body, STR("https://wordpress.org/?v="));
    call_clear_error(call);
    return version;
}

static void write_details(struct call *call, struct probe *probe)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, call->arena, 4096);
    json_write_init(&w, &out);
    json_object(&w);
    json_member_str(&w, "url", url_format(call->arena, &probe->base));
    json_member_str(&w, "rest", probe->rest_root);
    if (probe->ret->site_version.len)
        json_member_str(&w, "version", probe->ret->site_version);
    json_end(&w);
    probe->ret->config_json = buf_str(&out);
    probe->ret->details_json = probe->ret->config_json;
}

/* Returns `error` as it is. */
static int step(struct probe *probe, const char *name, int error)
{
    struct site_check *ret = probe->ret;
    int64_t now_ms = clock_monotonic_ms();
    if (ret->n_steps < SITE_STEPS_MAX)
        ret->steps[ret->n_steps++] = (struct site_step){name, now_ms - probe->step_ms, error == OK, false};
    probe->step_ms = now_ms;
    return error;
}

/* Those behind the one that failed; `last` is the third. */
static void leave_out_rest(struct site_check *ret, const char *last)
{
    const char *const names[] = {"reach", "api", last};
    while (ret->n_steps < ARRAY_LENGTH(names)) {
        ret->steps[ret->n_steps] = (struct site_step){names[ret->n_steps], -1, false, true};
        ret->n_steps++;
    }
}

int wordpress_check(struct call *call, const struct site *site, struct site_check *ret)
{
    struct probe probe = {.site = *site, .ret = ret, .step_ms = clock_monotonic_ms()};
    struct http_fetched home = {0};
    struct str roles;
    int error;
    *ret = (struct site_check){0};
    if ((error = step(&probe, "reach", open_address(call, &probe, &home))) ||
        (error = step(&probe, "api", find_root(call, &probe, &home))) ||
        (error = step(&probe, "login", prove_password(call, &probe, &roles)))) {
        if (error != E_INVALID || !ret->error_code.len)
            return error;
        leave_out_rest(ret, "login");
        call_clear_error(call); /* a verdict is an answer, not a failure of ours */
        return OK;
    }
    ret->site_version = find_version(call, &probe);
    write_details(call, &probe);
    if (str_contains(roles, STR("administrator")))
        ret->warning =
            STR("This is an administrator's account. A separate WordPress user with the role Editor is enough for "
                "posts and pages, and limits what can go wrong.");
    ret->ok = true;
    return OK;
}

/* --- letting us in with a click ------------------------------------------------------------------------------------------ */

static int find_authorize_page(struct call *call, struct probe *probe, struct url *ret)
{
    if (probe->authorize.len == 0)
        return verdict(
            probe, "no_application_passwords",
            call_format(call,
                        "%.*s has no application passwords: WordPress offers them on sites with https only, and "
                        "security plugins can turn them off. Allow them there, or enter a password made "
                        "elsewhere.",
                        STR_ARG(url_format(call->arena, &probe->base))));
    if (url_parse(call->arena, probe->authorize, ret) != OK || !url_same_origin(ret, &probe->base))
        return verdict(probe, "moved",
                       STR("The site names another address than its own for letting programs in. Enter that address."));
    return OK;
}

int wordpress_authorize_begin(struct call *call, const struct site *site, const struct authorize_offer *offer,
                              struct site_check *ret_check, struct str *ret_url)
{
    struct probe probe = {.site = *site, .ret = ret_check, .step_ms = clock_monotonic_ms()};
    struct http_fetched home = {0};
    struct url page;
    struct buf url;
    int error;
    *ret_check = (struct site_check){0};
    if ((error = step(&probe, "reach", open_address(call, &probe, &home))) ||
        (error = step(&probe, "api", find_root(call, &probe, &home))) ||
        (error = step(&probe, "authorize", find_authorize_page(call, &probe, &page)))) {
        if (error != E_INVALID || !ret_check->error_code.len)
            return error;
        leave_out_rest(ret_check, "authorize");
        call_clear_error(call);
        return OK;
    }
    buf_init(&url, call->arena, 8192);
    buf_add_format(&url, "%.*s?", STR_ARG(probe.authorize));
    url_query_add(&url, STR("app_name"), offer->app_name);
    url_query_add(&url, STR("app_id"), offer->app_id);
    url_query_add(&url, STR("success_url"), offer->return_url);
    if (buf_failed(&url))
        return fail(call, E_LIMIT, "The site's address is too long.");
    ret_check->ok = true;
    *ret_url = buf_str(&url);
    return OK;
}

static struct str one_member(struct call *call, const char *name, struct str value)
{
    return call_format(call, "\"%s\":%.*s", name, STR_ARG(json_quote(call->arena, value)));
}

int wordpress_authorize_end(struct call *call, struct str query, struct str *ret_config, struct str *ret_secret)
{
    struct str name, value, url = STR_EMPTY, user = STR_EMPTY, password = STR_EMPTY;
    while (url_query_next(call->arena, &query, true, &name, &value)) {
        if (str_eq(name, STR("success")) && str_eq(value, STR("false")))
            return fail(call, E_DENIED, "The site's owner did not let us in. Nothing was connected.");
        if (str_eq(name, STR("site_url")))
            url = value;
        else if (str_eq(name, STR("user_login")))
            user = value;
        else if (str_eq(name, STR("password")))
            password = value;
    }
    if (!url.len || !user.len || !password.len)
        return fail(call, E_INVALID, "The site did not send what it should: address, user and password.");
    *ret_config = call_format(call, "{%.*s}", STR_ARG(one_member(call, "url", url)));
    *ret_secret = call_format(call, "{%.*s,%.*s}", STR_ARG(one_member(call, "username", user)),
                              STR_ARG(one_member(call, "app_password", password)));
    return OK;
}
