/* porteiro doctor: the way out, and one connection. */
#include "cli/doctor.h"

#include "accounts/connect.h"
#include "cli/open.h"
#include "net/http_client.h"
#include "net/url.h"
#include "store/providers.h"

#include <netdb.h>
#include <unistd.h>

#define OUTSIDE "wordpress.org"

static int resolve(const char *host, char numeric[NI_MAXHOST])
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int problem = getaddrinfo(host, NULL, &hints, &found);
    if (!problem)
        problem = getnameinfo(found->ai_addr, found->ai_addrlen, numeric, NI_MAXHOST, NULL, 0, NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    return problem;
}

static void check_authorities(struct doctor *doctor)
{
    static const char system_file[] = "/etc/ssl/certs/ca-certificates.crt";
    const struct config *config = doctor->cli->config;
    if (access(system_file, R_OK))
        return doctor_say(doctor, DOCTOR_FAIL, "apt install ca-certificates",
                          "%s is not there: no https site can be reached", system_file);
    if (config_is_set(config, SETTING_CA_FILE) &&
        access(str_copy_cstr(doctor->cli->arena, config_text(config, SETTING_CA_FILE)), R_OK))
        return doctor_say(doctor, DOCTOR_FAIL, "Let this user read it, or remove PORTEIRO_CA_FILE.",
                          "%.*s cannot be read", STR_ARG(config_text(config, SETTING_CA_FILE)));
    doctor_say(doctor, DOCTOR_OK, NULL, "%s", system_file);
}

static void check_names(struct doctor *doctor)
{
    char numeric[NI_MAXHOST];
    int64_t begun_ms = clock_monotonic_ms();
    int problem = resolve(OUTSIDE, numeric);
    if (problem)
        return doctor_say(doctor, DOCTOR_WARN,
                          "See /etc/resolv.conf, and whether this machine reaches its name servers.",
                          OUTSIDE " cannot be found: %s", gai_strerror(problem));
    doctor_say(doctor, DOCTOR_OK, NULL, OUTSIDE " is found in %lld ms", (long long)(clock_monotonic_ms() - begun_ms));
}

static bool has_client(struct doctor *doctor)
{
    if (!doctor->has_client && doctor->has_accounts) {
        doctor->has_client = open_client(doctor->cli) == OK;
        if (!doctor->has_client)
            doctor_say_failure(doctor, DOCTOR_FAIL, "Correct the setting.");
    }
    return doctor->has_client;
}

static void check_way_out(struct doctor *doctor)
{
    struct http_fetched answer;
    const struct http_fetch request = {.method = STR("HEAD"),
                                       .url = STR("https://" OUTSIDE "/"),
                                       .body = STR_EMPTY,
                                       .pool_key = STR("doctor"),
                                       .timeout_ms = 8000};
    if (!doctor->has_accounts)
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "only with a database");
    if (!has_client(doctor))
        return;
    if (http_fetch(&doctor->cli->call, &request, &answer))
        return doctor_say_failure(doctor, DOCTOR_WARN, "Let this machine out to port 443; sites are reached by it.");
    doctor_say(doctor, DOCTOR_OK, NULL, "https://" OUTSIDE " answers in %lld ms", (long long)answer.elapsed_ms);
}

static void check_public_name(struct doctor *doctor)
{
    char numeric[NI_MAXHOST];
    struct cli *cli = doctor->cli;
    struct url url;
    if (cli->config->values[SETTING_PUBLIC_URL].source == SOURCE_DEFAULT ||
        url_parse(cli->arena, config_text(cli->config, SETTING_PUBLIC_URL), &url))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "PORTEIRO_PUBLIC_URL is not set");
    int problem = resolve(str_copy_cstr(cli->arena, url.host), numeric);
    if (problem)
        return doctor_say(doctor, DOCTOR_FAIL, "Make an A or AAAA record for it.", "%.*s cannot be found: %s",
                          STR_ARG(url.host), gai_strerror(problem));
    doctor_say(doctor, DOCTOR_OK, NULL, "%.*s is %s", STR_ARG(url.host), numeric);
}

static void check_mail(struct doctor *doctor)
{
    char numeric[NI_MAXHOST];
    struct cli *cli = doctor->cli;
    struct str text = config_text(cli->config, SETTING_SMTP_URL);
    if (!config_is_set(cli->config, SETTING_SMTP_URL))
        return doctor_say(doctor, DOCTOR_WARN, "Set PORTEIRO_SMTP_URL and PORTEIRO_MAIL_FROM, then porteiro mail test.",
                          "none is sent: links for forgotten passwords come by porteiro user reset-link only");
    size_t start = str_find(text, STR("://"));
    struct str host = str_from_offset(text, start == STR_NOT_FOUND ? 0 : start + 3);
    host = str_sub(host, 0, str_find_char(host, '/'));
    size_t at = str_find_last_char(host, '@');
    host = str_from_offset(host, at == STR_NOT_FOUND ? 0 : at + 1);
    if (host.len && host.ptr[0] != '[')
        host = str_sub(host, 0, str_find_char(host, ':'));
    int problem = resolve(str_copy_cstr(cli->arena, host), numeric);
    if (problem)
        return doctor_say(doctor, DOCTOR_FAIL, "Correct the name in PORTEIRO_SMTP_URL.", "%.*s cannot be found: %s",
                          STR_ARG(host), gai_strerror(problem));
    doctor_say(doctor, DOCTOR_OK, NULL, "by %.*s; porteiro mail test ADDRESS tries it", STR_ARG(host));
}

const struct doctor_check doctor_network_checks[] = {
    {"authorities", check_authorities}, {"names", check_names}, {"way_out", check_way_out},
    {"public_name", check_public_name}, {"mail", check_mail},
};
const size_t n_doctor_network_checks = ARRAY_LENGTH(doctor_network_checks);

/* ---- one connection */

static void look_at_state(struct doctor *doctor, const struct connection_row *row)
{
    doctor->check = "status";
    if (str_eq(row->status, STR(CONNECTION_ACTIVE)))
        doctor_say(doctor, DOCTOR_OK, NULL, "active");
    else if (str_eq(row->status, STR("error")))
        doctor_say(doctor, DOCTOR_FAIL, "porteiro connection set-secret ID --username NAME stores a new password.",
                   "the site refuses the stored password, so nothing is sent to it");
    else
        doctor_say(doctor, DOCTOR_FAIL, "porteiro connection resume ID ends a pause; a revoked one stays so.",
                   "%.*s: its tokens are refused", STR_ARG(row->status));
}

static void look_at_provider(struct doctor *doctor, const struct connection_row *row)
{
    struct provider_row provider;
    doctor->check = "provider";
    if (store_providers_by_key(&doctor->cli->call, row->provider_key, &provider))
        return doctor_say_failure(doctor, DOCTOR_FAIL, NULL);
    doctor_say(doctor, provider.enabled ? DOCTOR_OK : DOCTOR_FAIL,
               provider.enabled ? NULL : "porteiro provider enable KEY", "%.*s%s", STR_ARG(provider.name),
               provider.enabled ? "" : " is switched off");
}

static void look_at_tokens(struct doctor *doctor, const struct connection_row *row)
{
    int64_t count;
    doctor->check = "tokens";
    if (store_tokens_count_live(&doctor->cli->call, row->id, &count))
        return doctor_say_failure(doctor, DOCTOR_FAIL, NULL);
    doctor_say(doctor, count ? DOCTOR_OK : DOCTOR_WARN, count ? NULL : "porteiro token add --connection ID makes one.",
               "%lld are not revoked", (long long)count);
}

static void look_at_address(struct doctor *doctor, const struct connection_row *row)
{
    char numeric[NI_MAXHOST];
    struct cli *cli = doctor->cli;
    struct str address = connect_address(cli->arena, provider_find(row->provider_key), row->config_json);
    struct url url;
    doctor->check = "address";
    if (!address.ptr || url_parse(cli->arena, address, &url))
        return doctor_say(doctor, DOCTOR_FAIL, "Delete the connection and add it again.",
                          "there is none that can be read");
    doctor_say(doctor, url.is_https ? DOCTOR_OK : DOCTOR_WARN,
               url.is_https ? NULL : "Give the site a certificate; its password goes over the network readable.",
               "%.*s", STR_ARG(address));
    doctor->check = "name";
    int problem = resolve(str_copy_cstr(cli->arena, url.host), numeric);
    if (problem)
        return doctor_say(doctor, DOCTOR_FAIL, "See whether the site's domain is still its own.",
                          "%.*s cannot be found: %s", STR_ARG(url.host), gai_strerror(problem));
    doctor_say(doctor, DOCTOR_OK, NULL, "%.*s is %s", STR_ARG(url.host), numeric);
}

static void look_at_site(struct doctor *doctor, int64_t id)
{
    struct site_check check;
    doctor->check = "site";
    if (connect_test(&doctor->cli->call, USER_ANY, id, &check))
        return doctor_say_failure(doctor, DOCTOR_FAIL, NULL);
    if (!check.ok)
        return doctor_say(doctor, DOCTOR_FAIL, NULL, "%.*s (%.*s)", STR_ARG(check.error_text),
                          STR_ARG(check.error_code));
    doctor_say(doctor, check.latency_ms > 3000 ? DOCTOR_WARN : DOCTOR_OK,
               check.latency_ms > 3000 ? "The site is slow; its host may know why." : NULL, "%.*s, %.*s, in %lld ms",
               STR_ARG(check.site_name), STR_ARG(check.site_version), (long long)check.latency_ms);
    doctor->check = "site_user";
    bool is_admin = str_contains(check.site_role, STR("administrator"));
    doctor_say(doctor, is_admin ? DOCTOR_WARN : DOCTOR_OK,
               is_admin ? "An editor is enough for posts and pages; whoever gets this password has the whole site."
                        : NULL,
               "%.*s (%.*s)", STR_ARG(check.site_user), STR_ARG(check.site_role));
    if (check.warning.len) {
        doctor->check = "site_warning";
        doctor_say(doctor, DOCTOR_WARN, NULL, "%.*s", STR_ARG(check.warning));
    }
}

int doctor_connection(struct doctor *doctor, int64_t id)
{
    struct cli *cli = doctor->cli;
    struct connection_row row;
    if (cli->config->n_problems)
        return cli_usage(cli, "%.*s", STR_ARG(cli_config_problems(cli->arena, cli->config)));
    int error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (!error)
        error = connections_show(&cli->call, USER_ANY, id, &row);
    if (error)
        return error;
    look_at_state(doctor, &row);
    look_at_provider(doctor, &row);
    look_at_tokens(doctor, &row);
    look_at_address(doctor, &row);
    look_at_site(doctor, id);
    return OK;
}
