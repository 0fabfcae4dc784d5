/*
 * Logins: a browser's session (its cookie) or a program's API token, and the person behind it. The secret is shown once; the
 * database has its hash. A session ends after 12 hours without use, and a week after it began; changing the password ends
 * all others, and what is just beginning with the password before: E_UNAUTHENTICATED. Every login and its end is audited. All of these may wait.
 */
#ifndef ACCOUNTS_SESSIONS_H
#define ACCOUNTS_SESSIONS_H

#include "store/sessions.h"

enum {
    SESSIONS_IDLE_MS = 12 * 3600 * 1000,
    SESSIONS_LIFE_MS = 7 * 24 * 3600 * 1000,
    SESSION_PROVEN_MS = 10 * 60 * 1000, /* how long a password that was just given counts for what is grave */
    SESSION_CODE_MS = 10 * 60 * 1000,   /* between the password and the code of the second factor */
    SESSION_SEEN_MS = 60 * 1000,        /* seen_at is written at most that often */
    SESSIONS_PER_USER_MAX = 100,
    API_TOKENS_PER_USER_MAX = 50,
    SESSION_AGENT_BYTES_MAX = 200,
    API_TOKEN_NAME_BYTES_MAX = 120,
};

/* Who is logged in. Lives as long as the call. */
struct person {
    int64_t user_id;
    struct str session_id;
    bool by_api; /* by a token, not a browser: no CSRF, and nothing that needs a fresh password */
    struct str name, email, phone, language;
    bool is_admin, is_confirmed, is_stopped, has_second_factor;
    int64_t proved_at_ms;
};

/* Whence a login comes: for the list of sessions and the audit. */
struct session_from {
    struct str address, agent;
    struct str device; /* the browser's cookie of accounts/device.h; empty: none */
};

/*
 * With a password, and the code of the second factor where the person has one. `who` is an e-mail or a phone number.
 * E_UNAUTHENTICATED: wrong, whichever it was; E_WAITING: the password is right, and a code is needed; E_LIMIT: too often.
 * *ret_token is the cookie's value.
 */
MUST_CHECK int sessions_login(struct call *call, struct str who, struct str password, struct str code,
                              const struct session_from *from, struct str *ret_token, int64_t *ret_user_id);
/*
 * The same in two steps, for a page that asks for the code and must not hold the password meanwhile. E_WAITING: *ret_token
 * goes with the code to sessions_login_code(), within ten minutes; else *ret_token is the cookie's value.
 */
MUST_CHECK int sessions_login_password(struct call *call, struct str who, struct str password,
                                       const struct session_from *from, struct str *ret_token, int64_t *ret_user_id);
/* E_DENIED: too late. E_UNAUTHENTICATED: the code is wrong, and may be tried again. E_LIMIT. */
MUST_CHECK int sessions_login_code(struct call *call, struct str token, struct str code,
                                   const struct session_from *from, struct str *ret_token, int64_t *ret_user_id);
/* For somebody who was proved otherwise: a confirmed registration, a set-up address. */
MUST_CHECK int sessions_begin(struct call *call, int64_t user_id, const struct session_from *from,
                              struct str *ret_token);

/* Of a cookie's value or an API token. E_UNAUTHENTICATED says what to do. */
MUST_CHECK int sessions_find(struct call *call, struct str token, struct person *ret);

/* Before what is grave: the password again. E_UNAUTHENTICATED: wrong, or the login has ended meanwhile; E_LIMIT. */
MUST_CHECK int sessions_prove(struct call *call, const struct person *person, struct str password,
                              const struct session_from *from);
bool sessions_is_proven(const struct person *person);
/* The same, and a new password instead; all other logins end. E_UNAUTHENTICATED, too: it was changed meanwhile. E_INVALID. */
MUST_CHECK int sessions_change_password(struct call *call, const struct person *person, struct str current,
                                        struct str password, const struct session_from *from);

/* Is it still good? Leaves its last use as it is. E_NOT_FOUND. */
MUST_CHECK int sessions_look(struct call *call, int64_t user_id, struct str id);
MUST_CHECK int sessions_list(struct call *call, int64_t user_id, struct str kind, struct session_rows *ret);
MUST_CHECK int sessions_end(struct call *call, int64_t user_id, struct str id);
/* All but this one. */
MUST_CHECK int sessions_end_others(struct call *call, const struct person *person, int64_t *ret_count);

/* expires_at_ms 0: never. The token begins with prt_api_. */
MUST_CHECK int sessions_add_api(struct call *call, int64_t user_id, struct str name, int64_t expires_at_ms,
                                struct session_row *ret, struct str *ret_token);

#endif
