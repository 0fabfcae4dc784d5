/*
 * Lists of keys and tokens from any bytes. Input: a JWKS, a newline, a token; and the token again, with a good list. What was not
 * signed with the key that was made here never passes.
 */
#include "accounts/jwt_test_help.h"

#include "accounts/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct jwt_keys *good_keys(void)
{
    static struct jwt_keys *keys;
    if (keys)
        return keys;
    struct call call;
    call_init(&call, arena_new(1024 * 1024), 1000);
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct str jwks = str_format(call.arena, "{\"keys\":[%s,%s]}", jwk_of(call.arena, ed, "ed", "").ptr,
                                 jwk_of(call.arena, ec, "ec", "").ptr);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(ec);
    if (jwt_keys_new(&call, jwks, &keys))
        abort();
    arena_free(call.arena);
    return keys;
}

static void check(struct call *call, const struct jwt_keys *keys, struct str token)
{
    static const struct jwt_rules rules = {STR_INIT("i"), STR_INIT("a"), 1800000000};
    struct jwt jwt;
    int result = jwt_check(call, keys, &rules, token, &jwt);
    if ((result != E_UNAUTHENTICATED && result != E_NOT_FOUND) || call->error_text.len == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct call call;
    struct jwt_keys *keys;
    struct str input = str_of((const char *)data, size);
    size_t line = str_find_char(input, '\n');
    struct str token = line == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(input, line + 1);
    call_init(&call, arena_new(64 * 1024 * 1024), 1000);
    check(&call, good_keys(), token);
    if (jwt_keys_new(&call, str_sub(input, 0, line), &keys) == OK) {
        struct jwt jwt;
        const struct jwt_rules rules = {STR("i"), STR("a"), 1800000000};
        (void)jwt_check(&call, keys, &rules, token, &jwt); /* may be right: the input may bring its own key */
        jwt_keys_free(keys);
    }
    arena_free(call.arena);
    return 0;
}
