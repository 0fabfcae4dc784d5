/*
 * GET /healthz: the process lives and its loop turns. GET /readyz: it can also do its work, which needs the database.
 *
 * Readiness is asked of the database at most once in HEALTH_FRESH_MS, and only when somebody asks us: an idle server leaves an
 * idle database asleep.
 */
#ifndef WEB_HEALTH_H
#define WEB_HEALTH_H

#include "net/http_server.h"

struct db;

enum { HEALTH_FRESH_MS = 1000, HEALTH_TIMEOUT_MS = 3000 };

/* Once, before the first request, with a database that has just answered. */
void health_init(struct db *db);
/* From now on not ready: the server is about to stop. */
void health_stopping(void);

void health_alive(struct call *call, struct http_exchange *exchange, struct str segment);
void health_ready(struct call *call, struct http_exchange *exchange, struct str segment);

#endif
