/*
 * Packets between the supervisor and its workers: a few bytes, and perhaps an open file that holds more (a pipe would mix
 * writers, and a stream need framing). Unix sockets of type SOCK_SEQPACKET; nothing here waits.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include "base/str.h"

enum { PACKET_MAX_BYTES = 32 * 1024 };

/* Two connected ends, non-blocking, close-on-exec. */
MUST_CHECK bool packet_pair(int ret_ends[2]);

/* `file`: a descriptor to hand over as well (ours stays open), or -1. False: the other end has gone, or takes no more now. */
MUST_CHECK bool packet_send(int end, struct str bytes, int file);

enum packet_result { PACKET_ONE, PACKET_NONE_NOW, PACKET_GONE };

/* *ret_len bytes in `buffer`. *ret_file is -1, or a descriptor that is now ours to close. What is too long is dropped. */
enum packet_result packet_receive(int end, char buffer[PACKET_MAX_BYTES], size_t *ret_len, int *ret_file);

/* An unnamed file with these bytes, that nobody can change any more; -1 when it cannot be made. */
int packet_file(const char *name, struct str bytes);

#endif
