/* What must fail behind the sandbox does, and what serving takes goes on. Each try is a process of its own. */
#include "net/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static char directory[64];

enum outcome { WENT_ON = 0, REFUSED = 1, CANNOT = 77, TRAPPED = 1000 };

/* In a child behind the sandbox: 0 (went well) or its errno; TRAPPED when the child was ended by SIGSYS. */
static int behind(bool files, bool calls, int (*try)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct sandbox_path paths[] = {{directory, SANDBOX_WRITE}, {"/etc/hostname", SANDBOX_READ}};
        signal(SIGSYS, SIG_DFL);
        sandbox_process();
        int error = files ? sandbox_files(paths, ARRAY_LENGTH(paths)) : OK;
        if (!error && calls)
            error = sandbox_calls();
        _exit(error == E_NOT_FOUND ? 254 : error ? 255 : try());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? TRAPPED : -WTERMSIG(status);
    assert_int_not_equal(WEXITSTATUS(status), 255);
    if (WEXITSTATUS(status) == 254) {
        print_message("this kernel lacks it: skipped\n");
        skip();
    }
    return WEXITSTATUS(status);
}

static int outcome_of(long result)
{
    return result < 0 ? errno : 0;
}

/* ---- system calls */

#define TRY(name, ...)                                                                                                 \
    static int try_##name(void)                                                                                        \
    {                                                                                                                  \
        return outcome_of(__VA_ARGS__);                                                                                \
    }

static char *const no_arguments[] = {NULL};
static struct iovec nothing;
TRY(execve, execve("/bin/true", no_arguments, no_arguments))
TRY(execveat, syscall(SYS_execveat, AT_FDCWD, "/bin/true", no_arguments, no_arguments, 0))
TRY(process_vm_readv, process_vm_readv(getppid(), &nothing, 1, &nothing, 1, 0))
TRY(process_vm_writev, process_vm_writev(getppid(), &nothing, 1, &nothing, 1, 0))
TRY(ptrace, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
TRY(bpf, syscall(SYS_bpf, 0, NULL, 0))
TRY(mount, syscall(SYS_mount, "none", directory, "tmpfs", 0, NULL))
TRY(umount, syscall(SYS_umount2, directory, 0))
TRY(chroot, chroot(directory))
TRY(pivot_root, syscall(SYS_pivot_root, directory, directory))
TRY(setns, syscall(SYS_setns, 0, 0))
TRY(unshare, unshare(CLONE_NEWUSER))
TRY(reboot, syscall(SYS_reboot, 0, 0, 0, NULL))
TRY(perf, syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0))
TRY(userfaultfd, syscall(SYS_userfaultfd, 0))
TRY(keyctl, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
TRY(setuid, syscall(SYS_setuid, 0))
TRY(module, syscall(SYS_init_module, NULL, 0, ""))
TRY(kexec, syscall(SYS_kexec_load, 0, 0, NULL, 0))
TRY(listen, listen(0, 1))
TRY(raw_socket, socket(AF_INET, SOCK_RAW, IPPROTO_TCP) >= 0 ? 0 : -1)
TRY(packet_socket, socket(AF_PACKET, SOCK_RAW, 0))
TRY(vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
TRY(crypto_socket, socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0))
TRY(kill_parent, kill(getppid(), 0))
TRY(kill_all, kill(-1, 0))
TRY(clone, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL))
TRY(clone3, syscall(SYS_clone3, NULL, 0))
TRY(new_code,
    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0)
TRY(dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
TRY(ioctl, syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"))
TRY(io_uring, syscall(425 /* io_uring_setup */, 1, NULL))
TRY(pidfd, syscall(438 /* pidfd_getfd */, 0, 0, 0))
TRY(symlink, symlinkat("/etc/shadow", AT_FDCWD, "x"))
TRY(link, linkat(AT_FDCWD, "/etc/hostname", AT_FDCWD, "x", 0))
TRY(mknod, mknod("x", S_IFCHR, 0))
TRY(sethostname, sethostname("x", 1))
TRY(settime, syscall(SYS_clock_settime, CLOCK_REALTIME, NULL))
TRY(acct, syscall(SYS_acct, NULL))
TRY(quotactl, syscall(SYS_quotactl, 0, NULL, 0, NULL))

static int try_making_code_runnable(void)
{
    static _Alignas(65536) char page[65536];
    return outcome_of(mprotect(page, sizeof page, PROT_READ | PROT_EXEC));
}

static int try_raising_a_limit(void)
{
    const struct rlimit limit = {1 << 20, 1 << 20};
    return outcome_of(setrlimit(RLIMIT_CORE, &limit));
}

static const struct {
    const char *name;
    int (*try)(void);
    int expected;
    bool in_sanitized_builds;
} tries[] = {
    {"execve", try_execve, TRAPPED, true},
    {"execveat", try_execveat, TRAPPED, true},
    {"process_vm_readv", try_process_vm_readv, TRAPPED, true},
    {"process_vm_writev", try_process_vm_writev, TRAPPED, true},
    {"ptrace", try_ptrace, TRAPPED, false},
    {"bpf", try_bpf, TRAPPED, true},
    {"mount", try_mount, TRAPPED, true},
    {"umount", try_umount, TRAPPED, true},
    {"chroot", try_chroot, TRAPPED, true},
    {"pivot_root", try_pivot_root, TRAPPED, true},
    {"setns", try_setns, TRAPPED, true},
    {"unshare", try_unshare, TRAPPED, true},
    {"reboot", try_reboot, TRAPPED, true},
    {"perf_event_open", try_perf, TRAPPED, true},
    {"userfaultfd", try_userfaultfd, TRAPPED, true},
    {"keyctl", try_keyctl, TRAPPED, true},
    {"setuid", try_setuid, TRAPPED, true},
    {"init_module", try_module, TRAPPED, true},
    {"kexec_load", try_kexec, TRAPPED, true},
    {"listen", try_listen, EPERM, true},
    {"a packet socket", try_packet_socket, EPERM, true},
    {"a vsock", try_vsock, EPERM, true},
    {"a socket of the kernel's crypto", try_crypto_socket, EPERM, true},
    {"a signal to the parent", try_kill_parent, EPERM, true},
    {"a signal to all", try_kill_all, EPERM, true},
    {"clone() of a process", try_clone, EPERM, false},
    {"clone3()", try_clone3, ENOSYS, true},
    {"memory to write and run", try_new_code, EPERM, false},
    {"making written memory runnable", try_making_code_runnable, EPERM, false},
    {"becoming dumpable", try_dumpable, EPERM, false},
    {"raising a limit", try_raising_a_limit, EPERM, true},
    {"typing into the terminal", try_ioctl, EPERM, true},
    {"io_uring", try_io_uring, EPERM, true},
    {"pidfd_getfd", try_pidfd, EPERM, true},
    {"a link", try_link, EPERM, true},
    {"a symbolic link", try_symlink, EPERM, true},
    {"a device", try_mknod, EPERM, true},
    {"the host's name", try_sethostname, EPERM, true},
    {"the clock", try_settime, EPERM, true},
    {"acct", try_acct, EPERM, true},
    {"quotactl", try_quotactl, EPERM, true},
};

static void test_what_must_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(tries); i++) {
        if (SANITIZED && !tries[i].in_sanitized_builds)
            continue;
        int got = behind(false, true, tries[i].try);
        if (got != tries[i].expected)
            fail_msg("%s: %d instead of %d", tries[i].name, got, tries[i].expected);
    }
    (void)try_raw_socket; /* the user's rights decide about that one */
}

/* ---- what serving takes */

static void *thread_works(void *context)
{
    *(int *)context = 7;
    return NULL;
}

static int try_thread(void)
{
    pthread_t thread;
    int value = 0;
    if (pthread_create(&thread, NULL, thread_works, &value) || pthread_join(thread, NULL))
        return 1;
    return value != 7;
}

static int try_names(void)
{
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    int error = getaddrinfo("localhost", "80", &hints, &found);
    if (!error)
        freeaddrinfo(found);
    return error != 0;
}

static int try_abort(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static int try_limits(void)
{
    struct rlimit limit;
    return outcome_of(getrlimit(RLIMIT_NOFILE, &limit)) ? 1 : prctl(PR_GET_DUMPABLE) != 0 && !SANITIZED;
}

static void test_what_must_go_on(void **state)
{
    (void)state;
    assert_int_equal(behind(true, true, try_thread), 0);
    assert_int_equal(behind(true, true, try_names), 0);
    assert_int_equal(behind(true, true, try_limits), 0);
    assert_int_equal(behind(true, true, try_abort), -SIGABRT);
}

/* A thread that was there before the filter has it, too. */
static int older_thread_result;
static pthread_barrier_t older_thread_waits;
static void *older_thread(void *context)
{
    (void)context;
    pthread_barrier_wait(&older_thread_waits);
    older_thread_result = try_listen();
    return NULL;
}

static int with_older_thread(void)
{
    pthread_t thread;
    pthread_barrier_init(&older_thread_waits, NULL, 2);
    if (pthread_create(&thread, NULL, older_thread, NULL) || sandbox_calls())
        return 1;
    pthread_barrier_wait(&older_thread_waits);
    pthread_join(thread, NULL);
    return older_thread_result;
}

static void test_threads_before(void **state)
{
    (void)state;
    assert_int_equal(behind(false, false, with_older_thread), EPERM);
}

/* ---- files */

static int open_and_close(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);
    if (file < 0)
        return errno;
    close(file);
    return 0;
}

static int try_passwords(void)
{
    return open_and_close("/etc/shadow", O_RDONLY);
}
static int try_listing(void)
{
    return open_and_close("/etc", O_RDONLY | O_DIRECTORY);
}
static int try_memory(void)
{
    return open_and_close("/proc/self/mem", O_RDWR);
}
static int try_tmp(void)
{
    return open_and_close("/tmp/porteiro-sandbox-outside", O_WRONLY | O_CREAT);
}
static int try_device(void)
{
    return open_and_close("/dev/mem", O_RDONLY);
}
static int try_writing_what_is_read(void)
{
    return open_and_close("/etc/hostname", O_WRONLY);
}
static int try_named(void)
{
    return open_and_close("/etc/hostname", O_RDONLY);
}
static int try_leaving(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/../../../etc/shadow", directory);
    return open_and_close(path, O_RDONLY);
}

static int try_listening(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return outcome_of(bind(fd, (struct sockaddr *)&address, sizeof address));
}

static int try_data(void)
{
    char one[96], two[96];
    snprintf(one, sizeof one, "%s/one", directory);
    snprintf(two, sizeof two, "%s/two", directory);
    int unnamed = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    bool no_such_files = unnamed < 0 && errno == EOPNOTSUPP; /* of the file system below */
    if (open_and_close(one, O_RDWR | O_CREAT) || rename(one, two) || (unnamed < 0 && !no_such_files) || unlink(two))
        return errno;
    return unnamed >= 0 && ftruncate(unnamed, 10) ? errno : 0;
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(behind(true, true, try_data), 0);
    assert_int_equal(behind(true, true, try_named), 0);
    assert_int_equal(behind(true, true, try_passwords), EACCES);
    assert_int_equal(behind(true, true, try_listing), EACCES);
    if (!SANITIZED)
        assert_int_equal(behind(true, true, try_memory), EACCES);
    assert_int_equal(behind(true, true, try_tmp), EACCES);
    assert_int_equal(behind(true, true, try_device), access("/dev/mem", F_OK) ? ENOENT : EACCES);
    assert_int_equal(behind(true, true, try_writing_what_is_read), EACCES);
    assert_int_equal(behind(true, true, try_leaving), EACCES);
    int listening = behind(true, false, try_listening);
    assert_true(listening == EACCES || listening == 0); /* 0: a kernel whose Landlock does not know the network */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_must_fail),
        cmocka_unit_test(test_what_must_go_on),
        cmocka_unit_test(test_threads_before),
        cmocka_unit_test(test_files),
    };
    snprintf(directory, sizeof directory, "/var/tmp/porteiro-sandbox-XXXXXX");
    if (!mkdtemp(directory))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
