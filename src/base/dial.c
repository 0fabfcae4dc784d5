/* Telephone numbers as people write them. */
#include "base/dial.h"

bool dial_is_trunk_zero(struct str text, size_t at, struct str digits)
{
    bool is_from_abroad = str_starts_with(text, STR("+")) || str_starts_with(text, STR("00"));
    return is_from_abroad && digits.len && at > 0 && str_starts_with(str_from_offset(text, at - 1), STR("(0)")) &&
           !str_eq(digits, STR("39")) && !str_eq(digits, STR("0039"));
}

size_t dial_filler(struct str text, size_t at)
{
    static const struct str fillers[] = {
        STR_INIT("\xC2\xA0"),     STR_INIT("\xE2\x80\xAF"), STR_INIT("\xE2\x80\x89"), STR_INIT("\xE2\x80\x90"),
        STR_INIT("\xE2\x80\x91"), STR_INIT("\xE2\x80\x92"), STR_INIT("\xE2\x80\x93"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(fillers); i++)
        if (str_starts_with(str_from_offset(text, at), fillers[i]))
            return fillers[i].len;
    return 0;
}
