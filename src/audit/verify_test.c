/* Verification, checkpoints and retention where something is in the way: a database or file that fails, lines and rows that are none. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "audit/audit.h"
#include "audit/audit_test_help.h"
#include "audit/chain.h"
#include "audit/checkpoint.h"
#include "audit/retention.h"
#include "store/db_fault_test_help.h"

static char path[40]; /* the file of checkpoints */

static int setup(void **state, enum db_kind kind)
{
    struct fixture *f = *state = open_with_keys(kind, 600 * 1000);
    snprintf(path, sizeof path, "/tmp/porteiro-verify-XXXXXX");
    int made = mkstemp(path);
    assert_true(made >= 0);
    close(made);
    assert_ok(&f->call, audit_init(&f->call, STR("test")));
    assert_ok(&f->call, checkpoint_open(&f->call, str_from(path)));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = fixture_end_call(state);
    audit_done();
    checkpoint_close();
    close_with_keys(f);
    unlink(path);
    return 0;
}

static void record(struct fixture *f, int count)
{
    const struct audit_event event = {.action = STR("tool.wp_edit"), .data_json = STR("{\"a\":1}")};
    for (int i = 0; i < count; i++)
        assert_ok(&f->call, audit_record(&f->call, &event));
}

static struct audit_verdict verdict;

static int verifies(struct fixture *f)
{
    return audit_verify(&f->call, path, &verdict);
}

static int n_errors; /* of the next */

/* What is broken is told, also when the page behind it could not be read. */
static int verifies_what_is_broken(struct fixture *f)
{
    verdict.ok = true;
    int error = verifies(f);
    n_errors += error != OK;
    return !error && !verdict.ok && fault_left < 0 ? E_UNAVAILABLE : error;
}

static int marks(struct fixture *f)
{
    return checkpoint_write(&f->call, STR("test"));
}

static int prunes(struct fixture *f)
{
    int64_t removed;
    return retention_prune(&f->call, clock_now_ms() + 1000, 10, &removed);
}

static void the_database_fails(void **state)
{
    struct fixture *f = *state;
    record(f, 4);
    assert_true(each_statement_fails(f, marks) >= 2);
    record(f, 3);
    assert_ok(&f->call, marks(f));
    assert_true(each_statement_fails(f, verifies) >= 5);
    assert_true(verdict.ok);
    assert_int_equal(verdict.chained, 7);
    assert_true(each_statement_fails(f, prunes) >= 2);
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
    assert_true(verdict.removed >= 7); /* and what was recorded of the tries */
    /* It may also be looked at in a transaction. */
    assert_ok(&f->call, db_begin(&f->call, f->db));
    assert_ok(&f->call, verifies(f));
    assert_ok(&f->call, db_rollback(&f->call, f->db));
    assert_true(verdict.ok);
}

static void assert_marks(struct fixture *f, int64_t count)
{
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_checkpoints"), count);
}

static void where_checkpoints_go(void **state)
{
    struct fixture *f = *state;
    char below[64];
    snprintf(below, sizeof below, "%s/x", path);
    assert_int_equal(checkpoint_open(&f->call, str_from(below)), E_UNAVAILABLE);
    call_clear_error(&f->call);
    record(f, 1);
    assert_ok(&f->call, checkpoint_open(&f->call, (struct str){NULL, 0})); /* off */
    assert_ok(&f->call, marks(f));
    assert_marks(f, 0);
    assert_ok(&f->call, checkpoint_open(&f->call, STR_EMPTY)); /* into the database only */
    assert_ok(&f->call, marks(f));
    assert_ok(&f->call, marks(f));
    assert_marks(f, 1);
    assert_ok(&f->call, checkpoint_open(&f->call, STR("/dev/full"))); /* a full disk holds nobody up */
    record(f, 1);
    assert_ok(&f->call, marks(f));
    assert_marks(f, 2);
    sql(f, "UPDATE mcp_audit_heads SET hash = replace(hash, '.', '.x')");
    assert_ok(&f->call, checkpoint_open(&f->call, STR_EMPTY));
    assert_ok(&f->call, marks(f)); /* nothing to vouch for */
    assert_marks(f, 2);
    sql(f, "UPDATE mcp_audit_heads SET seq = 0");
    assert_ok(&f->call, marks(f));
    assert_marks(f, 2);
}

/* ---- the file */

static void append(const char *text, int times)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (int i = 0; i < times; i++)
        fputs(text, file);
    fclose(file);
}

struct seen {
    size_t count;
    int64_t last_seq;
};

static void see(void *context, const struct audit_mark *mark)
{
    struct seen *seen = context;
    seen->count++;
    seen->last_seq = mark->seq;
}

/* The file's first. */
static void make_line(struct fixture *f, char *line, int size)
{
    record(f, 2);
    assert_ok(&f->call, marks(f));
    FILE *from = fopen(path, "r");
    assert_non_null(from);
    assert_non_null(fgets(line, size, from));
    fclose(from);
}

static void lines_of_the_file(void **state)
{
    struct seen seen = {0};
    struct fixture *f = *state;
    struct checkpoint_file file;
    char line[1100] = {0}, longest[1200];
    make_line(f, line, sizeof line);
    append(line, 600); /* more than one block of them */
    append(line + 1, 1);
    append("{}\n", 1);
    memset(longest, ' ', sizeof longest - 1);
    longest[sizeof longest - 2] = '\n';
    longest[sizeof longest - 1] = '\0';
    append(longest, 1);
    append("{\"v\":1,\"writer\":\"test\",\"seq\":1,\"key\":"
           "\"0000000000000000000000000000000000000000000000000000000000000000\"}\n",
           1);
    append("{\"v\":1,\"wri", 1); /* cut off: it was just being written */
    assert_ok(&f->call, checkpoint_read(&f->call, path, see, &seen, &file));
    assert_int_equal(seen.count, 601);
    assert_int_equal(file.bad_line, 602);
    assert_int_equal(file.n_foreign, 1);
    assert_int_equal(seen.last_seq, 2);
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("line 602")));
    assert_int_equal(verdict.foreign, 1);
    /* What is no file, and what is too large to be one. */
    char below[64];
    snprintf(below, sizeof below, "%s/x", path);
    assert_int_equal(checkpoint_read(&f->call, below, see, &seen, &file), E_UNAVAILABLE);
    assert_int_equal(checkpoint_read(&f->call, "/tmp/porteiro-no-such-file", see, &seen, &file), E_NOT_FOUND);
    assert_int_equal(truncate(path, (off_t)CHECKPOINT_FILE_BYTES_MAX + 1), 0);
    assert_int_equal(checkpoint_read(&f->call, path, see, &seen, &file), E_LIMIT);
    call_clear_error(&f->call);
    assert_int_equal(audit_verify(&f->call, "/tmp/porteiro-no-such-file", &verdict), E_NOT_FOUND);
    call_clear_error(&f->call);
}

/* A full disk, or a power cut. */
static void a_piece_of_a_line_is_taken_away(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    struct checkpoint_file file;
    record(f, 2);
    assert_ok(&f->call, marks(f));
    append("{\"v\":1,\"writer\":\"te", 1);
    record(f, 1);
    assert_ok(&f->call, marks(f));
    assert_ok(&f->call, checkpoint_read(&f->call, path, see, &seen, &file));
    assert_int_equal(seen.count, 2);
    assert_int_equal(file.bad_line, 0);
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
}

/* More than what one batch of rows may hold; each of them is held against its row. */
static void a_long_file_is_read(void **state)
{
    struct fixture *f = *state;
    char line[1100] = {0};
    make_line(f, line, sizeof line);
    append(line, 262144);
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
    assert_true(verdict.checkpoints > 262144);
}

/* ---- writers */

/* A tombstone or checkpoint of a writer of whom there is nothing else. */
static void marks_without_rows(void **state)
{
    struct fixture *f = *state;
    struct audit_mark mark = {.writer = STR("gone"), .seq = 3, .hash = STR("x"), .at_ms = clock_now_ms()};
    record(f, 2);
    mark_sign(f->call.arena, MARK_TOMBSTONE, &mark);
    assert_ok(&f->call, store_tombstone_set(&f->call, &mark));
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("head of the writer \"gone\" is missing")));
    sql(f, "DELETE FROM mcp_audit_tombstones");
    mark_sign(f->call.arena, MARK_CHECKPOINT, &mark);
    assert_ok(&f->call, store_checkpoint_add(&f->call, &mark));
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("head of the writer \"gone\" is missing")));
    sql(f, "DELETE FROM mcp_audit_checkpoints");
    /* A tombstone with a hash that is none: nothing follows on it. */
    mark = (struct audit_mark){.writer = STR("test"), .seq = 1, .at_ms = clock_now_ms()};
    mark.hash = str_of("0123456789012345678901234567890123456789012345678901234567890123456789", 70);
    mark_sign(f->call.arena, MARK_TOMBSTONE, &mark);
    assert_ok(&f->call, store_tombstone_set(&f->call, &mark));
    sql(f, "DELETE FROM mcp_audit_index");
    sql(f, "DELETE FROM mcp_audit_logs WHERE id = (SELECT min(id) FROM mcp_audit_logs)");
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("does not follow")));
}

/* Two writers of one process, each with its first row. */
static void writers_have_their_own_checkpoints(void **state)
{
    struct fixture *f = *state;
    record(f, 1);
    assert_ok(&f->call, marks(f));
    audit_done();
    assert_ok(&f->call, audit_init(&f->call, STR("other")));
    assert_ok(&f->call, checkpoint_open(&f->call, str_from(path)));
    assert_ok(&f->call, marks(f));
    record(f, 1);
    assert_ok(&f->call, checkpoint_write(&f->call, STR("other")));
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
    assert_int_equal(verdict.chains, 2);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_checkpoints WHERE writer = 'other'"), 1);
}

/* What came while the rows were being read is left for the next time. */
static void rows_beyond_the_head(void **state)
{
    struct fixture *f = *state;
    record(f, 3);
    sql(f, "CREATE TABLE kept AS SELECT * FROM mcp_audit_heads");
    record(f, 2);
    sql(f, "DELETE FROM mcp_audit_heads");
    sql(f, "INSERT INTO mcp_audit_heads SELECT * FROM kept");
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
    assert_int_equal(verdict.rows, 5);
    assert_int_equal(verdict.chained, 3);
    sql(f, "DROP TABLE kept");
}

/* Retention has removed what came after the head that stands there now. */
static void a_head_put_back_behind_retention(void **state)
{
    struct fixture *f = *state;
    record(f, 3);
    sql(f, "CREATE TABLE kept AS SELECT * FROM mcp_audit_heads");
    record(f, 2);
    assert_ok(&f->call, prunes(f));
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
    assert_int_equal(verdict.removed, 5);
    sql(f, "DELETE FROM mcp_audit_index");
    sql(f, "DELETE FROM mcp_audit_logs"); /* what was recorded of the retention */
    sql(f, "DELETE FROM mcp_audit_heads");
    sql(f, "INSERT INTO mcp_audit_heads SELECT * FROM kept");
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("was put back")));
    sql(f, "DROP TABLE kept");
}

/* All rows are gone, and what is said to have been the last is not what the head names. */
static void a_tombstone_of_another_chain(void **state)
{
    struct fixture *f = *state;
    struct audit_mark mark = {.writer = STR("test"), .seq = 2, .at_ms = clock_now_ms()};
    mark.hash = STR("0123456789012345678901234567890123456789012345678901234567890123");
    record(f, 2);
    sql(f, "DELETE FROM mcp_audit_index");
    sql(f, "DELETE FROM mcp_audit_logs");
    mark_sign(f->call.arena, MARK_TOMBSTONE, &mark);
    assert_ok(&f->call, store_tombstone_set(&f->call, &mark));
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("does not fit its head")));
}

static void the_first_thing_that_is_wrong_is_told(void **state)
{
    struct fixture *f = *state;
    record(f, 1);
    assert_ok(&f->call, marks(f));
    record(f, 1);
    assert_ok(&f->call, marks(f));
    sql(f, "UPDATE mcp_audit_checkpoints SET signature = 'x'");
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("the checkpoint 1 of the writer")));
    sql(f, "DELETE FROM mcp_audit_checkpoints");
    sql(f, "INSERT INTO mcp_users (id, name, email, phone, password_hash) VALUES (7, 'a', 'a@b.c', '1', 'x')");
    sql(f, "INSERT INTO mcp_service_providers (id, \"key\", name) VALUES (3, 'p', 'P')");
    sql(f, "INSERT INTO mcp_service_connections (id, user_id, provider_id, name, config_json, secret_json, token_hash, "
           "status) "
           "VALUES (9, 7, 3, 'c', '{}', '{}', 'x', 'active')");
    const struct audit_event its = {
        .user_id = 7, .connection_id = 9, .action = STR("tool.wp_edit"), .data_json = STR("{}")};
    assert_ok(&f->call, audit_record(&f->call, &its));
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
    sql(f, "UPDATE mcp_audit_logs SET connection_id = 9 WHERE id = (SELECT min(id) FROM mcp_audit_logs)");
    assert_ok(&f->call, verifies(f));
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("user or connection")));
    /* Rows are missing, and the database fails when it is asked whether retention took them. */
    sql(f, "DELETE FROM mcp_audit_index");
    sql(f, "DELETE FROM mcp_audit_logs WHERE id = (SELECT min(id) FROM mcp_audit_logs)");
    n_errors = 0;
    int statements = each_statement_fails(f, verifies_what_is_broken);
    assert_int_equal(n_errors, statements - 1); /* who could not look is not told that rows are missing */
    assert_false(verdict.ok);
    assert_true(str_contains(verdict.problem, STR("are missing")));
}

/* So many are looked at and no more: the memory of one verification has an end. */
static void more_writers_than_are_looked_at(void **state)
{
    struct fixture *f = *state;
    struct audit_mark mark = {.writer = STR("gone"), .seq = 3, .hash = STR("x"), .at_ms = clock_now_ms()};
    record(f, 2);
    mark_sign(f->call.arena, MARK_TOMBSTONE, &mark);
    assert_ok(&f->call, store_tombstone_set(&f->call, &mark));
    mark_sign(f->call.arena, MARK_CHECKPOINT, &mark);
    assert_ok(&f->call, store_checkpoint_add(&f->call, &mark));
    sql(f, "DELETE FROM mcp_audit_heads");
    sql(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
           "INSERT INTO mcp_audit_heads (writer, seq, hash, updated_at) "
           "SELECT 'w' || i, 0, '', '2026-01-01 00:00:00.000' FROM n");
    assert_ok(&f->call, verifies(f));
    assert_true(verdict.ok);
    assert_int_equal(verdict.rows, 2);
    assert_int_equal(verdict.chained, 0);
}

/* ---- what a row may hold */

static struct str sealed(struct fixture *f, struct str data, struct chain_link *link)
{
    *link = (struct chain_link){.writer = STR("test"), .seq = 1, .prev = STR_EMPTY, .action = STR("x"), .at_ms = 5};
    return chain_seal(f->call.arena, data, link);
}

static void data_of_every_kind(void **state)
{
    static const char *const left_out[] = {"[]", "7", "{", "{\"a\":1,\"a\":2}", "\xff"};
    struct fixture *f = *state;
    struct arena *arena = f->call.arena;
    struct chain_link link, again;
    const struct json *data;
    struct str text = sealed(f, STR_EMPTY, &link);
    assert_true(chain_read(arena, text, &data, &again));
    assert_true(chain_hash_is_right(arena, data, &again));
    assert_text(chain_strip(arena, data), "{}");
    text = sealed(
        f, STR("{\"a\":[1,-2,1.5,99999999999999999999,true,null,\"x\\u0000y\",{}],\"chain\":7,\"z\":{\"b\":[]}}"),
        &link);
    assert_true(chain_read(arena, text, &data, &again));
    assert_true(chain_hash_is_right(arena, data, &again));
    assert_text(chain_strip(arena, data),
                "{\"a\":[1,-2,\"1.5\",\"99999999999999999999\",true,null,\"x\xEF\xBF\xBDy\",{}],\"z\":{\"b\":[]}}");
    for (size_t i = 0; i < ARRAY_LENGTH(left_out); i++) {
        text = sealed(f, str_from(left_out[i]), &link);
        assert_true(chain_read(arena, text, &data, &again));
        assert_true(chain_hash_is_right(arena, data, &again));
        assert_int_equal(json_i64_or(json_get(data, STR("left_out_bytes")), -1), (int64_t)strlen(left_out[i]));
    }
    char *large = arena_alloc(arena, AUDIT_DATA_BYTES_MAX + 1);
    memset(large, 'a', AUDIT_DATA_BYTES_MAX + 1);
    struct str begin = STR("{\"a\":\""), end = STR("\"}");
    memcpy(large, begin.ptr, begin.len);
    memcpy(large + AUDIT_DATA_BYTES_MAX - end.len, end.ptr, end.len);
    text = sealed(f, str_of(large, AUDIT_DATA_BYTES_MAX), &link);
    assert_true(chain_read(arena, text, &data, &again));
    assert_true(json_is(json_get(data, STR("a")), JSON_STRING));
    text = sealed(f, str_of(large, AUDIT_DATA_BYTES_MAX + 1), &link);
    assert_true(chain_read(arena, text, &data, &again));
    assert_int_equal(json_i64_or(json_get(data, STR("left_out_bytes")), -1), AUDIT_DATA_BYTES_MAX + 1);
    /* An action that no row has room for: no text rather than one that was cut. */
    char *action = arena_alloc(arena, (size_t)8 * AUDIT_DATA_BYTES_MAX);
    memset(action, 'a', (size_t)8 * AUDIT_DATA_BYTES_MAX);
    struct chain_link long_one = {.writer = STR("test"), .seq = 1, .prev = STR_EMPTY, .at_ms = 5};
    long_one.action = str_of(action, (size_t)8 * AUDIT_DATA_BYTES_MAX);
    assert_int_equal(chain_seal(arena, STR("{\"a\":1}"), &long_one).len, 0);
    assert_false(chain_read(arena, STR("[]"), &data, &again));
    assert_false(chain_read(arena, STR("{\"chain\":1}"), &data, &again));
    again.hash = STR("short");
    assert_false(chain_hash_is_right(arena, data, &again));
    again.hash = link.hash;
    assert_true(chain_read(arena, STR("{\"chain\":{}}"), &data, &again));
    again.hash = link.hash;
    assert_false(chain_hash_is_right(arena, data, &again)); /* it is not in the text */
}

static void heads(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = f->call.arena;
    struct str hash = STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), found;
    struct audit_head head = {.writer = STR("w"), .seq = 4, .hash = chain_head_make(arena, STR("w"), 4, hash)};
    assert_true(chain_head_read(arena, &head, &found));
    assert_true(str_eq(found, hash));
    const struct audit_head wrong[] = {
        {.writer = STR("v"), .seq = 4, .hash = head.hash},
        {.writer = STR("w"), .seq = 5, .hash = head.hash},
        {.writer = STR("w"), .seq = 0, .hash = head.hash},
        {.writer = STR("w"), .seq = 4, .hash = str_sub(head.hash, 0, 64)},
        {.writer = STR("w"), .seq = 4, .hash = str_sub(head.hash, 0, 65)},
        {.writer = STR("w"), .seq = 4, .hash = str_from_offset(head.hash, 1)},
        {.writer = STR("w"), .seq = 4, .hash = str_sub(head.hash, 0, head.hash.len - 1)},
        {.writer = STR("w"), .seq = 4, .hash = STR_EMPTY},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(chain_head_read(arena, &wrong[i], &found));
    head = (struct audit_head){.writer = STR("w"), .seq = 0, .hash = STR_EMPTY};
    assert_true(chain_head_read(arena, &head, &found));
}

/* What a command and the dashboard answer with is what stands in the call. */
static int verifies_and_says(struct fixture *f)
{
    int error = verifies(f);
    assert_int_equal(f->call.error, error);
    assert_true(!error || f->call.error_text.len > 0);
    return error;
}

static void a_failure_stands_in_the_call(void **state)
{
    struct fixture *f = *state;
    record(f, 2);
    assert_ok(&f->call, marks(f));
    assert_true(each_statement_fails(f, verifies_and_says) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(the_database_fails),
        ON_SQLITE(where_checkpoints_go),
        ON_SQLITE(lines_of_the_file),
        ON_SQLITE(a_piece_of_a_line_is_taken_away),
        ON_SQLITE(a_long_file_is_read),
        ON_SQLITE(marks_without_rows),
        ON_SQLITE(writers_have_their_own_checkpoints),
        ON_SQLITE(rows_beyond_the_head),
        ON_SQLITE(a_head_put_back_behind_retention),
        ON_SQLITE(a_tombstone_of_another_chain),
        ON_SQLITE(the_first_thing_that_is_wrong_is_told),
        ON_SQLITE(more_writers_than_are_looked_at),
        ON_SQLITE(data_of_every_kind),
        ON_SQLITE(heads),
        ON_SQLITE(a_failure_stands_in_the_call),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}
