/* The suite's tools. The first one takes no arguments: one scenario calls whatever stands first. */
#include "providers/conformance/conformance.h"

#include "json/json_write.h"
#include "net/task.h"

enum { STEP_MS = 50 };

/* ---- a fixed answer */

int conformance_content(struct call *call, const struct tool_context *context, const struct json *arguments,
                        struct tool_result *result)
{
    const struct conformance_content *content = context->tool->data;
    (void)call;
    (void)arguments;
    buf_add(&result->text, content->text);
    for (size_t i = 0; i < ARRAY_LENGTH(content->blocks) && content->blocks[i]; i++)
        tool_result_block(result, str_from(content->blocks[i]));
    result->is_error = content->is_error;
    return OK;
}

#define IMAGE_BLOCK "{\"type\":\"image\",\"data\":\"" CONFORMANCE_PNG "\",\"mimeType\":\"image/png\"}"

static const struct conformance_content simple_text = {.text = STR_INIT("This is a simple text response for testing.")};
static const struct conformance_content image = {.blocks = {IMAGE_BLOCK}};
static const struct conformance_content audio = {
    .blocks = {"{\"type\":\"audio\",\"data\":\"" CONFORMANCE_WAV "\",\"mimeType\":\"audio/wav\"}"}};
static const struct conformance_content embedded = {
    .blocks = {"{\"type\":\"resource\",\"resource\":{\"uri\":\"test://embedded-resource\",\"mimeType\":\"text/plain\","
               "\"text\":\"This is an embedded resource content.\"}}"}};
static const struct conformance_content mixed = {
    .text = STR_INIT("Multiple content types test:"),
    .blocks = {IMAGE_BLOCK,
               "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://mixed-content-resource\","
               "\"mimeType\":\"application/json\",\"text\":\"{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}\"}}"}};
static const struct conformance_content failing = {
    .text = STR_INIT("This tool intentionally returns an error for testing"), .is_error = true};
static const struct conformance_content no_requests = {
    .text = STR_INIT("The stream carries results and notifications, no requests.")};
static const struct conformance_content schema_tool = {.text = STR_INIT("The arguments fit the schema.")};
static const struct conformance_content mirrored = {.text = STR_INIT("The headers say what the arguments say.")};

/* ---- progress, log, changes */

static int run_progress(struct call *call, const struct tool_context *context, const struct json *arguments,
                        struct tool_result *result)
{
    (void)arguments;
    for (int64_t done = 0; done <= 100; done += 50) {
        host_progress(call, context->host, done, 100, call_format(call, "Completed step %lld of 100", (long long)done));
        int error = task_sleep(call, STEP_MS);
        if (error)
            return error;
    }
    buf_add(&result->text, STR("All steps are done."));
    return OK;
}

static int run_logging(struct call *call, const struct tool_context *context, const struct json *arguments,
                       struct tool_result *result)
{
    static const char *const lines[] = {"Tool execution started", "Tool processing data", "Tool execution completed"};
    (void)arguments;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        host_log(call, context->host, HOST_INFO, str_from(lines[i]));
        int error = task_sleep(call, STEP_MS);
        if (error)
            return error;
    }
    buf_add(&result->text, STR("Tool with logging executed successfully"));
    return OK;
}

static int run_change(struct call *call, const struct tool_context *context, const struct json *arguments,
                      struct tool_result *result)
{
    const enum host_change *change = context->tool->data;
    (void)call;
    (void)arguments;
    host_changed(context->host, *change, STR("test://watched-resource"));
    buf_add(&result->text, STR("It was told to everybody who listens."));
    return OK;
}

static const enum host_change tools_changed = HOST_TOOLS_CHANGED, prompts_changed = HOST_PROMPTS_CHANGED,
                              watched_changed = HOST_RESOURCE_UPDATED;

/* ---- questions */

#define NAME_FORM(message)                                                                                             \
    "{\"message\":\"" message "\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"        \
    "\"string\"}},\"required\":[\"name\"]}}"
#define CONFIRM_FORM                                                                                                   \
    "{\"message\":\"Please confirm\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":"       \
    "\"boolean\"}},\"required\":[\"ok\"]}}"
#define SAMPLING(text, tokens)                                                                                         \
    "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"" text "\"}}],\"maxTokens\":" tokens  \
    "}"

static const struct conformance_questions ask_name = {
    .items = {{"user_name", HOST_FORM, NAME_FORM("What is your name?")}}, .text = "Hello, {}!"};
static const struct conformance_questions ask_capital = {
    .items = {{"capital_question", HOST_SAMPLING, SAMPLING("What is the capital of France?", "100")}}, .text = "{}"};
static const struct conformance_questions ask_roots = {.items = {{"client_roots", HOST_ROOTS, "{}"}},
                                                       .text = "The roots are: {}"};
static const struct conformance_questions ask_confirm = {.items = {{"confirm", HOST_FORM, CONFIRM_FORM}},
                                                         .text = "state-ok: {}"};
static const struct conformance_questions ask_three = {
    .items = {{"user_name", HOST_FORM, NAME_FORM("What is your name?")},
              {"greeting", HOST_SAMPLING, SAMPLING("Generate a greeting", "50")},
              {"client_roots", HOST_ROOTS, "{}"}},
    .text = "All three were answered; the roots are: {}"};
static const struct conformance_questions ask_twice = {
    .items = {{"step1", HOST_FORM, NAME_FORM("Step 1: What is your name?")},
              {"step2", HOST_FORM,
               "{\"message\":\"Step 2: What is your favorite color?\",\"requestedSchema\":{\"type\":\"object\","
               "\"properties\":{\"color\":{\"type\":\"string\"}},\"required\":[\"color\"]}}"}},
    .one_by_one = true,
    .text = "Both steps were answered, the last with: {}"};
static const struct conformance_questions ask_what_can = {
    .items = {{"user_name", HOST_FORM, NAME_FORM("What is your name?")},
              {"greeting", HOST_SAMPLING, SAMPLING("Generate a short greeting", "50")},
              {"client_roots", HOST_ROOTS, "{}"}},
    .only_what_can = true,
    .text = "Answered: {}"};
static const struct conformance_questions ask_sampling = {
    .items = {{"llm_answer", HOST_SAMPLING, SAMPLING("Reply with the single word: pong", "16")}}, .text = "{}"};
static const struct conformance_questions ask_defaults = {
    .items = {{"defaults", HOST_FORM,
               "{\"message\":\"Please review and update the form fields with defaults\",\"requestedSchema\":{"
               "\"type\":\"object\",\"properties\":{"
               "\"name\":{\"type\":\"string\",\"description\":\"Name\",\"default\":\"John Doe\"},"
               "\"age\":{\"type\":\"integer\",\"description\":\"Age\",\"default\":30},"
               "\"score\":{\"type\":\"number\",\"description\":\"Score\",\"default\":95.5},"
               "\"status\":{\"type\":\"string\",\"description\":\"Status\",\"enum\":[\"active\",\"inactive\","
               "\"pending\"],\"default\":\"active\"},"
               "\"verified\":{\"type\":\"boolean\",\"description\":\"Verified\",\"default\":true}},"
               "\"required\":[]}}"}},
    .text = "Elicitation completed: {}"};
static const struct conformance_questions ask_enums = {
    .items = {{"enums", HOST_FORM,
               "{\"message\":\"Please select options from the enum fields\",\"requestedSchema\":{\"type\":\"object\","
               "\"properties\":{"
               "\"untitledSingle\":{\"type\":\"string\",\"enum\":[\"option1\",\"option2\",\"option3\"]},"
               "\"titledSingle\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"value1\",\"title\":\"First Option\"},"
               "{\"const\":\"value2\",\"title\":\"Second Option\"},{\"const\":\"value3\",\"title\":\"Third Option\"}]},"
               "\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\",\"opt3\"],\"enumNames\":["
               "\"Option One\",\"Option Two\",\"Option Three\"]},"
               "\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"option1\","
               "\"option2\",\"option3\"]}},"
               "\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"const\":\"value1\",\"title\":"
               "\"First Choice\"},{\"const\":\"value2\",\"title\":\"Second Choice\"},{\"const\":\"value3\","
               "\"title\":\"Third Choice\"}]}}},\"required\":[]}}"}},
    .text = "Elicitation completed: {}"};

static struct str quoted(struct call *call, const struct json *arguments, const char *name)
{
    return json_quote(call->arena, json_str(json_get(arguments, str_from(name))));
}

/* What the arguments say is asked, so these two are no data. */
static int ask_one(struct call *call, const struct tool_context *context, struct question question, const char *before,
                   struct tool_result *result)
{
    int error = host_ask(call, context->host, &question, 1);
    if (error)
        return error;
    struct str text = json_str(json_path(question.answer, "content.text"));
    buf_add_format(&result->text, "%s%.*s", before, STR_ARG(text.len ? text : json_raw(question.answer)));
    return OK;
}

static int run_sampling(struct call *call, const struct tool_context *context, const struct json *arguments,
                        struct tool_result *result)
{
    struct str params = call_format(call,
                                    "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":%.*s}}],"
                                    "\"maxTokens\":100}",
                                    STR_ARG(quoted(call, arguments, "prompt")));
    return ask_one(call, context, (struct question){STR("answer"), HOST_SAMPLING, params}, "LLM response: ", result);
}

static int run_elicitation(struct call *call, const struct tool_context *context, const struct json *arguments,
                           struct tool_result *result)
{
    struct str params = call_format(call,
                                    "{\"message\":%.*s,\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
                                    "\"username\":{\"type\":\"string\",\"description\":\"User's response\"},"
                                    "\"email\":{\"type\":\"string\",\"description\":\"User's email address\"}},"
                                    "\"required\":[\"username\",\"email\"]}}",
                                    STR_ARG(quoted(call, arguments, "message")));
    return ask_one(call, context, (struct question){STR("answer"), HOST_FORM, params}, "User response: ", result);
}

/* ---- the table */

#define NO_ARGUMENTS STR_INIT("{\"type\":\"object\",\"properties\":{}}")
#define FIXTURE(tool_name, text, schema, function, tool_data)                                                          \
    {                                                                                                                  \
        .name = STR_INIT(tool_name), .title = STR_INIT(tool_name), .description = STR_INIT(text),                      \
        .input_schema = schema, .needs_any = RIGHT_READ, .reads_only = true, .idempotent = true, .run = function,      \
        .data = tool_data,                                                                                             \
    }

#define JOB_ARGUMENT                                                                                                   \
    STR_INIT("{\"type\":\"object\",\"properties\":{\"job\":{\"type\":\"string\"}},\"required\":[\"job\"]}")
#define JOB_FIXTURE(tool_name, text, schema, function)                                                                 \
    {                                                                                                                  \
        .name = STR_INIT(tool_name), .title = STR_INIT(tool_name), .description = STR_INIT(text),                      \
        .input_schema = schema, .needs_any = RIGHT_READ, .reads_only = true, .needs_jobs = true, .run = function,      \
    }

const struct tool conformance_tools[CONFORMANCE_TOOLS] = {
    FIXTURE("test_simple_text", "Answers with a text", NO_ARGUMENTS, conformance_content, &simple_text),
    FIXTURE("test_image_content", "Answers with an image", NO_ARGUMENTS, conformance_content, &image),
    FIXTURE("test_audio_content", "Answers with audio", NO_ARGUMENTS, conformance_content, &audio),
    FIXTURE("test_embedded_resource", "Answers with a resource", NO_ARGUMENTS, conformance_content, &embedded),
    FIXTURE("test_multiple_content_types", "Answers with text, image and resource", NO_ARGUMENTS, conformance_content,
            &mixed),
    FIXTURE("test_error_handling", "Answers with an error", NO_ARGUMENTS, conformance_content, &failing),
    FIXTURE("test_tool_with_progress", "Tells its progress", NO_ARGUMENTS, run_progress, NULL),
    FIXTURE("test_tool_with_logging", "Writes three lines to the client's log", NO_ARGUMENTS, run_logging, NULL),
    FIXTURE("test_logging_tool", "Writes to the client's log when that was asked for", NO_ARGUMENTS, run_logging, NULL),
    FIXTURE(
        "test_sampling", "Asks the client's model",
        STR_INIT("{\"type\":\"object\",\"properties\":{\"prompt\":{\"type\":\"string\"}},\"required\":[\"prompt\"]}"),
        run_sampling, NULL),
    FIXTURE("test_elicitation", "Asks the client's person",
            STR_INIT("{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"}},\"required\":["
                     "\"message\"]}"),
            run_elicitation, NULL),
    FIXTURE("test_elicitation_sep1034_defaults", "A form with defaults", NO_ARGUMENTS, conformance_ask, &ask_defaults),
    FIXTURE("test_elicitation_sep1330_enums", "A form with every kind of choice", NO_ARGUMENTS, conformance_ask,
            &ask_enums),
    FIXTURE("json_schema_2020_12_tool", "Has a schema with what JSON Schema 2020-12 offers",
            STR_INIT("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"$defs\":{"
                     "\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{\"street\":{\"type\":"
                     "\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{\"name\":{\"type\":\"string\"},"
                     "\"address\":{\"$ref\":\"#/$defs/address\"},\"contactMethod\":{\"type\":\"string\",\"enum\":["
                     "\"phone\",\"email\"]},\"phone\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"}},\"allOf\":"
                     "[{\"anyOf\":[{\"required\":[\"phone\"]},{\"required\":[\"email\"]}]}],\"if\":{\"properties\":{"
                     "\"contactMethod\":{\"const\":\"phone\"}},\"required\":[\"contactMethod\"]},\"then\":{"
                     "\"required\":[\"phone\"]},\"else\":{\"required\":[\"email\"]},\"additionalProperties\":false}"),
            conformance_content, &schema_tool),
    FIXTURE("test_missing_capability", "Needs a client whose model can be asked", NO_ARGUMENTS, conformance_ask,
            &ask_sampling),
    FIXTURE("test_streaming_elicitation", "Its stream holds no requests", NO_ARGUMENTS, conformance_content,
            &no_requests),
    FIXTURE("test_trigger_tool_change", "Tells that the tools have changed", NO_ARGUMENTS, run_change, &tools_changed),
    FIXTURE("test_trigger_prompt_change", "Tells that the prompts have changed", NO_ARGUMENTS, run_change,
            &prompts_changed),
    FIXTURE("test_trigger_resource_update", "Tells that the watched resource has changed", NO_ARGUMENTS, run_change,
            &watched_changed),
    FIXTURE("test_x_mcp_header", "Has an argument that a header repeats",
            STR_INIT("{\"type\":\"object\",\"properties\":{\"region\":{\"type\":\"string\",\"description\":\"in "
                     "Mcp-Param-Region, too\",\"x-mcp-header\":\"Region\"},\"level\":{\"type\":\"integer\"}}}"),
            conformance_content, &mirrored),
    FIXTURE("test_input_required_result_elicitation", "Asks for a name", NO_ARGUMENTS, conformance_ask, &ask_name),
    FIXTURE("test_input_required_result_sampling", "Asks the client's model", NO_ARGUMENTS, conformance_ask,
            &ask_capital),
    FIXTURE("test_input_required_result_list_roots", "Asks for the roots", NO_ARGUMENTS, conformance_ask, &ask_roots),
    FIXTURE("test_input_required_result_request_state", "Asks, with a state", NO_ARGUMENTS, conformance_ask,
            &ask_confirm),
    FIXTURE("test_input_required_result_multiple_inputs", "Asks three things at once", NO_ARGUMENTS, conformance_ask,
            &ask_three),
    FIXTURE("test_input_required_result_multi_round", "Asks two things, one after the other", NO_ARGUMENTS,
            conformance_ask, &ask_twice),
    FIXTURE("test_input_required_result_tampered_state", "Refuses a state that was changed", NO_ARGUMENTS,
            conformance_ask, &ask_confirm),
    FIXTURE("test_input_required_result_capabilities", "Asks what the client can be asked", NO_ARGUMENTS,
            conformance_ask, &ask_what_can),
    FIXTURE("greet", "Answers at once",
            STR_INIT("{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}"), conformance_greet, NULL),
    FIXTURE("slow_compute", "Takes its time",
            STR_INIT("{\"type\":\"object\",\"properties\":{\"seconds\":{\"type\":\"integer\",\"minimum\":0},"
                     "\"label\":{\"type\":\"string\"}}}"),
            conformance_start_job, NULL),
    JOB_FIXTURE("failing_job", "Fails in the background", NO_ARGUMENTS, conformance_start_job),
    JOB_FIXTURE("protocol_error_job", "Breaks in the background", NO_ARGUMENTS, conformance_start_job),
    JOB_FIXTURE("confirm_delete", "Asks in the background",
                STR_INIT("{\"type\":\"object\",\"properties\":{\"filename\":{\"type\":\"string\"}}}"),
                conformance_start_job),
    JOB_FIXTURE("multi_input", "Asks two things at once in the background", NO_ARGUMENTS, conformance_start_job),
    JOB_FIXTURE("test_tool_with_task", "Asks, and then goes on in the background", NO_ARGUMENTS,
                conformance_ask_and_start),
    FIXTURE("test_job_items", "Counts items in the background",
            STR_INIT("{\"type\":\"object\",\"properties\":{\"count\":{\"type\":\"integer\"},\"each_ms\":{\"type\":"
                     "\"integer\"}},\"required\":[\"count\"]}"),
            conformance_start_job, NULL),
    FIXTURE("test_job_state", "Tells how far a job is", JOB_ARGUMENT, conformance_tell_job, NULL),
    FIXTURE("test_job_stop", "Stops a job", JOB_ARGUMENT, conformance_stop_job, NULL),
};
