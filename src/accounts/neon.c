/* Signing in with Neon Auth. */
#include "accounts/neon.h"

#include "accounts/jwt.h"
#include "accounts/totp.h"
#include "accounts/users.h"
#include "audit/audit.h"
#include "json/json_write.h"
#include "limits/tries.h"
#include "net/http_client.h"
#include "store/neon.h"

enum { FETCH_MS = 5 * 1000, AUDIT_BYTES_MAX = 1024, SUBJECT_BYTES_MAX = 200 };

static struct {
    struct neon_settings settings;
    struct jwt_keys *keys;
    int64_t fetched_ms, tried_ms;
} neon;

void neon_init(const struct neon_settings *settings)
{
    neon.settings = *settings;
}

void neon_done(void)
{
    jwt_keys_free(neon.keys);
    neon.keys = NULL;
    neon.settings = (struct neon_settings){.url = STR_EMPTY};
}

/* ---- its keys */

static int fetch_keys(struct call *call)
{
    struct http_fetched answer;
    struct jwt_keys *keys;
    const struct http_header accept = {STR("Accept"), STR("application/json")};
    const struct http_fetch request = {
        .method = STR("GET"),
        .url = call_format(call, "%.*s/.well-known/jwks.json", STR_ARG(neon.settings.url)),
        .headers = &accept,
        .n_headers = 1,
        .body = STR_EMPTY,
        .pool_key = STR("neon auth"),
        .timeout_ms = FETCH_MS,
        .max_body_bytes = JWT_KEYS_BYTES_MAX,
    };
    neon.tried_ms = clock_monotonic_ms();
    int error = http_fetch(call, &request, &answer);
    if (!error && answer.status != 200)
        error = fail(call, E_UPSTREAM, "Neon Auth answered %d to the question for its keys.", answer.status);
    if (!error)
        error = jwt_keys_new(call, answer.body, &keys);
    if (error)
        return error;
    jwt_keys_free(neon.keys);
    neon.keys = keys;
    neon.fetched_ms = clock_monotonic_ms();
    return OK;
}

static int64_t age_ms(void)
{
    return clock_monotonic_ms() - neon.fetched_ms;
}

/* Old ones do while Neon Auth does not answer. */
static int have_keys(struct call *call)
{
    bool may_ask = !neon.tried_ms || clock_monotonic_ms() - neon.tried_ms >= NEON_KEYS_AGAIN_MS;
    if (neon.keys && age_ms() < NEON_KEYS_FRESH_MS)
        return OK;
    int error = may_ask || !neon.keys ? fetch_keys(call) : OK;
    if (!error || (neon.keys && age_ms() < NEON_KEYS_STALE_MS)) {
        call_clear_error(call);
        return OK;
    }
    fail_detail(call, "%.*s %.*s", STR_ARG(call->error_text), STR_ARG(call->error_detail));
    return fail(call, E_UNAVAILABLE, "Neon Auth cannot be asked for its keys right now. Try again in a minute.");
}

static int check_token(struct call *call, struct str token, struct jwt *ret)
{
    const struct jwt_rules rules = {neon.settings.issuer, neon.settings.audience, clock_now_ms() / 1000};
    int error = have_keys(call);
    if (!error)
        error = jwt_check(call, neon.keys, &rules, token, ret);
    if (error != E_NOT_FOUND)
        return error;
    /* A key that is new since: asked for again, but not as often as anybody likes. */
    if (clock_monotonic_ms() - neon.tried_ms >= NEON_KEYS_AGAIN_MS && fetch_keys(call) == OK)
        error = jwt_check(call, neon.keys, &rules, token, ret);
    if (error == E_NOT_FOUND) {
        fail_detail(call, "token refused: its key is unknown");
        return fail(call, E_UNAUTHENTICATED, "This sign-in is not valid, or has expired. Sign in again.");
    }
    return error;
}

/* ---- who that is here */

static bool claims_verified(const struct json *claims, bool *ret_is_said)
{
    const struct json *value = json_get(claims, STR("emailVerified"));
    if (json_is(value, JSON_MISSING))
        value = json_get(claims, STR("email_verified"));
    *ret_is_said = !json_is(value, JSON_MISSING);
    return json_bool_or(value, false);
}

/* The e-mail address is Neon Auth's table's; the token may not say anything else. */
static int check_neon_user(struct call *call, const struct jwt *jwt, struct neon_row *row)
{
    bool token_says, token_verified = claims_verified(jwt->claims, &token_says);
    struct str email = json_str(json_get(jwt->claims, STR("email")));
    int error = store_neon_user(call, str_sub(jwt->subject, 0, SUBJECT_BYTES_MAX), row);
    if (error)
        return error;
    if (!row->has_schema)
        return fail(call, E_NOT_FOUND, "This database has no Neon Auth (the schema neon_auth).");
    if (!row->found || row->email.len == 0)
        return fail(call, E_DENIED, "Neon Auth's table does not know this person (yet). Try again in a minute.");
    if (row->is_banned || json_bool_or(json_get(jwt->claims, STR("banned")), false))
        return fail(call, E_DENIED, "Neon Auth has banned this person.");
    if (email.len && !str_eq_nocase(email, row->email))
        return fail(call, E_DENIED, "The e-mail address was changed at Neon Auth. Sign in again in a minute.");
    if ((token_says && !token_verified) || (row->says_verified && !row->is_verified) ||
        (!token_says && !row->says_verified))
        return fail(call, E_DENIED, "Confirm your e-mail address at Neon Auth first.");
    return OK;
}

static int find_user(struct call *call, const struct neon_row *row, struct user_row *user, struct profile_row *profile)
{
    int error = users_find(call, row->email, user);
    if (error == E_NOT_FOUND)
        return fail(call, E_DENIED, "Nobody has an account here with this e-mail address. Register with it first.");
    if (!error)
        error = store_profiles_get(call, user->id, profile);
    if (!error && !profile->email_confirmed_at_ms)
        return fail(call, E_DENIED,
                    "The e-mail address of this account was never confirmed here. Log in with the password and confirm "
                    "it, or ask the operator (porteiro user confirm).");
    return error;
}

static int check_code(struct call *call, const struct user_row *user, const struct profile_row *profile,
                      struct str code)
{
    static const struct tries_rule of_account = {"neon code", 10, 60 * 1000};
    if (!profile->totp_since_ms)
        return OK;
    if (code.len == 0)
        return fail(call, E_WAITING, "Enter the code of your authenticator app, or one of your recovery codes.");
    int error = tries_take(call, &of_account, call_format(call, "%lld", (long long)user->id));
    if (!error)
        error = totp_check(call, user->id, profile, code);
    return error == E_UNAUTHENTICATED ? fail(call, error, "The code is wrong.") : error;
}

/* ---- the event */

static int record(struct call *call, const char *action, int64_t user_id, struct str subject, struct str address)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, AUDIT_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "by", STR("neon_auth"));
    if (subject.len)
        json_member_str(&w, "subject", str_sub(subject, 0, SUBJECT_BYTES_MAX));
    if (address.len)
        json_member_str(&w, "address", address);
    json_end(&w);
    const struct audit_event event = {.user_id = user_id, .action = str_from(action), .data_json = buf_str(&text)};
    return audit_record(call, &event);
}

static int check(struct call *call, struct str token, struct str code, struct jwt *jwt, struct user_row *user)
{
    struct profile_row profile = {.totp_since_ms = 0};
    struct neon_row row = {.email = STR_EMPTY};
    int error = check_token(call, token, jwt);
    if (!error)
        error = check_neon_user(call, jwt, &row);
    if (!error)
        error = find_user(call, &row, user, &profile);
    return error ? error : check_code(call, user, &profile, code);
}

int neon_login(struct call *call, struct str token, struct str code, const struct session_from *from,
               struct str *ret_session, int64_t *ret_user_id)
{
    static const struct tries_rule of_address = {"neon address", 30, 6 * 1000};
    struct jwt jwt = {.subject = STR_EMPTY};
    struct user_row user = {0};
    if (!neon.settings.url.len)
        return fail(call, E_NOT_FOUND, "Neon Auth is not set up on this server (PORTEIRO_NEON_AUTH_URL).");
    int error = tries_take_address(call, &of_address, from->address);
    if (!error)
        error = check(call, token, code, &jwt, &user);
    if (error == E_UNAUTHENTICATED || error == E_DENIED) {
        struct str text = call->error_text, detail = call->error_detail;
        int recorded = record(call, "auth.login_failed", user.id, jwt.subject, from->address);
        if (recorded)
            return recorded;
        call->error_detail = detail;
        return fail(call, error, "%.*s", STR_ARG(text));
    }
    if (!error)
        error = record(call, "auth.login", user.id, jwt.subject, from->address);
    if (!error)
        error = sessions_begin(call, user.id, from, ret_session);
    if (!error)
        *ret_user_id = user.id;
    return error;
}
