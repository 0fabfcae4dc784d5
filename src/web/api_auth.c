/* /api/auth: registering, logging in and out, a forgotten password. */
#include "web/api_auth.h"

#include "accounts/device.h"
#include "accounts/neon.h"
#include "accounts/registration.h"
#include "web/cookie.h"

#define USER_SCHEMA                                                                                                    \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"name\":" API_TEXT ",\"email\":" API_TEXT            \
    ",\"phone\":" API_TEXT "},\"required\":[\"id\",\"name\",\"email\",\"phone\"]}"
static void write_user(struct api *api, const struct user_row *user)
{
    json_object(&api->out);
    json_member_i64(&api->out, "id", user->id);
    json_member_str(&api->out, "name", user->name);
    json_member_str(&api->out, "email", user->email);
    json_member_str(&api->out, "phone", user->phone);
    json_end(&api->out);
}

/* ---- register */

static int register_user(struct call *call, struct api *api)
{
    const struct session_from from = api_from(call, api->request);
    const struct user_new new = {.name = api_text(api, "name"),
                                 .email = api_text(api, "email"),
                                 .phone = api_text(api, "phone"),
                                 .password = api_text(api, "password"),
                                 .language = api_text(api, "language")};
    struct user_row user;
    struct str token;
    int64_t id;
    int error = registration_add(call, &new, api_text(api, "invitation"), from.address, &id);
    if (!error)
        error = store_users_by_id(call, id, &user);
    if (!error)
        error = sessions_begin(call, id, &from, &token);
    if (error)
        return error;
    api_enter(call, api->exchange, id, token);
    write_user(api, &user);
    return OK;
}

const struct api_operation api_auth_register = {
    .id = "authRegister",
    .summary = "Makes an account and logs in. Depending on the server's settings anyone may, or only who was invited.",
    .body = API_BODY("\"name\":" API_SHORT_TEXT ",\"email\":" API_SHORT_TEXT ",\"phone\":" API_SHORT_TEXT
                     ",\"password\":" API_PASSWORD ",\"invitation\":" API_SHORT_TEXT ",\"language\":" API_SHORT_TEXT,
                     "\"name\",\"email\",\"phone\",\"password\""),
    .answer = USER_SCHEMA,
    .status = 201,
    .run = register_user,
};

/* ---- log in, log out */

static int begin(struct call *call, struct api *api, int64_t id, struct str token)
{
    struct user_row user;
    int error = store_users_by_id(call, id, &user);
    if (error)
        return error;
    api_enter(call, api->exchange, id, token);
    json_object(&api->out);
    json_key(&api->out, STR("user"));
    write_user(api, &user);
    json_end(&api->out);
    return OK;
}

static int login(struct call *call, struct api *api)
{
    const struct session_from from = api_from(call, api->request);
    struct str token, code = api_text(api, "code");
    int64_t id;
    int error = sessions_login(call, api_text(api, "emailOrPhone"), api_text(api, "password"),
                               code.ptr ? code : STR_EMPTY, &from, &token, &id);
    if (error == E_WAITING)
        api->error_code = "code_needed";
    return error ? error : begin(call, api, id, token);
}

const struct api_operation api_auth_login = {
    .id = "authLogin",
    .summary = "Logs in with a session cookie. The code of the second factor is asked for with the error code_needed.",
    .body = API_BODY("\"emailOrPhone\":" API_SHORT_TEXT ",\"password\":" API_PASSWORD ",\"code\":" API_SHORT_TEXT,
                     "\"emailOrPhone\",\"password\""),
    .answer = "{\"type\":\"object\",\"properties\":{\"user\":" USER_SCHEMA "},\"required\":[\"user\"]}",
    .status = 200,
    .run = login,
};

static int neon(struct call *call, struct api *api)
{
    const struct session_from from = api_from(call, api->request);
    struct str session, code = api_text(api, "code");
    int64_t id;
    int error = neon_login(call, api_text(api, "token"), code.ptr ? code : STR_EMPTY, &from, &session, &id);
    if (error == E_WAITING)
        api->error_code = "code_needed";
    return error ? error : begin(call, api, id, session);
}

const struct api_operation api_auth_neon = {
    .id = "authNeon",
    .summary = "Logs in with the token (JWT) of the database's Neon Auth: the person here who has the same confirmed "
               "e-mail address.",
    .body = API_BODY("\"token\":{\"type\":\"string\",\"maxLength\":8192},\"code\":" API_SHORT_TEXT, "\"token\""),
    .answer = "{\"type\":\"object\",\"properties\":{\"user\":" USER_SCHEMA "},\"required\":[\"user\"]}",
    .status = 200,
    .run = neon,
};

static int logout(struct call *call, struct api *api)
{
    int error = sessions_end(call, api->person.user_id, api->person.session_id);
    if (error)
        return error;
    if (!api->person.by_api)
        cookie_set(call, api->exchange, COOKIE_SESSION, STR_EMPTY);
    api_ok(api);
    return OK;
}

const struct api_operation api_auth_logout = {
    .id = "authLogout",
    .summary = "Ends this login (or, of a program, its API token).",
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = logout,
};

static int prove(struct call *call, struct api *api)
{
    if (api->person.by_api)
        return fail(call, E_DENIED, "This cannot be done with an API token: log in with a browser.");
    const struct session_from from = api_from(call, api->request);
    int error = sessions_prove(call, &api->person, api_text(api, "password"), &from);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_auth_prove = {
    .id = "authProve",
    .summary = "The password again: for ten minutes it allows what asks for it with the error password_needed.",
    .body = API_BODY("\"password\":" API_PASSWORD, "\"password\""),
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = prove,
};

/* ---- a forgotten password */

static int request_reset(struct call *call, struct api *api)
{
    int error = registration_mail_reset(call, api_text(api, "emailOrPhone"), api_from(call, api->request).address);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_auth_request_reset = {
    .id = "authRequestReset",
    .summary =
        "Mails a link for a new password, if there is such an account. The answer does not tell whether there is.",
    .body = API_BODY("\"emailOrPhone\":" API_SHORT_TEXT, "\"emailOrPhone\""),
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = request_reset,
};

static int reset(struct call *call, struct api *api)
{
    int64_t id;
    int error = users_reset_password(call, api_text(api, "token"), api_text(api, "password"), &id);
    if (error)
        return error;
    cookie_set(call, api->exchange, COOKIE_DEVICE, device_make(call, id));
    api_ok(api);
    return OK;
}

const struct api_operation api_auth_reset = {
    .id = "authReset",
    .summary = "Sets a new password with the token of a mailed link, and ends all logins and API tokens.",
    .body = API_BODY("\"token\":" API_SHORT_TEXT ",\"password\":" API_PASSWORD, "\"token\",\"password\""),
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = reset,
};

static int confirm_email(struct call *call, struct api *api)
{
    int error = registration_confirm_email(call, api_text(api, "token"));
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_auth_confirm_email = {
    .id = "authConfirmEmail",
    .summary = "Confirms an e-mail address with the token of a mailed link.",
    .body = API_BODY("\"token\":" API_SHORT_TEXT, "\"token\""),
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = confirm_email,
};
