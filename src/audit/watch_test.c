/* The light look at the newest rows of our chain: what is noticed, what is not disturbed, and what happens once only. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "audit/audit.h"
#include "audit/audit_test_help.h"
#include "audit/watch.h"
#include "store/audit.h"

static int n_found;
static char found_text[500];

static void found(struct str text)
{
    n_found++;
    assert_true(str_to_cstr(text, found_text, sizeof found_text));
}

static int setup(void **state, enum db_kind kind)
{
    struct fixture *f = *state = open_with_keys(kind, 600 * 1000);
    n_found = 0;
    watch_init(found);
    assert_ok(&f->call, audit_init(&f->call, STR("test")));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = fixture_end_call(state);
    audit_done();
    watch_init(NULL);
    close_with_keys(f);
    return 0;
}

static void record(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        const struct audit_event event = {.action = STR("tool.wp_edit"), .data_json = STR("{\"number\":1}")};
        assert_ok(&f->call, audit_record(&f->call, &event));
    }
}

static int64_t head(struct fixture *f)
{
    return sql_int(f, "SELECT seq FROM mcp_audit_heads WHERE writer LIKE 'test%'");
}

static struct str writer(struct fixture *f)
{
    struct db_rows rows;
    assert_ok(&f->call,
              db_query(&f->call, f->db, &rows, "SELECT writer FROM mcp_audit_heads WHERE writer LIKE 'test%'"));
    assert_int_equal(rows.n_rows, 1);
    return db_text(&rows, 0, 0);
}

static void look(struct fixture *f)
{
    assert_ok(&f->call, watch_look(&f->call, writer(f), head(f)));
}

static void assert_found(const char *part)
{
    assert_int_equal(n_found, 1);
    if (!strstr(found_text, part))
        fail_msg("\"%s\" does not say \"%s\"", found_text, part);
}

static void sound_rows_are_nothing_to_tell(void **state)
{
    struct fixture *f = *state;
    assert_true(watch_is_on());
    record(f, 5);
    look(f);
    look(f);        /* nothing new */
    record(f, 450); /* more than are read at once */
    look(f);
    assert_int_equal(n_found, 0);
}

static void a_changed_row_is_told_once(void **state)
{
    struct fixture *f = *state;
    record(f, 5);
    look(f);
    record(f, 5);
    int64_t id = sql_int(f, "SELECT max(id) - 2 FROM mcp_audit_logs");
    assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                 "UPDATE mcp_audit_logs SET action = 'tool.wp_read' WHERE id = $1", DB_INT(id)));
    look(f);
    assert_found(call_format(&f->call, "the row with the id %lld is not as it was written", (long long)id).ptr);
    record(f, 5);
    look(f);
    assert_int_equal(n_found, 1);
}

static void a_missing_row_is_told(void **state)
{
    struct fixture *f = *state;
    record(f, 5);
    look(f);
    record(f, 3);
    int64_t seq = head(f) - 1;
    sql(f, "DELETE FROM mcp_audit_logs WHERE id = (SELECT max(id) - 1 FROM mcp_audit_logs)");
    look(f);
    assert_found(call_format(&f->call, "row %lld of the chain", (long long)seq).ptr);
}

/* Rows from before the first look were somebody else's to look at (`audit verify`). */
static void what_is_old_is_not_read_again(void **state)
{
    struct fixture *f = *state;
    record(f, 5);
    look(f);
    sql(f, "UPDATE mcp_audit_logs SET action = 'x' WHERE id = (SELECT min(id) FROM mcp_audit_logs)");
    record(f, 2);
    look(f);
    assert_int_equal(n_found, 0);
}

static void too_many_rows_begin_anew(void **state)
{
    struct fixture *f = *state;
    record(f, 3);
    look(f);
    sql(f, "UPDATE mcp_audit_logs SET action = 'x'");
    assert_ok(&f->call, watch_look(&f->call, writer(f), head(f) + WATCH_ROWS_MAX + 1));
    assert_int_equal(n_found, 0);
    record(f, 3); /* from here on */
    look(f);
    assert_int_equal(n_found, 0);
}

static void another_chain_or_nobody_listening(void **state)
{
    struct fixture *f = *state;
    record(f, 3);
    look(f);
    record(f, 2);
    sql(f, "UPDATE mcp_audit_logs SET action = 'x' WHERE id = (SELECT max(id) FROM mcp_audit_logs)");
    assert_ok(&f->call, watch_look(&f->call, STR("another"), head(f)));
    assert_int_equal(n_found, 0);
    watch_head_changed(STR("test"));
    assert_found("the head of the chain \"test\" is not ours");
    look(f); /* what began ended with the head */
    assert_int_equal(n_found, 1);
    watch_init(NULL);
    assert_false(watch_is_on());
    watch_head_changed(STR("test"));
    assert_ok(&f->call, watch_begin(&f->call, STR("test"), 1, STR("x")));
    record(f, 1);
    look(f);
    assert_int_equal(n_found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(sound_rows_are_nothing_to_tell), ON_BOTH(a_changed_row_is_told_once),
        ON_BOTH(a_missing_row_is_told),          ON_SQLITE(what_is_old_is_not_read_again),
        ON_SQLITE(too_many_rows_begin_anew),     ON_SQLITE(another_chain_or_nobody_listening),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
