/* Telephone numbers. */
#include "providers/whatsapp/phone.h"

#include "base/dial.h"
#include "providers/messages.h"

enum { TYPED_MAX_BYTES = 64 };

static bool all_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    return text.len > 0;
}

static struct str with_inserted(struct arena *arena, struct str digits, size_t at, char digit)
{
    return str_format(arena, "%.*s%c%.*s", (int)at, digits.ptr, digit, STR_ARG(str_from_offset(digits, at)));
}

static struct str without(struct arena *arena, struct str digits, size_t at, size_t count)
{
    return str_concat(arena, str_sub(digits, 0, at), str_from_offset(digits, at + count));
}

/* 55, two digits of area, then nine that begin with 9 (mobiles), or eight that begin with 2 to 5 (fixed). */
static struct str brazil(struct arena *arena, struct str digits)
{
    enum { OLD_MOBILE = 12, AREA_END = 4 };
    if (digits.len == OLD_MOBILE && digits.ptr[AREA_END] >= '6')
        return with_inserted(arena, digits, AREA_END, '9');
    return digits;
}

static struct str mexico(struct arena *arena, struct str digits)
{
    enum { WITH_ONE = 13 };
    return digits.len == WITH_ONE && digits.ptr[2] == '1' ? without(arena, digits, 2, 1) : digits;
}

enum { AR_FIXED = 12, AR_MOBILE = 13 };

/*
 * Behind the 54: area code and number, ten digits together; mobiles have a 9 before them, fixed lines nothing. At home mobiles have a
 * 15 between the two instead, which makes twelve digits, and a 0 may stand in front: both are of no use from abroad. Area codes
 * are 11, or three or four digits.
 */
static struct str argentina(struct arena *arena, struct str digits)
{
    enum { WITH_15 = 14, AREA = 2 };
    if (digits.len > AR_FIXED && digits.ptr[AREA] == '0')
        digits = without(arena, digits, AREA, 1);
    bool is_buenos_aires = str_starts_with(digits, STR("5411"));
    if (digits.len == WITH_15 && digits.ptr[AREA] != '9')
        for (size_t at = 4; at <= 6; at++)
            if ((at == 4) == is_buenos_aires && digits.ptr[at] == '1' && digits.ptr[at + 1] == '5')
                return with_inserted(arena, without(arena, digits, at, 2), AREA, '9');
    return digits;
}

struct str phone_twin(struct arena *arena, struct str chat)
{
    if (!all_digits(chat) || !str_starts_with(chat, STR("54")))
        return STR_EMPTY;
    if (chat.len == AR_MOBILE && chat.ptr[2] == '9')
        return without(arena, chat, 2, 1);
    return chat.len == AR_FIXED ? with_inserted(arena, chat, 2, '9') : STR_EMPTY;
}

struct str phone_of_digits(struct arena *arena, struct str digits)
{
    static const struct {
        struct str code;
        struct str (*rule)(struct arena *arena, struct str digits);
    } countries[] = {{STR_INIT("55"), brazil}, {STR_INIT("52"), mexico}, {STR_INIT("54"), argentina}};
    for (size_t i = 0; i < ARRAY_LENGTH(countries) && all_digits(digits); i++)
        if (str_starts_with(digits, countries[i].code))
            return countries[i].rule(arena, digits);
    return digits;
}

struct str phone_of_jid(struct arena *arena, struct str jid)
{
    size_t at = str_find_char(jid, '@');
    struct str user = str_sub(jid, 0, at), server = at == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(jid, at + 1);
    size_t device = str_find_char(user, ':'); /* 5511...:12@s.whatsapp.net is one of the person's devices */
    bool is_number = at == STR_NOT_FOUND || str_eq(server, STR("s.whatsapp.net")) || str_eq(server, STR("c.us"));
    if (!is_number)
        return jid;
    return phone_of_digits(arena, device == STR_NOT_FOUND ? user : str_sub(user, 0, device));
}

bool phone_is_group(struct str chat)
{
    return str_ends_with(chat, STR("@g.us"));
}

static bool is_filler(char c)
{
    return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/';
}

static int refuse(struct call *call, struct str typed, const char *why)
{
    return fail(call, E_INVALID,
                "\"%.*s\" is no telephone number: %s. Write it with its country code, as +55 11 98765-4321.",
                STR_ARG(str_sub(typed, 0, TYPED_MAX_BYTES)), why);
}

static int check_brazil(struct call *call, struct str typed, struct str digits)
{
    if (digits.len != 12 && digits.len != 13)
        return refuse(call, typed, "Brazilian numbers have an area code and eight or nine digits behind the 55");
    if (digits.ptr[2] == '0' || digits.ptr[3] == '0')
        return refuse(call, typed, "there is no such Brazilian area code");
    if (digits.len == 13 && digits.ptr[4] != '9')
        return refuse(call, typed, "nine digits behind a Brazilian area code begin with 9");
    if (digits.len == 12 && digits.ptr[4] < '2')
        return refuse(call, typed, "no number behind a Brazilian area code begins with 0 or 1");
    return OK;
}

static int check_mexico(struct call *call, struct str typed, struct str digits)
{
    if (digits.len != 12)
        return refuse(call, typed, "Mexican numbers have ten digits behind the 52");
    return digits.ptr[2] < '2' ? refuse(call, typed, "no Mexican area code begins with 0 or 1") : OK;
}

static int check_argentina(struct call *call, struct str typed, struct str digits)
{
    bool is_mobile = digits.len == AR_MOBILE && digits.ptr[2] == '9';
    if (!is_mobile && digits.len != AR_FIXED)
        return refuse(call, typed,
                      "Argentine numbers have an area code and a number behind the 54, ten digits together, and "
                      "mobiles a 9 before them");
    char area = digits.ptr[is_mobile ? 3 : 2];
    return area < '1' || area > '3' ? refuse(call, typed, "there is no such Argentine area code") : OK;
}

/* What can be told for sure from the number alone. */
static int check_country(struct call *call, struct str typed, struct str digits)
{
    if (str_starts_with(digits, STR("55")))
        return check_brazil(call, typed, digits);
    if (str_starts_with(digits, STR("52")))
        return check_mexico(call, typed, digits);
    return str_starts_with(digits, STR("54")) ? check_argentina(call, typed, digits) : OK;
}

int phone_parse(struct call *call, struct str typed, struct str *ret)
{
    char digits[TYPED_MAX_BYTES];
    size_t n = 0;
    struct str text = str_trim(typed);
    if (text.len >= TYPED_MAX_BYTES)
        return refuse(call, typed, "it is too long");
    bool has_plus = str_starts_with(text, STR("+"));
    for (size_t i = has_plus; i < text.len; i++) {
        size_t filler = dial_filler(text, i);
        if (filler)
            i += filler - 1;
        else if (dial_is_trunk_zero(text, i, str_of(digits, n)))
            continue;
        else if (ascii_is_digit(text.ptr[i]))
            digits[n++] = text.ptr[i];
        else if (!is_filler(text.ptr[i]))
            return refuse(call, typed, "it has other characters than digits");
    }
    struct str number = str_of(digits, n);
    if (!has_plus && str_starts_with(number, STR("00")))
        number = str_from_offset(number, 2);
    if (number.len && number.ptr[0] == '0')
        return refuse(call, typed, "no country code begins with 0");
    if (number.len < PHONE_DIGITS_MIN || number.len > PHONE_DIGITS_MAX)
        return refuse(call, typed, "with its country code it has 8 to 15 digits");
    *ret = phone_of_digits(call->arena, str_copy(call->arena, number));
    return check_country(call, typed, *ret);
}

/* "US.13491208655302741918": Meta's id of a person whose number is hidden; country, a point, digits and letters. */
static bool is_user_id(struct str text)
{
    enum { COUNTRY = 2 };
    if (text.len < COUNTRY + 2 || text.len > MESSAGE_ADDRESS_MAX_BYTES || text.ptr[COUNTRY] != '.')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (i < COUNTRY ? text.ptr[i] < 'A' || text.ptr[i] > 'Z' : text.ptr[i] != '.' && !ascii_is_alnum(text.ptr[i]))
            return false;
    return true;
}

int phone_recipient(struct call *call, struct str typed, struct str *ret)
{
    struct str text = str_trim(typed);
    size_t at = str_find_char(text, '@');
    if (is_user_id(text)) {
        *ret = str_copy(call->arena, text);
        return OK;
    }
    if (at == STR_NOT_FOUND)
        return phone_parse(call, typed, ret);
    struct str user = str_sub(text, 0, at), server = str_from_offset(text, at + 1);
    bool is_known = str_eq(server, STR("s.whatsapp.net")) || str_eq(server, STR("g.us")) || str_eq(server, STR("lid"));
    for (size_t i = 0; i < user.len && is_known; i++)
        is_known = ascii_is_digit(user.ptr[i]) || user.ptr[i] == '-';
    if (!is_known || !user.len || text.len > MESSAGE_ADDRESS_MAX_BYTES)
        return fail(call, E_INVALID, "\"%.*s\" is no conversation: give a number, or an id as wa_inbox shows it.",
                    STR_ARG(str_sub(typed, 0, TYPED_MAX_BYTES)));
    *ret = phone_of_jid(call->arena, str_copy(call->arena, text));
    return OK;
}
