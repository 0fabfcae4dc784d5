/*
 * Sessions of the revisions before 2026-07-28, made only for clients that can be asked something: what a client declared in
 * initialize has to be known when one of its tools wants to ask. The id itself says it, under a MAC, so that nothing is stored
 * and every process knows every session:
 *
 *     base64url( version, abilities, holder, time, 16 random bytes, MAC under a key of the server )
 *
 * Only that a session was ended (DELETE) and which log level it wants is remembered, by each process, told over the bus.
 */
#ifndef MCP_SESSION_H
#define MCP_SESSION_H

#include "accounts/authenticate.h"

enum {
    SESSION_ID_CHARS = 67,
    SESSION_LIFE_MS = 24 * 60 * 60 * 1000,
    SESSION_NOTES_MAX = 1024, /* the oldest is forgotten */
};

struct mcp_session {
    char id[SESSION_ID_CHARS + 1];
    unsigned abilities; /* enum host_ability */
};

/* Of this token, or its family (principal_holder()). */
void session_make(const struct principal *who, unsigned abilities, struct mcp_session *ret);

/* False: not one of ours, another holder's, too old, or ended. */
MUST_CHECK bool session_open(struct str id, const struct principal *who, struct mcp_session *ret);

void session_end(const struct mcp_session *session);

void session_set_level(const struct mcp_session *session, int level);
/* enum host_level; what was never set is HOST_INFO. */
int session_level(const struct mcp_session *session);

#endif
