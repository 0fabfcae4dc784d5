/* porteiro doctor: the way out, and one connection. */
#include "cli/doctor.h"

#include "accounts/connect.h"
#include "accounts/connect_doctor.h"
#include "cli/open.h"
#include "net/http_client.h"
#include "net/otlp.h"
#include "net/url.h"

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

static void check_alerts(struct doctor *doctor)
{
    const struct config *config = doctor->cli->config;
    bool by_post = config_is_set(config, SETTING_ALERT_URL), by_mail = config_is_set(config, SETTING_ALERT_MAIL);
    if (!by_post && !by_mail)
        return doctor_say(doctor, DOCTOR_WARN, "Set PORTEIRO_ALERT_MAIL or PORTEIRO_ALERT_URL.",
                          "alerts (a site refuses its password, the audit log was changed) are only logged");
    if (by_mail && !config_is_set(config, SETTING_SMTP_URL))
        return doctor_say(doctor, DOCTOR_FAIL, "Set PORTEIRO_SMTP_URL and PORTEIRO_MAIL_FROM.",
                          "PORTEIRO_ALERT_MAIL is set, but no mail can be sent");
    doctor_say(doctor, DOCTOR_OK, NULL, "told %s", by_post ? by_mail ? "by POST and by mail" : "by POST" : "by mail");
}

static void check_traces(struct doctor *doctor)
{
    struct cli *cli = doctor->cli;
    const char *problem = "";
    int64_t elapsed_ms;
    if (!config_is_set(cli->config, SETTING_OTLP_ENDPOINT))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "OTEL_EXPORTER_OTLP_ENDPOINT is not set");
    if (!doctor->has_accounts || !has_client(doctor))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "only with a database");
    if (open_traces(cli, STR("doctor"), &problem))
        return doctor_say(doctor, DOCTOR_FAIL, "Correct the setting.", "%s", problem);
    if (otlp_try(&cli->call, &elapsed_ms))
        return doctor_say_failure(
            doctor, DOCTOR_FAIL, "Start the collector, with its receiver for OTLP over HTTP; the port is mostly 4318.");
    doctor_say(doctor, DOCTOR_OK, NULL, "the collector takes them in %lld ms", (long long)elapsed_ms);
}

const struct doctor_check doctor_network_checks[] = {
    {"authorities", check_authorities}, {"names", check_names}, {"way_out", check_way_out},
    {"public_name", check_public_name}, {"mail", check_mail},   {"alerts", check_alerts},
    {"traces", check_traces},
};
const size_t n_doctor_network_checks = ARRAY_LENGTH(doctor_network_checks);

/* ---- one connection */

/* What to type for it here; others read the finding's own. */
static const char *command_for(const struct finding *finding)
{
    static const struct {
        const char *check, *code, *command;
    } commands[] = {
        {"status", "error", "porteiro connection set-secret ID --username NAME stores a new password."},
        {"status", "paused", "porteiro connection resume ID ends a pause."},
        {"provider", "off", "porteiro provider enable KEY"},
        {"tokens", "none", "porteiro token add --connection ID makes one."},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(finding->check, commands[i].check) == 0 && str_eq(finding->code, str_from(commands[i].code)))
            return commands[i].command;
    return NULL;
}

static void say_finding(struct doctor *doctor, const struct finding *finding)
{
    static const enum doctor_verdict verdicts[] = {[FINDING_OK] = DOCTOR_OK,
                                                   [FINDING_SKIP] = DOCTOR_SKIP,
                                                   [FINDING_WARN] = DOCTOR_WARN,
                                                   [FINDING_FAIL] = DOCTOR_FAIL};
    const char *fix = command_for(finding);
    if (!fix && finding->fix.len)
        fix = str_copy_cstr(doctor->cli->arena, finding->fix);
    doctor->check = finding->check;
    if (finding->result == FINDING_FAIL && finding->ms >= 0)
        doctor_say(doctor, verdicts[finding->result], fix, "%.*s (%.*s)", STR_ARG(finding->text),
                   STR_ARG(finding->code));
    else
        doctor_say(doctor, verdicts[finding->result], fix, "%.*s", STR_ARG(finding->text));
}

/* How the machine's own resolver sees it; the look at the service asks in its own way. */
static void look_at_name(struct doctor *doctor, const struct connection_row *row)
{
    char numeric[NI_MAXHOST];
    struct cli *cli = doctor->cli;
    struct str address = connect_address(cli->arena, provider_find(row->provider_key), row->config_json);
    struct url url;
    if (!address.ptr || url_parse(cli->arena, address, &url))
        return;
    doctor->check = "name";
    int problem = resolve(str_copy_cstr(cli->arena, url.host), numeric);
    if (problem)
        return doctor_say(doctor, DOCTOR_FAIL, "See whether the site's domain is still its own.",
                          "%.*s cannot be found: %s", STR_ARG(url.host), gai_strerror(problem));
    doctor_say(doctor, DOCTOR_OK, NULL, "%.*s is %s", STR_ARG(url.host), numeric);
}

int doctor_connection(struct doctor *doctor, int64_t id)
{
    struct cli *cli = doctor->cli;
    struct findings *findings = arena_new_of(cli->arena, struct findings);
    struct connection_row row;
    if (cli->config->n_problems)
        return cli_usage(cli, "%.*s", STR_ARG(cli_config_problems(cli->arena, cli->config)));
    int error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (!error)
        error = connections_show(&cli->call, USER_ANY, id, &row);
    if (!error)
        error = connect_doctor(&cli->call, USER_ANY, id, findings);
    for (size_t i = 0; !error && i < findings->count; i++)
        say_finding(doctor, &findings->items[i]);
    if (!error)
        look_at_name(doctor, &row);
    return error;
}
