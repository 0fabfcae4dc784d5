/* Pages that the server renders. */
#include "web/page.h"

#include "base/log.h"
#include "crypto/token.h"
#include "net/own_address.h"
#include "net/url.h"
#include "web/api.h"
#include "web/assets.h"
#include "web/cookie.h"
#include "web/problem.h"

#include <sodium.h>

enum { FORM_COOKIE_CHARS = 26, RETRY_UNAVAILABLE_S = 5 };

/* ---- what was sent */

static struct str find_field(const struct page *page, struct str pairs, const char *wanted)
{
    struct str name, value;
    while (pairs.ptr && url_query_next(page->call->arena, &pairs, true, &name, &value))
        if (str_eq(name, str_from(wanted)))
            return value;
    return STR_EMPTY;
}

static bool is_post(const struct page *page)
{
    return str_eq(page->request->method, STR("POST"));
}

struct str page_field(const struct page *page, const char *name)
{
    return find_field(page, is_post(page) ? page->request->body : page->request->query, name);
}

/* Our own paths need no more than that, and no browser makes another host of it. */
static bool is_plain(struct str path)
{
    for (size_t i = 0; i < path.len; i++)
        if (!ascii_is_alnum(path.ptr[i]) && !str_contains(STR("/_-."), str_sub(path, i, 1)))
            return false;
    return path.len > 0 && path.ptr[0] == '/' && !str_contains(path, STR("//"));
}

bool page_is_next(struct str path)
{
    size_t end = 0;
    while (end < path.len && path.ptr[end] != '?' && path.ptr[end] != '#')
        end++;
    for (size_t i = end; i < path.len; i++)
        if (path.ptr[i] <= ' ' || (unsigned char)path.ptr[i] >= 0x7F || path.ptr[i] == '\\')
            return false;
    return path.len <= PAGE_NEXT_BYTES_MAX && is_plain(str_sub(path, 0, end));
}

struct str page_next(const struct page *page)
{
    struct str next = page_field(page, "next");
    return page_is_next(next) ? next : STR("/");
}

static int read_form(struct call *call, const struct page *page)
{
    struct str type = http_header_value(page->request, STR("content-type")), rest = page->request->body, piece;
    size_t fields = 0;
    if (!type.ptr ||
        !str_eq_nocase(str_trim(str_sub(type, 0, str_find_char(type, ';'))), STR("application/x-www-form-urlencoded")))
        return fail(call, E_INVALID, "%.*s", STR_ARG(page_text(page, TEXT_BAD_FORM)));
    while (rest.len && str_next(&rest, '&', &piece))
        fields++;
    if (page->request->body.len > PAGE_FORM_BYTES_MAX || fields > PAGE_FORM_FIELDS_MAX)
        return fail(call, E_LIMIT, "%.*s", STR_ARG(page_text(page, TEXT_BAD_FORM)));
    return OK;
}

/* ---- whose form it is */

static bool is_form_cookie(struct str value)
{
    if (value.len != FORM_COOKIE_CHARS)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (!ascii_is_alnum(value.ptr[i]))
            return false;
    return true;
}

/* The session, or the browser's own cookie; `may_make` a new one. ptr NULL: there is none. */
static struct str binding(struct page *page, bool may_make)
{
    if (page->person.user_id)
        return call_format(page->call, "form|session|%.*s", STR_ARG(page->person.session_id));
    struct str value = cookie_value(page->request, COOKIE_FORM);
    if (!value.ptr || !is_form_cookie(value)) {
        if (!may_make)
            return (struct str){NULL, 0};
        if (!page->form_cookie.len) {
            page->form_cookie = token_word(page->call, FORM_COOKIE_CHARS);
            cookie_set(page->call, page->exchange, COOKIE_FORM, page->form_cookie);
        }
        value = page->form_cookie;
    }
    return call_format(page->call, "form|browser|%.*s", STR_ARG(value));
}

static bool is_own_form(struct page *page)
{
    char mac[MAC_HEX_BYTES];
    struct str bound = binding(page, false), given = page_field(page, "form");
    if (!bound.ptr || given.len != MAC_HEX_BYTES - 1)
        return false;
    keyring_mac(KEYRING_PAGES, bound, mac);
    return sodium_memcmp(mac, given.ptr, given.len) == 0;
}

/* Browsers say "null" for a page that sends no referrer. */
static bool is_from_elsewhere(const struct http_request *request)
{
    struct str origin = http_header_value(request, STR("origin")),
               site = http_header_value(request, STR("sec-fetch-site"));
    return (origin.ptr && !str_eq(origin, STR("null")) && !own_address_is_origin(origin)) ||
           (site.ptr && !str_eq(site, STR("same-origin")));
}

static int check_form(struct call *call, struct page *page)
{
    if (!is_post(page))
        return OK;
    if (is_from_elsewhere(page->request))
        return fail(call, E_DENIED, "%.*s", STR_ARG(page_text(page, TEXT_OTHER_SITE)));
    int error = read_form(call, page);
    if (error)
        return error;
    page->is_sent = is_own_form(page);
    if (!page->is_sent) {
        page->status = 403;
        page->problem = page_text(page, TEXT_OLD_FORM);
    }
    return OK;
}

/* ---- who asks, in which language */

static int find_person(struct call *call, struct page *page)
{
    if (!cookie_value(page->request, COOKIE_SESSION).ptr)
        return OK;
    int error = api_browser(call, page->request, &page->person);
    if (error != E_UNAUTHENTICATED)
        return error;
    call_clear_error(call);
    page->person = (struct person){.user_id = 0};
    return OK;
}

static void find_language(struct page *page)
{
    struct str chosen = find_field(page, page->request->query, "lang"),
               kept = cookie_value(page->request, COOKIE_LANGUAGE),
               accepted = http_header_value(page->request, STR("accept-language"));
    if (chosen.len && language_parse(chosen, &page->language)) {
        cookie_set(page->call, page->exchange, COOKIE_LANGUAGE, language_tag(page->language));
        return;
    }
    if (page->person.user_id && language_parse(page->person.language, &page->language))
        return;
    if (kept.ptr && language_parse(kept, &page->language))
        return;
    if (accepted.ptr)
        (void)language_accepted(accepted, &page->language);
}

/* The address without the choice of a language. Of a form's it is what the form leads to, which is the page that had it. */
static struct str find_self(const struct page *page)
{
    struct buf self;
    struct str rest = page->request->query, name, value;
    buf_init(&self, page->call->arena, 2 * URL_MAX_BYTES);
    buf_add(&self, page->request->path);
    buf_add_char(&self, '?');
    while (rest.ptr && url_query_next(page->call->arena, &rest, true, &name, &value))
        if (!str_eq(name, STR("lang")))
            url_query_add(&self, name, value);
    return buf_failed(&self) ? page->request->path : buf_str(&self);
}

/* ---- answering */

static void add_headers(struct page *page)
{
    static const struct {
        struct str name, value;
    } headers[] = {
        {STR_INIT("Cache-Control"), STR_INIT("no-store")},
        {STR_INIT("Referrer-Policy"), STR_INIT("no-referrer")},
        {STR_INIT("Cross-Origin-Opener-Policy"), STR_INIT("same-origin")},
        {STR_INIT("Cross-Origin-Resource-Policy"), STR_INIT("same-origin")},
        {STR_INIT("X-Frame-Options"), STR_INIT("DENY")},
        {STR_INIT("Vary"), STR_INIT("Cookie, Accept-Language")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++)
        http_answer_header(page->exchange, headers[i].name, headers[i].value);
    http_answer_header(page->exchange, STR("Content-Security-Policy"),
                       call_format(page->call,
                                   "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'%s%.*s; "
                                   "frame-ancestors 'none'; base-uri 'none'",
                                   page->form_action.len ? " " : "", STR_ARG(page->form_action)));
}

int page_redirect(struct page *page, struct str path)
{
    add_headers(page);
    http_answer_header(page->exchange, STR("Location"), markup_is_own_path(path) ? path : STR("/"));
    http_answer(page->exchange, 303, STR_EMPTY, STR_EMPTY);
    return OK;
}

int page_ask_login(struct page *page)
{
    struct buf address;
    buf_init(&address, page->call->arena, 4 * PAGE_NEXT_BYTES_MAX);
    buf_add(&address, STR("/login?"));
    struct str here = str_ends_with(page->self, STR("?")) ? str_sub(page->self, 0, page->self.len - 1) : page->self;
    url_query_add(&address, STR("next"), here);
    return page_redirect(page, buf_failed(&address) ? STR("/login") : buf_str(&address));
}

void page_refuse(struct page *page, int error)
{
    page->status = api_status_of(error);
    page->retry_after_s = page->call->retry_after_s;
    struct problem problem = {.text = page_text(page, TEXT_BROKEN)};
    if (page->status < 500 || error == E_UNAVAILABLE || error == E_TIMEOUT)
        problem = problem_of(page->call->arena, page->call->error_text, page->language);
    else
        log_error("call %s: %.*s", page->call->id, STR_ARG(page->call->error_text));
    page->problem = problem.text.len ? problem.text : page_text(page, TEXT_SOMETHING_WRONG);
    page->problem_field = problem.field;
    call_clear_error(page->call);
}

static const struct {
    int status;
    enum text title, text;
} failures[] = {
    {403, TEXT_DENIED_TITLE, TEXT_DENIED},      {404, TEXT_NOT_FOUND_TITLE, TEXT_NOT_FOUND},
    {405, TEXT_METHOD_TITLE, TEXT_METHOD},      {429, TEXT_BUSY_TITLE, TEXT_BUSY},
    {500, TEXT_BROKEN_TITLE, TEXT_BROKEN},      {503, TEXT_BUSY_TITLE, TEXT_BUSY},
    {400, TEXT_SOMETHING_WRONG, TEXT_BAD_FORM}, {421, TEXT_DENIED_TITLE, TEXT_WRONG_HOST},
};

static void write_failure(struct page *page, int status)
{
    enum text title = TEXT_BROKEN_TITLE, text = TEXT_BROKEN;
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++) {
        if (failures[i].status == status) {
            title = failures[i].title;
            text = failures[i].text;
        }
    }
    struct str problem = page->problem;
    page->problem = STR_EMPTY;
    markup_init(&page->markup, page->call->arena, PAGE_BYTES_MAX);
    page->status = status;
    page_begin(page, title);
    markup_element(&page->markup, "p", problem.len ? problem : page_text(page, text));
    markup_element(&page->markup, "p", page_text_with(page, TEXT_CALL_ID, str_from(page->call->id)));
    page_link(page, STR("/"), TEXT_TO_DASHBOARD);
}

static void answer(struct page *page)
{
    while (page->markup.depth)
        markup_end(&page->markup);
    struct str body = markup_done(&page->markup);
    if (buf_failed(&page->markup.out)) {
        write_failure(page, 500);
        while (page->markup.depth)
            markup_end(&page->markup);
        body = markup_done(&page->markup);
    }
    add_headers(page);
    int64_t wait_s = page->status == 503 ? RETRY_UNAVAILABLE_S : page->status == 429 ? page->retry_after_s : 0;
    if (wait_s)
        http_answer_header(page->exchange, STR("Retry-After"), call_format(page->call, "%lld", (long long)wait_s));
    http_answer(page->exchange, page->status, STR("text/html; charset=utf-8"), body);
}

static void init(struct call *call, struct http_exchange *exchange, struct page *page)
{
    *page =
        (struct page){.call = call, .exchange = exchange, .request = http_exchange_request(exchange), .status = 200};
    markup_init(&page->markup, call->arena, PAGE_BYTES_MAX);
    find_language(page);
    page->self = find_self(page);
}

static int run(struct call *call, struct page *page, page_handler *handler)
{
    struct str host = http_header_value(page->request, STR("host"));
    if (!host.ptr || !own_address_has_host(host)) {
        page->status = 421;
        return fail(call, E_DENIED, "%.*s", STR_ARG(page_text(page, TEXT_WRONG_HOST)));
    }
    int error = find_person(call, page);
    if (!error && page->person.user_id)
        find_language(page);
    if (!error)
        error = check_form(call, page);
    return error ? error : handler(call, page);
}

void page_serve(struct call *call, struct http_exchange *exchange, page_handler *handler)
{
    struct page page;
    init(call, exchange, &page);
    int error = run(call, &page, handler);
    if (http_answered(exchange))
        return;
    if (error) {
        page_refuse(&page, error);
        write_failure(&page, page.status);
    }
    answer(&page);
}

void page_serve_error(struct call *call, struct http_exchange *exchange, int status)
{
    struct page page;
    init(call, exchange, &page);
    write_failure(&page, status);
    answer(&page);
}

bool page_is_wanted(const struct http_request *request)
{
    struct str accept = http_header_value(request, STR("accept"));
    return accept.ptr && str_contains_nocase(accept, STR("text/html")) &&
           !str_starts_with(request->path, STR("/api/")) && !str_starts_with(request->path, STR("/mcp"));
}

/* ---- writing */

struct str page_text(const struct page *page, enum text text)
{
    return text_of(text, page->language);
}

struct str page_text_with(const struct page *page, enum text text, struct str value)
{
    return text_fill(page->call->arena, text, page->language, &value, 1);
}

static void write_head(struct page *page)
{
    struct markup *markup = &page->markup;
    markup_begin(markup, "head");
    markup_begin(markup, "meta");
    markup_attribute(markup, "charset", STR("utf-8"));
    markup_begin(markup, "meta");
    markup_attribute(markup, "name", STR("viewport"));
    markup_attribute(markup, "content", STR("width=device-width, initial-scale=1"));
    markup_begin(markup, "meta");
    markup_attribute(markup, "name", STR("color-scheme"));
    markup_attribute(markup, "content", STR("light dark"));
    markup_begin(markup, "meta");
    markup_attribute(markup, "name", STR("robots"));
    markup_attribute(markup, "content", STR("noindex"));
    markup_element(markup, "title", call_format(page->call, "%.*s - porteiro", STR_ARG(page->title)));
    markup_begin(markup, "link");
    markup_attribute(markup, "rel", STR("stylesheet"));
    markup_address(markup, "href", assets_path("page.css"));
    markup_begin(markup, "link");
    markup_attribute(markup, "rel", STR("icon"));
    markup_address(markup, "href", STR("/favicon.svg"));
    markup_end(markup);
}

/* Not on what answers a form: the link would ask for the page without what was in the form, such as its token. */
static void write_languages(struct page *page)
{
    struct markup *markup = &page->markup;
    markup_begin(markup, "nav");
    markup_attribute(markup, "aria-label", page_text(page, TEXT_OTHER_LANGUAGE));
    for (int other = 0; other < LANGUAGES; other++) {
        bool is_this = other == (int)page->language;
        markup_begin(markup, "a");
        markup_attribute(markup, "lang", language_tag((enum language)other));
        markup_attribute(markup, "hreflang", language_tag((enum language)other));
        if (is_this)
            markup_attribute(markup, "aria-current", STR("true"));
        struct str join = str_ends_with(page->self, STR("?")) ? STR("lang=") : STR("&lang=");
        markup_address(markup, "href",
                       str_concat(page->call->arena, page->self,
                                  str_concat(page->call->arena, join, language_tag((enum language)other))));
        markup_text(markup, language_name((enum language)other));
        markup_end(markup);
    }
    markup_end(markup);
}

static void write_header(struct page *page)
{
    struct markup *markup = &page->markup;
    markup_begin(markup, "a");
    markup_attribute(markup, "class", STR("skip"));
    markup_address(markup, "href", STR("#main"));
    markup_text(markup, page_text(page, TEXT_SKIP));
    markup_end(markup);
    markup_begin(markup, "header");
    markup_begin(markup, "a");
    markup_attribute(markup, "class", STR("home"));
    markup_address(markup, "href", STR("/"));
    markup_begin(markup, "img");
    markup_address(markup, "src", STR("/favicon.svg"));
    markup_attribute(markup, "alt", STR_EMPTY);
    markup_attribute(markup, "width", STR("32"));
    markup_attribute(markup, "height", STR("32"));
    markup_text(markup, STR("porteiro"));
    markup_end(markup);
    if (!is_post(page))
        write_languages(page);
    markup_end(markup);
}

static void write_problem(struct page *page)
{
    struct markup *markup = &page->markup;
    if (!page->problem.len)
        return;
    markup_begin(markup, "div");
    markup_attribute(markup, "class", STR("problem"));
    markup_attribute(markup, "role", STR("alert"));
    markup_attribute(markup, "tabindex", STR("-1"));
    markup_mark(markup, "autofocus");
    markup_element(markup, "strong", page_text(page, TEXT_SOMETHING_WRONG));
    markup_begin(markup, "p");
    markup_attribute(markup, "id", STR("problem"));
    if (page->problem_field) {
        markup_begin(markup, "a");
        markup_address(markup, "href", call_format(page->call, "#%s", page->problem_field));
    }
    markup_text(markup, page->problem);
    if (page->problem_field)
        markup_end(markup);
    markup_end(markup);
    markup_end(markup);
}

void page_begin(struct page *page, enum text title)
{
    struct markup *markup = &page->markup;
    page->title = page_text(page, title);
    markup_doctype(markup);
    markup_begin(markup, "html");
    markup_attribute(markup, "lang", language_tag(page->language));
    write_head(page);
    markup_begin(markup, "body");
    write_header(page);
    markup_begin(markup, "main");
    markup_attribute(markup, "id", STR("main"));
    markup_element(markup, "h1", page->title);
    write_problem(page);
}

void page_paragraph(struct page *page, enum text text)
{
    markup_element(&page->markup, "p", page_text(page, text));
}

void page_notice(struct page *page, enum text text)
{
    markup_begin(&page->markup, "p");
    markup_attribute(&page->markup, "class", STR("notice"));
    markup_attribute(&page->markup, "role", STR("status"));
    markup_text(&page->markup, page_text(page, text));
    markup_end(&page->markup);
}

void page_link(struct page *page, struct str address, enum text text)
{
    markup_begin(&page->markup, "p");
    markup_begin(&page->markup, "a");
    markup_address(&page->markup, "href", address);
    markup_text(&page->markup, page_text(page, text));
    markup_end(&page->markup);
    markup_end(&page->markup);
}

/* ---- forms */

void page_form_begin(struct page *page, struct str action)
{
    char mac[MAC_HEX_BYTES];
    keyring_mac(KEYRING_PAGES, binding(page, true), mac);
    markup_begin(&page->markup, "form");
    markup_attribute(&page->markup, "method", STR("post"));
    markup_address(&page->markup, "action", action);
    page_hidden(page, "form", str_from(mac));
}

void page_hidden(struct page *page, const char *name, struct str value)
{
    markup_begin(&page->markup, "input");
    markup_attribute(&page->markup, "type", STR("hidden"));
    markup_attribute(&page->markup, "name", str_from(name));
    markup_attribute(&page->markup, "value", value);
}

static bool is_wrong(const struct page *page, const char *name)
{
    return page->problem.len && page->problem_field && strcmp(page->problem_field, name) == 0;
}

static void describe(struct page *page, const struct page_input *input)
{
    struct markup *markup = &page->markup;
    bool wrong = is_wrong(page, input->name);
    if (wrong)
        markup_attribute(markup, "aria-invalid", STR("true"));
    if (wrong || input->help)
        markup_attribute(markup, "aria-describedby",
                         call_format(page->call, "%s%s%s%s", wrong ? "problem" : "", wrong && input->help ? " " : "",
                                     input->help ? input->name : "", input->help ? "-help" : ""));
}

void page_input(struct page *page, const struct page_input *input)
{
    struct markup *markup = &page->markup;
    markup_begin(markup, "label");
    markup_attribute(markup, "for", str_from(input->name));
    markup_text(markup, page_text(page, input->label));
    markup_end(markup);
    markup_begin(markup, "input");
    markup_attribute(markup, "id", str_from(input->name));
    markup_attribute(markup, "name", str_from(input->name));
    markup_attribute(markup, "type", str_from(input->type ? input->type : "text"));
    markup_attribute(markup, "autocomplete", str_from(input->autocomplete ? input->autocomplete : "off"));
    if (input->mode)
        markup_attribute(markup, "inputmode", str_from(input->mode));
    if (input->value.len)
        markup_attribute(markup, "value", input->value);
    if (!input->is_optional)
        markup_mark(markup, "required");
    if (input->is_first && !page->problem.len)
        markup_mark(markup, "autofocus");
    describe(page, input);
    if (!input->help)
        return;
    markup_begin(markup, "small");
    markup_attribute(markup, "id", call_format(page->call, "%s-help", input->name));
    markup_text(markup, page_text(page, input->help));
    markup_end(markup);
}

void page_button(struct page *page, enum text text)
{
    markup_begin(&page->markup, "button");
    markup_attribute(&page->markup, "type", STR("submit"));
    markup_text(&page->markup, page_text(page, text));
    markup_end(&page->markup);
}

void page_form_end(struct page *page, enum text button)
{
    page_button(page, button);
    markup_end(&page->markup);
}

void page_output(struct page *page, enum text label, struct str value, enum text help)
{
    struct markup *markup = &page->markup;
    markup_element(markup, "h2", page_text(page, label));
    markup_begin(markup, "p");
    markup_begin(markup, "code");
    markup_attribute(markup, "class", STR("copy"));
    markup_attribute(markup, "tabindex", STR("0"));
    markup_text(markup, value);
    markup_end(markup);
    markup_end(markup);
    if (help)
        page_paragraph(page, help);
}
