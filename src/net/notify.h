/* Tells systemd how we are (sd_notify(3)): a datagram to $NOTIFY_SOCKET. Without that variable, nothing. */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include "base/str.h"

/* "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1" */
void notify_send(const char *state);
/* How often systemd wants to hear WATCHDOG=1; 0: it does not. */
int64_t notify_watchdog_ms(void);

#endif
