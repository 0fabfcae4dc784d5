/* Passwords of people. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "crypto/password.h"

#include <crypt.h>
#include <errno.h>

static const char *const common_passwords[] = {
#include "crypto/common_passwords.inc"
};

static size_t memory_kib = 64 * 1024;
static unsigned long long passes = 3;

void password_set_profile(enum password_profile profile)
{
    memory_kib = profile == PASSWORD_SMALL ? 19 * 1024 : 64 * 1024;
    passes = profile == PASSWORD_SMALL ? 2 : 3;
}

static size_t count_code_points(struct str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return count;
}

static bool is_common(struct str lower)
{
    enum { PIECE_MAX = 4 };
    for (size_t i = 0; i < ARRAY_LENGTH(common_passwords); i++)
        if (str_eq(lower, str_from(common_passwords[i])))
            return true;
    /* One short piece over and over: aaaaaaaaaaaa, abcabcabcabc. */
    for (size_t piece = 1; piece <= PIECE_MAX; piece++)
        if (lower.len > piece && memcmp(lower.ptr, lower.ptr + piece, lower.len - piece) == 0)
            return true;
    return false;
}

/* "porteiroporteiro", "Porteiro porteiro!": nothing but what this program is called. */
static bool is_name_of_ours(struct str lower)
{
    static const struct str name = STR_INIT("porteiro");
    bool is_named = false;
    while (lower.len) {
        bool here = str_starts_with(lower, name);
        if (!here && (ascii_is_alnum(lower.ptr[0]) || (unsigned char)lower.ptr[0] >= 0x80))
            return false;
        is_named = is_named || here;
        lower = str_from_offset(lower, here ? name.len : 1);
    }
    return is_named;
}

int password_check_rules(struct call *call, struct str password, struct str email)
{
    enum { LOCAL_PART_MIN = 4 }; /* shorter ones are in many good passwords by chance */
    if (!str_is_utf8(password) || str_find_char(password, '\0') != STR_NOT_FOUND)
        return fail(call, E_INVALID, "The password is not valid text (UTF-8).");
    size_t length = count_code_points(password);
    if (length < PASSWORD_CHARS_MIN)
        return fail(call, E_INVALID,
                    "The password has %zu characters; at least %d are needed. Several words are easy to remember.",
                    length, PASSWORD_CHARS_MIN);
    if (length > PASSWORD_CHARS_MAX)
        return fail(call, E_INVALID, "The password has %zu characters; at most %d are possible.", length,
                    PASSWORD_CHARS_MAX);
    struct str lower = str_lower(call->arena, password);
    struct str local_part = str_lower(call->arena, str_sub(email, 0, str_find_char(email, '@')));
    bool bad = is_common(lower) || is_name_of_ours(lower);
    bool holds_email = (local_part.len >= LOCAL_PART_MIN && str_contains(lower, local_part)) ||
                       (email.len > local_part.len && str_contains(lower, str_lower(call->arena, email)));
    sodium_memzero((void *)(uintptr_t)lower.ptr, lower.len);
    if (bad)
        return fail(call, E_INVALID, "This password is among the ones that are tried first. Choose another.");
    if (holds_email)
        return fail(call, E_INVALID, "The password holds the name of the e-mail address. Choose another.");
    return OK;
}

int password_hash(struct str password, char out[PASSWORD_HASH_BYTES])
{
    _Static_assert(PASSWORD_HASH_BYTES >= crypto_pwhash_STRBYTES, "PHC string");
    if (sodium_init() < 0 ||
        crypto_pwhash_str_alg(out, password.ptr, password.len, passes, memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13))
        return E_UNAVAILABLE;
    return OK;
}

static bool is_bcrypt(struct str hash)
{
    enum { BCRYPT_CHARS = 60 };
    return hash.len == BCRYPT_CHARS && (str_starts_with(hash, STR("$2a$")) || str_starts_with(hash, STR("$2b$")) ||
                                        str_starts_with(hash, STR("$2y$")));
}

static int verify_bcrypt(struct str password, struct str hash)
{
    char text[PASSWORD_BYTES_MAX + 1], setting[PASSWORD_HASH_BYTES];
    if (!str_to_cstr(password, text, sizeof text) || !str_to_cstr(hash, setting, sizeof setting))
        return E_DENIED;
    struct crypt_data *data = calloc(1, sizeof *data); /* 32 KiB */
    if (!data) {
        sodium_memzero(text, sizeof text);
        return E_UNAVAILABLE;
    }
    /* Not crypt_r(): the sanitizers intercept that, and then the linker finds no use for libcrypt. */
    const char *result = crypt_rn(text, setting, data, sizeof *data);
    bool is_right = result && strlen(result) == hash.len && sodium_memcmp(result, hash.ptr, hash.len) == 0;
    sodium_memzero(text, sizeof text);
    sodium_memzero(data, sizeof *data);
    free(data);
    return is_right ? OK : E_DENIED;
}

/* m and t of "$argon2id$v=19$m=65536,t=3,p=1$...". */
static bool parse_cost(struct str hash, uint64_t *ret_memory_kib, uint64_t *ret_passes)
{
    static const struct str start = STR_INIT("$argon2id$v=19$m=");
    struct str memory, time, rest = str_from_offset(hash, start.len);
    return str_starts_with(hash, start) && str_next(&rest, ',', &memory) && str_next(&rest, ',', &time) &&
           str_starts_with(time, STR("t=")) && str_to_u64(memory, ret_memory_kib) &&
           str_to_u64(str_from_offset(time, 2), ret_passes);
}

static int hash_for_nobody(struct str password)
{
    static const unsigned char salt[crypto_pwhash_SALTBYTES] = "nobody";
    unsigned char unused[32];
    return crypto_pwhash(unused, sizeof unused, password.ptr, password.len, salt, passes, memory_kib * 1024,
                         crypto_pwhash_ALG_ARGON2ID13)
               ? E_UNAVAILABLE
               : E_DENIED;
}

int password_verify(struct str password, struct str hash)
{
    char text[PASSWORD_HASH_BYTES];
    uint64_t memory, time;
    if (password.len > PASSWORD_BYTES_MAX)
        return E_DENIED;
    if (is_bcrypt(hash))
        return verify_bcrypt(password, hash);
    if (sodium_init() < 0)
        return E_UNAVAILABLE;
    if (!parse_cost(hash, &memory, &time) || !str_to_cstr(hash, text, sizeof text))
        return hash_for_nobody(password);
    errno = 0;
    if (crypto_pwhash_str_verify(text, password.ptr, password.len) == 0)
        return OK;
    return errno == ENOMEM ? E_UNAVAILABLE : E_DENIED;
}

bool password_needs_rehash(struct str hash)
{
    uint64_t memory, time;
    return !parse_cost(hash, &memory, &time) || memory * time < memory_kib * passes;
}
