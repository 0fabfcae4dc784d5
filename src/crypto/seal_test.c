/* Sealed values open where they were sealed, and nowhere else. */
#include "crypto/crypto_test_help.h"
#include "crypto/seal.h"

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

static struct sealed seal(int64_t user_id, int64_t connection_id, const char *text)
{
    struct sealed sealed = {.user_id = user_id, .connection_id = connection_id};
    assert_int_equal(keyring_new_data_key(&call, user_id, &sealed.wrapped_key), OK);
    assert_int_equal(seal_make(&call, user_id, connection_id, sealed.wrapped_key, str_from(text), &sealed.sealed_json),
                     OK);
    return sealed;
}

static void opens_where_it_was_sealed(void **state)
{
    (void)state;
    struct str plain;
    struct sealed sealed = seal(7, 12, "{\"app_password\":\"abcd efgh\"}");
    assert_true(str_starts_with(sealed.sealed_json, STR("{\"v\":1,\"kid\":1,\"n\":\"")));
    assert_false(str_contains(sealed.sealed_json, STR("abcd")));
    assert_int_equal(seal_open(&call, &sealed, &plain), OK);
    assert_text(plain, "{\"app_password\":\"abcd efgh\"}");
    struct sealed empty = seal(7, 12, "");
    assert_int_equal(seal_open(&call, &empty, &plain), OK);
    assert_text(plain, "");
}

static void does_not_open_elsewhere(void **state)
{
    (void)state;
    struct str plain = STR("untouched");
    struct sealed sealed = seal(7, 12, "secret"), other = seal(8, 13, "other");
    struct sealed moved = sealed;
    moved.connection_id = 13;
    assert_int_equal(seal_open(&call, &moved, &plain), E_CRYPTO);
    assert_says(&call, "Enter the password again");
    moved = sealed;
    moved.user_id = 8;
    assert_int_equal(seal_open(&call, &moved, &plain), E_CRYPTO);
    moved.wrapped_key = other.wrapped_key;
    assert_int_equal(seal_open(&call, &moved, &plain), E_CRYPTO);
    moved = other;
    moved.sealed_json = sealed.sealed_json;
    assert_int_equal(seal_open(&call, &moved, &plain), E_CRYPTO);
    assert_text(plain, "untouched");
    struct seal_place place = {
        .owner = 7, .table = STR("mcp_service_connections"), .row = STR("12"), .column = STR("config_json")};
    assert_int_equal(seal_open_at(&call, &place, sealed.wrapped_key, sealed.sealed_json, &plain), E_CRYPTO);
    place.column = STR("secret_json");
    assert_int_equal(seal_open_at(&call, &place, sealed.wrapped_key, sealed.sealed_json, &plain), OK);
    place.table = STR("mcp_changes");
    assert_int_equal(seal_open_at(&call, &place, sealed.wrapped_key, sealed.sealed_json, &plain), E_CRYPTO);
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct sealed sealed = seal(7, 12, "secret");
    struct str good = sealed.sealed_json, plain;
    int opened = 0;
    for (size_t i = 0; i < good.len; i++) {
        struct str changed = str_copy(call.arena, good);
        char *byte = (char *)(uintptr_t)changed.ptr + i;
        *byte = *byte == 'A' ? 'B' : 'A';
        sealed.sealed_json = changed;
        if (seal_open(&call, &sealed, &plain) == OK)
            opened++;
        sealed.sealed_json = str_sub(good, 0, i);
        assert_int_equal(seal_open(&call, &sealed, &plain), E_CRYPTO);
    }
    assert_int_equal(opened, 0); /* the kid is a digit, so 'A' there is no number either */
}

static void jsonb_may_have_reordered_it(void **state)
{
    (void)state;
    struct sealed sealed = seal(7, 12, "secret");
    struct str s = sealed.sealed_json, plain;
    size_t n = str_find(s, STR("\"n\":")), c = str_find(s, STR("\"c\":"));
    struct str nonce = str_sub(s, n + 5, c - n - 7), cipher = str_sub(s, c + 5, s.len - c - 7);
    sealed.sealed_json = call_format(&call, "{\"c\": \"%.*s\", \"n\": \"%.*s\",\n \"v\": 1, \"kid\": 1}",
                                     STR_ARG(cipher), STR_ARG(nonce));
    assert_int_equal(seal_open(&call, &sealed, &plain), OK);
    assert_text(plain, "secret");
    static const char *const wrong[] = {
        "{\"c\":\"%.*s\",\"n\":\"%.*s\",\"v\":2,\"kid\":1}",
        "{\"c\":\"%.*s\",\"n\":\"%.*s\",\"v\":1}",
        "{\"c\":\"%.*s\",\"n\":\"%.*s\",\"v\":1,\"kid\":\"1\"}",
        "{\"c\":\"%.*s\",\"n\":\"%.*s\",\"v\":1,\"v\":1}",
        "{\"c\":\"%.*s\",\"n\":\"%.*s\",\"v\":1,\"kid\":1,\"x\":1}",
        "{\"c\":\"%.*s\",\"n\":\"%.*s\",\"v\":1,\"kid\":1}}",
        "[\"c\",\"%.*s\",\"n\",\"%.*s\",\"v\",1,\"kid\",1]",
    };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        sealed.sealed_json = str_format(call.arena, wrong[i], STR_ARG(cipher), STR_ARG(nonce));
        assert_int_equal(seal_open(&call, &sealed, &plain), E_CRYPTO);
    }
#pragma GCC diagnostic pop
}

static void the_earlier_system_is_named(void **state)
{
    (void)state;
    struct sealed sealed = seal(7, 12, "x");
    struct str plain;
    sealed.sealed_json = STR("{\"enc\": \"AAAA\"}");
    assert_true(seal_is_earlier(sealed.sealed_json));
    assert_int_equal(seal_open(&call, &sealed, &plain), E_CRYPTO);
    assert_says(&call, "Enter the password again");
    assert_false(seal_is_earlier(STR("{}")));
    assert_false(seal_is_earlier(STR("")));
}

/* The arena is wiped of the plain text: looked at by a deferral that runs after ours. */
static struct str last_plain;
static void look(void *object)
{
    (void)object;
    for (size_t i = 0; i < last_plain.len; i++)
        assert_int_equal(last_plain.ptr[i], 0);
    last_plain = STR("looked");
}

static void the_plain_text_is_wiped(void **state)
{
    (void)state;
    struct call short_call;
    test_call(&short_call);
    struct sealed sealed = seal(7, 12, "secret");
    arena_defer(short_call.arena, look, &short_call);
    assert_int_equal(seal_open(&short_call, &sealed, &last_plain), OK);
    assert_text(last_plain, "secret");
    test_call_done(&short_call);
    assert_text(last_plain, "looked");
}

/* Its key is at hand here, so what does not open does so because of its form. */
static const unsigned char box_key[KEY_BYTES] = "0123456789012345678901234567890";
static const struct seal_place box_place = {
    .owner = 7, .table = STR_INIT("t"), .row = STR_INIT("r"), .column = STR_INIT("c")};

static struct str boxed(const char *plain)
{
    struct str sealed;
    assert_int_equal(seal_box(&call, &box_place, 1, box_key, str_from(plain), &sealed), OK);
    return sealed;
}

/* `sealed` with one piece of it replaced. */
static bool opens_with(struct str sealed, const char *piece, const char *by)
{
    struct str plain, changed = str_replace(call.arena, sealed, str_from(piece), str_from(by));
    assert_false(str_eq(changed, sealed));
    return seal_unbox(&call, &box_place, box_key, changed, &plain) == OK && str_eq(plain, STR("secret"));
}

static void spaces_and_nothing_else(void **state)
{
    (void)state;
    struct str sealed = boxed("secret");
    static const char *const good[][2] = {
        {"{\"v\":1", " {\"v\":1"},   {"{\"v\":1", "{ \"v\":1"},    {"\"v\":1", "\"v\" : 1"},
        {",\"kid\"", " ,\t\"kid\""}, {"\"n\":\"", "\"n\":\r\n\""}, {"\"}", "\" } "},
    };
    static const char *const bad[][2] = {
        {"{\"v\":1", "\"v\":1"},
        {"{\"v\":1", "{v:1"},
        {"{\"v\":1", "{\"v\":"},
        {"{\"v\":1", "{\"v\":-1"},
        {"{\"v\":1", "{\"v\":\"1\""},
        {"{\"v\":1", "{\"v\" 1"},
        {"{\"v\":1", "{1:1"},
        {"{\"v\":1", "{\"v\":2"},
        {"{\"v\":1", "{\"v\":11"},
        {"\"kid\":1", "\"kid\":99999999999999999999"},
        {"\"kid\":1", "\"\\u006bid\":1"},
        {"\"kid\":1", "\"v\":1"},
        {"\"kid\":1,", "\"kid\":1 "},
        {"\"n\":\"", "\"n\":\"\\u0041"},
        {"\"n\":\"", "\"n\":\"A"},
        {"\"n\":\"", "\"n\":\"AAAA"},
        {"\"n\":\"", "\"n\":\"A-_="},
        {"\"c\":\"", "\"c\":\"A"},
        {"\"c\":\"", "\"c\":\"****"},
        {"\"c\":\"", "\"c\":7,\"x\":\""},
        {"\"}", "\""},
        {"\"}", "\"}x"},
        {"\"}", "\",\"v\":1}"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        if (!opens_with(sealed, good[i][0], good[i][1]))
            fail_msg("%s instead of %s does not open", good[i][1], good[i][0]);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (opens_with(sealed, bad[i][0], bad[i][1]))
            fail_msg("%s instead of %s opens", bad[i][1], bad[i][0]);
}

/* Bits behind the last byte, and what is too short to have a tag. */
static void one_text_for_the_same_bytes(void **state)
{
    (void)state;
    struct str sealed = boxed("secret"), plain; /* 22 bytes: "==" at the end, four bits that say nothing */
    size_t at = sealed.len - 5;
    assert_true(str_ends_with(sealed, STR("==\"}")));
    struct str changed = str_copy(call.arena, sealed);
    char *last = (char *)(uintptr_t)changed.ptr + at;
    *last = (char)(*last + 1);
    assert_int_equal(seal_unbox(&call, &box_place, box_key, changed, &plain), E_CRYPTO);
    size_t c = str_find(sealed, STR("\"c\":\"")) + 5;
    static const char *const shorter[] = {"", "AAAA", "AAAAAAAAAAAAAAAAAAAA", "===="};
    for (size_t i = 0; i < ARRAY_LENGTH(shorter); i++) {
        changed = call_format(&call, "%.*s%s\"}", (int)c, sealed.ptr, shorter[i]);
        assert_int_equal(seal_unbox(&call, &box_place, box_key, changed, &plain), E_CRYPTO);
    }
    size_t n = str_find(sealed, STR("\"n\":\"")) + 5; /* a nonce that is too short */
    changed = call_format(&call, "%.*sAAAA%.*s", (int)n, sealed.ptr, STR_ARG(str_from_offset(sealed, n + 32)));
    assert_int_equal(seal_unbox(&call, &box_place, box_key, changed, &plain), E_CRYPTO);
    assert_int_equal(seal_unbox(&call, &box_place, box_key, sealed, &plain), OK);
}

static void which_key_a_value_names(void **state)
{
    (void)state;
    struct str sealed = boxed("secret");
    assert_int_equal(seal_kid(sealed), 1);
    assert_int_equal(seal_kid(str_replace(call.arena, sealed, STR("\"kid\":1"), STR("\"kid\":907"))), 907);
    assert_int_equal(seal_kid(str_replace(call.arena, sealed, STR("\"kid\":1"), STR("\"kid\":0"))), 0);
    assert_int_equal(seal_kid(str_replace(call.arena, sealed, STR("\"kid\":1"), STR("\"kid\":99999999999999999999"))),
                     0);
    assert_int_equal(seal_kid(STR("{}")), 0);
    assert_false(seal_is_earlier(STR("{enc")));
    assert_false(seal_is_earlier(STR("{7")));
    assert_false(seal_is_earlier(STR("{\"enc")));
    assert_false(seal_is_earlier(STR("{\"v\":1}")));
}

static void what_cannot_be_sealed(void **state)
{
    (void)state;
    struct str sealed, plain, opened;
    char *largest = arena_alloc(call.arena, SEAL_PLAIN_BYTES_MAX + 1);
    plain = str_of(largest, SEAL_PLAIN_BYTES_MAX);
    assert_int_equal(seal_box(&call, &box_place, 1, box_key, plain, &sealed), OK);
    assert_int_equal(seal_unbox(&call, &box_place, box_key, sealed, &opened), OK);
    assert_true(str_eq(plain, opened));
    plain.len++;
    assert_int_equal(seal_box(&call, &box_place, 1, box_key, plain, &sealed), E_LIMIT);
    assert_says(&call, "1 MiB");
    assert_int_equal(seal_make(&call, 7, 12, STR("no key"), STR("x"), &sealed), E_CRYPTO);
    assert_says(&call, "key of this account");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_where_it_was_sealed),     cmocka_unit_test(does_not_open_elsewhere),
        cmocka_unit_test(every_changed_byte_is_noticed), cmocka_unit_test(jsonb_may_have_reordered_it),
        cmocka_unit_test(the_earlier_system_is_named),   cmocka_unit_test(the_plain_text_is_wiped),
        cmocka_unit_test(spaces_and_nothing_else),       cmocka_unit_test(one_text_for_the_same_bytes),
        cmocka_unit_test(which_key_a_value_names),       cmocka_unit_test(what_cannot_be_sealed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
