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
    MAIL_PASSWORD_CHANGED, /* the password was changed: tell who should know */
    MAIL_KINDS,
};

struct mail {
    enum mail_kind kind;
    int64_t user_id; /* whom it concerns; of an invitation who invites */
    struct str to;   /* the address */
    struct str name; /* how to call them; may be empty */
    struct str language;
    struct str link; /* empty where there is none */
};

/* Can mails be sent? Without it mail_queue() does nothing, and operators pass links on by hand (porteiro user reset-link). */
bool mail_is_set_up(void);
void mail_set_up(bool is_set_up);

/* In the open transaction, if there is one. May wait. */
MUST_CHECK int mail_queue(struct call *call, const struct mail *mail);

#endif
