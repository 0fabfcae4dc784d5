/*
 * /hooks/{provider}/{connection}: what services send by themselves. Whether it is theirs is the provider's to prove; what it
 * changes is done whole or not at all, and told to listeners when it is done.
 */
#ifndef WEB_HOOKS_H
#define WEB_HOOKS_H

#include "net/http_server.h"

void hooks_serve(struct call *call, struct http_exchange *exchange, struct str rest);

#endif
