/* For tests that need an open keyring: a master key of their own, no file. */
#ifndef CRYPTO_CRYPTO_TEST_HELP_H
#define CRYPTO_CRYPTO_TEST_HELP_H

#include <sodium.h> /* before base/banned.h */

#include "crypto/keyring.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEST_MASTER "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define TEST_OTHER_MASTER "3031323334353637383930313233343536373839303132333435363738393031"

static __attribute__((unused)) void test_keyring(struct call *call)
{
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    struct str check, server;
    assert_int_equal(keyring_load_master(call, &source), OK);
    assert_int_equal(keyring_create(call, &check, &server), OK);
    assert_true(keyring_is_open());
}

static __attribute__((unused)) void test_call(struct call *call)
{
    call_init(call, arena_new(16 * 1024 * 1024), 60 * 1000);
}

static __attribute__((unused)) void test_call_done(struct call *call)
{
    arena_free(call->arena);
}

static __attribute__((unused)) void assert_text(struct str actual, const char *expected)
{
    if (!str_eq(actual, str_from(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(actual), expected);
}

static __attribute__((unused)) void assert_says(const struct call *call, const char *part)
{
    if (!str_contains(call->error_text, str_from(part)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(call->error_text), part);
}

#endif
