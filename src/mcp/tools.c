/* tools/list and tools/call. */
#include "mcp/tools.h"

#include "base/metrics.h"
#include "base/log.h"
#include "base/visible.h"
#include "jobs/jobs.h"
#include "json/json_write.h"
#include "json/schema.h"
#include "mcp/arguments.h"
#include "mcp/header.h"
#include "mcp/methods.h"
#include "mcp/sites.h"
#include "mcp/tool_record.h"
#include "net/span.h"

#include <stdlib.h>

/* --- the list ---------------------------------------------------------------------------------------------------------- */

static bool may_use(const struct tool *tool, unsigned rights)
{
    return (tool->needs_any & rights) != 0;
}

/* For a token without the option there is no such tool. */
static bool is_offered(const struct tool *tool, unsigned options)
{
    return !tool->needs_option || (tool->needs_option & options);
}

#define CONFIRM_SCHEMA STR("{\"type\":\"string\"}") /* the preview says what to do with its code */

/* Arguments that a token's setting adds to a tool's own. */
struct added {
    struct str confirm_schema, site_schema; /* empty: not */
};

static void write_added(struct json_writer *w, const struct added *added)
{
    if (added->site_schema.len)
        json_member_raw(w, SITE_ARGUMENT, added->site_schema);
    if (added->confirm_schema.len)
        json_member_raw(w, TOOL_CONFIRM_ARGUMENT, added->confirm_schema);
}

static void write_required(struct json_writer *w, const struct json *required, const struct added *added)
{
    if (!added->site_schema.len && json_count(required) == 0)
        return;
    json_key(w, STR("required"));
    json_array(w);
    if (added->site_schema.len)
        json_string(w, STR(SITE_ARGUMENT));
    for (size_t i = 0; i < json_count(required); i++)
        json_value(w, json_at(required, i));
    json_end(w);
}

static void write_properties(struct json_writer *w, const struct json *properties, const struct added *added)
{
    json_key(w, STR("properties"));
    json_object(w);
    for (size_t i = 0; i < json_count(properties); i++) {
        struct json_member property = json_member_at(properties, i);
        json_key(w, property.name);
        json_value(w, property.value);
    }
    write_added(w, added);
    json_end(w);
}

/* The tool's schema, and members more. */
static void write_extended_schema(struct json_writer *w, struct arena *arena, const struct tool *tool,
                                  const struct added *added)
{
    const struct json *schema, *properties, *required;
    if (json_parse(arena, tool->input_schema, NULL, &schema, NULL) != OK) {
        json_raw_value(w, tool->input_schema); /* a test parses every schema we ship */
        return;
    }
    properties = json_get(schema, STR("properties"));
    required = json_get(schema, STR("required"));
    json_object(w);
    for (size_t i = 0; i < json_count(schema); i++) {
        struct json_member member = json_member_at(schema, i);
        if (member.value == properties) {
            write_properties(w, properties, added);
        } else if (member.value == required) {
            write_required(w, required, added);
        } else {
            json_key(w, member.name);
            json_value(w, member.value);
        }
    }
    if (json_is(properties, JSON_MISSING))
        write_properties(w, properties, added);
    if (json_is(required, JSON_MISSING))
        write_required(w, required, added);
    json_end(w);
}

static void write_tool(struct json_writer *w, struct arena *arena, const struct tool *tool, const struct principal *who)
{
    const struct added added = {
        .confirm_schema = tool->confirms && who->confirm != CONFIRM_HUMAN ? CONFIRM_SCHEMA : STR_EMPTY,
        .site_schema = sites_are_chosen(who) && tool->sites == TOOL_TAKES_SITE ? sites_schema(arena, who) : STR_EMPTY,
    };
    json_object(w);
    json_member_str(w, "name", tool->name);
    method_write_text(w, "title", tool->title);
    json_member_str(w, "description", tool->description);
    json_key(w, STR("inputSchema"));
    if (added.confirm_schema.len || added.site_schema.len)
        write_extended_schema(w, arena, tool, &added);
    else
        json_raw_value(w, tool->input_schema);
    if (tool->output_schema.len)
        json_member_raw(w, "outputSchema", tool->output_schema);
    json_key(w, STR("annotations"));
    json_object(w);
    json_member_bool(w, "readOnlyHint", tool->reads_only);
    json_member_bool(w, "destructiveHint", tool->destructive);
    json_member_bool(w, "idempotentHint", tool->idempotent);
    json_member_bool(w, "openWorldHint", tool->open_world);
    json_end(w);
    if (tool->icons_json.len)
        json_member_raw(w, "icons", tool->icons_json);
    json_end(w);
}

static void write_list(struct arena *arena, const struct provider *provider, const struct principal *who,
                       struct buf *out)
{
    struct json_writer w;
    buf_add(out, STR("\"tools\":"));
    json_write_init(&w, out);
    json_array(&w);
    for (size_t i = 0; i < provider->n_tools; i++)
        if (is_offered(&provider->tools[i], who->options) && may_use(&provider->tools[i], sites_rights(who)))
            write_tool(&w, arena, &provider->tools[i], who);
    json_end(&w);
}

/* The list depends on these only, so each text is made once and kept for the life of the process. */
struct kept_list {
    struct kept_list *next;
    const struct provider *provider;
    unsigned rights, options;
    enum confirm confirm;
    struct buf text;
};
static struct kept_list *kept_lists;

enum { LIST_MAX_BYTES = 256 * 1024 };

static void write_kept_list(struct call *call, const struct provider *provider, const struct principal *who,
                            struct buf *out)
{
    if (sites_are_chosen(who)) { /* of one token only */
        write_list(call->arena, provider, who, out);
        return;
    }
    for (struct kept_list *kept = kept_lists; kept; kept = kept->next)
        if (kept->provider == provider && kept->rights == who->rights && kept->options == who->options &&
            kept->confirm == who->confirm) {
            buf_add(out, buf_str(&kept->text));
            return;
        }
    struct buf text;
    buf_init(&text, call->arena, LIST_MAX_BYTES);
    write_list(call->arena, provider, who, &text);
    buf_add(out, buf_str(&text));
    if (buf_failed(&text)) {
        out->failed = true;
        return;
    }
    struct kept_list *kept = calloc(1, sizeof *kept);
    if (!kept)
        return;
    kept->provider = provider;
    kept->rights = who->rights;
    kept->options = who->options;
    kept->confirm = who->confirm;
    buf_init_heap(&kept->text, LIST_MAX_BYTES);
    buf_add(&kept->text, buf_str(&text));
    if (buf_failed(&kept->text)) {
        buf_done(&kept->text);
        free(kept);
        return;
    }
    kept->next = kept_lists;
    kept_lists = kept;
}

int tools_list_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct json *cursor = json_get(host->request->message.params, STR("cursor"));
    /* The list is one page: any cursor is one we never gave. */
    if (!json_is(cursor, JSON_MISSING) && !json_is(cursor, JSON_NULL))
        return fail(call, E_INVALID, "There is no page with this cursor.");
    write_kept_list(call, host->request->provider, host->request->who, out);
    return OK;
}

/* --- one call ---------------------------------------------------------------------------------------------------------- */

static const struct tool *find_tool(const struct provider *provider, struct str name)
{
    for (size_t i = 0; i < provider->n_tools; i++)
        if (str_eq(provider->tools[i].name, name))
            return &provider->tools[i];
    return NULL;
}

bool tools_has(const struct provider *provider, struct str name)
{
    return find_tool(provider, name) != NULL;
}

bool tools_writes(const struct provider *provider, struct str name)
{
    const struct tool *tool = find_tool(provider, name);
    return tool && !tool->reads_only;
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

/* NULL when there is no memory for any of them; when there is none for this one, the call gives up. */
static const struct json *schema_of(struct call *call, const struct tool *tool)
{
    for (struct kept_schema *kept = kept_schemas; kept; kept = kept->next)
        if (kept->tool == tool)
            return kept->schema;
    if (!schema_arena && !(schema_arena = arena_new(SCHEMAS_MAX_BYTES)))
        return NULL;
    arena_exhaust_with(schema_arena, call->arena);
    struct kept_schema *kept = arena_new_of(schema_arena, struct kept_schema);
    if (json_parse(schema_arena, tool->input_schema, NULL, &kept->schema, NULL) != OK)
        return NULL; /* a test parses every schema we ship */
    kept->tool = tool;
    kept->next = kept_schemas;
    kept_schemas = kept;
    return kept->schema;
}

static int run_tool(struct call *call, const struct tool *tool, struct mcp_host *host, struct tool_result *result)
{
    const struct principal *who = host->request->who;
    const struct json *schema = schema_of(call, tool), *arguments = host->arguments;
    if (!schema)
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    int error = schema_validate_closed(call, schema, arguments);
    if (error)
        return tool_record_refused(call, tool, host, error);
    if (!tool->reads_only && (error = tool_record_intent(call, tool, host, arguments)))
        return error;
    struct tool_context context = method_context(call, host);
    context.tool = tool;
    /* Reading for a client that has gone is no use to anybody, in whichever era; a write that has begun goes on in the older ones. */
    if (tool->reads_only && host->request->exchange)
        http_exchange_cancel_on_close(host->request->exchange, true);
    int64_t start_ms = clock_monotonic_ms();
    host->holds_endings = !tool->reads_only;
    error = tool->run(call, &context, arguments, result);
    host->holds_endings = false;
    mcp_host_give_leases_back(call, host);
    if (!error && (buf_failed(&result->text) || buf_failed(&result->blocks)))
        error = fail(call, E_LIMIT, "The answer is too large. Ask for less at a time.");
    tool_record_done(call, tool, host, arguments, result, error, clock_monotonic_ms() - start_ms);
    if (error == E_REFUSED)
        method_stop_connection(call, who);
    return error;
}

/*
 * The arguments as the tool takes them, without the code of a confirmation: it belongs to us, not to the tool, and is not part of
 * what it binds. Where a tool confirms they are written anew, with and without a code: the sentence that is agreed to quotes
 * arguments, and must not depend on the white space that a client puts between them, nor on their order.
 */
static int settle_arguments(struct call *call, const struct tool *tool, struct mcp_host *host)
{
    const struct json *code = json_get(host->arguments, STR(TOOL_CONFIRM_ARGUMENT)), *schema = schema_of(call, tool);
    bool asks_owner = host->request->who->confirm == CONFIRM_HUMAN; /* of whatever writes */
    bool takes_code = tool->confirms && !asks_owner;
    if (!schema)
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    if (takes_code && !json_is(code, JSON_MISSING) && !json_is(code, JSON_STRING))
        return fail(call, E_INVALID, TOOL_CONFIRM_ARGUMENT " must be a string.");
    if (takes_code)
        host->confirm_code = json_str(code);
    return arguments_settle(call, schema, host->arguments, takes_code || (asks_owner && !tool->reads_only),
                            takes_code ? TOOL_CONFIRM_ARGUMENT : NULL, &host->arguments);
}

static int refuse_without_right(struct call *call, const struct tool *tool, const struct mcp_host *host)
{
    char words[RIGHTS_TEXT_BYTES], needed[RIGHTS_TEXT_BYTES];
    rights_lack(call, tool->needs_any & -tool->needs_any, /* the first of them, which allows least */
                fail(call, E_DENIED,
                     "This token may not use %.*s: it has the rights %.*s, and one of %.*s is needed. Its owner can "
                     "make a token with more.",
                     STR_ARG(tool->name), STR_ARG(rights_format(host->request->who->rights, words)),
                     STR_ARG(rights_format(tool->needs_any, needed))));
    return tool_record_refused(call, tool, host, E_DENIED);
}

static int run_allowed(struct call *call, const struct tool *tool, struct mcp_host *host, struct tool_result *result)
{
    if (!may_use(tool, host->request->who->rights))
        return refuse_without_right(call, tool, host);
    if (!tool->needs_jobs || host->abilities & HOST_TASKS)
        return run_tool(call, tool, host, result);
    host->lacking = HOST_TASKS;
    fail(call, E_DENIED,
         "%.*s works in the background only, and your client did not say that it can follow that (the "
         "extension " MCP_EXTENSION_TASKS ").",
         STR_ARG(tool->name));
    return tool_record_refused(call, tool, host, E_DENIED);
}

/* --- tools that have no argument `site`, for a token over several connections ------------------------------------------------ */

static const struct json *parsed(struct call *call, const struct tool_result *result)
{
    static const struct json nothing = {.type = JSON_MISSING};
    const struct json *value;
    return json_parse(call->arena, buf_str(&result->text), NULL, &value, NULL) == OK ? value : &nothing;
}

static void init_result(struct call *call, struct tool_result *result)
{
    *result = (struct tool_result){0};
    buf_init(&result->text, call->arena, TOOL_TEXT_MAX_BYTES);
    buf_init(&result->blocks, call->arena, TOOL_BLOCKS_MAX_BYTES);
}

/* One site that does not answer does not keep the others from being searched; when none does, the first one's error is the answer. */
static int run_at_all(struct call *call, const struct tool *tool, struct mcp_host *host, struct tool_result *result)
{
    const struct mcp_request *all = host->request;
    struct principal *who = call->who;
    struct buf text, failed;
    struct json_writer w, fails;
    struct str first_error = STR_EMPTY;
    int error = OK;
    size_t done = 0;
    buf_init(&text, call->arena, TOOL_TEXT_MAX_BYTES);
    buf_init(&failed, call->arena, TOOL_TEXT_MAX_BYTES);
    json_write_init(&w, &text);
    json_write_init(&fails, &failed);
    json_object(&w);
    json_key(&w, STR("results"));
    json_array(&w);
    json_array(&fails);
    for (size_t i = 0; i < all->who->n_grants; i++) {
        const struct site_grant *grant = &all->who->grants[i];
        struct tool_result part;
        init_result(call, &part);
        int its = sites_take(call, host, all, grant);
        if (!its)
            its = run_allowed(call, tool, host, &part);
        const struct json *results = its ? NULL : json_get(parsed(call, &part), STR("results"));
        for (size_t k = 0; !its && k < json_count(results); k++)
            sites_write_named(call, &w, json_at(results, k), grant);
        done += !its;
        if (!its)
            continue;
        json_object(&fails);
        json_member_str(&fails, "site", grant->alias);
        json_member_str(&fails, "why", call->error_text);
        json_end(&fails);
        if (!error) {
            error = its;
            first_error = call->error_text;
        }
        if (call->cancelled || !call_time_left_ms(call))
            break;
        call_clear_error(call);
    }
    json_end(&w);
    json_end(&fails);
    if (done && error)
        json_member_raw(&w, "failed", buf_str(&failed));
    json_end(&w);
    host->request = all;
    call->who = who;
    if (!done)
        return fail(call, (enum error)error, "%.*s", STR_ARG(first_error));
    return tool_result_json(call, result, &text);
}

static int run_at_named(struct call *call, const struct tool *tool, struct mcp_host *host, struct tool_result *result)
{
    const struct site_grant *grant;
    struct tool_result part;
    struct buf text;
    struct json_writer w;
    init_result(call, &part);
    int error = sites_choose_by_id(call, host, &grant);
    if (error || (error = run_allowed(call, tool, host, &part)))
        return error;
    buf_init(&text, call->arena, TOOL_TEXT_MAX_BYTES);
    json_write_init(&w, &text);
    sites_write_named(call, &w, parsed(call, &part), grant);
    return tool_result_json(call, result, &text);
}

/* Does the token choose its site without the argument? */
static bool has_own_way(const struct tool *tool, const struct mcp_host *host)
{
    return tool->sites != TOOL_TAKES_SITE && sites_are_chosen(host->request->who);
}

static int run_chosen(struct call *call, const struct tool *tool, struct mcp_host *host, struct tool_result *result)
{
    if (!has_own_way(tool, host))
        return run_allowed(call, tool, host, result);
    return tool->sites == TOOL_ASKS_ALL ? run_at_all(call, tool, host, result) : run_at_named(call, tool, host, result);
}

int tools_run(struct call *call, struct mcp_host *host, struct tool_result *result)
{
    host->tool = find_tool(host->request->provider, host->name);
    if (!host->tool)
        return fail(call, E_NOT_FOUND, "There is no tool '%.*s' any more.", STR_ARG(str_sub(host->name, 0, 100)));
    buf_init(&result->text, call->arena, TOOL_TEXT_MAX_BYTES);
    buf_init(&result->blocks, call->arena, TOOL_BLOCKS_MAX_BYTES);
    return run_allowed(call, host->tool, host, result);
}

static void write_text_block(struct call *call, struct json_writer *w, struct str text)
{
    json_object(w);
    json_member_str(w, "type", STR("text"));
    json_member_str(w, "text", visible_text(call->arena, text));
    json_end(w);
}

void tools_write_result(struct call *call, const struct tool_result *result, bool modern, struct buf *out)
{
    struct json_writer w;
    buf_add(out, STR("\"content\":["));
    json_write_init(&w, out);
    if (result->text.len || result->blocks.len == 0)
        write_text_block(call, &w, buf_str(&result->text));
    if (result->blocks.len) {
        if (result->text.len)
            buf_add_char(out, ',');
        buf_add(out, buf_str(&result->blocks));
    }
    buf_add_char(out, ']');
    /* Before 2026-07-28 it had to be an object. */
    if (result->structured_json.len && (modern || result->structured_json.ptr[0] == '{')) {
        buf_add(out, STR(",\"structuredContent\":"));
        json_write_init(&w, out);
        json_raw_value(&w, result->structured_json);
    }
    if (result->is_error)
        buf_add(out, STR(",\"isError\":true"));
}

static void write_failure(struct call *call, int error, struct buf *out)
{
    struct json_writer w;
    buf_add(out, STR("\"content\":["));
    json_write_init(&w, out);
    write_text_block(call, &w, call->error_text);
    buf_add_char(out, ']');
    if (error == E_WAITING)
        return; /* a preview, or somebody's approval to wait for, is no failure */
    buf_add(out, STR(",\"isError\":true"));
    span_error(call->span, STR("tool_error"));
}

/* Errors only when the request itself is wrong, or the client lacks what the tool needs; all else is for the model to read. */
int tools_call_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct tool *tool = find_tool(host->request->provider, host->name);
    if (!tool || !is_offered(tool, host->request->who->options))
        return fail(call, E_INVALID, "There is no tool '%.*s'. tools/list names those there are.",
                    STR_ARG(str_sub(host->name, 0, 100)));
    if (json_is(host->arguments, JSON_MISSING)) {
        if (json_parse(call->arena, STR("{}"), NULL, &host->arguments, NULL) != OK)
            return fail(call, E_INTERNAL, "The arguments could not be read.");
    } else if (!json_is(host->arguments, JSON_OBJECT)) {
        return fail(call, E_INVALID, "\"arguments\" must be an object.");
    }
    jobs_glance();
    int error = settle_arguments(call, tool, host);
    host->bound = host->arguments;
    if (!error && !has_own_way(tool, host))
        error = sites_choose(call, host);
    if (error)
        return tool_record_refused(call, tool, host, error);
    struct tool_result result;
    host->tool = tool;
    init_result(call, &result);
    int64_t begun_ns = clock_monotonic_ns();
    error = run_chosen(call, tool, host, &result);
    metric_time(METRIC_CALLS, (clock_monotonic_ns() - begun_ns) / 1000, tool->name, host->request->provider->key,
                host->modern ? STR("modern") : STR("legacy"),
                str_from(error             ? error_name(error)
                         : result.is_error ? "tool_error"
                                           : "ok"));
    if (error)
        /* Not its text, which may be the site's: that is in the audit. */
        log_info("call %s: %.*s: %s: %.*s", call->id, STR_ARG(tool->name), error_name(error),
                 STR_ARG(call->error_detail));
    if (error == E_DENIED && host->request->who->audience.len)
        host->lacking_rights = call->error_rights;
    if (error && (host->waiting || host->code == RPC_UNAVAILABLE || (host->lacking && host->modern)))
        return error;
    if (!error && result.is_error)
        span_error(call->span, STR("tool_error"));
    if (error)
        write_failure(call, error, out);
    else if (!host->task.len)
        tools_write_result(call, &result, host->modern, out);
    return OK;
}

/* --- arguments in headers ---------------------------------------------------------------------------------------------- */

enum { HEADER_DEPTH_MAX = 8 };

static bool header_says(struct call *call, struct str header, const struct json *value)
{
    struct str text;
    int64_t number, said;
    if (!header_decode(call, header, &text))
        return false;
    if (json_is(value, JSON_STRING))
        return str_eq(text, json_str(value));
    if (json_is(value, JSON_BOOL))
        return str_eq(text, json_raw(value));
    if (!json_to_i64(value, &number))
        return str_eq(text, json_raw(value));
    const struct json *parsed; /* 42.0 says 42 */
    return json_parse(call->arena, text, NULL, &parsed, NULL) == OK && json_to_i64(parsed, &said) && said == number;
}

/* Along `properties` only: what stands elsewhere is not statically reachable, and no header is expected of it. */
static int check_properties(struct call *call, const struct http_request *http, const struct json *schema,
                            const struct json *value, int depth)
{
    const struct json *properties = json_get(schema, STR("properties"));
    for (size_t i = 0; depth < HEADER_DEPTH_MAX && i < json_count(properties); i++) {
        struct json_member property = json_member_at(properties, i);
        const struct json *member = json_get(value, property.name);
        struct str name = json_str(json_get(property.value, STR("x-mcp-header")));
        if (name.len && !json_is(member, JSON_MISSING) && !json_is(member, JSON_NULL)) {
            struct str header = header_once(http, call_format(call, "Mcp-Param-%.*s", STR_ARG(name)));
            if (!header.ptr || !header_says(call, header, member))
                return fail(call, E_INVALID, "The Mcp-Param-%.*s header must repeat the argument '%.*s'.",
                            STR_ARG(name), STR_ARG(property.name));
        }
        int error = check_properties(call, http, property.value, member, depth + 1);
        if (error)
            return error;
    }
    return OK;
}

int tools_check_headers(struct call *call, const struct mcp_request *request)
{
    const struct json *params = request->message.params;
    const struct tool *tool = find_tool(request->provider, json_str(json_get(params, STR("name"))));
    /* Most tools have no such argument, which is seen faster in the text than in the tree. */
    if (!tool || !request->http || !str_contains(tool->input_schema, STR("\"x-mcp-header\"")))
        return OK;
    const struct json *schema = schema_of(call, tool);
    if (!schema)
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    return check_properties(call, request->http, schema, json_get(params, STR("arguments")), 0);
}
