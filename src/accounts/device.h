/*
 * A browser in which somebody logged in before, known by a cookie that is good for a year (OWASP, "Device cookies").
 * It logs nobody in. It has tries of its own (accounts/login.h), so that strangers who guess at an account use up
 * theirs and not its owner's, wherever the owner's browser is just now.
 */
#ifndef ACCOUNTS_DEVICE_H
#define ACCOUNTS_DEVICE_H

#include "call/call.h"

static const int64_t DEVICE_LIFE_MS = INT64_C(365) * 24 * 3600 * 1000;

struct device {
    int64_t user_id; /* who logged in there; 0: nobody, or the cookie is not ours */
    struct str name; /* tells it from others */
};

/* The cookie's value, for somebody who has just proved who they are: by a password, or by a link out of a mail. */
struct str device_make(struct call *call, int64_t user_id);
struct device device_read(struct call *call, struct str value);

#endif
