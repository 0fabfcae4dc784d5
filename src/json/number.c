/* Numbers as JSON writes them. */
#include "json/number.h"

#include "json/lex.h"

#include <math.h>
#include <stdlib.h>

/* digits x 10^exponent, with neither a leading nor a trailing zero; zero has no digits, no sign, and exponent 0. */
struct decimal {
    bool negative;
    bool extreme; /* the exponent is beyond EXPONENT_MAX; only the raw text tells such numbers apart */
    size_t count;
    int64_t exponent;
    char digits[LEX_NUMBER_MAX_BYTES];
};

enum { EXPONENT_MAX = 1000000000 };

/* Of "e+12" behind the e. What is too long to be counted stays beyond EXPONENT_MAX, however many digits stand before it. */
static int64_t read_exponent(const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    int64_t value = 0;
    for (; at < end; at++)
        if (value < INT64_MAX / 100)
            value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

static void read_decimal(struct str raw, struct decimal *decimal)
{
    const char *at = raw.ptr, *end = at + raw.len;
    bool fraction = false;
    decimal->negative = at < end && *at == '-';
    decimal->count = 0;
    decimal->exponent = 0;
    decimal->extreme = false;
    if (decimal->negative)
        at++;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        decimal->exponent -= fraction;
        if ((decimal->count || *at != '0') && decimal->count < sizeof decimal->digits)
            decimal->digits[decimal->count++] = *at;
    }
    while (decimal->count && decimal->digits[decimal->count - 1] == '0') {
        decimal->count--;
        decimal->exponent++;
    }
    if (decimal->count == 0) {
        decimal->negative = false;
        decimal->exponent = 0;
    } else if (at < end) {
        /* Judged without the trailing zeros, as it is written: what is read back is judged alike. */
        decimal->exponent += read_exponent(at + 1, end);
        decimal->extreme = decimal->exponent > EXPONENT_MAX || decimal->exponent < -EXPONENT_MAX;
    }
}

static bool decimal_to_i64(const struct decimal *decimal, int64_t *ret)
{
    int64_t value = 0;
    if (decimal->exponent < 0 || decimal->count > 19 || decimal->exponent > 18)
        return false;
    for (size_t i = 0; i < decimal->count; i++)
        /* Downwards, for INT64_MIN has no positive twin. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, decimal->digits[i] - '0', &value))
            return false;
    for (int64_t i = 0; i < decimal->exponent; i++)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    if (!decimal->negative && __builtin_sub_overflow(0, value, &value))
        return false;
    *ret = value;
    return true;
}

/* Up to 18 digits and no more: nearly every number there is. */
static bool short_integer(struct str raw, int64_t *ret)
{
    bool negative = raw.len && raw.ptr[0] == '-';
    int64_t value = 0;
    if (raw.len - negative == 0 || raw.len - negative > 18)
        return false;
    for (size_t i = negative; i < raw.len; i++) {
        if (!ascii_is_digit(raw.ptr[i]))
            return false;
        value = value * 10 + (raw.ptr[i] - '0');
    }
    *ret = negative ? -value : value;
    return true;
}

bool number_to_i64(struct str raw, int64_t *ret)
{
    if (short_integer(raw, ret))
        return true;
    struct decimal decimal;
    read_decimal(raw, &decimal);
    return decimal_to_i64(&decimal, ret);
}

bool number_to_double(struct str raw, double *ret)
{
    int64_t integer;
    if (short_integer(raw, &integer) && integer > -(1LL << 53) && integer < 1LL << 53 &&
        (integer != 0 || raw.ptr[0] != '-')) {
        *ret = (double)integer;
        return true;
    }
    /* The program never calls setlocale(), so strtod() wants a point. */
    char text[LEX_NUMBER_MAX_BYTES + 1], *end;
    if (!str_to_cstr(raw, text, sizeof text))
        return false;
    double value = strtod(text, &end);
    if (end != text + raw.len || !isfinite(value))
        return false;
    *ret = value;
    return true;
}

bool number_equal(struct str a, struct str b)
{
    if (str_eq(a, b))
        return true;
    struct decimal x, y;
    read_decimal(a, &x);
    read_decimal(b, &y);
    return !x.extreme && !y.extreme && x.negative == y.negative && x.exponent == y.exponent &&
           str_eq(str_of(x.digits, x.count), str_of(y.digits, y.count));
}

void number_write_canonical(struct buf *buf, struct str raw)
{
    int64_t integer;
    if (number_to_i64(raw, &integer)) {
        buf_add_i64(buf, integer);
        return;
    }
    struct decimal decimal;
    read_decimal(raw, &decimal);
    if (decimal.extreme) {
        buf_add(buf, raw);
        return;
    }
    if (decimal.negative)
        buf_add_char(buf, '-');
    buf_add(buf, str_of(decimal.digits, decimal.count));
    buf_add_char(buf, 'e');
    buf_add_i64(buf, decimal.exponent);
}
