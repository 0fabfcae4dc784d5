/* Logins. */
#include "accounts/sessions.h"

#include "accounts/login.h"
#include "accounts/owner.h"
#include "accounts/users.h"
#include "audit/audit.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "store/proofs.h"

enum { ID_CHARS = 16, AUDIT_BYTES_MAX = 1024 };

/* ---- events */

static int record(struct call *call, const char *action, int64_t user_id, const struct session_row *session)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, AUDIT_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "session", session->id);
    if (session->name.len)
        json_member_str(&w, "name", session->name);
    if (session->address.len)
        json_member_str(&w, "address", session->address);
    json_end(&w);
    const struct audit_event event = {.user_id = user_id, .action = str_from(action), .data_json = buf_str(&text)};
    return audit_record(call, &event);
}

/* ---- beginning */

static int make_room(struct call *call, const struct session_row *session)
{
    bool is_api = str_eq(session->kind, STR(SESSION_API));
    int64_t count;
    int error = store_sessions_forget(call, session->created_at_ms - SESSIONS_IDLE_MS, session->created_at_ms);
    if (!error)
        error = store_sessions_count(call, session->user_id, session->kind, &count);
    if (error || count < (is_api ? API_TOKENS_PER_USER_MAX : SESSIONS_PER_USER_MAX))
        return error;
    if (is_api)
        return fail(call, E_LIMIT, "You may have %d API tokens. End some that are not used any more.",
                    API_TOKENS_PER_USER_MAX);
    return fail(call, E_LIMIT, "You are logged in at %d places. Log out at some of them first.", SESSIONS_PER_USER_MAX);
}

/* By what somebody is let in. It must hold still when the login begins: who changes the password ends what is under way. */
struct ground {
    struct str password_hash; /* empty: not by a password */
    struct str half_hash;     /* the first half of a login in two steps, used up with it; empty: in one */
};

static int insert(struct call *call, struct session_row *session, const struct ground *ground, const char *action)
{
    struct proof_row half;
    int error = owner_lock_proved(call, session->user_id, ground->password_hash);
    if (!error && ground->half_hash.len)
        error = store_proofs_use(call, STR(PROOF_LOGIN), ground->half_hash, clock_now_ms(), &half);
    if (!error)
        error = make_room(call, session);
    if (!error)
        error = store_sessions_insert(call, session);
    if (!error)
        error = record(call, action, session->user_id, session);
    return error;
}

static int begin(struct call *call, struct session_row *session, const struct ground *ground, const char *action,
                 struct str *ret_token)
{
    char *hash = arena_alloc(call->arena, MAC_HEX_BYTES);
    struct str token = token_make(call, str_eq(session->kind, STR(SESSION_API)) ? TOKEN_API : TOKEN_SES);
    bool mine;
    token_hash(token, hash);
    session->id = token_word(call, ID_CHARS);
    session->token_hash = str_from(hash);
    session->created_at_ms = session->proved_at_ms = session->seen_at_ms = clock_now_ms();
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = store_end(call, mine, insert(call, session, ground, action));
    if (!error)
        *ret_token = token;
    return error;
}

static int begin_browser(struct call *call, int64_t user_id, const struct ground *ground,
                         const struct session_from *from, struct str *ret_token)
{
    struct session_row session = {
        .user_id = user_id,
        .kind = STR(SESSION_BROWSER),
        .name = STR_EMPTY,
        .address = from->address,
        .agent = str_cut(from->agent, SESSION_AGENT_BYTES_MAX),
        .expires_at_ms = clock_now_ms() + SESSIONS_LIFE_MS,
    };
    if (!str_is_utf8(session.agent))
        session.agent = STR_EMPTY;
    return begin(call, &session, ground, "sessions.begin", ret_token);
}

static const struct ground other_ground = {STR_INIT(""), STR_INIT("")};

int sessions_begin(struct call *call, int64_t user_id, const struct session_from *from, struct str *ret_token)
{
    return begin_browser(call, user_id, &other_ground, from, ret_token);
}

/* ret_user: set with E_WAITING, too. */
static int login(struct call *call, const struct login_proof *proof, const struct session_from *from,
                 struct str *ret_token, struct user_row *ret_user)
{
    int error = login_check(call, proof, ret_user);
    if (error)
        return error;
    const struct ground ground = {.password_hash = ret_user->password_hash, .half_hash = STR_EMPTY};
    return begin_browser(call, ret_user->id, &ground, from, ret_token);
}

int sessions_login(struct call *call, struct str who, struct str password, struct str code,
                   const struct session_from *from, struct str *ret_token, int64_t *ret_user_id)
{
    const struct login_proof proof = {
        .who = who, .password = password, .code = code, .address = from->address, .device = from->device};
    struct user_row user;
    int error = login(call, &proof, from, ret_token, &user);
    if (!error)
        *ret_user_id = user.id;
    return error;
}

/* ---- logging in, in two steps */

static int make_half(struct call *call, const struct user_row *user, struct str *ret_token)
{
    char *hash = arena_alloc(call->arena, MAC_HEX_BYTES);
    int64_t now = clock_now_ms();
    *ret_token = token_make(call, TOKEN_LNK);
    token_hash(*ret_token, hash);
    const struct proof_row proof = {.id = token_word(call, ID_CHARS),
                                    .user_id = user->id,
                                    .kind = STR(PROOF_LOGIN),
                                    .hash = str_from(hash),
                                    .value = STR_EMPTY,
                                    .created_at_ms = now,
                                    .expires_at_ms = now + SESSION_CODE_MS};
    int error = owner_lock_proved(call, user->id, user->password_hash);
    if (!error)
        error = store_proofs_delete_all(call, user->id, STR(PROOF_LOGIN));
    return error ? error : store_proofs_insert(call, &proof);
}

int sessions_login_password(struct call *call, struct str who, struct str password, const struct session_from *from,
                            struct str *ret_token, int64_t *ret_user_id)
{
    const struct login_proof proof = {
        .who = who, .password = password, .code = STR_EMPTY, .address = from->address, .device = from->device};
    struct user_row user;
    bool mine;
    int error = login(call, &proof, from, ret_token, &user);
    if (!error || error == E_WAITING)
        *ret_user_id = user.id;
    if (error != E_WAITING)
        return error;
    call_clear_error(call);
    error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, make_half(call, &user, ret_token));
    return error ? error : E_WAITING;
}

static int too_late(struct call *call)
{
    return fail(call, E_DENIED, "The login took too long. Begin again.");
}

int sessions_login_code(struct call *call, struct str token, struct str code, const struct session_from *from,
                        struct str *ret_token, int64_t *ret_user_id)
{
    struct proof_row proof;
    enum token_type type;
    char hash[MAC_HEX_BYTES];
    if (!token_check(token, &type) || type != TOKEN_LNK)
        return too_late(call);
    token_hash(token, hash);
    int error = store_proofs_look(call, STR(PROOF_LOGIN), str_from(hash), clock_now_ms(), &proof);
    if (!error)
        error = login_check_code(call, proof.user_id, code, from->address, from->device);
    if (error == E_WAITING) /* none was given */
        return fail(call, E_UNAUTHENTICATED,
                    "Enter the code of your authenticator app, or one of your recovery codes.");
    const struct ground ground = {.password_hash = STR_EMPTY, .half_hash = str_from(hash)};
    if (!error)
        error = begin_browser(call, proof.user_id, &ground, from, ret_token);
    if (error == E_NOT_FOUND)
        return too_late(call);
    if (!error)
        *ret_user_id = proof.user_id;
    return error;
}

int sessions_add_api(struct call *call, int64_t user_id, struct str name, int64_t expires_at_ms,
                     struct session_row *ret, struct str *ret_token)
{
    name = str_trim(name);
    if (name.len == 0 || name.len > API_TOKEN_NAME_BYTES_MAX || !str_is_utf8(name))
        return fail(call, E_INVALID, "The token needs a name of at most %d bytes, so that you know it again.",
                    API_TOKEN_NAME_BYTES_MAX);
    *ret = (struct session_row){.user_id = user_id,
                                .kind = STR(SESSION_API),
                                .name = name,
                                .address = STR_EMPTY,
                                .agent = STR_EMPTY,
                                .expires_at_ms = expires_at_ms};
    return begin(call, ret, &other_ground, "api_tokens.create", ret_token);
}

/* ---- finding */

static int refuse(struct call *call)
{
    return fail(call, E_UNAUTHENTICATED, "You are not logged in, or your login has ended. Log in again.");
}

static bool has_ended(const struct session_row *session, int64_t now)
{
    return (session->expires_at_ms && session->expires_at_ms <= now) ||
           (str_eq(session->kind, STR(SESSION_BROWSER)) && now - session->seen_at_ms > SESSIONS_IDLE_MS);
}

int sessions_find(struct call *call, struct str token, struct person *ret)
{
    struct session_facts facts;
    char hash[MAC_HEX_BYTES];
    enum token_type type;
    int64_t now = clock_now_ms();
    if (!token_check(token, &type) || (type != TOKEN_SES && type != TOKEN_API))
        return refuse(call);
    token_hash(token, hash);
    int error = store_sessions_facts(call, str_from(hash), &facts);
    bool by_api = !error && str_eq(facts.session.kind, STR(SESSION_API));
    if (error == E_NOT_FOUND || (!error && (has_ended(&facts.session, now) || by_api != (type == TOKEN_API))))
        return refuse(call);
    if (!error && now - facts.session.seen_at_ms > SESSION_SEEN_MS)
        error = store_sessions_seen(call, facts.session.id, now);
    if (error)
        return error;
    *ret = (struct person){
        .user_id = facts.user.id,
        .session_id = facts.session.id,
        .by_api = by_api,
        .name = facts.user.name,
        .email = facts.user.email,
        .phone = facts.user.phone,
        .language = facts.profile.language,
        .is_admin = facts.profile.is_admin,
        .is_confirmed = facts.profile.email_confirmed_at_ms != 0,
        .is_stopped = facts.profile.stopped_at_ms != 0,
        .has_second_factor = facts.profile.totp_since_ms != 0,
        .proved_at_ms = by_api ? 0 : facts.session.proved_at_ms,
    };
    return OK;
}

/* ---- the password again */

bool sessions_is_proven(const struct person *person)
{
    return !person->by_api && clock_now_ms() - person->proved_at_ms <= SESSION_PROVEN_MS;
}

static int prove(struct call *call, const struct person *person, struct str password, const struct session_from *from,
                 struct user_row *ret)
{
    const struct login_proof proof = {.who = person->email,
                                      .password = password,
                                      .needs_no_code = true,
                                      .address = from->address,
                                      .device = from->device};
    int error = login_check(call, &proof, ret);
    if (!error && ret->id != person->user_id)
        return fail(call, E_UNAUTHENTICATED, "The password is wrong.");
    if (!error)
        error = store_sessions_proved(call, person->session_id, clock_now_ms());
    return error == E_NOT_FOUND ? refuse(call) : error;
}

int sessions_prove(struct call *call, const struct person *person, struct str password, const struct session_from *from)
{
    struct user_row user;
    return prove(call, person, password, from, &user);
}

int sessions_change_password(struct call *call, const struct person *person, struct str current, struct str password,
                             const struct session_from *from)
{
    struct user_row user;
    int error = prove(call, person, current, from, &user);
    return error ? error : users_change_password(call, &user, password, person->session_id);
}

/* ---- listing, ending */

int sessions_list(struct call *call, int64_t user_id, struct str kind, struct session_rows *ret)
{
    int64_t now = clock_now_ms();
    int error = store_sessions_forget(call, now - SESSIONS_IDLE_MS, now);
    return error ? error : store_sessions_list(call, user_id, kind, ret);
}

int sessions_look(struct call *call, int64_t user_id, struct str id)
{
    struct session_rows rows;
    int error = store_sessions_list(call, user_id, STR_EMPTY, &rows);
    for (size_t i = 0; !error && i < rows.count; i++)
        if (str_eq(rows.items[i].id, id) && !has_ended(&rows.items[i], clock_now_ms()))
            return OK;
    return error ? error : fail(call, E_NOT_FOUND, "This login has ended.");
}

static int end(struct call *call, int64_t user_id, struct str id)
{
    struct session_row session;
    int error = store_sessions_delete(call, user_id, id, &session);
    return error ? error
                 : record(call, str_eq(session.kind, STR(SESSION_API)) ? "api_tokens.revoke" : "sessions.end", user_id,
                          &session);
}

int sessions_end(struct call *call, int64_t user_id, struct str id)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, end(call, user_id, id));
}

static int end_others(struct call *call, const struct person *person, int64_t *ret_count)
{
    int error =
        store_sessions_delete_others(call, person->user_id, STR(SESSION_BROWSER), person->session_id, ret_count);
    if (error)
        return error;
    const struct audit_event event = {
        .user_id = person->user_id,
        .action = STR("sessions.end_others"),
        .data_json = call_format(call, "{\"count\":%lld}", (long long)*ret_count),
    };
    return audit_record(call, &event);
}

int sessions_end_others(struct call *call, const struct person *person, int64_t *ret_count)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, end_others(call, person, ret_count));
}
