/* Which certificate a worker serves with: the one of the settings, the one that ACME brought, or a provisional one until then. */
#ifndef CLI_HTTPS_H
#define CLI_HTTPS_H

#include "cli/cli.h"
#include "net/tls.h"

/* *ret NULL: plain http. */
MUST_CHECK int https_open(struct cli *cli, struct tls_context **ret);

/* Where ACME keeps things, in the data directory. */
struct str https_acme_directory(struct cli *cli);
struct str https_acme_certificate(struct cli *cli);
struct str https_acme_key(struct cli *cli);
struct str https_challenge_directory(struct cli *cli);

#endif
