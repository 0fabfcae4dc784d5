/*
 * The methods that both eras have: what a provider's tables say, in MCP's words. A method writes the members of its result; the
 * era puts its shape around them.
 */
#ifndef MCP_METHODS_H
#define MCP_METHODS_H

#include "json/json_write.h"
#include "mcp/host.h"

enum {
    NO_CACHE_HINT = -1,
    LIST_TTL_MS = 60 * 1000,
    DISCOVER_TTL_MS = 5 * 60 * 1000,
};

struct method {
    struct str name;
    const char *named_by; /* the member of params that Mcp-Name repeats, or NULL */
    bool is_counted;      /* against the limits of its token: it works at the service */
    int ttl_ms;           /* how long its complete result may be kept by the client, or NO_CACHE_HINT */
    /* Does the provider have what this method is about? NULL: always. */
    bool (*exists)(const struct provider *provider);
    /* Writes members, the first without a comma. An error, with fail(): host->code and data_json may say more. Waits. */
    int (*write)(struct call *call, struct mcp_host *host, struct buf *out);
    bool modern_only; /* of an extension that the older revisions do not have */
};

/* NULL: not one of these, or this provider does not have it. */
const struct method *method_find(struct str name, const struct provider *provider, bool modern);

/* Is it a method of any era, those included that an era has for itself? Such names may stand in traces. */
bool method_is_known(struct str name);

/*
 * Writes two members, "capabilities" and, where there are any, "instructions". `streams`: lists that change can be told, and there
 * are extensions (2026-07-28).
 */
void methods_introduce(struct call *call, const struct provider *provider, bool streams, struct buf *out);

/* The JSON-RPC code of a failed write(). */
int method_error_code(const struct mcp_host *host, int error);

/* Runs the method for a request. What came of it: OK, or an error as above; or E_WAITING with host->waiting. Waits. */
int method_run(struct call *call, const struct method *method, struct mcp_host *host, const struct mcp_request *request,
               bool modern, struct buf *out);

struct tool_context method_context(struct call *call, struct mcp_host *host);

enum { INTENT_MS = 5000, INTENT_AGAIN_S = 2 }; /* how long a change waits to be announced; when to come again */
enum { RECORD_MS = 5000 };                     /* what must be recorded gets this long, whatever is left of the call */

/*
 * The service does not take the credential any more: the connection's state becomes `error`, so that its tokens are refused
 * here and hosts have no reason to ban us. The row tells its owner why. Waits.
 */
void method_stop_connection(struct call *call, const struct principal *who);

/* Writes ,"name":"text" when there is a text. */
void method_write_text(struct json_writer *w, const char *name, struct str text);

/* tools.c, resources.c, prompts.c */
int tools_list_write(struct call *call, struct mcp_host *host, struct buf *out);
int tools_call_write(struct call *call, struct mcp_host *host, struct buf *out);
int resources_list_write(struct call *call, struct mcp_host *host, struct buf *out);
int resources_templates_write(struct call *call, struct mcp_host *host, struct buf *out);
int resources_read_write(struct call *call, struct mcp_host *host, struct buf *out);
int prompts_list_write(struct call *call, struct mcp_host *host, struct buf *out);
int prompts_get_write(struct call *call, struct mcp_host *host, struct buf *out);
bool prompts_has(const struct provider *provider, struct str name);
int completion_write(struct call *call, struct mcp_host *host, struct buf *out);
/* tasks.c */
int tasks_get_write(struct call *call, struct mcp_host *host, struct buf *out);
int tasks_update_write(struct call *call, struct mcp_host *host, struct buf *out);
int tasks_cancel_write(struct call *call, struct mcp_host *host, struct buf *out);

#endif
