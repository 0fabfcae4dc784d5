/* /api/me: what a person says of themselves, their logins, API tokens and second factor. */
#include "web/api_me.h"

#include "accounts/registration.h"
#include "accounts/tokens.h"
#include "accounts/totp.h"
#include "web/cookie.h"

#define ME_SCHEMA                                                                                                      \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"name\":" API_TEXT ",\"email\":" API_TEXT            \
    ",\"phone\":" API_TEXT ",\"language\":" API_TEXT ",\"admin\":" API_BOOLEAN ",\"email_confirmed\":" API_BOOLEAN     \
    ",\"stopped\":" API_BOOLEAN ",\"stopped_by_admin\":" API_BOOLEAN ",\"second_factor\":" API_BOOLEAN                 \
    "},\"required\":[\"id\",\"name\",\"email\",\"phone\",\"language\",\"admin\",\"email_confirmed\",\"stopped\","      \
    "\"stopped_by_admin\",\"second_factor\"]}"

static int write_me(struct call *call, struct api *api)
{
    struct user_row user;
    struct profile_row profile;
    int error = store_users_by_id(call, api->person.user_id, &user);
    if (!error)
        error = store_profiles_get(call, user.id, &profile);
    if (error)
        return error;
    json_object(&api->out);
    json_member_i64(&api->out, "id", user.id);
    json_member_str(&api->out, "name", user.name);
    json_member_str(&api->out, "email", user.email);
    json_member_str(&api->out, "phone", user.phone);
    json_member_str(&api->out, "language", profile.language);
    json_member_bool(&api->out, "admin", profile.is_admin);
    json_member_bool(&api->out, "email_confirmed", profile.email_confirmed_at_ms != 0);
    json_member_bool(&api->out, "stopped", profile.stopped_at_ms != 0);
    json_member_bool(&api->out, "stopped_by_admin", profile.stopped_by_admin);
    json_member_bool(&api->out, "second_factor", profile.totp_since_ms != 0);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_me_show = {
    .id = "meShow", .summary = "Who is logged in.", .answer = ME_SCHEMA, .status = 200, .run = write_me};

static int change(struct call *call, struct api *api)
{
    const struct user_change change = {
        .name = api_text(api, "name"), .phone = api_text(api, "phone"), .language = api_text(api, "language")};
    int error = users_change(call, api->person.user_id, &change);
    return error ? error : write_me(call, api);
}

const struct api_operation api_me_change = {
    .id = "meChange",
    .summary = "Changes name, phone or language.",
    .body = API_BODY("\"name\":" API_SHORT_TEXT ",\"phone\":" API_SHORT_TEXT ",\"language\":" API_SHORT_TEXT, ""),
    .answer = ME_SCHEMA,
    .status = 200,
    .run = change,
};

static int change_email(struct call *call, struct api *api)
{
    int error = registration_change_email(call, api->person.user_id, api_text(api, "email"));
    return error ? error : write_me(call, api);
}

const struct api_operation api_me_change_email = {
    .id = "meChangeEmail",
    .summary = "Changes the e-mail address; where mail is set up, a mail to the new one asks to confirm it. "
               "Five times an hour, and three to one address.",
    .body = API_BODY("\"email\":" API_SHORT_TEXT, "\"email\""),
    .answer = ME_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = change_email,
};

static int change_password(struct call *call, struct api *api)
{
    if (api->person.by_api)
        return fail(call, E_DENIED, "This cannot be done with an API token: log in with a browser.");
    const struct session_from from = api_from(call, api->request);
    int error =
        sessions_change_password(call, &api->person, api_text(api, "current"), api_text(api, "password"), &from);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_me_change_password = {
    .id = "meChangePassword",
    .summary = "Changes the password and ends all other logins.",
    .body = API_BODY("\"current\":" API_PASSWORD ",\"password\":" API_PASSWORD, "\"current\",\"password\""),
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = change_password,
};

static int delete_me(struct call *call, struct api *api)
{
    int error = users_delete(call, api->person.user_id);
    if (error)
        return error;
    cookie_set(call, api->exchange, COOKIE_SESSION, STR_EMPTY);
    api_ok(api);
    return OK;
}

const struct api_operation api_me_delete = {
    .id = "meDelete",
    .summary = "Deletes the account with all connections and tokens. What was done stays in the audit log.",
    .answer = API_OK_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = delete_me,
};

/* ---- stop everything */

static int set_stopped(struct call *call, struct api *api, bool is_stopped)
{
    int error = users_set_stopped(call, api->person.user_id, is_stopped, false);
    return error ? error : write_me(call, api);
}

static int stop(struct call *call, struct api *api)
{
    return set_stopped(call, api, true);
}

static int resume(struct call *call, struct api *api)
{
    return set_stopped(call, api, false);
}

const struct api_operation api_me_stop = {
    .id = "meStop",
    .summary = "Stops everything: within a second none of the person's tokens does anything any more.",
    .answer = ME_SCHEMA,
    .status = 200,
    .run = stop,
};
const struct api_operation api_me_resume = {.id = "meResume",
                                            .summary = "Lets everything go on, unless an administrator stopped it.",
                                            .answer = ME_SCHEMA,
                                            .status = 200,
                                            .run = resume};

/* ---- logins */

#define SESSION_SCHEMA                                                                                                 \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"name\":" API_TEXT_OR_NULL                              \
    ",\"address\":" API_TEXT_OR_NULL ",\"agent\":" API_TEXT_OR_NULL ",\"current\":" API_BOOLEAN                        \
    ",\"created_at\":" API_TIME_OR_NULL ",\"seen_at\":" API_TIME_OR_NULL ",\"expires_at\":" API_TIME_OR_NULL           \
    "},\"required\":[\"id\"]}"

static void write_session(struct call *call, struct api *api, const struct session_row *row)
{
    json_object(&api->out);
    json_member_str(&api->out, "id", row->id);
    api_member_text(&api->out, "name", row->name);
    api_member_text(&api->out, "address", row->address);
    api_member_text(&api->out, "agent", row->agent);
    json_member_bool(&api->out, "current", str_eq(row->id, api->person.session_id));
    api_member_time(call, &api->out, "created_at", row->created_at_ms);
    api_member_time(call, &api->out, "seen_at", row->seen_at_ms);
    api_member_time(call, &api->out, "expires_at", row->expires_at_ms);
    json_end(&api->out);
}

static int list_kind(struct call *call, struct api *api, const char *kind)
{
    struct session_rows rows;
    int error = sessions_list(call, api->person.user_id, str_from(kind), &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_session(call, api, &rows.items[i]);
    api_list_end(api);
    return OK;
}

static int list_sessions(struct call *call, struct api *api)
{
    return list_kind(call, api, SESSION_BROWSER);
}

const struct api_operation api_me_sessions = {
    .id = "sessionsList",
    .summary = "Where the person is logged in with a browser.",
    .answer = API_LIST_SCHEMA(SESSION_SCHEMA),
    .status = 200,
    .run = list_sessions,
};

static int end_session(struct call *call, struct api *api)
{
    int error = sessions_end(call, api->person.user_id, api->segment);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_me_end_session = {
    .id = "sessionsEnd", .summary = "Ends one login.", .answer = API_OK_SCHEMA, .status = 200, .run = end_session};

const struct api_operation api_me_end_api_token = {
    .id = "apiTokensEnd", .summary = "Ends one API token.", .answer = API_OK_SCHEMA, .status = 200, .run = end_session};

static int end_others(struct call *call, struct api *api)
{
    int64_t count;
    int error = sessions_end_others(call, &api->person, &count);
    if (error)
        return error;
    json_object(&api->out);
    json_member_i64(&api->out, "ended", count);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_me_end_others = {
    .id = "sessionsEndOthers",
    .summary = "Ends all logins with a browser but this one.",
    .answer = "{\"type\":\"object\",\"properties\":{\"ended\":" API_INTEGER "},\"required\":[\"ended\"]}",
    .status = 200,
    .run = end_others,
};

/* ---- API tokens */

static int list_api_tokens(struct call *call, struct api *api)
{
    return list_kind(call, api, SESSION_API);
}

const struct api_operation api_me_api_tokens = {
    .id = "apiTokensList",
    .summary = "The person's API tokens, without the tokens themselves.",
    .answer = API_LIST_SCHEMA(SESSION_SCHEMA),
    .status = 200,
    .run = list_api_tokens,
};

static int add_api_token(struct call *call, struct api *api)
{
    struct str expires = api_text(api, "expires"), token;
    struct session_row row;
    int64_t expires_at_ms = 0;
    int error = tokens_parse_expiry(call, expires.ptr ? expires : STR("90d"), &expires_at_ms);
    if (!error)
        error = sessions_add_api(call, api->person.user_id, api_text(api, "name"), expires_at_ms, &row, &token);
    if (error)
        return error;
    json_object(&api->out);
    json_member_str(&api->out, "id", row.id);
    json_member_str(&api->out, "token", token);
    api_member_time(call, &api->out, "expires_at", row.expires_at_ms);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_me_add_api_token = {
    .id = "apiTokensAdd",
    .summary = "Makes an API token (prt_api_...), which is shown this once. expires: 90d (as without it), 12h, never.",
    .body = API_BODY("\"name\":" API_SHORT_TEXT ",\"expires\":" API_SHORT_TEXT, "\"name\""),
    .answer = "{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"token\":" API_TEXT
              ",\"expires_at\":" API_TIME_OR_NULL "},\"required\":[\"id\",\"token\"]}",
    .status = 201,
    .is_grave = true,
    .run = add_api_token,
};

/* ---- the second factor */

static int begin_totp(struct call *call, struct api *api)
{
    struct str secret, uri;
    int error = totp_begin(call, api->person.user_id, api->person.email, &secret, &uri);
    if (error)
        return error;
    json_object(&api->out);
    json_member_str(&api->out, "secret", secret);
    json_member_str(&api->out, "uri", uri);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_me_begin_totp = {
    .id = "secondFactorBegin",
    .summary = "A new key for an authenticator app; it counts once a code of the app confirmed it.",
    .answer = "{\"type\":\"object\",\"properties\":{\"secret\":" API_TEXT ",\"uri\":" API_TEXT
              "},\"required\":[\"secret\",\"uri\"]}",
    .status = 200,
    .is_grave = true,
    .run = begin_totp,
};

static int confirm_totp(struct call *call, struct api *api)
{
    struct str codes[TOTP_RECOVERY_CODES];
    int error = totp_confirm(call, api->person.user_id, api_text(api, "code"), codes);
    if (error)
        return error;
    json_object(&api->out);
    json_key(&api->out, STR("recovery_codes"));
    json_array(&api->out);
    for (size_t i = 0; i < TOTP_RECOVERY_CODES; i++)
        json_string(&api->out, codes[i]);
    json_end(&api->out);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_me_confirm_totp = {
    .id = "secondFactorConfirm",
    .summary = "Turns the second factor on with a code of the app. The recovery codes are shown this once.",
    .body = API_BODY("\"code\":" API_SHORT_TEXT, "\"code\""),
    .answer = "{\"type\":\"object\",\"properties\":{\"recovery_codes\":{\"type\":\"array\",\"items\":" API_TEXT
              "}},\"required\":[\"recovery_codes\"]}",
    .status = 200,
    .is_grave = true,
    .run = confirm_totp,
};

static int end_totp(struct call *call, struct api *api)
{
    int error = totp_end(call, api->person.user_id);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_me_end_totp = {
    .id = "secondFactorEnd",
    .summary = "Turns the second factor off.",
    .answer = API_OK_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = end_totp,
};
