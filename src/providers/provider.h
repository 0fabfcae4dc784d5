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

/* One connected service, as its provider sees it. Everything lives as long as the call. */
struct site {
    int64_t connection_id; /* 0 while a connection is being made */
    int64_t user_id;
    struct str name;              /* given by its owner */
    struct str config_json;       /* object: what is not secret */
    struct sealed secret;         /* opened by site_fetch() only */
    struct str plain_secret_json; /* set instead of `secret` only while a connection is being made */
};

enum field_kind { FIELD_URL, FIELD_TEXT, FIELD_SECRET };

/* One field of the form that makes a connection. FIELD_SECRET goes into the sealed secret, others into the config, except
 * `in_secret`: a user name belongs to its password. */
struct provider_field {
    const char *name; /* JSON member, and with dashes the CLI flag */
    const char *label;
    const char *help;
    enum field_kind kind;
    bool required;
    bool in_secret;
};

/* What a look at the service found. ok == false: error_code and error_text (cause and fix) are set, nothing else counts. */
struct site_check {
    bool ok;
    struct str error_code; /* stable: "wrong_password", "not_wordpress", "tls", ... */
    struct str error_text;
    int64_t latency_ms;
    struct str site_name;
    struct str site_version;
    struct str site_user;
    struct str site_role;
    struct str config_json;  /* the config to keep: normalised and completed */
    struct str details_json; /* object: what else was found */
    struct str warning;      /* works, but the owner should know */
};

struct tool_context {
    const struct site *site;
    unsigned rights;
};

struct tool_result {
    struct buf text;       /* what the model reads; initialised by the caller */
    struct str audit_json; /* object: what was done, for the audit outcome; may stay empty */
};

struct tool {
    struct str name;
    struct str title;
    struct str description;
    struct str input_schema; /* JSON text, in the portable subset (json/schema.h) */
    unsigned needs_any;      /* listed and allowed for tokens with at least one of these rights */
    bool reads_only;         /* readOnlyHint; a tool that is not gets an audit intent before it runs */
    bool destructive;
    bool idempotent;
    bool open_world;
    /* OK, or an error recorded with fail(): the model sees its text as isError. Waits. */
    int (*run)(struct call *call, const struct tool_context *context, const struct json *arguments,
               struct tool_result *result);
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
    /*
     * Proves that the connection works and finds what is to be kept. Returns OK whenever it came to a verdict, good or bad;
     * an error only when it could not (cancelled, out of time). Waits.
     */
    int (*check)(struct call *call, const struct site *site, struct site_check *ret);
};

/* registry.c: the one list of providers. NULL when there is none of that key. */
const struct provider *provider_find(struct str key);
size_t provider_count(void);
const struct provider *provider_at(size_t index);

#endif
