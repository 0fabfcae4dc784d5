/* What the mails say, in each language, as text and HTML, and as one MIME message. Nothing here waits. */
#ifndef ACCOUNTS_MAIL_TEXT_H
#define ACCOUNTS_MAIL_TEXT_H

#include "accounts/mail.h"

/*
 * The whole message with CRLF line ends: multipart/alternative, quoted-printable, every header one line however hostile a name is.
 * `boundary`: letters and digits that do not occur in the text; `at_ms`: for Date.
 */
struct str mail_message(struct call *call, const struct mail *mail, struct str from, struct str boundary,
                        int64_t at_ms);

#endif
