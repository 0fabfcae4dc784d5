/* /oauth/authorize: an app asks a person to be let in. */
#include "web/page_authorize.h"

#include "crypto/keyring.h"
#include "json/json.h"
#include "net/url.h"
#include "oauth/authorize.h"
#include "oauth/grants.h"
#include "store/connections.h"
#include "web/api.h"

/* What the page works on. */
struct consent {
    struct authorize asked;
    struct connection_rows usable;
    bool is_step_up; /* only what is new is asked */
};

static const struct {
    unsigned right;
    const char *field;
    enum text label;
} rights[] = {
    {RIGHT_READ, "right_read", TEXT_RIGHT_READ},          {RIGHT_DRAFT, "right_draft", TEXT_RIGHT_DRAFT},
    {RIGHT_PUBLISH, "right_publish", TEXT_RIGHT_PUBLISH}, {RIGHT_DELETE, "right_delete", TEXT_RIGHT_DELETE},
    {RIGHT_FETCH, "right_fetch", TEXT_RIGHT_FETCH},       {RIGHT_ADMIN, "right_admin", TEXT_RIGHT_ADMIN},
};

/* ---- going back to the app */

/* To an address that was checked against the client's own. */
static int leave(struct page *page, struct str address)
{
    http_answer_header(page->exchange, STR("Location"), address);
    http_answer_header(page->exchange, STR("Cache-Control"), STR("no-store"));
    http_answer_header(page->exchange, STR("Referrer-Policy"), STR("no-referrer"));
    http_answer(page->exchange, 303, STR_EMPTY, STR_EMPTY);
    return OK;
}

/* The app's own mistake: it hears of it, by a click where we do not know whom we would send the person to. */
static int tell_app(struct call *call, struct page *page, const struct authorize *asked)
{
    struct str address = authorize_address(call, page->request, asked, STR_EMPTY, asked->error);
    if (authorize_is_trusted(asked))
        return leave(page, address);
    const struct str values[] = {asked->client.name, asked->error_text, str_from(asked->error)};
    page->status = 400;
    page_begin(page, TEXT_CONSENT_WRONG_TITLE);
    markup_element(&page->markup, "p",
                   text_fill(call->arena, TEXT_CONSENT_WRONG, page->language, values, ARRAY_LENGTH(values)));
    markup_begin(&page->markup, "p");
    markup_begin(&page->markup, "a");
    markup_address(&page->markup, "href", address);
    markup_text(&page->markup, page_text_with(page, TEXT_CONSENT_RETURN, asked->redirect.host));
    return OK;
}

static int agree(struct call *call, struct page *page, const struct consent *consent, const int64_t *ids, size_t n_ids,
                 unsigned granted)
{
    struct str code;
    int error = authorize_agree(call, &consent->asked, page->person.user_id, ids, n_ids, granted, &code);
    return error ? error : leave(page, authorize_address(call, page->request, &consent->asked, code, NULL));
}

/* ---- what was chosen */

static const struct connection_row *find_usable(const struct consent *consent, int64_t id)
{
    for (size_t i = 0; i < consent->usable.count; i++)
        if (consent->usable.items[i].id == id)
            return &consent->usable.items[i];
    return NULL;
}

/* Of what was agreed to before; those that are gone drop out. */
static size_t remembered_ids(const struct consent *consent, int64_t ids[GRANT_SITES_MAX])
{
    const struct oauth_grant_row *row = &consent->asked.remembered;
    struct str rest = row->connections, word;
    size_t n = 0;
    int64_t id;
    if (find_usable(consent, row->connection_id))
        ids[n++] = row->connection_id;
    while (row->connections.len && n < GRANT_SITES_MAX && str_next(&rest, ',', &word))
        if (str_to_i64(word, &id) && find_usable(consent, id))
            ids[n++] = id;
    return n;
}

static const char *connection_field(struct call *call, int64_t id)
{
    return str_copy_cstr(call->arena, call_format(call, "connection_%lld", (long long)id));
}

/* One more than there may be is enough to be refused for it. */
static size_t chosen_ids(struct call *call, const struct page *page, const struct consent *consent,
                         int64_t ids[GRANT_SITES_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < consent->usable.count && n <= GRANT_SITES_MAX; i++)
        if (page_field(page, connection_field(call, consent->usable.items[i].id)).len)
            ids[n++] = consent->usable.items[i].id;
    return n;
}

static unsigned chosen_rights(const struct page *page, const struct consent *consent)
{
    unsigned chosen = RIGHT_READ, new = consent->asked.rights & ~consent->asked.remembered_rights;
    for (size_t i = 0; i < ARRAY_LENGTH(rights); i++)
        if (page_field(page, rights[i].field).len && (!consent->is_step_up || (rights[i].right & new)))
            chosen |= rights[i].right;
    return consent->is_step_up ? chosen | consent->asked.remembered_rights : chosen;
}

/* ---- the form */

/* The form is good for this very request of the app, not only for this browser. */
static struct str request_seal(struct call *call, const struct page *page)
{
    char *seal = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_PAGES,
                call_format(call, "consent|%.*s|%.*s", STR_ARG(page->person.session_id), STR_ARG(page->request->query)),
                seal);
    return str_from(seal);
}

static void write_choice(struct page *page, const char *name, struct str label, struct str detail, bool is_on,
                         bool is_fixed)
{
    struct markup *markup = &page->markup;
    markup_begin(markup, "label");
    markup_attribute(markup, "class", STR("choice"));
    markup_begin(markup, "input");
    markup_attribute(markup, "type", STR("checkbox"));
    markup_attribute(markup, "name", str_from(name));
    markup_attribute(markup, "value", STR("on"));
    if (is_on)
        markup_mark(markup, "checked");
    if (is_fixed)
        markup_mark(markup, "disabled");
    markup_begin(markup, "span");
    markup_text(markup, label);
    if (detail.len)
        markup_element(markup, "small", detail);
    markup_end(markup);
    markup_end(markup);
}

static void begin_group(struct page *page, enum text legend)
{
    markup_begin(&page->markup, "fieldset");
    markup_element(&page->markup, "legend", page_text(page, legend));
}

static struct str address_of(struct call *call, const struct connection_row *row)
{
    const struct json *config;
    if (json_parse(call->arena, row->config_json, NULL, &config, NULL) != OK)
        return STR_EMPTY;
    return json_str(json_get(config, STR("url")));
}

static void write_connections(struct call *call, struct page *page, const struct consent *consent)
{
    int64_t before[GRANT_SITES_MAX];
    size_t n_before = consent->asked.is_remembered ? remembered_ids(consent, before) : 0;
    begin_group(page, TEXT_CONSENT_SITES);
    for (size_t i = 0; i < consent->usable.count; i++) {
        const struct connection_row *row = &consent->usable.items[i];
        const char *field = connection_field(call, row->id);
        bool is_on = consent->usable.count == 1;
        for (size_t b = 0; b < n_before; b++)
            is_on |= before[b] == row->id;
        if (page->is_sent)
            is_on = page_field(page, field).len > 0;
        write_choice(page, field, row->name, address_of(call, row), is_on, false);
    }
    markup_end(&page->markup);
}

static void write_rights(struct page *page, const struct consent *consent)
{
    unsigned on = page->is_sent ? chosen_rights(page, consent) : consent->asked.rights;
    begin_group(page, TEXT_CONSENT_RIGHTS);
    for (size_t i = 0; i < ARRAY_LENGTH(rights); i++)
        write_choice(page, rights[i].field, page_text(page, rights[i].label), STR_EMPTY, on & rights[i].right,
                     rights[i].right == RIGHT_READ);
    markup_end(&page->markup);
}

static void write_increment(struct call *call, struct page *page, const struct consent *consent)
{
    struct markup *markup = &page->markup;
    int64_t ids[GRANT_SITES_MAX];
    size_t n = remembered_ids(consent, ids);
    struct str names = STR_EMPTY;
    for (size_t i = 0; i < n; i++)
        names =
            call_format(call, "%.*s%s%.*s", STR_ARG(names), i ? ", " : "", STR_ARG(find_usable(consent, ids[i])->name));
    markup_element(markup, "p", page_text_with(page, TEXT_CONSENT_FOR, names));
    page_paragraph(page, TEXT_CONSENT_HAS);
    markup_begin(markup, "ul");
    for (size_t i = 0; i < ARRAY_LENGTH(rights); i++)
        if (rights[i].right & consent->asked.remembered_rights)
            markup_element(markup, "li", page_text(page, rights[i].label));
    markup_end(markup);
    begin_group(page, TEXT_CONSENT_MORE);
    for (size_t i = 0; i < ARRAY_LENGTH(rights); i++)
        if (rights[i].right & consent->asked.rights & ~consent->asked.remembered_rights)
            write_choice(page, rights[i].field, page_text(page, rights[i].label), STR_EMPTY, true, false);
    markup_end(markup);
}

static void write_decision(struct page *page, const char *value, enum text label, bool is_second)
{
    struct markup *markup = &page->markup;
    markup_begin(markup, "button");
    markup_attribute(markup, "type", STR("submit"));
    markup_attribute(markup, "name", STR("decision"));
    markup_attribute(markup, "value", str_from(value));
    if (is_second) {
        markup_attribute(markup, "class", STR("second"));
        markup_mark(markup, "formnovalidate"); /* who says no gives no password */
    }
    markup_text(markup, page_text(page, label));
    markup_end(markup);
}

static void write_warning(struct page *page, struct str text)
{
    markup_begin(&page->markup, "p");
    markup_attribute(&page->markup, "class", STR("warning"));
    markup_text(&page->markup, text);
    markup_end(&page->markup);
}

/* The app's request, with a choice of everything: a parameter that stood there twice would be an error of the app. */
static struct str address_to_ask_anew(struct call *call, const struct page *page)
{
    struct buf address;
    struct str rest = page->request->query, name, value;
    buf_init(&address, call->arena, 4 * URL_MAX_BYTES);
    buf_add(&address, STR("/oauth/authorize?"));
    while (rest.ptr && url_query_next(call->arena, &rest, true, &name, &value))
        if (!str_eq(name, STR("lang")) && !str_eq(name, STR("prompt")))
            url_query_add(&address, name, value);
    url_query_add(&address, STR("prompt"), STR("consent"));
    return buf_failed(&address) ? page->self : buf_str(&address);
}

/* Who asks: what it calls itself, and what of it is known to be true. */
static void write_client(struct call *call, struct page *page, const struct authorize *asked)
{
    struct markup *markup = &page->markup;
    bool is_document = str_eq(asked->client.kind, STR(CLIENT_DOCUMENT));
    struct redirect described = is_document ? redirect_judge(call->arena, asked->client.id) : (struct redirect){0};
    markup_element(markup, "p", page_text_with(page, TEXT_CONSENT_WHO, asked->client.name));
    if (is_document)
        markup_element(markup, "p", page_text_with(page, TEXT_CONSENT_DOCUMENT, described.host));
    markup_element(markup, "p", page_text_with(page, TEXT_CONSENT_BACK, asked->redirect.host));
    if (asked->redirect.kind != REDIRECT_HTTPS)
        write_warning(page, page_text_with(page, TEXT_CONSENT_LOOPBACK, asked->redirect.host));
    else if (str_eq(asked->client.kind, STR(CLIENT_DYNAMIC)))
        write_warning(page, page_text(page, TEXT_CONSENT_UNPROVEN));
    markup_element(markup, "p", page_text_with(page, TEXT_HERE_FOR, page->person.email));
}

static void show(struct call *call, struct page *page, const struct consent *consent)
{
    const struct authorize *asked = &consent->asked;
    /* Browsers hold the address a form leads on to against the policy as well; it has no form for an IPv6 address. */
    page->form_action = str_contains(asked->redirect.origin, STR("[")) ? STR("http:") : asked->redirect.origin;
    page_begin(page, TEXT_CONSENT_TITLE);
    write_client(call, page, asked);
    page_form_begin(page, call_format(call, "/oauth/authorize?%.*s", STR_ARG(page->request->query)));
    page_hidden(page, "request", request_seal(call, page));
    if (consent->is_step_up) {
        write_increment(call, page, consent);
    } else {
        write_connections(call, page, consent);
        write_rights(page, consent);
    }
    if (!sessions_is_proven(&page->person))
        page_input(page, &(const struct page_input){.name = "password",
                                                    .type = "password",
                                                    .label = TEXT_PASSWORD,
                                                    .autocomplete = "current-password"});
    write_decision(page, "allow", TEXT_CONSENT_ALLOW, false);
    write_decision(page, "deny", TEXT_CONSENT_DENY, true);
    markup_end(&page->markup);
    page_paragraph(page, TEXT_CONSENT_END);
    if (consent->is_step_up && !page->is_sent)
        page_link(page, address_to_ask_anew(call, page), TEXT_CONSENT_ANEW);
}

static int show_nothing(struct page *page)
{
    page_begin(page, TEXT_CONSENT_NONE_TITLE);
    page_paragraph(page, TEXT_CONSENT_NONE);
    page_link(page, STR("/"), TEXT_TO_DASHBOARD);
    return OK;
}

/* ---- what happens */

static int prepare(struct call *call, const struct page *page, struct consent *consent)
{
    int64_t ids[GRANT_SITES_MAX];
    size_t n = 0;
    int error = store_connections_list(call, page->person.user_id, &consent->usable);
    if (error)
        return error;
    for (size_t i = 0; i < consent->usable.count; i++)
        if (!str_eq(consent->usable.items[i].status, STR(CONNECTION_REVOKED)))
            consent->usable.items[n++] = consent->usable.items[i];
    consent->usable.count = n;
    const struct authorize *asked = &consent->asked;
    consent->is_step_up = asked->is_remembered && !asked->must_ask && (asked->rights & ~asked->remembered_rights) &&
                          authorize_is_trusted(asked) && remembered_ids(consent, ids) > 0;
    return OK;
}

/* With one connection there is nothing to choose. */
static bool is_granted_already(const struct consent *consent)
{
    return authorize_goes_without_saying(&consent->asked) && consent->usable.count == 1 &&
           find_usable(consent, consent->asked.remembered.connection_id);
}

/* An app gets tokens, as the API gives them to a browser: with a password of the last ten minutes. */
static int prove(struct call *call, struct page *page)
{
    if (sessions_is_proven(&page->person))
        return OK;
    const struct session_from from = api_from(call, page->request);
    int error = sessions_prove(call, &page->person, page_field(page, "password"), &from);
    if (!error)
        page->person.proved_at_ms = clock_now_ms();
    return error;
}

static int decide(struct call *call, struct page *page, const struct consent *consent)
{
    int64_t ids[GRANT_SITES_MAX + 1];
    if (!str_eq(page_field(page, "decision"), STR("allow")))
        return leave(page, authorize_address(call, page->request, &consent->asked, STR_EMPTY, "access_denied"));
    size_t n = consent->is_step_up ? remembered_ids(consent, ids) : chosen_ids(call, page, consent, ids);
    int error = prove(call, page);
    if (!error)
        error = n ? agree(call, page, consent, ids, n, chosen_rights(page, consent))
                  : fail(call, E_INVALID, "%.*s", STR_ARG(page_text(page, TEXT_CONSENT_PICK)));
    if (!error)
        return OK;
    if (error != E_INVALID && error != E_NOT_FOUND && error != E_CONFLICT && error != E_UNAUTHENTICATED &&
        error != E_LIMIT)
        return error;
    page_refuse(page, error);
    show(call, page, consent);
    return OK;
}

/* The browser sent a form of ours, but for another request of the app. */
static bool is_for_this_request(struct call *call, const struct page *page)
{
    return str_eq(page_field(page, "request"), request_seal(call, page));
}

int page_authorize(struct call *call, struct page *page)
{
    struct consent *consent = arena_new_of(call->arena, struct consent);
    *consent = (struct consent){.is_step_up = false};
    int error = authorize_read(call, page->request, page->person.user_id, &consent->asked);
    if (error == E_UNAUTHENTICATED || (!error && !page->person.user_id && !consent->asked.error)) {
        call_clear_error(call);
        if (!consent->asked.must_not_ask)
            return page_ask_login(page);
        consent->asked.error = "login_required";
        consent->asked.error_text = STR("Nobody is logged in, and prompt=none lets nobody be asked.");
    }
    if (error && error != E_UNAUTHENTICATED)
        return error;
    if (consent->asked.error)
        return tell_app(call, page, &consent->asked);
    error = prepare(call, page, consent);
    if (error)
        return error;
    if (page->is_sent && is_for_this_request(call, page))
        return decide(call, page, consent);
    if (page->is_sent)
        return fail(call, E_DENIED, "%.*s", STR_ARG(page_text(page, TEXT_OLD_FORM)));
    if (consent->usable.count == 0)
        return show_nothing(page);
    int64_t ids[GRANT_SITES_MAX];
    if (is_granted_already(consent) && !page->problem.len)
        return agree(call, page, consent, ids, remembered_ids(consent, ids), consent->asked.rights);
    if (consent->asked.must_not_ask) {
        consent->asked.error = "interaction_required";
        consent->asked.error_text = STR("The person has to be asked, and prompt=none forbids it.");
        return tell_app(call, page, &consent->asked);
    }
    show(call, page, consent);
    return OK;
}
