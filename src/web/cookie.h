/* The cookies of this server. Nothing here waits. */
#ifndef WEB_COOKIE_H
#define WEB_COOKIE_H

#include "net/http_server.h"

enum cookie {
    COOKIE_SESSION,  /* who is logged in (accounts/sessions.h) */
    COOKIE_FORM,     /* of a browser nobody is logged in with: what the forms it gets are bound to */
    COOKIE_LANGUAGE, /* that was chosen on a page */
    COOKIE_DEVICE,   /* of a browser in which somebody logged in before (accounts/device.h) */
    COOKIES,
};

/* ptr NULL: the browser has none. */
struct str cookie_value(const struct http_request *request, enum cookie cookie);

/* Empty: takes it away. Behind https it has a name that only this very host can set (__Host-). */
void cookie_set(struct call *call, struct http_exchange *exchange, enum cookie cookie, struct str value);

#endif
