/* How people are reached and called, in the forms that are kept. Nothing here waits. */
#ifndef ACCOUNTS_CONTACT_H
#define ACCOUNTS_CONTACT_H

#include "call/call.h"

enum {
    NAME_CHARS_MAX = 150,
    EMAIL_BYTES_MAX = 190,
    PHONE_DIGITS_MIN = 8,
    PHONE_DIGITS_MAX = 15, /* E.164 */
};

/* A name that a reader of mails could click on. */
bool contact_is_address(struct str name);

/* All: E_INVALID with what is wrong. */
MUST_CHECK int contact_clean_name(struct call *call, struct str text, struct str *ret_name);
MUST_CHECK int contact_clean_email(struct call *call, struct str text, struct str *ret_email); /* in lower case */
MUST_CHECK int contact_clean_phone(struct call *call, struct str text, struct str *ret_phone); /* digits of E.164 */

#endif
