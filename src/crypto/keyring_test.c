/* The master key: where it comes from, and what it refuses. */
#include "crypto/crypto_test_help.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct call call;
    char folder[64];
    char file[192];
};

static struct fixture fixture;

static int setup(void **state)
{
    struct fixture *f = &fixture;
    test_call(&f->call);
    snprintf(f->folder, sizeof f->folder, "/tmp/porteiro-keyring-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->file, sizeof f->file, "%.*s/master.key", (int)sizeof f->folder, f->folder);
    (void)state;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    test_call_done(&f->call);
    keyring_done();
    unlink(f->file);
    rmdir(f->folder);
    return 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    if (!file)
        abort();
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

/* The two rows of a database whose master key was never rotated. */
static int open_ring(struct call *call, int64_t kid, struct str check, struct str server)
{
    const struct keyring_row rows[] = {{STR("check"), kid, check}, {STR("server"), kid, server}};
    return keyring_open(call, rows, ARRAY_LENGTH(rows));
}

static void the_key_is_made_once_and_private(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    struct keyring_source source = {.data_dir = str_from(f->folder)};
    bool made;
    struct stat status;
    assert_int_equal(keyring_load_master(&f->call, &source), E_NOT_FOUND);
    assert_int_equal(keyring_make_master(&f->call, &source, &made), OK);
    assert_true(made);
    assert_int_equal(stat(f->file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, 45);
    struct str check, server;
    assert_int_equal(keyring_create(&f->call, &check, &server), OK);
    int64_t kid = keyring_kid();
    char before[MAC_HEX_BYTES], after[MAC_HEX_BYTES];
    keyring_mac(KEYRING_PEPPER, STR("x"), before);
    keyring_done();
    assert_false(keyring_is_open());
    /* The next start finds the same. */
    assert_int_equal(keyring_make_master(&f->call, &source, &made), OK);
    assert_false(made);
    assert_false(keyring_is_open());
    assert_int_equal(open_ring(&f->call, kid, check, server), OK);
    keyring_mac(KEYRING_PEPPER, STR("x"), after);
    assert_string_equal(before, after);
    keyring_mac(KEYRING_TOKEN_MAC, STR("x"), after);
    assert_string_not_equal(before, after);
}

static void a_readable_key_file_is_refused(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    struct keyring_source source = {.data_dir = str_from(f->folder)};
    write_file(f->file, TEST_MASTER "\n", 0640);
    assert_int_equal(keyring_load_master(&f->call, &source), E_INVALID);
    assert_says(&f->call, "chmod 600");
    /* A named file is its operator's business: mounted secrets are readable to a group. */
    struct keyring_source named = {.key_file = str_from(f->file)};
    assert_int_equal(keyring_load_master(&f->call, &named), OK);
}

static void keys_in_every_spelling(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    struct str check, server;
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    assert_int_equal(keyring_load_master(&f->call, &source), OK);
    assert_int_equal(keyring_create(&f->call, &check, &server), OK);
    static const char *const spellings[] = {TEST_OTHER_MASTER, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
                                            "  MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(spellings); i++) {
        source.key_text = str_from(spellings[i]);
        assert_int_equal(keyring_load_master(&f->call, &source), OK);
        assert_int_equal(open_ring(&f->call, 1, check, server), OK);
    }
    static const char *const bad[] = {"x", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MD", "change-me",
                                      "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=A",
                                      "30313233343536373839303132333435363738393031323334353637383930zz"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        source.key_text = str_from(bad[i]);
        assert_int_equal(keyring_load_master(&f->call, &source), E_INVALID);
        assert_says(&f->call, "openssl rand -base64 32");
        assert_int_equal(open_ring(&f->call, 1, check, server), E_INTERNAL);
        assert_int_equal(keyring_create(&f->call, &check, &server), E_INTERNAL);
    }
}

static void another_key_does_not_open(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    struct str check, server;
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    assert_int_equal(keyring_load_master(&f->call, &source), OK);
    assert_int_equal(keyring_create(&f->call, &check, &server), OK);
    source.key_text = STR("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDI=");
    assert_int_equal(keyring_load_master(&f->call, &source), OK);
    assert_int_equal(open_ring(&f->call, 1, check, server), E_CRYPTO);
    assert_says(&f->call, "another master key");
    assert_false(keyring_is_open());
    source.key_text = STR(TEST_MASTER);
    assert_int_equal(keyring_load_master(&f->call, &source), OK);
    assert_int_equal(open_ring(&f->call, 1, server, check), E_CRYPTO); /* rows swapped */
    assert_int_equal(open_ring(&f->call, 1, check, check), E_CRYPTO);
    assert_int_equal(open_ring(&f->call, 1, check, server), OK);
}

static void a_named_file_that_is_missing_makes_no_key(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    struct keyring_source source = {.key_file = STR("/tmp/porteiro-no-such-key"), .data_dir = str_from(f->folder)};
    bool made;
    assert_int_equal(keyring_make_master(&f->call, &source, &made), E_INVALID);
    assert_false(made);
    assert_int_equal(access(f->file, F_OK), -1);
}

/* Of a process that began with its standard input closed: the folder is written down all the same, and closed. */
static void without_standard_input(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    struct keyring_source source = {.data_dir = str_from(f->folder)};
    bool made;
    int input = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    int error = keyring_make_master(&f->call, &source, &made);
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC); /* the lowest that is free */
    if (input >= 0) {
        dup2(input, STDIN_FILENO);
        close(input);
    }
    assert_int_equal(error, OK);
    assert_int_equal(next, STDIN_FILENO);
}

/* Nothing is loaded then, and whoever asked is told. In a process of its own, which has no keys yet and little memory. */
static void no_memory_for_the_keys(void **state)
{
    struct fixture *f = &fixture;
    (void)state;
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    const struct rlimit none = {0, 0};
    int status;
    arena_alloc(f->call.arena, 1);
    pid_t child = fork();
    if (child == 0) {
        bool is_told = setrlimit(RLIMIT_AS, &none) == 0 && keyring_load_master(&f->call, &source) == E_UNAVAILABLE &&
                       str_contains(f->call.error_text, STR("no memory"));
        _exit(is_told && !keyring_is_open() ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_key_is_made_once_and_private, setup, teardown),
        cmocka_unit_test_setup_teardown(a_readable_key_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_in_every_spelling, setup, teardown),
        cmocka_unit_test_setup_teardown(another_key_does_not_open, setup, teardown),
        cmocka_unit_test_setup_teardown(a_named_file_that_is_missing_makes_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(without_standard_input, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_for_the_keys, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
