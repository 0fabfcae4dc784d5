/* The last line of a process that crashes. */
#include "base/crash.h"

#include "base/log.h"

#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK_BYTES = 32 * 1024, BUILD_ID_BYTES = 41, LINE_BYTES = 512 };

static struct {
    const char *(*current_id)(void);
    uintptr_t start, end; /* of our program in memory */
    char build_id[BUILD_ID_BYTES];
    volatile sig_atomic_t begun;
} crash;

/* ---- the program's own build id and place */

static void read_notes(const char *at, const char *end)
{
    while ((size_t)(end - at) >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        const char *name = at + sizeof note, *data = name + ((note.n_namesz + 3) & ~3U);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
            for (size_t i = 0; i < note.n_descsz && 2 * i + 3 <= sizeof crash.build_id; i++)
                snprintf(crash.build_id + 2 * i, 3, "%02x", (unsigned char)data[i]);
            return;
        }
        at = data + ((note.n_descsz + 3) & ~3U);
    }
}

/* The first object is the program itself. */
static int look_at(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    crash.start = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
        if (part->p_type == PT_LOAD && end > crash.end)
            crash.end = end;
        const char *notes = (const char *)(info->dlpi_addr + part->p_vaddr); // NOLINT(performance-no-int-to-ptr)
        if (part->p_type == PT_NOTE && !crash.build_id[0])
            read_notes(notes, notes + part->p_memsz);
    }
    return 1;
}

struct str crash_build_id(void)
{
    if (!crash.end)
        dl_iterate_phdr(look_at, NULL);
    return str_from(crash.build_id);
}

/* ---- in the crash: nothing that allocates or locks */

struct line {
    char text[LINE_BYTES];
    size_t len;
};

static void put(struct line *line, const char *text)
{
    while (*text && line->len < sizeof line->text)
        line->text[line->len++] = *text++;
}

static void put_number(struct line *line, uintptr_t value, unsigned base)
{
    char digits[24];
    size_t first = sizeof digits - 1;
    digits[first] = 0;
    do {
        digits[--first] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put(line, digits + first);
}

static const char *name_of(int number)
{
    switch (number) {
    case SIGSEGV:
        return "segmentation fault";
    case SIGBUS:
        return "bus error";
    case SIGILL:
        return "illegal instruction";
    case SIGFPE:
        return "arithmetic error";
    case SIGABRT:
        return "an assertion failed";
    case SIGSYS:
        return "a system call that is not allowed";
    default:
        return "signal";
    }
}

static uintptr_t place_of(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    if (crash.begun++) /* crashed while reporting */
        _exit(128 + number);
    struct line line = {.len = 0};
    uintptr_t place = place_of(context);
    const char *id = crash.current_id ? crash.current_id() : NULL;
    put(&line, name_of(number));
    if (number == SIGSYS) {
        put(&line, ", number ");
        put_number(&line, (uintptr_t)info->si_syscall, 10);
    }
    if (place >= crash.start && place < crash.end) {
        put(&line, ", at +0x");
        put_number(&line, place - crash.start, 16);
    } else {
        put(&line, ", outside the program's own code");
    }
    put(&line, ", build ");
    put(&line, crash.build_id[0] ? crash.build_id : "unknown");
    put(&line, id ? ", call " : ", no call");
    put(&line, id ? id : "");
    log_error("crashed: %.*s", (int)line.len, line.text);
    signal(number, SIG_DFL);
    raise(number); /* delivered when this handler returns: the supervisor sees the signal */
}

void crash_init(const char *(*current_id)(void))
{
#if defined(__SANITIZE_ADDRESS__)
    (void)current_id; /* the sanitizer's own report says more */
    (void)on_crash;
#else
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
    static char stack[STACK_BYTES]; /* a task whose stack is used up crashes, too */
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    crash.current_id = current_id;
    (void)crash_build_id();
    sigemptyset(&action.sa_mask);
    if (sigaltstack(&alternate, NULL))
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
        sigaction(signals[i], &action, NULL);
#endif
}
