/*
 * New data keys for everybody: every column that can hold a sealed value, with a row in it for each of some people; what opens
 * when; a process that seals as before; a rotation that is killed and goes on.
 * `accounts-reseal_test rotate URL` is the program that gets killed.
 */
#include "accounts/owner.h"
#include "accounts/rotation_test_help.h"
#include "crypto/seal.h"
#include "store/sealed.h"

enum { PEOPLE = 120 /* more than one batch of values of a column */, KILLS_MIN = 3, KILLS_MAX = 16 };

/* ---- a row of every table that holds something sealed, for each person */

/* table, column, type, "1" when it must have a value */
static struct db_rows schema(struct fixture *f)
{
    struct db_rows rows;
    assert_ok(&f->call,
              db_query(&f->call, f->db, &rows,
                       db_kind(f->db) == DB_SQLITE
                           ? "SELECT m.name, c.name, LOWER(c.type), CAST(c.\"notnull\" AS text) FROM sqlite_master m "
                             "JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name LIKE 'mcp%' "
                             "ORDER BY m.name, c.cid"
                           : "SELECT table_name, column_name, data_type, CASE is_nullable WHEN 'NO' THEN '1' ELSE "
                             "'0' END FROM information_schema.columns WHERE table_name LIKE 'mcp%' "
                             "AND table_schema = current_schema() ORDER BY table_name, ordinal_position"));
    return rows;
}

static struct db_param some_value(struct fixture *f, struct str column, struct str type, int64_t i)
{
    bool is_number = str_contains(type, STR("int")) || str_eq(type, STR("bigint"));
    if (str_eq(column, STR("provider_id")))
        return DB_INT(sql_int(f, "SELECT id FROM mcp_service_providers"));
    if (str_starts_with(type, STR("timestamp")) || str_ends_with(column, STR("_at")) ||
        str_ends_with(column, STR("_until")))
        return DB_TIME(1700000000000);
    if (str_eq(type, STR("boolean")) ||
        (is_number &&
         (str_starts_with(column, STR("is_")) || str_eq(column, STR("archived")) || str_eq(column, STR("outgoing")))))
        return DB_BOOL(false);
    if (is_number)
        return DB_INT(i);
    if (str_ends_with(column, STR("_json")))
        return DB_TEXT(STR("{}"));
    return DB_TEXT(call_format(&f->call, "x%lld", (long long)i));
}

/* All columns that need a value, with the number of the person for ids and numbers. */
static void add_row(struct fixture *f, const struct db_rows *all, const char *table, int64_t i)
{
    struct db_param params[DB_PARAMS_MAX];
    struct buf names, values;
    size_t count = 0;
    buf_init(&names, f->call.arena, 8192);
    buf_init(&values, f->call.arena, 8192);
    for (size_t at = 0; at < all->n_rows; at++) {
        struct str column = db_text(all, at, 1);
        bool is_id = str_eq(column, STR("id")) || str_eq(column, STR("user_id"));
        if (!str_eq(db_text(all, at, 0), str_from(table)) || (!is_id && !str_eq(db_text(all, at, 3), STR("1"))))
            continue;
        params[count] = some_value(f, column, db_text(all, at, 2), i);
        buf_add_format(&names, "%s%.*s", count ? ", " : "", STR_ARG(column));
        count++;
        buf_add_format(&values, "%s$%zu", count > 1 ? ", " : "", count);
    }
    assert_true(count > 0);
    struct str sql = call_format(&f->call, "INSERT INTO %s (%.*s) VALUES (%.*s)", table, STR_ARG(buf_str(&names)),
                                 STR_ARG(buf_str(&values)));
    assert_ok(&f->call, db_query_params(&f->call, f->db, NULL, sql.ptr, params, count));
}

static struct str plain_of(struct fixture *f, const struct sealed_column *column, int64_t user_id)
{
    return call_format(&f->call, "what %s.%s keeps of %lld", column->table, column->column, (long long)user_id);
}

struct found {
    struct str row, sealed, wrapped;
    int64_t user_id;
};

/* The rows of a column with their places, by person. */
static struct db_rows values_of(struct fixture *f, const struct sealed_column *column)
{
    struct db_rows rows;
    assert_ok(&f->call,
              db_query(&f->call, f->db, &rows,
                       call_format(
                           &f->call,
                           "SELECT t.user_id, t.place_row, t.sealed, k.wrapped FROM (SELECT user_id, %s AS place_row, "
                           "%s AS sealed FROM %s) AS t JOIN mcp_data_keys k ON k.id = 'user:' || t.user_id "
                           "ORDER BY t.user_id",
                           column->row, column->column, column->table)
                           .ptr));
    return rows;
}

static struct found found_at(const struct db_rows *rows, size_t i)
{
    return (struct found){db_text(rows, i, 1), db_text(rows, i, 2), db_text(rows, i, 3), db_int(rows, i, 0)};
}

static struct seal_place place_of(const struct sealed_column *column, const struct found *found)
{
    return (struct seal_place){found->user_id, str_from(column->table), found->row, str_from(column->column)};
}

static void put_value(struct fixture *f, const struct sealed_column *column, int64_t user_id, struct str sealed)
{
    assert_ok(
        &f->call,
        db_query(&f->call, f->db, NULL,
                 call_format(&f->call, "UPDATE %s SET %s = $1 WHERE user_id = $2", column->table, column->column).ptr,
                 DB_TEXT(sealed), DB_INT(user_id)));
}

static size_t n_columns(void)
{
    size_t count;
    (void)store_sealed_columns(&count);
    return count;
}

static const struct sealed_column *column_at(size_t i)
{
    size_t count;
    return &store_sealed_columns(&count)[i];
}

static void add_person(struct fixture *f, int64_t i)
{
    struct db_rows all = schema(f);
    struct str wrapped;
    add_row(f, &all, "mcp_users", i);
    assert_ok(&f->call, db_begin(&f->call, f->db));
    assert_ok(&f->call, owner_lock(&f->call, i, &wrapped));
    assert_ok(&f->call, db_commit(&f->call, f->db));
}

static void fill(struct fixture *f, int64_t people)
{
    struct db_rows all = schema(f);
    assert_ok(&f->call, db_begin(&f->call, f->db));
    for (int64_t i = 1; i <= people; i++) {
        struct str wrapped;
        add_row(f, &all, "mcp_users", i);
        assert_ok(&f->call, keyring_new_data_key(&f->call, i, &wrapped));
        assert_ok(&f->call, store_keys_insert_user(&f->call, i, keyring_kid(), wrapped));
        add_row(f, &all, "mcp_service_connections", i);
        add_row(f, &all, "mcp_tokens", i);
        for (size_t at = 1; at < n_columns(); at++)
            if (strcmp(column_at(at)->table, column_at(at - 1)->table) != 0)
                add_row(f, &all, column_at(at)->table, i);
    }
    for (size_t at = 0; at < n_columns(); at++) {
        struct db_rows rows = values_of(f, column_at(at));
        assert_int_equal(rows.n_rows, people);
        for (size_t i = 0; i < rows.n_rows; i++) {
            struct found found = found_at(&rows, i);
            struct seal_place place = place_of(column_at(at), &found);
            struct str sealed;
            assert_ok(&f->call, seal_make_at(&f->call, &place, found.wrapped, plain_of(f, column_at(at), found.user_id),
                                             &sealed));
            put_value(f, column_at(at), found.user_id, sealed);
        }
    }
    assert_ok(&f->call, db_commit(&f->call, f->db));
}

/* Every value opens and says what it said; how many name data key `kid`. */
static int64_t all_open(struct fixture *outer, int64_t kid)
{
    struct fixture inner = *outer, *f = &inner; /* with memory of its own */
    int64_t named = 0;
    call_init_piece(&f->call, &outer->call, 64 * 1024 * 1024);
    for (size_t at = 0; at < n_columns(); at++) {
        struct db_rows rows = values_of(f, column_at(at));
        for (size_t i = 0; i < rows.n_rows; i++) {
            struct found found = found_at(&rows, i);
            struct seal_place place = place_of(column_at(at), &found);
            struct str plain = STR_EMPTY;
            assert_ok(&f->call, seal_open_at(&f->call, &place, found.wrapped, found.sealed, &plain));
            if (!str_eq(plain, plain_of(f, column_at(at), found.user_id)))
                fail_msg("%s.%s of %lld is another", column_at(at)->table, column_at(at)->column,
                         (long long)found.user_id);
            named += seal_kid(found.sealed) == kid;
        }
    }
    arena_reset(f->call.arena);
    return named;
}

static int64_t n_values(int64_t people)
{
    return people * (int64_t)n_columns();
}

static int open_with(struct fixture *f, const char *key)
{
    struct accounts_options options = {.keys = {.key_text = str_from(key)}, .audit_writer = STR("test")};
    bool made;
    accounts_close();
    return accounts_open(&f->call, f->db, &options, &made);
}

static int retire(struct fixture *f, int64_t kid, bool even_if_unreadable, struct key_retired *ret)
{
    const struct key_retirement what = {.kid = kid, .even_if_unreadable = even_if_unreadable};
    return key_rotation_retire(&f->call, &what, ret);
}

/* ---- tests */

/* A migration that adds a column named as sealed ones are, and nobody who would seal it anew. */
static void no_column_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct db_rows all = schema(f);
    int64_t named = 0;
    for (size_t i = 0; i < all.n_rows; i++) {
        struct str table = db_text(&all, i, 0), column = db_text(&all, i, 1);
        bool known = false;
        if (!str_ends_with(column, STR("_sealed")) && !str_eq(column, STR("secret_json")))
            continue;
        for (size_t at = 0; at < n_columns(); at++)
            known |= str_eq(table, str_from(column_at(at)->table)) && str_eq(column, str_from(column_at(at)->column));
        if (!known)
            fail_msg("%.*s.%.*s is missing in store/sealed.c", STR_ARG(table), STR_ARG(column));
        named++;
    }
    assert_true(named >= 8);
}

static void all_is_sealed_anew(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct key_status status;
    struct resealed resealed;
    struct key_retired retired;
    struct str before, sealed, plain;
    int64_t renewed, rewrapped;
    fill(f, PEOPLE);
    assert_ok(call, store_keys_of_user(call, 1, &before));
    assert_int_equal(all_open(f, 1), n_values(PEOPLE));

    /* Only in a rotation: the number of the new data keys is that of the master key. */
    assert_ok(call, key_rotation_renew(call, &renewed));
    assert_int_equal(renewed, 0);
    assert_ok(call, key_rotation_begin(call, STR(NEW_MASTER)));
    assert_ok(call, key_rotation_renew(call, &renewed));
    assert_int_equal(renewed, PEOPLE);
    assert_ok(call, key_rotation_renew(call, &renewed));
    assert_int_equal(renewed, 0);
    assert_int_equal(all_open(f, 1), n_values(PEOPLE));
    assert_ok(call, key_rotation_go_on(call, &rewrapped));
    assert_int_equal(rewrapped, 0); /* they went under the new master key with that */
    assert_ok(call, key_rotation_reseal(call, &resealed));
    assert_int_equal(resealed.values, n_values(PEOPLE));
    assert_int_equal(resealed.unreadable, 0);
    assert_int_equal(all_open(f, 2), n_values(PEOPLE));
    assert_ok(call, key_rotation_status(call, &status));
    assert_int_equal(status.data_keys.count, 1);
    assert_int_equal(status.data_keys.items[0].kid, 2);
    assert_int_equal(status.data_keys.with_previous, PEOPLE);

    /* Who holds the row as it was reads what is new, and seals as before. */
    const struct sealed_column *column = column_at(1);
    struct db_rows rows = values_of(f, column);
    struct found found = found_at(&rows, 0);
    struct seal_place place = place_of(column, &found);
    assert_ok(call, seal_open_at(call, &place, before, found.sealed, &plain));
    assert_ok(call, seal_make_at(call, &place, before, plain_of(f, column, 1), &sealed));
    assert_int_equal(seal_kid(sealed), 1);
    put_value(f, column, 1, sealed);
    assert_int_equal(all_open(f, 1), 1);

    assert_int_equal(retire(f, 1, false, &retired), E_CONFLICT); /* this process was given the old key */
    assert_ok(call, open_with(f, NEW_MASTER));
    assert_ok(call, retire(f, 1, false, &retired));
    assert_int_equal(retired.resealed, 1);
    assert_int_equal(retired.dropped, PEOPLE);
    assert_int_equal(all_open(f, 2), n_values(PEOPLE));
    rows = values_of(f, column);
    found = found_at(&rows, 0);
    assert_int_equal(seal_open_at(call, &place, found.wrapped, sealed, &plain), E_CRYPTO); /* the key is gone */

    /* Somebody who comes later, and all of it once more. */
    add_person(f, PEOPLE + 1);
    assert_ok(call, key_rotation_begin(call, STR(THIRD_MASTER)));
    assert_ok(call, key_rotation_renew(call, &renewed));
    assert_int_equal(renewed, PEOPLE + 1);
    assert_ok(call, key_rotation_reseal(call, &resealed));
    assert_int_equal(resealed.values, n_values(PEOPLE));
    assert_ok(call, open_with(f, THIRD_MASTER));
    assert_ok(call, retire(f, 2, false, &retired));
    assert_int_equal(retired.resealed, 0);
    assert_int_equal(all_open(f, 3), n_values(PEOPLE));
}

static void not_while_somebody_has_the_new_key(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct key_holder old = {STR("a/worker-1"), 1, 1000}, new = {STR("a/worker-2"), 2, 1000};
    int64_t renewed;
    fill(f, 2);
    assert_ok(call, store_keys_hold(call, &old));
    assert_ok(call, key_rotation_begin(call, STR(NEW_MASTER)));
    assert_ok(call, store_keys_hold(call, &new));
    assert_int_equal(key_rotation_renew(call, &renewed), E_CONFLICT);
    assert_says(call, "a/worker-2");
    assert_says(call, "key retire 1");
    assert_ok(call, store_keys_let_go(call, &new));
    assert_ok(call, key_rotation_renew(call, &renewed));
    assert_int_equal(renewed, 2);
    assert_int_equal(all_open(f, 1), n_values(2));
}

static void what_does_not_open_is_told(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct sealed_column *column = column_at(1);
    struct resealed resealed;
    struct key_retired retired;
    int64_t renewed;
    fill(f, 3);
    struct db_rows rows = values_of(f, column);
    put_value(f, column, 1, db_text(&rows, 1, 2)); /* another one's */
    put_value(f, column, 3, STR("{\"v\":1,\"kid\":7,\"n\":\"\",\"c\":\"\"}"));
    assert_ok(call, key_rotation_begin(call, STR(NEW_MASTER)));
    assert_ok(call, key_rotation_renew(call, &renewed));
    assert_ok(call, key_rotation_reseal(call, &resealed));
    assert_int_equal(resealed.values, n_values(3) - 2);
    assert_int_equal(resealed.unreadable, 1); /* the other one names a key that never was */
    assert_text(resealed.example, "mcp_changes.note_sealed of x1");
    assert_ok(call, open_with(f, NEW_MASTER));
    assert_int_equal(retire(f, 1, false, &retired), E_CONFLICT);
    assert_says(call, "mcp_changes.note_sealed of x1");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_data_keys WHERE id LIKE 'master:%'"), 2);
    assert_ok(call, retire(f, 1, true, &retired));
    assert_int_equal(retired.unreadable, 1);
    assert_int_equal(retired.dropped, 3);
}

/* A value that changes between reading and writing stays what it became. */
static void what_changed_meanwhile_stays(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct sealed_values values;
    fill(f, 2);
    for (size_t at = 0; at < n_columns(); at++) {
        const struct sealed_column *column = column_at(at);
        struct str other = column->is_json ? STR("{\"kid\": 9}") : STR("other");
        bool done = true;
        assert_ok(call, store_sealed_others(call, column, 2, STR_EMPTY, &values));
        assert_int_equal(values.count, 2);
        put_value(f, column, values.items[0].user_id, other);
        assert_ok(call, store_sealed_replace(call, column, &values.items[0], STR("{}"), &done));
        assert_false(done);
        assert_ok(call, store_sealed_replace(call, column, &values.items[1], STR("{}"), &done));
        assert_true(done);
        struct db_rows rows = values_of(f, column);
        assert_text(db_text(&rows, 0, 2), other.ptr);
        assert_text(db_text(&rows, 1, 2), "{}");
        /* What names the key is left out, and the rest comes in its order. */
        assert_ok(call, store_sealed_others(call, column, column->is_json ? 9 : 1, STR_EMPTY, &values));
        assert_int_equal(values.count, 0);
    }
}

static int64_t left(struct fixture *f)
{
    int64_t count = sql_int(f, "SELECT count(*) FROM mcp_data_keys WHERE master_kid = 1 AND id NOT LIKE 'master:%'");
    for (size_t at = 0; at < n_columns(); at++) {
        const struct sealed_column *column = column_at(at);
        count += sql_int(f, call_format(&f->call,
                                        "SELECT count(*) FROM %s WHERE CAST(%s AS text) LIKE '%%\"kid\":1,%%' OR "
                                        "CAST(%s AS text) LIKE '%%\"kid\": 1}%%'",
                                        column->table, column->column, column->column)
                                .ptr);
    }
    return count;
}

static void killed_in_the_middle_all_opens(void **state)
{
    struct fixture *f = *state;
    struct key_retired retired;
    int kills = 0, status = 0;
    fill(f, PEOPLE);
    int64_t rest = left(f), began_ms = clock_monotonic_ms();
    assert_int_equal(rest, n_values(PEOPLE) + PEOPLE + 2); /* with the server's rows */
    for (;;) {
        pid_t pid = start_rotation(f), ended = 0;
        int64_t before = rest;
        while ((ended = waitpid(pid, &status, kills < KILLS_MAX ? WNOHANG : 0)) == 0 && left(f) == before)
            usleep(1000);
        if (ended == pid && WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            break;
        }
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        kills++;
        rest = left(f);
        all_open(f, 2);
    }
    assert_true(kills >= KILLS_MIN);
    assert_int_equal(left(f), 0);
    assert_ok(&f->call, open_with(f, NEW_MASTER));
    assert_ok(&f->call, retire(f, 1, false, &retired));
    assert_int_equal(retired.dropped, PEOPLE);
    assert_int_equal(all_open(f, 2), n_values(PEOPLE));
    print_message("%lld values under %d new data keys with %d kills in %lld ms\n", (long long)n_values(PEOPLE), PEOPLE,
                  kills, (long long)(clock_monotonic_ms() - began_ms));
}

static int renew_and_reseal(struct call *call)
{
    int64_t count;
    struct resealed resealed;
    int error = key_rotation_renew(call, &count);
    if (!error)
        error = key_rotation_go_on(call, &count);
    if (!error)
        error = key_rotation_reseal(call, &resealed);
    return !error && resealed.unreadable ? E_CRYPTO : error;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "rotate") == 0)
        rotation_main(argv[2], renew_and_reseal);
    const struct CMUnitTest tests[] = {
        ON_BOTH(no_column_is_forgotten),
        ON_BOTH(all_is_sealed_anew),
        ON_SQLITE(not_while_somebody_has_the_new_key),
        ON_BOTH(what_does_not_open_is_told),
        ON_BOTH(what_changed_meanwhile_stays),
        ON_BOTH(killed_in_the_middle_all_opens),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
