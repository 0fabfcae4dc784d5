/*
 * Mails to people: put into the outbox (mcp_outbox) in the transaction of what they tell of, sent later. What a mail holds may log
 * somebody in, so it is sealed under the data key of the person it concerns.
 */
#ifndef ACCOUNTS_MAIL_H
#define ACCOUNTS_MAIL_H

#include "call/call.h"

enum mail_kind {
    MAIL_RESET,            /* a link for a new password */
    MAIL_CONFIRM,          /* a link that confirms the address */
    MAIL_INVITATION,       /* a link to register with */
    MAIL_PASSWORD_CHANGED, /* tells who should know */
    MAIL_EMAIL_CHANGED,    /* the same, to the address before */
    MAIL_APP_ENDED,        /* tells that an app was logged out because its token was used twice */
    MAIL_SITE_REFUSED,     /* tells an owner that their site does not take its stored password any more */
    MAIL_ALERT,            /* to the operator, accounts/alert.h; never in the outbox */
    MAIL_TEST,             /* by the operator: porteiro mail test */
    MAIL_KINDS,
};

struct mail {
    enum mail_kind kind;
    int64_t user_id; /* whom it concerns; of an invitation who invites */
    struct str to;   /* the address */
    struct str name; /* how to call them; may be empty */
    struct str language;
    struct str link;    /* empty where there is none */
    struct str details; /* a paragraph of its own: what it is about; empty: none */
};

enum {
    MAIL_ATTEMPTS_MAX = 16, /* over about a day */
    MAIL_KEEP_MS = 7 * 24 * 3600 * 1000,
};

/*
 * In the open transaction, if there is one. Where no mail can be sent (net/smtp.h) it does nothing: operators pass links on by
 * hand (porteiro user reset-link). May wait.
 */
MUST_CHECK int mail_queue(struct call *call, const struct mail *mail);

/*
 * In a transaction: what mail_queue() will lock, for who changes the person's row or writes to the audit log before it. Everybody
 * locks in one order (the person's things, their row, the head of the log), so that no two wait for each other.
 */
MUST_CHECK int mail_prepare(struct call *call, int64_t user_id);

/* Sends what is due, oldest first, each by one process at a time; *ret_next_ms: when there will be more to do, 0: never. May wait. */
MUST_CHECK int mail_deliver(struct call *call, int64_t *ret_next_ms);

/* One mail at once, without the outbox. */
MUST_CHECK int mail_send(struct call *call, const struct mail *mail);

/* ---- in the server: delivers in the background while there is something, and is silent when there is not */

void mail_start(void);
void mail_wake(void); /* after a commit that may have queued one */
/* Waits for what is just being sent: behind it nothing uses the database any more. */
void mail_stop(struct call *call);

#endif
