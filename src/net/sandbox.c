/* What a worker gives up: core dumps, being traced, files. */
#include "net/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's header ends before some of these; their values are the kernel's for good. */
enum {
    MAY_EXECUTE = 1 << 0,
    MAY_WRITE_FILE = 1 << 1,
    MAY_READ_FILE = 1 << 2,
    MAY_READ_DIR = 1 << 3,
    MAY_REMOVE_DIR = 1 << 4,
    MAY_REMOVE_FILE = 1 << 5,
    MAY_MAKE_DIR = 1 << 7,
    MAY_MAKE_REG = 1 << 8,
    ALL_OF_1 = (1 << 13) - 1,     /* up to LANDLOCK_ACCESS_FS_MAKE_SYM */
    MAY_REFER = 1 << 13,          /* ABI 2 */
    MAY_TRUNCATE = 1 << 14,       /* ABI 3 */
    MAY_IOCTL_DEV = 1 << 15,      /* ABI 5 */
    TCP_BIND = 1 << 0,            /* ABI 4 */
    SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
    SCOPE_SIGNAL = 1 << 1,
    ABI_MAX = 6, /* what we know */
};

struct rules { /* struct landlock_ruleset_attr of ABI 6 */
    uint64_t files, net, scoped;
};

/*
 * Looking up names (libc may load its modules for that, and each of these files may be a link into the next), certificates of
 * sites, Kerberos' settings, which libpq asks for. What of this is not there is left out.
 */
static const char *const everybody_reads[] = {
    "/etc/resolv.conf",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/run/connman",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/etc/krb5.conf",
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/dev/urandom",
    "/dev/null",
#if defined(__SANITIZE_ADDRESS__)
    "/proc",
#endif
};

void sandbox_process(void)
{
    struct rlimit none = {0, 0};
    /* The limit alone does not hold where cores are piped to a program, as systemd-coredump is. */
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* False: refused, errno says why. */
static bool allow(int ruleset, const char *path, enum sandbox_access access, uint64_t known)
{
    static const uint64_t of_files = MAY_READ_FILE | MAY_WRITE_FILE | MAY_TRUNCATE;
    static const uint64_t reading = MAY_READ_FILE | MAY_READ_DIR;
    static const uint64_t writing = MAY_READ_FILE | MAY_READ_DIR | MAY_WRITE_FILE | MAY_TRUNCATE | MAY_REMOVE_FILE |
                                    MAY_REMOVE_DIR | MAY_MAKE_DIR | MAY_MAKE_REG;
    struct stat status;
    int file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0)
        return true; /* not there, or not for us anyway */
    struct landlock_path_beneath_attr rule = {.parent_fd = file};
    rule.allowed_access = (access == SANDBOX_WRITE ? writing : reading) & known;
    bool good = fstat(file, &status) == 0;
    if (good && !S_ISDIR(status.st_mode))
        rule.allowed_access &= of_files;
    good = good && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    int reason = errno;
    close(file);
    errno = reason;
    return good;
}

static bool allow_all(int ruleset, const struct sandbox_path *paths, size_t n_paths, uint64_t known)
{
    for (size_t i = 0; i < ARRAY_LENGTH(everybody_reads); i++)
        if (!allow(ruleset, everybody_reads[i], SANDBOX_READ, known))
            return false;
    for (size_t i = 0; i < n_paths; i++)
        if (!allow(ruleset, paths[i].path, paths[i].access, known))
            return false;
    return true;
}

int sandbox_files(const struct sandbox_path *paths, size_t n_paths)
{
    static const size_t sizes[ABI_MAX + 1] = {0, 8, 8, 8, 16, 16, 24};
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi <= 0)
        return E_NOT_FOUND;
    abi = abi > ABI_MAX ? ABI_MAX : abi;
    struct rules rules = {.files = ALL_OF_1};
    rules.files |= abi >= 2 ? MAY_REFER : 0;
    rules.files |= abi >= 3 ? MAY_TRUNCATE : 0;
    rules.files |= abi >= 5 ? MAY_IOCTL_DEV : 0;
    rules.net = abi >= 4 ? TCP_BIND : 0;
    rules.scoped = abi >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizes[abi], 0);
    if (ruleset < 0)
        return E_UNAVAILABLE;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    bool good = allow_all(ruleset, paths, n_paths, rules.files) && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int reason = errno;
    close(ruleset);
    errno = reason;
    return good ? OK : E_UNAVAILABLE;
}
