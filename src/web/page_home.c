/* The address / */
#include "web/page_home.h"

#include "net/own_address.h"
#include "web/assets.h"
#include "web/page.h"

static int tell(struct call *call, struct page *page)
{
    page_begin(page, TEXT_HOME_TITLE);
    page_paragraph(page, TEXT_HOME);
    page_output(page, TEXT_MCP_ADDRESS, str_concat(call->arena, own_address_url(), STR("/mcp")), TEXT_NONE);
    if (page->person.user_id) {
        markup_element(&page->markup, "p", page_text_with(page, TEXT_HERE_FOR, page->person.email));
        page_paragraph(page, TEXT_HOME_LOGGED_IN);
        page_link(page, STR("/logout"), TEXT_LOGOUT);
    } else {
        page_link(page, STR("/login"), TEXT_LOGIN);
    }
    return OK;
}

void page_home(struct call *call, struct http_exchange *exchange, struct str segment)
{
    const struct asset *dashboard = assets_find(STR("/"));
    (void)segment;
    if (dashboard)
        assets_send(call, exchange, dashboard);
    else
        page_serve(call, exchange, tell);
}
