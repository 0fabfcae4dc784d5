/* Signed tokens of another service. */
#include <openssl/core_names.h> /* these before base/banned.h */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "accounts/jwt.h"

#include "net/task.h"

enum {
    DEPTH_MAX = 8,
    P256_BYTES = 32,
    ED25519_BYTES = 32,
    DER_BYTES_MAX = 80, /* of an ES256 signature */
};

enum algorithm { EDDSA, ES256, RS256, N_ALGORITHMS };

static const struct str algorithm_names[] = {
    [EDDSA] = STR_INIT("EdDSA"), [ES256] = STR_INIT("ES256"), [RS256] = STR_INIT("RS256")};

struct jwt_key {
    enum algorithm algorithm;
    EVP_PKEY *key;
    size_t kid_len;
    char kid[JWT_KID_BYTES_MAX];
};

struct jwt_keys {
    size_t count;
    struct jwt_key keys[JWT_KEYS_MAX];
};

/* ---- base64url */

/* Without padding, and without bits that are thrown away. ptr NULL: it is not that. */
static struct str decode(struct arena *arena, struct str text)
{
    size_t size = 0;
    const char *end = NULL;
    unsigned char *out = arena_alloc(arena, text.len + 1);
    if (text.len == 0 ||
        sodium_base642bin(out, text.len + 1, text.ptr, text.len, NULL, &size, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) ||
        end != text.ptr + text.len)
        return (struct str){NULL, 0};
    return str_of((const char *)out, size);
}

/* ---- keys */

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (parameters && context &&
        (EVP_PKEY_fromdata_init(context) != 1 ||
         EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1))
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    return key;
}

static EVP_PKEY *read_ec(struct arena *arena, const struct json *jwk)
{
    struct str x = decode(arena, json_str(json_get(jwk, STR("x")))),
               y = decode(arena, json_str(json_get(jwk, STR("y"))));
    unsigned char point[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    if (!str_eq(json_str(json_get(jwk, STR("crv"))), STR("P-256")) || x.len != P256_BYTES || y.len != P256_BYTES)
        return NULL;
    memcpy(point + 1, x.ptr, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, y.ptr, P256_BYTES);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point))
        key = from_parameters("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *read_rsa(struct arena *arena, const struct json *jwk)
{
    struct str n = decode(arena, json_str(json_get(jwk, STR("n")))),
               e = decode(arena, json_str(json_get(jwk, STR("e"))));
    if (!n.ptr || !e.ptr || n.len > JWT_RSA_BITS_MAX / 8 || e.len > 4)
        return NULL;
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL),
           *exponent = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
    if (builder && modulus && exponent && BN_num_bits(modulus) >= JWT_RSA_BITS_MIN && BN_is_odd(modulus) &&
        BN_is_odd(exponent) && !BN_is_one(exponent) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent))
        key = from_parameters("RSA", builder);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *read_ed25519(struct arena *arena, const struct json *jwk)
{
    struct str x = decode(arena, json_str(json_get(jwk, STR("x"))));
    if (!str_eq(json_str(json_get(jwk, STR("crv"))), STR("Ed25519")) || x.len != ED25519_BYTES)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr, x.len);
}

static const struct {
    struct str type;
    enum algorithm algorithm;
    EVP_PKEY *(*read)(struct arena *, const struct json *);
} types[] = {
    {STR_INIT("OKP"), EDDSA, read_ed25519},
    {STR_INIT("EC"), ES256, read_ec},
    {STR_INIT("RSA"), RS256, read_rsa},
};

static bool says_or_is_silent(const struct json *object, const char *name, struct str value)
{
    const struct json *member = json_get(object, str_from(name));
    return json_is(member, JSON_MISSING) || (json_is(member, JSON_STRING) && str_eq(json_str(member), value));
}

static const struct jwt_key *find_key(const struct jwt_keys *keys, struct str kid)
{
    for (size_t i = 0; i < keys->count; i++)
        if (str_eq(str_of(keys->keys[i].kid, keys->keys[i].kid_len), kid))
            return &keys->keys[i];
    return NULL;
}

/* One that cannot be used is left out: a service may have keys for other things. */
static void add_key(struct arena *arena, struct jwt_keys *keys, const struct json *jwk)
{
    struct str kid = json_str(json_get(jwk, STR("kid"))), type = json_str(json_get(jwk, STR("kty")));
    if (kid.len == 0 || kid.len > JWT_KID_BYTES_MAX || find_key(keys, kid) ||
        !says_or_is_silent(jwk, "use", STR("sig")))
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(types) && keys->count < JWT_KEYS_MAX; i++) {
        if (!str_eq(types[i].type, type) || !says_or_is_silent(jwk, "alg", algorithm_names[types[i].algorithm]))
            continue;
        struct jwt_key *key = &keys->keys[keys->count];
        key->algorithm = types[i].algorithm;
        key->key = types[i].read(arena, jwk);
        key->kid_len = kid.len;
        memcpy(key->kid, kid.ptr, kid.len);
        keys->count += key->key != NULL;
    }
}

int jwt_keys_new(struct call *call, struct str jwks, struct jwt_keys **ret)
{
    static const struct json_limits limits = {DEPTH_MAX, JWT_KEYS_BYTES_MAX, true};
    const struct json *whole;
    if (json_parse(call->arena, jwks, &limits, &whole, NULL) < 0 || !json_is(json_get(whole, STR("keys")), JSON_ARRAY))
        return fail(call, E_INVALID, "This is not a list of keys (JWKS).");
    struct jwt_keys *keys = calloc(1, sizeof *keys);
    if (!keys)
        return fail(call, E_UNAVAILABLE, "No memory is left.");
    const struct json *list = json_get(whole, STR("keys"));
    for (size_t i = 0; i < json_count(list) && keys->count < JWT_KEYS_MAX; i++)
        add_key(call->arena, keys, json_at(list, i));
    if (keys->count) {
        *ret = keys;
        return OK;
    }
    jwt_keys_free(keys);
    return fail(call, E_INVALID, "There is no key in this list that can be used: EdDSA, ES256 or RS256, with a kid.");
}

void jwt_keys_free(struct jwt_keys *keys)
{
    for (size_t i = 0; keys && i < keys->count; i++)
        EVP_PKEY_free(keys->keys[i].key);
    free(keys);
}

size_t jwt_keys_count(const struct jwt_keys *keys)
{
    return keys->count;
}

/* ---- the signature */

struct verification {
    EVP_PKEY *key;
    enum algorithm algorithm;
    struct str signed_part, signature;
    bool is_right;
};

/* JWS has r and s behind each other, OpenSSL wants them as DER. 0: no signature. */
static size_t to_der(struct str signature, unsigned char out[DER_BYTES_MAX])
{
    if (signature.len != 2 * P256_BYTES)
        return 0;
    const unsigned char *bytes = (const unsigned char *)signature.ptr;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, P256_BYTES, NULL), *s = BN_bin2bn(bytes + P256_BYTES, P256_BYTES, NULL);
    int length = 0;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s)) {
        r = s = NULL; /* the pair's now */
        length = i2d_ECDSA_SIG(pair, NULL);
        length = length > 0 && length <= DER_BYTES_MAX ? i2d_ECDSA_SIG(pair, &out) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

static void verify(void *context)
{
    struct verification *v = context;
    unsigned char der[DER_BYTES_MAX];
    const unsigned char *signature = (const unsigned char *)v->signature.ptr;
    size_t size = v->signature.len;
    if (v->algorithm == ES256) {
        size = to_der(v->signature, der);
        signature = der;
    }
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const EVP_MD *method = v->algorithm == EDDSA ? NULL : EVP_sha256();
    v->is_right =
        digest && size && EVP_DigestVerifyInit(digest, NULL, method, NULL, v->key) == 1 &&
        EVP_DigestVerify(digest, signature, size, (const unsigned char *)v->signed_part.ptr, v->signed_part.len) == 1;
    EVP_MD_CTX_free(digest);
}

/* ---- the token */

static int refuse(struct call *call, const char *why)
{
    fail_detail(call, "token refused: %s", why);
    return fail(call, E_UNAUTHENTICATED, "This sign-in is not valid, or has expired. Sign in again.");
}

static int parse_object(struct call *call, struct str segment, const struct json **ret, const char *why)
{
    static const struct json_limits limits = {DEPTH_MAX, JWT_BYTES_MAX, true};
    struct str text = decode(call->arena, segment);
    if (!text.ptr || json_parse(call->arena, text, &limits, ret, NULL) < 0 || !json_is(*ret, JSON_OBJECT))
        return refuse(call, why);
    return OK;
}

static int choose_key(struct call *call, const struct jwt_keys *keys, const struct json *header,
                      const struct jwt_key **ret)
{
    const struct json *kid = json_get(header, STR("kid")), *algorithm = json_get(header, STR("alg"));
    bool is_known = false;
    for (size_t i = 0; i < N_ALGORITHMS; i++)
        is_known = is_known || (json_is(algorithm, JSON_STRING) && str_eq(json_str(algorithm), algorithm_names[i]));
    if (!is_known)
        return refuse(call, "its algorithm is none that is taken");
    if (!json_is(json_get(header, STR("crit")), JSON_MISSING))
        return refuse(call, "it asks for an extension");
    if (!json_is(kid, JSON_STRING) || json_str(kid).len == 0)
        return refuse(call, "it names no key");
    *ret = find_key(keys, json_str(kid));
    if (!*ret)
        return fail(call, E_NOT_FOUND, "This sign-in is signed with a key that is not known.");
    if (!str_eq(json_str(algorithm), algorithm_names[(*ret)->algorithm]))
        return refuse(call, "its algorithm is not its key's");
    return OK;
}

static bool is_for(const struct json *audience, struct str us)
{
    if (json_is(audience, JSON_STRING))
        return str_eq(json_str(audience), us);
    for (size_t i = 0; json_is(audience, JSON_ARRAY) && i < json_count(audience); i++)
        if (json_is(json_at(audience, i), JSON_STRING) && str_eq(json_str(json_at(audience, i)), us))
            return true;
    return false;
}

/* Seconds since 1970; fractions are allowed by RFC 7519. */
static bool read_time(const struct json *claims, const char *name, double *ret)
{
    return json_to_double(json_get(claims, str_from(name)), ret);
}

static int check_claims(struct call *call, const struct json *claims, const struct jwt_rules *rules)
{
    const struct json *issuer = json_get(claims, STR("iss")), *subject = json_get(claims, STR("sub"));
    double expires, begins, issued, now = (double)rules->now_s;
    bool has_begin = !json_is(json_get(claims, STR("nbf")), JSON_MISSING),
         has_issued = !json_is(json_get(claims, STR("iat")), JSON_MISSING);
    if (rules->issuer.len == 0 || !json_is(issuer, JSON_STRING) || !str_eq(json_str(issuer), rules->issuer))
        return refuse(call, "another issuer");
    if (rules->audience.len == 0 || !is_for(json_get(claims, STR("aud")), rules->audience))
        return refuse(call, "for another audience");
    if (!read_time(claims, "exp", &expires) || expires + JWT_LEEWAY_S <= now)
        return refuse(call, "expired, or without a time of expiry");
    if (has_begin && (!read_time(claims, "nbf", &begins) || begins > now + JWT_LEEWAY_S))
        return refuse(call, "not good yet");
    if (has_issued && (!read_time(claims, "iat", &issued) || issued > now + JWT_LEEWAY_S))
        return refuse(call, "issued in the future");
    if (!json_is(subject, JSON_STRING) || json_str(subject).len == 0)
        return refuse(call, "about nobody");
    return OK;
}

static int check_signature(struct call *call, const struct jwt_key *key, struct str signed_part, struct str segment)
{
    if (!key)
        return refuse(call, "it names no key");
    struct verification v = {.key = key->key, .algorithm = key->algorithm, .signed_part = signed_part};
    v.signature = decode(call->arena, segment);
    if (!v.signature.ptr)
        return refuse(call, "no signature");
    task_on_loop_stack(call, verify, &v);
    return v.is_right ? OK : refuse(call, "the signature is wrong");
}

int jwt_check(struct call *call, const struct jwt_keys *keys, const struct jwt_rules *rules, struct str token,
              struct jwt *ret)
{
    size_t last = str_find_last_char(token, '.');
    struct str rest = token, head, body, signature;
    const struct json *header, *claims;
    const struct jwt_key *key = NULL;
    if (token.len > JWT_BYTES_MAX || last == STR_NOT_FOUND || !str_next(&rest, '.', &head) ||
        !str_next(&rest, '.', &body) || !str_next(&rest, '.', &signature) || rest.ptr)
        return refuse(call, "not three parts of a fitting size");
    int error = parse_object(call, head, &header, "its head cannot be read");
    if (!error)
        error = choose_key(call, keys, header, &key);
    if (!error)
        error = check_signature(call, key, str_sub(token, 0, last), signature);
    if (!error)
        error = parse_object(call, body, &claims, "its claims cannot be read");
    if (!error)
        error = check_claims(call, claims, rules);
    if (!error)
        *ret = (struct jwt){.subject = json_str(json_get(claims, STR("sub"))), .claims = claims};
    return error;
}
