/*
 * Loaded before libc's malloc (LD_PRELOAD): lets one allocation fail. SIGUSR2 arms it: the N-th allocation from then on, N being
 * what the file $FAIL_MALLOC_FILE holds, gives NULL, once. For tests/faults/allocation.test.mjs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long left; /* 0: not armed */

static int fails(void)
{
    long before = atomic_load(&left);
    if (before <= 0)
        return 0;
    if (atomic_fetch_sub(&left, 1) != 1)
        return 0;
    errno = ENOMEM;
    return 1;
}

static void arm(int number)
{
    char text[24] = {0};
    int saved = errno, fd = open(getenv("FAIL_MALLOC_FILE"), O_RDONLY | O_CLOEXEC);
    (void)number;
    if (fd >= 0) {
        long value = 0;
        if (read(fd, text, sizeof text - 1) > 0)
            for (const char *p = text; *p >= '0' && *p <= '9'; p++)
                value = value * 10 + (*p - '0');
        close(fd);
        atomic_store(&left, value);
    }
    errno = saved;
}

__attribute__((constructor)) static void begin(void)
{
    if (getenv("FAIL_MALLOC_FILE"))
        signal(SIGUSR2, arm);
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}
