/*
 * A new master key: what opens when, what refuses, and a rotation that is killed and goes on.
 * `accounts-key_rotation_test rotate URL` is the program that gets killed. PORTEIRO_TEST_KEYS: so many data keys.
 */
#include "accounts/owner.h"
#include "accounts/rotation_test_help.h"
#include "crypto/seal.h"
#include "crypto/token.h"

enum { KEYS_STANDARD = 1300 };

static const struct seal_place place = {1, STR_INIT("t"), STR_INIT("1"), STR_INIT("c")};

static int64_t wanted_keys(void)
{
    const char *text = getenv("PORTEIRO_TEST_KEYS");
    int64_t count;
    return text && str_to_i64(str_from(text), &count) ? count : KEYS_STANDARD;
}

/* Users with data keys, past argon2id. */
static void add_keys(struct fixture *f, int64_t count)
{
    struct call piece;
    call_init_piece(&piece, &f->call, 64 * 1024 * 1024);
    for (int64_t id = 1; id <= count;) {
        assert_ok(&piece, db_begin(&piece, f->db));
        for (int i = 0; i < 500 && id <= count; i++, id++) {
            struct str wrapped, who = call_format(&piece, "u%lld", (long long)id);
            assert_ok(&piece, db_query(&piece, f->db, NULL,
                                       "INSERT INTO mcp_users (id, name, email, phone, password_hash) "
                                       "VALUES ($1, $2, $2, $2, 'x')",
                                       DB_INT(id), DB_TEXT(who)));
            assert_ok(&piece, keyring_new_data_key(&piece, id, &wrapped));
            assert_ok(&piece, store_keys_insert_user(&piece, id, keyring_kid(), wrapped));
        }
        assert_ok(&piece, db_commit(&piece, f->db));
        arena_reset(piece.arena);
    }
}

static struct str seal_for_first(struct fixture *f)
{
    struct str wrapped, sealed;
    assert_ok(&f->call, store_keys_of_user(&f->call, 1, &wrapped));
    assert_ok(&f->call, seal_make_at(&f->call, &place, wrapped, STR("abcd efgh"), &sealed));
    return sealed;
}

static void assert_opens(struct fixture *f, struct str sealed)
{
    struct str wrapped, plain;
    assert_ok(&f->call, store_keys_of_user(&f->call, 1, &wrapped));
    assert_ok(&f->call, seal_open_at(&f->call, &place, wrapped, sealed, &plain));
    assert_text(plain, "abcd efgh");
}

/* As another process would: with this key, from the rows alone. */
static int open_with(struct fixture *f, const char *key)
{
    struct accounts_options options = {.keys = {.key_text = str_from(key)}, .audit_writer = STR("test")};
    bool made;
    accounts_close();
    return accounts_open(&f->call, f->db, &options, &made);
}

static int retire(struct call *call, int64_t kid, bool even_if_held)
{
    const struct key_retirement what = {.kid = kid, .even_if_held = even_if_held};
    struct key_retired retired;
    return key_rotation_retire(call, &what, &retired);
}

static int64_t older_rows(struct fixture *f)
{
    return sql_int(f, "SELECT count(*) FROM mcp_data_keys WHERE master_kid = 1 AND id NOT LIKE 'master:%'");
}

static void both_keys_until_one_is_retired(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct key_status status;
    int64_t rewrapped;
    char before[MAC_HEX_BYTES], after[MAC_HEX_BYTES];
    add_keys(f, 3);
    struct str sealed = seal_for_first(f), wrapped;
    token_hash(STR("a token"), before);

    assert_int_equal(key_rotation_begin(call, STR("too short")), E_INVALID);
    assert_int_equal(key_rotation_begin(call, STR(TEST_MASTER)), E_INVALID);
    assert_ok(call, key_rotation_begin(call, STR(NEW_MASTER)));
    assert_int_equal(older_rows(f), 3);
    assert_int_equal(key_rotation_begin(call, STR(THIRD_MASTER)), E_CONFLICT);
    /* Whoever was started with the old key, and whoever is started with the new one. */
    static const char *const keys[] = {TEST_MASTER, NEW_MASTER};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        assert_ok(call, open_with(f, keys[i]));
        assert_int_equal(keyring_kid(), 2);
        assert_int_equal(keyring_given_kid(), i + 1);
        assert_opens(f, sealed);
        token_hash(STR("a token"), after);
        assert_string_equal(before, after);
    }
    assert_int_equal(open_with(f, THIRD_MASTER), E_CRYPTO);
    assert_ok(call, open_with(f, NEW_MASTER));

    assert_int_equal(retire(call, 1, false), E_CONFLICT);
    assert_says(call, "3 rows");
    assert_ok(call, key_rotation_go_on(call, &rewrapped));
    assert_int_equal(rewrapped, 3);
    assert_int_equal(older_rows(f), 0);
    assert_opens(f, sealed);
    /* Somebody new is wrapped by the new key, also by a process that knows only the old one yet: below. */
    const struct key_holder node = {STR("a/worker-1"), 1, 1000};
    assert_ok(call, store_keys_hold(call, &node));
    assert_int_equal(retire(call, 1, false), E_CONFLICT);
    assert_says(call, "a/worker-1");
    assert_int_equal(retire(call, 2, true), E_CONFLICT);
    assert_int_equal(retire(call, 3, true), E_NOT_FOUND);
    assert_ok(call, open_with(f, TEST_MASTER));
    assert_int_equal(retire(call, 1, true), E_CONFLICT); /* this process has only the old one */
    assert_says(call, "given master key 1");
    assert_ok(call, open_with(f, NEW_MASTER));
    const struct key_holder namesake = {STR("a/worker-1"), 1, 999};
    assert_ok(call, store_keys_let_go(call, &namesake)); /* one that ends after another took its name */
    assert_int_equal(retire(call, 1, false), E_CONFLICT);
    assert_ok(call, store_keys_let_go(call, &node));
    assert_ok(call, retire(call, 1, false));

    assert_int_equal(open_with(f, TEST_MASTER), E_CRYPTO);
    assert_says(call, "another master key");
    assert_ok(call, open_with(f, NEW_MASTER));
    assert_opens(f, sealed);
    assert_ok(call, key_rotation_status(call, &status));
    assert_false(status.is_rotating);
    assert_int_equal(status.counts.count, 1);
    /* And once more. */
    assert_ok(call, key_rotation_begin(call, STR(THIRD_MASTER)));
    assert_ok(call, open_with(f, THIRD_MASTER));
    assert_int_equal(retire(call, 1, true), E_NOT_FOUND); /* typed again: its checks would not see what needs key 2 */
    assert_says(call, "the old one 2");
    assert_int_equal(retire(call, 2, true), E_CONFLICT);
    assert_says(call, "3 rows");
    assert_ok(call, key_rotation_go_on(call, &rewrapped));
    assert_ok(call, retire(call, 2, false));
    assert_opens(f, sealed);
    assert_ok(call, store_keys_of_user(call, 1, &wrapped));
    assert_int_equal(seal_kid(wrapped), 3);
}

/* A server that was started before: its ring knows one key only. */
static void a_process_from_before_goes_on(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct key_rows rows, old;
    struct str wrapped, sealed;
    int64_t rewrapped;
    add_keys(f, 2);
    sql(f, "DELETE FROM mcp_data_keys WHERE id = 'user:2'");
    sealed = seal_for_first(f);
    assert_ok(call, store_keys_read(call, &old)); /* as they were when it started */
    assert_ok(call, key_rotation_begin(call, STR(NEW_MASTER)));
    assert_ok(call, key_rotation_go_on(call, &rewrapped));
    assert_ok(call, store_keys_read(call, &rows));
    const struct keyring_source source = {.key_text = STR(TEST_MASTER)};
    assert_ok(call, keyring_load_master(call, &source));
    assert_ok(call, keyring_open(call, old.items, old.count));
    assert_int_equal(keyring_kid(), 1);
    assert_opens(f, sealed); /* a row under key 2 */
    assert_int_equal(keyring_kid(), 2);

    assert_ok(call, keyring_load_master(call, &source));
    assert_ok(call, keyring_open(call, old.items, old.count));
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, owner_lock(call, 2, &wrapped)); /* a new data key */
    assert_ok(call, db_commit(call, f->db));
    assert_int_equal(seal_kid(wrapped), 2);
    assert_int_equal(older_rows(f), 0);
}

static void no_row_opens_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct str plain, first, second;
    add_keys(f, 2);
    assert_ok(call, key_rotation_begin(call, STR(NEW_MASTER)));
    struct str sealed = seal_for_first(f);
    assert_ok(call, store_keys_of_user(call, 1, &first));
    assert_ok(call, store_keys_of_user(call, 2, &second));
    assert_int_equal(seal_open_at(call, &place, second, sealed, &plain), E_CRYPTO);
    /* The server's rows under each other's names. */
    static const char *const names[] = {"check", "server", "master:1", "master:2"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(names); j++) {
            struct key_rows rows;
            assert_ok(call, store_keys_read(call, &rows));
            assert_int_equal(rows.count, ARRAY_LENGTH(names));
            for (size_t k = 0; k < rows.count; k++)
                if (str_eq(rows.items[k].id, str_from(names[i])))
                    rows.items[k].id = STR("x");
            for (size_t k = 0; k < rows.count; k++)
                if (str_eq(rows.items[k].id, str_from(names[j])))
                    rows.items[k].id = str_from(names[i]);
            const struct keyring_source source = {.key_text = i < 2 ? STR(NEW_MASTER) : STR(TEST_MASTER)};
            assert_ok(call, keyring_load_master(call, &source));
            bool needs = i < 2 || i == 3; /* with the old key, master:2 is the way in */
            int error = keyring_open(call, rows.items, rows.count);
            if (needs && error != E_CRYPTO)
                fail_msg("%s in the place of %s: %s", names[j], names[i], error_name(error));
        }
    }
    assert_ok(call, open_with(f, NEW_MASTER));
    /* Each byte of a wrapped key that is cut off or changed. */
    for (size_t cut = 0; cut < first.len; cut++)
        assert_int_equal(seal_open_at(call, &place, str_sub(first, 0, cut), sealed, &plain), E_CRYPTO);
    for (size_t at = 0; at < first.len; at++) {
        char *changed = arena_alloc(call->arena, first.len);
        memcpy(changed, first.ptr, first.len);
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        assert_int_equal(seal_open_at(call, &place, str_of(changed, first.len), sealed, &plain), E_CRYPTO);
    }
}

static void killed_in_the_middle_it_goes_on(void **state)
{
    struct fixture *f = *state;
    int64_t count = wanted_keys(), left = count, began_ms = clock_monotonic_ms();
    int kills = 0, status = 0;
    f->call.deadline_ms = began_ms + 60 * 1000 + 20 * count; /* with 100,000 keys, hundreds of kills */
    add_keys(f, count);
    struct str sealed = seal_for_first(f);
    int64_t added_ms = clock_monotonic_ms();
    for (;;) {
        pid_t pid = start_rotation(f);
        int64_t before = left;
        pid_t ended = 0;
        /* As soon as it got further. */
        while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && (left = older_rows(f)) == before)
            usleep(1000);
        if (ended == pid && WIFEXITED(status))
            break;
        if (ended == 0) {
            kill(pid, SIGKILL);
            assert_int_equal(waitpid(pid, &status, 0), pid);
            kills += WIFSIGNALED(status);
        }
        left = older_rows(f);
        if (kills >= 3 && left == 0)
            break;
    }
    assert_true(kills > 0);
    if (left) {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(older_rows(f), 0);
    assert_ok(&f->call, open_with(f, NEW_MASTER));
    assert_opens(f, sealed);
    struct call piece;
    call_init_piece(&piece, &f->call, 16 * 1024 * 1024);
    for (int64_t id = 1; id <= count; id++) {
        unsigned char key[KEY_BYTES];
        struct str wrapped;
        int64_t kid = 0;
        assert_ok(&piece, store_keys_of_user(&piece, id, &wrapped));
        assert_ok(&piece, keyring_data_key(&piece, id, wrapped, &kid, key));
        assert_int_equal(kid, 1);
        arena_reset(piece.arena);
    }
    print_message("%lld keys made in %lld ms, rotated with %d kills in %lld ms\n", (long long)count,
                  (long long)(added_ms - began_ms), kills, (long long)(clock_monotonic_ms() - added_ms));
}

/* How long it takes without kills: for ./dev soak, with PORTEIRO_TEST_KEYS=100000. */
static void rotates(void **state)
{
    struct fixture *f = *state;
    int64_t count = wanted_keys(), rewrapped;
    add_keys(f, count);
    f->call.deadline_ms = clock_monotonic_ms() + 600 * 1000;
    int64_t began_ms = clock_monotonic_ms();
    assert_ok(&f->call, key_rotation_begin(&f->call, STR(NEW_MASTER)));
    assert_ok(&f->call, key_rotation_go_on(&f->call, &rewrapped));
    assert_int_equal(rewrapped, count);
    print_message("%lld keys rotated in %lld ms\n", (long long)count, (long long)(clock_monotonic_ms() - began_ms));
}

static int go_on(struct call *call)
{
    int64_t rewrapped;
    return key_rotation_go_on(call, &rewrapped);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "rotate") == 0)
        rotation_main(argv[2], go_on);
    const struct CMUnitTest tests[] = {
        ON_BOTH(both_keys_until_one_is_retired),
        ON_BOTH(a_process_from_before_goes_on),
        ON_SQLITE(no_row_opens_elsewhere),
        ON_BOTH(killed_in_the_middle_it_goes_on),
        ON_BOTH(rotates),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
