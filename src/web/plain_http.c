/* What is served without TLS beside a server with it. */
#include "web/plain_http.h"

#include "web/routes.h"

#include <fcntl.h>
#include <unistd.h>

enum { TOKEN_MAX = 128, ANSWER_MAX = 512 };

static struct str url, directory;

void plain_http_init(struct str https_url, struct str challenge_directory)
{
    url = https_url;
    directory = challenge_directory;
}

/* base64url, as RFC 8555 has it: no dot and no slash, so it stays in its directory. */
static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '-' && text.ptr[i] != '_')
            return false;
    return text.len > 0 && text.len <= TOKEN_MAX;
}

static struct str read_challenge(struct call *call, struct str token)
{
    char *room = arena_alloc(call->arena, ANSWER_MAX);
    const char *path = call_format(call, "%.*s/%.*s", STR_ARG(directory), STR_ARG(token)).ptr;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t size = file < 0 ? 0 : read(file, room, ANSWER_MAX);
    if (file >= 0)
        close(file);
    return size > 0 ? str_of(room, (size_t)size) : STR_EMPTY;
}

void plain_http_serve(struct call *call, struct http_exchange *exchange, void *context)
{
    static const struct str well_known = STR_INIT("/.well-known/acme-challenge/");
    const struct http_request *request = http_exchange_request(exchange);
    bool reads = str_eq(request->method, STR("GET")) || str_eq(request->method, STR("HEAD"));
    (void)context;
    if (reads && str_starts_with(request->path, well_known)) {
        struct str token = str_from_offset(request->path, well_known.len);
        struct str answer = is_token(token) ? read_challenge(call, token) : STR_EMPTY;
        http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
        http_answer(exchange, answer.len ? 200 : 404, STR("text/plain"), answer.len ? answer : STR("Not asked for.\n"));
        return;
    }
    if (reads) {
        struct str target = request->target.len && request->target.ptr[0] == '/' ? request->target : STR("/");
        http_answer_header(exchange, STR("Location"), str_concat(call->arena, url, target));
        http_answer(exchange, 301, STR_EMPTY, STR_EMPTY);
        return;
    }
    routes_error(call, exchange, 403, "https_only",
                 call_format(call,
                             "This is served with https only, at %.*s. A token that was sent here could be read on its "
                             "way: make a new one.",
                             STR_ARG(url)));
}
