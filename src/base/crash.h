/*
 * The last line of a process that crashes: which signal, where in our program (an offset that addr2line understands, with the
 * build's id), and the request it was serving. No memory, no registers, no addresses of data: these may be somebody's secrets.
 * The process then ends by the same signal.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include "base/str.h"

/* current_id: the request that is being served, or NULL; it is called inside the crash, so it only reads. */
void crash_init(const char *(*current_id)(void));

/* Hex digits of the linker's build id; empty when the program has none. */
struct str crash_build_id(void);

#endif
