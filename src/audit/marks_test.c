/*
 * Checkpoints, retention and export of the audit log, and how fast it is verified.
 * PORTEIRO_TEST_ROWS: so many rows to verify; PORTEIRO_TEST_EDITS: so many random edits to find.
 */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "audit/audit.h"
#include "audit/audit_test_help.h"
#include "audit/checkpoint.h"
#include "audit/export.h"
#include "audit/retention.h"
#include "json/json.h"

#include <time.h>

static char checkpoints[32]; /* the file that they are also written to */

static int setup(void **state, enum db_kind kind)
{
    struct fixture *f = *state = open_with_keys(kind, 3600 * 1000);
    snprintf(checkpoints, sizeof checkpoints, "/tmp/porteiro-marks-XXXXXX");
    int made = mkstemp(checkpoints);
    assert_true(made >= 0);
    close(made);
    assert_ok(&f->call, audit_init(&f->call, STR("test")));
    assert_ok(&f->call, checkpoint_open(&f->call, str_from(checkpoints)));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = fixture_end_call(state);
    audit_done();
    retention_set_days(0);
    close_with_keys(f);
    unlink(checkpoints);
    return 0;
}

static void record(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        const struct audit_event event = {.action = STR("tool.wp_edit"),
                                          .data_json = call_format(&f->call, "{\"number\":%d,\"text\":\"olá\"}", i)};
        assert_ok(&f->call, audit_record(&f->call, &event));
    }
}

static struct audit_verdict verify(struct fixture *f, bool with_file)
{
    struct audit_verdict verdict;
    assert_ok(&f->call, audit_verify(&f->call, with_file ? checkpoints : NULL, &verdict));
    return verdict;
}

static void assert_sound(struct fixture *f)
{
    struct audit_verdict verdict = verify(f, true);
    if (!verdict.ok)
        fail_msg("row %lld: %.*s", (long long)verdict.broken_id, STR_ARG(verdict.problem));
}

static void assert_broken(struct fixture *f, bool with_file, int64_t id, int64_t last_id, const char *part)
{
    struct audit_verdict verdict = verify(f, with_file);
    if (verdict.ok)
        fail_msg("nobody noticed: %s", part);
    if (!str_contains(verdict.problem, str_from(part)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(verdict.problem), part);
    assert_int_equal(verdict.broken_id, id);
    assert_int_equal(verdict.last_id, last_id);
}

static struct str file_text(struct fixture *f)
{
    char *text = arena_alloc(f->call.arena, 64 * 1024);
    FILE *file = fopen(checkpoints, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, 64 * 1024 - 1, file);
    fclose(file);
    return str_of(text, size);
}

static void write_file(struct str text)
{
    FILE *file = fopen(checkpoints, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    fclose(file);
}

/* ---- checkpoints */

static void a_checkpoint_says_where_a_chain_was(void **state)
{
    struct fixture *f = *state;
    record(f, 4);
    assert_ok(&f->call, audit_flush(&f->call)); /* the end of a process */
    assert_ok(&f->call, audit_flush(&f->call));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_checkpoints"), 1);
    record(f, 2);
    assert_ok(&f->call, checkpoint_write(&f->call, STR("test")));
    assert_ok(&f->call, checkpoint_write(&f->call, STR("test"))); /* nothing new */
    assert_ok(&f->call, checkpoint_write(&f->call, STR("nobody")));
    struct str text = file_text(f), line;
    const struct json *value;
    assert_true(str_next(&text, '\n', &line));
    assert_true(json_parse(f->call.arena, line, NULL, &value, NULL) >= 0);
    assert_int_equal(json_i64_or(json_get(value, STR("seq")), 0), 4);
    assert_true(str_next(&text, '\n', &line));
    assert_int_equal(text.len, 0);
    struct audit_verdict verdict = verify(f, true);
    assert_true(verdict.ok);
    assert_int_equal(verdict.checkpoints, 4); /* two in the database, two in the file */
}

/* Somebody with the master key rewrites all: only what he cannot reach tells. */
static void what_was_rewritten_with_the_key_in_hand(void **state)
{
    struct fixture *f = *state;
    record(f, 6);
    assert_ok(&f->call, checkpoint_write(&f->call, STR("test")));
    sql(f, "DELETE FROM mcp_audit_index");
    sql(f, "DELETE FROM mcp_audit_logs");
    sql(f, "DELETE FROM mcp_audit_heads");
    sql(f, "DELETE FROM mcp_audit_checkpoints");
    record(f, 8); /* with other times: other hashes */
    assert_true(verify(f, false).ok);
    int64_t sixth = sql_int(f, "SELECT id FROM mcp_audit_logs ORDER BY id LIMIT 1") + 5;
    assert_broken(f, true, sixth, 0, "was rewritten: the checkpoint of");
}

/* The rows and the head of an older copy of the database. */
static void an_end_cut_off_with_its_head(void **state)
{
    struct fixture *f = *state;
    record(f, 3);
    sql(f, "CREATE TABLE kept AS SELECT * FROM mcp_audit_heads");
    record(f, 3);
    assert_ok(&f->call, checkpoint_write(&f->call, STR("test")));
    sql(f, "DELETE FROM mcp_audit_logs WHERE id > 3");
    assert_broken(f, false, 0, 3, "3 rows are missing at the end");
    sql(f, "UPDATE mcp_audit_heads SET seq = (SELECT seq FROM kept), hash = (SELECT hash FROM kept)");
    assert_broken(f, false, 0, 3, "its head was put back");
    sql(f, "DELETE FROM mcp_audit_checkpoints");
    assert_true(verify(f, false).ok); /* that is what the file is for */
    assert_broken(f, true, 0, 3, "its head was put back");
}

static void checkpoints_that_are_none(void **state)
{
    struct fixture *f = *state;
    record(f, 3);
    assert_ok(&f->call, checkpoint_write(&f->call, STR("test")));
    struct str line = file_text(f);
    assert_sound(f);
    /* Cut off while it was written. */
    write_file(str_concat(f->call.arena, line, str_sub(line, 0, 40)));
    assert_sound(f);
    write_file(str_concat(f->call.arena, line, str_replace(f->call.arena, line, STR("\"seq\":3"), STR("\"seq\":2"))));
    assert_broken(f, true, 0, 0, "line 2 of");
    write_file(STR("x\n"));
    assert_broken(f, true, 0, 0, "line 1 of");
    /* Of another server: counted, not believed. */
    struct str key = str_from_offset(line, str_find(line, STR("\"key\":\"")) + 7);
    write_file(str_replace(f->call.arena, line, str_sub(key, 0, 4), STR("0000")));
    struct audit_verdict verdict = verify(f, true);
    assert_true(verdict.ok);
    assert_int_equal(verdict.foreign, 1);
    write_file(line);
    sql(f, "UPDATE mcp_audit_checkpoints SET hash = 'x'");
    assert_broken(f, true, 0, 0, "the checkpoint 3 of the writer \"test\" was changed");
}

/* ---- retention */

static void set_age(struct fixture *f, int64_t *before_ms, int young)
{
    while (clock_now_ms() <= *before_ms)
        usleep(1000);
    *before_ms = clock_now_ms();
    while (clock_now_ms() <= *before_ms)
        usleep(1000);
    record(f, young);
}

static void old_rows_go_and_the_rest_verifies(void **state)
{
    struct fixture *f = *state;
    int64_t before_ms = 0, removed;
    record(f, 700);
    audit_done();
    assert_ok(&f->call, audit_init(&f->call, STR("other")));
    assert_ok(&f->call, checkpoint_open(&f->call, str_from(checkpoints)));
    record(f, 3);
    assert_ok(&f->call, checkpoint_write(&f->call, STR("test")));
    assert_ok(&f->call, checkpoint_write(&f->call, STR("other")));
    set_age(f, &before_ms, 2);
    assert_ok(&f->call, retention_prune(&f->call, before_ms, INT64_MAX, &removed));
    assert_int_equal(removed, 703);
    assert_sound(f);
    struct audit_verdict verdict = verify(f, true);
    assert_int_equal(verdict.removed, 703);
    assert_int_equal(verdict.chained, 3); /* and the event of the removal */
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_index"), 3);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_checkpoints"), 0);
    assert_ok(&f->call, retention_prune(&f->call, before_ms, INT64_MAX, &removed));
    assert_int_equal(removed, 0);
    record(f, 2);
    assert_sound(f);

    /* More than retention took. */
    int64_t first = sql_int(f, "SELECT min(id) FROM mcp_audit_logs");
    sql(f, call_format(&f->call, "DELETE FROM mcp_audit_logs WHERE id = %lld", (long long)first).ptr);
    assert_broken(f, true, first + 1, 0, "before this row 1 rows");
    sql(f, "UPDATE mcp_audit_tombstones SET seq = seq + 1 WHERE writer = 'other'");
    assert_broken(f, true, 0, 0, "the tombstone of the writer \"other\" was changed");
    /* And such a tombstone is not made good by the next removal. */
    int64_t later_ms = 0;
    set_age(f, &later_ms, 1);
    assert_int_equal(retention_prune(&f->call, later_ms, INT64_MAX, &removed), E_CRYPTO);
    assert_broken(f, true, 0, 0, "the tombstone of the writer \"other\" was changed");
}

static void a_changed_row_does_not_go(void **state)
{
    struct fixture *f = *state;
    int64_t before_ms = 0, removed;
    record(f, 10);
    sql(f, "UPDATE mcp_audit_logs SET action = 'x' WHERE id = 1");
    sql(f, f->database.kind == DB_SQLITE
               ? "UPDATE mcp_audit_logs SET data = json_set(data, '$.number', 77) WHERE id = 5"
               : "UPDATE mcp_audit_logs SET data = jsonb_set(data, '{number}', '77') WHERE id = 5");
    set_age(f, &before_ms, 1);
    assert_int_equal(retention_prune(&f->call, before_ms, INT64_MAX, &removed), E_CRYPTO);
    assert_int_equal(sql_int(f, "SELECT min(id) FROM mcp_audit_logs"), 5);
    assert_broken(f, true, 5, 0, "hash does not fit");
}

static void the_setting_removes_by_itself(void **state)
{
    struct fixture *f = *state;
    record(f, 2);
    sql(f,
        "INSERT INTO mcp_audit_logs (action, data, created_at) VALUES ('auth.login', '{}', '2020-01-01 00:00:00.000')");
    assert_ok(&f->call, retention_when_due(&f->call, clock_monotonic_ms()));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs"), 3); /* no days are set */
    retention_set_days(1);
    assert_ok(&f->call, retention_when_due(&f->call, clock_monotonic_ms()));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs"), 3); /* it stands behind younger ones */
    sql(f, "UPDATE mcp_audit_logs SET id = -1 WHERE action = 'auth.login'");
    assert_ok(&f->call, retention_when_due(&f->call, clock_monotonic_ms()));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs"), 3); /* not within the hour */
    retention_set_days(1);
    assert_ok(&f->call, retention_when_due(&f->call, clock_monotonic_ms()));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'auth.login'"), 0);
    assert_sound(f);
}

static int also_ran;

static void count_also(struct call *call)
{
    (void)call;
    also_ran++;
}

/* What is not the audit log's goes by its own age, whatever is kept here; once an hour, and at once when the machine was just started. */
static void others_forget_when_it_looks(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t now_ms;
        int ran;
    } looks[] = {
        {5, 1}, {6, 1}, {5 + RETENTION_EVERY_MS - 1, 1}, {5 + RETENTION_EVERY_MS, 2}, {6 + RETENTION_EVERY_MS, 2}};
    also_ran = 0;
    retention_also(count_also);
    for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
        assert_ok(&f->call, retention_when_due(&f->call, looks[i].now_ms));
        assert_int_equal(also_ran, looks[i].ran);
    }
    retention_also(NULL);
}

/* A day has 24 hours. */
static void a_row_stays_for_its_days(void **state)
{
    enum { MARGIN_MS = 60 * 1000, ROWS = 2 };
    static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    struct fixture *f = *state;
    const int64_t days[] = {1, 30};
    for (size_t i = 0; i < ARRAY_LENGTH(days); i++) {
        int64_t now_ms = clock_now_ms();
        const int64_t ages[ROWS] = {days[i] * day_ms + MARGIN_MS, days[i] * day_ms - MARGIN_MS};
        for (int row = 0; row < ROWS; row++)
            assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                         "INSERT INTO mcp_audit_logs (id, action, data, created_at) VALUES ($1, "
                                         "'auth.login', '{}', $2)",
                                         DB_INT(row + 1), DB_TIME(now_ms - ages[row])));
        retention_set_days(days[i]);
        assert_ok(&f->call, retention_when_due(&f->call, clock_monotonic_ms()));
        assert_int_equal(sql_int(f, "SELECT min(id) FROM mcp_audit_logs WHERE action = 'auth.login'"), 2);
        sql(f, "DELETE FROM mcp_audit_logs WHERE action = 'auth.login'");
        sql(f, "DELETE FROM mcp_audit_logs");
        sql(f, "DELETE FROM mcp_audit_heads");
        retention_set_days(0);
        audit_done();
        assert_ok(&f->call, audit_init(&f->call, STR("test")));
    }
}

/* ---- export */

static int collect(struct call *call, struct str text, void *context)
{
    (void)call;
    buf_add(context, text);
    return OK;
}

static struct str export_all(struct fixture *f, const struct export_query *query, int64_t *ret_events)
{
    struct buf out;
    buf_init(&out, f->call.arena, 4 * 1024 * 1024);
    assert_ok(&f->call, audit_export(&f->call, query, collect, &out, ret_events));
    return buf_str(&out);
}

static void events_as_text(void **state)
{
    struct fixture *f = *state;
    int64_t events;
    record(f, 2);
    const struct audit_event odd = {
        .action = STR("=cmd()"), .user_id = 7, .data_json = STR("{\"outcome\":\"-1\",\"note\":\"a\\\"b,\\nc\"}")};
    assert_ok(&f->call, audit_record(&f->call, &odd));
    struct export_query query = {.format = EXPORT_JSONL};
    struct str text = export_all(f, &query, &events), line;
    assert_int_equal(events, 3);
    for (int i = 0; i < 3; i++) {
        const struct json *value;
        assert_true(str_next(&text, '\n', &line));
        assert_true(json_parse(f->call.arena, line, NULL, &value, NULL) >= 0);
        assert_non_null(json_get(json_get(json_get(value, STR("data")), STR("chain")), STR("hash")));
    }
    query = (struct export_query){.format = EXPORT_CSV, .user_id = 7};
    text = export_all(f, &query, &events);
    assert_int_equal(events, 1);
    assert_true(str_contains(text, STR(",\"'=cmd()\",7,,,\"'-1\",\"\",\"{")));
    assert_true(str_contains(text, STR("\"\"note\"\"")));
    query = (struct export_query){.action_prefix = STR("tool."), .until_ms = 1000};
    export_all(f, &query, &events);
    assert_int_equal(events, 0);
    query.until_ms = 0;
    export_all(f, &query, &events);
    assert_int_equal(events, 2);
}

/* ---- many */

static int64_t number_from(const char *variable, int64_t standard)
{
    const char *text = getenv(variable);
    int64_t number;
    return text && str_to_i64(str_from(text), &number) ? number : standard;
}

static void add_many(struct fixture *f, int64_t count)
{
    struct call piece;
    call_init_piece(&piece, &f->call, 64 * 1024 * 1024);
    for (int64_t i = 0; i < count; i++) {
        const struct audit_event event = {
            .user_id = i % 100,
            .action = STR("tool.wp_edit"),
            .data_json =
                STR("{\"call\":\"0123456789abcdef\",\"client\":\"203.0.113.7\",\"outcome\":\"ok\",\"changes\":[17],"
                    "\"arguments\":{\"id\":1234,\"find\":\"an old sentence\",\"replace\":\"a new sentence\"}}")};
        audit_later(&event);
        if (i % 2048 == 2047 || i + 1 == count) {
            piece.deadline_ms = clock_monotonic_ms() + 60 * 1000;
            assert_ok(&piece, audit_flush(&piece));
            arena_reset(piece.arena);
        }
    }
}

static void many_rows_are_verified(void **state)
{
    struct fixture *f = *state;
    int64_t count = number_from("PORTEIRO_TEST_ROWS", 20 * 1000), began_ms = clock_monotonic_ms();
    add_many(f, count);
    int64_t added_ms = clock_monotonic_ms();
    clock_t cpu = clock();
    struct audit_verdict verdict = verify(f, true);
    int64_t took_ms = clock_monotonic_ms() - added_ms, cpu_ms = (int64_t)(clock() - cpu) * 1000 / CLOCKS_PER_SEC;
    assert_true(verdict.ok);
    assert_int_equal(verdict.chained, count);
    assert_true(verdict.checkpoints >= 2 * (count / 2048));
    print_message("%lld rows written in %lld ms, verified in %lld ms (%lld ms of this process's CPU)\n",
                  (long long)count, (long long)(added_ms - began_ms), (long long)took_ms, (long long)cpu_ms);
#if !defined(__SANITIZE_THREAD__)            /* which makes it a hundred microseconds a row */
    assert_true(took_ms < 1000 + count / 5); /* many times what a quiet machine takes */
    assert_true(cpu_ms < 500 + count / 20);  /* 50 microseconds a row: ASan takes five times as long as none */
#endif
}

/* Whatever somebody does to one of the rows, at any place. */
static void random_edits_are_found(void **state)
{
    struct fixture *f = *state;
    int64_t rows = 60, edits = number_from("PORTEIRO_TEST_EDITS", 150);
    bool is_sqlite = f->database.kind == DB_SQLITE;
    record(f, (int)rows);
    sql(f, "CREATE TABLE kept AS SELECT * FROM mcp_audit_logs");
    for (int64_t i = 0; i < edits; i++) {
        int64_t id = 1 + (int64_t)randombytes_uniform((uint32_t)rows), broken_id = id;
        const char *text = NULL;
        struct call piece;
        call_init_piece(&piece, &f->call, 1024 * 1024);
        switch (i % 5) {
        case 0: /* changed */
            text = is_sqlite ? "UPDATE mcp_audit_logs SET data = json_set(data, '$.number', -1) WHERE id = %lld"
                             : "UPDATE mcp_audit_logs SET data = jsonb_set(data, '{number}', '-1') WHERE id = %lld";
            break;
        case 1: /* deleted */
            text = "DELETE FROM mcp_audit_logs WHERE id = %lld";
            broken_id = id == rows ? 0 : id + 1;
            break;
        case 2: /* swapped with the next */
            if (id == rows)
                id = broken_id = rows - 1;
            text =
                "UPDATE mcp_audit_logs SET data = (SELECT data FROM kept WHERE kept.id = CASE WHEN mcp_audit_logs.id = "
                "%lld THEN mcp_audit_logs.id + 1 ELSE mcp_audit_logs.id - 1 END) WHERE id IN (%lld, %lld + 1)";
            break;
        case 3: /* the end cut off */
            text = "DELETE FROM mcp_audit_logs WHERE id >= %lld";
            broken_id = 0;
            break;
        default: /* one put in again */
            text = "INSERT INTO mcp_audit_logs (id, action, data, created_at) SELECT 61, action, data, created_at FROM "
                   "kept "
                   "WHERE id = %lld";
            broken_id = 61;
        }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        sql(f, call_format(&piece, text, (long long)id, (long long)id, (long long)id).ptr);
#pragma GCC diagnostic pop
        struct audit_verdict verdict = verify(f, false);
        if (verdict.ok || verdict.broken_id != broken_id)
            fail_msg("edit %d at row %lld: %s, row %lld", (int)(i % 5), (long long)id, verdict.ok ? "unseen" : "seen",
                     (long long)verdict.broken_id);
        sql(f, "DELETE FROM mcp_audit_logs");
        sql(f, "INSERT INTO mcp_audit_logs SELECT * FROM kept");
        arena_reset(piece.arena);
    }
    assert_true(verify(f, false).ok);
    print_message("%lld edits, all found\n", (long long)edits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_checkpoint_says_where_a_chain_was),
        ON_BOTH(what_was_rewritten_with_the_key_in_hand),
        ON_SQLITE(an_end_cut_off_with_its_head),
        ON_SQLITE(checkpoints_that_are_none),
        ON_BOTH(old_rows_go_and_the_rest_verifies),
        ON_BOTH(a_changed_row_does_not_go),
        ON_SQLITE(the_setting_removes_by_itself),
        ON_SQLITE(others_forget_when_it_looks),
        ON_SQLITE(a_row_stays_for_its_days),
        ON_BOTH(events_as_text),
        ON_BOTH(many_rows_are_verified),
        ON_BOTH(random_edits_are_found),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
