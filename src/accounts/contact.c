/* How people are reached and called, in the forms that are kept. */
#include "accounts/contact.h"

#include "base/dial.h"
#include "base/visible.h"

enum { LOCAL_PART_BYTES_MAX = 64 };

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

int contact_clean_email(struct call *call, struct str text, struct str *ret_email)
{
    struct str email = str_lower(call->arena, str_trim(text));
    if (!is_email(email))
        return fail(call, E_INVALID,
                    "This is not an e-mail address. It looks like name@example.com, with at most %d characters.",
                    EMAIL_BYTES_MAX);
    *ret_email = email;
    return OK;
}

int contact_clean_phone(struct call *call, struct str text, struct str *ret_phone)
{
    static const struct str between = STR_INIT(" +-().,/\t");
    char digits[PHONE_DIGITS_MAX + 3];
    size_t count = 0;
    text = str_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        size_t filler = dial_filler(text, i);
        if (filler)
            i += filler - 1;
        else if (dial_is_trunk_zero(text, i, str_of(digits, count)))
            continue;
        else if (ascii_is_digit(c) && count < sizeof digits)
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

bool contact_is_address(struct str name)
{
    return str_contains(name, STR("://"));
}

static bool has_controls(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i], next = i + 1 < name.len ? (unsigned char)name.ptr[i + 1] : 0;
        if (c < ' ' || (c == 0xC2 && next >= 0x80 && next < 0xA0))
            return true;
    }
    return visible_hides(name);
}

int contact_clean_name(struct call *call, struct str text, struct str *ret_name)
{
    struct str name = str_trim(text);
    size_t chars = 0;
    for (size_t i = 0; i < name.len; i++)
        chars += ((unsigned char)name.ptr[i] & 0xC0) != 0x80;
    if (has_controls(name))
        return fail(call, E_INVALID, "The name may not have control characters.");
    if (chars == 0 || chars > NAME_CHARS_MAX || !str_is_utf8(name))
        return fail(call, E_INVALID, "The name needs 1 to %d characters.", NAME_CHARS_MAX);
    if (!visible_shows(name))
        return fail(call, E_INVALID,
                    "Nothing is to be seen of this name: it has only spaces and invisible characters.");
    if (contact_is_address(name)) /* it stands in mails, which go to addresses that nobody has proved yet */
        return fail(call, E_INVALID, "The name may not hold an address of a page (://).");
    *ret_name = name;
    return OK;
}
