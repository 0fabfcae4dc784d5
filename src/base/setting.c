/* The table of settings, and what makes a value a good one. */
#include "base/setting.h"

#include <arpa/inet.h>
#include <unistd.h>

const struct setting_row setting_table[SETTINGS] = {
    [SETTING_DATA_DIR] = {.name = "data_dir",
                          .environment = "PORTEIRO_DATA_DIR",
                          .kind = SETTING_PATH,
                          .standard_text =
                              "$XDG_DATA_HOME/porteiro, else ~/.local/share/porteiro; root: /var/lib/porteiro",
                          .meaning = "the directory of the SQLite database and the master key; made with mode 0700"},
    [SETTING_DATABASE_URL] = {.name = "database_url",
                              .environment = "DATABASE_URL",
                              .kind = SETTING_DATABASE,
                              .secret = true,
                              .standard_text = "sqlite:porteiro.db in the data directory",
                              .meaning = "postgres://USER:PASSWORD@HOST/NAME or sqlite:PATH"},
    [SETTING_DATABASE_URL_DIRECT] = {.name = "database_url_direct",
                                     .environment = "PORTEIRO_DATABASE_URL_DIRECT",
                                     .kind = SETTING_DATABASE,
                                     .secret = true,
                                     .standard_text = "the same as database_url",
                                     .meaning = "for migrations, when database_url leads to a pooler"},
    [SETTING_LISTEN] = {.name = "listen",
                        .environment = "PORTEIRO_LISTEN",
                        .kind = SETTING_ADDRESS,
                        .standard = "127.0.0.1:8080",
                        .meaning = "the address and port to serve on; port 0 takes a free one"},
    [SETTING_PUBLIC_URL] = {.name = "public_url",
                            .environment = "PORTEIRO_PUBLIC_URL",
                            .kind = SETTING_ORIGIN,
                            .standard_text = "http:// and the listening address",
                            .meaning =
                                "how people and AI clients reach this server, https://HOST, when a proxy is in front"},
    [SETTING_DOMAIN] = {.name = "domain",
                        .environment = "PORTEIRO_DOMAIN",
                        .kind = SETTING_HOST,
                        .standard_text = "none: no certificate is asked for",
                        .meaning = "serve https under this name, with a certificate that is got and renewed by ACME; "
                                   "agrees to the authority's terms"},
    [SETTING_LISTEN_HTTP] = {.name = "listen_http",
                             .environment = "PORTEIRO_LISTEN_HTTP",
                             .kind = SETTING_ADDRESS,
                             .standard_text = "none; with domain: [::]:80",
                             .meaning = "a second address, for plain http: sends browsers to https, and answers the "
                                        "authority's question"},
    [SETTING_LISTEN_METRICS] = {.name = "listen_metrics",
                                .environment = "PORTEIRO_LISTEN_METRICS",
                                .kind = SETTING_ADDRESS,
                                .standard_text = "none",
                                .meaning = "an address of its own for /metrics, without a token: keep it inside"},
    [SETTING_METRICS_TOKEN] = {.name = "metrics_token",
                               .environment = "PORTEIRO_METRICS_TOKEN",
                               .kind = SETTING_PLAIN,
                               .secret = true,
                               .standard_text = "none: /metrics is not there",
                               .meaning = "the bearer token that /metrics asks for on the main address"},
    [SETTING_TLS_CERT] = {.name = "tls_cert",
                          .environment = "PORTEIRO_TLS_CERT",
                          .kind = SETTING_PATH,
                          .standard_text = "none: plain http; with domain: what ACME brought",
                          .meaning = "PEM file of the certificate with its chain, to serve https with"},
    [SETTING_TLS_KEY] = {.name = "tls_key",
                         .environment = "PORTEIRO_TLS_KEY",
                         .kind = SETTING_PATH,
                         .standard_text = "none; needed with tls_cert",
                         .meaning = "PEM file of the certificate's key"},
    [SETTING_ACME_URL] = {.name = "acme_url",
                          .environment = "PORTEIRO_ACME_URL",
                          .kind = SETTING_PLAIN,
                          .standard = "https://acme-v02.api.letsencrypt.org/directory",
                          .meaning = "the directory of the certificate authority"},
    [SETTING_ACME_EMAIL] = {.name = "acme_email",
                            .environment = "PORTEIRO_ACME_EMAIL",
                            .kind = SETTING_PLAIN,
                            .standard_text = "none",
                            .meaning = "whom the authority writes to"},
    [SETTING_TRUSTED_PROXIES] = {.name = "trusted_proxies",
                                 .environment = "PORTEIRO_TRUSTED_PROXIES",
                                 .kind = SETTING_NETWORKS,
                                 .standard_text = "none",
                                 .meaning = "proxies whose X-Forwarded-For is believed, ADDRESS[/BITS],..."},
    [SETTING_ALLOWED_ORIGINS] = {.name = "allowed_origins",
                                 .environment = "PORTEIRO_ALLOWED_ORIGINS",
                                 .kind = SETTING_ORIGINS,
                                 .standard_text = "only public_url",
                                 .meaning = "further web origins whose pages may call the MCP endpoint"},
    [SETTING_EGRESS_ALLOW] = {.name = "egress_allow",
                              .environment = "PORTEIRO_EGRESS_ALLOW",
                              .kind = SETTING_EGRESS,
                              .standard_text = "none: public addresses, https, port 443",
                              .meaning = "networks that sites may be in although they are private, ADDRESS[/BITS],..., "
                                         "with any port and plain http; :PORT opens a further port everywhere"},
    [SETTING_CA_FILE] = {.name = "ca_file",
                         .environment = "PORTEIRO_CA_FILE",
                         .kind = SETTING_PATH,
                         .standard_text = "the system's",
                         .meaning = "PEM file of the certificate authorities to trust"},
    [SETTING_SECRET_KEY] = {.name = "secret_key",
                            .environment = "PORTEIRO_SECRET_KEY",
                            .kind = SETTING_PLAIN,
                            .secret = true,
                            .standard_text = "made at the first start, in the data directory",
                            .meaning = "the master key that seals stored passwords"},
    [SETTING_REGISTRATION] = {.name = "registration",
                              .environment = "PORTEIRO_REGISTRATION",
                              .kind = SETTING_CHOICE,
                              .standard = "invitation",
                              .choices = "open invitation closed",
                              .meaning = "who may make an account: anyone, who was invited, or nobody"},
    [SETTING_SMTP_URL] = {.name = "smtp_url",
                          .environment = "PORTEIRO_SMTP_URL",
                          .kind = SETTING_PLAIN,
                          .secret = true,
                          .standard_text = "none: no mail is sent",
                          .meaning = "the mail server: smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST"},
    [SETTING_MAIL_FROM] = {.name = "mail_from",
                           .environment = "PORTEIRO_MAIL_FROM",
                           .kind = SETTING_PLAIN,
                           .standard_text = "none; needed with smtp_url",
                           .meaning = "the address that mails come from"},
    [SETTING_NEON_AUTH_URL] = {.name = "neon_auth_url",
                               .environment = "PORTEIRO_NEON_AUTH_URL",
                               .kind = SETTING_PLAIN,
                               .standard_text = "none: nobody signs in with Neon Auth",
                               .meaning = "the address of the database's Neon Auth; its keys are at "
                                          "URL/.well-known/jwks.json"},
    [SETTING_NEON_AUTH_ISSUER] = {.name = "neon_auth_issuer",
                                  .environment = "PORTEIRO_NEON_AUTH_ISSUER",
                                  .kind = SETTING_PLAIN,
                                  .standard_text = "the origin of neon_auth_url",
                                  .meaning = "who signs its tokens (iss), exactly"},
    [SETTING_NEON_AUTH_AUDIENCE] = {.name = "neon_auth_audience",
                                    .environment = "PORTEIRO_NEON_AUTH_AUDIENCE",
                                    .kind = SETTING_PLAIN,
                                    .standard_text = "the issuer",
                                    .meaning = "for whom its tokens are (aud), exactly"},
    [SETTING_ALERT_URL] = {.name = "alert_url",
                           .environment = "PORTEIRO_ALERT_URL",
                           .kind = SETTING_PLAIN,
                           .secret = true,
                           .standard_text = "none: alerts are only logged",
                           .meaning = "the https address that alerts are sent to, as a POST with JSON"},
    [SETTING_ALERT_MAIL] = {.name = "alert_mail",
                            .environment = "PORTEIRO_ALERT_MAIL",
                            .kind = SETTING_PLAIN,
                            .standard_text = "none",
                            .meaning = "the e-mail address that alerts are sent to; needs smtp_url"},
    [SETTING_OTLP_ENDPOINT] = {.name = "otlp_endpoint",
                               .environment = "OTEL_EXPORTER_OTLP_ENDPOINT",
                               .kind = SETTING_PLAIN,
                               .standard_text = "none: nothing is traced",
                               .meaning = "the collector that traces are sent to by OTLP over HTTP, "
                                          "http://127.0.0.1:4318"},
    [SETTING_OTLP_HEADERS] = {.name = "otlp_headers",
                              .environment = "OTEL_EXPORTER_OTLP_HEADERS",
                              .kind = SETTING_PLAIN,
                              .secret = true,
                              .standard_text = "none",
                              .meaning =
                                  "headers that the collector wants: NAME=VALUE,... with values percent-encoded"},
    [SETTING_SERVICE_NAME] = {.name = "service_name",
                              .environment = "OTEL_SERVICE_NAME",
                              .kind = SETTING_PLAIN,
                              .standard = "porteiro",
                              .meaning = "what this server is called in traces"},
    [SETTING_TRACE_PERCENT] = {.name = "trace_percent",
                               .environment = "PORTEIRO_TRACE_PERCENT",
                               .kind = SETTING_NUMBER,
                               .standard = "100",
                               .min = 0,
                               .max = 100,
                               .unit = "%",
                               .meaning = "how many of the requests are traced that come without a trace context"},
    [SETTING_WORKERS] = {.name = "workers",
                         .environment = "PORTEIRO_WORKERS",
                         .kind = SETTING_NUMBER,
                         .standard = "1",
                         .min = 1,
                         .max = 64,
                         .unit = "processes",
                         .meaning = "processes that serve; with SQLite one"},
    [SETTING_SANDBOX] = {.name = "sandbox",
                         .environment = "PORTEIRO_SANDBOX",
                         .kind = SETTING_SWITCH,
                         .standard = "on",
                         .meaning = "workers give up what serving does not take: other files, starting programs"},
    [SETTING_LOG] = {.name = "log",
                     .environment = "PORTEIRO_LOG",
                     .kind = SETTING_CHOICE,
                     .standard = "text",
                     .choices = "text json",
                     .meaning = "the form of the log on stderr"},
    [SETTING_LOG_LEVEL] = {.name = "log_level",
                           .environment = "PORTEIRO_LOG_LEVEL",
                           .kind = SETTING_CHOICE,
                           .standard = "info",
                           .choices = "debug info warning error",
                           .meaning = "the least important events that are logged"},
    [SETTING_ACCESS_LOG] = {.name = "access_log",
                            .environment = "PORTEIRO_ACCESS_LOG",
                            .kind = SETTING_SWITCH,
                            .standard = "on",
                            .meaning = "one line in the log for every HTTP request"},
    [SETTING_MAX_CONNECTIONS] = {.name = "max_connections",
                                 .environment = "PORTEIRO_MAX_CONNECTIONS",
                                 .kind = SETTING_NUMBER,
                                 .standard = "20000",
                                 .min = 1,
                                 .max = 1000000,
                                 .unit = "connections",
                                 .meaning = "clients connected at once; one more ends the one that is idle longest"},
    [SETTING_MAX_UPSTREAM] = {.name = "max_upstream",
                              .environment = "PORTEIRO_MAX_UPSTREAM",
                              .kind = SETTING_NUMBER,
                              .standard = "512",
                              .min = 1,
                              .max = 100000,
                              .unit = "requests",
                              .meaning = "requests to sites under way at once, in all"},
    [SETTING_MAX_UPSTREAM_PER_SITE] = {.name = "max_upstream_per_site",
                                       .environment = "PORTEIRO_MAX_UPSTREAM_PER_SITE",
                                       .kind = SETTING_NUMBER,
                                       .standard = "8",
                                       .min = 1,
                                       .max = 65000,
                                       .unit = "requests",
                                       .meaning =
                                           "requests to one site of a user under way at once; further ones wait"},
    [SETTING_MAX_UPSTREAM_QUEUED] = {.name = "max_upstream_queued",
                                     .environment = "PORTEIRO_MAX_UPSTREAM_QUEUED",
                                     .kind = SETTING_NUMBER,
                                     .standard = "64",
                                     .min = 1,
                                     .max = 65000,
                                     .unit = "requests",
                                     .meaning = "requests that wait for one site; one more is refused"},
    [SETTING_MAX_UPSTREAM_PER_USER] =
        {.name = "max_upstream_per_user",
         .environment = "PORTEIRO_MAX_UPSTREAM_PER_USER",
         .kind = SETTING_NUMBER,
         .standard = "32",
         .min = 0,
         .max = 65000,
         .unit = "requests",
         .meaning = "requests to all sites of one user under way at once; further ones wait; 0: any number"},
    [SETTING_MAX_ANSWER_MEMORY] = {.name = "max_answer_memory",
                                   .environment = "PORTEIRO_MAX_ANSWER_MEMORY",
                                   .kind = SETTING_NUMBER,
                                   .standard = "64",
                                   .min = 8,
                                   .max = 65536,
                                   .unit = "MiB",
                                   .meaning = "memory that large answers of sites take together, in each worker; "
                                              "further ones wait"},
    [SETTING_BREAKER_FAILURES] =
        {.name = "breaker_failures",
         .environment = "PORTEIRO_BREAKER_FAILURES",
         .kind = SETTING_NUMBER,
         .standard = "5",
         .min = 0,
         .max = 1000,
         .unit = "failures",
         .meaning = "so often in a row a site may not answer, then it is left alone for a while; 0: it never is"},
    [SETTING_BREAKER_PAUSE_S] = {.name = "breaker_pause_s",
                                 .environment = "PORTEIRO_BREAKER_PAUSE_S",
                                 .kind = SETTING_NUMBER,
                                 .standard = "15",
                                 .min = 1,
                                 .max = 3600,
                                 .unit = "seconds",
                                 .meaning =
                                     "how long a site that fails is left alone before one request tries it again"},
    [SETTING_TOKEN_CALLS_PER_MINUTE] =
        {.name = "token_calls_per_minute",
         .environment = "PORTEIRO_TOKEN_CALLS_PER_MINUTE",
         .kind = SETTING_NUMBER,
         .standard = "120",
         .min = 0,
         .max = 10000000,
         .unit = "calls",
         .meaning = "calls that one token may make a minute, half of them at once; 0: any number"},
    [SETTING_TOKEN_WRITES_PER_MINUTE] = {.name = "token_writes_per_minute",
                                         .environment = "PORTEIRO_TOKEN_WRITES_PER_MINUTE",
                                         .kind = SETTING_NUMBER,
                                         .standard = "30",
                                         .min = 0,
                                         .max = 10000000,
                                         .unit = "calls",
                                         .meaning = "calls among them that may change something; 0: any number"},
    [SETTING_TOKEN_CALLS_AT_ONCE] = {.name = "token_calls_at_once",
                                     .environment = "PORTEIRO_TOKEN_CALLS_AT_ONCE",
                                     .kind = SETTING_NUMBER,
                                     .standard = "32",
                                     .min = 0,
                                     .max = 65000,
                                     .unit = "calls",
                                     .meaning =
                                         "calls of one token under way at once; one more is refused; 0: any number"},
    [SETTING_USER_CALLS_PER_MINUTE] =
        {.name = "user_calls_per_minute",
         .environment = "PORTEIRO_USER_CALLS_PER_MINUTE",
         .kind = SETTING_NUMBER,
         .standard = "1200",
         .min = 0,
         .max = 10000000,
         .unit = "calls",
         .meaning = "calls that all tokens of one user together may make a minute; 0: any number"},
    [SETTING_AUDIT_DAYS] = {.name = "audit_days",
                            .environment = "PORTEIRO_AUDIT_DAYS",
                            .kind = SETTING_NUMBER,
                            .standard = "0",
                            .min = 0,
                            .max = 36500,
                            .unit = "days",
                            .meaning = "how long events of the audit log are kept; 0: for ever"},
    [SETTING_AUDIT_CHECKPOINTS] = {.name = "audit_checkpoints",
                                   .environment = "PORTEIRO_AUDIT_CHECKPOINTS",
                                   .kind = SETTING_PATH,
                                   .standard_text = "audit-checkpoints.jsonl in the data directory",
                                   .meaning = "the file that signed checkpoints of the audit log are added to"},
    [SETTING_CHANGES_DAYS] = {.name = "changes_days",
                              .environment = "PORTEIRO_CHANGES_DAYS",
                              .kind = SETTING_NUMBER,
                              .standard = "30",
                              .min = 1,
                              .max = 3650,
                              .unit = "days",
                              .meaning = "how long what was changed at a site is kept, sealed, to be shown and undone"},
    [SETTING_CHANGES_MAX] = {.name = "changes_max",
                             .environment = "PORTEIRO_CHANGES_MAX",
                             .kind = SETTING_NUMBER,
                             .standard = "5000",
                             .min = 1,
                             .max = 1000000,
                             .unit = "changes",
                             .meaning = "changes kept of one connection, with at most 256 MiB"},
    [SETTING_OPEN_DISCOVER] = {.name = "open_discover",
                               .environment = "PORTEIRO_OPEN_DISCOVER",
                               .kind = SETTING_SWITCH,
                               .standard = "off",
                               .meaning =
                                   "server/discover is answered without a token: what this is, nothing of anybody"},
    [SETTING_OAUTH_GRACE] = {.name = "oauth_grace",
                             .environment = "PORTEIRO_OAUTH_GRACE",
                             .kind = SETTING_NUMBER,
                             .standard = "60",
                             .min = 1,
                             .max = 3600,
                             .unit = "seconds",
                             .meaning = "so long a used refresh token gives the same successor again; later it ends "
                                        "the app's login"},
    [SETTING_JOB_LEASE] = {.name = "job_lease",
                           .environment = "PORTEIRO_JOB_LEASE",
                           .kind = SETTING_NUMBER,
                           .standard = "20",
                           .min = 1,
                           .max = 600,
                           .unit = "seconds",
                           .meaning = "after so long (and a quarter more) without a sign of life another process takes "
                                      "over a background job"},
    [SETTING_JOB_WAIT] = {.name = "job_wait",
                          .environment = "PORTEIRO_JOB_WAIT",
                          .kind = SETTING_NUMBER,
                          .standard = "45",
                          .min = 1,
                          .max = 600,
                          .unit = "seconds",
                          .meaning =
                              "so long a client that cannot follow background jobs waits for one to end; then it is "
                              "told how to ask for it"},
    [SETTING_MAX_UPLOAD] = {.name = "max_upload",
                            .environment = "PORTEIRO_MAX_UPLOAD",
                            .kind = SETTING_NUMBER,
                            .standard = "512",
                            .min = 1,
                            .max = 65536,
                            .unit = "MiB",
                            .meaning = "the largest file that is put into a media library"},
    [SETTING_MAX_UPLOADS] = {.name = "max_uploads",
                             .environment = "PORTEIRO_MAX_UPLOADS",
                             .kind = SETTING_NUMBER,
                             .standard = "2048",
                             .min = 1,
                             .max = 1048576,
                             .unit = "MiB",
                             .meaning = "the room in the data directory that files on their way may take together, in "
                                        "each worker"},
};

bool setting_split_address(struct str address, struct str *ret_host, uint16_t *ret_port)
{
    size_t colon = str_find_last_char(address, ':');
    uint64_t port;
    if (colon == STR_NOT_FOUND || !str_to_u64(str_from_offset(address, colon + 1), &port) || port > UINT16_MAX)
        return false;
    struct str host = str_sub(address, 0, colon);
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 2);
    else if (str_find_char(host, ':') != STR_NOT_FOUND)
        return false; /* an IPv6 address without its brackets */
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return host.len > 0;
}

static bool is_ip(struct str text, int family)
{
    char literal[INET6_ADDRSTRLEN];
    struct in6_addr address;
    return str_to_cstr(text, literal, sizeof literal) && inet_pton(family, literal, &address) == 1;
}

static bool check_address(struct arena *arena, struct str text, struct str *ret_problem)
{
    struct str host;
    uint16_t port;
    if (setting_split_address(text, &host, &port) && is_ip(host, text.ptr[0] == '[' ? AF_INET6 : AF_INET))
        return true;
    *ret_problem = str_format(arena, "\"%.*s\" is not ADDRESS:PORT; right is for example 127.0.0.1:8080 or [::1]:8080",
                              STR_ARG(text));
    return false;
}

static bool is_host(struct str host)
{
    if (host.len == 0 || host.len > 253)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!ascii_is_alnum(c) && c != '.' && c != '-')
            return false;
    }
    return true;
}

static bool check_host(struct arena *arena, struct str *text, struct str *ret_problem)
{
    struct str host = str_lower(arena, str_trim(*text));
    if (is_host(host) && str_find_char(host, '.') != STR_NOT_FOUND && host.ptr[0] != '.' && host.ptr[0] != '-') {
        *text = host;
        return true;
    }
    *ret_problem = str_format(arena,
                              "\"%.*s\" is not a name that an authority certifies; right is for example "
                              "mcp.example.com",
                              STR_ARG(*text));
    return false;
}

/* Normal form: lower case, no slash at the end, no default port. RFC 6454 section 4. */
static bool check_origin(struct arena *arena, struct str *text, struct str *ret_problem)
{
    struct str origin = str_lower(arena, str_trim(*text));
    if (str_ends_with(origin, STR("/")))
        origin = str_sub(origin, 0, origin.len - 1);
    bool https = str_starts_with(origin, STR("https://"));
    struct str rest = str_from_offset(origin, https ? 8 : 7), host = rest;
    uint16_t port = https ? 443 : 80;
    bool good = https || str_starts_with(origin, STR("http://"));
    bool six = good && rest.len > 0 && rest.ptr[0] == '[';
    if (good && six && str_ends_with(rest, STR("]")))
        host = str_sub(rest, 1, rest.len - 2);
    else if (good && str_find_char(rest, ':') != STR_NOT_FOUND)
        good = setting_split_address(rest, &host, &port) && port > 0;
    good = good && (six ? is_ip(host, AF_INET6) : is_host(host));
    if (!good) {
        *ret_problem = str_format(arena, "\"%.*s\" is not a web origin; right is for example https://mcp.example.com",
                                  STR_ARG(*text));
        return false;
    }
    *text = str_format(arena, "%s://%s%.*s%s", https ? "https" : "http", six ? "[" : "", STR_ARG(host), six ? "]" : "");
    if (port != (https ? 443 : 80))
        *text = str_format(arena, "%.*s:%u", STR_ARG(*text), port);
    return true;
}

static bool check_origins(struct arena *arena, struct str *text, struct str *ret_problem)
{
    struct str rest = *text, origin, all = STR_EMPTY;
    while (str_next(&rest, ',', &origin)) {
        if (!check_origin(arena, &origin, ret_problem))
            return false;
        all = all.len ? str_format(arena, "%.*s,%.*s", STR_ARG(all), STR_ARG(origin)) : origin;
    }
    *text = all;
    return true;
}

static bool is_network(struct str network)
{
    size_t slash = str_find_char(network, '/');
    struct str address = str_sub(network, 0, slash);
    bool four = is_ip(address, AF_INET);
    uint64_t bits;
    if (!four && !is_ip(address, AF_INET6))
        return false;
    return slash == STR_NOT_FOUND ||
           (str_to_u64(str_from_offset(network, slash + 1), &bits) && bits <= (four ? 32 : 128));
}

static bool is_port(struct str text)
{
    uint64_t port;
    return text.len > 1 && text.ptr[0] == ':' && str_to_u64(str_from_offset(text, 1), &port) && port > 0 &&
           port <= UINT16_MAX;
}

static bool check_networks(struct arena *arena, bool ports, struct str *text, struct str *ret_problem)
{
    struct str rest = *text, network, all = STR_EMPTY;
    while (str_next(&rest, ',', &network)) {
        network = str_trim(network);
        if (!is_network(network) && !(ports && is_port(network))) {
            *ret_problem = str_format(arena, "\"%.*s\" is not a network; right is for example 10.0.0.0/8,fd00::/8%s",
                                      STR_ARG(network), ports ? ",:8443" : "");
            return false;
        }
        all = all.len ? str_format(arena, "%.*s,%.*s", STR_ARG(all), STR_ARG(network)) : network;
    }
    *text = all;
    return true;
}

static bool check_database(struct str text, struct str *ret_problem)
{
    static const struct str schemes[] = {STR_INIT("postgres://"), STR_INIT("postgresql://"), STR_INIT("sqlite:")};
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (str_starts_with(text, schemes[i]) && text.len > schemes[i].len)
            return true;
    }
    *ret_problem = STR("is not a database URL; right is postgres://USER:PASSWORD@HOST/NAME or sqlite:PATH");
    return false;
}

static bool check_choice(struct arena *arena, const struct setting_row *row, struct str text, struct str *ret_problem)
{
    struct str rest = str_from(row->choices), choice;
    while (str_next(&rest, ' ', &choice)) {
        if (str_eq(choice, text))
            return true;
    }
    *ret_problem = str_format(arena, "\"%.*s\" is not one of: %s", STR_ARG(text), row->choices);
    return false;
}

static bool check_switch(struct arena *arena, struct str text, int64_t *ret_number, struct str *ret_problem)
{
    static const struct str words[2][4] = {
        {STR_INIT("off"), STR_INIT("no"), STR_INIT("false"), STR_INIT("0")},
        {STR_INIT("on"), STR_INIT("yes"), STR_INIT("true"), STR_INIT("1")},
    };
    for (int value = 0; value < 2; value++) {
        for (size_t i = 0; i < ARRAY_LENGTH(words[value]); i++) {
            if (str_eq_nocase(words[value][i], text)) {
                *ret_number = value;
                return true;
            }
        }
    }
    *ret_problem = str_format(arena, "\"%.*s\" is neither on nor off", STR_ARG(text));
    return false;
}

static bool check_number(struct arena *arena, const struct setting_row *row, struct str text, int64_t *ret_number,
                         struct str *ret_problem)
{
    if (str_to_i64(text, ret_number) && *ret_number >= row->min && *ret_number <= row->max)
        return true;
    *ret_problem = str_format(arena, "\"%.*s\" is not a number from %lld to %lld (%s)", STR_ARG(text),
                              (long long)row->min, (long long)row->max, row->unit);
    return false;
}

static bool check_path(struct arena *arena, struct str *text)
{
    if (str_starts_with(*text, STR("/")))
        return true;
    char here[4096];
    if (getcwd(here, sizeof here))
        *text = str_format(arena, "%s/%.*s", here, STR_ARG(*text));
    return true;
}

bool setting_check(struct arena *arena, enum setting setting, struct str *text, int64_t *ret_number,
                   struct str *ret_problem)
{
    const struct setting_row *row = &setting_table[setting];
    *ret_number = 0;
    if (text->len == 0) {
        *ret_problem = STR("has no value");
        return false;
    }
    if (memchr(text->ptr, 0, text->len) || !str_is_utf8(*text)) {
        *ret_problem = STR("holds bytes that are not text");
        return false;
    }
    switch (row->kind) {
    case SETTING_PATH:
        return check_path(arena, text);
    case SETTING_DATABASE:
        return check_database(*text, ret_problem);
    case SETTING_ADDRESS:
        return check_address(arena, *text, ret_problem);
    case SETTING_HOST:
        return check_host(arena, text, ret_problem);
    case SETTING_ORIGIN:
        return check_origin(arena, text, ret_problem);
    case SETTING_ORIGINS:
        return check_origins(arena, text, ret_problem);
    case SETTING_NETWORKS:
        return check_networks(arena, false, text, ret_problem);
    case SETTING_EGRESS:
        return check_networks(arena, true, text, ret_problem);
    case SETTING_NUMBER:
        return check_number(arena, row, *text, ret_number, ret_problem);
    case SETTING_CHOICE:
        return check_choice(arena, row, *text, ret_problem);
    case SETTING_SWITCH:
        return check_switch(arena, *text, ret_number, ret_problem);
    case SETTING_PLAIN:
        return true;
    }
    return false;
}
