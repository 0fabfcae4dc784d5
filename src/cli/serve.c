/* porteiro serve */
#include "accounts/alert.h"
#include "accounts/authenticate.h"
#include "accounts/login_tries.h"
#include "accounts/mail.h"
#include "accounts/passwords.h"
#include "accounts/registration.h"
#include "audit/checkpoint.h"
#include "audit/watch.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cli/acme.h"
#include "cli/confine.h"
#include "cli/https.h"
#include "cli/open.h"
#include "cli/side.h"
#include "cli/supervise.h"
#include "cli/values.h"
#include "mcp/ask.h"
#include "mcp/background.h"
#include "limits/gate.h"
#include "mcp/carrier.h"
#include "mcp/endpoint.h"
#include "mcp/feed.h"
#include "mcp/listen.h"
#include "mcp/tasks.h"
#include "mcp/upload.h"
#include "net/client_address.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/otlp.h"
#include "net/own_address.h"
#include "net/sandbox.h"
#include "net/smtp.h"
#include "net/span.h"
#include "net/task.h"
#include "net/worker.h"
#include "store/health.h"
#include "web/api_events.h"
#include "web/api_settings.h"
#include "web/health.h"
#include "web/metrics_page.h"
#include "oauth/grants.h"
#include "web/routes.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <netdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    CANCEL_MS = 3 * 1000,      /* and that cancelled ones get to leave */
    RETIRE_IDLE_MS = 5 * 1000, /* in which idle clients of a replaced worker may still send one request */
    TRIM_BYTES = 4 << 20,      /* free memory at the heap's end that is kept */
    MAPPED_BYTES = 512 << 10,  /* larger blocks are mapped one by one; an arena's are smaller */
    HOSTS_MAX = 64,            /* spellings of our own address */
    ORIGINS_MAX = 64,
    SPARE_DESCRIPTORS = 256, /* for the database, sites and files, besides clients and max_upstream */
};

/* The running server; one in a process, since signals are the process's. */
struct serving {
    struct cli *cli;
    struct http_server *server;
    struct tls_context *tls; /* NULL: plain http */
    struct loop_timer patience;
    struct str host; /* of the listening address, without brackets */
    uint16_t port;   /* that it really listens on */
    size_t max_connections;
    struct own_address own;
    struct str hosts[HOSTS_MAX], origins[ORIGINS_MAX];
    bool stopping, cancelled, drained, finished;
};
static struct serving serving;

/* ---- stopping */

/* It may be over before the loop runs for good: SIGTERM can come while the start is still waiting for the database. */
static void finish(void)
{
    serving.finished = true;
    loop_stop();
}

static void on_drained(void *context)
{
    (void)context;
    serving.drained = true;
    if (jobs_busy() == 0)
        finish();
}

static void on_jobs_ended(void *context)
{
    const struct serving *self = context;
    if (self->drained)
        finish();
}

/* That requests under way get to end, after the first signal. */
static int64_t drain_ms(const struct serving *self)
{
    return config_number(self->cli->config, SETTING_DRAIN_S) * 1000;
}

static void on_patience_over(void *context)
{
    struct serving *self = context;
    if (self->cancelled) {
        log_warning("%zu requests and %zu jobs do not end; stopping all the same", http_server_busy(self->server),
                    jobs_busy());
        finish();
        return;
    }
    self->cancelled = true;
    log_warning("%zu requests and steps of %zu jobs are still under way after %d s and are cancelled",
                http_server_busy(self->server), jobs_busy(), (int)(drain_ms(self) / 1000));
    http_server_cancel_all(self->server);
    jobs_cancel_all();
    loop_timer_set(&self->patience, CANCEL_MS);
}

/* SIGTERM of the supervisor, or of whoever stops all our processes at once. */
static void on_signal(int signal_number, void *context)
{
    struct serving *self = context;
    if (!self->stopping)
        log_info("%s: finishing %zu requests", strsignal(signal_number), http_server_busy(self->server));
    health_stopping();
    if (!self->stopping)
        loop_timer_set(&self->patience, drain_ms(self));
    self->stopping = true;
    listen_end_all();
    ask_end_all();
    api_events_end_all();
    jobs_stop(on_jobs_ended, self);
    side_end();
    http_server_drain(self->server);
}

/* A new worker has taken this one's place. */
static void on_retire(void *context)
{
    struct serving *self = context;
    if (self->stopping)
        return;
    self->stopping = true;
    loop_timer_set(&self->patience, drain_ms(self));
    listen_end_all(); /* clients begin anew with the new worker */
    api_events_end_all();
    jobs_stop(on_jobs_ended, self);
    side_end();
    http_server_retire(self->server, RETIRE_IDLE_MS);
}

/* A sibling tells all. */
static void on_told(void *context, struct str bytes, int file)
{
    (void)context;
    carrier_told(bytes, file);
}

/* ---- starting */

/* Raises the limit of open files as far as it goes, and takes no more clients than then fit. */
static void fit_connections(struct serving *self)
{
    const struct config *config = self->cli->config;
    struct rlimit files;
    rlim_t others = (rlim_t)config_number(config, SETTING_MAX_UPSTREAM) + SPARE_DESCRIPTORS;
    rlim_t wanted = (rlim_t)config_number(config, SETTING_MAX_CONNECTIONS) + others;
    self->max_connections = (size_t)config_number(config, SETTING_MAX_CONNECTIONS);
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= wanted)
        return;
    files.rlim_cur = files.rlim_max >= wanted ? wanted : files.rlim_max; /* RLIM_INFINITY is the largest number */
    if (setrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= wanted)
        return;
    self->max_connections = files.rlim_cur > 2 * others ? files.rlim_cur - others : files.rlim_cur / 2;
    if (config->values[SETTING_MAX_CONNECTIONS].source != SOURCE_DEFAULT)
        log_warning(
            "only %zu clients fit into the limit of %llu open files; raise it to %llu (LimitNOFILE= of systemd, "
            "ulimit -n)",
            self->max_connections, (unsigned long long)files.rlim_cur, (unsigned long long)wanted);
}

/* The address it listens on may not be called as a site, whatever port it got. */
static void guard_listener(struct serving *self)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", self->port);
    if (getaddrinfo(str_copy_cstr(self->cli->arena, self->host), service, &hints, &found))
        return;
    if (egress_policy_add_listener(open_egress(), found->ai_addr))
        log_warning("this machine has more addresses than the address guard can hold as its own");
    freeaddrinfo(found);
}

static int start_server(struct serving *self)
{
    struct cli *cli = self->cli;
    struct str address = config_text(cli->config, SETTING_LISTEN), problem = STR_EMPTY;
    const struct config *config = cli->config;
    struct http_server_settings server = {
        .handler = routes_serve,
        .drained = on_drained,
        .streamed_body_max = upload_streamed_max,
        .max_connections = self->max_connections,
        .max_requests_per_connection = (size_t)config_number(config, SETTING_MAX_REQUESTS_PER_CONNECTION),
        .max_body_bytes = (size_t)config_number(config, SETTING_MAX_BODY) << 20,
        .max_handshakes = (size_t)config_number(config, SETTING_MAX_HANDSHAKES),
        .handshake_timeout_ms = config_number(config, SETTING_HEAD_TIMEOUT_S) * 1000,
        .head_timeout_ms = config_number(config, SETTING_HEAD_TIMEOUT_S) * 1000,
        .body_min_bytes_per_s = (size_t)config_number(config, SETTING_BODY_RATE),
        .idle_timeout_ms = config_number(config, SETTING_IDLE_TIMEOUT_S) * 1000,
        .write_stall_ms = config_number(config, SETTING_WRITE_STALL_S) * 1000,
        .call_timeout_ms = config_number(config, SETTING_REQUEST_TIMEOUT_S) * 1000,
    };
    if (!setting_split_address(address, &self->host, &self->port))
        return cli_usage(cli, "PORTEIRO_LISTEN: \"%.*s\" is not an address", STR_ARG(address));
    self->server = http_server_new(&server);
    if (!self->server)
        return fail(&cli->call, E_UNAVAILABLE, "the HTTP server cannot start: no memory");
    int error = https_open(cli, &self->tls);
    if (error)
        return error;
    if (http_server_listen_fd(self->server, WORKER_LISTEN_FD, self->tls, &problem))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(problem));
    self->port = (uint16_t)http_server_port(self->server);
    guard_listener(self);
    return OK;
}

/* ---- under which names MCP clients may call it (DNS rebinding: a name that others control is not among them) */

static void add_host(struct serving *self, const char *host, bool six)
{
    struct arena *arena = self->cli->arena;
    if (self->own.n_allowed_hosts + 2 > HOSTS_MAX)
        return;
    struct str bare = str_format(arena, six ? "[%s]" : "%s", host);
    self->hosts[self->own.n_allowed_hosts++] = str_format(arena, "%.*s:%u", STR_ARG(bare), self->port);
    if (self->port == (self->tls ? 443 : 80)) /* the scheme's own port is left out by clients */
        self->hosts[self->own.n_allowed_hosts++] = bare;
}

/* Everybody of a wildcard address: the addresses this machine has now. */
static void add_interfaces(struct serving *self)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN];
    if (getifaddrs(&all))
        return;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        int family = one->ifa_addr ? one->ifa_addr->sa_family : AF_UNSPEC;
        const void *bytes = family == AF_INET    ? (const void *)&((struct sockaddr_in *)one->ifa_addr)->sin_addr
                            : family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr
                                                 : NULL;
        if (bytes && inet_ntop(family, bytes, text, sizeof text))
            add_host(self, text, family == AF_INET6);
    }
    freeifaddrs(all);
}

static void on_breaker_opened(int64_t user_id, struct str host)
{
    char text[400];
    snprintf(text, sizeof text, "%.*s failed again and again and is left alone for a while.",
             (int)(host.len < 256 ? host.len : 256), host.ptr);
    alert_raise("breaker_opened", str_from(text), host, user_id, 0);
}

static void on_chain_broken(struct str text)
{
    alert_raise("chain_broken", text, STR_EMPTY, 0, 0);
}

static const char *given(struct cli *cli, enum setting setting)
{
    return config_is_set(cli->config, setting) ? str_copy_cstr(cli->arena, config_text(cli->config, setting)) : NULL;
}

static int start_alerts(struct serving *self)
{
    const struct alert_settings settings = {
        .url = given(self->cli, SETTING_ALERT_URL),
        .ca_file = given(self->cli, SETTING_CA_FILE),
        .mail = given(self->cli, SETTING_ALERT_MAIL),
    };
    watch_init(on_chain_broken);
    int error = values_use(self->cli, SETTING_ALERT_URL);
    if (!error)
        error = values_use(self->cli, SETTING_ALERT_MAIL);
    if (!error)
        alert_init(&settings);
    return error;
}

static int start_traces(struct serving *self)
{
    struct cli *cli = self->cli;
    const char *problem = "OTEL_EXPORTER_OTLP_ENDPOINT cannot be used";
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    struct str instance = str_format(cli->arena, "%s/worker-%d", host, worker_self()->number);
    span_set_percent(config_number(cli->config, SETTING_TRACE_PERCENT));
    return open_traces(cli, instance, &problem) ? cli_usage(cli, "%s", problem) : OK;
}

static void start_mcp(struct serving *self)
{
    const struct config *config = self->cli->config;
    struct str origins = config_text(config, SETTING_ALLOWED_ORIGINS), origin;
    bool six = str_find_char(self->host, ':') != STR_NOT_FOUND;
    bool any = str_eq(self->host, STR("0.0.0.0")) || str_eq(self->host, STR("::"));
    bool loopback = str_starts_with(self->host, STR("127.")) || str_eq(self->host, STR("::1"));
    self->own = (struct own_address){.allowed_hosts = self->hosts, .allowed_origins = self->origins};
    add_host(self, str_copy_cstr(self->cli->arena, self->host), six);
    if (any || loopback)
        add_host(self, "localhost", false);
    if (any)
        add_interfaces(self);
    while (origins.len && self->own.n_allowed_origins < ORIGINS_MAX && str_next(&origins, ',', &origin))
        self->origins[self->own.n_allowed_origins++] = origin;
    self->own.url = str_format(self->cli->arena, six ? "http%s://[%.*s]:%u" : "http%s://%.*s:%u", self->tls ? "s" : "",
                               STR_ARG(self->host), self->port);
    if (config->values[SETTING_PUBLIC_URL].source != SOURCE_DEFAULT)
        self->own.url = self->own.public_url = config_text(config, SETTING_PUBLIC_URL);
    own_address_init(&self->own);
    open_registration(self->cli, self->own.url);
    carrier_start();
    feed_start();
    mail_start();
    gate_on_opened(on_breaker_opened);
}

static int start_signals(struct serving *self)
{
    if (!loop_timer_init(&self->patience, on_patience_over, self))
        return fail(&self->cli->call, E_UNAVAILABLE, "a timer cannot be made: no memory");
    struct worker_callbacks callbacks = {.retire = on_retire, .told = on_told, .context = self};
    if (!loop_on_signal(SIGTERM, on_signal, self) || !worker_begin(&callbacks))
        return fail(&self->cli->call, E_UNAVAILABLE, "signals cannot be listened to: no memory");
    return OK;
}

/* ---- what it says */

/* *ret_setup: where the first administrator makes an account, while there is nobody; else ptr NULL. */
static int next_step(struct serving *self, struct str *ret, struct str *ret_setup)
{
    struct cli *cli = self->cli;
    bool has_user, has_connection;
    int error = health_look(&cli->call, cli->db, &has_user, &has_connection);
    *ret_setup = (struct str){NULL, 0};
    if (!error && !has_user)
        error = registration_setup_link(&cli->call, ret_setup);
    if (error == E_CONFLICT) { /* another node's administrator came first */
        call_clear_error(&cli->call);
        error = OK;
    }
    if (error)
        return error;
    if (!has_user)
        *ret =
            STR("make the first user: open the setup address (porteiro setup-url makes it anew), or porteiro user add "
                "--admin --name NAME --email E-MAIL --phone PHONE");
    else if (!has_connection)
        *ret = STR(
            "connect a site: porteiro connection add --user E-MAIL --provider wordpress --name NAME --url https://SITE "
            "--username USER");
    else
        *ret = str_format(cli->arena, "give AI clients the address %.*s/mcp and a token (porteiro token add)",
                          STR_ARG(self->own.url));
    return OK;
}

static int announce(struct serving *self)
{
    struct cli *cli = self->cli;
    const struct config *config = cli->config;
    struct str next, setup, none = {NULL, 0}, file = worker_self()->source;
    int error = next_step(self, &next, &setup);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "address", self->own.url);
    answer_text(answer, "data", config_text(config, SETTING_DATA_DIR));
    answer_text(answer, "database", config_shown(cli->arena, config, SETTING_DATABASE_URL));
    answer_text(answer, "settings", str_eq(file, STR("none")) ? none : file);
    answer_text(answer, "next", next);
    answer_text(answer, "setup", setup);
    answer_integer(answer, "ready_ms", (clock_monotonic_ns() - worker_self()->begun_ns) / 1000000);
    return cli_answer(cli, answer, NULL);
}

static int start(struct serving *self)
{
    struct cli *cli = self->cli;
    struct str bad;
    if (client_address_trust(config_text(cli->config, SETTING_TRUSTED_PROXIES), &bad))
        return cli_usage(cli, "PORTEIRO_TRUSTED_PROXIES: \"%.*s\" cannot be used", STR_ARG(bad));
    int error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (error)
        return error;
    health_init(cli->db);
    metrics_page_init(
        config_is_set(cli->config, SETTING_METRICS_TOKEN) ? config_text(cli->config, SETTING_METRICS_TOKEN) : STR_EMPTY,
        clock_now_ms() - (clock_monotonic_ns() - worker_self()->begun_ns) / 1000000);
    mcp_endpoint_init(config_switch(cli->config, SETTING_OPEN_DISCOVER));
    login_tries_init(config_number(cli->config, SETTING_LOGIN_TRIES_PER_ADDRESS),
                     config_number(cli->config, SETTING_LOGIN_TRIES_PER_ACCOUNT));
    passwords_init((size_t)config_number(cli->config, SETTING_PASSWORD_CHECKS_QUEUED));
    grants_init(config_number(cli->config, SETTING_OAUTH_GRACE) * 1000);
    api_settings_init(cli->config);
    routes_init(config_switch(cli->config, SETTING_ACCESS_LOG));
    error = start_server(self);
    if (error)
        return error;
    start_mcp(self);
    error = start_alerts(self);
    if (!error)
        error = start_traces(self);
    if (error)
        return error;
    error = side_open(cli, self->own.url);
    if (error)
        return error;
    background_set_wait(config_number(cli->config, SETTING_JOB_WAIT) * 1000);
    error = tasks_open(&cli->call, config_number(cli->config, SETTING_JOB_LEASE) * 1000);
    return error ? error : start_signals(self);
}

static void stop(struct serving *self)
{
    if ((self->server && http_server_busy(self->server)) || jobs_busy()) {
        log_error("stopped with %zu requests and %zu jobs under way", http_server_busy(self->server), jobs_busy());
        _exit(CLI_FAILED); /* their memory is in use: nothing can be closed in order */
    }
    tasks_close();
    otlp_done(&self->cli->call);
    mail_stop(&self->cli->call);
    feed_end();
    carrier_end();
    worker_end();
    loop_timer_done(&self->patience);
    alert_done(&self->cli->call);
    side_close();
    http_server_free(self->server);
    tls_context_free(self->tls);
    metrics_close();
}

static const char *current_id(void)
{
    return task_current() ? task_current()->id : NULL;
}

static struct log_origin current_origin(void)
{
    const struct call *call = task_current();
    const struct principal *who = call ? call->who : NULL;
    return (struct log_origin){
        .call = call ? call->id : NULL,
        .user_id = who ? who->user_id : 0,
        .connection_id = who ? who->connection_id : 0,
    };
}

static int work(struct cli *cli)
{
    struct serving *self = &serving;
    *self = (struct serving){.cli = cli};
    sandbox_process();
    crash_init(current_id);
    log_origin_by(current_origin);
    checkpoint_log(true);
    close(WORKER_SETTINGS_FD); /* was read, and holds secrets */
    if (!metrics_open(WORKER_METRICS_FD))
        log_warning("the memory of the metrics cannot be used; nothing is counted");
    fit_connections(self);
    int error = confine_files(cli);
    if (!error)
        error = start(self);
    loop_take_short_turns();
    if (!error)
        error = confine_calls(cli);
    if (!error && worker_self()->first)
        error = announce(self);
    if (!error) {
        worker_ready();
        if (!self->finished)
            loop_run();
    }
    stop(self);
    return error;
}

static int run_serve(struct cli *cli)
{
    if (!worker_self())
        return supervise(cli);
    if (worker_self()->number == 0)
        return acme_help(cli);
    /* Each request's memory goes back and comes again: giving it to the kernel in between cost 15 % of a request's time. */
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    return work(cli);
}

static const struct command commands[] = {{
    .summary = "Serves MCP, until SIGTERM or Ctrl-C: then what is under way gets 30 s to end; a second signal ends it "
               "at once. SIGHUP reads the settings again.",
    .example = "porteiro serve\nporteiro serve --listen 127.0.0.1:9000 --public-url https://mcp.example.com",
    .run = run_serve,
}};
const struct noun serve_noun = {"serve", "serve MCP to AI clients", commands, ARRAY_LENGTH(commands)};
