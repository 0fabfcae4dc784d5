/* People with an account. */
#include "accounts/users.h"

#include "accounts/contact.h"
#include "accounts/generation.h"
#include "accounts/mail.h"
#include "accounts/owner.h"
#include "accounts/passwords.h"
#include "audit/audit.h"
#include "crypto/token.h"
#include "json/json.h"
#include "json/json_write.h"
#include "store/keys.h"
#include "store/proofs.h"
#include "store/sessions.h"

enum { EMAIL_IN_AUDIT_BYTES = 190 };

/* ---- events */

static int record(struct call *call, const char *action, int64_t user_id, const char *key, struct str email)
{
    struct str value = json_quote(call->arena, str_sub(email, 0, EMAIL_IN_AUDIT_BYTES));
    const struct audit_event event = {
        .user_id = user_id,
        .action = str_from(action),
        .data_json = call_format(call, "{\"%s\":%.*s}", key, STR_ARG(value)),
    };
    return audit_record(call, &event);
}

/* ---- adding, changing, deleting */

static bool has_other(const struct user_rows *rows, int64_t id)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].id != id)
            return true;
    return false;
}

/* E-mail in any case and phone are distinct, which no index can say: the lock makes it true for all processes. */
static int check_distinct(struct call *call, const struct user_row *user)
{
    struct user_rows same_email, same_phone;
    int error = store_users_by_lower_email(call, user->email, &same_email);
    if (!error && has_other(&same_email, user->id))
        return fail(call, E_CONFLICT, "This e-mail address is registered already.");
    if (!error)
        error = store_users_by_phone(call, user->phone, &same_phone);
    if (!error && has_other(&same_phone, user->id))
        return fail(call, E_CONFLICT, "This phone number is registered already.");
    return error;
}

static int put_profile(struct call *call, int64_t id, const struct user_new *new_user)
{
    const struct profile_row profile = {.is_admin = new_user->is_admin,
                                        .language = new_user->language.len ? new_user->language : STR_EMPTY,
                                        .totp_sealed = STR_EMPTY};
    return store_profiles_put(call, id, &profile);
}

static int clean_language(struct call *call, struct str language)
{
    if (language.len == 0 || str_eq(language, STR("en")) || str_eq(language, STR("pt-BR")))
        return OK;
    return fail(call, E_INVALID, "There are these languages: en, pt-BR.");
}

static int insert_user(struct call *call, struct user_row *user, const struct user_new *new_user)
{
    int error = store_keys_lock(call, 0);
    if (!error)
        error = check_distinct(call, user);
    if (!error)
        error = store_users_insert(call, user, &user->id);
    if (!error && (new_user->is_admin || new_user->language.len))
        error = put_profile(call, user->id, new_user);
    if (!error)
        error = mail_prepare(call, user->id); /* to confirm the address */
    if (!error)
        error = record(call, "auth.register", user->id, "email", user->email);
    return error;
}

int users_prepare(struct call *call, const struct user_new *new_user, struct user_row *ret)
{
    *ret = (struct user_row){0};
    int error = contact_clean_name(call, new_user->name, &ret->name);
    if (!error)
        error = contact_clean_email(call, new_user->email, &ret->email);
    if (!error)
        error = contact_clean_phone(call, new_user->phone, &ret->phone);
    if (!error)
        error = clean_language(call, new_user->language);
    if (!error)
        error = password_check_rules(call, new_user->password, ret->email);
    return error ? error : passwords_hash(call, new_user->password, &ret->password_hash);
}

int users_insert(struct call *call, const struct user_new *new_user, struct user_row *user)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, insert_user(call, user, new_user));
}

int users_add(struct call *call, const struct user_new *new_user, int64_t *ret_id)
{
    struct user_row user;
    int error = users_prepare(call, new_user, &user);
    if (!error)
        error = users_insert(call, new_user, &user);
    if (!error)
        *ret_id = user.id;
    return error;
}

int users_list(struct call *call, struct user_rows *ret)
{
    return store_users_list(call, ret);
}

int users_find(struct call *call, struct str email, struct user_row *ret)
{
    struct user_rows rows;
    email = str_trim(email);
    if (email.len > EMAIL_BYTES_MAX || !str_is_utf8(email) || str_find_char(email, '\0') != STR_NOT_FOUND)
        return fail(call, E_NOT_FOUND, "There is no user with this e-mail address.");
    int error = store_users_by_email(call, email, ret);
    if (error != E_NOT_FOUND)
        return error;
    call_clear_error(call);
    error = store_users_by_lower_email(call, email, &rows);
    if (error)
        return error;
    if (rows.count == 0)
        return fail(call, E_NOT_FOUND, "There is no user with this e-mail address.");
    if (rows.count > 1)
        return fail(call, E_NOT_FOUND,
                    "Several users have this e-mail address in different case. Write it exactly as it was registered.");
    *ret = rows.items[0];
    return OK;
}

int users_find_who(struct call *call, struct str email_or_phone, struct user_row *ret)
{
    struct user_rows rows;
    struct str phone;
    if (str_find_char(email_or_phone, '@') != STR_NOT_FOUND)
        return users_find(call, email_or_phone, ret);
    int error = contact_clean_phone(call, email_or_phone, &phone);
    if (!error)
        error = store_users_by_phone(call, phone, &rows);
    if (error && error != E_INVALID)
        return error;
    if (error || rows.count != 1)
        return fail(call, E_NOT_FOUND, "There is no user with this e-mail address or phone number.");
    *ret = rows.items[0];
    return OK;
}

/* Tells the address that the person had until now. */
static int tell(struct call *call, const struct user_row *user, enum mail_kind kind)
{
    struct profile_row profile;
    int error = store_profiles_get(call, user->id, &profile);
    if (error)
        return error;
    const struct mail mail = {.kind = kind,
                              .user_id = user->id,
                              .to = user->email,
                              .name = user->name,
                              .language = profile.language,
                              .link = STR_EMPTY};
    return mail_queue(call, &mail);
}

/* ---- changing what a person says of themselves */

static int clean_change(struct call *call, const struct user_change *change, struct user_row *user,
                        bool *ret_is_new_email)
{
    struct str email = user->email;
    int error = OK;
    if (change->name.ptr)
        error = contact_clean_name(call, change->name, &user->name);
    if (!error && change->email.ptr)
        error = contact_clean_email(call, change->email, &user->email);
    if (!error && change->phone.ptr)
        error = contact_clean_phone(call, change->phone, &user->phone);
    if (!error)
        error = clean_language(call, change->language);
    *ret_is_new_email = !str_eq(email, user->email);
    return error;
}

static int change_profile(struct call *call, int64_t id, const struct user_change *change, bool is_new_email)
{
    struct profile_row profile;
    if (!change->language.ptr && !is_new_email)
        return OK;
    int error = store_profiles_get(call, id, &profile);
    if (change->language.ptr)
        profile.language = change->language;
    if (is_new_email)
        profile.email_confirmed_at_ms = 0;
    return error ? error : store_profiles_put(call, id, &profile);
}

static int change_user(struct call *call, int64_t id, const struct user_change *change)
{
    struct user_row user = {0}, before;
    bool is_new_email;
    int error = store_keys_lock(call, 0);
    if (!error)
        error = store_users_by_id(call, id, &user);
    if (!error && change->email.ptr)
        error = mail_prepare(call, id); /* to both addresses */
    before = user;
    if (!error)
        error = clean_change(call, change, &user, &is_new_email);
    if (!error)
        error = check_distinct(call, &user);
    if (!error)
        error = store_users_update(call, &user);
    if (!error && is_new_email)
        error = tell(call, &before, MAIL_EMAIL_CHANGED);
    if (!error)
        error = change_profile(call, id, change, is_new_email);
    return error ? error : record(call, "users.change", id, "email", user.email);
}

int users_change(struct call *call, int64_t id, const struct user_change *change)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, change_user(call, id, change));
}

/*
 * reset_hash: the reset that allows it, used up with it; empty: none is needed. proved_hash: of the password that allows it; empty:
 * none does.
 */
struct password_change {
    struct str password, keep_session_id, reset_hash, proved_hash;
};

/* Who has a link that went by mail reads the mails of that address. One that an operator passed on tells nothing. */
static int confirm_by_reset(struct call *call, const struct user_row *user, struct str reset_hash)
{
    struct profile_row profile;
    struct proof_row proof;
    int error = store_proofs_use(call, STR(PROOF_RESET), reset_hash, clock_now_ms(), &proof);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        return OK;
    }
    if (!error)
        error = store_profiles_get(call, user->id, &profile);
    if (error || profile.email_confirmed_at_ms || proof.user_id != user->id || !str_eq_nocase(proof.value, user->email))
        return error;
    return users_confirm_email(call, user->id, proof.value);
}

static int change_password(struct call *call, const struct user_row *user, const struct password_change *change,
                           struct str hash)
{
    int64_t ended;
    int error = change->reset_hash.len ? store_keys_lock(call, 0) : OK; /* before the rows that its holders want */
    if (!error) /* with or without mail: logins that are under way look at the password under it */
        error = owner_lock_proved(call, user->id, change->proved_hash);
    if (!error && change->reset_hash.len)
        error = store_users_use_reset(call, user->id, change->reset_hash);
    if (!error)
        error = store_users_set_password(call, user->id, hash, NULL);
    /* Who needs a link may have lost the account to somebody who made an API token: then programs end, too. */
    struct str kind = change->reset_hash.len ? STR_EMPTY : STR(SESSION_BROWSER);
    if (!error)
        error = store_sessions_delete_others(call, user->id, kind, change->keep_session_id, &ended);
    if (!error)
        error = store_proofs_delete_all(call, user->id, STR(PROOF_LOGIN));
    if (!error && change->reset_hash.len)
        error = confirm_by_reset(call, user, change->reset_hash);
    if (!error)
        error = tell(call, user, MAIL_PASSWORD_CHANGED);
    return error ? error : record(call, "users.passwd", user->id, "email", user->email);
}

static int check_and_change(struct call *call, const struct user_row *user, const struct password_change *change)
{
    struct str hash;
    bool mine;
    int error = password_check_rules(call, change->password, user->email);
    if (!error)
        error = passwords_hash(call, change->password, &hash);
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, change_password(call, user, change, hash));
}

int users_set_password(struct call *call, int64_t id, struct str password, struct str keep_session_id)
{
    const struct password_change change = {password, keep_session_id, STR_EMPTY, STR_EMPTY};
    struct user_row user;
    int error = store_users_by_id(call, id, &user);
    return error ? error : check_and_change(call, &user, &change);
}

int users_change_password(struct call *call, const struct user_row *proved, struct str password,
                          struct str keep_session_id)
{
    const struct password_change change = {password, keep_session_id, STR_EMPTY, proved->password_hash};
    return check_and_change(call, proved, &change);
}

/* ---- a forgotten password */

static int begin_reset(struct call *call, struct user_row *user, struct str token)
{
    struct str email = user->email;
    char hash[MAC_HEX_BYTES];
    token_hash(token, hash);
    int error = mail_prepare(call, user->id); /* with the link */
    if (!error)                               /* again: the address may have been left while we waited for the lock */
        error = store_users_by_id(call, user->id, user);
    if (!error && !str_eq(user->email, email))
        return fail(call, E_NOT_FOUND, "There is no user with this e-mail address or phone number.");
    if (!error)
        error = store_users_set_reset(call, user->id, str_from(hash), clock_now_ms() + RESET_LIFE_MS);
    if (!error)
        error = store_proofs_delete_all(call, user->id, STR(PROOF_RESET));
    return error ? error : record(call, "users.reset_asked", user->id, "email", user->email);
}

int users_begin_reset(struct call *call, struct str email_or_phone, struct user_row *ret, struct str *ret_token)
{
    bool mine;
    int error = users_find_who(call, email_or_phone, ret);
    if (!error)
        error = store_begin(call, &mine);
    if (error)
        return error;
    *ret_token = token_make(call, TOKEN_LNK);
    return store_end(call, mine, begin_reset(call, ret, *ret_token));
}

int users_reset_password(struct call *call, struct str token, struct str password, int64_t *ret_id)
{
    struct password_change change = {password, STR_EMPTY, STR_EMPTY, STR_EMPTY};
    struct user_row user;
    enum token_type type;
    char hash[MAC_HEX_BYTES];
    int error = E_NOT_FOUND;
    if (token_check(token, &type) && type == TOKEN_LNK) {
        token_hash(token, hash);
        change.reset_hash = str_from(hash);
        error = store_users_by_reset(call, change.reset_hash, clock_now_ms(), &user);
    }
    if (!error)
        error = check_and_change(call, &user, &change);
    if (error == E_NOT_FOUND)
        return fail(call, E_DENIED, "This link was used already or is older than 30 minutes. Ask for a new one.");
    if (!error)
        *ret_id = user.id;
    return error;
}

/* ---- administrator, stopped, confirmed */

enum switch_kind { SWITCH_ADMIN, SWITCH_STOPPED_BY_PERSON, SWITCH_STOPPED_BY_ADMIN };

static int last_admin(struct call *call)
{
    return fail(call, E_CONFLICT, "This is the only administrator. Make another one first.");
}

static int turn(struct call *call, struct profile_row *profile, enum switch_kind kind, bool on)
{
    if (kind == SWITCH_ADMIN) {
        profile->is_admin = on;
        return OK;
    }
    if (kind == SWITCH_STOPPED_BY_PERSON && !on && profile->stopped_by_admin)
        return fail(call, E_DENIED, "An administrator stopped this account. Only an administrator can let it go on.");
    profile->stopped_at_ms = on ? clock_now_ms() : 0;
    if (kind == SWITCH_STOPPED_BY_ADMIN)
        profile->stopped_by_admin = on;
    return OK;
}

static int set_switch(struct call *call, int64_t id, enum switch_kind kind, bool on)
{
    struct profile_row profile;
    struct user_row user;
    int64_t admins = 0;
    int error = store_keys_lock(call, 0);
    if (!error)
        error = store_users_by_id(call, id, &user);
    if (!error)
        error = store_profiles_get(call, id, &profile);
    if (!error && kind == SWITCH_ADMIN && profile.is_admin && !on)
        error = store_profiles_count_admins(call, &admins);
    if (error)
        return error;
    if (admins == 1)
        return last_admin(call);
    error = turn(call, &profile, kind, on);
    if (!error)
        error = store_profiles_put(call, id, &profile);
    static const char *const actions[2][2] = {{"users.admin_off", "users.admin_on"}, {"users.resume", "users.stop"}};
    return error ? error : record(call, actions[kind != SWITCH_ADMIN][on], id, "email", user.email);
}

int users_set_admin(struct call *call, int64_t id, bool is_admin)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, set_switch(call, id, SWITCH_ADMIN, is_admin));
}

int users_set_stopped(struct call *call, int64_t id, bool is_stopped, bool by_admin)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error =
            store_end(call, mine,
                      set_switch(call, id, by_admin ? SWITCH_STOPPED_BY_ADMIN : SWITCH_STOPPED_BY_PERSON, is_stopped));
    if (!error)
        generation_tell(call);
    return error;
}

static int confirm_email(struct call *call, int64_t id, struct str email)
{
    struct profile_row profile;
    struct user_row user;
    int error = store_keys_lock(call, 0); /* the profile is read and written back: others must not between */
    if (!error)
        error = store_users_by_id(call, id, &user);
    if (!error && !str_eq_nocase(user.email, email))
        return fail(call, E_DENIED, "The e-mail address was changed after this link was sent. Ask for a new link.");
    if (!error)
        error = store_profiles_get(call, id, &profile);
    profile.email_confirmed_at_ms = clock_now_ms();
    if (!error)
        error = store_profiles_put(call, id, &profile);
    return error ? error : record(call, "users.email_confirmed", id, "email", email);
}

int users_confirm_email(struct call *call, int64_t id, struct str email)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, confirm_email(call, id, email));
}

/* ---- deleting */

static int delete_user(struct call *call, int64_t id)
{
    struct profile_row profile;
    struct user_row user;
    int64_t admins = 0;
    int error = store_keys_lock(call, 0); /* of two who delete each other one stays */
    if (!error)
        error = store_users_by_id(call, id, &user);
    if (!error)
        error = store_profiles_get(call, id, &profile);
    if (!error && profile.is_admin)
        error = store_profiles_count_admins(call, &admins);
    if (!error && admins == 1)
        return last_admin(call);
    if (!error) /* before the person's row, as who changes a password has it */
        error = store_keys_lock(call, id);
    if (!error)
        error = store_users_delete(call, id);
    return error ? error : record(call, "users.delete", id, "email", user.email);
}

int users_delete(struct call *call, int64_t id)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, delete_user(call, id));
    if (!error)
        generation_tell(call);
    return error;
}
