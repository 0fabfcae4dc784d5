/* /api/users and /api/invitations */
#include "web/api_people.h"

#include "accounts/registration.h"

#define PERSON_SCHEMA                                                                                                  \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"name\":" API_TEXT ",\"email\":" API_TEXT            \
    ",\"phone\":" API_TEXT ",\"admin\":" API_BOOLEAN ",\"stopped\":" API_BOOLEAN ",\"stopped_by_admin\":" API_BOOLEAN  \
    ",\"email_confirmed\":" API_BOOLEAN ",\"second_factor\":" API_BOOLEAN ",\"created_at\":" API_TIME_OR_NULL          \
    "},\"required\":[\"id\",\"name\",\"email\"]}"

static void write_person(struct call *call, struct api *api, const struct user_row *user,
                         const struct profile_row *profile)
{
    json_object(&api->out);
    json_member_i64(&api->out, "id", user->id);
    json_member_str(&api->out, "name", user->name);
    json_member_str(&api->out, "email", user->email);
    json_member_str(&api->out, "phone", user->phone);
    json_member_bool(&api->out, "admin", profile->is_admin);
    json_member_bool(&api->out, "stopped", profile->stopped_at_ms != 0);
    json_member_bool(&api->out, "stopped_by_admin", profile->stopped_by_admin);
    json_member_bool(&api->out, "email_confirmed", profile->email_confirmed_at_ms != 0);
    json_member_bool(&api->out, "second_factor", profile->totp_since_ms != 0);
    api_member_time(call, &api->out, "created_at", user->created_at_ms);
    json_end(&api->out);
}

static int list(struct call *call, struct api *api)
{
    struct people_rows rows;
    int error = store_profiles_people(call, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_person(call, api, &rows.items[i].user, &rows.items[i].profile);
    api_list_end(api);
    return OK;
}

const struct api_operation api_users_list = {.id = "usersList",
                                             .summary = "All people with an account.",
                                             .answer = API_LIST_SCHEMA(PERSON_SCHEMA),
                                             .status = 200,
                                             .run = list};

static int change(struct call *call, struct api *api)
{
    const struct json *admin = json_get(api->body, STR("admin")), *stopped = json_get(api->body, STR("stopped"));
    struct profile_row profile;
    struct user_row user;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = store_users_by_id(call, id, &user);
    if (!error && json_is(admin, JSON_BOOL))
        error = users_set_admin(call, id, json_bool_or(admin, false));
    bool stop = json_bool_or(stopped, false);
    if (!error && json_is(stopped, JSON_BOOL)) /* one's own account is stopped, and let go on, as under /api/me */
        error = users_set_stopped(call, id, stop, id != api->person.user_id);
    if (!error)
        error = store_profiles_get(call, id, &profile);
    if (!error)
        write_person(call, api, &user, &profile);
    return error;
}

const struct api_operation api_users_change = {
    .id = "usersChange",
    .summary = "Makes somebody an administrator, or no longer; stops everything of theirs, or lets it go on.",
    .body = API_BODY("\"admin\":" API_BOOLEAN ",\"stopped\":" API_BOOLEAN, ""),
    .answer = PERSON_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = change,
};

static int delete (struct call *call, struct api *api)
{
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error && id == api->person.user_id)
        return fail(call, E_CONFLICT, "That is you. Delete your own account under /api/me.");
    if (!error)
        error = users_delete(call, id);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_users_delete = {
    .id = "usersDelete",
    .summary = "Deletes somebody's account with all connections and tokens. What was done stays in the audit log.",
    .answer = API_OK_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = delete,
};

/* ---- invitations */

#define INVITATION_SCHEMA                                                                                              \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"email\":" API_TEXT_OR_NULL                             \
    ",\"created_at\":" API_TIME_OR_NULL ",\"expires_at\":" API_TIME_OR_NULL "},\"required\":[\"id\"]}"

static int list_invitations(struct call *call, struct api *api)
{
    struct proof_rows rows;
    int error = registration_invitations(call, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++) {
        json_object(&api->out);
        json_member_str(&api->out, "id", rows.items[i].id);
        api_member_text(&api->out, "email", rows.items[i].value);
        api_member_time(call, &api->out, "created_at", rows.items[i].created_at_ms);
        api_member_time(call, &api->out, "expires_at", rows.items[i].expires_at_ms);
        json_end(&api->out);
    }
    api_list_end(api);
    return OK;
}

const struct api_operation api_invitations_list = {.id = "invitationsList",
                                                   .summary = "Invitations that nobody has used yet.",
                                                   .answer = API_LIST_SCHEMA(INVITATION_SCHEMA),
                                                   .status = 200,
                                                   .run = list_invitations};

static int invite(struct call *call, struct api *api)
{
    struct str email = api_text(api, "email"), id, link;
    int error = registration_invite(call, api->person.user_id, email.ptr ? email : STR_EMPTY, &id, &link);
    if (error)
        return error;
    json_object(&api->out);
    json_member_str(&api->out, "id", id);
    json_member_str(&api->out, "link", link);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_invitations_add = {
    .id = "invitationsAdd",
    .summary = "Invites somebody: a link, good once and for a week, shown this once; mailed too where mail is set up.",
    .body = API_BODY("\"email\":" API_SHORT_TEXT, ""),
    .answer = "{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"link\":" API_TEXT
              "},\"required\":[\"id\",\"link\"]}",
    .status = 201,
    .run = invite,
};

static int uninvite(struct call *call, struct api *api)
{
    int error = registration_uninvite(call, api->person.user_id, api->segment);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_invitations_delete = {.id = "invitationsDelete",
                                                     .summary = "Takes an invitation back.",
                                                     .answer = API_OK_SCHEMA,
                                                     .status = 200,
                                                     .run = uninvite};
