/* tools/list and tools/call. */
#include "mcp/tools.h"

#include "audit/audit.h"
#include "base/log.h"
#include "json/json_write.h"
#include "json/schema.h"
#include "mcp/redact.h"

#include <stdlib.h>

/* --- the list ---------------------------------------------------------------------------------------------------------- */

static bool may_use(const struct tool *tool, unsigned rights)
{
    return (tool->needs_any & rights) != 0;
}

static void write_tool(struct json_writer *w, const struct tool *tool)
{
    json_object(w);
    json_member_str(w, "name", tool->name);
    json_member_str(w, "title", tool->title);
    json_member_str(w, "description", tool->description);
    json_member_raw(w, "inputSchema", tool->input_schema);
    json_key(w, STR("annotations"));
    json_object(w);
    json_member_bool(w, "readOnlyHint", tool->reads_only);
    json_member_bool(w, "destructiveHint", tool->destructive);
    json_member_bool(w, "idempotentHint", tool->idempotent);
    json_member_bool(w, "openWorldHint", tool->open_world);
    json_end(w);
    json_end(w);
}

static void write_list(const struct provider *provider, unsigned rights, struct buf *out)
{
    struct json_writer w;
    buf_add(out, STR("\"tools\":"));
    json_write_init(&w, out);
    json_array(&w);
    for (size_t i = 0; i < provider->n_tools; i++)
        if (may_use(&provider->tools[i], rights))
            write_tool(&w, &provider->tools[i]);
    json_end(&w);
}

/* The list depends on provider and rights only, so each text is made once and kept for the life of the process. */
struct kept_list {
    struct kept_list *next;
    const struct provider *provider;
    unsigned rights;
    struct buf text;
};
static struct kept_list *kept_lists;

enum { LIST_MAX_BYTES = 256 * 1024 };

void tools_list(struct call *call, const struct provider *provider, unsigned rights, struct buf *out)
{
    (void)call;
    for (struct kept_list *kept = kept_lists; kept; kept = kept->next)
        if (kept->provider == provider && kept->rights == rights) {
            buf_add(out, buf_str(&kept->text));
            return;
        }
    struct kept_list *kept = calloc(1, sizeof *kept);
    if (!kept) {
        write_list(provider, rights, out);
        return;
    }
    kept->provider = provider;
    kept->rights = rights;
    buf_init_heap(&kept->text, LIST_MAX_BYTES);
    write_list(provider, rights, &kept->text);
    buf_add(out, buf_str(&kept->text));
    if (buf_failed(&kept->text)) {
        out->failed = true;
        buf_done(&kept->text);
        free(kept);
        return;
    }
    kept->next = kept_lists;
    kept_lists = kept;
}

bool tools_list_cursor_is_bad(const struct json *params)
{
    const struct json *cursor = json_get(params, STR("cursor"));
    return !json_is(cursor, JSON_MISSING) && !json_is(cursor, JSON_NULL);
}

/* --- one call ---------------------------------------------------------------------------------------------------------- */

static const struct tool *find_tool(const struct provider *provider, struct str name)
{
    for (size_t i = 0; i < provider->n_tools; i++)
        if (str_eq(provider->tools[i].name, name))
            return &provider->tools[i];
    return NULL;
}

/* The parsed schema of each tool, made at its first use and kept: tools are const, so the list is small and bounded. */
struct kept_schema {
    struct kept_schema *next;
    const struct tool *tool;
    const struct json *schema;
};
static struct kept_schema *kept_schemas;
static struct arena *schema_arena;

enum { SCHEMAS_MAX_BYTES = 4 * 1024 * 1024 };

/* NULL when there is no memory. */
static const struct json *schema_of(const struct tool *tool)
{
    for (struct kept_schema *kept = kept_schemas; kept; kept = kept->next)
        if (kept->tool == tool)
            return kept->schema;
    if (!schema_arena && !(schema_arena = arena_new(SCHEMAS_MAX_BYTES)))
        return NULL;
    struct kept_schema *kept = arena_new_of(schema_arena, struct kept_schema);
    if (json_parse(schema_arena, tool->input_schema, NULL, &kept->schema, NULL) != OK)
        return NULL; /* a test parses every schema we ship */
    kept->tool = tool;
    kept->next = kept_schemas;
    kept_schemas = kept;
    return kept->schema;
}

static void record_done(struct call *call, const struct tool *tool, const struct principal *who,
                        const struct json *arguments, const struct tool_result *result, int error, int64_t elapsed_ms)
{
    struct buf data;
    struct json_writer w;
    buf_init(&data, call->arena, 64 * 1024);
    json_write_init(&w, &data);
    json_object(&w);
    json_member_str(&w, "call", str_from(call->id));
    json_member_str(&w, "outcome", str_from(error_name(error)));
    json_member_i64(&w, "ms", elapsed_ms);
    if (tool->reads_only)
        json_member_raw(&w, "arguments", redact_arguments(call->arena, arguments));
    if (error)
        json_member_str(&w, "error", str_sub(call->error_text, 0, REDACT_STRING_MAX_BYTES));
    else if (result->audit_json.len)
        json_member_raw(&w, "done", result->audit_json);
    json_end(&w);
    struct audit_event event = {
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .action = call_format(call, "tool.%.*s", STR_ARG(tool->name)),
        .data_json = buf_str(&data),
    };
    if (tool->reads_only) {
        audit_later(&event);
        return;
    }
    /* The deed is done, so its record is written even when the caller has gone or its time is up. */
    struct call rest = *call;
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + 5000;
    if (audit_record(&rest, &event) != OK)
        log_error("call %s: %.*s ended with %s, but its outcome could not be recorded: %.*s", call->id,
                  STR_ARG(tool->name), error_name(error), STR_ARG(rest.error_text));
}

/* No record, no action: committed before the tool may send its first byte. */
static int record_intent(struct call *call, const struct tool *tool, const struct principal *who,
                         const struct json *arguments)
{
    struct audit_event event = {
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .action = call_format(call, "tool.%.*s.intent", STR_ARG(tool->name)),
        .data_json = call_format(call, "{\"call\":\"%s\",\"arguments\":%.*s}", call->id,
                                 STR_ARG(redact_arguments(call->arena, arguments))),
    };
    return audit_record(call, &event);
}

static int run_tool(struct call *call, const struct tool *tool, const struct principal *who,
                    const struct json *arguments, struct tool_result *result)
{
    const struct json *schema = schema_of(tool);
    if (!schema)
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    int error = schema_validate(call, schema, arguments);
    if (error)
        return error;
    if (!tool->reads_only && (error = record_intent(call, tool, who, arguments)))
        return error;
    struct tool_context context = {.site = &who->site, .rights = who->rights};
    int64_t start_ms = clock_monotonic_ms();
    error = tool->run(call, &context, arguments, result);
    if (!error && buf_failed(&result->text))
        error = fail(call, E_LIMIT, "The answer is too large. Ask for less at a time.");
    record_done(call, tool, who, arguments, result, error, clock_monotonic_ms() - start_ms);
    return error;
}

int tools_call(struct call *call, const struct provider *provider, const struct principal *who,
               const struct json *params, struct tools_outcome *ret)
{
    struct str name = json_str(json_get(params, STR("name")));
    const struct json *arguments = json_get(params, STR("arguments"));
    const struct tool *tool = find_tool(provider, name);
    if (!tool)
        return fail(call, E_INVALID, "There is no tool '%.*s'. tools/list names those there are.",
                    STR_ARG(str_sub(name, 0, 100)));
    if (json_is(arguments, JSON_MISSING)) {
        if (json_parse(call->arena, STR("{}"), NULL, &arguments, NULL) != OK)
            return fail(call, E_INTERNAL, "The arguments could not be read.");
    } else if (!json_is(arguments, JSON_OBJECT)) {
        return fail(call, E_INVALID, "\"arguments\" must be an object.");
    }
    struct tool_result result = {0};
    buf_init(&result.text, call->arena, TOOL_TEXT_MAX_BYTES);
    int error = E_DENIED;
    if (!may_use(tool, who->rights)) {
        char words[RIGHTS_TEXT_BYTES], needed[RIGHTS_TEXT_BYTES];
        fail(call, E_DENIED,
             "This token may not use %.*s: it has the rights %.*s, and one of %.*s is needed. Its owner can make a "
             "token with more.",
             STR_ARG(tool->name), STR_ARG(rights_format(who->rights, words)),
             STR_ARG(rights_format(tool->needs_any, needed)));
        record_done(call, tool, who, arguments, &result, error, 0);
    } else {
        error = run_tool(call, tool, who, arguments, &result);
    }
    *ret = (struct tools_outcome){
        .text = error ? call->error_text : buf_str(&result.text),
        .is_error = error != OK,
    };
    if (error)
        log_info("call %s: %.*s: %s: %.*s %.*s", call->id, STR_ARG(tool->name), error_name(error),
                 STR_ARG(call->error_text), STR_ARG(call->error_detail));
    return OK;
}

void tools_write_outcome(const struct tools_outcome *outcome, struct buf *out)
{
    struct json_writer w;
    buf_add(out, STR("\"content\":[{\"type\":\"text\",\"text\":"));
    json_write_init(&w, out);
    json_string(&w, outcome->text);
    buf_add(out, STR("}]"));
    if (outcome->is_error)
        buf_add(out, STR(",\"isError\":true"));
}
