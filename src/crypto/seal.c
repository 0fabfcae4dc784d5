/* Sealed values. */
#include <openssl/evp.h> /* these two before base/banned.h: they name what is banned there */
#include <sodium.h>

#include "crypto/seal.h"

#include "base/buf.h"

#include <limits.h>

enum {
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    AAD_BYTES_MAX = 256,
};

static struct str place_aad(const struct seal_place *place, char out[AAD_BYTES_MAX])
{
    int length = snprintf(out, AAD_BYTES_MAX, "v1|%lld|%.*s|%.*s|%.*s", (long long)place->owner, STR_ARG(place->table),
                          STR_ARG(place->row), STR_ARG(place->column));
    /* Places are our own constants and numbers. */
    if (length < 0 || length >= AAD_BYTES_MAX)
        abort();
    return str_of(out, (size_t)length);
}

/*
 * Base64 by OpenSSL: libsodium's takes the same time for every text, and so ten times as long; what is sealed is no secret any
 * more.
 */
#define BASE64_BYTES(size) (((size) + 2) / 3 * 4 + 1) /* with OpenSSL's NUL */

static void add_base64(struct buf *out, const unsigned char *bytes, size_t size)
{
    char *room = buf_reserve(out, BASE64_BYTES(size));
    if (room)
        out->len += (size_t)EVP_EncodeBlock((unsigned char *)room, bytes, (int)size);
}

int seal_box(struct call *call, const struct seal_place *place, int64_t kid, const unsigned char key[KEY_BYTES],
             struct str plain, struct str *ret_sealed)
{
    if (plain.len > SEAL_PLAIN_BYTES_MAX)
        return fail(call, E_LIMIT, "A secret may be at most 1 MiB long.");
    char aad_text[AAD_BYTES_MAX];
    struct str aad = place_aad(place, aad_text);
    unsigned char nonce[NONCE_BYTES];
    randombytes_buf(nonce, sizeof nonce);
    size_t size = plain.len + TAG_BYTES;
    unsigned char *cipher = arena_alloc_unset(call->arena, size);
    crypto_aead_xchacha20poly1305_ietf_encrypt(cipher, NULL, (const unsigned char *)plain.ptr, plain.len,
                                               (const unsigned char *)aad.ptr, aad.len, NULL, nonce, key);

    struct buf sealed;
    buf_init(&sealed, call->arena, SIZE_MAX / 2); /* the arena's budget is the limit */
    (void)buf_reserve(&sealed, 64 + BASE64_BYTES(sizeof nonce) + BASE64_BYTES(size));
    buf_add_format(&sealed, "{\"v\":1,\"kid\":%lld,\"n\":\"", (long long)kid);
    add_base64(&sealed, nonce, sizeof nonce);
    buf_add(&sealed, STR("\",\"c\":\""));
    add_base64(&sealed, cipher, size);
    buf_add(&sealed, STR("\"}"));
    *ret_sealed = buf_str(&sealed);
    return OK;
}

/*
 * The four members, read by a scanner of its own: the form is fixed, flat and ours, nothing in it is ever escaped, and
 * whatever else stands there is no sealed value.
 */
struct sealed_parts {
    struct str v, kid, n, c;
};

static void skip_space(struct str *rest)
{
    while (rest->len && ascii_is_space(rest->ptr[0]))
        *rest = str_from_offset(*rest, 1);
}

static bool take_char(struct str *rest, char c)
{
    skip_space(rest);
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = str_from_offset(*rest, 1);
    return true;
}

/* "text" without escapes, or digits. */
static bool take_scalar(struct str *rest, struct str *ret, bool *ret_is_text)
{
    skip_space(rest);
    *ret_is_text = rest->len && rest->ptr[0] == '"';
    if (*ret_is_text) {
        struct str inside = str_from_offset(*rest, 1);
        size_t end = str_find_char(inside, '"');
        if (end == STR_NOT_FOUND)
            return false;
        *ret = str_sub(inside, 0, end);
        *rest = str_from_offset(inside, end + 1);
        return str_find_char(*ret, '\\') == STR_NOT_FOUND;
    }
    size_t length = 0;
    while (length < rest->len && ascii_is_digit(rest->ptr[length]))
        length++;
    *ret = str_sub(*rest, 0, length);
    *rest = str_from_offset(*rest, length);
    return length > 0;
}

static bool parse_sealed(struct str text, struct sealed_parts *ret)
{
    static const struct {
        struct str name;
        size_t offset;
        bool is_text;
    } members[] = {
        {STR_INIT("v"), offsetof(struct sealed_parts, v), false},
        {STR_INIT("kid"), offsetof(struct sealed_parts, kid), false},
        {STR_INIT("n"), offsetof(struct sealed_parts, n), true},
        {STR_INIT("c"), offsetof(struct sealed_parts, c), true},
    };
    *ret = (struct sealed_parts){0};
    if (!take_char(&text, '{'))
        return false;
    for (size_t count = 0; count < ARRAY_LENGTH(members); count++) {
        struct str name, value;
        bool name_is_text, value_is_text, known = false;
        if ((count && !take_char(&text, ',')) || !take_scalar(&text, &name, &name_is_text) || !name_is_text ||
            !take_char(&text, ':') || !take_scalar(&text, &value, &value_is_text))
            return false;
        for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
            struct str *slot = (struct str *)(void *)((char *)ret + members[i].offset);
            if (str_eq(name, members[i].name) && !slot->ptr && members[i].is_text == value_is_text) {
                *slot = value;
                known = true;
            }
        }
        if (!known)
            return false;
    }
    if (!take_char(&text, '}'))
        return false;
    skip_space(&text);
    return text.len == 0;
}

static bool decode_base64(struct call *call, struct str text, unsigned char *out, size_t capacity, size_t *ret_size)
{
    if (text.len % 4 || text.len / 4 * 3 > capacity || text.len > INT_MAX ||
        EVP_DecodeBlock(out, (const unsigned char *)text.ptr, (int)text.len) < 0)
        return false;
    *ret_size = text.len / 4 * 3;
    for (size_t i = text.len; i > 0 && i + 2 > text.len && text.ptr[i - 1] == '='; i--)
        --*ret_size;
    /* It accepts more than one text for the same bytes; we do not. */
    unsigned char *again = arena_alloc_unset(call->arena, text.len + 1);
    EVP_EncodeBlock(again, out, (int)*ret_size);
    return str_eq(text, str_of((char *)again, text.len));
}

int64_t seal_kid(struct str sealed)
{
    struct sealed_parts parts;
    int64_t kid;
    return parse_sealed(sealed, &parts) && str_to_i64(parts.kid, &kid) && kid > 0 ? kid : 0;
}

int seal_unbox(struct call *call, const struct seal_place *place, const unsigned char key[KEY_BYTES], struct str sealed,
               struct str *ret_plain)
{
    struct sealed_parts parts;
    unsigned char nonce[NONCE_BYTES];
    size_t nonce_size, size;
    int64_t kid;
    if (!parse_sealed(sealed, &parts) || !str_eq(parts.v, STR("1")) || !str_to_i64(parts.kid, &kid))
        return E_CRYPTO;
    if (!decode_base64(call, parts.n, nonce, sizeof nonce, &nonce_size) || nonce_size != sizeof nonce)
        return E_CRYPTO;
    size_t capacity = parts.c.len / 4 * 3 + 3;
    unsigned char *cipher = arena_alloc(call->arena, capacity);
    if (!decode_base64(call, parts.c, cipher, capacity, &size) || size < TAG_BYTES)
        return E_CRYPTO;

    char aad_text[AAD_BYTES_MAX];
    struct str aad = place_aad(place, aad_text);
    size_t plain_size = size - TAG_BYTES;
    char *plain = arena_alloc(call->arena, plain_size + 1);
    keyring_wipe_later(call, plain, plain_size);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain, NULL, NULL, cipher, size,
                                                   (const unsigned char *)aad.ptr, aad.len, nonce, key))
        return E_CRYPTO;
    *ret_plain = str_of(plain, plain_size);
    return OK;
}

int seal_make_at(struct call *call, const struct seal_place *place, struct str wrapped_key, struct str plain,
                 struct str *ret_sealed)
{
    unsigned char *key = arena_alloc(call->arena, KEY_BYTES);
    int64_t kid = 0;
    keyring_wipe_later(call, key, KEY_BYTES);
    int error = keyring_data_key(call, place->owner, wrapped_key, &kid, key);
    if (error)
        return error;
    return seal_box(call, place, kid, key, plain, ret_sealed);
}

/* The key that the value names; E_NOT_FOUND: its owner has no such key, also not by now. */
static int named_key(struct call *call, const struct seal_place *place, struct str wrapped_key, struct str sealed,
                     unsigned char ret_key[KEY_BYTES])
{
    int64_t kid = seal_kid(sealed);
    if (!kid)
        return E_NOT_FOUND;
    int error = keyring_data_key(call, place->owner, wrapped_key, &kid, ret_key);
    if (error != E_NOT_FOUND)
        return error;
    error = keyring_reread(call, place->owner, &wrapped_key);
    return error ? error : keyring_data_key(call, place->owner, wrapped_key, &kid, ret_key);
}

int seal_open_at(struct call *call, const struct seal_place *place, struct str wrapped_key, struct str sealed,
                 struct str *ret_plain)
{
    unsigned char *key = arena_alloc(call->arena, KEY_BYTES);
    keyring_wipe_later(call, key, KEY_BYTES);
    int error = named_key(call, place, wrapped_key, sealed, key);
    if (error && error != E_NOT_FOUND)
        return error;
    if (error || seal_unbox(call, place, key, sealed, ret_plain))
        return fail(call, E_CRYPTO,
                    "A sealed value does not open: it was changed or moved, or belongs to another key. "
                    "Restore the database from a backup, or enter the value again.");
    return OK;
}

static struct seal_place connection_place(struct call *call, int64_t user_id, int64_t connection_id)
{
    return (struct seal_place){
        .owner = user_id,
        .table = STR("mcp_service_connections"),
        .row = call_format(call, "%lld", (long long)connection_id),
        .column = STR("secret_json"),
    };
}

bool seal_is_earlier(struct str sealed_json)
{
    struct str name;
    bool is_text;
    return take_char(&sealed_json, '{') && take_scalar(&sealed_json, &name, &is_text) && is_text &&
           str_eq(name, STR("enc"));
}

int seal_open(struct call *call, const struct sealed *sealed, struct str *ret_plain)
{
    struct seal_place place = connection_place(call, sealed->user_id, sealed->connection_id);
    if (seal_is_earlier(sealed->sealed_json))
        return fail(call, E_CRYPTO,
                    "The password of this connection is still sealed by the earlier system. Enter the password again: "
                    "open the connection in the dashboard and save its application password.");
    int error = seal_open_at(call, &place, sealed->wrapped_key, sealed->sealed_json, ret_plain);
    if (error == E_CRYPTO)
        return fail(call, E_CRYPTO,
                    "The stored password of this connection does not open with this server's key. Enter the password "
                    "again: open the connection in the dashboard and save its application password.");
    return error;
}

int seal_make(struct call *call, int64_t user_id, int64_t connection_id, struct str wrapped_key, struct str plain,
              struct str *ret_sealed_json)
{
    struct seal_place place = connection_place(call, user_id, connection_id);
    return seal_make_at(call, &place, wrapped_key, plain, ret_sealed_json);
}
