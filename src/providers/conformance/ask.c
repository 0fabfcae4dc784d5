/* Fixtures that ask the client something, told by their data. */
#include "providers/conformance/conformance.h"

/* What an answer says, in a few words. */
static struct str words_of(struct call *call, const struct question *question)
{
    const struct json *content = json_get(question->answer, STR("content"));
    if (question->kind == HOST_ROOTS) {
        const struct json *root = json_at(json_get(question->answer, STR("roots")), 0);
        return call_format(call, "%.*s %.*s", STR_ARG(json_str(json_get(root, STR("name")))),
                           STR_ARG(json_str(json_get(root, STR("uri")))));
    }
    if (question->kind == HOST_SAMPLING)
        return json_str(json_get(content, STR("text")));
    if (json_count(content) == 1 && json_is(json_member_at(content, 0).value, JSON_STRING))
        return json_str(json_member_at(content, 0).value);
    return call_format(call, "action=%.*s, content=%.*s", STR_ARG(json_str(json_get(question->answer, STR("action")))),
                       STR_ARG(json_raw(content)));
}

int conformance_ask(struct call *call, const struct tool_context *context, const struct json *arguments,
                    struct tool_result *result)
{
    const struct conformance_questions *fixture = context->tool->data;
    struct question questions[ARRAY_LENGTH(fixture->items)];
    size_t n = 0;
    (void)arguments;
    for (size_t i = 0; i < ARRAY_LENGTH(fixture->items) && fixture->items[i].key; i++) {
        const struct conformance_question *item = &fixture->items[i];
        if (fixture->only_what_can && !host_can(context->host, item->kind))
            continue;
        questions[n++] = (struct question){str_from(item->key), item->kind, str_from(item->params_json)};
    }
    for (size_t i = 0; fixture->one_by_one && i < n; i++) {
        int error = host_ask(call, context->host, &questions[i], 1);
        if (error)
            return error;
    }
    int error = fixture->one_by_one ? OK : host_ask(call, context->host, questions, n);
    if (error)
        return error;
    struct str said = n ? words_of(call, &questions[n - 1]) : STR("nothing was asked");
    buf_add(&result->text, str_replace(call->arena, str_from(fixture->text), STR("{}"), said));
    return OK;
}
