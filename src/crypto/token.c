/* Bearer tokens. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "crypto/token.h"

#include "base/buf.h"

#include <assert.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum { BASE = 62, CLAIMS_BYTES_MAX = 64 * 1024 };

static const struct str prefixes[TOKEN_EARLIER] = {
    [TOKEN_PAT] = STR_INIT("prt_pat_"), [TOKEN_OAT] = STR_INIT("prt_oat_"),     [TOKEN_ORT] = STR_INIT("prt_ort_"),
    [TOKEN_API] = STR_INIT("prt_api_"), [TOKEN_SETUP] = STR_INIT("prt_setup_"), [TOKEN_SES] = STR_INIT("prt_ses_"),
    [TOKEN_LNK] = STR_INIT("prt_lnk_"), [TOKEN_UPL] = STR_INIT("prt_upl_"),     [TOKEN_OAC] = STR_INIT("prt_oac_"),
    [TOKEN_OCS] = STR_INIT("prt_ocs_"),
};

/* CRC-32 (IEEE 802.3, as in zlib). */
static uint32_t crc32_of(struct str s)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++)
                value = value & 1 ? (value >> 1) ^ 0xEDB88320u : value >> 1;
            table[i] = value;
        }
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < s.len; i++)
        crc = (crc >> 8) ^ table[(crc ^ (unsigned char)s.ptr[i]) & 0xFF];
    return ~crc;
}

static void check_chars(struct str before, char out[TOKEN_CHECK_CHARS])
{
    uint32_t crc = crc32_of(before);
    for (int i = TOKEN_CHECK_CHARS - 1; i >= 0; i--) {
        out[i] = digits[crc % BASE];
        crc /= BASE;
    }
}

/* With its prefix, and room for the rest. */
static char *token_begin(struct call *call, enum token_type type, size_t *ret_length)
{
    struct str prefix = prefixes[type];
    *ret_length = prefix.len + TOKEN_RANDOM_CHARS + TOKEN_CHECK_CHARS;
    char *token = arena_alloc(call->arena, *ret_length + 1);
    keyring_wipe_later(call, token, *ret_length);
    memcpy(token, prefix.ptr, prefix.len);
    return token;
}

static struct str token_end(char *token, size_t length)
{
    check_chars(str_of(token, length - TOKEN_CHECK_CHARS), token + length - TOKEN_CHECK_CHARS);
    return str_of(token, length);
}

struct str token_make(struct call *call, enum token_type type)
{
    struct str prefix = prefixes[type];
    size_t length;
    char *token = token_begin(call, type, &length);
    unsigned char random_bytes[64];
    for (size_t at = prefix.len; at < prefix.len + TOKEN_RANDOM_CHARS;) {
        randombytes_buf(random_bytes, sizeof random_bytes);
        /* Bytes from 248 on would favour the first digits. */
        for (size_t i = 0; i < sizeof random_bytes && at < prefix.len + TOKEN_RANDOM_CHARS; i++)
            if (random_bytes[i] < 256 / BASE * BASE)
                token[at++] = digits[random_bytes[i] % BASE];
    }
    sodium_memzero(random_bytes, sizeof random_bytes);
    return token_end(token, length);
}

/* The 256 bits of a MAC as a number, written with 43 digits: 62^43 is just above 2^256. */
struct str token_successor(struct call *call, enum token_type type, struct str from)
{
    unsigned char bits[KEY_BYTES];
    size_t length;
    char *token = token_begin(call, type, &length);
    struct str message = call_format(call, "successor|v1|%.*s|%.*s", STR_ARG(prefixes[type]), STR_ARG(from));
    keyring_wipe_later(call, (char *)message.ptr, message.len);
    keyring_mac_raw(KEYRING_TOKEN_MAC, message, bits);
    for (size_t at = prefixes[type].len + TOKEN_RANDOM_CHARS; at > prefixes[type].len; at--) {
        unsigned rest = 0;
        for (size_t i = 0; i < sizeof bits; i++) {
            unsigned value = rest * 256 + bits[i];
            bits[i] = (unsigned char)(value / BASE);
            rest = value % BASE;
        }
        token[at - 1] = digits[rest];
    }
    sodium_memzero(bits, sizeof bits);
    return token_end(token, length);
}

struct str token_word(struct call *call, size_t chars)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789z";
    unsigned char bytes[32];
    char *word = arena_alloc(call->arena, chars + 1);
    assert(chars <= sizeof bytes);
    randombytes_buf(bytes, sizeof bytes);
    for (size_t i = 0; i < chars; i++)
        word[i] = letters[bytes[i] % 32];
    return str_of(word, chars);
}

static bool is_alnum(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum(s.ptr[i]))
            return false;
    return true;
}

bool token_check(struct str token, enum token_type *ret_type)
{
    if (token.len == TOKEN_EARLIER_CHARS && is_alnum(token)) {
        *ret_type = TOKEN_EARLIER;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(prefixes); i++) {
        if (!str_starts_with(token, prefixes[i]))
            continue;
        char check[TOKEN_CHECK_CHARS];
        struct str rest = str_from_offset(token, prefixes[i].len);
        if (rest.len != TOKEN_RANDOM_CHARS + TOKEN_CHECK_CHARS || !is_alnum(rest))
            return false;
        check_chars(str_sub(token, 0, token.len - TOKEN_CHECK_CHARS), check);
        if (memcmp(check, token.ptr + token.len - TOKEN_CHECK_CHARS, TOKEN_CHECK_CHARS) != 0)
            return false;
        *ret_type = (enum token_type)i;
        return true;
    }
    return false;
}

void token_hash(struct str token, char out[MAC_HEX_BYTES])
{
    keyring_mac(KEYRING_PEPPER, token, out);
}

struct str token_last4(struct str token)
{
    return str_from_offset(token, token.len > 4 ? token.len - 4 : 0);
}

void token_hash_of_nobody(char out[MAC_HEX_BYTES])
{
    unsigned char bytes[KEY_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(out, MAC_HEX_BYTES, bytes, sizeof bytes);
}

void token_mac(struct call *call, const struct token_claims *claims, char out[MAC_HEX_BYTES])
{
    struct buf text;
    buf_init(&text, call->arena, CLAIMS_BYTES_MAX);
    buf_add(&text, STR("token|v1|"));
    buf_add_i64(&text, claims->token_id);
    buf_add_char(&text, '|');
    buf_add(&text, claims->token_hash);
    for (size_t i = 0; i < claims->n_connections; i++) {
        buf_add_char(&text, i ? ',' : '|');
        buf_add_i64(&text, claims->connection_ids[i]);
    }
    buf_add_char(&text, '|');
    buf_add(&text, claims->rights);
    buf_add_char(&text, '|');
    buf_add(&text, claims->confirm);
    buf_add_char(&text, '|');
    buf_add_i64(&text, claims->expires_at_ms);
    if (claims->audience.len) {
        buf_add_char(&text, '|');
        buf_add(&text, claims->audience);
    }
    if (buf_failed(&text))
        abort(); /* its parts are ours and short */
    keyring_mac(KEYRING_TOKEN_MAC, buf_str(&text), out);
}

bool token_mac_is_right(struct call *call, const struct token_claims *claims, struct str mac)
{
    char right[MAC_HEX_BYTES];
    token_mac(call, claims, right);
    return mac.len == MAC_HEX_BYTES - 1 && sodium_memcmp(right, mac.ptr, mac.len) == 0;
}
