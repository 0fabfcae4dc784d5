/* porteiro version */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "cli/cli.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <libpq-fe.h>
#include <sqlite3.h>

static int run_version(struct cli *cli)
{
    struct answer *answer = answer_new(cli->arena), *parts = answer_new(cli->arena);
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    int libpq = PQlibVersion();
    answer_text(answer, "version", STR(PORTEIRO_VERSION));
    answer_text(parts, "libcurl", str_from(curl->version));
    answer_text(parts, "libevent", str_from(event_get_version()));
    answer_text(parts, "libpq", str_format(cli->arena, "%d.%d", libpq / 10000, libpq % 10000));
    answer_text(parts, "libsodium", str_from(sodium_version_string()));
    answer_text(parts, "openssl", str_from(curl->ssl_version));
    answer_text(parts, "sqlite", str_from(sqlite3_libversion()));
    answer_nested(answer, "libraries", parts);
    return cli_answer(cli, answer, NULL);
}

static const struct command commands[] = {{
    .summary = "Tells the version of the program and of the libraries it runs with.",
    .bad_settings = true,
    .example = "porteiro version\nporteiro version --json",
    .run = run_version,
}};
const struct noun version_noun = {"version", "the version of the program and its libraries", commands,
                                  ARRAY_LENGTH(commands)};
