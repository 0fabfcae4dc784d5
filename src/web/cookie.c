/* The cookies of this server. */
#include "web/cookie.h"

#include "accounts/sessions.h"
#include "net/own_address.h"

enum { YEAR_S = 365 * 24 * 3600, FORM_LIFE_S = 24 * 3600 };

static const struct {
    struct str name, secure_name;
    long long age_s;
} cookies[COOKIES] = {
    [COOKIE_SESSION] = {STR_INIT("porteiro"), STR_INIT("__Host-porteiro"), SESSIONS_LIFE_MS / 1000},
    [COOKIE_FORM] = {STR_INIT("porteiro-form"), STR_INIT("__Host-porteiro-form"), FORM_LIFE_S},
    [COOKIE_LANGUAGE] = {STR_INIT("porteiro-lang"), STR_INIT("__Host-porteiro-lang"), YEAR_S},
    [COOKIE_DEVICE] = {STR_INIT("porteiro-device"), STR_INIT("__Host-porteiro-device"), YEAR_S},
};

static struct str name_of(enum cookie cookie)
{
    return own_address_is_https() ? cookies[cookie].secure_name : cookies[cookie].name;
}

struct str cookie_value(const struct http_request *request, enum cookie cookie)
{
    struct str rest = http_header_value(request, STR("cookie")), pair;
    while (rest.ptr && str_next(&rest, ';', &pair)) {
        size_t equals = str_find_char(pair, '=');
        if (equals != STR_NOT_FOUND && str_eq(str_trim(str_sub(pair, 0, equals)), name_of(cookie)))
            return str_trim(str_from_offset(pair, equals + 1));
    }
    return (struct str){NULL, 0};
}

void cookie_set(struct call *call, struct http_exchange *exchange, enum cookie cookie, struct str value)
{
    const char *secure = own_address_is_https() ? "; Secure" : "";
    struct str text =
        call_format(call, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s", STR_ARG(name_of(cookie)),
                    STR_ARG(value), value.len ? cookies[cookie].age_s : 0, secure);
    http_answer_header(exchange, STR("Set-Cookie"), text);
}
