/*
 * What a worker gives up once it knows what it needs, so that whoever takes it over finds little to do with it.
 *
 *     sandbox_process()   no core dump, not to be traced by other processes, no program that gains rights
 *     sandbox_files()     Landlock: only the named files; no TCP socket that listens. Before the first thread: threads made later
 *                         inherit it, those there are do not
 *     sandbox_calls()     seccomp: only the system calls that serving takes; all threads at once
 *
 * All of it is for good, and for the calling process alone. The supervisor keeps the right to execute: it starts workers.
 *
 * The seccomp filter is our own list, and no library's: it is data that a reader can check against what it says, it costs no
 * dependency, and the kernel remembers for each number that it is allowed, so the order of the list costs nothing.
 * A call that is not in the list fails with EPERM (a newer libc tries something and goes on without it); one that nothing
 * of ours ever makes, such as execve() or ptrace(), ends the process with SIGSYS, which base/crash.h reports with its number.
 *
 * In builds with sanitizers the list has what these need in addition (LeakSanitizer forks and traces).
 */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

#include "call/call.h"

void sandbox_process(void);

enum sandbox_access { SANDBOX_READ, SANDBOX_WRITE /* read, make, change, remove */ };

struct sandbox_path {
    const char *path; /* a file, or a directory with all that is in it; one that is not there is left out */
    enum sandbox_access access;
};

/*
 * `paths`: besides what resolving names and verifying certificates takes. OK; E_NOT_FOUND: this kernel has no Landlock;
 * E_UNAVAILABLE: it has, and refuses (errno says why).
 */
MUST_CHECK int sandbox_files(const struct sandbox_path *paths, size_t n_paths);

/* OK; E_NOT_FOUND: this kernel or processor has no seccomp filters; E_UNAVAILABLE: they are refused (errno says why). */
MUST_CHECK int sandbox_calls(void);

#endif
