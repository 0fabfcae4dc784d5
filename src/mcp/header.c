/* Mcp-* header values. */
#include <sodium.h> /* before base/banned.h */

#include "mcp/header.h"

struct str header_once(const struct http_request *http, struct str name)
{
    struct str value = http_header_value(http, name);
    return value.ptr && http_header_repeated(http, name) ? (struct str){0} : value;
}

bool header_decode(struct call *call, struct str value, struct str *ret)
{
    struct str prefix = STR("=?base64?"), suffix = STR("?=");
    if (value.len < prefix.len + suffix.len || !str_starts_with(value, prefix) || !str_ends_with(value, suffix)) {
        *ret = value;
        return true;
    }
    struct str encoded = str_sub(value, prefix.len, value.len - prefix.len - suffix.len);
    if (encoded.len > HEADER_DECODED_MAX_BYTES)
        return false;
    unsigned char *bytes = arena_alloc(call->arena, encoded.len + 1);
    size_t length;
    if (sodium_base642bin(bytes, encoded.len + 1, encoded.ptr, encoded.len, NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    *ret = str_of((const char *)bytes, length);
    return true;
}
