/*
 * The protocol's side of providers/host.h: one client request, as its tool, prompt or resource sees it. It knows how each era
 * tells progress and asks questions; what it serves does not.
 */
#ifndef MCP_HOST_H
#define MCP_HOST_H

#include "mcp/protocol.h"
#include "providers/host.h"

enum {
    HOST_ANSWER_MAX_BYTES = 128 * 1024, /* of all answers carried in a requestState */
    HOST_QUESTIONS_MAX = 16,            /* in one round */
    HOST_ROUNDS_MAX = 16,
    HOST_MESSAGE_MAX_BYTES = 4096, /* of a line of progress or log */
    HOST_CHANGES_AUDITED_MAX = 16, /* of one call, by number */
};

struct mcp_lease;
/* An ability of the client itself, beside what it can be asked for: the extension io.modelcontextprotocol/tasks. */
enum { HOST_TASKS = 1 << 8 };

struct mcp_host {
    struct host base;
    const struct mcp_request *request;
    bool modern;
    struct str name; /* of the tool or prompt, or the URI */
    const struct json
        *arguments; /* as the tool takes them (mcp/arguments.h), or JSON_MISSING; without what is not its own */
    const struct json *bound; /* the same with `site`: what confirmations are bound to */
    const struct json
        *sent;    /* as the client sent them: what a requestState is bound to, which is opened before all else */
    bool may_ask; /* tools/call, prompts/get, resources/read */
    unsigned abilities;
    /* progress and log */
    struct str progress_token_raw; /* empty: not wanted */
    int64_t last_progress;
    int level; /* the lowest that is wanted; -1: none */
    /* questions of 2026-07-28 */
    const struct json *responses; /* inputResponses of this request */
    const struct json *kept;      /* answers of earlier rounds, out of requestState */
    int64_t round;
    struct str nonce; /* of the requestState; empty: there was none */
    struct buf asked; /* members of inputRequests */
    size_t n_asked;
    struct buf answers; /* members: what was answered so far and was used */
    bool waiting;       /* the result is input_required */
    /* confirmation, of tools/call */
    const struct tool *tool;
    struct str confirm_code;
    /* a file that came by an upload link, mcp/upload.c */
    const struct sent_file *file;
    struct str link_id;
    bool agreed; /* a person has approved this very call */
    /* what it changed at the service: numbers of changes, for the audit log */
    int64_t changes[HOST_CHANGES_AUDITED_MAX];
    size_t n_changes;           /* also those that did not fit */
    struct mcp_ending *endings; /* changes whose end is kept together with the call's outcome; NULL: none */
    bool holds_endings;         /* it is so: somebody will take them */
    struct mcp_lease *leases;   /* of tools/call; given back when the tool has ended */
    struct str task;            /* the job that the call became; empty: it is answered itself */
    /* how it failed, when the error alone does not say it */
    unsigned lacking;        /* abilities: -32021 */
    unsigned lacking_rights; /* of an OAuth token: 403, with which its client can ask for them */
    int code;                /* 0: as the error says */
    struct str data_json;    /* of the error; may be empty */
    int64_t retry_after_s;   /* 0: none; else HTTP 429, or 503 with RPC_UNAVAILABLE */
};

static inline int mcp_host_retry_status(const struct mcp_host *host)
{
    return host->code == RPC_UNAVAILABLE ? 503 : 429;
}

/*
 * For one request. E_INVALID: its envelope is wrong in what concerns the host (logLevel, inputResponses, requestState).
 * `name` and `arguments` are what a requestState is bound to.
 */
MUST_CHECK int mcp_host_init(struct call *call, struct mcp_host *host, const struct mcp_request *request, bool modern,
                             struct str name, const struct json *arguments);

/* "inputRequests":{...},"requestState":"..." */
MUST_CHECK int mcp_host_write_questions(struct call *call, struct mcp_host *host, struct buf *out);

/* {"sampling":{}}: abilities as a client declares them. */
struct str mcp_abilities_json(struct call *call, unsigned abilities);
unsigned mcp_abilities_read(const struct json *capabilities);

/* For a question as the client gets it, and for what comes back: does it have the shape of an answer to that? */
struct str mcp_question_method(enum host_ability kind);
bool mcp_is_answer(enum host_ability kind, const struct json *answer);

/* The functions of mcp_host_init(), for hosts that do some of them otherwise. */
extern const struct host_functions mcp_host_functions;

/* "debug" to HOST_DEBUG; -1 when it is none. */
int mcp_level_parse(struct str name);

/* host_lease.c. Waits. */
int host_lease_take(struct call *call, struct host *base, struct str name);
int host_lease_hold(struct call *call, struct host *base);
void mcp_host_give_leases_back(struct call *call, struct mcp_host *host);

/* host.c, confirm.c and background.c */
int confirm_action(struct call *call, struct host *base, struct str what, bool for_good);
int confirm_agree(struct call *call, struct host *base, struct str what, const struct site_change *change);
int background_start(struct call *call, struct host *base, const struct job_new *job, struct tool_result *result);
int background_tell(struct call *call, struct host *base, struct str id, struct tool_result *result);
int background_stop(struct call *call, struct host *base, struct str id);

/* host.c and host_change.c */
int host_change_keep(struct call *call, struct host *base, struct site_change *change);
void host_change_settle(struct call *call, struct host *base, struct site_change *change, enum change_state state);
/*
 * How a writing tool ended, committed together with the ends of its changes that were held for it. An error: the ends are written
 * by themselves as far as that goes, the event is not. Waits.
 */
struct audit_event;
MUST_CHECK int mcp_host_record_outcome(struct call *call, struct mcp_host *host, const struct audit_event *event);
int host_change_find(struct call *call, struct host *base, int64_t number, struct site_change *ret);
int host_upload_link_make(struct call *call, struct host *base, struct upload_link *ret);
int host_change_page(struct call *call, struct host *base, const struct change_query *query, struct change_list *ret);

#endif
