/*
 * Somebody who has taken over a worker: loaded into it, tries from the inside what its sandbox must not let through, in the thread
 * that serves, and writes what came of it into a file that was opened before. The last try ends the process.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int report = -1;

__attribute__((constructor)) static void begin(void)
{
    if (getenv("INTRUDER_REPORT") && getenv("_PORTEIRO_WORKER"))
        report = open(getenv("INTRUDER_REPORT"), O_WRONLY | O_APPEND | O_CLOEXEC);
}

static void tell(const char *what, long result)
{
    char line[160];
    int reason = errno;
    int len = snprintf(line, sizeof line, "%s: %s\n", what, result < 0 ? strerror(reason) : "went well");
    if (write(report, line, (size_t)len) < 0)
        abort();
}

static void try_files(void)
{
    static const char *const outside[] = {"/etc/shadow", "/etc/hostname", "/root", "/proc/self/mem", "/proc/self/environ",
                                          "/proc/1/environ", "/tmp", "/bin/sh", "/home", "/sys/kernel", "/dev/kmsg", "/var/log"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        if (access(outside[i], F_OK) == 0)
            tell(outside[i], open(outside[i], O_RDONLY | O_CLOEXEC));
    tell("make a file", open("/var/tmp/porteiro-intruder", O_WRONLY | O_CREAT, 0600));
}

static void try_calls(void)
{
    struct rlimit limit = {1 << 20, 1 << 20};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    tell("fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    tell("clone3", syscall(SYS_clone3, NULL, 0));
    tell("kill the supervisor", kill(getppid(), SIGKILL));
    tell("kill all", kill(-1, SIGKILL));
    tell("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
    tell("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
    tell("bind", bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
    tell("listen", listen(socket(AF_INET, SOCK_STREAM, 0), 1));
    tell("new code", mmap(NULL, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    tell("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    tell("core limit", setrlimit(RLIMIT_CORE, &limit));
    tell("io_uring", syscall(425, 1, NULL));
    tell("pidfd_getfd", syscall(438, 0, 0, 0));
    tell("link", linkat(AT_FDCWD, "/etc/passwd", AT_FDCWD, "x", 0));
    tell("symlink", symlinkat("/etc/passwd", AT_FDCWD, "x"));
    tell("clock", syscall(SYS_clock_settime, CLOCK_REALTIME, NULL));
    tell("hostname", sethostname("x", 1));
}

/* The loop's first connection: everything is closed by then. */
int accept4(int fd, struct sockaddr *peer, socklen_t *peer_len, int flags)
{
    static int calls;
    calls += report >= 0;
    if (calls == 1) {
        try_files();
        try_calls();
        tell("all tried", 0);
    }
    if (calls == 40) {
        char *const arguments[] = {(char *)"sh", NULL};
        tell("execve", execve("/bin/sh", arguments, NULL));
    }
    return (int)syscall(SYS_accept4, fd, peer, peer_len, flags);
}
