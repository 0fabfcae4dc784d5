/* Files and rows that hold no key, a keyring that is not open, and what the ring learns from the database's rows. */
#include "crypto/crypto_test_help.h"
#include "crypto/seal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_2 "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDI="

static struct call call;
static char folder[64], file[128];

static int setup(void **state)
{
    (void)state;
    test_call(&call);
    snprintf(folder, sizeof folder, "/tmp/porteiro-keyring-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/master.key", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    keyring_set_refresh(NULL);
    test_call_done(&call);
    keyring_done();
    unlink(file);
    rmdir(folder);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    if (!out)
        abort();
    fputs(text, out);
    fclose(out);
    chmod(path, 0600);
}

/* ---- files */

static void where_the_key_is(void **state)
{
    (void)state;
    struct keyring_source source = {.data_dir = str_from(folder)};
    assert_true(keyring_is_in_data_dir(&source));
    source.key_text = STR(TEST_MASTER);
    assert_false(keyring_is_in_data_dir(&source));
    source = (struct keyring_source){.key_file = STR("/x"), .data_dir = str_from(folder)};
    assert_false(keyring_is_in_data_dir(&source));
    source = (struct keyring_source){.credentials_dir = str_from(folder), .data_dir = str_from(folder)};
    assert_true(keyring_is_in_data_dir(&source)); /* there is none in it */
    char longest[5000];
    memset(longest, 'a', sizeof longest);
    source.credentials_dir = str_of(longest, sizeof longest);
    assert_true(keyring_is_in_data_dir(&source));
    source.credentials_dir = str_from(folder);
    write_file(file, TEST_MASTER);
    assert_false(keyring_is_in_data_dir(&source));
}

/* systemd's copy is readable to its group; without one the next place is asked. */
static void credentials_come_first(void **state)
{
    (void)state;
    struct keyring_source source = {.credentials_dir = str_from(folder), .key_text = STR(KEY_2)};
    struct str check, server;
    assert_int_equal(keyring_load_master(&call, &source), OK);
    assert_int_equal(keyring_create(&call, &check, &server), OK);
    assert_true(keyring_is_current(STR(KEY_2)));
    write_file(file, TEST_MASTER);
    chmod(file, 0640);
    assert_int_equal(keyring_load_master(&call, &source), OK);
    assert_int_equal(keyring_create(&call, &check, &server), OK);
    assert_true(keyring_is_current(STR(TEST_MASTER)));
    write_file(file, "no key");
    assert_int_equal(keyring_load_master(&call, &source), E_INVALID);
    assert_false(keyring_is_open());
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    struct str text;
    char below[160];
    write_file(file, "no key");
    snprintf(below, sizeof below, "%s/x", file);
    assert_int_equal(keyring_read_file(&call, below, &text), E_INVALID);
    assert_says(&call, "cannot be read");
    assert_int_equal(keyring_read_file(&call, folder, &text), E_INVALID);
    assert_says(&call, "cannot be read");
    assert_int_equal(keyring_read_file(&call, "/dev/null", &text), E_INVALID);
    assert_says(&call, "does not hold a master key");
    assert_int_equal(keyring_read_file(&call, file, &text), E_INVALID);
    assert_says(&call, "does not hold a master key");
    assert_int_equal(keyring_read_file(&call, "/tmp/porteiro-no-such-key", &text), E_INVALID);
    assert_says(&call, "There is no file");
    struct keyring_source source = {.data_dir = str_from(file)}; /* a file where a folder should be */
    bool made;
    assert_int_equal(keyring_make_master(&call, &source, &made), E_INVALID);
    assert_false(made);
}

static void files_that_cannot_be_made(void **state)
{
    (void)state;
    struct str text, again;
    char nowhere[160];
    snprintf(nowhere, sizeof nowhere, "%s/none/key", folder);
    assert_int_equal(keyring_make_file(&call, nowhere, &text), E_UNAVAILABLE);
    assert_says(&call, "cannot be made");
    struct keyring_source source = {.data_dir = str_sub(str_from(nowhere), 0, strlen(nowhere) - 4)};
    bool made;
    assert_int_equal(keyring_make_master(&call, &source, &made), E_UNAVAILABLE);
    assert_false(made);
    /* A name that leads nowhere is there, and is not followed. */
    source.data_dir = str_from(folder);
    assert_int_equal(symlink("/tmp/porteiro-no-such-key", file), 0);
    assert_int_equal(keyring_make_master(&call, &source, &made), E_NOT_FOUND);
    assert_false(made);
    assert_int_equal(access("/tmp/porteiro-no-such-key", F_OK), -1);
    unlink(file);
    /* What could not be written whole is not left behind. */
    struct rlimit usual, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    none = (struct rlimit){0, usual.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int error = keyring_make_file(&call, file, &text);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_int_equal(error, E_UNAVAILABLE);
    assert_says(&call, "cannot be written");
    assert_int_equal(access(file, F_OK), -1);
    /* In the folder where one is; one that is there stays. */
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    error = keyring_make_file(&call, "master.key", &text);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(error, OK);
    assert_int_equal(keyring_make_file(&call, file, &again), OK);
    assert_true(str_eq(text, again));
}

/* ---- a keyring that is not open does nothing */

/* The current one. */
static int data_key(int64_t user_id, struct str wrapped, unsigned char ret_key[KEY_BYTES])
{
    int64_t kid = 0;
    return keyring_data_key(&call, user_id, wrapped, &kid, ret_key);
}

static void nothing_without_keys(void **state)
{
    (void)state;
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    struct keyring_row rows[KEYRING_ROTATION_ROWS], row = {STR("user:7"), 1, STR("x")};
    struct str a, b;
    unsigned char key[KEY_BYTES];
    for (int loaded = 0; loaded < 2; loaded++) {
        if (loaded)
            assert_int_equal(keyring_load_master(&call, &source), OK);
        else
            assert_int_equal(keyring_kid() + keyring_given_kid(), 0);
        assert_false(keyring_is_open());
        assert_false(keyring_is_current(STR(TEST_MASTER)));
        assert_int_equal(keyring_rotate(&call, STR(KEY_2), rows), E_INTERNAL);
        assert_int_equal(keyring_rewrap(&call, &row, &a), E_INTERNAL);
        assert_int_equal(keyring_new_data_key(&call, 7, &a), E_INTERNAL);
        assert_int_equal(data_key(7, STR("x"), key), E_INTERNAL);
        if (!loaded) {
            assert_int_equal(keyring_create(&call, &a, &b), E_INTERNAL);
            assert_int_equal(keyring_open(&call, &row, 1), E_INTERNAL);
        }
    }
}

/* Every token would be hashed alike on every server: the process ends rather than that. */
static void no_hash_without_keys(void **state)
{
    (void)state;
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    int status;
    assert_int_equal(keyring_load_master(&call, &source), OK);
    pid_t child = fork();
    if (child == 0) {
        char mac[MAC_HEX_BYTES];
        signal(SIGABRT, SIG_DFL);
        keyring_mac(KEYRING_PEPPER, STR("x"), mac);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* ---- rows */

static struct str sealed_row(const char *id, int64_t kid, const char *key, struct str plain)
{
    struct seal_place place = {
        .owner = 0, .table = STR("mcp_data_keys"), .row = str_from(id), .column = STR("wrapped")};
    struct str sealed;
    assert_int_equal(seal_box(&call, &place, kid, (const unsigned char *)key, plain, &sealed), OK);
    return sealed;
}

#define BYTES_1 "01234567890123456789012345678901" /* of TEST_MASTER */
#define BYTES_2 "01234567890123456789012345678902"

static void rows_that_do_not_open(void **state)
{
    (void)state;
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    struct str check, server;
    assert_int_equal(keyring_load_master(&call, &source), OK);
    assert_int_equal(keyring_create(&call, &check, &server), OK);
    const struct keyring_row good[] = {{STR("check"), 1, check}, {STR("server"), 1, server}};
    struct keyring_row rows[2];
    assert_int_equal(keyring_open(&call, good, 1), E_CRYPTO);
    assert_says(&call, "server's secret");
    assert_int_equal(keyring_open(&call, good + 1, 1), E_CRYPTO);
    assert_says(&call, "another master key");
    assert_int_equal(keyring_open(&call, NULL, 0), E_CRYPTO);
    memcpy(rows, good, sizeof rows);
    rows[0].wrapped = sealed_row("check", 1, BYTES_1, STR("another"));
    assert_int_equal(keyring_open(&call, rows, 2), E_CRYPTO);
    memcpy(rows, good, sizeof rows);
    rows[0].master_kid = 0;
    assert_int_equal(keyring_open(&call, rows, 2), E_CRYPTO);
    memcpy(rows, good, sizeof rows);
    rows[1].wrapped = sealed_row("server", 1, BYTES_1, STR("short"));
    assert_int_equal(keyring_open(&call, rows, 2), E_CRYPTO);
    assert_says(&call, "server's secret");
    rows[1] = (struct keyring_row){STR("server"), 9, server};
    assert_int_equal(keyring_open(&call, rows, 2), E_CRYPTO);
    assert_int_equal(keyring_open(&call, good, 2), OK);
    /* Read again without the row that says which key is the current one, or with one that this key does not open. */
    assert_int_equal(keyring_learn(&call, good + 1, 1), E_CRYPTO);
    rows[0] = (struct keyring_row){STR("check"), 1, sealed_row("check", 1, BYTES_2, STR("porteiro"))};
    assert_int_equal(keyring_learn(&call, rows, 1), E_CRYPTO);
    assert_int_equal(keyring_learn(&call, good, 2), OK);
    assert_int_equal(keyring_kid(), 1);
}

static void what_rotation_refuses(void **state)
{
    (void)state;
    struct keyring_row rows[KEYRING_ROTATION_ROWS];
    test_keyring(&call);
    assert_int_equal(keyring_rotate(&call, STR("no key"), rows), E_INVALID);
    assert_int_equal(keyring_rotate(&call, STR(TEST_MASTER), rows), E_INVALID);
    assert_says(&call, "used already");
    assert_int_equal(keyring_kid(), 1);
    assert_false(keyring_is_current(STR("no key")));
    assert_false(keyring_is_current(STR(KEY_2)));
    assert_int_equal(keyring_rotate(&call, STR(KEY_2), rows), OK);
    assert_int_equal(keyring_kid(), 2);
    assert_true(keyring_is_current(STR(KEY_2)));
    /* A program that was given either one opens the rows; so does one that only reads them again. */
    const char *const given[] = {TEST_MASTER, KEY_2};
    for (size_t i = 0; i < ARRAY_LENGTH(given); i++) {
        struct keyring_source source = {.key_text = str_from(given[i])};
        assert_int_equal(keyring_load_master(&call, &source), OK);
        assert_int_equal(keyring_open(&call, rows, ARRAY_LENGTH(rows)), OK);
        assert_int_equal(keyring_kid(), 2);
        assert_int_equal(keyring_given_kid(), (int64_t)i + 1);
        assert_int_equal(keyring_learn(&call, rows, ARRAY_LENGTH(rows)), OK);
    }
    struct keyring_source third = {.key_text = STR("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDM=")};
    assert_int_equal(keyring_load_master(&call, &third), OK);
    assert_int_equal(keyring_open(&call, rows, ARRAY_LENGTH(rows)), E_CRYPTO);
    assert_says(&call, "number 2");
}

/* Only what a key in hand opens, only whole keys, and no more than the ring holds. */
static void keys_that_are_not_learnt(void **state)
{
    (void)state;
    struct str check, server, plain = STR(BYTES_2);
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    assert_int_equal(keyring_load_master(&call, &source), OK);
    assert_int_equal(keyring_create(&call, &check, &server), OK);
    const struct keyring_row wrong[] = {
        {STR("master:2"), 1, sealed_row("master:2", 1, BYTES_2, plain)},      /* by another key */
        {STR("master:3"), 1, sealed_row("master:3", 1, BYTES_1, STR("abc"))}, /* no key */
        {STR("master:x"), 1, sealed_row("master:x", 1, BYTES_1, plain)},
        {STR("master:0"), 1, sealed_row("master:0", 1, BYTES_1, plain)},
        {STR("master:-4"), 1, sealed_row("master:-4", 1, BYTES_1, plain)},
        {STR("check"), 2, check},
    };
    assert_int_equal(keyring_learn(&call, wrong, ARRAY_LENGTH(wrong)), E_CRYPTO);
    assert_int_equal(keyring_kid(), 1);
    struct keyring_row rows[KEYRING_MASTERS_MAX + 1];
    for (size_t i = 0; i < KEYRING_MASTERS_MAX; i++) {
        struct str id = call_format(&call, "master:%zu", i + 2);
        rows[i] = (struct keyring_row){id, 1, sealed_row(str_copy_cstr(call.arena, id), 1, BYTES_1, plain)};
    }
    rows[KEYRING_MASTERS_MAX] = (struct keyring_row){
        STR("check"), KEYRING_MASTERS_MAX, sealed_row("check", KEYRING_MASTERS_MAX, BYTES_2, STR("porteiro"))};
    assert_int_equal(keyring_learn(&call, rows, ARRAY_LENGTH(rows)), OK);
    assert_int_equal(keyring_kid(), KEYRING_MASTERS_MAX);
    rows[KEYRING_MASTERS_MAX].master_kid = KEYRING_MASTERS_MAX + 1;
    assert_int_equal(keyring_learn(&call, rows, ARRAY_LENGTH(rows)), E_CRYPTO); /* one too many */
}

/* ---- data keys under a master key that others made */

static int refreshed, refresh_error;
static struct keyring_row refresh_rows[KEYRING_ROTATION_ROWS];

static int refresh(struct call *of)
{
    refreshed++;
    return refresh_error ? refresh_error : keyring_learn(of, refresh_rows, KEYRING_ROTATION_ROWS);
}

static void a_key_that_is_not_known_is_asked_for(void **state)
{
    (void)state;
    struct str check, server, old, wrapped, again;
    unsigned char key[KEY_BYTES], same[KEY_BYTES];
    struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    assert_int_equal(keyring_load_master(&call, &source), OK);
    assert_int_equal(keyring_create(&call, &check, &server), OK);
    assert_int_equal(keyring_new_data_key(&call, 7, &old), OK);
    assert_int_equal(data_key(7, old, key), OK);
    assert_int_equal(data_key(8, old, same), E_CRYPTO); /* another's */
    assert_int_equal(keyring_rotate(&call, STR(KEY_2), refresh_rows), OK);
    struct keyring_row row = {STR("user:7"), 1, old};
    assert_int_equal(keyring_rewrap(&call, &row, &wrapped), OK);
    assert_int_equal(seal_kid(wrapped), 2);
    /* A process of before the rotation. */
    const struct keyring_row before[] = {{STR("check"), 1, check}, {STR("server"), 1, server}};
    assert_int_equal(keyring_load_master(&call, &source), OK);
    assert_int_equal(keyring_open(&call, before, 2), OK);
    assert_int_equal(data_key(7, wrapped, same), E_CRYPTO); /* nobody to ask */
    keyring_set_refresh(refresh);
    refresh_error = E_UNAVAILABLE;
    assert_int_equal(data_key(7, wrapped, same), E_UNAVAILABLE);
    row.wrapped = wrapped;
    assert_int_equal(keyring_rewrap(&call, &row, &again), E_UNAVAILABLE);
    refresh_error = E_CRYPTO;
    assert_int_equal(data_key(7, wrapped, same), E_CRYPTO);
    refresh_error = OK;
    refreshed = 0;
    assert_int_equal(data_key(7, wrapped, same), OK);
    assert_memory_equal(key, same, KEY_BYTES);
    assert_int_equal(data_key(7, wrapped, same), OK);
    assert_int_equal(refreshed, 1);
    /* What names no key asks nobody. */
    static const char *const garbage[] = {"", "x", "{\"v\":1,\"kid\":0,\"n\":\"x\",\"c\":\"x\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(garbage); i++) {
        assert_int_equal(data_key(7, str_from(garbage[i]), same), E_CRYPTO);
        row.wrapped = str_from(garbage[i]);
        assert_int_equal(keyring_rewrap(&call, &row, &again), E_CRYPTO);
        assert_says(&call, "user:7");
    }
    assert_int_equal(refreshed, 1);
    row = (struct keyring_row){STR("user:x"), 2, wrapped};
    assert_int_equal(keyring_rewrap(&call, &row, &again), E_CRYPTO);
    /* A row that opens, and holds no key. */
    struct seal_place place = {
        .owner = 7, .table = STR("mcp_data_keys"), .row = STR("user:7"), .column = STR("wrapped")};
    assert_int_equal(seal_box(&call, &place, 1, (const unsigned char *)BYTES_1, STR("short"), &again), OK);
    assert_int_equal(data_key(7, again, same), E_CRYPTO);
    assert_says(&call, "key of this account");
}

/* Renewed after a rotation and once only; the key before stays until it is dropped, and opens what was sealed with it. */
static void data_keys_follow_the_master_key(void **state)
{
    (void)state;
    struct keyring_row rows[KEYRING_ROTATION_ROWS];
    struct str wrapped, renewed, again, sealed, sealed_anew, plain;
    int64_t kid, previous;
    test_keyring(&call);
    assert_int_equal(keyring_new_data_key(&call, 7, &wrapped), OK);
    assert_int_equal(keyring_data_kids(&call, 7, wrapped, &kid, &previous), OK);
    assert_int_equal(kid, 1);
    assert_int_equal(previous, 0);
    struct seal_place place = {.owner = 7, .table = STR("t"), .row = STR("1"), .column = STR("c")};
    assert_int_equal(seal_make_at(&call, &place, wrapped, STR("secret"), &sealed), OK);
    assert_int_equal(keyring_renew_data_key(&call, 7, wrapped, &again), E_CONFLICT); /* as new as the master key */
    assert_int_equal(keyring_rotate(&call, STR(KEY_2), rows), OK);
    assert_int_equal(keyring_renew_data_key(&call, 7, wrapped, &renewed), OK);
    assert_int_equal(keyring_data_kids(&call, 7, renewed, &kid, &previous), OK);
    assert_int_equal(kid, 2);
    assert_int_equal(previous, 1);
    assert_int_equal(keyring_renew_data_key(&call, 7, renewed, &again), E_CONFLICT);
    assert_int_equal(seal_open_at(&call, &place, renewed, sealed, &plain), OK);
    assert_text(plain, "secret");
    assert_int_equal(seal_make_at(&call, &place, renewed, STR("secret"), &sealed_anew), OK);
    assert_int_equal(seal_kid(sealed_anew), 2);
    /* Who has read the row before, and nobody who would read it again for him. */
    assert_int_equal(seal_open_at(&call, &place, wrapped, sealed_anew, &plain), E_CRYPTO);
    assert_says(&call, "does not open");
    assert_int_equal(keyring_drop_previous(&call, 7, renewed, &again), OK);
    assert_int_equal(keyring_data_kids(&call, 7, again, &kid, &previous), OK);
    assert_int_equal(kid, 2);
    assert_int_equal(previous, 0);
    assert_int_equal(seal_open_at(&call, &place, again, sealed_anew, &plain), OK);
    assert_int_equal(seal_open_at(&call, &place, again, sealed, &plain), E_CRYPTO);
    /* Nobody else's. */
    assert_int_equal(keyring_data_kids(&call, 8, renewed, &kid, &previous), E_CRYPTO);
    assert_int_equal(keyring_renew_data_key(&call, 8, wrapped, &again), E_CRYPTO);
    assert_int_equal(keyring_drop_previous(&call, 8, renewed, &again), E_CRYPTO);
}

/* What opens and is neither one key nor one or two numbered ones. */
static void wrapped_bytes_of_no_keys(void **state)
{
    (void)state;
    static const char bytes[3 * (4 + KEY_BYTES)] = {0};
    static const size_t lengths[] = {0, KEY_BYTES - 1, KEY_BYTES + 1, 4 + KEY_BYTES + 1, 3 * (4 + KEY_BYTES)};
    struct seal_place place = {
        .owner = 7, .table = STR("mcp_data_keys"), .row = STR("user:7"), .column = STR("wrapped")};
    struct str wrapped;
    unsigned char key[KEY_BYTES];
    test_keyring(&call);
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        assert_int_equal(
            seal_box(&call, &place, 1, (const unsigned char *)BYTES_1, str_of(bytes, lengths[i]), &wrapped), OK);
        assert_int_equal(data_key(7, wrapped, key), E_CRYPTO);
        assert_says(&call, "key of this account");
    }
    assert_int_equal(
        seal_box(&call, &place, 1, (const unsigned char *)BYTES_1, str_of(bytes, 2 * (4 + KEY_BYTES)), &wrapped), OK);
    assert_int_equal(data_key(7, wrapped, key), OK);
}

static void signatures(void **state)
{
    (void)state;
    char signature[SIGNATURE_HEX_BYTES], public[MAC_HEX_BYTES];
    test_keyring(&call);
    keyring_sign(STR("message"), signature);
    keyring_public(public);
    assert_int_equal(strlen(public), MAC_HEX_BYTES - 1);
    assert_true(keyring_signed(STR("message"), str_from(signature)));
    assert_false(keyring_signed(STR("Message"), str_from(signature)));
    assert_false(keyring_signed(STR("message"), str_of(signature, SIGNATURE_HEX_BYTES - 2)));
    assert_false(keyring_signed(STR("message"), STR_EMPTY));
    signature[0] = signature[0] == 'a' ? 'b' : 'a';
    assert_false(keyring_signed(STR("message"), str_from(signature)));
    signature[127] = 'x';
    assert_false(keyring_signed(STR("message"), str_from(signature)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(where_the_key_is, setup, teardown),
        cmocka_unit_test_setup_teardown(credentials_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_made, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_without_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(no_hash_without_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_that_do_not_open, setup, teardown),
        cmocka_unit_test_setup_teardown(what_rotation_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_that_are_not_learnt, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_is_not_known_is_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(data_keys_follow_the_master_key, setup, teardown),
        cmocka_unit_test_setup_teardown(wrapped_bytes_of_no_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(signatures, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
