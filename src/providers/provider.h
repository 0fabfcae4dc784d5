/*
 * A provider is one kind of service that people connect: WordPress, WhatsApp. It is a const table: how a connection's form
 * looks, how a connection is proved, and the tools it offers. What lies above (mcp, web, cli) knows no provider by name.
 *
 * A provider knows neither MCP nor SQL nor tenants: it is handed one site and one set of rights, and reaches the network only
 * through site_fetch() (providers/site.h).
 */
#ifndef PROVIDERS_PROVIDER_H
#define PROVIDERS_PROVIDER_H

#include "base/buf.h"
#include "call/call.h"
#include "call/rights.h"
#include "crypto/seal.h"
#include "json/json.h"
#include "providers/host.h"
#include "providers/messages.h"

/* One connected service, as its provider sees it. Everything lives as long as the call. */
struct site {
    int64_t connection_id; /* 0 while a connection is being made */
    int64_t user_id;
    struct str name;              /* given by its owner */
    struct str provider_key;      /* for metrics and traces */
    struct str config_json;       /* object: what is not secret */
    struct sealed secret;         /* opened by site_fetch() only */
    struct str plain_secret_json; /* set instead of `secret` only while a connection is being made */
};

enum field_kind { FIELD_URL, FIELD_TEXT, FIELD_SECRET, FIELD_CHOICE };

struct provider;

/* One field of the form that makes a connection. FIELD_SECRET goes into the sealed secret, others into the config, except
 * `in_secret`: a user name belongs to its password. */
struct provider_field {
    const char *name; /* JSON member, and with dashes the CLI flag */
    const char *label;
    const char *help;
    const char *label_pt, *help_pt; /* the same in Brazilian Portuguese, for forms in a browser; NULL: as above */
    enum field_kind kind;
    bool required;
    bool in_secret;
    const char *choices; /* of FIELD_CHOICE: words with a space between; the first is the default */
    const char
        *only_with; /* "field=word": asked for only when that choice was made, and required only then; NULL: always */
};

/* Is it asked for, with what was chosen so far? value_of() gives what was given for a field, or an
 * empty text. */
bool provider_field_applies(const struct provider *provider, const struct provider_field *field,
                            struct str (*value_of)(void *context, const char *name), void *context);
/* Is the value one of a FIELD_CHOICE's? Others take everything. */
bool provider_field_takes(const struct provider_field *field, struct str value);

/* Does its value belong into the sealed secret? */
static inline bool provider_field_is_secret(const struct provider_field *field)
{
    return field->kind == FIELD_SECRET || field->in_secret;
}

/* One part of a look at a service, in the order in which it is looked; behind the one that fails none is come to. */
struct site_step {
    const char *name; /* stable: "reach", "api", "login", "authorize" */
    int64_t ms;       /* how long it took; -1: nothing was waited for */
    bool ok;
    bool is_left_out; /* it was not come to */
};
enum { SITE_STEPS_MAX = 8 };

/* What a look at the service found. ok == false: error_code and error_text (cause and fix) are set, nothing else counts. */
struct site_check {
    bool ok;
    struct str error_code; /* stable: "wrong_password", "not_wordpress", "tls", ... */
    bool is_refused;       /* the service does not accept the credential: trying again can only get us banned */
    struct str error_text;
    int64_t latency_ms;
    struct str site_name;
    struct str site_version;
    struct str site_user;
    struct str site_role;
    struct str config_json;  /* the config to keep: normalised and completed */
    struct str details_json; /* object: what else was found */
    struct str warning;      /* works, but the owner should know */
    struct site_step steps[SITE_STEPS_MAX];
    size_t n_steps; /* 0: the look has no parts */
};

struct http_source; /* net/http_client.h */

/* A file that came by an upload link (host_upload_link()): the call of the tool that asked for the link, with the file in hand. */
struct sent_file {
    const struct http_source *source; /* to be read once */
    struct str name, declared_type;   /* as its sender says; may be empty */
};

/* For whom and where; of tools, prompts, resources and completions alike. */
struct tool_context {
    const struct site *site;
    unsigned rights;
    const struct sent_file *file; /* NULL: none came */
    struct host *host;            /* what the protocol can do for it (providers/host.h); may be NULL */
    struct messages *messages;    /* what is kept of conversations (providers/messages.h); may be NULL */
    const struct tool *tool;      /* that runs; NULL for prompts, resources and completions */
    bool wants_structured;        /* the token has the option `structured`: structured_json is filled in */
    int64_t part_of;              /* the change (providers/history.h) that what is written is a part of; 0: none */
};

struct tool_result {
    struct buf text;   /* what the model reads; initialised by the caller */
    struct buf blocks; /* content blocks behind the text (image, audio, resource): JSON objects with commas between */
    struct str structured_json; /* structuredContent, any JSON; say the same in `text`; may stay empty */
    struct str audit_json;      /* object: what was done, for the audit outcome; may stay empty */
    bool is_error;              /* it did run, but what the model reads is a failure */
};

/* Adds one content block, JSON as MCP has it: {"type":"image","data":...,"mimeType":...} */
void tool_result_block(struct tool_result *result, struct str block_json);
/* The answer is this JSON, both as text and as structuredContent. E_LIMIT when it did not fit into its buffer. */
MUST_CHECK int tool_result_json(struct call *call, struct tool_result *result, const struct buf *json);

/* What a tool of a token over several connections does; its answer is one JSON object where it is not the first. */
enum tool_sites {
    TOOL_TAKES_SITE, /* `site` says which */
    TOOL_ASKS_ALL, /* it is run at each; what stands in "results" is put together, each "id" with the site's name before it */
    TOOL_TAKES_NAMED, /* the argument "id" begins with the site's name, and so does the answer's "id" */
};

struct tool {
    struct str name;
    struct str title;
    struct str description;
    struct str input_schema; /* JSON text, in the portable subset (json/schema.h) */
    unsigned needs_any;      /* listed and allowed for tokens with at least one of these rights */
    unsigned needs_option;   /* there only for tokens with this option (call/token_options.h); 0: for all */
    bool reads_only;         /* readOnlyHint; a tool that is not gets an audit intent before it runs */
    bool destructive;
    bool idempotent;
    bool open_world;
    enum tool_sites sites;
    bool confirms;            /* calls host_confirm() */
    bool needs_jobs;          /* only for clients that can follow a job by themselves */
    struct str output_schema; /* JSON text of what structured_json holds, an object at its root; may be empty */
    struct str icons_json;    /* array; may be empty */
    const void *data;         /* run()'s own, in tables of many tools of one kind */
    /* OK, or an error recorded with fail(): the model sees its text as isError. Waits. */
    int (*run)(struct call *call, const struct tool_context *context, const struct json *arguments,
               struct tool_result *result);
};

/*
 * --- jobs: work that goes on behind the request that began it (host_start_job() in providers/host.h), step by step
 *
 * A step is a small piece, such as one item of many. What it leaves in `state_json` is saved before the next one begins: the point
 * from which the job goes on when this process ends, here after the restart or on another node. A step whose end was not saved is
 * run again, then with `again` set; so one step at most is done twice, and only when the process died between its deed and the
 * save. Where twice is harm, a step that runs again looks first what is there.
 *
 *     static int step(struct call *call, const struct tool_context *context, struct job_step *step)
 *     {
 *         const struct json *ids = json_get(step->arguments, STR("ids"));
 *         int64_t changed = json_i64_or(json_get(step->state, STR("changed")), 0);
 *         int error = change_one(call, context, json_at(ids, step->done), step->again);
 *         if (error == E_CANCELLED || error == E_TIMEOUT)
 *             return error;                              the process ends, or somebody stopped the job
 *         changed += !error;                             what one item could not do is told at the end
 *         call_clear_error(call);
 *         step->state_json = call_format(call, "{\"changed\":%lld}", (long long)changed);
 *         if (++step->done == step->total)
 *             step->finished = true, buf_add_format(&step->result->text, "%lld changed", (long long)changed);
 *         return OK;
 *     }
 *
 * Each step has a call and an arena of its own: what shall last goes into the state. The token's rights are asked again before
 * each step; they are in the context, as for tools. A step may ask (host_ask(): the job waits, and the step runs again with the
 * answer; a key stands for one question in the whole job), but not confirm, and it keeps changes as a tool does (host_change_begin()).
 */
struct job_step {
    struct str id;                /* of the job */
    const struct json *arguments; /* what host_start_job() was given */
    const struct json *state;     /* what the last saved step left; in the first one JSON_MISSING */
    bool again;                   /* an earlier try of this very step did not come to its end */
    int64_t done, total;          /* as the last saved step left them; count on */
    struct str state_json;        /* object, to be left for the next step: JOB_STATE_MAX_BYTES at most */
    struct str message; /* one line for people about how far it is, without anything of the site; may stay empty */
    bool finished;      /* this was the last: `result` is what came of it all */
    struct tool_result *result;
};

enum {
    JOB_ARGUMENTS_MAX_BYTES = 512 * 1024,
    JOB_STATE_MAX_BYTES = 512 * 1024,
    JOB_RESULT_MAX_BYTES = 768 * 1024,
    JOB_STEP_MS = 2 * 60 * 1000, /* longest that one step may take */
};

struct job_kind {
    struct str name;    /* [a-z0-9_], unique within the provider and the same for ever: rows hold it */
    unsigned needs_any; /* a token that has none of these rights any more ends the job */
    /*
     * OK, or an error recorded with fail() that ends the whole job: then its text is what came of it, as a tool's would be.
     * E_WAITING of host_ask() is returned as it is. Waits.
     */
    int (*step)(struct call *call, const struct tool_context *context, struct job_step *step);
};

/* --- prompts: jobs that a person picks in the client, ready to go */

/* Values that would complete what was typed so far; at most COMPLETION_VALUES_MAX are taken. */
enum { COMPLETION_VALUES_MAX = 100 };
struct completion {
    struct str values[COMPLETION_VALUES_MAX];
    size_t n_values;
    int64_t total; /* of those there are; 0: unknown */
    bool has_more;
};
void completion_add(struct completion *completion, struct str value);

/* `others`: the arguments that are filled in already, an object of strings. OK, or an error. Waits. */
typedef int completion_fn(struct call *call, const struct tool_context *context, struct str typed,
                          const struct json *others, struct completion *ret);

struct prompt_argument {
    struct str name;
    struct str title; /* may be empty */
    struct str description;
    bool required;
    completion_fn *complete; /* NULL: nothing is suggested */
};

struct prompt_result {
    struct buf messages; /* JSON objects with commas between; initialised by the caller */
    struct str description;
};
/* role: "user" or "assistant" */
void prompt_say(struct prompt_result *result, const char *role, struct str text);
/* The same with a content block of any kind, as JSON. */
void prompt_add(struct prompt_result *result, const char *role, struct str content_json);

struct prompt {
    struct str name;
    struct str title;
    struct str description;
    struct str icons_json; /* array; may be empty */
    unsigned needs_any;    /* listed for tokens with at least one of these rights; 0: for all */
    const struct prompt_argument *arguments;
    size_t n_arguments;
    /* `arguments`: an object of strings, with all that are required and none that is unknown. Waits. */
    int (*render)(struct call *call, const struct tool_context *context, const struct json *arguments,
                  struct prompt_result *result);
};

/* --- resources: what can be read by its URI */

struct resource {
    struct str uri;
    struct str name;
    struct str title, description, mime_type; /* each may be empty */
    int64_t size_bytes;                       /* 0: unknown */
    struct str last_modified;                 /* ISO 8601; may be empty */
};

enum { RESOURCE_PAGE_MAX = 100 };
struct resource_page {
    struct resource items[RESOURCE_PAGE_MAX];
    size_t n_items;
    struct str next_cursor; /* what resources_list() is given for the next page; empty: this is the last */
};

struct resource_result {
    struct buf contents; /* JSON objects with commas between; initialised by the caller */
};
void resource_text(struct resource_result *result, struct str uri, struct str mime_type, struct str text);
void resource_blob(struct resource_result *result, struct str uri, struct str mime_type, struct str base64);

struct resource_template {
    struct str uri_template; /* RFC 6570: "wp://posts/{id}" */
    struct str name;
    struct str title, description, mime_type; /* each may be empty */
    /* For the variable of that name; NULL: nothing is suggested. */
    int (*complete)(struct call *call, const struct tool_context *context, struct str variable, struct str typed,
                    const struct json *others, struct completion *ret);
};

struct resources {
    /* `cursor` is empty, or what an earlier page said; E_INVALID when it is none of ours. Waits. */
    int (*list)(struct call *call, const struct tool_context *context, struct str cursor, struct resource_page *ret);
    /* E_NOT_FOUND (or E_INVALID) when there is nothing of that URI; never an empty result. Waits. */
    int (*read)(struct call *call, const struct tool_context *context, struct str uri, struct resource_result *result);
    const struct resource_template *templates;
    size_t n_templates;
};

/* What the provider really tells (host_changed(), host_log()): capabilities are declared from these. */
enum provider_feature {
    PROVIDER_TOOLS_CHANGE = 1 << 0,
    PROVIDER_PROMPTS_CHANGE = 1 << 1,
    PROVIDER_RESOURCES_CHANGE = 1 << 2,
    PROVIDER_RESOURCE_UPDATES = 1 << 3,
    PROVIDER_LOGS = 1 << 4,
    /* Takes resources/subscribe of the older revisions, although there is no stream there to tell updates on. */
    PROVIDER_LEGACY_SUBSCRIBE = 1 << 5,
    /* Its tools hold other rules than ours for names and schemas: for tests of the protocol itself, never in a release. */
    PROVIDER_FOR_TESTS = 1 << 6,
};

/* ---- connecting by a click at the service, where it knows that */

struct authorize_offer {
    struct str app_name, app_id; /* who asks; app_id is a UUID */
    struct str return_url;       /* where the person's browser comes back to, with what it brings */
};

/* How a kept change (providers/history.h) is shown to people, and taken back. */
struct provider_changes {
    /* What it was, in a line, and its differences in lines with - and +. False: it cannot be taken back by itself. Does not wait. */
    bool (*describe)(struct call *call, const struct site_change *change, struct buf *what, struct buf *difference);
    /* The tool that takes one back, and its argument for the number, which is a text. */
    struct str undo_tool, undo_argument;
};

/* ---- what the service sends by itself: POST (and GET, to prove the address) /hooks/{key}/{connection} */

/* Meta sends up to 1,000 updates and 3 MB at once. */
enum { WEBHOOK_BODY_MAX_BYTES = 3 * 1024 * 1024, WEBHOOK_EVENTS_MAX = 2048 };

struct webhook {
    struct str method, query, body; /* as received */
    const struct http_header *headers;
    size_t n_headers;
    struct str secret; /* what the service was given to show that it is the one (struct webhook_place) */
    struct messages *messages;
    /* Takes an event's identity; *ret_new false: it came before. Waits. */
    int (*is_new)(struct call *call, const struct webhook *webhook, const char *kind, struct str what, bool *ret_new);
    /* Everybody who listens to this connection is told. */
    void (*changed)(const struct webhook *webhook, enum host_change change, struct str uri);
    /* A message came from outside that may be an owner's answer to a question of ours. Waits. */
    int (*answered)(struct call *call, const struct webhook *webhook, const struct message *message);
};
struct webhook_answer {
    int status; /* 0: 200 */
    struct str text;
};

/* Where the service is to send to, and what it is to show there. */
struct webhook_place {
    struct str url, secret;
};

/* ---- whether the service's side of a connection is up: for services that a person has to log in at, by a telephone */

struct connection_state {
    struct str state;        /* "open", "connecting", "closed" */
    struct str text;         /* one sentence for people */
    struct str qr_png;       /* base64 of a picture to be scanned; empty: none */
    struct str pairing_code; /* to be typed instead; empty: none */
    struct str details_json; /* object: number, limits, quality, ...; may be empty */
};

/* ---- conversations, as people see them: the owner's own look, on the command line and in a browser, without a model between */

struct message_template {
    struct str name, language, status, category, body; /* as the service has them; each may be empty */
};
struct template_list {
    struct message_template *items;
    size_t count;
};

struct conversations {
    /* As struct messages_functions has them; what the service itself knows may be among it. Wait. */
    int (*chats)(struct call *call, const struct site *site, struct messages *messages, const struct chat_query *query,
                 struct chat_list *ret);
    int (*list)(struct call *call, const struct site *site, struct messages *messages,
                const struct message_query *query, struct message_list *ret);
    /* Messages that may be sent at any time; NULL: it knows none. Waits. */
    int (*templates)(struct call *call, const struct site *site, struct template_list *ret);
    /* A person's or a group's name as conversations have it: a number in E.164 without plus, or an id. E_INVALID. Does not wait. */
    int (*person)(struct call *call, struct str typed, struct str *ret);
};

struct provider {
    struct str key; /* mcp_service_providers.key */
    struct str name;
    struct str version;
    struct str instructions; /* one or two sentences for the model, sent once per client */
    const struct provider_field *fields;
    size_t n_fields;
    const struct tool *tools; /* in the order they are listed */
    size_t n_tools;
    const struct job_kind *jobs; /* none: its tools begin none */
    size_t n_jobs;
    const struct prompt *prompts; /* none: prompts are not declared */
    size_t n_prompts;
    const struct resources *resources;      /* NULL: resources are not declared */
    unsigned features;                      /* enum provider_feature, or'ed */
    const struct provider_changes *changes; /* NULL: it keeps none */
    /*
     * Proves that the connection works and finds what is to be kept. Returns OK whenever it came to a verdict, good or bad;
     * an error only when it could not (cancelled, out of time). Waits.
     */
    int (*check)(struct call *call, const struct site *site, struct site_check *ret);
    /*
     * The page of the service on which its owner lets us in, for a site of which only the config is known; both NULL: there is
     * none. OK with *ret_url, or with a verdict in *ret_check (ok false). Waits.
     */
    int (*authorize_begin)(struct call *call, const struct site *site, const struct authorize_offer *offer,
                           struct site_check *ret_check, struct str *ret_url);
    /* What came back in the query of return_url: objects of fields. E_DENIED: the owner said no; E_INVALID. Does not wait. */
    int (*authorize_end)(struct call *call, struct str query, struct str *ret_config, struct str *ret_secret);
    /*
     * What came by its webhook; NULL: it has none. Nothing of it is to be believed before it is proved. E_UNAUTHENTICATED: it is not
     * the service's; E_INVALID: it makes no sense; what came before is OK again, without effect. Waits.
     */
    int (*webhook)(struct call *call, const struct site *site, const struct webhook *webhook,
                   struct webhook_answer *ret);
    /* Tells the service where to send to; NULL: its owner enters that there. Waits. */
    int (*webhook_register)(struct call *call, const struct site *site, const struct webhook_place *place);
    /* NULL: there is nothing to be up. `pair`: begin a log-in there, if one is needed. Waits. */
    int (*state)(struct call *call, const struct site *site, bool pair, struct connection_state *ret);
    /* One message to a number of the owner's own; NULL: it cannot. `key`: see struct send. Waits. */
    int (*notify)(struct call *call, const struct site *site, struct messages *messages, struct str to, struct str text,
                  struct str key, struct str *ret_message_id);
    const struct conversations *conversations; /* NULL: there are none */
};

/* registry.c: the one list of providers. NULL when there is none of that key. */
const struct provider *provider_find(struct str key);
size_t provider_count(void);
const struct provider *provider_at(size_t index);

#endif
