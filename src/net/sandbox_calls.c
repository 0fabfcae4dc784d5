/* The system calls of a worker: seccomp. */
#include "net/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE AUDIT_ARCH_AARCH64
#else
#define THIS_MACHINE 0 /* no filter: numbers mean something else there */
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { X32_BIT = 0x40000000, INSTRUCTIONS_MAX = 1024, PR_SET_VMA_ = 0x53564d41 };

/* ---- the lists */

static const int allowed[] = {
    /* descriptors */
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_close,
    SYS_lseek,
    SYS_fcntl,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_eventfd2,
    SYS_memfd_create,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_ppoll,
    SYS_pselect6,
    SYS_signalfd4,
    /* files: which ones is Landlock's business */
    SYS_openat,
    SYS_newfstatat,
    SYS_fstat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_utimensat,
    SYS_umask,
    /* sockets that are there already, and new ones (socket() below) to sites and the database */
    SYS_connect,
    SYS_accept4,
    SYS_accept,
    SYS_bind,
    SYS_sendto,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    /* memory (mmap(), mprotect() below) */
    SYS_munmap,
    SYS_mremap,
    SYS_brk,
    SYS_madvise,
    SYS_mlock,
    SYS_mlock2,
    SYS_munlock,
    SYS_msync,
    SYS_mincore,
    /* threads, time, signals */
    SYS_futex,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_rseq,
    SYS_set_tid_address,
    SYS_gettid,
    SYS_getpid,
    SYS_getppid,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_membarrier,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_times,
    SYS_getcpu,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    /* about ourselves */
    SYS_getrandom,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrusage,
    SYS_getrlimit,
#if defined(__x86_64__) /* the older forms */
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_unlink,
    SYS_rename,
    SYS_chmod,
    SYS_dup2,
    SYS_pipe,
    SYS_poll,
    SYS_select,
    SYS_epoll_wait,
    SYS_time,
#endif
#if SANITIZED
    SYS_ptrace,
    SYS_wait4,
    SYS_tkill,
    SYS_personality,
#endif
};

/* What nothing of ours ever does: not an error, but somebody else at work. */
static const int fatal[] = {
    SYS_execve,      SYS_execveat,     SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_init_module, SYS_finit_module, SYS_kexec_load,       SYS_bpf,
    SYS_mount,       SYS_umount2,      SYS_chroot,           SYS_pivot_root,
    SYS_setns,       SYS_unshare,      SYS_reboot,           SYS_perf_event_open,
    SYS_userfaultfd, SYS_keyctl,       SYS_add_key,          SYS_setuid,
    SYS_setresuid,
#if defined(__x86_64__)
    SYS_fork,        SYS_vfork,
#endif
#if !SANITIZED
    SYS_ptrace,
#endif
};

/* ---- writing the program */

struct program {
    struct sock_filter code[INSTRUCTIONS_MAX];
    unsigned short length;
};

static void put(struct program *program, unsigned short code, uint32_t k, unsigned char if_true, unsigned char if_false)
{
    if (program->length == INSTRUCTIONS_MAX)
        abort(); /* our own table has outgrown it: seen at the first start */
    program->code[program->length++] = (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = k};
}

static void load(struct program *program, size_t offset)
{
    put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *program, uint32_t value)
{
    put(program, BPF_RET | BPF_K, value, 0, 0);
}

static const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;

/* The low word of an argument; both processors are little-endian. */
static size_t argument(int number)
{
    return offsetof(struct seccomp_data, args) + (size_t)number * sizeof(uint64_t);
}

static void each(struct program *program, const int *numbers, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++) {
        put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[i], 0, 1);
        answer(program, value);
    }
}

/* call(..., one of the values, ...) is allowed, else refused. */
static void one_of(struct program *program, int call, int which, const uint32_t *values, size_t count)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, (unsigned char)(2 * count + 2));
    load(program, argument(which));
    for (size_t i = 0; i < count; i++) {
        put(program, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
        answer(program, SECCOMP_RET_ALLOW);
    }
    answer(program, refused);
}
#define ONE_OF(program, call, which, ...)                                                                              \
    one_of((program), (call), (which), (const uint32_t[]){__VA_ARGS__},                                                \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* call() with one of the bits in an argument: `with`, else `without`. */
static void by_bits(struct program *program, int call, int which, uint32_t bits, uint32_t with, uint32_t without)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
    load(program, argument(which));
    put(program, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    answer(program, with);
    answer(program, without);
}

/* Code comes from files only (libraries that libc loads to resolve names), never from memory that was written. */
static void no_new_code(struct program *program)
{
    uint32_t new_code = SANITIZED ? SECCOMP_RET_ALLOW : refused;
    by_bits(program, SYS_mprotect, 2, PROT_EXEC, new_code, SECCOMP_RET_ALLOW);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 6);
    load(program, argument(2));
    put(program, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 3);
    load(program, argument(3));
    put(program, BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 1);
    answer(program, new_code);
    answer(program, SECCOMP_RET_ALLOW);
}

/* getrlimit() by its other name: reading only, and of ourselves. */
static void reading_limits_only(struct program *program)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 8);
    load(program, argument(0));
    put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4);
    load(program, argument(2));
    put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
    load(program, argument(2) + sizeof(uint32_t));
    put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    answer(program, refused);
    answer(program, SECCOMP_RET_ALLOW);
}

static void write_program(struct program *program)
{
    load(program, offsetof(struct seccomp_data, arch));
    put(program, BPF_JMP | BPF_JEQ | BPF_K, THIS_MACHINE, 1, 0);
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
    put(program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    answer(program, SECCOMP_RET_KILL_PROCESS);
    each(program, allowed, ARRAY_LENGTH(allowed), SECCOMP_RET_ALLOW);
    each(program, fatal, ARRAY_LENGTH(fatal), SECCOMP_RET_TRAP);
    /* From here on the accumulator is the call's number only until an argument was looked at, and each rule then answers. */
    ONE_OF(program, SYS_socket, 0, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK);
    ONE_OF(program, SYS_socketpair, 0, AF_UNIX);
    ONE_OF(program, SYS_ioctl, 1, FIONBIO, FIONREAD, TCGETS, FIOCLEX);
    ONE_OF(program, SYS_tgkill, 0, (uint32_t)getpid()); /* abort(), and a crash that ends with its own signal */
    ONE_OF(program, SYS_kill, 0, (uint32_t)getpid());
    if (SANITIZED)
        each(program, (const int[]){SYS_prctl, SYS_clone}, 2, SECCOMP_RET_ALLOW);
    ONE_OF(program, SYS_prctl, 0, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA_, PR_GET_DUMPABLE, PR_GET_SECCOMP);
    by_bits(program, SYS_clone, 0, CLONE_THREAD, SECCOMP_RET_ALLOW, refused);
    /* Its flags lie in memory, where a filter cannot look: libc then uses clone(). */
    each(program, (const int[]){SYS_clone3}, 1, SECCOMP_RET_ERRNO | ENOSYS);
    no_new_code(program);
    reading_limits_only(program);
    answer(program, refused);
}

int sandbox_calls(void)
{
    struct program *program = THIS_MACHINE ? calloc(1, sizeof *program) : NULL;
    if (!program)
        return THIS_MACHINE ? E_UNAVAILABLE : E_NOT_FOUND;
    write_program(program);
    const struct sock_fprog filter = {.len = program->length, .filter = program->code};
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long failed = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    int reason = failed > 0 ? ESRCH : errno; /* the id of a thread that has another filter */
    free(program);
    if (!failed)
        return OK;
    errno = reason;
    return reason == ENOSYS || reason == EINVAL ? E_NOT_FOUND : E_UNAVAILABLE;
}
