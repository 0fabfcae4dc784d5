/* Sealed state in the client's hands. */
#include <sodium.h> /* before base/banned.h */

#include "mcp/state.h"

#include "base/buf.h"
#include "crypto/keyring.h"
#include "json/json_write.h"

/* "1" base64url( nonce, ciphertext of (8 bytes time, plain), tag ) */
enum {
    VERSION = '1',
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    TIME_BYTES = 8,
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
    CANONICAL_MAX_BYTES = 16 * 1024 * 1024,
};

struct str state_digest(struct call *call, const struct json *arguments)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char *hex = arena_alloc(call->arena, 2 * sizeof hash + 1);
    struct buf text;
    buf_init(&text, call->arena, CANONICAL_MAX_BYTES);
    if (json_is(arguments, JSON_MISSING))
        buf_add(&text, STR("{}")); /* absent arguments are no arguments */
    else
        json_canonical(&text, arguments);
    crypto_hash_sha256(hash, (const unsigned char *)buf_str(&text).ptr, text.len);
    sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash);
    return str_of(hex, 2 * sizeof hash);
}

static struct str binding(struct call *call, const struct state_place *place)
{
    return call_format(call, "state|%lld|%.*s|%.*s|%.*s", (long long)place->holder, STR_ARG(place->method),
                       STR_ARG(state_digest(call, place->arguments)), STR_ARG(place->name));
}

static void derive_key(unsigned char key[KEY_BYTES])
{
    keyring_mac_raw(KEYRING_MCP, STR("request-state"), key);
}

int state_seal(struct call *call, const struct state_place *place, struct str plain, struct str *ret)
{
    if (plain.len > STATE_PLAIN_MAX_BYTES)
        return fail(call, E_LIMIT, "The answers are too long to go on with.");
    struct str bound = binding(call, place);
    size_t plain_size = TIME_BYTES + plain.len, size = NONCE_BYTES + plain_size + TAG_BYTES;
    unsigned char *text = arena_alloc(call->arena, plain_size), *bytes = arena_alloc(call->arena, size);
    char *out = arena_alloc(call->arena, 1 + sodium_base64_ENCODED_LEN(size, VARIANT));
    uint64_t now_ms = (uint64_t)clock_now_ms();
    for (int i = 0; i < TIME_BYTES; i++)
        text[i] = (unsigned char)(now_ms >> (56 - 8 * i));
    memcpy(text + TIME_BYTES, plain.ptr, plain.len);
    randombytes_buf(bytes, NONCE_BYTES);
    unsigned char key[KEY_BYTES];
    derive_key(key);
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + NONCE_BYTES, NULL, text, plain_size,
                                               (const unsigned char *)bound.ptr, bound.len, NULL, bytes, key);
    sodium_memzero(key, sizeof key);
    out[0] = VERSION;
    sodium_bin2base64(out + 1, sodium_base64_ENCODED_LEN(size, VARIANT), bytes, size, VARIANT);
    *ret = str_from(out);
    return OK;
}

static int refuse(struct call *call)
{
    return fail(call, E_INVALID,
                "requestState is not one that was given for this request. Send back exactly what the last "
                "input_required result held, with the same arguments, or start anew without it.");
}

int state_open(struct call *call, const struct state_place *place, struct str sealed, struct str *ret_plain,
               struct str *ret_nonce)
{
    size_t size, room = sealed.len / 4 * 3 + 3;
    if (sealed.len < 2 || sealed.len > STATE_PLAIN_MAX_BYTES * 2 || sealed.ptr[0] != VERSION)
        return refuse(call);
    unsigned char *bytes = arena_alloc(call->arena, room);
    if (sodium_base642bin(bytes, room, sealed.ptr + 1, sealed.len - 1, NULL, &size, NULL, VARIANT) != 0 ||
        size < NONCE_BYTES + TIME_BYTES + TAG_BYTES)
        return refuse(call);
    struct str bound = binding(call, place);
    size_t plain_size = size - NONCE_BYTES - TAG_BYTES;
    unsigned char *text = arena_alloc(call->arena, plain_size), key[KEY_BYTES];
    derive_key(key);
    int wrong = crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, bytes + NONCE_BYTES, size - NONCE_BYTES,
                                                           (const unsigned char *)bound.ptr, bound.len, bytes, key);
    sodium_memzero(key, sizeof key);
    if (wrong)
        return refuse(call);
    uint64_t then_ms = 0;
    for (int i = 0; i < TIME_BYTES; i++)
        then_ms = then_ms << 8 | text[i];
    if (clock_now_ms() - (int64_t)then_ms > STATE_LIFE_MS)
        return fail(call, E_INVALID, "requestState is older than %d minutes. Start anew without it.",
                    STATE_LIFE_MS / 60000);
    char *nonce = arena_alloc(call->arena, 2 * NONCE_BYTES + 1);
    sodium_bin2hex(nonce, 2 * NONCE_BYTES + 1, bytes, NONCE_BYTES);
    *ret_plain = str_of((const char *)text + TIME_BYTES, plain_size - TIME_BYTES);
    *ret_nonce = str_of(nonce, STATE_NONCE_CHARS);
    return OK;
}
