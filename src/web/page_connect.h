/* /connect/finish: where a browser ends up that came back from a service (web/connect_return.h). */
#ifndef WEB_PAGE_CONNECT_H
#define WEB_PAGE_CONNECT_H

#include "web/page.h"

int page_connect_finish(struct call *call, struct page *page);

#endif
