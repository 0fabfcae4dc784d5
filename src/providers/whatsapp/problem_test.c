/* The contract with both services: every recorded answer means what it is known to mean, and a changed one does not. */
#include "providers/whatsapp/evolution.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { FILE_MAX_BYTES = 1 << 20 };
#define GOLDEN "tests/fakes/golden/"

static struct arena *arena;
static struct call call;

static const struct json *read_golden(const char *name)
{
    const struct json *json;
    char *text = arena_alloc(arena, FILE_MAX_BYTES);
    FILE *file = fopen(str_format(arena, GOLDEN "%s", name).ptr, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, FILE_MAX_BYTES, file);
    fclose(file);
    assert_int_equal(json_parse(arena, str_of(text, size), NULL, &json, NULL), OK);
    assert_true(json_count(json) > 10);
    return json;
}

static const struct json *parse(struct str text)
{
    const struct json *json;
    if (json_parse(arena, text, NULL, &json, NULL) != OK)
        return json;
    return json;
}

typedef struct problem judge_fn(struct arena *arena, int status, const struct json *json);

static void check(judge_fn *judge, const struct json *record, struct str answer, bool must_differ)
{
    struct str expect = json_str(json_get(record, STR("expect")));
    int status = (int)json_i64_or(json_get(record, STR("status")), 0);
    struct problem problem = judge(arena, status, parse(answer));
    bool same = str_eq(expect, str_from(problem_name(problem.cause)));
    if (same == must_differ)
        print_message("%d %.*s: %s, expected %s%.*s\n", status, STR_ARG(answer), problem_name(problem.cause),
                      must_differ ? "another than " : "", STR_ARG(expect));
    assert_true(same != must_differ);
}

static size_t replay(judge_fn *judge, const struct json *golden)
{
    size_t n = 0;
    for (size_t i = 0; i < json_count(golden); i++) {
        const struct json *record = json_at(golden, i);
        if (str_eq(json_str(json_get(record, STR("expect"))), STR("skip")))
            continue;
        check(judge, record, json_str(json_get(record, STR("answer"))), false);
        n++;
    }
    return n;
}

static void test_evolution(void **state)
{
    (void)state;
    assert_true(replay(problem_of_evolution, read_golden("evolution-2.3.6.json")) > 50);
}

static void test_cloud(void **state)
{
    (void)state;
    assert_true(replay(problem_of_cloud, read_golden("cloud-reference.json")) > 40);
}

/* What tells one answer from another, taken out: then it must not pass for the same. */
static void test_mutated(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        judge_fn *judge;
        const char *expect, *part, *instead;
    } mutations[] = {
        {"evolution-2.3.6.json", problem_of_evolution, "window", "131047", "131048"},
        {"evolution-2.3.6.json", problem_of_evolution, "window", "\"code\"", "\"kode\""},
        {"evolution-2.3.6.json", problem_of_evolution, "no_instance", "instance does not exist", "instance is fine"},
        {"evolution-2.3.6.json", problem_of_evolution, "disconnected", "onWhatsApp", "onTelegram"},
        {"evolution-2.3.6.json", problem_of_evolution, "unsupported", "not available", "available"},
        {"cloud-reference.json", problem_of_cloud, "window", "\"code\": 131047", "\"code\": 131026"},
        {"cloud-reference.json", problem_of_cloud, "pair_throttled", "\"code\": 131056", "\"code\": 131047"},
        {"cloud-reference.json", problem_of_cloud, "no_template", "\"error\"", "\"fehler\""},
        {"cloud-reference.json", problem_of_cloud, "credential", "\"code\": 190", "\"code\": 191"},
    };
    for (size_t m = 0; m < ARRAY_LENGTH(mutations); m++) {
        const struct json *golden = read_golden(mutations[m].file);
        size_t changed = 0;
        for (size_t i = 0; i < json_count(golden); i++) {
            const struct json *record = json_at(golden, i);
            struct str answer = json_str(json_get(record, STR("answer")));
            if (!str_eq(json_str(json_get(record, STR("expect"))), str_from(mutations[m].expect)) ||
                !str_contains(answer, str_from(mutations[m].part)))
                continue;
            check(mutations[m].judge, record,
                  str_replace(arena, answer, str_from(mutations[m].part), str_from(mutations[m].instead)), true);
            changed++;
        }
        assert_true(changed > 0);
    }
}

/*
 * Not one recorded answer is there in vain: each has a part without which it means something else. Of a success that is its status;
 * of a failure what names it (Meta's code, Evolution's words), or the status that says it alone.
 */
static size_t mutate_each(judge_fn *judge, const struct json *golden)
{
    static const char *const parts[] = {"\"code\":", "\"message\":", "\"error\":", "\"response\":", "\"status\":"};
    size_t n = 0;
    for (size_t i = 0; i < json_count(golden); i++) {
        const struct json *record = json_at(golden, i);
        struct str expect = json_str(json_get(record, STR("expect"))),
                   answer = json_str(json_get(record, STR("answer")));
        int status = (int)json_i64_or(json_get(record, STR("status")), 0);
        bool noticed = false;
        if (str_eq(expect, STR("skip")))
            continue;
        for (size_t k = 0; k < ARRAY_LENGTH(parts) && !noticed; k++) {
            struct str other = str_replace(arena, answer, str_from(parts[k]), STR("\"x\":"));
            noticed = !str_eq(expect, str_from(problem_name(judge(arena, status, parse(other)).cause)));
        }
        /* What says nothing: if it said something, that would be heard. */
        if (!noticed && str_eq(expect, STR("unknown")))
            noticed = judge(arena, status, parse(STR("{\"error\":{\"message\":\"x\",\"code\":131047}}"))).cause ==
                      PROBLEM_WINDOW;
        static const int statuses[] = {500, 200};
        for (size_t k = 0; k < ARRAY_LENGTH(statuses) && !noticed; k++)
            noticed = !str_eq(expect, str_from(problem_name(judge(arena, statuses[k], parse(answer)).cause)));
        if (!noticed)
            print_message("%d %.*s: nothing in it matters\n", status, STR_ARG(answer));
        assert_true(noticed);
        n++;
    }
    return n;
}

static void test_mutated_each(void **state)
{
    (void)state;
    assert_true(mutate_each(problem_of_evolution, read_golden("evolution-2.3.6.json")) > 50);
    assert_true(mutate_each(problem_of_cloud, read_golden("cloud-reference.json")) > 40);
}

static bool is_webhook_right(struct str body)
{
    const struct json *json = parse(body);
    struct message message = evolution_message(&call, json_get(json, STR("data")));
    bool is_ours = str_eq(json_str(json_get(json, STR("event"))), STR("send.message"));
    return message.id.len && str_eq(message.chat, STR("5511987654321")) && message.outgoing == is_ours &&
           str_eq(message.status, is_ours ? STR("sent") : STR("received")) && !str_eq(message.kind, STR("other")) &&
           message.at_ms > 0 && message.text.len;
}

/* What the recorded webhooks tell is read, and with any of the parts that it stands in taken out it is not. */
static void test_webhooks(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\"id\":",      "\"remoteJid\":", "\"fromMe\":", "\"messageType\":", "\"messageTimestamp\":",
        "\"message\":", "\"data\":"};
    enum { FROM_ME = 2 };
    const struct json *golden = read_golden("evolution-2.3.6-webhooks.json");
    size_t n = 0;
    for (size_t i = 0; i < json_count(golden); i++) {
        struct str body = json_str(json_get(json_at(golden, i), STR("b")));
        if (!str_eq(json_str(json_get(json_at(golden, i), STR("u"))), STR("/hook")))
            continue;
        if (!is_webhook_right(body))
            print_message("%.*s\n", STR_ARG(body));
        assert_true(is_webhook_right(body));
        for (size_t k = 0; k < ARRAY_LENGTH(parts); k++) {
            struct str other = str_replace(arena, body, str_from(parts[k]), STR("\"x\":"));
            if (k == FROM_ME)
                other = str_contains(body, STR("\"fromMe\":true"))
                            ? str_replace(arena, body, STR("\"fromMe\":true"), STR("\"fromMe\":false"))
                            : str_replace(arena, body, STR("\"fromMe\":false"), STR("\"fromMe\":true"));
            if (is_webhook_right(other))
                print_message("without %s: %.*s\n", parts[k], STR_ARG(body));
            assert_false(is_webhook_right(other));
        }
        n++;
    }
    assert_true(n >= 5);
}

/* A send counts only with its id: every recorded send has one, and without it there is none. */
static void test_message_ids(void **state)
{
    (void)state;
    const struct json *golden = read_golden("evolution-2.3.6.json");
    size_t n = 0;
    for (size_t i = 0; i < json_count(golden); i++) {
        const struct json *record = json_at(golden, i);
        struct str answer = json_str(json_get(record, STR("answer")));
        bool is_send = str_starts_with(json_str(json_get(record, STR("path"))), STR("/message/send"));
        bool is_done = is_send && str_eq(json_str(json_get(record, STR("expect"))), STR("none"));
        if (!is_send)
            continue;
        assert_true((wa_evolution.message_id(parse(answer)).len > 0) == is_done);
        if (!is_done)
            continue;
        assert_true(wa_evolution.message_id(parse(str_replace(arena, answer, STR("\"id\""), STR("\"di\"")))).len == 0);
        n++;
    }
    assert_true(n >= 9);
    golden = read_golden("cloud-reference.json");
    struct str answer = json_str(json_get(json_at(golden, 0), STR("answer")));
    assert_true(str_eq(wa_cloud.message_id(parse(answer)), STR("wamid.OK1")));
    assert_true(wa_cloud.message_id(parse(str_replace(arena, answer, STR("\"messages\""), STR("\"massages\"")))).len ==
                0);
}

/* Whether it may have been done all the same decides whether it is ever sent again. */
static void test_may_be_done(void **state)
{
    (void)state;
    static const struct {
        judge_fn *judge;
        int status;
        const char *answer;
        bool may_be_done;
    } cases[] = {
        {problem_of_cloud, 400, "{\"error\":{\"message\":\"x\",\"code\":131047}}", false},
        {problem_of_cloud, 503, "{\"error\":{\"message\":\"x\",\"code\":131016}}", false},
        {problem_of_cloud, 500, "{\"error\":{\"message\":\"x\",\"code\":424242}}", true},
        {problem_of_cloud, 502, "<html>", true},
        {problem_of_cloud, 200, "", true},
        {problem_of_cloud, 404, "<html>", false},
        {problem_of_evolution, 500, "{\"status\":500,\"response\":{\"message\":\"Timed Out\"}}", true},
        {problem_of_evolution, 201, "{\"message\":\"(#131047) x\",\"type\":\"OAuthException\",\"code\":131047}", false},
        {problem_of_evolution, 400, "{\"response\":{\"message\":[{\"jid\":\"1\",\"exists\":false,\"number\":\"1\"}]}}",
         false},
        {problem_of_evolution, 400,
         "{\"response\":{\"message\":[\"PrismaClientKnownRequestError: \\nInvalid `x.message.create()` invocation\"]}}",
         true},
        {problem_of_evolution, 400, "{\"response\":{\"message\":[\"[object Object]\"]}}", true},
        {problem_of_evolution, 400, "{\"response\":{\"message\":[[\"Error: text is required\"]]}}", false},
        {problem_of_evolution, 400, "{\"response\":{\"message\":[\"Owned media must be a url or base64\"]}}", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct problem problem = cases[i].judge(arena, cases[i].status, parse(str_from(cases[i].answer)));
        if (problem.may_be_done != cases[i].may_be_done)
            print_message("%d %s: %s\n", cases[i].status, cases[i].answer, problem_name(problem.cause));
        assert_true(problem.may_be_done == cases[i].may_be_done);
        assert_true(problem.cause != PROBLEM_NONE);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int cause = PROBLEM_NONE + 1; cause < PROBLEM_CAUSES; cause++) {
        const struct problem problem = {.cause = cause, .code = 131047, .said = STR("what it says")};
        call_clear_error(&call);
        assert_int_not_equal(problem_fail(&call, &problem), OK);
        assert_true(call.error_text.len > 30);
        assert_non_null(problem_name(cause));
    }
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    call_init(&call, arena, 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evolution),    cmocka_unit_test(test_cloud),    cmocka_unit_test(test_mutated),
        cmocka_unit_test(test_mutated_each), cmocka_unit_test(test_webhooks), cmocka_unit_test(test_message_ids),
        cmocka_unit_test(test_may_be_done),  cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("problem", tests, set_up, tear_down);
}
