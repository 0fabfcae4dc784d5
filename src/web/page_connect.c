/* /connect/finish */
#include "web/page_connect.h"

#include "accounts/authorize.h"
#include "net/own_address.h"

static int refuse(struct page *page)
{
    page_begin(page, TEXT_CONNECT_FAILED_TITLE);
    page_link(page, STR("/#/connect"), TEXT_CONNECT_AGAIN);
    return OK;
}

/*
 * What was sent with this token before: the browser gave up its answer when the button was pressed again, but the
 * connection was made all the same.
 */
static int doubt(struct page *page, int error)
{
    page_refuse(page, error);
    page->problem = page_text(page, TEXT_CONNECT_MAYBE);
    page_begin(page, TEXT_CONNECT_MAYBE_TITLE);
    page_link(page, STR("/#/connections"), TEXT_CONNECT_LOOK);
    return OK;
}

static void tell(struct call *call, struct page *page, const struct site_check *check, const struct token_made *made)
{
    struct str site = check->site_name.len ? check->site_name : STR("WordPress");
    page_begin(page, TEXT_CONNECTED_TITLE);
    markup_begin(&page->markup, "p");
    markup_attribute(&page->markup, "class", STR("notice"));
    markup_attribute(&page->markup, "role", STR("status"));
    markup_text(&page->markup, page_text_with(page, TEXT_CONNECTED, site));
    markup_end(&page->markup);
    if (check->site_user.len) {
        const struct str who[] = {check->site_user, check->site_role.len ? check->site_role : STR("?")};
        markup_element(&page->markup, "p", text_fill(call->arena, TEXT_CONNECTED_AS, page->language, who, 2));
    }
    if (check->warning.len)
        markup_element(&page->markup, "p", check->warning);
    page_output(page, TEXT_MCP_ADDRESS, str_concat(call->arena, own_address_url(), STR("/mcp")), TEXT_NONE);
    page_output(page, TEXT_TOKEN, made->token, TEXT_TOKEN_ONCE);
    page_link(page, call_format(call, "/#/connections/%lld/clients", (long long)made->connection_id),
              TEXT_CONNECTED_NEXT);
}

/* Nothing is made before the person agrees: a GET changes nothing, and the form is bound to this browser's session. */
static int ask(struct call *call, struct page *page, struct str token)
{
    struct authorize_shown shown;
    int error = authorize_look(call, page->person.user_id, token, &shown);
    if (error == E_DENIED)
        return doubt(page, error);
    if (error) {
        page_refuse(page, error);
        return refuse(page);
    }
    const struct str what[] = {shown.address.len ? shown.address : shown.provider_name, shown.name};
    page_begin(page, TEXT_CONNECT_ASK_TITLE);
    markup_element(&page->markup, "p", text_fill(call->arena, TEXT_CONNECT_ASK, page->language, what, 2));
    page_form_begin(page, STR("/connect/finish"));
    page_hidden(page, "token", token);
    page_form_end(page, TEXT_CONNECT_DO);
    page_link(page, STR("/#/connect"), TEXT_CONNECT_NOT);
    return OK;
}

int page_connect_finish(struct call *call, struct page *page)
{
    struct str token = page_field(page, "token");
    struct site_check check = {0};
    struct token_made made;
    if (!page->person.user_id)
        return page_ask_login(page);
    if (!token.len) {
        page->status = 403;
        page->problem = page_text(page, TEXT_CONNECT_REFUSED);
        return refuse(page);
    }
    if (!page->is_sent)
        return ask(call, page, token);
    struct authorize_shown shown; /* first, for finishing may be denied for other reasons, too */
    int error = authorize_look(call, page->person.user_id, token, &shown);
    if (error == E_DENIED)
        return doubt(page, error);
    if (!error)
        error = authorize_finish(call, page->person.user_id, token, &check, &made);
    if (error) {
        page_refuse(page, error);
        return refuse(page);
    }
    tell(call, page, &check, &made);
    return OK;
}
