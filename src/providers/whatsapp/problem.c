/* What a service's answer means. */
#include "providers/whatsapp/problem.h"

enum { SAID_MAX_BYTES = 400, NESTED_MAX = 8 };

/* ---- Meta's codes */

static const struct {
    int16_t first, last; /* 0 in `last`: one code; codes beyond 16 bits are below */
    enum problem_cause cause;
} small_codes[] = {
    {0, 0, PROBLEM_CREDENTIAL},   {1, 0, PROBLEM_ARGUMENTS},   {2, 0, PROBLEM_TRANSIENT},  {3, 0, PROBLEM_BLOCKED},
    {4, 0, PROBLEM_THROTTLED},    {10, 0, PROBLEM_BLOCKED},    {33, 0, PROBLEM_ARGUMENTS}, {100, 0, PROBLEM_ARGUMENTS},
    {190, 0, PROBLEM_CREDENTIAL}, {200, 299, PROBLEM_BLOCKED}, {368, 0, PROBLEM_BLOCKED},
};

static const struct {
    int32_t code;
    enum problem_cause cause;
} codes[] = {
    {80007, PROBLEM_THROTTLED},       {130429, PROBLEM_THROTTLED},     {130497, PROBLEM_BLOCKED},
    {131000, PROBLEM_TRANSIENT},      {131005, PROBLEM_BLOCKED},       {131008, PROBLEM_ARGUMENTS},
    {131009, PROBLEM_ARGUMENTS},      {131016, PROBLEM_TRANSIENT},     {131021, PROBLEM_ARGUMENTS},
    {131026, PROBLEM_UNDELIVERABLE},  {131030, PROBLEM_UNDELIVERABLE}, {131031, PROBLEM_BLOCKED},
    {131037, PROBLEM_ARGUMENTS},      {131042, PROBLEM_ARGUMENTS},     {131047, PROBLEM_WINDOW},
    {131048, PROBLEM_THROTTLED},      {131049, PROBLEM_UNDELIVERABLE}, {131050, PROBLEM_OPTED_OUT},
    {131051, PROBLEM_ARGUMENTS},      {131052, PROBLEM_ARGUMENTS},     {131053, PROBLEM_ARGUMENTS},
    {131056, PROBLEM_PAIR_THROTTLED}, {131057, PROBLEM_TRANSIENT},     {132000, PROBLEM_ARGUMENTS},
    {132001, PROBLEM_NO_TEMPLATE},    {132005, PROBLEM_ARGUMENTS},     {132007, PROBLEM_ARGUMENTS},
    {132012, PROBLEM_ARGUMENTS},      {132015, PROBLEM_ARGUMENTS},     {132016, PROBLEM_ARGUMENTS},
    {133016, PROBLEM_THROTTLED},
};

enum problem_cause problem_of_code(int64_t code)
{
    for (size_t i = 0; i < ARRAY_LENGTH(small_codes); i++)
        if (code == small_codes[i].first || (code > small_codes[i].first && code <= small_codes[i].last))
            return small_codes[i].cause;
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++)
        if (code == codes[i].code)
            return codes[i].cause;
    return PROBLEM_UNKNOWN;
}

/* A refusal with a code says that nothing was done; of a code that nobody has told us of we only know that from its status. */
static struct problem of_meta(struct arena *arena, int status, const struct json *error)
{
    struct problem problem = {.code = json_i64_or(json_get(error, STR("code")), -1)};
    struct str message = json_str(json_get(error, STR("message"))),
               details = json_str(json_path(error, "error_data.details"));
    problem.cause = problem.code < 0 ? PROBLEM_UNKNOWN : problem_of_code(problem.code);
    problem.is_own_credential = true;
    if (problem.cause == PROBLEM_UNKNOWN) {
        problem.may_be_done = status >= 500 || status < 400;
        problem.cause = status >= 400 && status < 500 ? PROBLEM_ARGUMENTS : PROBLEM_UNKNOWN;
    }
    problem.said = details.len && !str_contains(message, details)
                       ? str_format(arena, "%.*s: %.*s", STR_ARG(str_sub(message, 0, SAID_MAX_BYTES)),
                                    STR_ARG(str_sub(details, 0, SAID_MAX_BYTES)))
                       : str_sub(message, 0, SAID_MAX_BYTES);
    return problem;
}

static struct problem of_status(int status)
{
    if (status == 429)
        return (struct problem){.cause = PROBLEM_THROTTLED, .said = STR("HTTP 429")};
    return (struct problem){.cause = PROBLEM_UNKNOWN,
                            .said = STR("an answer that is none of this service's"),
                            .may_be_done = status >= 500 || status < 400};
}

struct problem problem_of_cloud(struct arena *arena, int status, const struct json *json)
{
    const struct json *error = json_get(json, STR("error"));
    if (json_is(error, JSON_OBJECT))
        return of_meta(arena, status, error);
    if (status >= 200 && status < 300 && (json_is(json, JSON_OBJECT) || json_is(json, JSON_ARRAY)))
        return (struct problem){.cause = PROBLEM_NONE};
    return of_status(status);
}

/* ---- Evolution: response.message is a text, a list, a list of lists, a list of objects; or `message` without `response` */

static void add_said(const struct json *value, struct buf *said, int depth)
{
    if (depth > NESTED_MAX)
        return;
    if (json_is(value, JSON_STRING)) {
        if (said->len)
            buf_add(said, STR("; "));
        buf_add(said, str_sub(json_str(value), 0, SAID_MAX_BYTES));
        return;
    }
    if (json_is(value, JSON_ARRAY))
        for (size_t i = 0; i < json_count(value) && i < NESTED_MAX; i++)
            add_said(json_at(value, i), said, depth + 1);
}

static bool is_not_on_whatsapp(const struct json *message)
{
    const struct json *first = json_at(message, 0);
    return json_is(json_get(first, STR("exists")), JSON_BOOL) && !json_bool_or(json_get(first, STR("exists")), true);
}

/* Meta's error where the answer should be, with 201: {message, type, code, fbtrace_id}. */
static bool is_metas(const struct json *json)
{
    return json_is(json_get(json, STR("code")), JSON_NUMBER) && json_is(json_get(json, STR("message")), JSON_STRING) &&
           json_is(json_get(json, STR("key")), JSON_MISSING) &&
           (json_is(json_get(json, STR("fbtrace_id")), JSON_STRING) ||
            json_is(json_get(json, STR("type")), JSON_STRING));
}

static const struct {
    struct str mark; /* in what it says */
    enum problem_cause cause;
    bool may_be_done;
} sayings[] = {
    {STR_INIT("instance does not exist"), PROBLEM_NO_INSTANCE, false},
    {STR_INIT("Method not available on"), PROBLEM_UNSUPPORTED, false},
    /* Its own service is not connected: thrown before anything is sent. */
    {STR_INIT("(reading 'onWhatsApp')"), PROBLEM_DISCONNECTED, false},
    {STR_INIT("Connection Closed"), PROBLEM_DISCONNECTED, true},
    /* It got no answer of Meta's: what it asked for may have been done. */
    {STR_INIT("(reading 'message')"), PROBLEM_UNKNOWN, true},
};

/*
 * What it caught around a send, be it before or behind it, it answers as 400 with the error's own text alone in the list, such as its
 * database's (evolution-api issues 978 and 1247: the message had gone out). What its validation says is a list in the list.
 */
static bool is_caught(const struct json *message)
{
    struct str text =
        json_is(message, JSON_ARRAY) && json_count(message) == 1 ? json_str(json_at(message, 0)) : STR_EMPTY;
    size_t colon = str_find_char(text, ':');
    return str_eq(text, STR("[object Object]")) ||
           (colon != STR_NOT_FOUND && str_ends_with(str_sub(text, 0, colon), STR("Error")));
}

struct problem problem_of_evolution(struct arena *arena, int status, const struct json *json)
{
    const struct json *message = json_path(json, "response.message");
    struct problem problem = {.cause = PROBLEM_NONE};
    struct buf said;
    if (is_metas(json)) {
        problem = of_meta(arena, status < 400 ? 400 : status, json);
        problem.is_own_credential = false;
        return problem;
    }
    if (status >= 200 && status < 300 && (json_is(json, JSON_OBJECT) || json_is(json, JSON_ARRAY)) &&
        !json_bool_or(json_get(json, STR("error")), false))
        return problem;
    if (json_is(message, JSON_MISSING))
        message = json_get(json, STR("message"));
    if (!json_is(json, JSON_OBJECT) || (json_is(message, JSON_MISSING) && status != 401))
        return of_status(status);
    buf_init(&said, arena, 16 * 1024);
    add_said(message, &said, 0);
    problem.said = str_cut(buf_str(&said), SAID_MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LENGTH(sayings); i++) {
        if (!str_contains(problem.said, sayings[i].mark))
            continue;
        problem.cause = sayings[i].cause;
        problem.may_be_done = sayings[i].may_be_done;
        return problem;
    }
    if (is_not_on_whatsapp(message)) {
        problem.cause = PROBLEM_NOT_ON_WHATSAPP;
    } else if (status == 401) {
        problem.cause = PROBLEM_CREDENTIAL;
        problem.is_own_credential = true;
    } else if (status == 403) {
        problem.cause = PROBLEM_BLOCKED;
    } else if (status == 429) {
        problem.cause = PROBLEM_THROTTLED;
    } else if (status >= 400 && status < 500 && !is_caught(message)) {
        problem.cause = PROBLEM_ARGUMENTS;
    } else {
        problem.cause = PROBLEM_UNKNOWN;
        problem.may_be_done = true;
    }
    return problem;
}

/* ---- in words */

static const struct {
    const char *name;
    enum error error;
    bool is_retryable;
    const char *text;
} words[PROBLEM_CAUSES] = {
    [PROBLEM_NONE] = {"none", OK, false, ""},
    [PROBLEM_CREDENTIAL] =
        {"credential", E_REFUSED, false,
         "WhatsApp's service does not take the stored token or key (expired or withdrawn). The owner has "
         "to enter a new one for this connection."},
    [PROBLEM_BLOCKED] = {"blocked", E_DENIED, false,
                         "The service does not allow this: a permission is missing, or the account is restricted. Its "
                         "owner has to settle that with Meta or at the instance; trying again does not help."},
    [PROBLEM_THROTTLED] =
        {"throttled", E_LIMIT, true,
         "The service says that this number sends too much or too fast. Nothing was done; try again in "
         "some minutes, with the same key."},
    [PROBLEM_PAIR_THROTTLED] =
        {"pair_throttled", E_LIMIT, true,
         "Too many messages to this recipient. Nothing was sent; try again in 6 seconds or later, "
         "with the same key."},
    [PROBLEM_WINDOW] = {"window", E_DENIED, false,
                        "Outside the 24 h window: this person wrote more than 24 hours ago, or never. Only an approved "
                        "template may be sent now. Nothing was sent."},
    [PROBLEM_UNDELIVERABLE] =
        {"undeliverable", E_INVALID, false,
         "This recipient cannot be reached with this message: not on WhatsApp, an old version, not on "
         "the list of a test number, or WhatsApp's own limit for marketing. Nothing was sent; "
         "trying again does not help."},
    [PROBLEM_OPTED_OUT] =
        {"opted_out", E_DENIED, false,
         "This person has told WhatsApp that they want no marketing from this number. Nothing was sent."},
    [PROBLEM_NOT_ON_WHATSAPP] =
        {"not_on_whatsapp", E_NOT_FOUND, false,
         "This number is not on WhatsApp. Nothing was sent. (Argentine mobiles have a 9 behind the 54.)"},
    [PROBLEM_NO_TEMPLATE] = {"no_template", E_NOT_FOUND, false,
                             "There is no approved template of this name in this language: wa_templates lists those "
                             "there are. Nothing was sent."},
    [PROBLEM_ARGUMENTS] = {"arguments", E_INVALID, false, "The service refused this. Nothing was done."},
    [PROBLEM_TRANSIENT] = {"transient", E_UPSTREAM, true,
                           "The service failed for now and did nothing. Try again in a minute, with the same key."},
    [PROBLEM_NO_INSTANCE] =
        {"no_instance", E_NOT_FOUND, false,
         "There is no such instance at this Evolution server. Check the connection's instance name."},
    [PROBLEM_DISCONNECTED] = {"disconnected", E_UPSTREAM, true,
                              "The instance is not connected to a telephone. Its owner has to scan its QR code again; "
                              "wa_status tells when it is back."},
    [PROBLEM_UNSUPPORTED] = {"unsupported", E_INVALID, false, "This kind of number cannot do that at this service."},
    [PROBLEM_UNKNOWN] = {"unknown", E_UPSTREAM, false, "The service failed, or what it answered says nothing."},
};

const char *problem_name(enum problem_cause cause)
{
    return words[cause].name;
}

bool problem_is_retryable(enum problem_cause cause)
{
    return words[cause].is_retryable;
}

int problem_fail(struct call *call, const struct problem *problem)
{
    enum error error = words[problem->cause].error;
    if (problem->cause == PROBLEM_CREDENTIAL && !problem->is_own_credential)
        return fail(
            call, E_DENIED,
            "Evolution's own access to Meta has expired: its owner has to give the instance a new token. (Meta: "
            "%.*s)",
            STR_ARG(problem->said));
    fail_detail(call, "%s %lld", words[problem->cause].name, (long long)problem->code);
    if (problem->code > 0)
        return fail(call, error, "%s (Meta %lld: %.*s)", words[problem->cause].text, (long long)problem->code,
                    STR_ARG(problem->said));
    if (problem->said.len)
        return fail(call, error, "%s (It says: %.*s)", words[problem->cause].text, STR_ARG(problem->said));
    return fail(call, error, "%s", words[problem->cause].text);
}
