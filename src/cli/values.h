/*
 * Values of settings that are well formed and yet cannot be used: what they mean, and what they mean together. base/config.h judges
 * the form only, since it knows neither addresses nor mail. One place, so that `config check`, the start of the server and SIGHUP
 * say the same; nothing is opened or asked.
 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include "cli/cli.h"

/* What is wrong with this one, as the rest of a sentence that begins with its name; ptr NULL: nothing. */
struct str values_problem(struct arena *arena, const struct config *config, enum setting setting);

/* All that is wrong, as one text: "PORTEIRO_SMTP_URL begins with ...; ...". Empty: nothing. */
struct str values_problems(struct arena *arena, const struct config *config);

/* Fails as a wrong setting when there is something wrong with this one. */
MUST_CHECK int values_use(struct cli *cli, enum setting setting);

#endif
