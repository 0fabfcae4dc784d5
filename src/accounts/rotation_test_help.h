/* What the tests of rotations share: the keys, and the program that is killed in the middle ("TEST rotate URL"). */
#ifndef ACCOUNTS_ROTATION_TEST_HELP_H
#define ACCOUNTS_ROTATION_TEST_HELP_H

#include "accounts/accounts_test_help.h"
#include "accounts/key_rotation.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEW_MASTER "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
#define THIRD_MASTER "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWc="

/* This program again, as a rotation of the fixture's database. */
static pid_t start_rotation(struct fixture *f)
{
    char name[] = "rotation", verb[] = "rotate";
    char *const arguments[] = {name, verb, f->database.url, NULL};
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    return pid;
}

/* That rotation: begins, or goes on. `work` is what it does behind that. Does not return. */
static _Noreturn void rotation_main(const char *url, int (*work)(struct call *call))
{
    struct call call;
    struct db *db;
    bool made;
    struct accounts_options options = {.keys = {.key_text = STR(TEST_MASTER)}, .audit_writer = STR("rotate")};
    struct key_status status;
    if (sodium_init() < 0 || !loop_init())
        _exit(1);
    call_init(&call, arena_new(256 * 1024 * 1024), 100 * 1000);
    int error = db_open(&call, str_from(url), &db);
    if (!error)
        error = accounts_open(&call, db, &options, &made);
    if (!error)
        error = key_rotation_status(&call, &status);
    if (!error && !status.is_rotating)
        error = key_rotation_begin(&call, STR(NEW_MASTER));
    if (!error)
        error = work(&call);
    if (error)
        fprintf(stderr, "%.*s (%.*s)\n", STR_ARG(call.error_text), STR_ARG(call.error_detail));
    _exit(error ? 1 : 0);
}

#endif
