/* What a crashing process says, and what it does not. */
#include "base/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char output[4096];

static const char *an_id(void)
{
    return "0123456789abcdef";
}

/* The signal that ended the child; output[] has what it wrote. */
static int crash_with(void (*crash)(void), const char *(*id)(void))
{
    int ends[2], status;
    size_t len = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        crash_init(id);
        crash();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], output + len, sizeof output - 1 - len)) > 0;)
        len += (size_t)got;
    output[len] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void read_nothing(void)
{
    static const char *volatile nothing = (const char *)0x5ec2e7; /* as if a secret had become an address */
    volatile char secret[] = "prt_pat_a-secret-on-the-stack";
    (void)secret;
    putchar(*nothing);
}

static void assert_nothing(void)
{
    abort();
}

static volatile bool going = true;

static __attribute__((noinline)) int deeper(volatile char *above)
{
    volatile char room[4096];
    room[0] = above[0];
    return going ? deeper(room) + room[0] : 0;
}

static void use_up_the_stack(void)
{
    volatile char first = 0;
    (void)deeper(&first);
}

static void jump_elsewhere(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ((void (*)(void))page)();
}

static void test_reports(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* the sanitizer reports crashes itself */
#endif
    char expected[128];
    assert_int_equal(crash_with(read_nothing, an_id), SIGSEGV);
    snprintf(expected, sizeof expected, ", build %.*s, call 0123456789abcdef\n", STR_ARG(crash_build_id()));
    assert_non_null(strstr(output, "crashed: segmentation fault, at +0x"));
    assert_non_null(strstr(output, expected));
    assert_null(strstr(output, "5ec2e7"));
    assert_null(strstr(output, "prt_pat"));
    assert_int_equal(crash_with(assert_nothing, NULL), SIGABRT);
    assert_non_null(strstr(output, "crashed: an assertion failed, outside the program's own code, build "));
    assert_non_null(strstr(output, ", no call\n"));
    assert_int_equal(crash_with(use_up_the_stack, NULL), SIGSEGV);
    assert_non_null(strstr(output, "crashed: segmentation fault, at +0x"));
    assert_int_equal(crash_with(jump_elsewhere, NULL), SIGSEGV);
    assert_non_null(strstr(output, "crashed: segmentation fault, outside the program's own code"));
}

static void test_build_id(void **state)
{
    (void)state;
    assert_int_equal(crash_build_id().len, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reports), cmocka_unit_test(test_build_id)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
