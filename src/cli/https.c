/* Which certificate a worker serves with. */
#include "cli/https.h"

#include "base/config.h"
#include "base/log.h"
#include "net/worker.h"

#include <unistd.h>

struct str https_acme_directory(struct cli *cli)
{
    return str_format(cli->arena, "%.*s/acme", STR_ARG(config_text(cli->config, SETTING_DATA_DIR)));
}

struct str https_challenge_directory(struct cli *cli)
{
    return str_format(cli->arena, "%.*s/challenge", STR_ARG(https_acme_directory(cli)));
}

/* The two places are uacme's. */
struct str https_acme_certificate(struct cli *cli)
{
    return str_format(cli->arena, "%.*s/%.*s/cert.pem", STR_ARG(https_acme_directory(cli)),
                      STR_ARG(config_text(cli->config, SETTING_DOMAIN)));
}

struct str https_acme_key(struct cli *cli)
{
    return str_format(cli->arena, "%.*s/private/%.*s/key.pem", STR_ARG(https_acme_directory(cli)),
                      STR_ARG(config_text(cli->config, SETTING_DOMAIN)));
}

static int use(struct cli *cli, struct str certificate, struct str key, struct tls_context **ret)
{
    struct str problem = STR_EMPTY;
    *ret =
        tls_context_new(str_copy_cstr(cli->arena, certificate), str_copy_cstr(cli->arena, key), cli->arena, &problem);
    return *ret ? OK : fail(&cli->call, E_INVALID, "%.*s", STR_ARG(problem));
}

int https_open(struct cli *cli, struct tls_context **ret)
{
    const struct config *config = cli->config;
    *ret = NULL;
    if (config_is_set(config, SETTING_TLS_CERT))
        return use(cli, config_text(config, SETTING_TLS_CERT), config_text(config, SETTING_TLS_KEY), ret);
    if (!config_is_set(config, SETTING_DOMAIN))
        return OK;
    struct str certificate = https_acme_certificate(cli);
    if (access(str_copy_cstr(cli->arena, certificate), R_OK) == 0)
        return use(cli, certificate, https_acme_key(cli), ret);
    const char *domain = str_copy_cstr(cli->arena, config_text(config, SETTING_DOMAIN));
    if (worker_self() && worker_self()->number == 1)
        log_warning("there is no certificate for %s yet; clients are refused until it is there", domain);
    *ret = tls_context_provisional(domain);
    return *ret ? OK : fail(&cli->call, E_UNAVAILABLE, "TLS cannot be used: no memory");
}
