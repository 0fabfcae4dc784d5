/* The audit chains: what is recorded, and that every change by somebody without the key is found. */
#include <sodium.h> /* before base/banned.h */

#include "audit/audit.h"
#include "audit/audit_test_help.h"
#include "audit/chain.h"
#include "net/task.h"

static int setup(void **state, enum db_kind kind)
{
    struct fixture *f = *state = open_with_keys(kind, 100 * 1000);
    assert_ok(&f->call, audit_init(&f->call, STR("test")));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = fixture_end_call(state);
    audit_done();
    close_with_keys(f);
    return 0;
}

static const char *checkpoints_file; /* that verify() compares with */

static void record(struct fixture *f, const char *action, const char *data)
{
    const struct audit_event event = {.action = str_from(action), .data_json = str_from(data)};
    assert_ok(&f->call, audit_record(&f->call, &event));
}

static struct audit_verdict verify(struct fixture *f)
{
    struct audit_verdict verdict;
    assert_ok(&f->call, audit_verify(&f->call, checkpoints_file, &verdict));
    return verdict;
}

static void assert_sound(struct fixture *f, int64_t chained)
{
    struct audit_verdict verdict = verify(f);
    if (!verdict.ok)
        fail_msg("row %lld: %.*s", (long long)verdict.broken_id, STR_ARG(verdict.problem));
    assert_int_equal(verdict.chained, chained);
}

static void assert_broken(struct fixture *f, int64_t id, const char *part)
{
    struct audit_verdict verdict = verify(f);
    if (verdict.ok)
        fail_msg("nobody noticed: %s", part);
    if (!str_contains(verdict.problem, str_from(part)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(verdict.problem), part);
    assert_int_equal(verdict.broken_id, id);
}

static void record_ten(struct fixture *f)
{
    for (int i = 1; i <= 10; i++)
        record(f, i == 3 ? "tool.wp_edit" : "tool.wp_find",
               call_format(&f->call, "{\"number\":%d,\"text\":\"olá \\\"%d\\\"\"}", i, i).ptr);
    assert_sound(f, 10);
}

/* ---- what is recorded */

static void rows_have_their_final_form(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    sql(f, "INSERT INTO mcp_users (id, name, email, phone, password_hash) VALUES (7, 'a', 'a@b.c', '1', 'x')");
    const struct audit_event event = {
        .user_id = 7,
        .connection_id = 99, /* not there (any more) */
        .token_id = 5,
        .action = STR("auth.login"),
        .data_json = STR("{\"z\":1,\"email\":\"a@b.c\",\"n\":{\"y\":[true,null,-5],\"x\":1.50}}"),
    };
    assert_ok(call, audit_record(call, &event));
    struct audit_query query = {0};
    struct audit_rows rows;
    assert_ok(call, audit_list(call, &query, &rows));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.items[0].user_id, 7);
    assert_int_equal(rows.items[0].connection_id, 0);
    assert_true(str_contains(rows.items[0].data_json, STR("\"chain\"")));
    struct audit_shown shown = audit_show(call, &rows.items[0]);
    assert_true(shown.is_chained);
    assert_int_equal(shown.user_id, 7);
    assert_int_equal(shown.connection_id, 99);
    assert_int_equal(shown.token_id, 5);
    assert_in_range(shown.at_ms, clock_now_ms() - 60 * 1000, clock_now_ms());
    assert_false(str_contains(shown.data_json, STR("chain")));
    const struct json *a, *b;
    assert_ok(call, json_parse(call->arena, shown.data_json, NULL, &a, NULL));
    assert_ok(call,
              json_parse(call->arena, STR("{\"email\":\"a@b.c\",\"n\":{\"x\":\"1.50\",\"y\":[true,null,-5]},\"z\":1}"),
                         NULL, &b, NULL));
    assert_true(json_equal(a, b)); /* what is no integer became a string */
    assert_sound(f, 1);
}

static void whatever_data_the_chain_holds(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    static const char *const data[] = {
        "",
        "{}",
        "[]",
        "no json",
        "{\"a\":1,\"a\":2}",
        "{\"chain\":{\"seq\":99}}",
        "{\"a\":\"\\u0000\",\"b\":\"\\\\u0000\"}",
        "{\"a\":1e400,\"b\":1e200000,\"c\":12345678901234567890,\"d\":-0,\"e\":1.0}",
        "{\"b\":1,\"a\":2,\"\\u00e9\":\"\\ud83d\\ude00\",\"\":3}",
        "{\"a\":\"\xff\"}",
        "{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(data); i++)
        record(f, "x", data[i]);
    record(f, "x", call_format(call, "{\"a\":\"%070000d\"}", 0).ptr);
    record(f, "an.action.that.is.longer.than.the.column.and.must.be.cut.at.sixty.bytes", "{}");
    assert_sound(f, ARRAY_LENGTH(data) + 2);
    struct audit_query query = {0};
    struct audit_rows rows;
    assert_ok(call, audit_list(call, &query, &rows));
    assert_int_equal(rows.items[0].action.len, 60);
    assert_true(str_contains(rows.items[1].data_json, STR("left_out_bytes")));
}

static void an_event_lives_and_dies_with_its_transaction(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct audit_event event = {.action = STR("x")};
    record(f, "first", "{}");
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, audit_record(call, &event));
    assert_ok(call, audit_record(call, &event));
    assert_ok(call, db_rollback(call, f->db));
    assert_sound(f, 1);
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, audit_record(call, &event));
    assert_ok(call, audit_record(call, &event));
    assert_ok(call, db_commit(call, f->db));
    assert_sound(f, 3);
}

static void listing_by_filters(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    for (int i = 1; i <= 30; i++) {
        const struct audit_event event = {
            .user_id = i % 3, .connection_id = i % 2, .action = i % 5 ? STR("tool.wp_find") : STR("auth.login")};
        assert_ok(call, audit_record(call, &event));
    }
    static const struct {
        struct audit_query query;
        size_t count;
    } cases[] = {
        {{0}, 30},
        {{.user_id = 1}, 10},
        {{.connection_id = 1}, 15},
        {{.user_id = 1, .connection_id = 1}, 5},
        {{.action_prefix = STR_INIT("auth.")}, 6},
        {{.action_prefix = STR_INIT("auth%")}, 0},
        {{.user_id = 2, .action_prefix = STR_INIT("tool")}, 8},
        {{.limit = 7}, 7},
        {{.since_ms = 4102444800000}, 0},
        {{.since_ms = 1000}, 30},
        {{.user_id = 55}, 0},
    };
    struct audit_rows rows;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_ok(call, audit_list(call, &cases[i].query, &rows));
        assert_int_equal(rows.count, cases[i].count);
        for (size_t k = 1; k < rows.count; k++)
            assert_true(rows.items[k].id < rows.items[k - 1].id);
    }
    struct audit_query page = {.limit = 20};
    assert_ok(call, audit_list(call, &page, &rows));
    page.before_id = rows.items[19].id;
    assert_ok(call, audit_list(call, &page, &rows));
    assert_int_equal(rows.count, 10);
}

/* ---- batches */

static void later_is_written_in_order(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    for (int i = 0; i < 150; i++) {
        const struct audit_event event = {
            .user_id = 1, .action = STR("tool.wp_read"), .data_json = call_format(call, "{\"i\":%d}", i)};
        audit_later(&event);
    }
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs"), 0);
    assert_ok(call, audit_flush(call));
    assert_sound(f, 150);
    struct audit_query query = {.user_id = 1, .limit = 150};
    struct audit_rows rows;
    assert_ok(call, audit_list(call, &query, &rows));
    assert_int_equal(rows.count, 150);
    for (int i = 0; i < 150; i++)
        assert_true(str_eq(audit_show(call, &rows.items[149 - i]).data_json, call_format(call, "{\"i\":%d}", i)));
    assert_ok(call, audit_flush(call));
    assert_sound(f, 150);
}

/* Until so many rows are there, however slow this machine is. */
static void await_rows(struct fixture *f, int64_t count)
{
    for (int i = 0; i < 1000 && sql_int(f, "SELECT count(*) FROM mcp_audit_logs") < count; i++)
        assert_ok(&f->call, task_sleep(&f->call, 20));
}

static void later_is_written_by_itself(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct audit_event event = {.action = STR("tool.wp_read")};
    int64_t begun_ms = clock_monotonic_ms();
    audit_later(&event);
    await_rows(f, 1);
    assert_true(clock_monotonic_ms() - begun_ms >= AUDIT_BATCH_MS / 2); /* it waited for others */
    assert_sound(f, 1);
    for (int i = 0; i < AUDIT_BATCH_ROWS; i++)
        audit_later(&event);
    await_rows(f, 1 + AUDIT_BATCH_ROWS);
    assert_sound(f, 1 + AUDIT_BATCH_ROWS);
    /* A record in between waits for nothing and joins the same chain. */
    audit_later(&event);
    record(f, "x", "{}");
    assert_ok(call, audit_flush(call));
    assert_sound(f, 3 + AUDIT_BATCH_ROWS);
}

static void later_waits_for_the_database(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct audit_event event = {.action = STR("tool.wp_read")};
    sql(f, "ALTER TABLE mcp_audit_heads RENAME TO gone");
    for (int i = 0; i < AUDIT_QUEUE_ROWS_MAX + 5; i++)
        audit_later(&event);
    assert_int_not_equal(audit_flush(call), OK);
    call_clear_error(call);
    sql(f, "ALTER TABLE gone RENAME TO mcp_audit_heads");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs"), 0);
    call->deadline_ms += 100 * 1000;
    assert_ok(call, audit_flush(call));
    assert_sound(f, AUDIT_QUEUE_ROWS_MAX + 1);
    struct audit_query query = {.action_prefix = STR("audit.dropped")};
    struct audit_rows rows;
    assert_ok(call, audit_list(call, &query, &rows));
    assert_int_equal(rows.count, 1);
    assert_true(str_eq(audit_show(call, &rows.items[0]).data_json, STR("{\"events\":5}")));
}

struct writer {
    struct call call;
    int left, errors;
};
static int n_writers;

static void write_many(struct call *call, void *context)
{
    struct writer *writer = context;
    const struct audit_event event = {.action = STR("x")};
    while (writer->left-- > 0)
        if (audit_record(call, &event))
            writer->errors++;
}

static void write_ended(struct call *call, void *context)
{
    (void)context;
    arena_free(call->arena);
    n_writers--;
}

static void many_tasks_write_one_chain(void **state)
{
    struct fixture *f = *state;
    enum { WRITERS = 20, EVENTS = 10 };
    static struct writer writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.left = EVENTS};
        call_init(&writers[i].call, arena_new(4 * 1024 * 1024), 60 * 1000);
        assert_int_equal(task_spawn(&writers[i].call, write_many, write_ended, &writers[i]), OK);
        n_writers++;
    }
    while (n_writers)
        loop_turn();
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(writers[i].errors, 0);
    assert_sound(f, WRITERS * EVENTS);
}

/* ---- tampering */

static void edits_are_found(void **state)
{
    struct fixture *f = *state;
    bool is_sqlite = f->database.kind == DB_SQLITE;
    record_ten(f);
    static const struct {
        const char *sqlite, *postgres, *says;
    } edits[] = {
        {"data = json_set(data, '$.number', 77)", "data = jsonb_set(data, '{number}', '77')", "hash"},
        {"data = json_set(data, '$.new', 1)", "data = jsonb_set(data, '{new}', '1')", "hash"},
        {"data = json_remove(data, '$.text')", "data = data - 'text'", "hash"},
        {"data = json_set(data, '$.chain.user', 1)", "data = jsonb_set(data, '{chain,user}', '1')", "hash"},
        {"data = json_set(data, '$.chain.at', 1)", "data = jsonb_set(data, '{chain,at}', '1')", "hash"},
        {"data = json_set(data, '$.chain.prev', 'x')", "data = jsonb_set(data, '{chain,prev}', '\"x\"')", "hash"},
        {"data = json_set(data, '$.chain.hash', 'x')", "data = jsonb_set(data, '{chain,hash}', '\"x\"')", "hash"},
        {"data = json_set(data, '$.chain.seq', 4)", "data = jsonb_set(data, '{chain,seq}', '4')", "missing"},
        {"data = json_set(data, '$.chain.seq', 2)", "data = jsonb_set(data, '{chain,seq}', '2')", "out of order"},
        {"action = 'tool.wp_read'", "action = 'tool.wp_read'", "action or time"},
        {"created_at = '2020-01-01 00:00:00.000'", "created_at = '2020-01-01 00:00:00.000'", "action or time"},
        {"user_id = 1", "user_id = 1", "user or connection"},
    };
    sql(f, "INSERT INTO mcp_users (id, name, email, phone, password_hash) VALUES (1, 'a', 'a@b.c', '1', 'x')");
    sql(f, "CREATE TABLE kept AS SELECT * FROM mcp_audit_logs");
    for (size_t i = 0; i < ARRAY_LENGTH(edits); i++) {
        sql(f, call_format(&f->call, "UPDATE mcp_audit_logs SET %s WHERE id = 3",
                           is_sqlite ? edits[i].sqlite : edits[i].postgres)
                   .ptr);
        assert_broken(f, 3, edits[i].says);
        sql(f, "UPDATE mcp_audit_logs SET user_id = k.user_id, action = k.action, data = k.data, "
               "created_at = k.created_at FROM kept k WHERE k.id = mcp_audit_logs.id");
        assert_sound(f, 10);
    }
    /* Deleting a user empties the column, and that is no damage. */
    const struct audit_event event = {.user_id = 1, .action = STR("x")};
    assert_ok(&f->call, audit_record(&f->call, &event));
    sql(f, "DELETE FROM mcp_users");
    assert_sound(f, 11);
}

static void removals_are_found(void **state)
{
    struct fixture *f = *state;
    record_ten(f);
    sql(f, "CREATE TABLE kept AS SELECT * FROM mcp_audit_logs");
    static const struct {
        const char *sql, *says;
        int64_t id;
    } removals[] = {
        {"DELETE FROM mcp_audit_logs WHERE id = 5", "1 rows", 6},
        {"DELETE FROM mcp_audit_logs WHERE id IN (1, 2)", "2 rows", 3},
        {"DELETE FROM mcp_audit_logs WHERE id = 10", "1 rows are missing at the end", 0},
        {"DELETE FROM mcp_audit_logs WHERE id > 4", "6 rows are missing at the end", 0},
        {"DELETE FROM mcp_audit_logs", "10 rows are missing at the end", 0},
        {"UPDATE mcp_audit_logs SET data = '{}' WHERE id = 5", "1 rows", 6},
        {"UPDATE mcp_audit_logs SET data = NULL WHERE id = 10", "at the end", 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(removals); i++) {
        sql(f, removals[i].sql);
        assert_broken(f, removals[i].id, removals[i].says);
        sql(f, "DELETE FROM mcp_audit_logs");
        sql(f, "INSERT INTO mcp_audit_logs SELECT * FROM kept");
        assert_sound(f, 10);
    }
    /* Cutting the end off, and telling the head so: only who has the key can do that. */
    sql(f, "DELETE FROM mcp_audit_logs WHERE id > 7");
    sql(f, "UPDATE mcp_audit_heads SET seq = 7, hash = (SELECT data -> 'chain' ->> 'hash' FROM kept WHERE id = 7) || "
           "substr(hash, 65)");
    assert_broken(f, 0, "head");
    sql(f, "UPDATE mcp_audit_heads SET seq = 7, hash = (SELECT data -> 'chain' ->> 'hash' FROM kept WHERE id = 7)");
    assert_broken(f, 0, "head");
    /* Nor does going on from there vouch for it. */
    record(f, "x", "{}");
    assert_broken(f, 0, "head");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_heads"), 2);
    sql(f, "DELETE FROM mcp_audit_heads");
    assert_broken(f, 0, "head");
}

static void reordering_is_found(void **state)
{
    struct fixture *f = *state;
    record_ten(f);
    /* Rows 4 and 5 change places, index and all. */
    sql(f, "UPDATE mcp_audit_logs SET action = k.action, data = k.data, created_at = k.created_at FROM "
           "(SELECT 9 - id AS id, action, data, created_at FROM mcp_audit_logs WHERE id IN (4, 5)) k "
           "WHERE k.id = mcp_audit_logs.id");
    assert_broken(f, 4, "1 rows");
    /* A copy of an old row at the end. */
    sql(f, "UPDATE mcp_audit_logs SET action = k.action, data = k.data, created_at = k.created_at FROM "
           "(SELECT 9 - id AS id, action, data, created_at FROM mcp_audit_logs WHERE id IN (4, 5)) k "
           "WHERE k.id = mcp_audit_logs.id");
    assert_sound(f, 10);
    sql(f, "INSERT INTO mcp_audit_logs (id, action, data, created_at) "
           "SELECT 100, action, data, created_at FROM mcp_audit_logs WHERE id = 2");
    assert_broken(f, 100, "out of order");
}

/* Somebody who knows how it is made, but has no key, writes the chain anew from one row on. */
static void rewriting_is_found(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    record_ten(f);
    struct audit_rows rows;
    struct str prev = STR_EMPTY;
    assert_ok(call, store_audit_after(call, 0, 100, &rows));
    for (size_t i = 0; i < rows.count; i++) {
        const struct json *data;
        struct chain_link link;
        assert_true(chain_read(call->arena, rows.items[i].data_json, &data, &link));
        if (rows.items[i].id >= 4) {
            link.prev = prev;
            struct str forged = chain_seal(
                call->arena, rows.items[i].id == 4 ? STR("{\"number\":0}") : chain_strip(call->arena, data), &link);
            assert_ok(call, db_query(call, f->db, NULL, "UPDATE mcp_audit_logs SET data = $1 WHERE id = $2",
                                     DB_TEXT(forged), DB_INT(rows.items[i].id)));
        }
        prev = link.hash;
    }
    assert_broken(f, 10, "rewritten");
    assert_ok(call,
              db_query(call, f->db, NULL, "UPDATE mcp_audit_heads SET hash = $1 || substr(hash, 65)", DB_TEXT(prev)));
    assert_broken(f, 0, "head");
}

static void rows_of_the_earlier_system_are_no_damage(void **state)
{
    struct fixture *f = *state;
    sql(f, "INSERT INTO mcp_audit_logs (action, data) VALUES ('auth.login', '{\"email\":\"a@b.c\"}'), ('x', NULL)");
    record(f, "x", "{}");
    struct audit_verdict verdict = verify(f);
    assert_true(verdict.ok);
    assert_int_equal(verdict.rows, 3);
    assert_int_equal(verdict.chained, 1);
    assert_int_equal(verdict.chains, 1);
    struct audit_query query = {0};
    struct audit_rows rows;
    assert_ok(&f->call, audit_list(&f->call, &query, &rows));
    struct audit_shown shown = audit_show(&f->call, &rows.items[2]);
    assert_false(shown.is_chained);
    assert_true(str_contains(shown.data_json, STR("a@b.c")));
}

static void chains_are_apart(void **state)
{
    struct fixture *f = *state;
    record_ten(f);
    audit_done();
    assert_ok(&f->call, audit_init(&f->call, STR("other/worker-1")));
    for (int i = 0; i < 5; i++)
        record(f, "x", "{}");
    struct audit_verdict verdict = verify(f);
    assert_true(verdict.ok);
    assert_int_equal(verdict.chains, 2);
    assert_int_equal(verdict.chained, 15);
    sql(f, "DELETE FROM mcp_audit_logs WHERE id = 12");
    assert_broken(f, 13, "other/worker-1");
}

/* How long calls took: in all, the longest, and the 95th of a hundred, in whatever order they came. */
static void calls_are_counted_and_timed(void **state)
{
    enum { CALLS = 60 };
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct audit_counts counts;
    bool mine;
    assert_ok(call, store_begin(call, &mine));
    for (int i = 1; i <= CALLS; i++) {
        const struct audit_event event = {
            .user_id = 3,
            .action = i == CALLS ? STR("tool.wp_find.intent") : STR("tool.wp_find"),
            .data_json =
                call_format(call, i % 20 ? "{\"outcome\":\"ok\",\"ms\":%d,\"bytes\":10}" : "{\"outcome\":\"ok\"}",
                            i * 7 % 61 * 10)};
        assert_ok(call, audit_record(call, &event));
    }
    const struct audit_event slow = {
        .user_id = 3, .action = STR("tool.wp_read"), .data_json = STR("{\"outcome\":\"timeout\",\"ms\":30000}")};
    assert_ok(call, store_end(call, mine, audit_record(call, &slow)));
    for (int by_token = 0; by_token < 2; by_token++) {
        assert_ok(call, store_audit_count(call, 3, 0, by_token, &counts));
        assert_int_equal(counts.count, 2);
        const struct audit_count *ok = &counts.items[str_eq(counts.items[0].outcome, STR("ok")) ? 0 : 1],
                                 *late = ok == counts.items ? ok + 1 : counts.items;
        assert_int_equal(ok->count, CALLS - 1);
        assert_int_equal(ok->timed, CALLS - 3); /* the 20th and the 40th have no time, the 60th is an intent */
        assert_int_equal(ok->bytes_total, 10 * (CALLS - 3));
        assert_int_equal(ok->ms_max, 600);
        assert_int_equal(ok->ms_p95, 580); /* the 55th of 57 */
        assert_true(ok->ms_total > 57 * 10 && ok->ms_total < 57 * 600);
        assert_int_equal(late->ms_p95, 30000);
    }
}

static int post_user(struct call *call, void *context)
{
    int *times = context;
    ++*times;
    return db_post(call, store_db(), DB_POST_MUST_CHANGE, "UPDATE mcp_users SET name = 'b' WHERE name = 'a'");
}

static void with_what_belongs_to_it(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct audit_event event = {.action = STR("tool.wp_edit"), .data_json = STR("{\"outcome\":\"ok\"}")};
    int times = 0;
    sql(f, "INSERT INTO mcp_users (id, name, email, phone, password_hash) VALUES (7, 'a', 'a@b.c', '1', 'x')");
    record(f, "tool.wp_edit.intent", "{}");
    assert_ok(call, audit_record_with(call, &event, post_user, &times));
    assert_int_equal(times, 1);
    assert_text(sql_text(f, "SELECT name FROM mcp_users"), "b");
    assert_sound(f, 2);
    /* neither without the other */
    assert_int_equal(audit_record_with(call, &event, post_user, &times), E_CONFLICT);
    assert_sound(f, 2);
    /* another process of the same name went on with the chain meanwhile, or the head is not what this one remembers */
    bool mine;
    assert_ok(call, store_begin(call, &mine));
    assert_ok(call, audit_record(call, &event));
    assert_ok(call, db_rollback(call, store_db()));
    sql(f, "UPDATE mcp_users SET name = 'a'");
    assert_ok(call, audit_record_with(call, &event, post_user, &times));
    assert_text(sql_text(f, "SELECT name FROM mcp_users"), "b");
    record(f, "tool.wp_edit", "{}");
    assert_sound(f, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(rows_have_their_final_form),
        ON_BOTH(whatever_data_the_chain_holds),
        ON_BOTH(an_event_lives_and_dies_with_its_transaction),
        ON_BOTH(listing_by_filters),
        ON_BOTH(later_is_written_in_order),
        ON_BOTH(later_is_written_by_itself),
        ON_SQLITE(later_waits_for_the_database), /* 300 transactions: the queue is the same on both */
        ON_BOTH(many_tasks_write_one_chain),
        ON_BOTH(edits_are_found),
        ON_BOTH(removals_are_found),
        ON_BOTH(reordering_is_found),
        ON_BOTH(rewriting_is_found),
        ON_BOTH(rows_of_the_earlier_system_are_no_damage),
        ON_BOTH(chains_are_apart),
        ON_BOTH(calls_are_counted_and_timed),
        ON_BOTH(with_what_belongs_to_it),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
