/* What services send by themselves. */
#include "web/hooks.h"

#include "accounts/connections.h"
#include "accounts/webhook_place.h"
#include "base/log.h"
#include "limits/tries.h"
#include "mcp/approve.h"
#include "mcp/bus.h"
#include "mcp/feed.h"
#include "messages/messages.h"
#include "store/store.h"
#include "web/routes.h"

enum { TOLD_MAX = 64 };

struct delivery {
    struct webhook base;
    struct call *call;
    int64_t connection_id, user_id;
    bool in_transaction, mine;
    struct str told[TOLD_MAX]; /* URIs, to be told when all is kept */
    size_t n_told;
    bool lists_changed;
};

/* The first that a provider asks once it knows whose this is: from here on all is one transaction. */
static int is_new(struct call *call, const struct webhook *webhook, const char *kind, struct str what, bool *ret_new)
{
    struct delivery *delivery = (struct delivery *)webhook;
    if (!delivery->in_transaction) {
        int error = store_begin(call, &delivery->mine);
        if (error)
            return error;
        delivery->in_transaction = true;
    }
    return messages_event(call, delivery->connection_id, kind, what, ret_new);
}

static void changed(const struct webhook *webhook, enum host_change change, struct str uri)
{
    struct delivery *delivery = (struct delivery *)webhook;
    if (change != HOST_RESOURCE_UPDATED) {
        delivery->lists_changed = true;
        return;
    }
    for (size_t i = 0; i < delivery->n_told; i++)
        if (str_eq(delivery->told[i], uri))
            return;
    if (delivery->n_told < TOLD_MAX)
        delivery->told[delivery->n_told++] = uri;
}

static int answered(struct call *call, const struct webhook *webhook, const struct message *message)
{
    return approve_answer(call, ((const struct delivery *)webhook)->connection_id, message);
}

static void tell(const struct delivery *delivery)
{
    if (delivery->n_told || delivery->lists_changed)
        bus_publish(&(struct bus_event){.topic = BUS_RESOURCES_CHANGED, .connection_id = delivery->connection_id});
    for (size_t i = 0; i < delivery->n_told; i++)
        bus_publish(&(struct bus_event){
            .topic = BUS_RESOURCE_UPDATED, .connection_id = delivery->connection_id, .key = delivery->told[i]});
    if (delivery->in_transaction)
        feed_changed(delivery->user_id, FEED_AUDIT);
}

/* "whatsapp/12", also with more behind it, which some services add by themselves. */
static bool read_path(struct str rest, struct str *ret_key, int64_t *ret_id)
{
    struct str id;
    return str_next(&rest, '/', ret_key) && rest.ptr && str_next(&rest, '/', &id) && str_to_i64(id, ret_id) &&
           *ret_id > 0;
}

static int nothing_here(struct call *call)
{
    return fail(call, E_NOT_FOUND, "There is no webhook at this address.");
}

/*
 * Of one that rests, too: its service does not send again what was refused (Evolution) or only for so long (Meta), and who wrote STOP
 * meanwhile must get nothing when it goes on. Only a revoked one takes nothing more.
 */
static int find(struct call *call, struct str rest, const struct provider **ret_provider, struct site *ret_site,
                bool *ret_rests)
{
    struct connection_row row;
    struct str key;
    int64_t id;
    if (!read_path(rest, &key, &id) || !(*ret_provider = provider_find(key)) || !(*ret_provider)->webhook)
        return nothing_here(call);
    int error = connections_show(call, USER_ANY, id, &row);
    if (!error && (!str_eq(row.provider_key, key) || str_eq(row.status, STR(CONNECTION_REVOKED))))
        return nothing_here(call);
    *ret_rests = !error && str_eq(row.status, STR(CONNECTION_PAUSED));
    if (!error)
        error = connections_site(call, USER_ANY, id, ret_site);
    return error == E_NOT_FOUND ? nothing_here(call) : error;
}

static int serve(struct call *call, const struct http_request *request, struct str rest, struct webhook_answer *ret)
{
    const struct provider *provider = NULL;
    struct site site;
    struct delivery *delivery = arena_new_of(call->arena, struct delivery);
    bool rests = false, is_post = str_eq(request->method, STR("POST"));
    if (!is_post && !str_eq(request->method, STR("GET")))
        return fail(call, E_INVALID, "A webhook takes POST, and GET to prove its address.");
    if (request->body.len > WEBHOOK_BODY_MAX_BYTES)
        return fail(call, E_LIMIT, "The body is larger than %d bytes.", WEBHOOK_BODY_MAX_BYTES);
    int error = find(call, rest, &provider, &site, &rests);
    if (error)
        return error;
    *delivery = (struct delivery){
        .base = {.method = request->method,
                 .query = request->query,
                 .body = request->body,
                 .headers = request->headers,
                 .n_headers = request->n_headers,
                 .secret = webhook_place_of(call, STR_EMPTY, provider->key, site.connection_id, site.user_id).secret,
                 .messages = messages_of(call, &site, 0, 0),
                 .is_new = is_new,
                 .changed = changed,
                 .answered = rests ? NULL : answered}, /* nothing is approved through one that rests */
        .connection_id = site.connection_id,
        .user_id = site.user_id,
    };
    error = provider->webhook(call, &site, &delivery->base, ret);
    if (delivery->in_transaction)
        error = store_end(call, delivery->mine, error);
    if (!error)
        tell(delivery);
    return error;
}

/*
 * What is not the service's own: so often from one address, then it gets no other answer any more. Which connections there are is nobody's
 * business: one that is not there is answered as one of which the sender knows no secret. Not counted before it is looked at: a service
 * sends for many people from the same addresses, and one who set his up wrongly must not shut the others out.
 */
static int count_bad(struct call *call, int error)
{
    static const struct tries_rule rule = {"webhook address", 30, 2 * 1000};
    if (error != E_UNAUTHENTICATED && error != E_NOT_FOUND)
        return error;
    if (tries_take_address(call, &rule, call->client) == E_LIMIT)
        return E_LIMIT;
    return fail(call, E_UNAUTHENTICATED, "This is not signed as it should be.");
}

static int status_of(int error)
{
    static const struct {
        int error, status;
    } statuses[] = {{E_INVALID, 400}, {E_UNAUTHENTICATED, 401}, {E_UNAVAILABLE, 503}, {E_TIMEOUT, 503}};
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++)
        if (statuses[i].error == error)
            return statuses[i].status;
    return 500;
}

void hooks_serve(struct call *call, struct http_exchange *exchange, struct str rest)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct webhook_answer answer = {0};
    int error = serve(call, request, rest, &answer);
    error = error ? count_bad(call, error) : OK;
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    if (!error) {
        http_answer(exchange, answer.status ? answer.status : 200, STR("text/plain; charset=utf-8"), answer.text);
        messages_forget_old(call);
        return;
    }
    bool is_large = error == E_LIMIT && request->body.len > WEBHOOK_BODY_MAX_BYTES;
    int status = is_large ? 413 : error == E_LIMIT ? 429 : status_of(error);
    if (status >= 500)
        log_error("call %s: webhook: %s: %.*s (%.*s)", call->id, error_name(error), STR_ARG(call->error_text),
                  STR_ARG(call->error_detail));
    /* Why it failed inside is nothing for outside. */
    routes_error(call, exchange, status, error_name(error),
                 status >= 500 ? STR("It could not be taken now. Send it again.") : call->error_text);
}
