/*
 * What is served at which address: one table of method, path, who may, and handler.
 *
 * Unknown paths are 404, known ones with another method 405 with Allow; both as {"error":{"code","message"}}, or as a page for a
 * browser. Every request is a line in the access log (PORTEIRO_ACCESS_LOG): method, path without its query, status, milliseconds, client, call id.
 */
#ifndef WEB_ROUTES_H
#define WEB_ROUTES_H

#include "web/api.h"
#include "web/page.h"

/* Who may call a handler. There is no default: a row without it does not pass the test of the table. */
enum route_who {
    ROUTE_NOBODY,
    ROUTE_ANYONE, /* tells nothing about anybody */
    ROUTE_BEARER, /* the handler proves a bearer token before anything else */
    ROUTE_PERSON, /* an operation for whoever is logged in */
    ROUTE_ADMIN,  /* and is an administrator */
    ROUTE_LINK,   /* the rest of the path is a secret that the handler proves, and that no log shows */
};

/* `segment` is what stands for the first {} of the path, as received; empty when there is none. */
typedef void route_handler(struct call *call, struct http_exchange *exchange, struct str segment);

struct route {
    struct str method; /* "*": the handler looks at it itself */
    /* "/mcp" exactly; with segments in braces that are not empty: "/api/connections/{id}/test"; or "/u/{...}": all the rest */
    struct str path;
    enum route_who who;
    route_handler *handler;                /* or: */
    const struct api_operation *operation; /* of the REST API (web/api.h), or: */
    page_handler *page;                    /* for people (web/page.h) */
};

extern const struct route routes[];
extern const size_t n_routes;

void routes_init(bool access_log);

/* The http_server's handler; `context` is not used. */
void routes_serve(struct call *call, struct http_exchange *exchange, void *context);

/* For handlers: an answer {"error":{"code":...,"message":...}}; the code is error_name()'s or another short word. */
void routes_error(struct call *call, struct http_exchange *exchange, int status, const char *code, struct str message);
/* With what was looked at before it failed, as JSON; empty: nothing. */
void routes_error_steps(struct call *call, struct http_exchange *exchange, int status, const char *code,
                        struct str message, struct str steps_json);

#endif
