/* Wall clock, monotonic clock, and the text form of a time. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

int64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

/* Ends before `end`; in front of it stand zeros. By hand: snprintf() takes ten times as long, and each row of a database has times. */
static void put_digits(char *end, unsigned value)
{
    for (; value; value /= 10)
        *--end = (char)('0' + value % 10);
}

void clock_format(int64_t unix_ms, char out[CLOCK_TEXT_BYTES])
{
    int64_t seconds = unix_ms / 1000, rest = unix_ms % 1000;
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    struct tm parts = {0};
    time_t when = (time_t)seconds;
    if (!gmtime_r(&when, &parts) || parts.tm_year > 9999 - 1900 || parts.tm_year < -1900)
        parts = (struct tm){.tm_year = 70, .tm_mday = 1};
    memcpy(out, "0000-00-00 00:00:00.000", CLOCK_TEXT_BYTES);
    put_digits(out + 4, (unsigned)(parts.tm_year + 1900));
    put_digits(out + 7, (unsigned)(parts.tm_mon + 1));
    put_digits(out + 10, (unsigned)parts.tm_mday);
    put_digits(out + 13, (unsigned)parts.tm_hour);
    put_digits(out + 16, (unsigned)parts.tm_min);
    put_digits(out + 19, (unsigned)parts.tm_sec);
    put_digits(out + 23, (unsigned)rest);
}

/* Takes `digits` decimal digits off the front. */
static bool take_number(struct str *text, size_t digits, int *ret)
{
    uint64_t value;
    if (text->len < digits || !str_to_u64(str_sub(*text, 0, digits), &value))
        return false;
    *text = str_from_offset(*text, digits);
    *ret = (int)value;
    return true;
}

static bool take_char(struct str *text, char c)
{
    if (!text->len || text->ptr[0] != c)
        return false;
    *text = str_from_offset(*text, 1);
    return true;
}

static bool take_fraction_ms(struct str *text, int *ret_ms)
{
    int ms = 0, weight = 100;
    size_t digits = 0;
    while (text->len && ascii_is_digit(text->ptr[0]) && digits < 6) {
        ms += (text->ptr[0] - '0') * weight;
        weight /= 10;
        digits++;
        *text = str_from_offset(*text, 1);
    }
    *ret_ms = ms;
    return digits > 0;
}

bool clock_parse(struct str text, int64_t *ret_unix_ms)
{
    struct tm parts = {0};
    int ms = 0;
    if (!take_number(&text, 4, &parts.tm_year) || !take_char(&text, '-') || !take_number(&text, 2, &parts.tm_mon) ||
        !take_char(&text, '-') || !take_number(&text, 2, &parts.tm_mday))
        return false;
    if (parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31)
        return false;
    if (text.len) {
        if (!take_char(&text, ' ') && !take_char(&text, 'T'))
            return false;
        if (!take_number(&text, 2, &parts.tm_hour) || !take_char(&text, ':') || !take_number(&text, 2, &parts.tm_min))
            return false;
        if (take_char(&text, ':') && !take_number(&text, 2, &parts.tm_sec))
            return false;
        if (parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
            return false;
        if (take_char(&text, '.') && !take_fraction_ms(&text, &ms))
            return false;
        if (text.len && !str_eq(text, STR("Z")) && !str_eq(text, STR("+00")) && !str_eq(text, STR("+00:00")))
            return false;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    int day = parts.tm_mday;
    time_t seconds = timegm(&parts);
    if (parts.tm_mday != day) /* timegm carried over: there is no 31 February */
        return false;
    *ret_unix_ms = (int64_t)seconds * 1000 + ms;
    return true;
}
