/* A browser in which somebody logged in before. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "accounts/device.h"

#include "crypto/keyring.h"
#include "crypto/token.h"

enum { NAME_CHARS = 22, PARTS = 4, VALUE_BYTES_MAX = 200 };

static void mac_of(struct call *call, struct str text, char out[MAC_HEX_BYTES])
{
    keyring_mac(KEYRING_PAGES, call_format(call, "device|v1|%.*s", STR_ARG(text)), out);
}

struct str device_make(struct call *call, int64_t user_id)
{
    char mac[MAC_HEX_BYTES];
    struct str text = call_format(call, "%lld.%lld.%.*s", (long long)user_id,
                                  (long long)(clock_now_ms() + DEVICE_LIFE_MS), STR_ARG(token_word(call, NAME_CHARS)));
    mac_of(call, text, mac);
    return call_format(call, "%.*s.%s", STR_ARG(text), mac);
}

struct device device_read(struct call *call, struct str value)
{
    const struct device nobody = {0};
    struct str parts[PARTS], rest = value;
    char mac[MAC_HEX_BYTES];
    int64_t user_id, ends_ms;
    size_t n = 0;
    if (value.len > VALUE_BYTES_MAX)
        return nobody;
    while (rest.ptr && n < PARTS && str_next(&rest, '.', &parts[n]))
        n++;
    if (n < PARTS || parts[PARTS - 1].len != MAC_HEX_BYTES - 1 || !str_to_i64(parts[0], &user_id) ||
        !str_to_i64(parts[1], &ends_ms))
        return nobody;
    mac_of(call, str_sub(value, 0, value.len - MAC_HEX_BYTES), mac);
    if (sodium_memcmp(mac, parts[PARTS - 1].ptr, MAC_HEX_BYTES - 1) != 0 || ends_ms <= clock_now_ms())
        return nobody;
    return (struct device){user_id, parts[2]};
}
