/* Hashing and judging passwords. */
#include "crypto/crypto_test_help.h"
#include "crypto/password.h"

static struct call call;

static int setup(void **state)
{
    (void)state;
    test_call(&call);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_call_done(&call);
    return 0;
}

static void argon2id_round(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    assert_int_equal(password_hash(STR("correct horse"), hash), OK);
    assert_true(str_starts_with(str_from(hash), STR("$argon2id$v=19$m=65536,t=3,p=1$")));
    assert_int_equal(password_verify(STR("correct horse"), str_from(hash)), OK);
    assert_int_equal(password_verify(STR("Correct horse"), str_from(hash)), E_DENIED);
    assert_int_equal(password_verify(STR_EMPTY, str_from(hash)), E_DENIED);
    assert_false(password_needs_rehash(str_from(hash)));
}

static void a_weaker_hash_is_due(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    password_set_profile(PASSWORD_SMALL);
    assert_int_equal(password_hash(STR("correct horse"), hash), OK);
    assert_false(password_needs_rehash(str_from(hash)));
    password_set_profile(PASSWORD_NORMAL);
    assert_true(password_needs_rehash(str_from(hash)));
    assert_int_equal(password_verify(STR("correct horse"), str_from(hash)), OK);
}

/* Made with another implementation (php's password_hash, cost 10 and 4). */
static void bcrypt_is_known(void **state)
{
    (void)state;
    static const char *const hashes[] = {"$2y$10$AwuLZtzZDgjnlA4gl.JEiOsS8nD7mp2WhtFNAOTMiEaqA1MW22sW6",
                                         "$2a$10$AwuLZtzZDgjnlA4gl.JEiOsS8nD7mp2WhtFNAOTMiEaqA1MW22sW6",
                                         "$2b$04$wr2BsoWEFd1xB6PZxwfcYuCYaXbT2xmEZsz1.GGvrRIF03aq9YoHm"};
    for (size_t i = 0; i < ARRAY_LENGTH(hashes); i++) {
        assert_int_equal(password_verify(STR("Senha antiga 1"), str_from(hashes[i])), OK);
        assert_int_equal(password_verify(STR("Senha antiga 2"), str_from(hashes[i])), E_DENIED);
        assert_true(password_needs_rehash(str_from(hashes[i])));
    }
}

static void a_hash_of_no_kind_is_never_right(void **state)
{
    (void)state;
    static const char *const hashes[] = {"", "x", "$2a$10$", "$1$abc$def", "$argon2id$v=19$m=65536,t=3,p=1$", "*"};
    for (size_t i = 0; i < ARRAY_LENGTH(hashes); i++) {
        assert_int_equal(password_verify(STR("x"), str_from(hashes[i])), E_DENIED);
        assert_int_equal(password_verify(STR_EMPTY, str_from(hashes[i])), E_DENIED);
    }
}

/* A password that the hash's own library would read only a part of, and texts beyond every length. */
static void what_is_not_even_looked_at(void **state)
{
    (void)state;
    static const char bcrypt[] = "$2b$04$wr2BsoWEFd1xB6PZxwfcYuCYaXbT2xmEZsz1.GGvrRIF03aq9YoHm";
    char longest[PASSWORD_BYTES_MAX + 1], hash[PASSWORD_HASH_BYTES + 1], made[PASSWORD_HASH_BYTES];
    memset(longest, 'a', sizeof longest);
    memset(hash, 'a', sizeof hash);
    password_set_profile(PASSWORD_SMALL); /* quick */
    assert_int_equal(password_hash(str_of(longest, PASSWORD_BYTES_MAX), made), OK);
    assert_int_equal(password_verify(str_of(longest, PASSWORD_BYTES_MAX), str_from(made)), OK);
    assert_int_equal(password_verify(str_of(longest, sizeof longest), str_from(made)), E_DENIED);
    assert_int_equal(password_verify(str_of("Senha antiga 1\0x", 16), str_from(bcrypt)), E_DENIED);
    assert_int_equal(password_verify(STR("x"), str_of(hash, sizeof hash)), E_DENIED);
    assert_int_equal(password_verify(STR("x"), str_of(hash, 60)), E_DENIED);
    struct str begin = STR("$argon2id$v=19$m=65536,t=3,");
    memcpy(hash, begin.ptr, begin.len);
    assert_int_equal(password_verify(STR("x"), str_of(hash, sizeof hash)), E_DENIED);
    static const char *const broken[] = {"$argon2id$v=19$m=x,t=3,p=1$a$b", "$argon2id$v=19$m=65536,t=y,p=1$a$b",
                                         "$argon2id$v=19$m=65536,3,p=1$a$b", "$argon2id$v=19$m=65536",
                                         "$2b$99$wr2BsoWEFd1xB6PZxwfcYuCYaXbT2xmEZsz1.GGvrRIF03aq9YoHm"};
    for (size_t i = 0; i < ARRAY_LENGTH(broken); i++) {
        assert_int_equal(password_verify(STR("x"), str_from(broken[i])), E_DENIED);
        assert_true(password_needs_rehash(str_from(broken[i])));
    }
    password_set_profile(PASSWORD_NORMAL);
}

static void nobody_costs_as_much_as_somebody(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    assert_int_equal(password_hash(STR("correct horse"), hash), OK);
    int64_t best[2] = {INT64_MAX, INT64_MAX};
    for (int round = 0; round < 5; round++)
        for (int nobody = 0; nobody < 2; nobody++) {
            int64_t start = clock_monotonic_ns();
            assert_int_equal(password_verify(STR("wrong password"), nobody ? STR_EMPTY : str_from(hash)), E_DENIED);
            int64_t took = clock_monotonic_ns() - start;
            if (took < best[nobody])
                best[nobody] = took;
        }
    assert_true(best[1] > best[0] / 2 && best[1] < best[0] * 2);
}

static void assert_rule(const char *password, int expected, const char *part)
{
    assert_int_equal(password_check_rules(&call, str_from(password), STR("Ana.Souza@example.test")), expected);
    if (part)
        assert_says(&call, part);
}

static void rules(void **state)
{
    (void)state;
    assert_rule("correct horse battery", OK, NULL);
    assert_rule("açúcar e café", OK, NULL);
    assert_rule("elevenchars", E_INVALID, "11 characters");
    assert_rule("ááááéééé123", E_INVALID, "11 characters"); /* code points, not bytes */
    assert_rule("", E_INVALID, "at least 12");
    assert_rule("Password1234", E_INVALID, "tried first");
    assert_rule("SENHASENHA12", E_INVALID, "tried first");
    assert_rule("aaaaaaaaaaaaaaa", E_INVALID, "tried first");
    assert_rule("abcabcabcabcab", E_INVALID, "tried first");
    assert_rule("my ana.SOUZA rocks", E_INVALID, "e-mail");
    assert_rule("\xff\xfe not text at all", E_INVALID, "UTF-8");
    char longest[PASSWORD_CHARS_MAX + 2];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (char)('a' + i * i % 23);
    assert_int_equal(password_check_rules(&call, str_of(longest, PASSWORD_CHARS_MAX), STR("a@b.c")), OK);
    assert_int_equal(password_check_rules(&call, str_of(longest, PASSWORD_CHARS_MAX + 1), STR("a@b.c")), E_INVALID);
    assert_int_equal(password_check_rules(&call, str_of("twelve chars\0and more", 21), STR("a@b.c")), E_INVALID);
    assert_int_equal(password_check_rules(&call, STR("anatomy lessons"), STR("ana@b.c")), OK);
    assert_int_equal(password_check_rules(&call, STR("ana@example.com"), STR("ana@example.com")), E_INVALID);
    assert_int_equal(password_check_rules(&call, STR("my ANA@example.com 1"), STR("Ana@Example.com")), E_INVALID);
    assert_int_equal(password_check_rules(&call, STR("ana@example.org"), STR("ana@example.com")), OK);
    assert_int_equal(password_check_rules(&call, STR("porteiroporteiro"), STR("ana@b.c")), E_INVALID);
    assert_int_equal(password_check_rules(&call, STR("Porteiro-PORTEIRO!"), STR("ana@b.c")), E_INVALID);
    assert_int_equal(password_check_rules(&call, STR("o porteiro do predio"), STR("ana@b.c")), OK);
    assert_int_equal(password_check_rules(&call, STR("porteiro à porta"), STR("ana@b.c")), OK);
    assert_int_equal(password_check_rules(&call, STR("correct horse battery"), STR("correct horse")), E_INVALID);
    assert_int_equal(password_check_rules(&call, STR("correct horse battery"), STR("no address")), OK);
    assert_int_equal(password_check_rules(&call, STR("............"), STR("ana@b.c")), E_INVALID); /* one piece */
    assert_int_equal(password_check_rules(&call, STR(".-,;:_!?*+#'"), STR("ana@b.c")), OK);
}

/* What a small host is asked for, and what is asked for when it is none any more. */
static void each_profile_costs_what_it_says(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    password_set_profile(PASSWORD_SMALL);
    assert_int_equal(password_hash(STR("correct horse"), hash), OK);
    password_set_profile(PASSWORD_NORMAL);
    assert_true(str_starts_with(str_from(hash), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_int_equal(password_hash(STR("correct horse"), hash), OK);
    assert_true(str_starts_with(str_from(hash), STR("$argon2id$v=19$m=65536,t=3,p=1$")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argon2id_round),
        cmocka_unit_test(a_weaker_hash_is_due),
        cmocka_unit_test(bcrypt_is_known),
        cmocka_unit_test(a_hash_of_no_kind_is_never_right),
        cmocka_unit_test(what_is_not_even_looked_at),
        cmocka_unit_test(nobody_costs_as_much_as_somebody),
        cmocka_unit_test(rules),
        cmocka_unit_test(each_profile_costs_what_it_says),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
