/* The password check behind every login. */
#include "accounts/login.h"

#include "accounts/contact.h"
#include "accounts/login_tries.h"
#include "accounts/passwords.h"
#include "accounts/totp.h"
#include "accounts/users.h"
#include "audit/audit.h"
#include "json/json_write.h"
#include "net/task.h"

enum { WHO_IN_AUDIT_BYTES = 190, AUDIT_BYTES_MAX = 1024 };

/* People type their password where their name belongs: what cannot be a name is not written down. */
static bool may_be_written(struct call *call, int64_t user_id, struct str who)
{
    struct str clean;
    bool is_name =
        user_id || contact_clean_email(call, who, &clean) == OK || contact_clean_phone(call, who, &clean) == OK;
    call_clear_error(call);
    return is_name;
}

static int record(struct call *call, const char *action, int64_t user_id, const struct login_proof *proof)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, AUDIT_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    if (may_be_written(call, user_id, proof->who))
        json_member_str(&w, "emailOrPhone", str_sub(proof->who, 0, WHO_IN_AUDIT_BYTES));
    if (proof->address.len)
        json_member_str(&w, "address", proof->address);
    json_end(&w);
    const struct audit_event event = {.user_id = user_id, .action = str_from(action), .data_json = buf_str(&text)};
    return audit_record(call, &event);
}

static int wrong(struct call *call)
{
    return fail(call, E_UNAUTHENTICATED, "E-mail, phone, password or code are wrong.");
}

/* Of two logins at once the other's better hash may have come first. One of another password is not taken. */
static int take_other_hash(struct call *call, struct user_row *user, struct str password)
{
    struct user_row now;
    int error = store_users_by_id(call, user->id, &now);
    if (!error)
        error = passwords_verify(call, password, now.password_hash, false);
    if (!error)
        user->password_hash = now.password_hash;
    return error;
}

/* A login must not fail because the better hash cannot be kept today. user->password_hash: what stands there now. */
static void replace_hash(struct call *call, struct user_row *user, struct str password)
{
    struct str hash;
    int error = passwords_hash(call, password, &hash);
    if (!error)
        error = store_users_set_password(call, user->id, hash, &user->password_hash);
    if (!error)
        user->password_hash = hash;
    if (error == E_NOT_FOUND)
        error = take_other_hash(call, user, password);
    if (error)
        call_clear_error(call);
}

static int check_password(struct call *call, const struct login_proof *proof, struct user_row *user)
{
    struct login_tries tries;
    *user = (struct user_row){.password_hash = STR_EMPTY};
    int error = login_tries_begin(call, proof, &tries);
    if (!error)
        error = users_find_who(call, proof->who, user);
    if (error && error != E_NOT_FOUND)
        return error;
    call_clear_error(call);
    error = login_tries_take(call, proof, user->id, &tries);
    if (error)
        return error;
    /* of nobody: takes as long, and is wrong */
    error = passwords_verify(call, proof->password, user->password_hash, tries.is_stranger);
    if (error == E_UNAUTHENTICATED || (!error && !user->id))
        return wrong(call);
    if (!error && password_needs_rehash(user->password_hash))
        replace_hash(call, user, proof->password);
    return error;
}

static int check_code(struct call *call, const struct login_proof *proof, const struct user_row *user)
{
    struct profile_row profile;
    int error = proof->needs_no_code ? OK : store_profiles_get(call, user->id, &profile);
    if (error || proof->needs_no_code || !profile.totp_since_ms)
        return error;
    if (proof->code.len == 0)
        return fail(call, E_WAITING, "Enter the code of your authenticator app, or one of your recovery codes.");
    error = totp_check(call, user->id, &profile, proof->code);
    return error == E_UNAUTHENTICATED ? wrong(call) : error;
}

/* Audits what came of it; what is waiting or could not be checked is no attempt. */
static int settle(struct call *call, const struct login_proof *proof, const struct user_row *user, int error)
{
    if (error && error != E_UNAUTHENTICATED)
        return error;
    if (!error)
        return record(call, "auth.login", user->id, proof);
    call_clear_error(call);
    int recorded = record(call, "auth.login_failed", user->id, proof);
    return recorded ? recorded : wrong(call);
}

static int check(struct call *call, const struct login_proof *proof, struct user_row *user)
{
    int error = check_password(call, proof, user);
    if (!error)
        error = check_code(call, proof, user);
    return settle(call, proof, user, error);
}

/*
 * Leaves the error of the check as it is when all is well. A busy machine takes longer: then it is twice LOGIN_MS, or three times, and
 * still no measure of what was done. One more, for both times were rounded down.
 */
static int wait_out(struct call *call, int64_t begun_ms)
{
    return task_sleep(call, 1 + LOGIN_MS - (clock_monotonic_ms() - begun_ms) % LOGIN_MS);
}

int login_check(struct call *call, const struct login_proof *proof, struct user_row *ret)
{
    int64_t begun_ms = clock_monotonic_ms();
    struct user_row user;
    int error = check(call, proof, &user), slept = wait_out(call, begun_ms);
    if (slept)
        return slept;
    if ((!error || error == E_WAITING) && ret)
        *ret = user;
    return error;
}

int login_check_code(struct call *call, int64_t user_id, struct str code, struct str address, struct str device)
{
    int64_t begun_ms = clock_monotonic_ms();
    struct login_tries tries;
    struct user_row user;
    int error = store_users_by_id(call, user_id, &user);
    if (error)
        return error;
    const struct login_proof proof = {.who = user.email, .code = code, .address = address, .device = device};
    error = login_tries_begin(call, &proof, &tries);
    if (!error)
        error = login_tries_take(call, &proof, user.id, &tries);
    if (!error)
        error = settle(call, &proof, &user, check_code(call, &proof, &user));
    int slept = wait_out(call, begun_ms);
    return slept ? slept : error;
}
