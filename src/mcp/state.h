/*
 * requestState (2026-07-28, basic/utilities/mrtr): what the server knew when it asked the client, carried by the client.
 *
 * It is outside bytes when it comes back, so it is sealed (XChaCha20-Poly1305, a key derived from the server's secret that all
 * processes share) and bound to its holder, the method, the name and the exact arguments: of another holder, for another tool or
 * with other arguments it does not open. It has an end, too.
 */
#ifndef MCP_STATE_H
#define MCP_STATE_H

#include "call/call.h"
#include "json/json.h"

enum {
    STATE_LIFE_MS = 15 * 60 * 1000,
    STATE_PLAIN_MAX_BYTES = 256 * 1024,
    STATE_NONCE_CHARS = 32,
};

struct state_place {
    int64_t holder; /* principal_holder() */
    struct str method;
    struct str name;              /* of the tool, prompt, or the URI */
    const struct json *arguments; /* may be JSON_MISSING */
};

/* `plain` is a JSON object of ours. */
MUST_CHECK int state_seal(struct call *call, const struct state_place *place, struct str plain, struct str *ret);

/* *ret_nonce (hex) is of this very state: for what may happen once only. E_INVALID with a text for the client. */
MUST_CHECK int state_open(struct call *call, const struct state_place *place, struct str sealed, struct str *ret_plain,
                          struct str *ret_nonce);

/* SHA-256 of the canonical arguments, in hex. */
struct str state_digest(struct call *call, const struct json *arguments);

#endif
