/* GET /connect/return */
#include "web/connect_return.h"

#include "accounts/authorize.h"
#include "web/api.h"

static void send_on(struct call *call, struct http_exchange *exchange, const char *key, struct str value)
{
    http_answer_header(exchange, STR("Location"), call_format(call, "/connect/finish?%s=%.*s", key, STR_ARG(value)));
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer_header(exchange, STR("Referrer-Policy"), STR("no-referrer"));
    http_answer(exchange, 303, STR_EMPTY, STR_EMPTY);
}

void connect_return(struct call *call, struct http_exchange *exchange, struct str segment)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct person person;
    struct str token;
    (void)segment;
    int error = api_browser(call, request, &person);
    if (!error)
        error = authorize_return(call, person.user_id, request->query, &token);
    if (error)
        send_on(call, exchange, "error", str_from(error_name(error)));
    else
        send_on(call, exchange, "token", token);
}
