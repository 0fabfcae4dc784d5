/*
 * Sends one mail at a time by SMTP (libcurl, on a helper thread of its own). The relay is the operator's choice, so the address
 * guard is not asked. TLS is required, unless the relay is on this machine.
 */
#ifndef NET_SMTP_H
#define NET_SMTP_H

#include "call/call.h"

enum { SMTP_TIMEOUT_S = 15, SMTP_MAIL_BYTES_MAX = 256 * 1024 };

struct smtp_settings {
    const char *url;     /* smtp://USER:PASSWORD@HOST:587 or smtps://...; NULL: no mail can be sent */
    const char *from;    /* "porteiro@example.com" */
    const char *ca_file; /* further authorities; NULL: the system's */
};

/* Once at start; the text must live as long as the process. */
void smtp_init(const struct smtp_settings *settings);
bool smtp_is_set_up(void);
struct str smtp_from(void);

/*
 * `to`: one address, without line breaks; `mail`: head and body with CRLF line ends. E_INVALID; E_UPSTREAM: the relay refused it or
 * cannot be reached; the text says which, without the password. Waits.
 */
MUST_CHECK int smtp_send(struct call *call, struct str to, struct str mail);

/* Ends the thread. */
void smtp_done(void);

#endif
