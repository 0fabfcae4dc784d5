/* What clients send that is wrong, over a socket: each is answered as OAuth says it, also when the database fails meanwhile. */
#include "accounts/accounts_test_help.h"

#include "crypto/token.h"
#include "limits/limits.h"
#include "net/http_test_help.h"
#include "net/own_address.h"
#include "oauth/authorize.h"
#include "oauth/clients.h"
#include "oauth/endpoint.h"
#include "oauth/grants.h"
#include "store/db_fault_test_help.h"

#define REDIRECT "https://app.example/cb"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define JSON_TYPE "Content-Type: application/json\r\n"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static struct oauth_client_row public, confidential, own;
static struct str secret, own_secret;

struct probe {
    const char *what;           /* method, target and version */
    const char *headers, *body; /* PUBLIC, CONFIDENTIAL, OWN, SECRET and OWN_SECRET stand for themselves */
    int status;
    const char *says;
    int fault; /* the database's statement that fails, from 1; 0: none */
};

static const struct probe *probes;
static struct str *requests;
static size_t n_probes, at_probe;

static const struct {
    const char *path;
    void (*run)(struct call *call, struct http_exchange *exchange, struct str segment);
} places[] = {
    {"/oauth/token", oauth_token},
    {"/oauth/revoke", oauth_revoke},
    {"/oauth/register", oauth_register},
    {"/.well-known/oauth-authorization-server", oauth_server_metadata},
    {"/.well-known/oauth-protected-resource", oauth_resource_metadata},
};

static void handle(struct call *call, struct http_exchange *exchange, void *context)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct fixture *f = context;
    struct db_driver driver = *f->db->driver;
    fault_driver = f->db->driver;
    driver.run = fault_run;
    fault_left = probes[at_probe].fault ? probes[at_probe].fault - 1 : INT_MAX;
    f->db->driver = &driver;
    if (str_eq(request->method, STR("OPTIONS")))
        oauth_preflight(call, exchange, STR_EMPTY);
    else
        for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
            if (str_eq(request->path, str_from(places[i].path)))
                places[i].run(call, exchange, STR_EMPTY);
    f->db->driver = fault_driver;
}

static void client_asks(struct scene *scene)
{
    for (at_probe = 0; at_probe < n_probes; at_probe++) {
        const struct probe *probe = &probes[at_probe];
        struct str answer = ask(scene, requests[at_probe], false);
        if (status_is(answer, probe->status) && str_contains(answer, str_from(probe->says)))
            continue;
        fprintf(stderr, "%zu: %s %s: %.*s\n", at_probe, probe->what, probe->body, STR_ARG(answer));
        failures++;
    }
}

static struct str with_names(struct arena *arena, const char *text)
{
    struct str s = str_replace(arena, str_from(text), STR("OWN_SECRET"), own_secret);
    s = str_replace(arena, s, STR("SECRET"), secret);
    s = str_replace(arena, s, STR("PUBLIC"), public.id);
    s = str_replace(arena, s, STR("CONFIDENTIAL"), confidential.id);
    return str_replace(arena, s, STR("OWN"), own.id);
}

static void ask_all(struct fixture *f, const struct probe *list, size_t count)
{
    struct arena *arena = f->call.arena;
    struct scene scene;
    probes = list;
    n_probes = count;
    requests = arena_array_of(arena, struct str, count);
    for (size_t i = 0; i < count; i++) {
        struct str body = with_names(arena, list[i].body);
        requests[i] = str_format(arena, "%s\r\n%.*sConnection: close\r\nContent-Length: %zu\r\n\r\n%.*s", list[i].what,
                                 STR_ARG(with_names(arena, list[i].headers)), body.len, STR_ARG(body));
    }
    play_with((struct http_server_settings){.handler = handle, .context = f}, &scene, client_asks);
}

static void ready(struct fixture *f)
{
    static const struct str hosts[] = {STR_INIT("x")}, redirect = STR_INIT(REDIRECT);
    static const struct own_address here = {
        .url = STR_INIT("http://x"), .public_url = STR_INIT(""), .allowed_hosts = hosts, .n_allowed_hosts = 1};
    struct client_new new = {.name = STR("App"), .redirect_uris = &redirect, .n_redirect_uris = 1, .is_public = true};
    struct str none;
    own_address_init(&here);
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001");
    new.made_by = ana;
    int64_t site = add_connection(f, ana, "site").connection_id;
    assert_ok(&f->call, clients_add(&f->call, &new, &public, &none));
    new.is_public = false;
    assert_ok(&f->call, clients_add(&f->call, &new, &confidential, &secret));
    new = (struct client_new){.name = STR("Own"), .connection_id = site, .made_by = ana};
    assert_ok(&f->call, clients_add(&f->call, &new, &own, &own_secret));
}

#define TOKEN "POST /oauth/token HTTP/1.1"
#define REVOKE "POST /oauth/revoke HTTP/1.1"
#define REGISTER "POST /oauth/register HTTP/1.1"
#define H "Host: x\r\n"
#define CODE "grant_type=authorization_code&"
#define REFRESH "grant_type=refresh_token&"
#define OWN_FORM "grant_type=client_credentials&client_id=OWN&client_secret=OWN_SECRET"

static void what_is_sent_wrongly(void **state)
{
    static const struct probe list[] = {
        {TOKEN, H, "grant_type=x", 400, "Send a form", 0},
        {TOKEN, H FORM FORM, "grant_type=x", 400, "Send a form", 0},
        {TOKEN, H JSON_TYPE, "{}", 400, "Send a form", 0},
        {TOKEN, H "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n", "", 400, "grant_type must be",
         0},
        {"POST /oauth/token?a=b HTTP/1.1", H FORM, "grant_type=x", 400, "addresses end up in logs", 0},
        {TOKEN, H FORM, "a=1&b=2&a=3", 400, "stands there twice", 0},
        {TOKEN, H FORM, "a=%ff", 400, "what is no text", 0},
        {TOKEN, H FORM, "%ff=1", 400, "what is no text", 0},
        {TOKEN, H FORM, "a=%00", 400, "what is no text", 0},
        {TOKEN, H FORM,
         "a1=&a2=&a3=&a4=&a5=&a6=&a7=&a8=&a9=&b1=&b2=&b3=&b4=&b5=&b6=&b7=&b8=&b9=&c1=&c2=&c3=&c4=&c5=&c6=&c7=&c8=&c9=&"
         "d1=&d2=&"
         "d3=&d4=&d5=&d6=",
         400, "too many fields", 0},
        {TOKEN, H FORM, "", 400, "\"invalid_request\"", 0},
        {TOKEN, H FORM, "grant_type=", 400, "\"invalid_request\"", 0},
        {TOKEN, H FORM, "grant_type=password", 400, "\"unsupported_grant_type\"", 0},
        {TOKEN, "Host: evil.example\r\n" FORM, "", 403, "This Host is not ours", 0},
        {"POST /oauth/token HTTP/1.0", FORM, "", 403, "This Host is not ours", 0},
        {REVOKE, "Host: evil.example\r\n" FORM, "", 403, "This Host is not ours", 0},
        {REVOKE, H, "", 400, "Send a form", 0},
        {REGISTER, "Host: evil.example\r\n" JSON_TYPE, "{}", 403, "This Host is not ours", 0},
        {"GET /.well-known/oauth-authorization-server HTTP/1.1", "Host: evil.example\r\n", "", 403, "not ours", 0},
        {"GET /.well-known/oauth-protected-resource HTTP/1.1", "Host: evil.example\r\n", "", 403, "not ours", 0},
        {"GET /.well-known/oauth-authorization-server HTTP/1.1", H, "", 200, "\"issuer\":\"http://x\"", 0},
        {"GET /.well-known/oauth-protected-resource HTTP/1.1", H, "", 200, "\"resource\":\"http://x", 0},
        {"OPTIONS /oauth/token HTTP/1.1", H, "", 204, "Access-Control-Allow-Methods", 0},
    };
    struct fixture *f = *state;
    ready(f);
    ask_all(f, list, ARRAY_LENGTH(list));
    /* A form beyond its limit. */
    char *large = arena_alloc(f->call.arena, 33 * 1024);
    memset(large, 'a', 33 * 1024 - 1);
    const struct probe too_large = {TOKEN, H FORM, large, 400, "at most 32 KiB", 0};
    ask_all(f, &too_large, 1);
}

static void who_sends_it(void **state)
{
    static const struct probe list[] = {
        {TOKEN, H FORM, CODE, 400, "client_id is missing", 0},
        {TOKEN, H FORM, CODE "client_id=nobody", 401, "\"invalid_client\"", 0},
        {TOKEN, H FORM, CODE "client_id=PUBLIC&client_secret=x", 401, "\"invalid_client\"", 0},
        {TOKEN, H FORM, CODE "client_id=CONFIDENTIAL", 401, "\"invalid_client\"", 0},
        {TOKEN, H FORM, CODE "client_id=CONFIDENTIAL&client_secret=x", 401, "\"invalid_client\"", 0},
        {TOKEN, H FORM, CODE "client_id=CONFIDENTIAL&client_secret=SECRET", 400, "must be there", 0},
        {TOKEN, H FORM "Authorization: Basic x\r\n", CODE "client_secret=x", 400, "one way only", 0},
        {TOKEN, H FORM "Authorization: Basic x\r\nAuthorization: Basic x\r\n", CODE, 400, "one way only", 0},
        {TOKEN, H FORM "Authorization: Bearer x\r\n", CODE, 401, "WWW-Authenticate: Basic", 0},
        {TOKEN, H FORM "Authorization: Basic ***\r\n", CODE, 401, "WWW-Authenticate: Basic", 0},
        {TOKEN, H FORM "Authorization: Basic eHh4\r\n", CODE, 401, "WWW-Authenticate: Basic", 0}, /* xxx */
        {TOKEN, H FORM "Authorization: Basic YTpi\r\n", CODE, 401, "WWW-Authenticate: Basic", 0}, /* a:b */
        {TOKEN, H FORM "Authorization: Basic YTpi\r\n", CODE "client_id=c", 401, "WWW-Authenticate: Basic",
         0}, /* another */
        {TOKEN, H FORM "Authorization: Basic YTpi\r\n", CODE "client_id=a", 401, "WWW-Authenticate: Basic",
         0}, /* the same */
        {TOKEN, H FORM, CODE "client_id=OWN&client_secret=OWN_SECRET", 400, "\"unauthorized_client\"", 0},
        {TOKEN, H FORM, "grant_type=client_credentials&client_id=PUBLIC", 400, "\"unauthorized_client\"", 0},
        {REVOKE, H FORM, "client_id=nobody", 401, "\"invalid_client\"", 0},
        {REVOKE, H FORM, "client_id=PUBLIC", 400, "token must be there", 0},
        {REVOKE, H FORM, "client_id=PUBLIC&token=x", 200, "Cache-Control: no-store", 0},
    };
    struct fixture *f = *state;
    ready(f);
    ask_all(f, list, ARRAY_LENGTH(list));
}

static void what_is_asked_for(void **state)
{
    static const struct probe list[] = {
        {TOKEN, H FORM, CODE "client_id=PUBLIC&code_verifier=x&redirect_uri=x", 400, "must be there", 0},
        {TOKEN, H FORM, CODE "client_id=PUBLIC&code=x&redirect_uri=x", 400, "must be there", 0},
        {TOKEN, H FORM, CODE "client_id=PUBLIC&code=x&code_verifier=x", 400, "\"invalid_grant\"", 0},
        {TOKEN, H FORM, CODE "client_id=PUBLIC&code=x&code_verifier=x&redirect_uri=x", 400, "\"invalid_grant\"", 0},
        {TOKEN, H FORM, CODE "client_id=PUBLIC&code=x&code_verifier=x&redirect_uri=x&resource=http://y/mcp", 400,
         "\"invalid_target\"", 0},
        {TOKEN, H FORM, REFRESH "client_id=PUBLIC", 400, "refresh_token must be there", 0},
        {TOKEN, H FORM, REFRESH "client_id=PUBLIC&refresh_token=x", 400, "\"invalid_grant\"", 0},
        {TOKEN, H FORM, REFRESH "client_id=PUBLIC&refresh_token=x&scope=nonsense", 400, "\"invalid_scope\"", 0},
        {TOKEN, H FORM, REFRESH "client_id=PUBLIC&refresh_token=x&resource=http://y/mcp", 400, "\"invalid_target\"", 0},
        {TOKEN, H FORM, REFRESH "client_id=PUBLIC&refresh_token=x&resource=http://x/mcp&scope=read", 400,
         "\"invalid_grant\"", 0},
        {TOKEN, H FORM, OWN_FORM "&scope=nonsense", 400, "\"invalid_scope\"", 0},
        {TOKEN, H FORM, OWN_FORM "&scope=admin", 400, "\"invalid_scope\"", 0},
        {TOKEN, H FORM, OWN_FORM "&resource=http://y/mcp", 400, "\"invalid_target\"", 0},
        {TOKEN, H FORM, OWN_FORM "&resource=http://x/mcp/", 200, "\"token_type\":\"Bearer\"", 0},
        {TOKEN, H FORM, OWN_FORM "&scope=read", 200, "\"scope\":\"read\"", 0},
        {TOKEN, H FORM, OWN_FORM, 200, "\"scope\":\"read draft\"", 0},
        {REGISTER, H, "{}", 400, "\"invalid_client_metadata\"", 0},
        {REGISTER, H JSON_TYPE, "{", 400, "\"invalid_client_metadata\"", 0},
        {REGISTER, H JSON_TYPE, "[]", 400, "\"invalid_client_metadata\"", 0},
        {REGISTER, H JSON_TYPE, "{}", 400, "\"invalid_redirect_uri\"", 0},
        {REGISTER, H JSON_TYPE, "{\"redirect_uris\":[\"" REDIRECT "\"]}", 201,
         "\"token_endpoint_auth_method\":\"none\"", 0},
        /* The database fails: at finding the client, and behind it. */
        {TOKEN, H FORM, OWN_FORM, 503, "Retry-After: 5", 1},
        {TOKEN, H FORM, OWN_FORM, 503, "\"temporarily_unavailable\"", 2},
        {TOKEN, H FORM, OWN_FORM, 503, "\"temporarily_unavailable\"", 5},
        {REVOKE, H FORM, "client_id=PUBLIC&token=x", 503, "\"temporarily_unavailable\"", 1},
        {REVOKE, H FORM, "client_id=PUBLIC&token=prt_oat_0000000000000000000000000000000000000000000CHECK", 200, "", 0},
        {REGISTER, H JSON_TYPE, "{\"redirect_uris\":[\"" REDIRECT "\"]}", 503, "\"temporarily_unavailable\"", 1},
    };
    struct fixture *f = *state;
    ready(f);
    ask_all(f, list, ARRAY_LENGTH(list));
    /* A token that might be one, and a database that fails when it is looked for. */
    struct str body = call_format(&f->call, "client_id=PUBLIC&token=%.*s", STR_ARG(token_make(&f->call, TOKEN_OAT)));
    const struct probe revoke = {REVOKE, H FORM, str_copy_cstr(f->call.arena, body), 503, "temporarily_unavailable", 2};
    ask_all(f, &revoke, 1);
}

static void too_many_of_one_address(void **state)
{
    static const struct limits_settings none = {0};
    struct probe list[11];
    struct fixture *f = *state;
    ready(f);
    for (size_t i = 0; i < ARRAY_LENGTH(list); i++)
        list[i] = (struct probe){REGISTER,
                                 H JSON_TYPE,
                                 "{\"redirect_uris\":[\"" REDIRECT "\"]}",
                                 i < 10 ? 201 : 429,
                                 i < 10 ? "\"client_id\"" : "Retry-After: ",
                                 0};
    assert_true(limits_open(-1, &none));
    ask_all(f, list, ARRAY_LENGTH(list));
    limits_close();
}

/* What gives nothing back is counted; a token that can be given back is taken all the same. */
static void too_many_revocations_of_nothing(void **state)
{
    static const struct limits_settings none = {0};
    struct probe list[31];
    struct fixture *f = *state;
    ready(f);
    struct str body = call_format(&f->call, "client_id=PUBLIC&token=%.*s", STR_ARG(token_make(&f->call, TOKEN_OAT)));
    for (size_t i = 0; i < ARRAY_LENGTH(list); i++)
        list[i] = (struct probe){
            REVOKE, H FORM, str_copy_cstr(f->call.arena, body), i < 30 ? 200 : 429, i < 30 ? "" : "Retry-After: ", 0};
    assert_true(limits_open(-1, &none));
    ask_all(f, list, ARRAY_LENGTH(list));
    const char *error;
    struct grant_tokens tokens;
    assert_ok(&f->call, grants_give_standing(&f->call, &own, 0, STR("http://x/mcp"), &tokens, &error));
    body = call_format(&f->call, "client_id=%.*s&client_secret=%.*s&token=%.*s", STR_ARG(own.id), STR_ARG(own_secret),
                       STR_ARG(tokens.access));
    const struct probe good = {REVOKE, H FORM, str_copy_cstr(f->call.arena, body), 200, "", 0};
    ask_all(f, &good, 1);
    limits_close();
}

/* ---- asking a person: the same, without a socket */

static int reads(struct fixture *f, const char *query, int64_t user_id, struct authorize *ret)
{
    static const struct http_header host = {STR_INIT("Host"), STR_INIT("x")};
    const struct http_request request = {
        .query = query ? with_names(f->call.arena, query) : (struct str){NULL, 0}, .headers = &host, .n_headers = 1};
    call_clear_error(&f->call);
    return authorize_read(&f->call, &request, user_id, ret);
}

#define WHO "client_id=PUBLIC&redirect_uri=" REDIRECT "&"
#define WELL WHO "response_type=code&code_challenge=" CHALLENGE "&code_challenge_method=S256"

static void what_a_person_is_asked(void **state)
{
    static const struct {
        const char *query, *error; /* NULL: none */
    } cases[] = {
        {WELL, NULL},
        {WELL "&scope=read+publish&prompt=login+select_account&state=s&response_mode=query", NULL},
        {WELL "&prompt=&scope=&resource=", NULL},
        {WELL "&prompt=none", NULL},
        {WELL "&resource=http://x/mcp", NULL},
        {WELL "&prompt=none+consent", "invalid_request"},
        {WELL "&scope=nonsense", "invalid_scope"},
        {WELL "&resource=http://y/mcp", "invalid_target"},
        {WELL "&resource=http://x/mcp&resource=http://x/mcp", "invalid_target"},
        {WELL "&response_mode=fragment", "invalid_request"},
        {WELL "&request=x", "request_not_supported"},
        {WELL "&request_uri=x", "request_uri_not_supported"},
        {WELL "&state=a&state=b", "invalid_request"},
        {WHO "response_type", "invalid_request"},
        {WHO "response_type=token", "unsupported_response_type"},
        {WHO "response_type=code", "invalid_request"},
        {WHO "response_type=code&code_challenge=" CHALLENGE, "invalid_request"},
        {WHO "response_type=code&code_challenge=" CHALLENGE "&code_challenge_method=plain", "invalid_request"},
        {WHO "response_type=code&code_challenge=short&code_challenge_method=S256", "invalid_request"},
    };
    static const struct {
        const char *query;
        int error;
    } refused[] = {
        {NULL, E_INVALID},
        {"", E_INVALID},
        {"client_id=PUBLIC", E_INVALID},
        {"redirect_uri=" REDIRECT, E_INVALID},
        {WHO "client_id=PUBLIC", E_INVALID},
        {"client_id=nobody&redirect_uri=" REDIRECT, E_INVALID},
        {"client_id=PUBLIC&redirect_uri=https://evil.example/cb", E_INVALID},
        {"client_id=PUBLIC&redirect_uri=javascript:alert(1)", E_INVALID},
        {"client_id=https://app.example/client.json&redirect_uri=" REDIRECT, E_UNAUTHENTICATED},
        {"client_id=OWN&redirect_uri=" REDIRECT, E_INVALID},
    };
    struct fixture *f = *state;
    struct authorize asked;
    ready(f);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_ok(&f->call, reads(f, cases[i].query, i % 2 ? 1 : 0, &asked));
        if (!cases[i].error != !asked.error || (asked.error && strcmp(asked.error, cases[i].error) != 0))
            fail_msg("%s: %s", cases[i].query, asked.error ? asked.error : "no error");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        assert_int_equal(reads(f, refused[i].query, 0, &asked), refused[i].error);
    /* A state that is too long is not sent back; neither is what stands behind 64 pairs looked at. */
    char *state_text = arena_alloc(f->call.arena, AUTHORIZE_STATE_BYTES_MAX + 2);
    memset(state_text, 's', AUTHORIZE_STATE_BYTES_MAX + 1);
    assert_ok(&f->call, reads(f, call_format(&f->call, WELL "&state=%s", state_text).ptr, 0, &asked));
    assert_string_equal(asked.error, "invalid_request");
    assert_null(asked.state.ptr);
    state_text[AUTHORIZE_STATE_BYTES_MAX] = '\0';
    assert_ok(&f->call, reads(f, call_format(&f->call, WELL "&state=%s", state_text).ptr, 0, &asked));
    assert_null(asked.error);
    struct buf many;
    buf_init(&many, f->call.arena, 4096);
    for (int i = 0; i < 64; i++)
        buf_add(&many, STR("a=b&"));
    buf_add(&many, STR(WELL));
    buf_add_char(&many, '\0');
    assert_int_equal(reads(f, buf_str(&many).ptr, 0, &asked), E_INVALID);
}

static struct authorize last_asked;

static int is_asked(struct fixture *f)
{
    return reads(f, WELL "&scope=read", 1, &last_asked);
}

/* What was agreed to before is not asked again of a client that is where it was then. */
static void what_goes_without_saying(void **state)
{
    struct fixture *f = *state;
    const int64_t sites[] = {1};
    struct str code;
    ready(f);
    assert_ok(&f->call, is_asked(f));
    assert_false(last_asked.is_remembered);
    assert_false(authorize_goes_without_saying(&last_asked));
    assert_true(authorize_is_trusted(&last_asked)); /* an administrator's */
    last_asked.client.kind = STR(CLIENT_DOCUMENT);
    assert_false(authorize_is_trusted(&last_asked));
    assert_ok(&f->call, is_asked(f));
    assert_ok(&f->call, authorize_agree(&f->call, &last_asked, 1, sites, 1, RIGHT_READ | RIGHT_DRAFT, &code));
    const struct redemption redemption = {
        .code = code, .verifier = STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), .redirect_uri = STR(REDIRECT)};
    struct grant_tokens tokens;
    const char *error;
    assert_ok(&f->call, grants_redeem(&f->call, &last_asked.client, &redemption, &tokens, &error));
    assert_true(each_statement_fails(f, is_asked) >= 2);
    assert_true(last_asked.is_remembered);
    assert_true(authorize_goes_without_saying(&last_asked));
    struct authorize other = last_asked;
    other.must_ask = true;
    assert_false(authorize_goes_without_saying(&other));
    other = last_asked;
    other.rights |= RIGHT_ADMIN;
    assert_false(authorize_goes_without_saying(&other));
    other = last_asked;
    other.client.kind = STR(CLIENT_DYNAMIC);
    assert_false(authorize_goes_without_saying(&other));
    assert_true(authorize_is_trusted(&other));
    other.redirect.host = STR("evil.example");
    assert_false(authorize_goes_without_saying(&other));
    assert_false(authorize_is_trusted(&other));
    other = last_asked;
    other.redirect.host = STR("evil.example");
    assert_false(authorize_goes_without_saying(&other));
    other = last_asked;
    other.redirect.kind = REDIRECT_LOOPBACK;
    assert_false(authorize_goes_without_saying(&other));
    /* The answer, with the state as it came. */
    static const struct http_request request = {0};
    other = last_asked;
    other.state = STR("a b");
    struct str address = authorize_address(&f->call, &request, &other, STR("c"), NULL);
    assert_true(str_starts_with(address, STR(REDIRECT "?code=c&state=a%20b&iss=")));
    other.redirect_uri = STR(REDIRECT "?a=b");
    other.error = "invalid_scope";
    other.error_text = STR("why");
    other.state = (struct str){NULL, 0};
    address = authorize_address(&f->call, &request, &other, STR_EMPTY, "invalid_scope");
    assert_true(str_starts_with(address, STR(REDIRECT "?a=b&error=invalid_scope&error_description=why&iss=")));
    other.error = NULL;
    address = authorize_address(&f->call, &request, &other, STR_EMPTY, "access_denied");
    assert_true(str_starts_with(address, STR(REDIRECT "?a=b&error=access_denied&iss=")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(what_is_sent_wrongly),
        ON_SQLITE(who_sends_it),
        ON_SQLITE(what_is_asked_for),
        ON_SQLITE(too_many_of_one_address),
        ON_SQLITE(too_many_revocations_of_nothing),
        ON_SQLITE(what_a_person_is_asked),
        ON_SQLITE(what_goes_without_saying),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}
