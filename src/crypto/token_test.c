/* The form of tokens, their hash, and the MAC over what they may do. */
#include "crypto/crypto_test_help.h"
#include "crypto/token.h"

static struct call call;

static int setup(void **state)
{
    (void)state;
    test_call(&call);
    test_keyring(&call);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_call_done(&call);
    keyring_done();
    return 0;
}

static void tokens_have_their_form(void **state)
{
    (void)state;
    static const char *const starts[] = {"prt_pat_", "prt_oat_", "prt_ort_", "prt_api_", "prt_setup_",
                                         "prt_ses_", "prt_lnk_", "prt_upl_", "prt_oac_", "prt_ocs_"};
    for (enum token_type type = TOKEN_PAT; type < TOKEN_EARLIER; type++) {
        struct str token = token_make(&call, type), again = token_make(&call, type);
        enum token_type found = TOKEN_TYPES;
        assert_true(str_starts_with(token, str_from(starts[type])));
        assert_int_equal(token.len, strlen(starts[type]) + 49);
        assert_true(token.len <= TOKEN_CHARS_MAX);
        assert_true(token_check(token, &found));
        assert_int_equal(found, type);
        assert_false(str_eq(token, again));
        assert_true(str_eq(token_last4(token), str_sub(token, token.len - 4, 4)));
    }
}

static void a_successor_follows_from_one_token(void **state)
{
    (void)state;
    struct str from = token_make(&call, TOKEN_ORT), other = token_make(&call, TOKEN_ORT);
    struct str next = token_successor(&call, TOKEN_ORT, from);
    enum token_type type;
    assert_true(token_check(next, &type));
    assert_int_equal(type, TOKEN_ORT);
    assert_true(str_eq(next, token_successor(&call, TOKEN_ORT, from)));
    assert_false(str_eq(next, token_successor(&call, TOKEN_ORT, other)));
    assert_false(str_eq(next, token_successor(&call, TOKEN_ORT, next)));
    struct str access = token_successor(&call, TOKEN_OAT, from);
    assert_false(str_eq(str_sub(access, 8, 43), str_sub(next, 8, 43)));
}

/* Its digits are the MAC as a number: read back they give it again. */
static void a_successor_is_the_mac_in_base_62(void **state)
{
    (void)state;
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    unsigned char expected[KEY_BYTES], bits[KEY_BYTES] = {0};
    struct str from = STR("prt_ort_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg000000");
    struct str next = str_sub(token_successor(&call, TOKEN_ORT, from), 8, TOKEN_RANDOM_CHARS);
    keyring_mac_raw(KEYRING_TOKEN_MAC, call_format(&call, "successor|v1|prt_ort_|%.*s", STR_ARG(from)), expected);
    for (size_t at = 0; at < next.len; at++) {
        unsigned carry = (unsigned)(strchr(digits, next.ptr[at]) - digits);
        for (size_t i = sizeof bits; i-- > 0; carry >>= 8) {
            carry += bits[i] * 62u;
            bits[i] = (unsigned char)carry;
        }
        assert_int_equal(carry, 0);
    }
    assert_memory_equal(bits, expected, sizeof bits);
}

/* What databases hold was made over exactly these bytes. */
static void the_mac_is_over_these_bytes(void **state)
{
    (void)state;
    const int64_t connections[] = {3, 9};
    struct token_claims claims = {5, STR("aa"), connections, 2, STR("read,draft"), STR("none"), 1000, STR_EMPTY};
    char mac[MAC_HEX_BYTES], expected[MAC_HEX_BYTES];
    token_mac(&call, &claims, mac);
    keyring_mac(KEYRING_TOKEN_MAC, STR("token|v1|5|aa|3,9|read,draft|none|1000"), expected);
    assert_string_equal(mac, expected);
    claims.audience = STR("https://a.example/mcp");
    token_mac(&call, &claims, mac);
    keyring_mac(KEYRING_TOKEN_MAC, STR("token|v1|5|aa|3,9|read,draft|none|1000|https://a.example/mcp"), expected);
    assert_string_equal(mac, expected);
}

static void nobodys_hash_has_the_form_of_a_hash(void **state)
{
    (void)state;
    char hash[MAC_HEX_BYTES];
    memset(hash, '-', sizeof hash);
    token_hash_of_nobody(hash);
    assert_int_equal(strspn(hash, "0123456789abcdef"), MAC_HEX_BYTES - 1);
    assert_int_equal(hash[MAC_HEX_BYTES - 1], '\0');
}

static void the_mac_covers_the_audience(void **state)
{
    (void)state;
    int64_t connection = 7;
    char mac[MAC_HEX_BYTES];
    struct token_claims claims = {.token_id = 1,
                                  .token_hash = STR("h"),
                                  .connection_ids = &connection,
                                  .n_connections = 1,
                                  .rights = STR("read"),
                                  .confirm = STR("none"),
                                  .audience = STR("https://mcp.example/mcp")};
    token_mac(&call, &claims, mac);
    assert_true(token_mac_is_right(&call, &claims, str_from(mac)));
    claims.audience = STR("https://mcp.example/mcp/wordpress");
    assert_false(token_mac_is_right(&call, &claims, str_from(mac)));
    claims.audience = STR_EMPTY;
    assert_false(token_mac_is_right(&call, &claims, str_from(mac)));
}

/* Checksums made with zlib's crc32. */
static void the_checksum_is_crc32(void **state)
{
    (void)state;
    enum token_type type;
    assert_true(token_check(STR("prt_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3U6HCh"), &type));
    assert_int_equal(type, TOKEN_PAT);
    assert_true(token_check(STR("prt_setup_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz06FVIX"), &type));
    assert_int_equal(type, TOKEN_SETUP);
    /* The right sum over what is no digit is none. */
    assert_false(token_check(STR("prt_pat_0123456789ABCDEFGHIJ-LMNOPQRSTUVWXYZabcdefg1Y9y3J"), &type));
}

static void every_slip_is_noticed(void **state)
{
    (void)state;
    struct str token = token_make(&call, TOKEN_PAT);
    enum token_type type;
    for (size_t i = 0; i < token.len; i++) {
        struct str changed = str_copy(call.arena, token);
        char *byte = (char *)(uintptr_t)changed.ptr + i;
        *byte = *byte == 'x' ? 'y' : 'x';
        assert_false(token_check(changed, &type));
        assert_false(token_check(str_sub(token, 0, i), &type));
        if (token.len - (i + 1) != TOKEN_EARLIER_CHARS)
            assert_false(token_check(str_from_offset(token, i + 1), &type));
    }
    assert_false(token_check(call_format(&call, "%.*s ", STR_ARG(token)), &type));
    assert_false(token_check(STR_EMPTY, &type));
    assert_false(token_check(STR("prt_"), &type));
    assert_true(token_check(STR("abcdefghijklmnopqrstuvwxyz012345"), &type));
    assert_int_equal(type, TOKEN_EARLIER);
    assert_false(token_check(STR("abcdefghijklmnopqrstuvwxyz01234-"), &type));
}

static void digits_are_even(void **state)
{
    (void)state;
    size_t counts[256] = {0}, total = 0;
    for (int i = 0; i < 2000; i++) {
        struct str token = str_sub(token_make(&call, TOKEN_PAT), 8, TOKEN_RANDOM_CHARS);
        for (size_t at = 0; at < token.len; at++, total++)
            counts[(unsigned char)token.ptr[at]]++;
    }
    for (int c = 0; c < 256; c++) /* 1,387 expected, standard deviation 37 */
        if (ascii_is_alnum((char)c))
            assert_in_range(counts[c], total / 62 - 250, total / 62 + 250);
        else
            assert_int_equal(counts[c], 0);
}

static void the_hash_depends_on_the_pepper(void **state)
{
    (void)state;
    char first[MAC_HEX_BYTES], again[MAC_HEX_BYTES], other[MAC_HEX_BYTES];
    token_hash(STR("prt_pat_x"), first);
    token_hash(STR("prt_pat_x"), again);
    assert_string_equal(first, again);
    assert_int_equal(strlen(first), 64);
    test_keyring(&call); /* a new server secret */
    token_hash(STR("prt_pat_x"), other);
    assert_string_not_equal(first, other);
    token_hash_of_nobody(first);
    token_hash_of_nobody(other);
    assert_string_not_equal(first, other);
}

static void the_mac_covers_every_claim(void **state)
{
    (void)state;
    const int64_t connections[] = {3, 9}, others[] = {3, 10};
    const struct token_claims claims = {5, STR("aa"), connections, 2, STR("read,draft"), STR("none"), 1000};
    char text[MAC_HEX_BYTES];
    token_mac(&call, &claims, text);
    struct str mac = str_from(text);
    assert_true(token_mac_is_right(&call, &claims, mac));
    struct token_claims changed = claims;
    changed.token_id = 6;
    assert_false(token_mac_is_right(&call, &changed, mac));
    changed = claims;
    changed.token_hash = STR("ab");
    assert_false(token_mac_is_right(&call, &changed, mac));
    changed = claims;
    changed.connection_ids = others;
    assert_false(token_mac_is_right(&call, &changed, mac));
    changed = claims;
    changed.n_connections = 1;
    assert_false(token_mac_is_right(&call, &changed, mac));
    changed = claims;
    changed.rights = STR("read,draft,publish");
    assert_false(token_mac_is_right(&call, &changed, mac));
    changed = claims;
    changed.confirm = STR("model");
    assert_false(token_mac_is_right(&call, &changed, mac));
    changed = claims;
    changed.expires_at_ms = 0;
    assert_false(token_mac_is_right(&call, &changed, mac));
    assert_false(token_mac_is_right(&call, &claims, STR_EMPTY));
    assert_false(token_mac_is_right(&call, &claims, str_sub(mac, 0, 63)));
}

/* Ids of what people agreed to, and of clients, are such words. */
static void words_are_of_letters_that_are_not_confused(void **state)
{
    enum { WORDS = 200, CHARS = 24 };
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    size_t counts[256] = {0}, seen = 0;
    struct str before = STR_EMPTY;
    (void)state;
    for (int i = 0; i < WORDS; i++) {
        struct str word = token_word(&call, CHARS);
        assert_int_equal(word.len, CHARS);
        assert_int_equal(strspn(word.ptr, letters), CHARS);
        assert_false(str_eq(word, before));
        before = word;
        for (size_t at = 0; at < word.len; at++)
            counts[(unsigned char)word.ptr[at]]++;
    }
    for (size_t i = 0; i < sizeof letters - 1; i++)
        seen += counts[(unsigned char)letters[i]] > WORDS * CHARS / 32 / 2; /* 150 expected, standard deviation 12 */
    assert_int_equal(seen, sizeof letters - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_have_their_form),
        cmocka_unit_test(a_successor_follows_from_one_token),
        cmocka_unit_test(the_mac_covers_the_audience),
        cmocka_unit_test(the_checksum_is_crc32),
        cmocka_unit_test(every_slip_is_noticed),
        cmocka_unit_test(digits_are_even),
        cmocka_unit_test(the_hash_depends_on_the_pepper),
        cmocka_unit_test(the_mac_covers_every_claim),
        cmocka_unit_test(a_successor_is_the_mac_in_base_62),
        cmocka_unit_test(the_mac_is_over_these_bytes),
        cmocka_unit_test(nobodys_hash_has_the_form_of_a_hash),
        cmocka_unit_test(words_are_of_letters_that_are_not_confused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
