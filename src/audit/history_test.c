/* What was changed at services: kept, shown, bounded, forgotten, and shut when somebody edits the rows. On both databases. */
#include <sodium.h> /* before base/banned.h */

#include "audit/audit_test_help.h"
#include "audit/history.h"
#include "net/task.h"

static struct history_owner ana, other_connection, bob; /* the first two are one user's */

static struct history_owner owner_of(int64_t user_id, int64_t connection_id, struct str wrapped)
{
    return (struct history_owner){user_id, connection_id, 70 + connection_id, wrapped, STR("wp_edit")};
}

static int setup(void **state, enum db_kind kind)
{
    struct fixture *f = *state = open_with_keys(kind, 100 * 1000);
    struct str wrapped[2];
    sql(f, "INSERT INTO mcp_service_providers (key, name) VALUES ('wordpress', 'WordPress')");
    sql(f, "INSERT INTO mcp_users (name, email, phone, password_hash) VALUES ('Ana', 'a@x.example', '1', 'x'), "
           "('Bob', 'b@x.example', '2', 'x')");
    sql(f, "INSERT INTO mcp_service_connections (user_id, provider_id, name, status, config_json, secret_json, "
           "token_hash) VALUES (1, 1, 'blog', 'active', '{}', '{}', 'h1'), (1, 1, 'shop', 'active', '{}', '{}', 'h2'), "
           "(2, 1, 'blog', 'active', '{}', '{}', 'h3')");
    for (int i = 0; i < 2; i++)
        assert_ok(&f->call, keyring_new_data_key(&f->call, i + 1, &wrapped[i]));
    ana = owner_of(1, 1, wrapped[0]);
    other_connection = owner_of(1, 2, wrapped[0]);
    bob = owner_of(2, 3, wrapped[1]);
    history_set_limits(&(struct history_limits){HISTORY_DAYS, HISTORY_CHANGES_MAX, HISTORY_BYTES_MAX});
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = fixture_end_call(state);
    close_with_keys(f);
    return 0;
}

static struct site_change change_of(int64_t item_id, const char *before)
{
    return (struct site_change){.kind = STR("edit"),
                                .item_type = STR("post"),
                                .item_id = item_id,
                                .note_json = STR("{\"title\":\"Tide\"}"),
                                .before_json = str_from(before)};
}

static struct site_change begin(struct fixture *f, const struct history_owner *owner, int64_t item_id,
                                const char *before)
{
    struct site_change change = change_of(item_id, before);
    assert_ok(&f->call, history_begin(&f->call, owner, &change));
    assert_true(change.number > 0);
    return change;
}

static struct site_change done(struct fixture *f, const struct history_owner *owner, int64_t item_id,
                               const char *before, const char *after)
{
    struct site_change change = begin(f, owner, item_id, before);
    change.after_json = str_from(after);
    assert_ok(&f->call, history_end(&f->call, owner, &change, CHANGE_DONE));
    return change;
}

static struct site_change get(struct fixture *f, const struct history_owner *owner, int64_t number)
{
    struct site_change change;
    assert_ok(&f->call, history_get(&f->call, owner, number, &change));
    return change;
}

static struct change_list list(struct fixture *f, const struct history_owner *owner, struct change_query query)
{
    struct change_list found;
    if (!query.limit)
        query.limit = 100;
    assert_ok(&f->call, history_list(&f->call, owner, &query, &found));
    return found;
}

#define assert_text(actual, expected)                                                                                  \
    do {                                                                                                               \
        struct str text_ = (actual);                                                                                   \
        if (!str_eq(text_, STR(expected)))                                                                             \
            fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(text_), expected);                                              \
    } while (0)

static void a_change_is_kept_before_and_after(void **state)
{
    struct fixture *f = *state;
    struct site_change change = begin(f, &ana, 34, "{\"title\":\"Old\"}");
    assert_int_equal(change.number, 1);
    struct site_change found = get(f, &ana, 1); /* as after a crash: before is there, the outcome is not */
    assert_int_equal(found.state, CHANGE_BEGUN);
    assert_text(found.before_json, "{\"title\":\"Old\"}");
    assert_int_equal(found.after_json.len, 0);
    assert_int_equal(found.ended_at_ms, 0);

    change.after_json = STR("{\"title\":\"New\"}");
    change.note_json = STR("{\"title\":\"New\"}");
    assert_ok(&f->call, history_end(&f->call, &ana, &change, CHANGE_DONE));
    found = get(f, &ana, 1);
    assert_int_equal(found.state, CHANGE_DONE);
    assert_text(found.kind, "edit");
    assert_text(found.item_type, "post");
    assert_int_equal(found.item_id, 34);
    assert_text(found.before_json, "{\"title\":\"Old\"}");
    assert_text(found.after_json, "{\"title\":\"New\"}");
    assert_text(found.note_json, "{\"title\":\"New\"}");
    assert_text(found.tool, "wp_edit");
    assert_true(found.ended_at_ms >= found.begun_at_ms && found.begun_at_ms > 0);

    /* Nothing of it can be read in the database; a quotation mark cannot be there by chance, as three letters can. */
    assert_int_equal(sql_int(f,
                             "SELECT COUNT(*) FROM mcp_changes WHERE before_sealed LIKE '%\"Old%' OR after_sealed LIKE "
                             "'%\"New%' OR note_sealed LIKE '%\"New%'"),
                     0);
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes WHERE token_id = 71 AND user_id = 1"), 1);
    assert_int_equal(
        sql_int(f, call_format(&f->call, "SELECT COUNT(*) FROM mcp_changes WHERE call_id = '%s'", f->call.id).ptr), 1);
}

static void a_failed_one_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct site_change change = begin(f, &ana, 34, "{}");
    assert_ok(&f->call, history_end(&f->call, &ana, &change, CHANGE_FAILED));
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes"), 0);
    change = begin(f, &ana, 34, "{}");
    assert_ok(&f->call, history_end(&f->call, &ana, &change, CHANGE_UNKNOWN));
    assert_int_equal(get(f, &ana, change.number).state, CHANGE_UNKNOWN);
}

static void numbers_and_rows_belong_to_a_connection(void **state)
{
    struct fixture *f = *state;
    struct site_change found;
    assert_int_equal(done(f, &ana, 1, "{}", "{}").number, 1);
    assert_int_equal(done(f, &ana, 2, "{}", "{}").number, 2);
    assert_int_equal(done(f, &bob, 3, "{}", "{}").number, 1);
    assert_int_equal(done(f, &other_connection, 4, "{}", "{}").number, 1);
    assert_int_equal(list(f, &ana, (struct change_query){0}).count, 2);
    assert_int_equal(list(f, &bob, (struct change_query){0}).count, 1);
    assert_int_equal(history_get(&f->call, &bob, 2, &found), E_NOT_FOUND);
    /* Another user who names the connection gets nothing: both stand in the query. */
    struct history_owner thief = bob;
    thief.connection_id = ana.connection_id;
    assert_int_equal(history_get(&f->call, &thief, 1, &found), E_NOT_FOUND);
    assert_int_equal(list(f, &thief, (struct change_query){0}).count, 0);
    struct site_change change = get(f, &ana, 1);
    assert_int_equal(history_end(&f->call, &thief, &change, CHANGE_DONE), E_NOT_FOUND);
    assert_ok(&f->call, history_end(&f->call, &thief, &change, CHANGE_FAILED)); /* deletes nothing of hers */
    assert_int_equal(list(f, &ana, (struct change_query){0}).count, 2);
}

static void listing(void **state)
{
    struct fixture *f = *state;
    for (int i = 1; i <= 7; i++)
        done(f, &ana, i % 2, "{}", "{}");
    struct site_change part = change_of(9, "{}");
    part.part_of = 7;
    assert_ok(&f->call, history_begin(&f->call, &ana, &part));
    struct site_change undo = change_of(1, "{}");
    undo.undo_of = 3;
    assert_ok(&f->call, history_begin(&f->call, &ana, &undo));
    assert_int_equal(get(f, &ana, 3).undone_by, 0); /* not yet done */
    assert_ok(&f->call, history_end(&f->call, &ana, &undo, CHANGE_DONE));

    struct change_list found = list(f, &ana, (struct change_query){.limit = 3});
    assert_int_equal(found.count, 3);
    assert_true(found.has_more);
    assert_int_equal(found.items[0].number, 9);
    assert_int_equal(found.items[0].undo_of, 3);
    assert_int_equal(found.items[1].number, 7); /* 8 is part of 7 */
    assert_int_equal(found.items[2].number, 6);
    found = list(f, &ana, (struct change_query){.below = 6});
    assert_int_equal(found.count, 5);
    assert_false(found.has_more);
    assert_int_equal(found.items[2].number, 3);
    assert_int_equal(found.items[2].undone_by, 9);
    found = list(f, &ana, (struct change_query){.item_id = 9});
    assert_int_equal(found.count, 1);
    found = list(f, &ana, (struct change_query){.part_of = 7});
    assert_int_equal(found.count, 1);
    assert_int_equal(found.items[0].number, 8);
    assert_text(found.items[0].note_json, "{\"title\":\"Tide\"}");
}

/* A long text of which a word changes is kept once, and comes back whole. */
static void what_stays_is_kept_once(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *old, *new;
    } words[] = {{"tide", "ebb"}, {"ebb", "tide"}, {"", "new"}, {"old", ""}, {"same", "same"}, {"ã", "á"}};
    char *before = arena_alloc(f->call.arena, 9000), *after = arena_alloc(f->call.arena, 9000);
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        int at = (int)i * 800; /* at the beginning, in between */
        snprintf(before, 9000, "{\"content\":\"%0*d%s%0*d\"}", at, 0, words[i].old, 4000, 0);
        snprintf(after, 9000, "{\"content\":\"%0*d%s%0*d\"}", at, 0, words[i].new, 4000, 0);
        struct site_change change = done(f, &ana, 34, before, after), found = get(f, &ana, change.number);
        assert_true(str_eq(found.before_json, str_from(before)));
        assert_true(str_eq(found.after_json, str_from(after)));
    }
    assert_true(sql_int(f, "SELECT MAX(LENGTH(after_sealed)) FROM mcp_changes") < 250);
    done(f, &ana, 34, before, "{\"content\":\"quite another\"}"); /* and what has nothing of it, as it is */
    assert_text(get(f, &ana, 7).after_json, "{\"content\":\"quite another\"}");
}

/* Its end as part of a transaction of somebody else. */
static void an_end_in_another_transaction(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct history_ending *ending;
    struct site_change change = begin(f, &ana, 34, "{\"title\":\"Old\"}");
    change.after_json = STR("{\"title\":\"New\"}");
    for (int commits = 0; commits < 2; commits++) {
        assert_ok(call, history_seal_end(call, &ana, &change, CHANGE_DONE, &ending));
        assert_ok(call, db_begin(call, f->db));
        assert_ok(call, history_post_end(call, ending));
        assert_ok(call, commits ? db_commit(call, f->db) : db_rollback(call, f->db));
        history_end_posted(ending);
        assert_int_equal(get(f, &ana, 1).state, commits ? CHANGE_DONE : CHANGE_BEGUN);
    }
    assert_text(get(f, &ana, 1).after_json, "{\"title\":\"New\"}");
    struct site_change failed = begin(f, &ana, 35, "{}");
    assert_ok(call, history_seal_end(call, &ana, &failed, CHANGE_FAILED, &ending));
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, history_post_end(call, ending));
    assert_ok(call, db_commit(call, f->db));
    history_end_posted(ending);
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes"), 1);
    /* of somebody else's, or one that is gone, the transaction fails */
    change.number = 9;
    assert_ok(call, history_seal_end(call, &ana, &change, CHANGE_DONE, &ending));
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, history_post_end(call, ending));
    assert_int_equal(db_commit(call, f->db), E_CONFLICT);
    history_end_posted(ending);
}

static void too_large(void **state)
{
    struct fixture *f = *state;
    static char large[CHANGE_BYTES_MAX + 3];
    memset(large, 'x', sizeof large - 1);
    struct site_change change = change_of(1, "");
    change.before_json = str_of(large, CHANGE_BYTES_MAX);
    assert_ok(&f->call, history_begin(&f->call, &ana, &change));
    assert_false(change.before_lost);
    change.after_json = str_of(large, CHANGE_BYTES_MAX + 1);
    assert_ok(&f->call, history_end(&f->call, &ana, &change, CHANGE_DONE));
    assert_true(change.after_lost);
    struct site_change found = get(f, &ana, 1);
    assert_int_equal(found.before_json.len, CHANGE_BYTES_MAX);
    assert_true(found.after_lost && !found.before_lost);
    assert_int_equal(found.after_json.len, 0);
    change.before_json = str_of(large, CHANGE_BYTES_MAX + 1);
    assert_ok(&f->call, history_begin(&f->call, &ana, &change));
    assert_true(change.before_lost);
    assert_true(get(f, &ana, 2).before_lost);
    change.note_json = str_of(large, CHANGE_NOTE_BYTES_MAX + 1);
    assert_int_equal(history_begin(&f->call, &ana, &change), E_INTERNAL);
}

/* Every way a row can be edited by somebody who can write the database, but has no key. */
static void edited_rows_are_shut(void **state)
{
    struct fixture *f = *state;
    static const char *const edits[] = {
        "UPDATE mcp_changes SET before_sealed = after_sealed WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET note_sealed = (SELECT note_sealed FROM mcp_changes WHERE number = 2 AND connection_id "
        "= "
        "1) WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET before_sealed = (SELECT before_sealed FROM mcp_changes WHERE number = 2 AND "
        "connection_id = 1) WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET item_id = 99 WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET item_type = 'page' WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET kind = 'create' WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET undo_of = 2 WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET part_of = 2 WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET id = 'moved' WHERE number = 1 AND connection_id = 1",
        "UPDATE mcp_changes SET after_sealed = replace(after_sealed, '\"c\":\"', '\"c\":\"AAAA') WHERE number = 1 AND "
        "connection_id = 1",
        "UPDATE mcp_changes SET before_sealed = '{}' WHERE number = 1 AND connection_id = 1",
        /* her own other connection's row */
        "UPDATE mcp_changes SET connection_id = CASE WHEN connection_id = 1 THEN 2 ELSE 1 END, number = number + 10",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(edits); i++) {
        struct site_change found;
        sql(f, "DELETE FROM mcp_changes");
        done(f, &ana, 34, "{\"a\":1}", "{\"a\":2}");
        done(f, &ana, 34, "{\"a\":3}", "{\"a\":4}");
        for (int k = 0; k < 2; k++)
            done(f, &other_connection, 34, "{\"a\":5}", "{\"a\":6}");
        assert_text(get(f, &ana, 1).before_json, "{\"a\":1}");
        sql(f, edits[i]);
        int64_t number = i + 1 == ARRAY_LENGTH(edits) ? 11 : 1;
        if (history_get(&f->call, &ana, number, &found) != E_CRYPTO)
            fail_msg("it opens after: %s", edits[i]);
        call_clear_error(&f->call);
        assert_true(list(f, &ana, (struct change_query){0}).count >= 1); /* the list goes on */
    }
}

static void old_ones_are_forgotten(void **state)
{
    struct fixture *f = *state;
    struct site_change found;
    for (int i = 0; i < 5; i++)
        done(f, &ana, 1, "{\"a\":1}", "{\"a\":2}");
    done(f, &bob, 1, "{\"a\":1}", "{\"a\":2}");
    sql(f, "UPDATE mcp_changes SET created_at = '2020-01-01 00:00:00.000' WHERE number <= 3 AND connection_id = 1");
    sql(f, "UPDATE mcp_changes SET created_at = '2020-01-01 00:00:00.000' WHERE connection_id = 3");
    /* Not shown even before they are removed. */
    assert_int_equal(list(f, &ana, (struct change_query){0}).count, 2);
    assert_int_equal(history_get(&f->call, &ana, 2, &found), E_NOT_FOUND);
    assert_ok(&f->call, history_prune(&f->call));
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes WHERE connection_id = 1"), 2);
    /* The newest of a connection stays, empty, so that its number is not given again. */
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes WHERE connection_id = 3 AND note_sealed IS NULL AND "
                                "before_sealed IS NULL AND after_sealed IS NULL"),
                     1);
    assert_int_equal(history_get(&f->call, &bob, 1, &found), E_NOT_FOUND);
    assert_int_equal(done(f, &bob, 1, "{}", "{}").number, 2);
    /* A write is what sets it going. */
    sql(f, "UPDATE mcp_changes SET created_at = '2020-01-01 00:00:00.000' WHERE number = 4 AND connection_id = 1");
    history_set_limits(&(struct history_limits){HISTORY_DAYS, HISTORY_CHANGES_MAX, HISTORY_BYTES_MAX});
    done(f, &bob, 1, "{}", "{}");
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes WHERE connection_id = 1"), 1);
}

static void many_or_much_is_forgotten(void **state)
{
    struct fixture *f = *state;
    history_set_limits(&(struct history_limits){HISTORY_DAYS, 10, HISTORY_BYTES_MAX});
    for (int i = 0; i < 40; i++)
        done(f, &ana, 1, "{}", "{}");
    int64_t count = sql_int(f, "SELECT COUNT(*) FROM mcp_changes");
    assert_true(count >= 10 && count < 10 + HISTORY_COUNT_EVERY);
    assert_int_equal(sql_int(f, "SELECT MAX(number) FROM mcp_changes"), 40);
    history_set_limits(&(struct history_limits){HISTORY_DAYS, 1000, 1});
    for (int i = 0; i < 2 * HISTORY_COUNT_EVERY; i++)
        done(f, &ana, 1, "{}", "{}");
    count = sql_int(f, "SELECT COUNT(*) FROM mcp_changes");
    assert_true(count <= HISTORY_COUNT_EVERY);
    assert_int_equal(sql_int(f, "SELECT MAX(number) FROM mcp_changes"), 40 + 2 * HISTORY_COUNT_EVERY);
}

/* ---- several at once */

enum { TASKS = 8, EACH = 10 };

struct writer {
    struct fixture *f;
    struct call call;
    int made, *left;
    struct call *waiting;
};

static void write_some(struct call *call, void *context)
{
    struct writer *w = context;
    for (int i = 0; i < EACH; i++) {
        struct site_change change = change_of(1, "{}");
        w->made += history_begin(call, &ana, &change) == OK;
    }
}

static void written(struct call *call, void *context)
{
    struct writer *w = context;
    arena_free(call->arena);
    if (--*w->left == 0)
        task_wake(w->waiting);
}

static void numbers_are_given_once(void **state)
{
    struct fixture *f = *state;
    struct writer writers[TASKS] = {0};
    int left = TASKS, made = 0;
    for (int i = 0; i < TASKS; i++) {
        writers[i] = (struct writer){.f = f, .left = &left, .waiting = &f->call};
        call_init(&writers[i].call, arena_new(16 * 1024 * 1024), 30 * 1000);
        assert_int_equal(task_spawn(&writers[i].call, write_some, written, &writers[i]), OK);
    }
    while (left)
        assert_ok(&f->call, task_park(&f->call));
    for (int i = 0; i < TASKS; i++)
        made += writers[i].made;
    assert_int_equal(made, TASKS * EACH);
    assert_int_equal(sql_int(f, "SELECT COUNT(DISTINCT number) FROM mcp_changes"), made);
    assert_int_equal(sql_int(f, "SELECT MAX(number) FROM mcp_changes"), made);
}

/* ---- */

static void a_connection_takes_its_history_with_it(void **state)
{
    struct fixture *f = *state;
    done(f, &ana, 1, "{}", "{}");
    done(f, &bob, 1, "{}", "{}");
    sql(f, "DELETE FROM mcp_service_connections WHERE id = 1");
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes"), 1);
    sql(f, "DELETE FROM mcp_users WHERE id = 2");
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM mcp_changes"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_change_is_kept_before_and_after),
        ON_BOTH(a_failed_one_is_forgotten),
        ON_BOTH(numbers_and_rows_belong_to_a_connection),
        ON_BOTH(listing),
        ON_BOTH(what_stays_is_kept_once),
        ON_BOTH(an_end_in_another_transaction),
        ON_BOTH(too_large),
        ON_BOTH(edited_rows_are_shut),
        ON_BOTH(old_ones_are_forgotten),
        ON_BOTH(many_or_much_is_forgotten),
        ON_BOTH(numbers_are_given_once),
        ON_BOTH(a_connection_takes_its_history_with_it),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
