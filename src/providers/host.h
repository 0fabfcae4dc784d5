/*
 * What a provider may ask of the protocol above it while it serves a call: to tell the client how far it is, to ask the client
 * something, to have an action confirmed, to say that something changed. The protocol (src/mcp/host.c) fills the table; in a
 * test it is the test's own, and a context without a host (NULL) is fine: then nobody listens and nobody can be asked.
 *
 * A tool that needs none of this looks at none of it.
 */
#ifndef PROVIDERS_HOST_H
#define PROVIDERS_HOST_H

#include "call/call.h"
#include "json/json.h"
#include "providers/history.h"

/* What a client can be asked for. */
enum host_ability {
    HOST_FORM = 1 << 0,     /* elicitation/create: its person fills in a form; never for passwords and the like */
    HOST_URL = 1 << 1,      /* elicitation/create, mode "url": its person opens a page */
    HOST_SAMPLING = 1 << 2, /* sampling/createMessage: its model answers */
    HOST_ROOTS = 1 << 3,    /* roots/list */
};

/* RFC 5424, as MCP has them. */
enum host_level {
    HOST_DEBUG,
    HOST_INFO,
    HOST_NOTICE,
    HOST_WARNING,
    HOST_ERROR,
    HOST_CRITICAL,
    HOST_ALERT,
    HOST_EMERGENCY,
};

enum host_change {
    HOST_TOOLS_CHANGED,
    HOST_PROMPTS_CHANGED,
    HOST_RESOURCES_CHANGED, /* the list */
    HOST_RESOURCE_UPDATED,  /* the one with that URI */
};

struct question {
    struct str key;         /* tells it from others of this call: [a-z0-9_] */
    enum host_ability kind; /* one of them */
    struct str params_json; /* object: the method's params, such as {"message":...,"requestedSchema":{...}} */
    bool sealed; /* only an answer to a question that we really asked counts, once: for what has consequences */
    const struct json *answer; /* the result: {"action":"accept","content":{...}}, {"role":...}, {"roots":[...]} */
};

/* Work to be done behind the request, by steps of one of the provider's job kinds (struct job_kind in providers/provider.h). */
struct job_new {
    struct str kind;
    struct str arguments_json; /* object: what each step is given; kept sealed */
    int64_t total;             /* how many there are to do; 0: unknown */
    /* For clients that cannot follow a job by themselves: how to ask for it later, such as "Call wp_bulk with job \"{}\"." ({} is
     * its id). Empty: it cannot be asked for, so such a client waits until it has ended. */
    struct str look_up;
};

struct tool_result; /* providers/provider.h */

/* An address that takes one file, once. */
struct upload_link {
    struct str id;  /* for the audit log */
    struct str url; /* ends in a slash, behind which the file's name may stand */
    int64_t life_ms;
};

struct host {
    const struct host_functions *functions;
};

struct host_functions {
    void (*progress)(struct call *call, struct host *host, int64_t done, int64_t total, struct str message);
    void (*log)(struct call *call, struct host *host, enum host_level level, struct str text);
    unsigned (*abilities)(const struct host *host);
    int (*require)(struct call *call, struct host *host, unsigned abilities);
    int (*ask)(struct call *call, struct host *host, struct question *questions, size_t n_questions);
    int (*confirm)(struct call *call, struct host *host, struct str what, bool for_good);
    /* NULL: nobody has to. `change` may be NULL. */
    int (*agree)(struct call *call, struct host *host, struct str what, const struct site_change *change);
    void (*changed)(struct host *host, enum host_change change, struct str uri);
    int (*change_begin)(struct call *call, struct host *host, struct site_change *change);
    void (*change_end)(struct call *call, struct host *host, struct site_change *change, enum change_state state);
    int (*change_get)(struct call *call, struct host *host, int64_t number, struct site_change *ret);
    int (*change_list)(struct call *call, struct host *host, const struct change_query *query, struct change_list *ret);
    int (*lease)(struct call *call, struct host *host, struct str name); /* NULL: nobody else is there */
    int (*hold)(struct call *call, struct host *host);                   /* may be NULL */
    int (*start_job)(struct call *call, struct host *host, const struct job_new *job, struct tool_result *result);
    int (*tell_job)(struct call *call, struct host *host, struct str id, struct tool_result *result);
    int (*stop_job)(struct call *call, struct host *host, struct str id);
    int (*upload_link)(struct call *call, struct host *host, struct upload_link *ret);
};

/* How far it is, when the client wants to know. `done` grows with each; total 0: unknown; message may be empty. Waits. */
static inline void host_progress(struct call *call, struct host *host, int64_t done, int64_t total, struct str message)
{
    if (host)
        host->functions->progress(call, host, done, total, message);
}

/* A line for the client's log, when it wants lines of that level. No secrets. Waits. */
static inline void host_log(struct call *call, struct host *host, enum host_level level, struct str text)
{
    if (host)
        host->functions->log(call, host, level, text);
}

/* All of these? */
static inline bool host_can(const struct host *host, unsigned abilities)
{
    return host && (host->functions->abilities(host) & abilities) == abilities;
}

/* For what cannot be done without: an error naming what the client lacks (a protocol error where there is one for it). */
MUST_CHECK static inline int host_require(struct call *call, struct host *host, unsigned abilities)
{
    if (!host)
        return fail(call, E_DENIED, "Nobody can be asked here.");
    return host->functions->require(call, host, abilities);
}

/*
 * Asks the client. OK: every question has its answer (who declined has answered, too). Otherwise an error to return as it is:
 * in the stateless revision (2026-07-28) E_WAITING means that the client gets the questions and sends the whole request again
 * with answers; the tool then runs again from its beginning, and this call returns OK at the same place. So ask before you act,
 * and ask the same when run again. Where a client cannot be asked, it is an error at once. Waits.
 */
MUST_CHECK static inline int host_ask(struct call *call, struct host *host, struct question *questions,
                                      size_t n_questions)
{
    if (!host)
        return fail(call, E_DENIED, "Nobody can be asked here.");
    return host->functions->ask(call, host, questions, n_questions);
}

/*
 * To be called right before an action that somebody may have to agree to, after all checks and questions: OK when it may be done
 * now, as the token's setting wants it. Otherwise an error to return as it is (E_WAITING: somebody has to agree first, and the
 * text says how). `what`: a sentence for people that names exactly what would be done. The tool must have `confirms` set. Waits.
 */
MUST_CHECK static inline int host_confirm(struct call *call, struct host *host, struct str what)
{
    return host ? host->functions->confirm(call, host, what, false) : OK;
}

/*
 * The same for what cannot be taken back: a token whose setting is "none" is asked as with "model", and where nobody can be
 * asked it is not done.
 */
MUST_CHECK static inline int host_confirm_for_good(struct call *call, struct host *host, struct str what)
{
    if (!host)
        return fail(call, E_DENIED,
                    "This cannot be taken back, and there is no way here to have it confirmed, so it is not done.");
    return host->functions->confirm(call, host, what, true);
}

/*
 * Begins a job: from here on it goes its way, whatever becomes of this request, and survives a restart. All questions and the
 * confirmation belong before it. The last thing a tool does: OK or the error is what it returns. A client that can follow jobs
 * gets its id at once; any other one waits a while for what comes of it, and gets that, or how to ask for it later. Waits.
 */
MUST_CHECK static inline int host_start_job(struct call *call, struct host *host, const struct job_new *job,
                                            struct tool_result *result)
{
    if (!host)
        return fail(call, E_DENIED, "Nothing can be done in the background here.");
    return host->functions->start_job(call, host, job, result);
}

/*
 * What there is to say of a job that this token began: how far it is, or what came of it. E_NOT_FOUND. Waits.
 */
MUST_CHECK static inline int host_tell_job(struct call *call, struct host *host, struct str id,
                                           struct tool_result *result)
{
    if (!host)
        return fail(call, E_DENIED, "Nothing can be done in the background here.");
    return host->functions->tell_job(call, host, id, result);
}

/* It ends behind the step that is under way. OK also when it has ended before; E_NOT_FOUND. Waits. */
MUST_CHECK static inline int host_stop_job(struct call *call, struct host *host, struct str id)
{
    if (!host)
        return fail(call, E_DENIED, "Nothing can be done in the background here.");
    return host->functions->stop_job(call, host, id);
}

/*
 * Before what others see or miss, though it can be taken back (publishing, the trash): for a token whose setting is `human` a
 * person has to agree first; OK for all others, and for the rest of a call that was agreed to. `what`: as host_confirm(), in our
 * words. Waits.
 */
MUST_CHECK static inline int host_agree(struct call *call, struct host *host, struct str what)
{
    return host && host->functions->agree ? host->functions->agree(call, host, what, NULL) : OK;
}

/* The same for a change that is known before it is made: the person is shown what is there now and what would be. Waits. */
MUST_CHECK static inline int host_agree_to(struct call *call, struct host *host, struct str what,
                                           const struct site_change *change)
{
    return host && host->functions->agree ? host->functions->agree(call, host, what, change) : OK;
}

/* Tells everybody who listens to this connection. `uri` only with HOST_RESOURCE_UPDATED. */
static inline void host_changed(struct host *host, enum host_change change, struct str uri)
{
    if (host)
        host->functions->changed(host, change, uri);
}

/*
 * Before a change at the service: keeps what was there, and gives the change its number. An error: it could not be kept, so it is
 * not made. Without a host nothing is kept, and the number stays 0. Waits.
 */
MUST_CHECK static inline int host_change_begin(struct call *call, struct host *host, struct site_change *change)
{
    change->number = 0;
    return host && host->functions->change_begin ? host->functions->change_begin(call, host, change) : OK;
}

/* What came of it; also when the client has gone or the time is up. May be told again when more is known. Waits. */
static inline void host_change_end(struct call *call, struct host *host, struct site_change *change,
                                   enum change_state state)
{
    if (host && change->number)
        host->functions->change_end(call, host, change, state);
}

/* A change of this connection, by whichever of its tokens. E_NOT_FOUND, E_CRYPTO (it cannot be opened). Waits. */
MUST_CHECK static inline int host_change_get(struct call *call, struct host *host, int64_t number,
                                             struct site_change *ret)
{
    if (!host || !host->functions->change_get)
        return fail(call, E_NOT_FOUND, "Nothing is kept here of what was changed.");
    return host->functions->change_get(call, host, number, ret);
}

/*
 * Has this name alone, across all processes and nodes, until the tool has ended; waits for who has it. E_CONFLICT: for too long.
 * Whoever wants it in this process already waits in a queue of its own: this is for the others. Waits.
 */
MUST_CHECK static inline int host_lease(struct call *call, struct host *host, struct str name)
{
    return host && host->functions->lease ? host->functions->lease(call, host, name) : OK;
}

/*
 * What host_lease() gave is held for as long as the call may last now: for whoever gave the call more time since, and right before what
 * the lease is for. E_CONFLICT: it ended meanwhile, and somebody else has it or has had it. Waits.
 */
MUST_CHECK static inline int host_hold(struct call *call, struct host *host)
{
    return host && host->functions->hold ? host->functions->hold(call, host) : OK;
}

/* Newest first, without what was before and after. Waits. */
MUST_CHECK static inline int host_change_list(struct call *call, struct host *host, const struct change_query *query,
                                              struct change_list *ret)
{
    *ret = (struct change_list){0};
    return host && host->functions->change_list ? host->functions->change_list(call, host, query, ret) : OK;
}

/*
 * A link to send a file to. When one is sent, the tool that runs now runs again with the same arguments and the same token, and
 * with tool_context.file. E_INVALID: there is no server that could take it (a client by stdio). Waits.
 */
MUST_CHECK static inline int host_upload_link(struct call *call, struct host *host, struct upload_link *ret)
{
    if (!host)
        return fail(call, E_INVALID, "There is no server here that could take a file: give url or data.");
    return host->functions->upload_link(call, host, ret);
}

#endif
