/*
 * Migrations on both engines: from nothing, adopted, refused; nothing half done.
 *
 * `store-migrate_test migrate URL` migrates that database and exits: what tests/database runs many of at once, and kills.
 */
#include "store/migrate.h"
#include "store/db_test_help.h"
#include "store/migrations.h"

static void call_begin(struct call *call)
{
    call_init(call, arena_new(64 * 1024 * 1024), 30 * 1000);
}

static int setup(void **state, enum db_kind kind)
{
    *state = fixture_new(kind, 64 * 1024 * 1024, 30 * 1000);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(fixture_end_call(state));
    return 0;
}

/* ---- helpers ---------------------------------------------------------------------------------------------------------- */

static const struct migration_set *set_of(struct fixture *f)
{
    return db_kind(f->db) == DB_SQLITE ? &migrations_sqlite : &migrations_postgres;
}

static size_t n_given(struct fixture *f)
{
    return db_kind(f->db) == DB_SQLITE ? 1 : 2;
}

static const char *history_table(struct fixture *f)
{
    return db_kind(f->db) == DB_SQLITE ? "__drizzle_migrations" : "drizzle.__drizzle_migrations";
}

/* Statements, some of them in pieces as drizzle-kit writes them. */
static void execute(struct fixture *f, struct str sql)
{
    struct str clean = str_replace(f->call.arena, sql, STR("--> statement-breakpoint"), STR("\n"));
    assert_ok(&f->call, db_begin(&f->call, f->db));
    assert_ok(&f->call, db_script(&f->call, f->db, clean));
    assert_ok(&f->call, db_commit(&f->call, f->db));
}

static void execute_text(struct fixture *f, const char *sql)
{
    execute(f, str_from(sql));
}

/* Entries [first, end) as Drizzle would have run them, without the history. */
static void execute_entries(struct fixture *f, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        execute(f, set_of(f)->entries[i].text);
}

static void make_history(struct fixture *f)
{
    if (db_kind(f->db) == DB_POSTGRES)
        execute_text(f, "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations "
                        "(id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)");
    else
        execute_text(
            f, "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)");
}

static void add_history(struct fixture *f, const char *hash, struct db_param when)
{
    const char *sql =
        str_format(f->call.arena, "INSERT INTO %s (hash, created_at) VALUES ($1, $2)", history_table(f)).ptr;
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, sql, DB_TEXT(str_from(hash)), when));
}

static void add_entry(struct fixture *f, size_t i)
{
    add_history(f, set_of(f)->entries[i].hash, DB_INT(set_of(f)->entries[i].when_ms));
}

static int64_t count_of(struct fixture *f, const char *sql)
{
    struct db_rows rows;
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, sql));
    return db_int(&rows, 0, 0);
}

static void assert_complete_history(struct fixture *f)
{
    const struct migration_set *set = set_of(f);
    struct db_rows rows;
    const char *sql =
        str_format(f->call.arena, "SELECT hash, created_at FROM %s ORDER BY created_at", history_table(f)).ptr;
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, sql));
    assert_int_equal(rows.n_rows, set->count);
    for (size_t i = 0; i < set->count; i++) {
        assert_true(str_eq(db_text(&rows, i, 0), str_from(set->entries[i].hash)));
        assert_true(db_int(&rows, i, 1) == set->entries[i].when_ms);
    }
}

static enum migrate_state state_of(struct fixture *f, struct migrate_status *status)
{
    assert_ok(&f->call, migrate_status(&f->call, f->db, status));
    return status->state;
}

static void assert_current(struct fixture *f)
{
    struct migrate_status status;
    struct migrate_result result;
    assert_int_equal(state_of(f, &status), MIGRATE_CURRENT);
    assert_int_equal(status.n_pending, 0);
    assert_int_equal(status.n_entries, set_of(f)->count);
    assert_ok(&f->call, migrate_apply(&f->call, f->db, &result));
    assert_int_equal(result.n_applied, 0);
    assert_int_equal(result.n_recorded, 0);
    assert_int_equal(count_of(f, "SELECT count(*) FROM mcp_data_keys"), 0);
}

/* Everything in the database that a refusal must leave alone, as one text. */
static struct str fingerprint(struct fixture *f)
{
    struct db_rows rows;
    const char *sql =
        db_kind(f->db) == DB_SQLITE
            ? "SELECT group_concat(name || coalesce(sql, ''), ';') FROM (SELECT * FROM sqlite_schema ORDER BY name)"
            : "SELECT string_agg(line, ';' ORDER BY line) FROM ("
              "SELECT n.nspname || '.' || c.relname AS line FROM pg_class c JOIN pg_namespace n "
              "ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'drizzle') UNION ALL "
              "SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint UNION ALL "
              "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%') x";
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, sql));
    return db_text(&rows, 0, 0);
}

static void assert_refused(struct fixture *f, const char *because)
{
    struct str before = fingerprint(f);
    assert_int_equal(migrate_apply(&f->call, f->db, NULL), E_CONFLICT);
    if (!str_contains(f->call.error_text, str_from(because)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(f->call.error_text), because);
    assert_true(str_eq(before, fingerprint(f)));
}

static void make_seven_users(struct fixture *f)
{
    for (int i = 1; i <= 7; i++)
        assert_ok(&f->call,
                  db_query(&f->call, f->db, NULL,
                           "INSERT INTO mcp_users (name, email, phone, password_hash) VALUES ($1, $2, $3, $4)",
                           DB_TEXT(str_format(f->call.arena, "User %d", i)),
                           DB_TEXT(str_format(f->call.arena, "user%d@example.org", i)), DB_TEXT(STR("5511")),
                           DB_TEXT(STR("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"))));
}

/* ---- from nothing ----------------------------------------------------------------------------------------------------- */

static void an_empty_database_gets_everything(void **state)
{
    struct fixture *f = *state;
    struct migrate_status status;
    struct migrate_result result;
    assert_int_equal(state_of(f, &status), MIGRATE_EMPTY);
    assert_int_equal(status.n_pending, set_of(f)->count);
    assert_false(status.entries[0].applied);
    assert_ok(&f->call, migrate_apply(&f->call, f->db, &result));
    assert_true(result.was_empty);
    assert_int_equal(result.n_applied, set_of(f)->count);
    assert_int_equal(result.n_recorded, 0);
    assert_complete_history(f);
    assert_current(f);
    make_seven_users(f);
    assert_int_equal(count_of(f, "SELECT count(*) FROM mcp_users"), 7);
}

static void an_empty_history_over_nothing_is_nothing(void **state)
{
    struct fixture *f = *state;
    struct migrate_status status;
    make_history(f);
    assert_int_equal(state_of(f, &status), MIGRATE_EMPTY);
    assert_ok(&f->call, migrate_apply(&f->call, f->db, NULL));
    assert_complete_history(f);
    assert_current(f);
}

static void the_lock_is_a_transaction(void **state)
{
    struct fixture *f = *state;
    struct call other;
    assert_ok(&f->call, migrate_apply(&f->call, f->db, NULL));
    assert_ok(&f->call, migrate_lock(&f->call, f->db));
    assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                 "INSERT INTO mcp_audit_heads (writer, seq, hash, updated_at) VALUES ('w', 1, 'h', $1)",
                                 DB_TIME(clock_now_ms())));
    call_begin(&other);
    other.deadline_ms = clock_monotonic_ms() + 300;
    assert_int_equal(migrate_lock(&other, f->db), E_TIMEOUT);
    arena_free(other.arena);
    assert_ok(&f->call, db_rollback(&f->call, f->db));
    assert_int_equal(count_of(f, "SELECT count(*) FROM mcp_audit_heads"), 0);
    assert_ok(&f->call, migrate_lock(&f->call, f->db));
    assert_ok(&f->call, db_commit(&f->call, f->db));
}

/* ---- adopted ---------------------------------------------------------------------------------------------------------- */

static void assert_adopted(struct fixture *f, size_t n_recorded)
{
    struct migrate_result result;
    assert_ok(&f->call, migrate_apply(&f->call, f->db, &result));
    assert_int_equal(result.n_recorded, n_recorded);
    assert_false(result.was_empty);
    assert_current(f);
    assert_int_equal(count_of(f, "SELECT count(*) FROM mcp_users"), 7);
}

static void a_history_of_the_given_migrations_is_continued(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, n_given(f));
    make_history(f);
    for (size_t i = 0; i < n_given(f); i++)
        add_entry(f, i);
    make_seven_users(f);
    assert_adopted(f, 0);
    assert_complete_history(f);
}

static void a_history_with_only_the_last_row_is_continued(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, 2);
    make_history(f);
    add_entry(f, 1);
    make_seven_users(f);
    assert_adopted(f, 0);
    assert_int_equal(count_of(f, "SELECT count(*) FROM drizzle.__drizzle_migrations"), set_of(f)->count - 1);
}

static void a_history_that_stopped_after_the_first_is_continued(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, 1);
    make_history(f);
    add_entry(f, 0);
    make_seven_users(f);
    assert_adopted(f, 0);
    assert_complete_history(f);
}

static void an_empty_history_over_the_tables_is_filled(void **state)
{
    struct fixture *f = *state;
    struct migrate_status status;
    execute_entries(f, 0, n_given(f));
    make_history(f);
    make_seven_users(f);
    assert_int_equal(state_of(f, &status), MIGRATE_ADOPT);
    assert_adopted(f, n_given(f));
    assert_complete_history(f);
}

static void tables_without_a_history_get_one(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, n_given(f));
    make_seven_users(f);
    assert_adopted(f, n_given(f));
    assert_complete_history(f);
}

/* The earlier system's other path: the same tables, PostgreSQL's own names for the foreign keys. */
static const char other_path[] =
    "ALTER TABLE mcp_audit_logs RENAME CONSTRAINT mcp_audit_logs_user_id_mcp_users_id_fk TO "
    "mcp_audit_logs_user_id_fkey;"
    "ALTER TABLE mcp_audit_logs RENAME CONSTRAINT mcp_audit_logs_connection_id_mcp_service_connections_id_fk "
    "TO mcp_audit_logs_connection_id_fkey;"
    "ALTER TABLE mcp_service_connections RENAME CONSTRAINT mcp_service_connections_user_id_mcp_users_id_fk "
    "TO mcp_service_connections_user_id_fkey;"
    "ALTER TABLE mcp_service_connections RENAME CONSTRAINT "
    "mcp_service_connections_provider_id_mcp_service_providers_id_fk TO mcp_service_connections_provider_id_fkey;"
    "ALTER TABLE mcp_tokens RENAME CONSTRAINT mcp_tokens_connection_id_mcp_service_connections_id_fk "
    "TO mcp_tokens_connection_id_fkey";

static void foreign_keys_under_other_names_are_renamed(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, 2);
    execute_text(f, other_path);
    make_seven_users(f);
    assert_int_equal(count_of(f, "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'mcp%fkey'"), 5);
    assert_adopted(f, 2);
    assert_int_equal(count_of(f, "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'mcp%fkey'"), 0);
    assert_complete_history(f);
}

static void a_row_without_a_time_is_repaired(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, n_given(f));
    make_history(f);
    for (size_t i = 0; i < n_given(f); i++)
        add_history(f, set_of(f)->entries[i].hash, DB_NULL);
    make_seven_users(f);
    assert_adopted(f, 0);
    assert_complete_history(f);
}

/* Drizzle 1.0 cuts the time to the second. */
static void a_history_without_milliseconds_is_continued(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, n_given(f));
    make_history(f);
    for (size_t i = 0; i < n_given(f); i++)
        add_history(f, set_of(f)->entries[i].hash, DB_INT(set_of(f)->entries[i].when_ms / 1000 * 1000));
    make_seven_users(f);
    assert_adopted(f, 0);
}

static void drizzle_1_columns_are_filled(void **state)
{
    struct fixture *f = *state;
    struct db_rows rows;
    execute_entries(f, 0, 2);
    make_history(f);
    add_entry(f, 0);
    add_entry(f, 1);
    execute_text(f, "ALTER TABLE drizzle.__drizzle_migrations ADD COLUMN name text, "
                    "ADD COLUMN applied_at timestamp with time zone DEFAULT now()");
    execute_text(f,
                 "UPDATE drizzle.__drizzle_migrations SET name = CASE id WHEN 1 THEN '20251123112327_true_ultimatum' "
                 "ELSE '20251123112457_black_legion' END, applied_at = NULL");
    make_seven_users(f);
    assert_adopted(f, 0);
    assert_ok(&f->call,
              db_query(&f->call, f->db, &rows,
                       "SELECT name, applied_at IS NULL, created_at FROM drizzle.__drizzle_migrations ORDER BY id"));
    assert_int_equal(rows.n_rows, set_of(f)->count);
    for (size_t i = 2; i < rows.n_rows; i++) {
        struct str tag = str_from(set_of(f)->entries[i].tag);
        char w[CLOCK_TEXT_BYTES];
        clock_format(set_of(f)->entries[i].when_ms, w);
        struct str expected = str_format(f->call.arena, "%.4s%.2s%.2s%.2s%.2s%.2s%.*s", w, w + 5, w + 8, w + 11, w + 14,
                                         w + 17, STR_ARG(str_from_offset(tag, 4)));
        assert_true(str_eq(db_text(&rows, i, 0), expected));
        assert_false(db_bool(&rows, i, 1));
    }
}

/* ---- refused ---------------------------------------------------------------------------------------------------------- */

static void a_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;
    struct migrate_status status;
    assert_ok(&f->call, migrate_apply(&f->call, f->db, NULL));
    add_history(f, "0123", DB_INT(set_of(f)->entries[set_of(f)->count - 1].when_ms + 5000));
    assert_int_equal(state_of(f, &status), MIGRATE_REFUSED);
    assert_true(str_contains(status.problem, STR("newer version")));
    assert_refused(f, "newer version");
}

static void a_foreign_history_is_refused(void **state)
{
    struct fixture *f = *state;
    make_history(f);
    add_history(f, "0123", DB_INT(1600000000000));
    assert_refused(f, "does not know");
}

static void an_unknown_row_without_a_time_is_refused(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, n_given(f));
    make_history(f);
    add_history(f, "0123", DB_NULL);
    assert_refused(f, "without a time");
}

static void a_history_over_missing_tables_is_refused(void **state)
{
    struct fixture *f = *state;
    make_history(f);
    for (size_t i = 0; i < n_given(f); i++)
        add_entry(f, i);
    assert_refused(f, "is missing");
}

static void some_of_the_tables_are_refused(void **state)
{
    struct fixture *f = *state;
    execute_text(f, "CREATE TABLE mcp_users (id integer PRIMARY KEY)");
    assert_refused(f, "neither empty");
}

static void a_table_of_ours_in_the_way_is_refused(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, 2);
    make_history(f);
    add_entry(f, 0);
    add_entry(f, 1);
    execute_text(f, "CREATE TABLE mcp_token_details (id integer)");
    assert_refused(f, "mcp_token_details");
}

static void a_role_without_rights_is_told(void **state)
{
    struct fixture *f = *state;
    char sql[200], url[256];
    struct db *weak;
    snprintf(sql, sizeof sql, "DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN");
    test_postgres_exec(f->database.name, sql);
    snprintf(url, sizeof url, "postgres://weak@%s", f->database.url + strlen("postgres://postgres@"));
    assert_ok(&f->call, db_open(&f->call, str_from(url), &weak));
    assert_int_equal(migrate_apply(&f->call, weak, NULL), E_CONFLICT);
    assert_true(str_contains(f->call.error_text, STR("permission denied")));
    db_close(weak);
}

/* Each difference alone. */
static const struct {
    const char *change, *because;
} differences[] = {
    {"ALTER TABLE mcp_users ADD COLUMN age integer", "age"},
    {"ALTER TABLE mcp_users DROP COLUMN reset_token", "reset_token"},
    {"ALTER TABLE mcp_users ALTER COLUMN email TYPE varchar(200)", "email"},
    {"ALTER TABLE mcp_users ALTER COLUMN name DROP NOT NULL", "name"},
    {"ALTER TABLE mcp_users ALTER COLUMN created_at DROP DEFAULT", "created_at"},
    {"DROP INDEX mcp_tokens_token_unique", "mcp_tokens_token_unique"},
    {"CREATE INDEX extra ON mcp_users (phone)", "extra"},
    {"DROP INDEX mcp_users_email_unique; CREATE INDEX mcp_users_email_unique ON mcp_users (email)", "email"},
    {"ALTER TABLE mcp_tokens DROP CONSTRAINT mcp_tokens_connection_id_mcp_service_connections_id_fk", "mcp_tokens"},
    {"ALTER TABLE mcp_tokens RENAME CONSTRAINT mcp_tokens_connection_id_mcp_service_connections_id_fk TO other",
     "other"},
    {"ALTER TABLE mcp_users ADD CONSTRAINT positive CHECK (id > 0)", "positive"},
    {"ALTER TABLE mcp_users ENABLE ROW LEVEL SECURITY", "row security"},
    {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
     "CREATE TRIGGER spy BEFORE INSERT ON mcp_users FOR EACH ROW EXECUTE FUNCTION f()",
     "spy"},
};

/* With a history and without; there, a foreign key that was to be renamed keeps its name. */
static void differing_tables_are_refused(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(differences); i++) {
        struct fixture other = {.call = f->call};
        test_database_new(&other.database, DB_POSTGRES);
        assert_ok(&f->call, db_open(&f->call, str_from(other.database.url), &other.db));
        execute_entries(&other, 0, 2);
        execute_text(&other, differences[i].change);
        if (i % 2) {
            make_history(&other);
            add_entry(&other, 1);
        } else {
            execute_text(&other, "ALTER TABLE mcp_audit_logs RENAME CONSTRAINT mcp_audit_logs_user_id_mcp_users_id_fk "
                                 "TO mcp_audit_logs_user_id_fkey");
        }
        assert_refused(&other, differences[i].because);
        db_close(other.db);
        test_database_done(&other.database);
    }
}

static void differing_sqlite_tables_are_refused(void **state)
{
    struct fixture *f = *state;
    execute_entries(f, 0, 1);
    execute_text(f, "CREATE INDEX extra ON mcp_users (phone)");
    assert_refused(f, "beyond");
    execute_text(f, "DROP INDEX extra; ALTER TABLE mcp_users ADD COLUMN age integer");
    assert_refused(f, "mcp_users");
}

/* ---- the embedded files ----------------------------------------------------------------------------------------------- */

static void the_given_files_are_the_earlier_systems(void **state)
{
    (void)state;
    const struct migration *given = migrations_postgres.entries;
    assert_string_equal(given[0].tag, "0000_true_ultimatum");
    assert_string_equal(given[0].hash, "180bb7d15ef48f8e23655a114b478f7f6e2010762014ece6672ad1c7d3f8ad1b");
    assert_true(given[0].when_ms == 1763897007693);
    assert_int_equal(given[0].text.len, 3251);
    assert_string_equal(given[1].tag, "0001_black_legion");
    assert_string_equal(given[1].hash, "fd6514f660177848a4dc01f9aa70ed085aa7c8698e2a6ccd60b94640e71b91b0");
    assert_true(given[1].when_ms == 1763897097248);
    assert_int_equal(given[1].text.len, 544);
}

static void times_rise_by_seconds(void **state)
{
    const struct migration_set *sets[] = {&migrations_postgres, &migrations_sqlite};
    (void)state;
    for (size_t s = 0; s < ARRAY_LENGTH(sets); s++)
        for (size_t i = 1; i < sets[s]->count; i++)
            assert_true(sets[s]->entries[i].when_ms / 1000 > sets[s]->entries[i - 1].when_ms / 1000);
}

/* ---- the program ------------------------------------------------------------------------------------------------------ */

static int migrate_program(const char *url)
{
    struct call call;
    struct db *db = NULL;
    struct migrate_result result = {0};
    if (!loop_init())
        return 1;
    call_begin(&call);
    int error = db_open(&call, str_from(url), &db);
    if (!error)
        error = migrate_apply(&call, db, &result);
    if (error)
        fprintf(stderr, "%s: %.*s\n", error_name(error), STR_ARG(call.error_text));
    else
        printf("applied %zu recorded %zu\n", result.n_applied, result.n_recorded);
    arena_free(call.arena);
    db_close(db);
    loop_done();
    return error ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "migrate") == 0)
        return migrate_program(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_given_files_are_the_earlier_systems),
        cmocka_unit_test(times_rise_by_seconds),
        ON_BOTH(an_empty_database_gets_everything),
        ON_BOTH(an_empty_history_over_nothing_is_nothing),
        ON_BOTH(the_lock_is_a_transaction),
        ON_BOTH(a_history_of_the_given_migrations_is_continued),
        ON_POSTGRES(a_history_with_only_the_last_row_is_continued),
        ON_POSTGRES(a_history_that_stopped_after_the_first_is_continued),
        ON_BOTH(an_empty_history_over_the_tables_is_filled),
        ON_BOTH(tables_without_a_history_get_one),
        ON_POSTGRES(foreign_keys_under_other_names_are_renamed),
        ON_BOTH(a_row_without_a_time_is_repaired),
        ON_BOTH(a_history_without_milliseconds_is_continued),
        ON_POSTGRES(drizzle_1_columns_are_filled),
        ON_BOTH(a_newer_schema_is_refused),
        ON_BOTH(a_foreign_history_is_refused),
        ON_BOTH(an_unknown_row_without_a_time_is_refused),
        ON_BOTH(a_history_over_missing_tables_is_refused),
        ON_BOTH(some_of_the_tables_are_refused),
        ON_POSTGRES(a_table_of_ours_in_the_way_is_refused),
        ON_POSTGRES(a_role_without_rights_is_told),
        ON_POSTGRES(differing_tables_are_refused),
        ON_SQLITE(differing_sqlite_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
