/* Who may make an account, and the links that are good once. */
#include "accounts/registration.h"

#include "accounts/contact.h"
#include "accounts/mail.h"
#include "audit/audit.h"
#include "base/log.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "limits/tries.h"
#include "net/smtp.h"
#include "net/task.h"
#include "store/keys.h"

enum {
    ID_CHARS = 12,
    RESET_MS = 250 /* asking for a reset takes at least so long, whether there is somebody or not */
};

static enum registration_mode mode = REGISTRATION_INVITATION;
static struct str base_url;

void registration_init(enum registration_mode the_mode, struct str url)
{
    mode = the_mode;
    base_url = url;
}

enum registration_mode registration_mode(void)
{
    return mode;
}

/* The pages behind these links send no referrer, and the log has no queries. */
static struct str link_to(struct call *call, const char *page, struct str token)
{
    struct str link = call_format(call, "%.*s/%s?token=%.*s", STR_ARG(base_url), page, STR_ARG(token));
    keyring_wipe_later(call, (void *)(uintptr_t)link.ptr, link.len);
    return link;
}

static int record(struct call *call, const char *action, int64_t user_id, const char *key, struct str value)
{
    const struct audit_event event = {
        .user_id = user_id,
        .action = str_from(action),
        .data_json = call_format(call, "{\"%s\":%.*s}", key, STR_ARG(json_quote(call->arena, value))),
    };
    return audit_record(call, &event);
}

/* ---- proofs */

static int make_proof(struct call *call, struct proof_row *proof, enum token_type type, int64_t life_ms,
                      struct str *ret_token)
{
    char *hash = arena_alloc(call->arena, MAC_HEX_BYTES);
    *ret_token = token_make(call, type);
    token_hash(*ret_token, hash);
    proof->id = token_word(call, ID_CHARS);
    proof->hash = str_from(hash);
    proof->created_at_ms = clock_now_ms();
    proof->expires_at_ms = proof->created_at_ms + life_ms;
    return store_proofs_insert(call, proof);
}

void registration_forget_expired(struct call *call)
{
    if (store_proofs_forget_expired(call, clock_now_ms()) == OK)
        return;
    log_warning("call %s: links that are over could not be forgotten: %.*s", call->id, STR_ARG(call->error_text));
    call_clear_error(call);
}

static int no_proof(struct call *call)
{
    return fail(call, E_DENIED, "This link was used already, is too old, or never was one. Ask for a new one.");
}

typedef int find_proof(struct call *call, struct str kind, struct str hash, int64_t now_ms, struct proof_row *ret);

static int take_proof(struct call *call, find_proof *find, const char *kind, struct str token, struct proof_row *ret)
{
    enum token_type found, type = strcmp(kind, PROOF_SETUP) == 0 ? TOKEN_SETUP : TOKEN_LNK;
    char hash[MAC_HEX_BYTES];
    if (!token_check(token, &found) || found != type)
        return no_proof(call);
    token_hash(token, hash);
    int error = find(call, str_from(kind), str_from(hash), clock_now_ms(), ret);
    return error == E_NOT_FOUND ? no_proof(call) : error;
}

static int use_proof(struct call *call, const char *kind, struct str token, struct proof_row *ret)
{
    return take_proof(call, store_proofs_use, kind, token, ret);
}

/* ---- asking whether an address is somebody's */

static int send_confirm(struct call *call, const struct user_row *user, struct str language)
{
    struct proof_row proof = {.user_id = user->id, .kind = STR(PROOF_EMAIL), .value = user->email};
    struct str token;
    int error = store_proofs_delete_all(call, user->id, STR(PROOF_EMAIL));
    if (!error)
        error = make_proof(call, &proof, TOKEN_LNK, CONFIRM_LIFE_MS, &token);
    if (error)
        return error;
    const struct mail mail = {.kind = MAIL_CONFIRM,
                              .user_id = user->id,
                              .to = user->email,
                              .name = user->name,
                              .language = language,
                              .link = link_to(call, "confirm-email", token)};
    return mail_queue(call, &mail);
}

/* Whoever asks, and with whichever account: nobody gets more of these mails. */
static int send_confirm_if_possible(struct call *call, const struct user_row *user, struct str language)
{
    static const struct tries_rule of_target = {"confirm target", 3, 20 * 60 * 1000};
    bool mine;
    if (!smtp_is_set_up())
        return OK;
    int error = tries_take(call, &of_target, str_lower(call->arena, user->email));
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, send_confirm(call, user, language));
}

/* ---- registering */

static int not_open(struct call *call)
{
    return fail(call, E_DENIED,
                mode == REGISTRATION_CLOSED
                    ? "No new accounts are made here. Ask the operator of this server."
                    : "Accounts are made by invitation here. Open the link of your invitation.");
}

static bool is_setup(struct str token)
{
    enum token_type type;
    return token_check(token, &type) && type == TOKEN_SETUP;
}

int registration_look(struct call *call, struct str invitation, bool *ret_is_setup, struct str *ret_email)
{
    struct proof_row proof;
    *ret_is_setup = is_setup(invitation);
    if (!*ret_is_setup && mode == REGISTRATION_CLOSED)
        return not_open(call);
    int error = take_proof(call, store_proofs_look, *ret_is_setup ? PROOF_SETUP : PROOF_INVITE, invitation, &proof);
    if (!error)
        *ret_email = proof.value;
    return error;
}

static int use_invitation(struct call *call, struct user_new *user, struct str token)
{
    struct proof_row proof = {0};
    if (is_setup(token)) {
        user->is_admin = true;
        return use_proof(call, PROOF_SETUP, token, &proof);
    }
    if (mode == REGISTRATION_CLOSED)
        return not_open(call);
    int error = use_proof(call, PROOF_INVITE, token, &proof);
    if (!error && proof.value.len && !str_eq_nocase(proof.value, str_trim(user->email)))
        return fail(call, E_DENIED, "This invitation is for another e-mail address.");
    return error;
}

static int add(struct call *call, struct user_new *user, struct user_row *row, struct str invitation)
{
    int error = invitation.ptr ? use_invitation(call, user, invitation) : OK;
    if (!error)
        error = users_insert(call, user, row);
    if (error)
        return error;
    error = send_confirm_if_possible(call, row, user->language);
    if (error != E_LIMIT)
        return error;
    call_clear_error(call); /* others used up this address's mails: its owner has the account, and asks for one later */
    return OK;
}

int registration_add(struct call *call, const struct user_new *given, struct str invitation, struct str address,
                     int64_t *ret_id)
{
    static const struct tries_rule of_address = {"register address", 10, 6 * 60 * 1000};
    struct user_new user = *given;
    struct user_row row;
    bool mine;
    user.is_admin = false;
    if (!invitation.ptr && mode != REGISTRATION_OPEN)
        return not_open(call);
    int error = tries_take_address(call, &of_address, address);
    if (!error)
        error = users_prepare(call, &user, &row);
    if (!error)
        error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, add(call, &user, &row, invitation));
    if (!error)
        *ret_id = row.id;
    return error;
}

/* ---- invitations */

static int invite(struct call *call, struct proof_row *proof, int64_t by_user_id, struct str *ret_token)
{
    struct proof_rows rows;
    int error = registration_invitations(call, &rows);
    if (!error && rows.count >= INVITATIONS_MAX)
        return fail(call, E_LIMIT, "There are %d open invitations. Take some back first.", INVITATIONS_MAX);
    if (!error)
        error = make_proof(call, proof, TOKEN_LNK, INVITATION_LIFE_MS, ret_token);
    if (!error && proof->value.len && by_user_id) {
        struct profile_row inviter;
        error = store_profiles_get(call, by_user_id, &inviter);
        if (error)
            return error;
        const struct mail mail = {.kind = MAIL_INVITATION,
                                  .user_id = by_user_id,
                                  .to = proof->value,
                                  .name = STR_EMPTY,
                                  .language = inviter.language, /* they probably speak the same */
                                  .link = link_to(call, "invitation", *ret_token)};
        error = mail_queue(call, &mail);
    }
    return error ? error : record(call, "users.invite", by_user_id, "email", proof->value);
}

int registration_invite(struct call *call, int64_t by_user_id, struct str email, struct str *ret_id,
                        struct str *ret_link)
{
    struct proof_row proof = {.kind = STR(PROOF_INVITE), .value = STR_EMPTY};
    struct str token;
    bool mine;
    if (mode == REGISTRATION_CLOSED)
        return fail(
            call, E_CONFLICT,
            "No new accounts are made here: nobody could use an invitation. Set PORTEIRO_REGISTRATION=invitation "
            "first.");
    int error = email.len ? contact_clean_email(call, email, &proof.value) : OK;
    if (!error)
        error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, invite(call, &proof, by_user_id, &token));
    if (error)
        return error;
    *ret_id = proof.id;
    *ret_link = link_to(call, "invitation", token);
    return OK;
}

int registration_invitations(struct call *call, struct proof_rows *ret)
{
    return store_proofs_list(call, 0, STR(PROOF_INVITE), clock_now_ms(), ret);
}

static int uninvite(struct call *call, int64_t by_user_id, struct str id)
{
    int error = store_proofs_delete(call, STR(PROOF_INVITE), id);
    return error ? error : record(call, "users.uninvite", by_user_id, "invitation", id);
}

int registration_uninvite(struct call *call, int64_t by_user_id, struct str id)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, uninvite(call, by_user_id, id));
}

/* ---- the first administrator */

static int setup(struct call *call, struct str *ret_token)
{
    struct proof_row proof = {.kind = STR(PROOF_SETUP), .value = STR_EMPTY};
    int64_t admins;
    int error = store_keys_lock(call, 0);
    if (!error)
        error = store_profiles_count_admins(call, &admins);
    if (!error && admins)
        return fail(call, E_CONFLICT, "There is an administrator already. They can make others.");
    if (!error)
        error = store_proofs_delete_all(call, 0, STR(PROOF_SETUP));
    if (!error)
        error = make_proof(call, &proof, TOKEN_SETUP, SETUP_LIFE_MS, ret_token);
    return error ? error : record(call, "users.setup_link", 0, "proof", proof.id);
}

int registration_setup_link(struct call *call, struct str *ret_link)
{
    struct str token;
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, setup(call, &token));
    if (!error)
        *ret_link = link_to(call, "setup", token);
    return error;
}

/* ---- confirming an e-mail address */

static int confirm_email(struct call *call, struct str token)
{
    struct proof_row proof;
    int error = store_keys_lock(call, 0); /* before the proof, which its other holders want, too */
    if (!error)
        error = use_proof(call, PROOF_EMAIL, token, &proof);
    return error ? error : users_confirm_email(call, proof.user_id, proof.value);
}

static int change_email(struct call *call, int64_t user_id, const struct user_change *change)
{
    struct profile_row profile;
    struct user_row user;
    int error = users_change(call, user_id, change);
    if (!error)
        error = store_users_by_id(call, user_id, &user);
    if (!error)
        error = store_profiles_get(call, user_id, &profile);
    return error ? error : send_confirm_if_possible(call, &user, profile.language);
}

int registration_change_email(struct call *call, int64_t user_id, struct str email)
{
    static const struct tries_rule of_account = {"confirm account", 5, 12 * 60 * 1000};
    struct user_change change = {0};
    bool mine;
    int error = contact_clean_email(call, email, &change.email);
    if (!error)
        error = tries_take(call, &of_account, call_format(call, "%lld", (long long)user_id));
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, change_email(call, user_id, &change));
}

int registration_confirm_email(struct call *call, struct str token)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, confirm_email(call, token));
}

/* ---- a forgotten password */

int registration_reset_link(struct call *call, struct str email_or_phone, struct str *ret_link)
{
    struct user_row user;
    struct str token;
    int error = users_begin_reset(call, email_or_phone, &user, &token);
    if (!error)
        *ret_link = link_to(call, "reset", token);
    return error;
}

/* So that using the link proves the address: one that the operator makes has no such row. */
static int note_mailed(struct call *call, const struct user_row *user, struct str token)
{
    char hash[MAC_HEX_BYTES];
    int64_t now = clock_now_ms();
    token_hash(token, hash);
    const struct proof_row proof = {.id = token_word(call, ID_CHARS),
                                    .user_id = user->id,
                                    .kind = STR(PROOF_RESET),
                                    .hash = str_from(hash),
                                    .value = user->email,
                                    .created_at_ms = now,
                                    .expires_at_ms = now + RESET_LIFE_MS};
    return store_proofs_insert(call, &proof);
}

static int mail_reset(struct call *call, struct str email_or_phone)
{
    struct profile_row profile;
    struct user_row user;
    struct str token;
    int error = users_begin_reset(call, email_or_phone, &user, &token);
    if (!error)
        error = note_mailed(call, &user, token);
    if (!error)
        error = store_profiles_get(call, user.id, &profile);
    if (error)
        return error;
    const struct mail mail = {.kind = MAIL_RESET,
                              .user_id = user.id,
                              .to = user.email,
                              .name = user.name,
                              .language = profile.language,
                              .link = link_to(call, "reset", token)};
    return mail_queue(call, &mail);
}

int registration_mail_reset(struct call *call, struct str email_or_phone, struct str address)
{
    static const struct tries_rule of_address = {"reset address", 10, 6 * 60 * 1000},
                                   of_account = {"reset account", 3, 20 * 60 * 1000};
    int64_t begun_ms = clock_monotonic_ms();
    bool mine;
    int error = tries_take_address(call, &of_address, address);
    if (!error)
        error = tries_take(call, &of_account, str_lower(call->arena, str_sub(email_or_phone, 0, EMAIL_BYTES_MAX)));
    if (error || !smtp_is_set_up())
        return error;
    error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, mail_reset(call, email_or_phone));
    if (error == E_NOT_FOUND) { /* must not be told */
        call_clear_error(call);
        error = OK;
    }
    int64_t left_ms = 1 + RESET_MS - (clock_monotonic_ms() - begun_ms); /* 1: both times were rounded down */
    if (!error && left_ms > 0)
        error = task_sleep(call, left_ms);
    return error;
}
