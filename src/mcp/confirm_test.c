/* Confirmation: each setting, one use, exact arguments, and the client that can be asked. On both databases. */
#include "accounts/accounts_test_help.h"

#include "json/json_write.h"
#include "mcp/confirm.h"
#include "mcp/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct tool delete_tool = {.name = STR_INIT("delete_it"), .confirms = true};

struct bench {
    struct fixture *f;
    struct principal who;
    struct mcp_request request;
    struct mcp_host host;
    struct buf questions; /* what mcp_host_write_questions() wrote */
};

static const struct json *parse(struct call *call, const char *text)
{
    const struct json *value;
    assert_int_equal(json_parse(call->arena, str_copy(call->arena, str_from(text)), NULL, &value, NULL), OK);
    return value;
}

static void open_bench(struct bench *b, void **state, enum confirm confirm)
{
    const struct principal *who;
    *b = (struct bench){.f = *state};
    int64_t user_id = add_user(b->f, "ana@x.example", "+55 11 99999 0001");
    struct token_made made = add_connection(b->f, user_id, "blog");
    assert_ok(&b->f->call, authenticate(&b->f->call, made.token, &who));
    b->who = *who;
    b->who.confirm = confirm;
}

/* One client request as the host sees it; `extra` are further members of params. */
static void begin(struct bench *b, const char *arguments, const char *extra)
{
    struct call *call = &b->f->call;
    bool asks = strstr(extra, "ASKS") != NULL;
    struct str rest = str_replace(call->arena, str_from(extra), STR("ASKS"), STR_EMPTY);
    struct str text = call_format(call, "{\"name\":\"delete_it\",\"arguments\":%s,", arguments);
    text = str_concat(call->arena, text,
                      asks ? STR("\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}}}")
                           : STR("\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":{}}"));
    text = call_format(call, "%.*s%.*s}", STR_ARG(text), STR_ARG(rest));
    call_clear_error(call);
    b->request = (struct mcp_request){.who = &b->who};
    b->request.message = (struct rpc_message){
        .kind = RPC_REQUEST, .id_raw = STR("1"), .method = STR("tools/call"), .params = parse(call, text.ptr)};
    assert_ok(call, mcp_host_init(call, &b->host, &b->request, true, STR("delete_it"), parse(call, arguments)));
    b->host.tool = &delete_tool;
}

static int confirm_it(struct bench *b)
{
    return host_confirm(&b->f->call, &b->host.base, STR("Delete the page \"About\" for good."));
}

static int confirm_for_good(struct bench *b)
{
    return host_confirm_for_good(&b->f->call, &b->host.base, STR("Delete the page \"About\" for good."));
}

static struct str code_in(struct str text)
{
    size_t at = str_find(text, STR("confirm_code \""));
    assert_true(at != STR_NOT_FOUND);
    return str_sub(text, at + 14, CONFIRM_CODE_CHARS);
}

static void test_none(void **state)
{
    struct bench b;
    open_bench(&b, state, CONFIRM_NONE);
    begin(&b, "{\"id\":7}", "");
    assert_ok(&b.f->call, confirm_it(&b));

    /* What cannot be taken back is asked for all the same. */
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_for_good(&b), E_WAITING);
    struct str code = str_copy(b.f->call.arena, code_in(b.f->call.error_text));
    begin(&b, "{\"id\":8}", "");
    b.host.confirm_code = code;
    assert_int_equal(confirm_for_good(&b), E_WAITING);
    begin(&b, "{\"id\":7}", "");
    b.host.confirm_code = code;
    assert_ok(&b.f->call, confirm_for_good(&b));
    begin(&b, "{\"id\":7}", "");
    b.host.confirm_code = code;
    assert_int_equal(confirm_for_good(&b), E_WAITING);
    assert_int_equal(host_confirm_for_good(&b.f->call, NULL, STR("Delete it.")), E_DENIED);
}

static void test_code(void **state)
{
    struct bench b;
    open_bench(&b, state, CONFIRM_MODEL);
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_WAITING);
    assert_says(&b.f->call, "About");
    struct str code = str_copy(b.f->call.arena, code_in(b.f->call.error_text));

    begin(&b, "{\"id\":8}", ""); /* other arguments */
    b.host.confirm_code = code;
    assert_int_equal(confirm_it(&b), E_WAITING);
    assert_says(&b.f->call, "not one for these arguments");

    begin(&b, "{ \"id\" : 7.0 }", ""); /* the same arguments in other words */
    b.host.confirm_code = code;
    assert_ok(&b.f->call, confirm_it(&b));

    begin(&b, "{\"id\":7}", ""); /* a second time */
    b.host.confirm_code = code;
    assert_int_equal(confirm_it(&b), E_WAITING);

    begin(&b, "{\"id\":7}", ""); /* guessed */
    b.host.confirm_code = STR("aaaaaaaa");
    assert_int_equal(confirm_it(&b), E_WAITING);

    code = str_copy(b.f->call.arena, code_in(b.f->call.error_text));
    b.who.token_id++; /* another token's */
    begin(&b, "{\"id\":7}", "");
    b.host.confirm_code = code;
    assert_true(confirm_it(&b) != OK);
}

static void test_too_old(void **state)
{
    struct bench b;
    open_bench(&b, state, CONFIRM_MODEL);
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_WAITING);
    struct str code = str_copy(b.f->call.arena, code_in(b.f->call.error_text));
    sql(b.f, "UPDATE mcp_confirmations SET expires_at = '2020-01-01 00:00:00.000'");
    begin(&b, "{\"id\":7}", "");
    b.host.confirm_code = code;
    assert_int_equal(confirm_it(&b), E_WAITING);
}

static void test_code_is_not_stored(void **state)
{
    struct bench b;
    open_bench(&b, state, CONFIRM_MODEL);
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_WAITING);
    struct str code = str_copy(b.f->call.arena, code_in(b.f->call.error_text));
    assert_false(str_contains(sql_text(b.f, "SELECT proof || what || id FROM mcp_confirmations"), code));
}

/* The request of a client that was asked and has this to say. */
static struct str answer_with(struct bench *b, const char *content)
{
    struct call *call = &b->f->call;
    buf_init(&b->questions, call->arena, 1 << 20);
    assert_true(b->host.waiting);
    assert_ok(call, mcp_host_write_questions(call, &b->host, &b->questions));
    struct str text = buf_str(&b->questions);
    struct str state = str_from_offset(text, str_find(text, STR("\"requestState\"")));
    struct str key = str_sub(text, str_find(text, STR("\"confirm_")), STR("\"confirm_123456789012\"").len);
    return call_format(call, "ASKS,%.*s,\"inputResponses\":{%.*s:%s}", STR_ARG(state), STR_ARG(key), content);
}

#define YES "{\"action\":\"accept\",\"content\":{\"confirm\":true}}"

static void test_asking(void **state)
{
    struct bench b;
    open_bench(&b, state, CONFIRM_MODEL);
    begin(&b, "{\"id\":7}", "ASKS");
    assert_int_equal(confirm_it(&b), E_WAITING);
    struct str retry = answer_with(&b, YES);
    assert_true(str_contains(buf_str(&b.questions), STR("About")));
    begin(&b, "{\"id\":7}", retry.ptr);
    assert_ok(&b.f->call, confirm_it(&b));
    begin(&b, "{\"id\":7}", retry.ptr); /* replayed */
    assert_int_equal(confirm_it(&b), E_CONFLICT);
}

static void test_asking_no(void **state)
{
    struct bench b;
    static const char *const answers[] = {
        "{\"action\":\"decline\"}",
        "{\"action\":\"cancel\"}",
        "{\"action\":\"accept\"}",
        "{\"action\":\"accept\",\"content\":{\"confirm\":false}}",
        "{\"action\":\"accept\",\"content\":{\"confirm\":\"true\"}}",
    };
    open_bench(&b, state, CONFIRM_MODEL);
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        begin(&b, "{\"id\":7}", "ASKS");
        assert_int_equal(confirm_it(&b), E_WAITING);
        struct str retry = answer_with(&b, answers[i]);
        begin(&b, "{\"id\":7}", retry.ptr);
        assert_int_equal(confirm_it(&b), E_DENIED);
    }
    /* A yes to a question that was never asked. */
    begin(&b, "{\"id\":7}", "ASKS,\"inputResponses\":{\"confirm\":" YES "}");
    assert_int_equal(confirm_it(&b), E_WAITING);
}

/* The same arguments, which find something else now. */
static void test_another_sentence(void **state)
{
    struct bench b;
    open_bench(&b, state, CONFIRM_MODEL);
    struct call *call = &b.f->call;
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_WAITING);
    struct str code = str_copy(call->arena, code_in(call->error_text));
    begin(&b, "{\"id\":7}", "");
    b.host.confirm_code = code;
    assert_int_equal(host_confirm(call, &b.host.base, STR("Delete the page \"Contact\" for good.")), E_WAITING);
    begin(&b, "{\"id\":7}", "ASKS");
    assert_int_equal(confirm_it(&b), E_WAITING);
    struct str retry = answer_with(&b, YES);
    begin(&b, "{\"id\":7}", retry.ptr);
    assert_int_equal(host_confirm(call, &b.host.base, STR("Delete the page \"Contact\" for good.")), E_WAITING);
    b.who.confirm = CONFIRM_HUMAN;
    struct confirmation_row row;
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_WAITING);
    assert_ok(call, confirm_decide(call, b.who.user_id,
                                   sql_text(b.f, "SELECT id FROM mcp_confirmations WHERE kind = 'human'"), true, &row));
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(host_confirm(call, &b.host.base, STR("Delete the page \"Contact\" for good.")), E_WAITING);
    begin(&b, "{\"id\":7}", "");
    assert_ok(call, confirm_it(&b));
}

static void test_human(void **state)
{
    struct bench b;
    struct confirmation_rows rows;
    struct confirmation_row row;
    open_bench(&b, state, CONFIRM_HUMAN);
    struct call *call = &b.f->call;
    for (int i = 0; i < 2; i++) { /* asking twice makes one row */
        begin(&b, "{\"id\":7}", i ? "ASKS" : "");
        assert_int_equal(confirm_it(&b), E_WAITING);
    }
    struct str said = str_copy(call->arena, call->error_text);
    assert_ok(call, confirm_list(call, b.who.user_id, &rows));
    assert_int_equal(rows.count, 1);
    assert_false(str_contains(said, rows.items[0].id)); /* nothing that would approve */
    assert_false(str_contains(said, STR("code")));
    assert_ok(call, confirm_list(call, b.who.user_id + 1, &rows));
    assert_int_equal(rows.count, 0);
    assert_ok(call, confirm_list(call, USER_ANY, &rows));
    assert_int_equal(confirm_decide(call, b.who.user_id + 1, rows.items[0].id, true, &row), E_NOT_FOUND);
    assert_ok(call, confirm_decide(call, USER_ANY, rows.items[0].id, true, &row));
    assert_int_equal(sql_int(b.f, "SELECT COUNT(*) FROM mcp_audit_logs WHERE action = 'approvals.approve'"), 1);
    assert_int_equal(confirm_decide(call, USER_ANY, row.id, true, &row), E_NOT_FOUND); /* once */

    begin(&b, "{\"id\":8}", "");
    assert_int_equal(confirm_it(&b), E_WAITING); /* not what was approved */
    begin(&b, "{\"id\":7}", "");
    assert_ok(call, confirm_it(&b));
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_WAITING); /* used up: a new row */
}

static void test_human_no(void **state)
{
    struct bench b;
    struct confirmation_rows rows;
    struct confirmation_row row;
    open_bench(&b, state, CONFIRM_HUMAN);
    struct call *call = &b.f->call;
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_WAITING);
    assert_ok(call, confirm_list(call, USER_ANY, &rows));
    assert_ok(call, confirm_decide(call, USER_ANY, rows.items[0].id, false, &row));
    begin(&b, "{\"id\":7}", "");
    assert_int_equal(confirm_it(&b), E_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(test_none),           ON_BOTH(test_code),
        ON_SQLITE(test_too_old),        ON_SQLITE(test_code_is_not_stored),
        ON_BOTH(test_asking),           ON_SQLITE(test_asking_no),
        ON_BOTH(test_another_sentence), ON_BOTH(test_human),
        ON_SQLITE(test_human_no),
    };
    return cmocka_run_group_tests_name("confirm", tests, test_server_start, test_server_stop);
}
