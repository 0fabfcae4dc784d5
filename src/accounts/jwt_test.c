/* Tokens of another service: the good ones of each kind, and every way to make a bad one. */
#include "accounts/jwt_test_help.h"

#include "accounts/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOW 1800000000
#define CLAIMS "\"iss\":\"https://id.example\",\"aud\":\"https://id.example\",\"sub\":\"u1\",\"exp\":1800000900"
static const struct jwt_rules rules = {STR_INIT("https://id.example"), STR_INIT("https://id.example"), NOW};

static struct {
    struct call call;
    EVP_PKEY *ed, *ec, *rsa, *other, *small;
    struct jwt_keys *keys;
    struct str rsa_n;
} at;

static int setup(void **state)
{
    (void)state;
    call_init(&at.call, arena_new(64 * 1024 * 1024), 60000);
    struct arena *arena = at.call.arena;
    at.ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    at.other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    at.ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    at.rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    at.small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    struct str jwks =
        str_format(arena, "{\"keys\":[%s,%s,%s,%s,{\"kty\":\"oct\",\"kid\":\"secret\",\"k\":\"c2VjcmV0\"},%s]}",
                   jwk_of(arena, at.ed, "ed", ",\"alg\":\"EdDSA\",\"use\":\"sig\"").ptr,
                   jwk_of(arena, at.ec, "ec", "").ptr, jwk_of(arena, at.rsa, "rsa", "").ptr,
                   jwk_of(arena, at.small, "small", "").ptr, jwk_of(arena, at.other, "enc", ",\"use\":\"enc\"").ptr);
    assert_int_equal(jwt_keys_new(&at.call, jwks, &at.keys), OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    jwt_keys_free(at.keys);
    EVP_PKEY *all[] = {at.ed, at.ec, at.rsa, at.other, at.small};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        EVP_PKEY_free(all[i]);
    arena_free(at.call.arena);
    return 0;
}

static void expect(struct str token, int result, const char *why)
{
    struct jwt jwt;
    call_clear_error(&at.call);
    int got = jwt_check(&at.call, at.keys, &rules, token, &jwt);
    if (got != result || (why && !str_contains(at.call.error_detail, str_from(why))))
        fail_msg("%.*s: %d (%.*s), not %d (%s)", STR_ARG(token), got, STR_ARG(at.call.error_detail), result,
                 why ? why : "");
    if (result == OK)
        assert_true(str_eq(jwt.subject, STR("u1")));
}

static struct str token(EVP_PKEY *key, const char *header, const char *claims)
{
    return jwt_of(at.call.arena, key, header, claims);
}

static void good_ones_of_each_kind(void **state)
{
    (void)state;
    assert_int_equal(jwt_keys_count(at.keys), 3); /* not the small one, not the secret, not the one for encryption */
    expect(token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" CLAIMS "}"), OK, NULL);
    expect(token(at.ec, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"JWT\"}", "{" CLAIMS "}"), OK, NULL);
    expect(token(at.rsa, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "{" CLAIMS ",\"iat\":1800000000,\"nbf\":1800000010}"),
           OK, NULL);
    expect(token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}",
                 "{\"iss\":\"https://id.example\",\"aud\":[\"x\",\"https://"
                 "id.example\"],\"sub\":\"u1\",\"exp\":1800000000.5}"),
           OK, NULL);
}

static void algorithms(void **state)
{
    (void)state;
    const char *unknown = "its algorithm is none that is taken";
    expect(token(NULL, "{\"alg\":\"none\",\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, unknown);
    expect(token(NULL, "{\"alg\":\"None\",\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, unknown);
    expect(token(at.ed, "{\"alg\":\"HS256\",\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, unknown);
    expect(token(at.ed, "{\"alg\":[\"EdDSA\"],\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, unknown);
    expect(token(at.ed, "{\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, unknown);
    expect(token(at.rsa, "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, unknown);
    expect(token(at.ed, "{\"alg\":\"RS256\",\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, "not its key's");
    expect(token(at.ec, "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, "not its key's");
    expect(token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"crit\":[\"b64\"]}", "{" CLAIMS "}"), E_UNAUTHENTICATED,
           "extension");
    /* The public key as the secret of an HMAC. */
    struct str text =
        str_format(at.call.arena, "%s.%s", base64url_str(at.call.arena, STR("{\"alg\":\"HS256\",\"kid\":\"rsa\"}")).ptr,
                   base64url_str(at.call.arena, STR("{" CLAIMS "}")).ptr);
    struct str public = jwk_of(at.call.arena, at.rsa, "rsa", "");
    unsigned char mac[32];
    unsigned size;
    HMAC(EVP_sha256(), public.ptr, (int)public.len, (const unsigned char *)text.ptr, text.len, mac, &size);
    expect(str_format(at.call.arena, "%s.%s", text.ptr, base64url(at.call.arena, mac, size).ptr), E_UNAUTHENTICATED,
           unknown);
}

static void keys_and_signatures(void **state)
{
    (void)state;
    expect(token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"new\"}", "{" CLAIMS "}"), E_NOT_FOUND, NULL);
    expect(token(at.other, "{\"alg\":\"EdDSA\",\"kid\":\"enc\"}", "{" CLAIMS "}"), E_NOT_FOUND, NULL);
    expect(token(at.small, "{\"alg\":\"RS256\",\"kid\":\"small\"}", "{" CLAIMS "}"), E_NOT_FOUND, NULL);
    expect(token(at.ed, "{\"alg\":\"EdDSA\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, "no key");
    expect(token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, "no key");
    expect(token(at.other, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, "signature");
    expect(token(NULL, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED, "no signature");
    /* Of ES256: all zeros, and DER instead of r and s. */
    struct str good = token(at.ec, "{\"alg\":\"ES256\",\"kid\":\"ec\"}", "{" CLAIMS "}");
    struct str without = str_sub(good, 0, str_find_last_char(good, '.') + 1);
    unsigned char zeros[70] = {0};
    expect(str_concat(at.call.arena, without, base64url(at.call.arena, zeros, 64)), E_UNAUTHENTICATED, "signature");
    expect(str_concat(at.call.arena, without, base64url(at.call.arena, zeros, 70)), E_UNAUTHENTICATED, "signature");
    /* Each byte of it counts. */
    for (size_t i = 0; i < good.len; i++) {
        char *copy = (char *)(uintptr_t)str_copy_cstr(at.call.arena, good);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        struct jwt jwt;
        if (jwt_check(&at.call, at.keys, &rules, str_from(copy), &jwt) == OK)
            fail_msg("byte %zu may be anything", i);
    }
}

static void shapes(void **state)
{
    (void)state;
    struct str good = token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" CLAIMS "}");
    struct arena *arena = at.call.arena;
    const char *parts = "three parts";
    expect(STR_EMPTY, E_UNAUTHENTICATED, parts);
    expect(STR("a.b"), E_UNAUTHENTICATED, parts);
    expect(str_format(arena, "%s.x", good.ptr), E_UNAUTHENTICATED, parts);
    expect(str_format(arena, "%s=", good.ptr), E_UNAUTHENTICATED, "signature");
    expect(str_format(arena, " %s", good.ptr), E_UNAUTHENTICATED, "head");
    char *long_one = arena_alloc(arena, JWT_BYTES_MAX + 2);
    memset(long_one, 'a', JWT_BYTES_MAX + 1);
    expect(str_from(long_one), E_UNAUTHENTICATED, parts);
    expect(token(at.ed, "{\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" CLAIMS "}"), E_UNAUTHENTICATED,
           "head");
    expect(token(at.ed, "[1]", "{" CLAIMS "}"), E_UNAUTHENTICATED, "head");
    expect(token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" CLAIMS ",\"sub\":\"u2\"}"), E_UNAUTHENTICATED,
           "claims");
}

static void claims(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *why;
    } cases[] = {
        {"{\"aud\":\"https://id.example\",\"sub\":\"u1\",\"exp\":1800000900}", "issuer"},
        {"{\"iss\":\"https://id.example/\",\"aud\":\"https://id.example\",\"sub\":\"u1\",\"exp\":1800000900}",
         "issuer"},
        {"{\"iss\":\"https://id.example\",\"sub\":\"u1\",\"exp\":1800000900}", "audience"},
        {"{\"iss\":\"https://id.example\",\"aud\":[],\"sub\":\"u1\",\"exp\":1800000900}", "audience"},
        {"{\"iss\":\"https://id.example\",\"aud\":[\"x\"],\"sub\":\"u1\",\"exp\":1800000900}", "audience"},
        {"{\"iss\":\"https://id.example\",\"aud\":\"https://id.example\",\"sub\":\"u1\"}", "expired"},
        {"{\"iss\":\"https://id.example\",\"aud\":\"https://id.example\",\"sub\":\"u1\",\"exp\":\"1900000000\"}",
         "expired"},
        {"{\"iss\":\"https://id.example\",\"aud\":\"https://id.example\",\"sub\":\"u1\",\"exp\":1799999970}",
         "expired"},
        {"{" CLAIMS ",\"nbf\":1800000031}", "not good yet"},
        {"{" CLAIMS ",\"nbf\":\"soon\"}", "not good yet"},
        {"{" CLAIMS ",\"iat\":1800000031}", "future"},
        {"{\"iss\":\"https://id.example\",\"aud\":\"https://id.example\",\"exp\":1800000900}", "nobody"},
        {"{\"iss\":\"https://id.example\",\"aud\":\"https://id.example\",\"sub\":\"\",\"exp\":1800000900}", "nobody"},
        {"{\"iss\":\"https://id.example\",\"aud\":\"https://id.example\",\"sub\":7,\"exp\":1800000900}", "nobody"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect(token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", cases[i].claims), E_UNAUTHENTICATED, cases[i].why);
    struct jwt jwt;
    struct str good = token(at.ed, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", "{" CLAIMS "}");
    const struct jwt_rules empty = {STR_EMPTY, STR_EMPTY, NOW}; /* rules that were forgotten let nobody in */
    assert_int_equal(jwt_check(&at.call, at.keys, &empty, good, &jwt), E_UNAUTHENTICATED);
}

static void lists_of_keys(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[1,null,{}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"c2VjcmV0\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}", /* a point that is not on the curve */
        ("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"a\",\"x\":"
         "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}"),
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct jwt_keys *keys = NULL;
        if (jwt_keys_new(&at.call, str_from(bad[i]), &keys) != E_INVALID)
            fail_msg("%s was taken", bad[i]);
    }
    /* Of two with one name the first counts; of too many the first ones. */
    struct arena *arena = at.call.arena;
    struct str all = STR_EMPTY;
    for (int i = 0; i < JWT_KEYS_MAX + 5; i++)
        all = str_format(arena, "%.*s%s%s", STR_ARG(all), i ? "," : "",
                         jwk_of(arena, at.ed, str_format(arena, "k%d", i % 2 ? i : 0).ptr, "").ptr);
    struct jwt_keys *keys;
    assert_int_equal(jwt_keys_new(&at.call, str_format(arena, "{\"keys\":[%s]}", all.ptr), &keys), OK);
    assert_int_equal(jwt_keys_count(keys), 1 + (JWT_KEYS_MAX + 5) / 2);
    jwt_keys_free(keys);
    jwt_keys_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_of_each_kind),
        cmocka_unit_test(algorithms),
        cmocka_unit_test(keys_and_signatures),
        cmocka_unit_test(shapes),
        cmocka_unit_test(claims),
        cmocka_unit_test(lists_of_keys),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
