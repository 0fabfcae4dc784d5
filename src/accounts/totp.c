/* The second factor. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h> /* these three before base/banned.h */

#include "accounts/totp.h"

#include "accounts/owner.h"
#include "audit/audit.h"
#include "base/buf.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "store/keys.h"
#include "store/proofs.h"

enum { MODULUS = 1000000, GROUP_CHARS = 5, BASE32_CHARS = TOTP_KEY_BYTES * 8 / 5 };

/* ---- the code */

uint32_t totp_code(const unsigned char key[TOTP_KEY_BYTES], int64_t step)
{
    unsigned char message[8], mac[EVP_MAX_MD_SIZE];
    unsigned mac_bytes = 0;
    for (int i = 7; i >= 0; i--, step >>= 8)
        message[i] = (unsigned char)(step & 0xFF);
    HMAC(EVP_sha1(), key, TOTP_KEY_BYTES, message, sizeof message, mac, &mac_bytes);
    unsigned at = mac[mac_bytes - 1] & 0xF; /* RFC 4226 section 5.3 */
    uint32_t word = (uint32_t)(mac[at] & 0x7F) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 |
                    (uint32_t)mac[at + 3];
    return word % MODULUS;
}

static struct str base32(struct call *call, const unsigned char key[TOTP_KEY_BYTES])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char *text = arena_alloc(call->arena, BASE32_CHARS + 1);
    keyring_wipe_later(call, text, BASE32_CHARS);
    for (size_t i = 0; i < BASE32_CHARS; i++) {
        size_t bit = i * 5, byte = bit / 8, shift = bit % 8;
        unsigned pair = (unsigned)key[byte] << 8 | (byte + 1 < TOTP_KEY_BYTES ? key[byte + 1] : 0u);
        text[i] = letters[(pair >> (11 - shift)) & 31];
    }
    return str_of(text, BASE32_CHARS);
}

/* ---- the key at rest */

static struct seal_place place_of(struct call *call, int64_t user_id)
{
    return (struct seal_place){.owner = user_id,
                               .table = STR("mcp_user_profiles"),
                               .row = call_format(call, "%lld", (long long)user_id),
                               .column = STR("totp_sealed")};
}

static int open_key(struct call *call, int64_t user_id, struct str sealed, unsigned char ret_key[TOTP_KEY_BYTES])
{
    struct seal_place place = place_of(call, user_id);
    struct str wrapped, key;
    int error = store_keys_of_user(call, user_id, &wrapped);
    if (!error)
        error = seal_open_at(call, &place, wrapped, sealed, &key);
    if (!error && key.len != TOTP_KEY_BYTES)
        error = fail(call, E_CRYPTO, "Your second factor cannot be read. Ask the operator to turn it off.");
    if (!error)
        memcpy(ret_key, key.ptr, TOTP_KEY_BYTES);
    return error;
}

static int record(struct call *call, const char *action, int64_t user_id)
{
    const struct audit_event event = {.user_id = user_id, .action = str_from(action), .data_json = STR_EMPTY};
    return audit_record(call, &event);
}

/* ---- turning it on */

/* The profile is read and written back. Who changes something else of it holds the first of these only. */
static int lock(struct call *call, int64_t user_id, struct str *ret_wrapped)
{
    int error = store_keys_lock(call, 0);
    return error ? error : owner_lock(call, user_id, ret_wrapped);
}

static int keep_key(struct call *call, int64_t user_id, struct str key)
{
    struct seal_place place = place_of(call, user_id);
    struct profile_row profile;
    struct str wrapped;
    int error = lock(call, user_id, &wrapped);
    if (!error)
        error = store_profiles_get(call, user_id, &profile);
    if (!error && profile.totp_since_ms)
        return fail(call, E_CONFLICT, "Your second factor is on. Turn it off first.");
    if (!error)
        error = seal_make_at(call, &place, wrapped, key, &profile.totp_sealed);
    return error ? error : store_profiles_put(call, user_id, &profile);
}

int totp_begin(struct call *call, int64_t user_id, struct str email, struct str *ret_secret, struct str *ret_uri)
{
    unsigned char *key = arena_alloc(call->arena, TOTP_KEY_BYTES);
    bool mine;
    keyring_wipe_later(call, key, TOTP_KEY_BYTES);
    randombytes_buf(key, TOTP_KEY_BYTES);
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = store_end(call, mine, keep_key(call, user_id, str_of((const char *)key, TOTP_KEY_BYTES)));
    if (error)
        return error;
    *ret_secret = base32(call, key);
    *ret_uri = call_format(call, "otpauth://totp/porteiro:%.*s?secret=%.*s&issuer=porteiro", STR_ARG(email),
                           STR_ARG(*ret_secret));
    return OK;
}

/* ---- recovery codes */

/* As people type it: any case, with or without what stands between the groups. */
static struct str recovery_hash(struct call *call, int64_t user_id, struct str code)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES), letters[TOTP_RECOVERY_CHARS + 1];
    size_t n_letters = 0;
    for (size_t i = 0; i < code.len && n_letters < sizeof letters; i++)
        if (ascii_is_alnum(code.ptr[i]))
            letters[n_letters++] = ascii_lower(code.ptr[i]);
    keyring_mac(KEYRING_PEPPER, call_format(call, "recovery|%lld|%.*s", (long long)user_id, (int)n_letters, letters),
                mac);
    sodium_memzero(letters, sizeof letters);
    return str_from(mac);
}

static struct str in_groups(struct call *call, struct str letters)
{
    struct buf text;
    buf_init(&text, call->arena, 2 * TOTP_RECOVERY_CHARS);
    for (size_t at = 0; at < letters.len; at += GROUP_CHARS) {
        if (at)
            buf_add_char(&text, '-');
        buf_add(&text, str_sub(letters, at, GROUP_CHARS));
    }
    return buf_str(&text);
}

static int make_codes(struct call *call, int64_t user_id, struct str ret_codes[TOTP_RECOVERY_CODES])
{
    int error = store_proofs_delete_all(call, user_id, STR(PROOF_RECOVERY));
    for (size_t i = 0; i < TOTP_RECOVERY_CODES && !error; i++) {
        struct str letters = token_word(call, TOTP_RECOVERY_CHARS);
        const struct proof_row proof = {.id = token_word(call, 16),
                                        .user_id = user_id,
                                        .kind = STR(PROOF_RECOVERY),
                                        .hash = recovery_hash(call, user_id, letters),
                                        .value = STR_EMPTY,
                                        .created_at_ms = clock_now_ms()};
        error = store_proofs_insert(call, &proof);
        ret_codes[i] = in_groups(call, letters);
    }
    return error;
}

/* ---- checking */

static bool parse_code(struct str text, uint32_t *ret_code)
{
    uint64_t code = 0;
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ' ')
            continue;
        if (!ascii_is_digit(text.ptr[i]) || ++digits > TOTP_DIGITS)
            return false;
        code = code * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret_code = (uint32_t)code;
    return digits == TOTP_DIGITS;
}

static int check_app(struct call *call, int64_t user_id, const struct profile_row *profile, uint32_t code)
{
    unsigned char key[TOTP_KEY_BYTES];
    int64_t now = clock_now_ms() / 1000 / TOTP_STEP_S, step = 0;
    bool done = false;
    int error = open_key(call, user_id, profile->totp_sealed, key);
    if (error)
        return error;
    for (int64_t near = now - 1; near <= now + 1; near++)
        if (totp_code(key, near) == code && near > profile->totp_step)
            step = near;
    sodium_memzero(key, sizeof key);
    if (!step)
        return E_UNAUTHENTICATED;
    error = store_profiles_use_totp_step(call, user_id, step, &done);
    return error ? error : done ? OK : E_UNAUTHENTICATED;
}

static int check_recovery(struct call *call, int64_t user_id, struct str code)
{
    struct proof_row proof;
    int error = store_proofs_use(call, STR(PROOF_RECOVERY), recovery_hash(call, user_id, code), clock_now_ms(), &proof);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        return E_UNAUTHENTICATED;
    }
    return error ? error : record(call, "totp.recovery_used", user_id);
}

int totp_check(struct call *call, int64_t user_id, const struct profile_row *profile, struct str code)
{
    uint32_t number;
    code = str_trim(code);
    return parse_code(code, &number) ? check_app(call, user_id, profile, number) : check_recovery(call, user_id, code);
}

/* ---- confirming, ending */

static int confirm(struct call *call, int64_t user_id, uint32_t code, struct str ret_codes[TOTP_RECOVERY_CODES])
{
    struct profile_row profile;
    struct str wrapped;
    int error = lock(call, user_id, &wrapped);
    if (!error)
        error = store_profiles_get(call, user_id, &profile);
    if (!error && (profile.totp_since_ms || profile.totp_sealed.len == 0))
        return fail(call, E_CONFLICT, "There is no new authenticator app to confirm. Begin again.");
    if (!error)
        error = check_app(call, user_id, &profile, code);
    if (error == E_UNAUTHENTICATED)
        return fail(
            call, E_INVALID,
            "The code is wrong. It changes every 30 seconds: enter the one the app shows now, and see that this "
            "device's clock is right.");
    if (!error)
        error = store_profiles_get(call, user_id, &profile);
    profile.totp_since_ms = clock_now_ms();
    if (!error)
        error = store_profiles_put(call, user_id, &profile);
    if (!error)
        error = make_codes(call, user_id, ret_codes);
    return error ? error : record(call, "totp.on", user_id);
}

int totp_confirm(struct call *call, int64_t user_id, struct str code, struct str ret_codes[TOTP_RECOVERY_CODES])
{
    uint32_t number;
    bool mine;
    if (!parse_code(str_trim(code), &number))
        return fail(call, E_INVALID, "The code has %d digits.", TOTP_DIGITS);
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, confirm(call, user_id, number, ret_codes));
}

static int end(struct call *call, int64_t user_id)
{
    struct profile_row profile;
    struct str wrapped;
    int error = lock(call, user_id, &wrapped);
    if (!error)
        error = store_profiles_get(call, user_id, &profile);
    if (error || (!profile.totp_since_ms && profile.totp_sealed.len == 0))
        return error;
    profile.totp_sealed = STR_EMPTY;
    profile.totp_since_ms = 0;
    error = store_profiles_put(call, user_id, &profile);
    if (!error)
        error = store_proofs_delete_all(call, user_id, STR(PROOF_RECOVERY));
    return error ? error : record(call, "totp.off", user_id);
}

int totp_end(struct call *call, int64_t user_id)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, end(call, user_id));
}
