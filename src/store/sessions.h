/* The rows of mcp_sessions: who is logged in where, by browser or by a program's own token. */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include "store/profiles.h"
#include "store/users.h"

#define SESSION_BROWSER "session"
#define SESSION_API "api"

struct session_row {
    struct str id;
    int64_t user_id;
    struct str kind;
    struct str name;       /* of an API token, given by its owner; of a browser empty */
    struct str token_hash; /* not read by the lists */
    struct str address, agent;
    int64_t created_at_ms, proved_at_ms, seen_at_ms;
    int64_t expires_at_ms; /* 0: never */
};
struct session_rows {
    size_t count;
    struct session_row *items;
};

MUST_CHECK int store_sessions_insert(struct call *call, const struct session_row *row);

/* Session, person and profile in one query. E_NOT_FOUND: nobody has that hash. */
struct session_facts {
    struct session_row session;
    struct user_row user;
    struct profile_row profile;
};
MUST_CHECK int store_sessions_facts(struct call *call, struct str token_hash, struct session_facts *ret);

/* Of that user and kind (empty: of both), newest first. */
MUST_CHECK int store_sessions_list(struct call *call, int64_t user_id, struct str kind, struct session_rows *ret);
MUST_CHECK int store_sessions_count(struct call *call, int64_t user_id, struct str kind, int64_t *ret);

/* Where that user is, or was lately, logged in with a browser: each address once. */
MUST_CHECK int store_sessions_addresses(struct call *call, int64_t user_id, struct str **ret, size_t *ret_count);

MUST_CHECK int store_sessions_seen(struct call *call, struct str id, int64_t now_ms);
/* E_NOT_FOUND: it has ended. */
MUST_CHECK int store_sessions_proved(struct call *call, struct str id, int64_t now_ms);

/* E_NOT_FOUND: no such session of that user. */
MUST_CHECK int store_sessions_delete(struct call *call, int64_t user_id, struct str id, struct session_row *ret);
/* All of that user but the one with that id (empty: all); `kind` empty: of both kinds. */
MUST_CHECK int store_sessions_delete_others(struct call *call, int64_t user_id, struct str kind, struct str keep_id,
                                            int64_t *ret_count);
/* Whatever ended before that time. */
MUST_CHECK int store_sessions_forget(struct call *call, int64_t seen_before_ms, int64_t now_ms);

#endif
