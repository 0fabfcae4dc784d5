/*
 * The helper process of `serve --domain`: gets the certificate by ACME (RFC 8555) and renews it, with Debian's uacme, whose own
 * script puts the answer to the authority's question where the plain listener finds it (web/plain_http.h).
 *
 * It is a process of its own because workers may not execute anything; it opens no database and listens to nobody.
 */
#ifndef CLI_ACME_H
#define CLI_ACME_H

#include "cli/cli.h"

/* Runs until SIGTERM. */
MUST_CHECK int acme_help(struct cli *cli);

#endif
