/*
 * Tells the operator what somebody should see to: by a POST to the address of the settings (PORTEIRO_ALERT_URL), by mail
 * (PORTEIRO_ALERT_MAIL), and in the log. Mails go without the outbox: an alert must not wait for a database that may be what it
 * is about. Sent in the background, one after the other; what waits is bounded, and the same alert comes once in ALERT_AGAIN_MS.
 * The address is the operator's, so the address guard is not asked (as with the mail server, net/smtp.h).
 */
#ifndef ACCOUNTS_ALERT_H
#define ACCOUNTS_ALERT_H

#include "call/call.h"

enum { ALERTS_WAITING_MAX = 64, ALERT_AGAIN_MS = 60 * 60 * 1000, ALERT_TRIES = 3 };

/* All NULL: alerts are only logged. The texts must live as long as the process. */
struct alert_settings {
    const char *url;     /* "https://...", or plain http on this machine */
    const char *ca_file; /* further authorities */
    const char *mail;    /* whom to write to, where mail can be sent (net/smtp.h) */
};
/* Is it one of the two? */
bool alert_url_is_good(struct str url);
void alert_init(const struct alert_settings *settings);

/* Does not wait. `kind`: a word of ours; `host`: of the site, or empty; user and connection 0: not about one. */
void alert_raise(const char *kind, struct str text, struct str host, int64_t user_id, int64_t connection_id);

/* Waits for the one that is just being sent; what waits behind it is dropped. Ends the thread. */
void alert_done(struct call *call);

#endif
