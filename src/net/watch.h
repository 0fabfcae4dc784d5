/*
 * /etc/resolv.conf is replaced when a machine moves to another network, and a worker behind Landlock may read the old file only.
 * So the supervisor looks whether it is another one, and then replaces the workers.
 */
#ifndef NET_WATCH_H
#define NET_WATCH_H

#include "base/str.h"

/* To be polled for reading; -1: it cannot be watched. */
int watch_resolver(void);
/* After a poll: is it another file than before? */
bool watch_changed(int fd);

#endif
