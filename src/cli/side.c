/* The listeners beside the main one. */
#include "cli/side.h"

#include "base/config.h"
#include "cli/https.h"
#include "net/http_server.h"
#include "net/worker.h"
#include "web/metrics_page.h"
#include "web/plain_http.h"

enum { PLAIN_CONNECTIONS = 512, METRICS_CONNECTIONS = 16, SHORT_MS = 5000, BODY_BYTES = 16 * 1024 };

static struct http_server *plain, *metrics;

static int listen_on(struct cli *cli, int fd, http_handler *handler, size_t max_connections, struct http_server **ret)
{
    struct str problem = STR_EMPTY;
    const struct http_server_settings settings = {
        .handler = handler,
        .max_connections = max_connections,
        .max_body_bytes = BODY_BYTES,
        .call_timeout_ms = SHORT_MS,
        .idle_timeout_ms = SHORT_MS,
        .head_timeout_ms = SHORT_MS,
    };
    *ret = http_server_new(&settings);
    if (!*ret)
        return fail(&cli->call, E_UNAVAILABLE, "the HTTP server cannot start: no memory");
    if (http_server_listen_fd(*ret, fd, NULL, &problem))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(problem));
    return OK;
}

int side_open(struct cli *cli, struct str url)
{
    int error = OK;
    if (config_is_set(cli->config, SETTING_LISTEN_HTTP)) {
        plain_http_init(url, https_challenge_directory(cli));
        error = listen_on(cli, WORKER_LISTEN_HTTP_FD, plain_http_serve, PLAIN_CONNECTIONS, &plain);
    }
    if (!error && config_is_set(cli->config, SETTING_LISTEN_METRICS))
        error = listen_on(cli, WORKER_LISTEN_METRICS_FD, metrics_page_serve, METRICS_CONNECTIONS, &metrics);
    return error;
}

static void end(struct http_server *server)
{
    if (server)
        http_server_retire(server, SHORT_MS);
}

void side_end(void)
{
    end(plain);
    end(metrics);
}

static void close_one(struct http_server **server)
{
    if (*server && http_server_busy(*server) == 0)
        http_server_free(*server);
    *server = NULL;
}

void side_close(void)
{
    close_one(&plain);
    close_one(&metrics);
}
