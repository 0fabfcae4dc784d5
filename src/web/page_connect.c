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

/*
 * A GET that makes something: its token is good once, and only for the person who began, so no page of somebody else can use it.
 * A browser that only fetches ahead is told to come again.
 */
int page_connect_finish(struct call *call, struct page *page)
{
    struct str purpose = http_header_value(page->request, STR("sec-purpose")), token = page_field(page, "token");
    struct site_check check = {0};
    struct token_made made;
    if (purpose.ptr && str_contains_nocase(purpose, STR("prefetch")))
        return fail(call, E_UNAVAILABLE, "%.*s", STR_ARG(page_text(page, TEXT_BUSY)));
    if (!page->person.user_id)
        return page_ask_login(page);
    if (!token.len) {
        page->status = 403;
        page->problem = page_text(page, TEXT_CONNECT_REFUSED);
        return refuse(page);
    }
    int error = authorize_finish(call, page->person.user_id, token, &check, &made);
    if (error) {
        page_refuse(page, error);
        return refuse(page);
    }
    tell(call, page, &check, &made);
    return OK;
}
