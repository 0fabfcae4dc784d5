/* What makes a setting's value a good one. */
#include "base/setting.h"

#include <arpa/inet.h>
#include <unistd.h>

bool setting_split_address(struct str address, struct str *ret_host, uint16_t *ret_port)
{
    size_t colon = str_find_last_char(address, ':');
    uint64_t port;
    if (colon == STR_NOT_FOUND || !str_to_u64(str_from_offset(address, colon + 1), &port) || port > UINT16_MAX)
        return false;
    struct str host = str_sub(address, 0, colon);
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 2);
    else if (str_find_char(host, ':') != STR_NOT_FOUND)
        return false; /* an IPv6 address without its brackets */
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return host.len > 0;
}

static bool is_ip(struct str text, int family)
{
    char literal[INET6_ADDRSTRLEN];
    struct in6_addr address;
    return str_to_cstr(text, literal, sizeof literal) && inet_pton(family, literal, &address) == 1;
}

static bool check_address(struct arena *arena, struct str text, struct str *ret_problem)
{
    struct str host;
    uint16_t port;
    if (setting_split_address(text, &host, &port) && is_ip(host, text.ptr[0] == '[' ? AF_INET6 : AF_INET))
        return true;
    *ret_problem = str_format(arena, "\"%.*s\" is not ADDRESS:PORT; right is for example 127.0.0.1:8080 or [::1]:8080",
                              STR_ARG(text));
    return false;
}

static bool is_host(struct str host)
{
    if (host.len == 0 || host.len > 253)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!ascii_is_alnum(c) && c != '.' && c != '-')
            return false;
    }
    return true;
}

static bool check_host(struct arena *arena, struct str *text, struct str *ret_problem)
{
    struct str host = str_lower(arena, str_trim(*text));
    if (is_host(host) && str_find_char(host, '.') != STR_NOT_FOUND && host.ptr[0] != '.' && host.ptr[0] != '-') {
        *text = host;
        return true;
    }
    *ret_problem = str_format(arena,
                              "\"%.*s\" is not a name that an authority certifies; right is for example "
                              "mcp.example.com",
                              STR_ARG(*text));
    return false;
}

/* Normal form: lower case, no slash at the end, no default port. RFC 6454 section 4. */
static bool check_origin(struct arena *arena, struct str *text, struct str *ret_problem)
{
    struct str origin = str_lower(arena, str_trim(*text));
    if (str_ends_with(origin, STR("/")))
        origin = str_sub(origin, 0, origin.len - 1);
    bool https = str_starts_with(origin, STR("https://"));
    struct str rest = str_from_offset(origin, https ? 8 : 7), host = rest;
    uint16_t port = https ? 443 : 80;
    bool good = https || str_starts_with(origin, STR("http://"));
    bool six = good && rest.len > 0 && rest.ptr[0] == '[';
    if (good && six && str_ends_with(rest, STR("]")))
        host = str_sub(rest, 1, rest.len - 2);
    else if (good && str_find_char(rest, ':') != STR_NOT_FOUND)
        good = setting_split_address(rest, &host, &port) && port > 0;
    good = good && (six ? is_ip(host, AF_INET6) : is_host(host));
    if (!good) {
        *ret_problem = str_format(arena, "\"%.*s\" is not a web origin; right is for example https://mcp.example.com",
                                  STR_ARG(*text));
        return false;
    }
    *text = str_format(arena, "%s://%s%.*s%s", https ? "https" : "http", six ? "[" : "", STR_ARG(host), six ? "]" : "");
    if (port != (https ? 443 : 80))
        *text = str_format(arena, "%.*s:%u", STR_ARG(*text), port);
    return true;
}

static bool check_origins(struct arena *arena, struct str *text, struct str *ret_problem)
{
    struct str rest = *text, origin, all = STR_EMPTY;
    while (str_next(&rest, ',', &origin)) {
        if (!check_origin(arena, &origin, ret_problem))
            return false;
        all = all.len ? str_format(arena, "%.*s,%.*s", STR_ARG(all), STR_ARG(origin)) : origin;
    }
    *text = all;
    return true;
}

static bool is_network(struct str network)
{
    size_t slash = str_find_char(network, '/');
    struct str address = str_sub(network, 0, slash);
    bool four = is_ip(address, AF_INET);
    uint64_t bits;
    if (!four && !is_ip(address, AF_INET6))
        return false;
    return slash == STR_NOT_FOUND ||
           (str_to_u64(str_from_offset(network, slash + 1), &bits) && bits <= (four ? 32 : 128));
}

static bool is_port(struct str text)
{
    uint64_t port;
    return text.len > 1 && text.ptr[0] == ':' && str_to_u64(str_from_offset(text, 1), &port) && port > 0 &&
           port <= UINT16_MAX;
}

static bool check_networks(struct arena *arena, bool ports, struct str *text, struct str *ret_problem)
{
    struct str rest = *text, network, all = STR_EMPTY;
    while (str_next(&rest, ',', &network)) {
        network = str_trim(network);
        if (!is_network(network) && !(ports && is_port(network))) {
            *ret_problem = str_format(arena, "\"%.*s\" is not a network; right is for example 10.0.0.0/8,fd00::/8%s",
                                      STR_ARG(network), ports ? ",:8443" : "");
            return false;
        }
        all = all.len ? str_format(arena, "%.*s,%.*s", STR_ARG(all), STR_ARG(network)) : network;
    }
    *text = all;
    return true;
}

static bool check_database(struct str text, struct str *ret_problem)
{
    static const struct str schemes[] = {STR_INIT("postgres://"), STR_INIT("postgresql://"), STR_INIT("sqlite:")};
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (str_starts_with(text, schemes[i]) && text.len > schemes[i].len)
            return true;
    }
    *ret_problem = STR("is not a database URL; right is postgres://USER:PASSWORD@HOST/NAME or sqlite:PATH");
    return false;
}

static bool check_choice(struct arena *arena, const struct setting_row *row, struct str text, struct str *ret_problem)
{
    struct str rest = str_from(row->choices), choice;
    while (str_next(&rest, ' ', &choice)) {
        if (str_eq(choice, text))
            return true;
    }
    *ret_problem = str_format(arena, "\"%.*s\" is not one of: %s", STR_ARG(text), row->choices);
    return false;
}

static bool check_switch(struct arena *arena, struct str text, int64_t *ret_number, struct str *ret_problem)
{
    static const struct str words[2][4] = {
        {STR_INIT("off"), STR_INIT("no"), STR_INIT("false"), STR_INIT("0")},
        {STR_INIT("on"), STR_INIT("yes"), STR_INIT("true"), STR_INIT("1")},
    };
    for (int value = 0; value < 2; value++) {
        for (size_t i = 0; i < ARRAY_LENGTH(words[value]); i++) {
            if (str_eq_nocase(words[value][i], text)) {
                *ret_number = value;
                return true;
            }
        }
    }
    *ret_problem = str_format(arena, "\"%.*s\" is neither on nor off", STR_ARG(text));
    return false;
}

static bool check_number(struct arena *arena, const struct setting_row *row, struct str text, int64_t *ret_number,
                         struct str *ret_problem)
{
    if (str_to_i64(text, ret_number) && *ret_number >= row->min && *ret_number <= row->max)
        return true;
    *ret_problem = str_format(arena, "\"%.*s\" is not a number from %lld to %lld (%s)", STR_ARG(text),
                              (long long)row->min, (long long)row->max, row->unit);
    return false;
}

static bool check_path(struct arena *arena, struct str *text)
{
    if (str_starts_with(*text, STR("/")))
        return true;
    char here[4096];
    if (getcwd(here, sizeof here))
        *text = str_format(arena, "%s/%.*s", here, STR_ARG(*text));
    return true;
}

bool setting_check(struct arena *arena, enum setting setting, struct str *text, int64_t *ret_number,
                   struct str *ret_problem)
{
    const struct setting_row *row = &setting_table[setting];
    *ret_number = 0;
    if (text->len == 0) {
        *ret_problem = STR("has no value");
        return false;
    }
    if (memchr(text->ptr, 0, text->len) || !str_is_utf8(*text)) {
        *ret_problem = STR("holds bytes that are not text");
        return false;
    }
    switch (row->kind) {
    case SETTING_PATH:
        return check_path(arena, text);
    case SETTING_DATABASE:
        return check_database(*text, ret_problem);
    case SETTING_ADDRESS:
        return check_address(arena, *text, ret_problem);
    case SETTING_HOST:
        return check_host(arena, text, ret_problem);
    case SETTING_ORIGIN:
        return check_origin(arena, text, ret_problem);
    case SETTING_ORIGINS:
        return check_origins(arena, text, ret_problem);
    case SETTING_NETWORKS:
        return check_networks(arena, false, text, ret_problem);
    case SETTING_EGRESS:
        return check_networks(arena, true, text, ret_problem);
    case SETTING_NUMBER:
        return check_number(arena, row, *text, ret_number, ret_problem);
    case SETTING_CHOICE:
        return check_choice(arena, row, *text, ret_problem);
    case SETTING_SWITCH:
        return check_switch(arena, *text, ret_number, ret_problem);
    case SETTING_PLAIN:
        return true;
    }
    return false;
}
