/* The suite's prompts. */
#include "providers/conformance/conformance.h"

#include "json/json_write.h"

static int render_simple(struct call *call, const struct tool_context *context, const struct json *arguments,
                         struct prompt_result *result)
{
    (void)call;
    (void)context;
    (void)arguments;
    prompt_say(result, "user", STR("This is a simple prompt for testing."));
    return OK;
}

static int render_arguments(struct call *call, const struct tool_context *context, const struct json *arguments,
                            struct prompt_result *result)
{
    (void)context;
    prompt_say(result, "user",
               call_format(call, "Prompt with arguments: arg1='%.*s', arg2='%.*s'",
                           STR_ARG(json_str(json_get(arguments, STR("arg1")))),
                           STR_ARG(json_str(json_get(arguments, STR("arg2"))))));
    return OK;
}

static int render_resource(struct call *call, const struct tool_context *context, const struct json *arguments,
                           struct prompt_result *result)
{
    (void)context;
    prompt_add(result, "user",
               call_format(call,
                           "{\"type\":\"resource\",\"resource\":{\"uri\":%.*s,\"mimeType\":\"text/plain\",\"text\":"
                           "\"Embedded resource content for testing.\"}}",
                           STR_ARG(json_raw(json_get(arguments, STR("resourceUri"))))));
    prompt_say(result, "user", STR("Please process the embedded resource above."));
    return OK;
}

static int render_image(struct call *call, const struct tool_context *context, const struct json *arguments,
                        struct prompt_result *result)
{
    (void)call;
    (void)context;
    (void)arguments;
    prompt_add(result, "user", STR("{\"type\":\"image\",\"data\":\"" CONFORMANCE_PNG "\",\"mimeType\":\"image/png\"}"));
    prompt_say(result, "user", STR("Please analyze the image above."));
    return OK;
}

static int render_asking(struct call *call, const struct tool_context *context, const struct json *arguments,
                         struct prompt_result *result)
{
    struct question question = {
        STR("user_context"), HOST_FORM,
        STR("{\"message\":\"What context should the prompt use?\",\"requestedSchema\":{\"type\":\"object\","
            "\"properties\":{\"context\":{\"type\":\"string\"}},\"required\":[\"context\"]}}")};
    (void)arguments;
    int error = host_ask(call, context->host, &question, 1);
    if (error)
        return error;
    prompt_say(
        result, "user",
        call_format(call, "Use this context: %.*s", STR_ARG(json_str(json_path(question.answer, "content.context")))));
    return OK;
}

static int complete_argument(struct call *call, const struct tool_context *context, struct str typed,
                             const struct json *others, struct completion *ret)
{
    static const struct str words[] = {STR_INIT("paris"), STR_INIT("park"), STR_INIT("party"), STR_INIT("testing")};
    (void)call;
    (void)context;
    (void)others;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_starts_with_nocase(words[i], typed))
            completion_add(ret, words[i]);
    return OK;
}

static const struct prompt_argument two_arguments[] = {
    {.name = STR_INIT("arg1"),
     .description = STR_INIT("First test argument"),
     .required = true,
     .complete = complete_argument},
    {.name = STR_INIT("arg2"), .description = STR_INIT("Second test argument"), .required = true},
};
static const struct prompt_argument uri_argument[] = {
    {.name = STR_INIT("resourceUri"), .description = STR_INIT("URI of the resource to embed"), .required = true},
};

const struct prompt conformance_prompts[CONFORMANCE_PROMPTS] = {
    {.name = STR_INIT("test_simple_prompt"),
     .description = STR_INIT("A prompt without arguments"),
     .render = render_simple},
    {.name = STR_INIT("test_prompt_with_arguments"),
     .description = STR_INIT("A prompt with two arguments"),
     .arguments = two_arguments,
     .n_arguments = ARRAY_LENGTH(two_arguments),
     .render = render_arguments},
    {.name = STR_INIT("test_prompt_with_embedded_resource"),
     .description = STR_INIT("A prompt that holds a resource"),
     .arguments = uri_argument,
     .n_arguments = ARRAY_LENGTH(uri_argument),
     .render = render_resource},
    {.name = STR_INIT("test_prompt_with_image"),
     .description = STR_INIT("A prompt that holds an image"),
     .render = render_image},
    {.name = STR_INIT("test_input_required_result_prompt"),
     .description = STR_INIT("A prompt that asks first"),
     .render = render_asking},
};
