/* The address /: the dashboard, or a few words where the program was built without it. */
#ifndef WEB_PAGE_HOME_H
#define WEB_PAGE_HOME_H

#include "net/http_server.h"

void page_home(struct call *call, struct http_exchange *exchange, struct str segment);

#endif
