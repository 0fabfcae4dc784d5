/*
 * What the pages say, in every language: one table. A message is looked up by name, so that none can be missing in one
 * language (text_test.c). Nothing here waits.
 */
#ifndef WEB_TEXT_H
#define WEB_TEXT_H

#include "base/arena.h"

enum language { LANGUAGE_EN, LANGUAGE_PT_BR, LANGUAGES };

/* clang-format off */
enum text {
    TEXT_NONE,
    /* every page */
    TEXT_SKIP, TEXT_OTHER_LANGUAGE, TEXT_SOMETHING_WRONG, TEXT_TO_DASHBOARD, TEXT_TO_LOGIN, TEXT_HERE_FOR, TEXT_CALL_ID,
    /* log in and out */
    TEXT_LOGIN_TITLE, TEXT_EMAIL_OR_PHONE, TEXT_PASSWORD, TEXT_LOGIN, TEXT_FORGOT, TEXT_TRIES_NOT_YOURS,
    TEXT_LOGGED_IN_TITLE, TEXT_GO_ON, TEXT_REGISTER_LINK,
    TEXT_CODE_TITLE, TEXT_CODE, TEXT_CODE_HELP, TEXT_CODE_SEND, TEXT_BEGIN_AGAIN,
    TEXT_LOGOUT_TITLE, TEXT_LOGOUT_ASK, TEXT_LOGOUT, TEXT_LOGGED_OUT,
    /* accounts */
    TEXT_REGISTER_TITLE, TEXT_SETUP_TITLE, TEXT_SETUP_INTRO, TEXT_INVITATION_TITLE, TEXT_INVITATION_INTRO,
    TEXT_NAME, TEXT_EMAIL, TEXT_PHONE, TEXT_PHONE_HELP, TEXT_NEW_PASSWORD, TEXT_PASSWORD_HELP, TEXT_REGISTER,
    TEXT_HAVE_ACCOUNT, TEXT_BY_INVITATION, TEXT_CLOSED,
    /* a forgotten password */
    TEXT_RESET_TITLE, TEXT_RESET_INTRO, TEXT_RESET_SEND, TEXT_RESET_SENT, TEXT_RESET_NO_MAIL, TEXT_RESET_NEW_TITLE,
    TEXT_RESET_SET, TEXT_RESET_DONE,
    /* confirming an address */
    TEXT_CONFIRM_TITLE, TEXT_CONFIRM_INTRO, TEXT_CONFIRM, TEXT_CONFIRMED,
    /* back from a service */
    TEXT_CONNECTED_TITLE, TEXT_CONNECTED, TEXT_CONNECTED_AS, TEXT_TOKEN, TEXT_TOKEN_ONCE, TEXT_MCP_ADDRESS,
    TEXT_CONNECTED_NEXT, TEXT_CONNECT_ASK_TITLE, TEXT_CONNECT_ASK, TEXT_CONNECT_DO, TEXT_CONNECT_NOT,
    TEXT_CONNECT_FAILED_TITLE, TEXT_CONNECT_REFUSED, TEXT_CONNECT_AGAIN,
    TEXT_CONNECT_MAYBE_TITLE, TEXT_CONNECT_MAYBE, TEXT_CONNECT_LOOK,
    /* what did not work */
    TEXT_NOT_FOUND_TITLE, TEXT_NOT_FOUND, TEXT_DENIED_TITLE, TEXT_DENIED, TEXT_METHOD_TITLE, TEXT_METHOD, TEXT_BUSY_TITLE,
    TEXT_BUSY, TEXT_BROKEN_TITLE, TEXT_BROKEN, TEXT_WRONG_HOST, TEXT_BAD_FORM, TEXT_OLD_FORM, TEXT_OTHER_SITE,
    /* the address / while there is no dashboard in this program */
    TEXT_HOME_TITLE, TEXT_HOME, TEXT_HOME_LOGGED_IN,
    /* an app asks to be let in */
    TEXT_CONSENT_TITLE, TEXT_CONSENT_WHO, TEXT_CONSENT_BACK, TEXT_CONSENT_DOCUMENT, TEXT_CONSENT_UNPROVEN,
    TEXT_CONSENT_LOOPBACK, TEXT_CONSENT_SITES, TEXT_CONSENT_RIGHTS, TEXT_CONSENT_HAS, TEXT_CONSENT_MORE, TEXT_CONSENT_FOR,
    TEXT_CONSENT_ANEW, TEXT_CONSENT_ALLOW, TEXT_CONSENT_DENY, TEXT_CONSENT_END, TEXT_CONSENT_PICK,
    TEXT_CONSENT_NONE_TITLE, TEXT_CONSENT_NONE, TEXT_CONSENT_WRONG_TITLE, TEXT_CONSENT_WRONG, TEXT_CONSENT_RETURN,
    TEXT_RIGHT_READ, TEXT_RIGHT_DRAFT, TEXT_RIGHT_PUBLISH, TEXT_RIGHT_DELETE, TEXT_RIGHT_FETCH, TEXT_RIGHT_ADMIN,
    TEXTS
};
/* clang-format on */

struct str text_of(enum text text, enum language language);
/* With each {} of it replaced by the next of `values`. */
struct str text_fill(struct arena *arena, enum text text, enum language language, const struct str *values,
                     size_t n_values);

/* The same with a pattern from elsewhere. */
struct str text_fill_pattern(struct arena *arena, struct str pattern, const struct str *values, size_t n_values);

/* "en" and "pt-BR", as in HTML's lang and in profiles. */
struct str language_tag(enum language language);
struct str language_name(enum language language); /* in itself: "English" */
/* Of a tag in any case; "pt" and any "pt-..." are Portuguese. False: none of ours. */
bool language_parse(struct str tag, enum language *ret);
/* Of an Accept-Language header (RFC 9110, section 12.5.4): the one that is wanted most. False: none of ours is. */
bool language_accepted(struct str header, enum language *ret);

#endif
