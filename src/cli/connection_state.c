/* porteiro connection state */
#include "accounts/connect_state.h"
#include "cli/connection_state.h"
#include "accounts/connections.h"
#include "cli/open.h"

int connection_state(struct cli *cli)
{
    struct connection_state state = {0};
    struct webhook_place place = {0};
    struct str url = config_text(cli->config, SETTING_PUBLIC_URL);
    int64_t id;
    int error = cli_argument_id(cli, &id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (!url.len)
        url = call_format(&cli->call, "http://%.*s", STR_ARG(config_text(cli->config, SETTING_LISTEN)));
    if (!error && cli_has(cli, "register-webhook"))
        error = connect_register_webhook(&cli->call, USER_ANY, id, url);
    if (!error)
        error = connect_state(&cli->call, USER_ANY, id, url, cli_has(cli, "pair"), &state, &place);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", id);
    answer_text(answer, "state", state.state);
    answer_text(answer, "text", state.text);
    answer_text(answer, "pairing_code", state.pairing_code.len ? state.pairing_code : (struct str){NULL, 0});
    answer_text(answer, "qr_png", state.qr_png.len ? state.qr_png : (struct str){NULL, 0});
    answer_json(answer, "details", state.details_json.len ? state.details_json : STR("{}"));
    struct answer *webhook = place.url.len ? answer_new(cli->arena) : NULL;
    if (webhook) {
        answer_text(webhook, "url", place.url);
        answer_text(webhook, "secret", place.secret);
    }
    answer_nested(answer, "webhook", webhook);
    return cli_answer(cli, answer, NULL);
}
