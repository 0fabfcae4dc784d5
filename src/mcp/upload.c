/* Upload links. */
#include "mcp/upload.h"

#include "base/log.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "mcp/endpoint.h"
#include "mcp/tools.h"
#include "net/spool.h"
#include "net/url.h"
#include "store/uploads.h"

enum {
    ID_CHARS = 12,
    ARGUMENTS_MAX_BYTES = 64 * 1024,
    ANSWER_BYTES = 64 * 1024,
    RECORD_MS = 5000,
};

#define PATH "/u/"

static size_t n_under_way;

/* --- making one -------------------------------------------------------------------------------------------------------- */

static struct str mac_of(struct call *call, const struct upload_row *row)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_MCP,
                call_format(call, "upload|%.*s|%lld|%lld|%lld|%lld|%.*s|%.*s", STR_ARG(row->id),
                            (long long)row->user_id, (long long)row->connection_id, (long long)row->token_id,
                            (long long)row->expires_at_ms, STR_ARG(row->link_hash), STR_ARG(row->arguments)),
                mac);
    return str_from(mac);
}

static struct str hash_of(struct call *call, struct str link)
{
    char *hash = arena_alloc(call->arena, MAC_HEX_BYTES);
    token_hash(link, hash);
    return str_from(hash);
}

static int arguments_of(struct call *call, const struct mcp_host *host, struct str *ret)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, ARGUMENTS_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "tool", host->tool->name);
    json_key(&w, STR("arguments"));
    json_value(&w, host->arguments);
    json_end(&w);
    *ret = buf_str(&text);
    return buf_failed(&text) ? fail(call, E_LIMIT, "The arguments are too long to be kept for an upload link.") : OK;
}

int host_upload_link_make(struct call *call, struct host *base, struct upload_link *ret)
{
    struct mcp_host *host = (struct mcp_host *)base;
    const struct principal *who = host->request->who;
    int64_t now_ms = clock_now_ms(), open = 0;
    if (!host->request->http)
        return fail(call, E_INVALID, "There is no server here that could take a file: give url or data.");
    struct str link = token_make(call, TOKEN_UPL);
    struct upload_row row = {
        .id = token_word(call, ID_CHARS),
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .link_hash = hash_of(call, link),
        .state = STR(UPLOAD_OPEN),
        .created_at_ms = now_ms,
        .expires_at_ms = now_ms + UPLOAD_LIFE_MS,
    };
    int error = arguments_of(call, host, &row.arguments);
    if (error || (error = store_uploads_count_open(call, row.token_id, now_ms, &open)))
        return error;
    if (open >= UPLOAD_OPEN_MAX)
        return fail(call, E_LIMIT,
                    "%lld upload links of this token wait for their file. Use them, or wait until they end.",
                    (long long)open);
    row.mac = mac_of(call, &row);
    if ((error = store_uploads_insert(call, &row, now_ms - UPLOAD_KEEP_MS)))
        return error;
    *ret = (struct upload_link){
        .id = row.id,
        .url = call_format(call, "%.*s" PATH "%.*s/", STR_ARG(mcp_own_url(call, host->request->http)), STR_ARG(link)),
        .life_ms = UPLOAD_LIFE_MS,
    };
    return OK;
}

/* --- answers ----------------------------------------------------------------------------------------------------------- */

static void answer_error(struct call *call, struct http_exchange *exchange, int status, const char *code,
                         struct str message)
{
    struct str body = call_format(call, "{\"error\":{\"code\":\"%s\",\"message\":%.*s}}\n", code,
                                  STR_ARG(json_quote(call->arena, message)));
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    if (status == 503)
        http_answer_header(exchange, STR("Retry-After"), STR("30"));
    http_answer(exchange, status, STR("application/json"), body);
}

static int status_of(int error)
{
    switch (error) {
    case E_INVALID:
        return 415;
    case E_LIMIT:
        return 413;
    case E_TIMEOUT:
        return 408;
    case E_DENIED:
    case E_REFUSED:
        return 403;
    case E_NOT_FOUND:
        return 404;
    case E_CONFLICT:
        return 409;
    case E_UNAVAILABLE:
        return 503;
    case E_UPSTREAM:
    case E_EGRESS:
        return 502;
    default:
        return 500;
    }
}

/* What was done, as the audit has it, and the words of the tool. */
static void answer_done(struct call *call, struct http_exchange *exchange, const struct json *done,
                        const struct tool_result *result)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, call->arena, ANSWER_BYTES);
    json_write_init(&w, &body);
    json_object(&w);
    for (size_t i = 0; i < json_count(done); i++) {
        json_key(&w, json_member_at(done, i).name);
        json_value(&w, json_member_at(done, i).value);
    }
    json_member_str(&w, "text", buf_str(&result->text));
    json_end(&w);
    buf_add_char(&body, '\n');
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, 201, STR("application/json"), buf_failed(&body) ? STR("{}") : buf_str(&body));
}

/* --- one file ---------------------------------------------------------------------------------------------------------- */

#define AGAIN " Ask for a new link with the tool that gave this one."

/* The row that the link stands for, still good. False: the answer has been given. */
static bool find_link(struct call *call, struct http_exchange *exchange, struct str link, struct upload_row *ret)
{
    enum token_type type;
    int error = E_NOT_FOUND;
    if (token_check(link, &type) && type == TOKEN_UPL)
        error = store_uploads_find(call, hash_of(call, link), ret);
    bool is_over = !error && (!str_eq(ret->state, STR(UPLOAD_OPEN)) || ret->expires_at_ms <= clock_now_ms());
    if (error == E_NOT_FOUND || (!error && !is_over && !str_eq(mac_of(call, ret), ret->mac)))
        answer_error(call, exchange, 404, "not_found",
                     STR("This upload link is not known here: it was cut or mistyped."));
    else if (error)
        answer_error(call, exchange, 503, error_name(error), call->error_text);
    else if (!str_eq(ret->state, STR(UPLOAD_OPEN)))
        answer_error(call, exchange, 410, "gone", STR("This upload link was used already; it is good once." AGAIN));
    else if (is_over)
        answer_error(call, exchange, 410, "gone", STR("This upload link has expired." AGAIN));
    else
        return true;
    return false;
}

/* Who asked for the link, as the token stands now. NULL: the answer has been given. */
static const struct principal *find_owner(struct call *call, struct http_exchange *exchange,
                                          const struct upload_row *row)
{
    const struct principal *who = NULL;
    int error = authenticate_token(call, row->token_id, &who);
    if (!error)
        error = principal_for(call, who, row->connection_id, &who);
    if (error == E_UNAUTHENTICATED || error == E_DENIED)
        answer_error(call, exchange, 403, "denied",
                     call_format(call, "The token this upload link was made with is not good any more. %.*s",
                                 STR_ARG(call->error_text)));
    else if (error)
        answer_error(call, exchange, 503, error_name(error), call->error_text);
    else
        return who;
    return NULL;
}

/* Of two at once one gets it. */
static bool take_link(struct call *call, struct http_exchange *exchange, const struct upload_row *row)
{
    bool is_mine = false;
    int error = store_uploads_take(call, row->id, clock_now_ms(), &is_mine);
    if (error)
        answer_error(call, exchange, 503, error_name(error), call->error_text);
    else if (!is_mine)
        answer_error(call, exchange, 410, "gone", STR("This upload link was used already; it is good once." AGAIN));
    return is_mine;
}

struct body {
    struct http_exchange *exchange;
};

static int read_body(struct call *call, void *context, char *room, size_t size, size_t *ret_read)
{
    struct body *body = context;
    return http_body_read(call, body->exchange, room, size, ret_read);
}

static void settle(struct call *call, const struct upload_row *row, int error, int64_t item_id)
{
    struct call rest = *call; /* it is recorded, whatever became of the client */
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + RECORD_MS;
    if (store_uploads_end(&rest, row->id, error ? STR(UPLOAD_FAILED) : STR(UPLOAD_DONE), item_id, clock_now_ms()) != OK)
        log_error("call %s: the end of upload %.*s could not be recorded: %.*s", call->id, STR_ARG(row->id),
                  STR_ARG(rest.error_text));
}

/* The tool again, with the file. */
static void run(struct call *call, struct http_exchange *exchange, const struct upload_row *row,
                const struct principal *who, struct str name)
{
    const struct http_request *http = http_exchange_request(exchange);
    struct str type = http_header_value(http, STR("content-type"));
    struct body body = {exchange};
    struct http_source source = {read_body, &body, http_body_length(exchange)};
    struct sent_file file = {.source = &source, .name = name, .declared_type = type.ptr ? type : STR_EMPTY};
    const struct json *kept, *done;
    struct mcp_request *request = arena_new_of(call->arena, struct mcp_request);
    struct mcp_host *host = arena_new_of(call->arena, struct mcp_host);
    struct tool_result *result = arena_new_of(call->arena, struct tool_result);
    *request = (struct mcp_request){.http = http, .who = who, .provider = provider_find(who->provider_key)};
    int error = json_parse(call->arena, row->arguments, NULL, &kept, NULL) || !request->provider
                    ? fail(call, E_INTERNAL, "What this link stands for cannot be read.")
                    : OK;
    if (!error) {
        request->message.params = json_get(kept, STR("arguments"));
        error = mcp_host_init(call, host, request, false, json_str(json_get(kept, STR("tool"))),
                              json_get(kept, STR("arguments")));
    }
    if (!error) {
        host->file = &file;
        host->link_id = row->id;
        error = tools_run(call, host, result);
    }
    if (json_parse(call->arena, result->audit_json, NULL, &done, NULL) != OK)
        done = json_at(kept, 0); /* nothing */
    settle(call, row, error, json_i64_or(json_get(done, STR("id")), 0));
    if (error)
        answer_error(call, exchange, status_of(error), error_name(error), call->error_text);
    else
        answer_done(call, exchange, done, result);
}

static void leave(void *object)
{
    (void)object;
    n_under_way--;
}

void upload_serve(struct call *call, struct http_exchange *exchange, struct str rest)
{
    const struct http_request *http = http_exchange_request(exchange);
    struct upload_row row;
    struct str why, link = str_sub(rest, 0, str_find_char(rest, '/'));
    struct str name = url_decode(call->arena, str_from_offset(rest, link.len + 1), false);
    if (!mcp_may_come(http, &why)) {
        answer_error(call, exchange, 403, "denied", why);
        return;
    }
    if (!find_link(call, exchange, link, &row))
        return;
    const struct principal *who = find_owner(call, exchange, &row);
    if (!who)
        return;
    if (http_body_length(exchange) == 0) {
        answer_error(call, exchange, 400, "invalid", STR("There is no file in the request. Send it as its body."));
        return;
    }
    if (n_under_way >= UPLOAD_AT_ONCE) {
        answer_error(call, exchange, 503, "unavailable",
                     STR("Too many files are on their way here at the moment. The link is still good: try again."));
        return;
    }
    n_under_way++;
    arena_defer(call->arena, leave, call);
    if (!take_link(call, exchange, &row))
        return;
    call->who = (struct principal *)who;
    call->deadline_ms = clock_monotonic_ms() + UPLOAD_TIMEOUT_MS;
    run(call, exchange, &row, who, name);
}

uint64_t upload_streamed_max(const struct http_request *request, void *context)
{
    (void)context;
    return str_starts_with(request->path, STR(PATH)) ? (uint64_t)spool_max_bytes() : 0;
}
