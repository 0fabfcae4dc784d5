/* People with an account. */
#include "accounts/users.h"

#include "accounts/generation.h"
#include "accounts/passwords.h"
#include "audit/audit.h"
#include "json/json.h"
#include "json/json_write.h"
#include "net/task.h"
#include "store/keys.h"

enum {
    NAME_CHARS_MAX = 150,
    EMAIL_BYTES_MAX = 190,
    LOCAL_PART_BYTES_MAX = 64,
    PHONE_DIGITS_MIN = 8,
    PHONE_DIGITS_MAX = 15,  /* E.164 */
    CHECK_FAILURE_MS = 250, /* a refused login takes at least that long, whatever kind of hash was looked at */
    EMAIL_IN_AUDIT_BYTES = 190,
};

/* ---- forms */

static bool is_email_label(struct str label)
{
    enum { LABEL_BYTES_MAX = 63 };
    if (label.len == 0 || label.len > LABEL_BYTES_MAX || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_is_alnum(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    return true;
}

static bool is_email(struct str text)
{
    static const struct str specials = STR_INIT("!#$%&'*+/=?^_`{|}~.-");
    size_t at = str_find_last_char(text, '@'), labels = 0;
    if (at == STR_NOT_FOUND || at == 0 || at > LOCAL_PART_BYTES_MAX || text.len > EMAIL_BYTES_MAX)
        return false;
    struct str local = str_sub(text, 0, at), domain = str_from_offset(text, at + 1), label;
    for (size_t i = 0; i < local.len; i++)
        if (!ascii_is_alnum(local.ptr[i]) && str_find_char(specials, local.ptr[i]) == STR_NOT_FOUND)
            return false;
    if (local.ptr[0] == '.' || local.ptr[local.len - 1] == '.' || str_contains(local, STR("..")))
        return false;
    for (struct str rest = domain; str_next(&rest, '.', &label); labels++)
        if (!is_email_label(label))
            return false;
    return labels >= 2;
}

int users_clean_email(struct call *call, struct str text, struct str *ret_email)
{
    struct str email = str_lower(call->arena, str_trim(text));
    if (!is_email(email))
        return fail(call, E_INVALID,
                    "This is not an e-mail address. It looks like name@example.com, with at most %d characters.",
                    EMAIL_BYTES_MAX);
    *ret_email = email;
    return OK;
}

int users_clean_phone(struct call *call, struct str text, struct str *ret_phone)
{
    static const struct str between = STR_INIT(" +-().,/\t");
    char digits[PHONE_DIGITS_MAX + 3];
    size_t count = 0;
    text = str_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (ascii_is_digit(c) && count < sizeof digits)
            digits[count++] = c;
        else if (str_find_char(between, c) == STR_NOT_FOUND || (c == '+' && count))
            return fail(call, E_INVALID, "The phone number may have digits, spaces and + - ( ) . / only.");
    }
    struct str phone = str_of(digits, count);
    if (str_starts_with(phone, STR("00")))
        phone = str_from_offset(phone, 2);
    if (phone.len < PHONE_DIGITS_MIN || phone.len > PHONE_DIGITS_MAX || phone.ptr[0] == '0')
        return fail(call, E_INVALID,
                    "The phone number needs its country code and %d to %d digits, such as +55 11 91234-5678.",
                    PHONE_DIGITS_MIN, PHONE_DIGITS_MAX);
    *ret_phone = str_copy(call->arena, phone);
    return OK;
}

static int clean_name(struct call *call, struct str text, struct str *ret_name)
{
    struct str name = str_trim(text);
    size_t chars = 0;
    for (size_t i = 0; i < name.len; i++) {
        chars += ((unsigned char)name.ptr[i] & 0xC0) != 0x80;
        if ((unsigned char)name.ptr[i] < ' ')
            return fail(call, E_INVALID, "The name may not have control characters.");
    }
    if (chars == 0 || chars > NAME_CHARS_MAX || !str_is_utf8(name))
        return fail(call, E_INVALID, "The name needs 1 to %d characters.", NAME_CHARS_MAX);
    *ret_name = name;
    return OK;
}

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

/* E-mail in any case and phone are distinct, which no index can say: the lock makes it true for all processes. */
static int insert_user(struct call *call, struct user_row *user)
{
    struct user_rows same_email;
    bool phone_exists;
    int error = store_keys_lock(call, 0);
    if (!error)
        error = store_users_by_lower_email(call, user->email, &same_email);
    if (!error && same_email.count)
        return fail(call, E_CONFLICT, "This e-mail address is registered already.");
    if (!error)
        error = store_users_phone_exists(call, user->phone, &phone_exists);
    if (!error && phone_exists)
        return fail(call, E_CONFLICT, "This phone number is registered already.");
    if (!error)
        error = store_users_insert(call, user, &user->id);
    if (!error)
        error = record(call, "auth.register", user->id, "email", user->email);
    return error;
}

int users_add(struct call *call, const struct user_new *new_user, int64_t *ret_id)
{
    struct user_row user = {0};
    bool mine;
    int error = clean_name(call, new_user->name, &user.name);
    if (!error)
        error = users_clean_email(call, new_user->email, &user.email);
    if (!error)
        error = users_clean_phone(call, new_user->phone, &user.phone);
    if (!error)
        error = password_check_rules(call, new_user->password, user.email);
    if (!error)
        error = passwords_hash(call, new_user->password, &user.password_hash);
    if (!error)
        error = store_begin(call, &mine);
    if (error)
        return error;
    error = store_end(call, mine, insert_user(call, &user));
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

static int change_password(struct call *call, const struct user_row *user, struct str hash)
{
    int error = store_users_set_password(call, user->id, hash, NULL);
    return error ? error : record(call, "users.passwd", user->id, "email", user->email);
}

int users_set_password(struct call *call, int64_t id, struct str password)
{
    struct user_row user;
    struct str hash;
    bool mine;
    int error = store_users_by_id(call, id, &user);
    if (!error)
        error = password_check_rules(call, password, user.email);
    if (!error)
        error = passwords_hash(call, password, &hash);
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, change_password(call, &user, hash));
}

int users_delete(struct call *call, int64_t id)
{
    struct user_row user;
    bool mine;
    int error = store_users_by_id(call, id, &user);
    if (!error)
        error = store_begin(call, &mine);
    if (error)
        return error;
    error = store_users_delete(call, id);
    if (!error)
        error = record(call, "users.delete", id, "email", user.email);
    error = store_end(call, mine, error);
    if (!error)
        generation_tell(call);
    return error;
}

/* ---- logging in */

static int replace_hash(struct call *call, const struct user_row *user, struct str password)
{
    struct str hash;
    int error = passwords_hash(call, password, &hash);
    if (!error)
        error = store_users_set_password(call, user->id, hash, &user->password_hash);
    if (error == E_NOT_FOUND) { /* changed meanwhile: the newer one stays */
        call_clear_error(call);
        return OK;
    }
    return error;
}

static int refuse(struct call *call, int64_t started_ms, const struct user_row *user, struct str email)
{
    int error = record(call, "auth.login_failed", user->id, "emailOrPhone", email);
    int64_t left = CHECK_FAILURE_MS - (clock_monotonic_ms() - started_ms);
    if (!error && left > 0)
        error = task_sleep(call, left);
    return error ? error : fail(call, E_UNAUTHENTICATED, "E-mail or password are wrong.");
}

int users_check(struct call *call, struct str email, struct str password, int64_t *ret_id)
{
    int64_t started_ms = clock_monotonic_ms();
    struct user_row user = {.password_hash = STR_EMPTY};
    int error = users_find(call, email, &user);
    if (error && error != E_NOT_FOUND)
        return error;
    call_clear_error(call);
    error = passwords_verify(call, password, user.password_hash);
    if (error == E_UNAUTHENTICATED || (!error && !user.id))
        return refuse(call, started_ms, &user, email);
    if (error)
        return error;
    if (password_needs_rehash(user.password_hash)) {
        /* A login must not fail because the better hash cannot be kept today. */
        if (replace_hash(call, &user, password))
            call_clear_error(call);
    }
    error = record(call, "auth.login", user.id, "email", user.email);
    if (!error && ret_id)
        *ret_id = user.id;
    return error;
}
