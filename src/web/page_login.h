/* /login, with its second step, and /logout. */
#ifndef WEB_PAGE_LOGIN_H
#define WEB_PAGE_LOGIN_H

#include "web/page.h"

int page_login(struct call *call, struct page *page);
int page_login_code(struct call *call, struct page *page);
int page_logout(struct call *call, struct page *page);

#endif
