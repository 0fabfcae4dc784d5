/* Forgetting what is over: on the occasion of tokens being given, at most once a minute in a process, so idle is silent. */
#ifndef OAUTH_FORGET_H
#define OAUTH_FORGET_H

#include "call/call.h"

/* Its failure is logged, and is nobody's. Waits. */
void forget_old(struct call *call);

#endif
