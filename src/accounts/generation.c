/* A counter that all processes of this host share. */
#include "accounts/generation.h"

#include "store/notices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef _Atomic uint64_t counter; /* a type the compiler must see as atomic everywhere */

static counter own;
static counter *shared = &own;

int generation_open(struct call *call, struct str data_dir)
{
    generation_close();
    if (data_dir.len == 0)
        return OK;
    const char *path = call_format(call, "%.*s/generation", STR_ARG(data_dir)).ptr;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return fail(call, E_UNAVAILABLE, "%s cannot be opened: %s.", path, strerror(errno));
    struct stat status;
    void *mapping = MAP_FAILED;
    /* Never shorter: another process may have it mapped. */
    if (fstat(file, &status) == 0 && (status.st_size >= (off_t)sizeof own || ftruncate(file, sizeof own) == 0))
        mapping = mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int error_number = errno;
    close(file);
    if (mapping == MAP_FAILED)
        return fail(call, E_UNAVAILABLE, "%s cannot be used: %s.", path, strerror(error_number));
    shared = mapping;
    return OK;
}

void generation_close(void)
{
    if (shared != &own)
        munmap((void *)(uintptr_t)shared, sizeof own);
    shared = &own;
}

uint64_t generation_now(void)
{
    return atomic_load_explicit(shared, memory_order_acquire);
}

void generation_move(void)
{
    atomic_fetch_add_explicit(shared, 1, memory_order_acq_rel);
}

void generation_tell(struct call *call)
{
    generation_move();
    notices_send(call, STR(GENERATION_NOTICE));
}
