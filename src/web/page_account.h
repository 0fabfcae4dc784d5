/*
 * Making an account (/register, /setup, /invitation), a forgotten password (/reset), confirming an address
 * (/confirm-email).
 */
#ifndef WEB_PAGE_ACCOUNT_H
#define WEB_PAGE_ACCOUNT_H

#include "web/page.h"

int page_register(struct call *call, struct page *page);
int page_invitation(struct call *call, struct page *page); /* /setup too: which of both it is says the token */
int page_reset(struct call *call, struct page *page);
int page_confirm_email(struct call *call, struct page *page);

#endif
