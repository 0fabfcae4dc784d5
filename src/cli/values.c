/* Values of settings that cannot be used. */
#include "cli/values.h"

#include "accounts/alert.h"
#include "net/egress.h"
#include "net/otlp.h"
#include "net/url.h"

static const struct str good = {NULL, 0};

static bool is_mail_address(struct str text)
{
    size_t at = str_find_char(text, '@');
    return at != STR_NOT_FOUND && at > 0 && at + 1 < text.len;
}

static struct str mail_problem(const struct config *config, enum setting setting)
{
    struct str text = config_text(config, setting);
    bool has_server = config_is_set(config, SETTING_SMTP_URL);
    if (setting == SETTING_SMTP_URL && has_server && !str_starts_with(text, STR("smtp://")) &&
        !str_starts_with(text, STR("smtps://")))
        return STR("begins with smtp:// or smtps://");
    if (setting == SETTING_MAIL_FROM && has_server && (!text.ptr || !is_mail_address(text)))
        return STR("must be an e-mail address when PORTEIRO_SMTP_URL is set");
    if (setting == SETTING_ALERT_MAIL && text.ptr && (!has_server || !is_mail_address(text)))
        return STR("must be an e-mail address, and needs PORTEIRO_SMTP_URL");
    return good;
}

static struct str neon_problem(struct arena *arena, const struct config *config, enum setting setting)
{
    struct str text = config_text(config, setting);
    struct url url;
    if (!text.ptr)
        return good;
    if (setting != SETTING_NEON_AUTH_URL)
        return config_is_set(config, SETTING_NEON_AUTH_URL)
                   ? good
                   : STR("is set, but not PORTEIRO_NEON_AUTH_URL; without it nobody can sign in with Neon Auth");
    while (str_ends_with(text, STR("/")))
        text.len--;
    return url_parse(arena, text, &url) || url.query.len
               ? STR("is no address; right is for example https://ep-NAME.neonauth.REGION.aws.neon.build/neondb/auth")
               : good;
}

/* otlp_check() names the setting itself. */
static struct str traces_problem(struct arena *arena, const struct config *config, enum setting setting)
{
    const struct otlp_settings settings = {
        .endpoint = config_text(config, SETTING_OTLP_ENDPOINT),
        .headers = config_text(config, SETTING_OTLP_HEADERS),
        .service = config_text(config, SETTING_SERVICE_NAME),
        .instance = STR_EMPTY,
    };
    struct str name = str_from(setting_table[setting].environment);
    const char *problem = NULL;
    if (!settings.endpoint.ptr || !otlp_check(&settings, &problem) || !str_starts_with(str_from(problem), name))
        return good;
    return str_trim(str_copy(arena, str_from_offset(str_from(problem), name.len)));
}

static bool is_everybody(struct str host)
{
    return str_eq(host, STR("::")) || str_eq(host, STR("0.0.0.0"));
}

/* Two sockets cannot listen on one port of one address, and a wildcard is every address. Port 0 is another one each time. */
static bool collide(struct str one, struct str other)
{
    struct str hosts[2];
    uint16_t ports[2];
    if (!setting_split_address(one, &hosts[0], &ports[0]) || !setting_split_address(other, &hosts[1], &ports[1]) ||
        ports[0] != ports[1] || ports[0] == 0)
        return false;
    bool six[2] = {str_find_char(hosts[0], ':') != STR_NOT_FOUND, str_find_char(hosts[1], ':') != STR_NOT_FOUND};
    for (size_t i = 0; i < 2; i++)
        if (is_everybody(hosts[i]) && (six[i] || !six[1 - i]))
            return true;
    return str_eq(hosts[0], hosts[1]);
}

static struct str listener_problem(struct arena *arena, const struct config *config, enum setting setting)
{
    static const enum setting listeners[] = {SETTING_LISTEN, SETTING_LISTEN_HTTP, SETTING_LISTEN_METRICS};
    struct str text = config_text(config, setting);
    for (size_t i = 0; i < ARRAY_LENGTH(listeners) && listeners[i] != setting; i++) { /* those before it */
        struct str other = config_text(config, listeners[i]);
        if (text.ptr && other.ptr && collide(text, other))
            return str_format(arena, "is %.*s, where %s (%.*s) listens already; name another port", STR_ARG(text),
                              setting_table[listeners[i]].environment, STR_ARG(other));
    }
    return good;
}

static struct str networks_problem(struct arena *arena, const struct config *config, enum setting setting)
{
    struct egress_policy policy = {0};
    struct str text = config_text(config, setting), bad = STR_EMPTY;
    if (!text.len || !egress_policy_parse(&policy, text, &bad))
        return good;
    return str_format(arena, "cannot be used from \"%.*s\" on", STR_ARG(bad));
}

struct str values_problem(struct arena *arena, const struct config *config, enum setting setting)
{
    switch ((int)setting) {
    case SETTING_SMTP_URL:
    case SETTING_MAIL_FROM:
    case SETTING_ALERT_MAIL:
        return mail_problem(config, setting);
    case SETTING_ALERT_URL:
        return config_is_set(config, setting) && !alert_url_is_good(config_text(config, setting))
                   ? STR("begins with https:// (or is plain http on this machine)")
                   : good;
    case SETTING_NEON_AUTH_URL:
    case SETTING_NEON_AUTH_ISSUER:
    case SETTING_NEON_AUTH_AUDIENCE:
        return neon_problem(arena, config, setting);
    case SETTING_OTLP_ENDPOINT:
    case SETTING_OTLP_HEADERS:
    case SETTING_SERVICE_NAME:
        return traces_problem(arena, config, setting);
    case SETTING_LISTEN_HTTP:
    case SETTING_LISTEN_METRICS:
        return listener_problem(arena, config, setting);
    case SETTING_TRUSTED_PROXIES:
    case SETTING_EGRESS_ALLOW:
        return networks_problem(arena, config, setting);
    default:
        return good;
    }
}

struct str values_problems(struct arena *arena, const struct config *config)
{
    struct str all = STR_EMPTY;
    for (size_t i = 0; i < SETTINGS; i++) {
        struct str problem = values_problem(arena, config, (enum setting)i);
        if (problem.ptr)
            all = str_format(arena, "%.*s%s%s %.*s", STR_ARG(all), all.len ? "; " : "", setting_table[i].environment,
                             STR_ARG(problem));
    }
    return all;
}

int values_use(struct cli *cli, enum setting setting)
{
    struct str problem = values_problem(cli->arena, cli->config, setting);
    if (!problem.ptr)
        return OK;
    return cli_usage(cli, "%s %.*s", setting_table[setting].environment, STR_ARG(problem));
}
