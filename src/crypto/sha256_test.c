/* SHA-256: the examples of FIPS 180-4, and each length beside libsodium's. */
#include <sodium.h> /* before base/banned.h */

#include "crypto/sha256.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_examples(void **state)
{
    char hex[SHA256_HEX_BYTES];
    (void)state;
    sha256_hex(STR("abc"), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hex(STR_EMPTY, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_lengths(void **state)
{
    char text[300], hex[SHA256_HEX_BYTES], wanted[SHA256_HEX_BYTES];
    unsigned char hash[crypto_hash_sha256_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    for (size_t length = 0; length <= sizeof text; length++) {
        sha256_hex(str_of(text, length), hex);
        crypto_hash_sha256(hash, (const unsigned char *)text, length);
        sodium_bin2hex(wanted, sizeof wanted, hash, sizeof hash);
        assert_string_equal(hex, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_lengths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
