/* /oauth/authorize: an app asks a person to be let in (oauth/authorize.h). */
#ifndef WEB_PAGE_AUTHORIZE_H
#define WEB_PAGE_AUTHORIZE_H

#include "web/page.h"

int page_authorize(struct call *call, struct page *page);

#endif
