/*
 * Rights: what a token may do at the connected service. Always cut further by what the service's own user may do there.
 *
 * None implies another, but each implies read. The same words are the OAuth scopes.
 */
#ifndef CALL_RIGHTS_H
#define CALL_RIGHTS_H

#include "call/call.h"

enum right {
    RIGHT_READ = 1 << 0,
    RIGHT_DRAFT = 1 << 1,   /* create and edit what is not public */
    RIGHT_PUBLISH = 1 << 2, /* any change to what is public, terms included */
    RIGHT_DELETE = 1 << 3,  /* trash; for good only with confirmation */
    RIGHT_FETCH = 1 << 4,   /* have the server download an outside URL */
    RIGHT_ADMIN = 1 << 5,   /* users, settings, plugins, themes */
};

enum {
    RIGHTS_DEFAULT = RIGHT_READ | RIGHT_DRAFT,
    RIGHTS_ALL = (1 << 6) - 1,
    RIGHTS_TEXT_BYTES = 48, /* all six words, commas, NUL */
};

/* "read,draft" (commas or spaces between) to bits. E_INVALID names the word that is none, and those there are. */
MUST_CHECK int rights_parse(struct call *call, struct str text, unsigned *ret_rights);

/* The words in fixed order, joined with commas. */
struct str rights_format(unsigned rights, char out[RIGHTS_TEXT_BYTES]);

/* Adds to fail(): it failed for want of these, and of nothing else. `return rights_lack(call, RIGHT_X, fail(...));` */
int rights_lack(struct call *call, unsigned rights, int error);

#endif
