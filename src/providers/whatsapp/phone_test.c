#include "providers/whatsapp/phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct call call;

static void is(const char *typed, const char *wanted)
{
    struct str got = STR_EMPTY;
    int error = phone_parse(&call, str_from(typed), &got);
    if (error || !str_eq(got, str_from(wanted)))
        print_message("%s: got %.*s (%.*s), wanted %s\n", typed, STR_ARG(got), STR_ARG(call.error_text), wanted);
    assert_int_equal(error, OK);
    assert_true(str_eq(got, str_from(wanted)));
}

static void is_refused(const char *typed)
{
    struct str got;
    int error = phone_parse(&call, str_from(typed), &got);
    if (!error)
        print_message("%s was taken as %.*s\n", typed, STR_ARG(got));
    assert_int_equal(error, E_INVALID);
}

static void test_brazil(void **state)
{
    (void)state;
    is("+55 11 98765-4321", "5511987654321");
    is("5511987654321", "5511987654321");
    is("(55) 31 8765-4321", "5531987654321"); /* as WhatsApp's own ids have it */
    is("+55 11 6765-4321", "5511967654321");  /* mobiles began with 6 to 9 */
    is("+55 11 3765-4321", "551137654321");   /* fixed: stays */
    is("005511987654321", "5511987654321");
    is_refused("+55 11 88765-4321");
    is_refused("+55 987654321");
    is_refused("+55 01 98765-4321");
    is_refused("+55 11 1765-4321");
}

static void test_trunk_zero(void **state)
{
    (void)state;
    is("+44 (0)20 7946 0958", "442079460958");
    is("0044 (0) 20 7946 0958", "442079460958");
    is("+39 (0)6 1234 5678", "390612345678"); /* part of the number there */
    is("+44\xC2\xA0"
       "20\xE2\x80\xAF"
       "7946\xE2\x80\x93"
       "0958",
       "442079460958");
}

static void test_mexico(void **state)
{
    (void)state;
    is("+52 55 1234 5678", "525512345678");
    is("+52 1 55 1234 5678", "525512345678");
    is("+52 81 1234 5678", "528112345678");
    is_refused("+52 1234 5678");
    is_refused("+52 044 55 1234 5678"); /* dialled so at home until 2019 */
    is_refused("+52 15 1234 5678");
}

static void test_argentina(void **state)
{
    (void)state;
    is("+54 9 11 5555-1234", "5491155551234");
    is("+54 11 4321-0000", "541143210000"); /* fixed: stays */
    is("+54 (011) 4321-0000", "541143210000");
    is("+54 351 421-0000", "543514210000");
    is("+54 0351 15 555-1234", "5493515551234");
    is("+54 11 15 5555-1234", "5491155551234");
    is("+54 351 15 555-1234", "5493515551234");
    is("+54 2966 15 55-1234", "5492966551234");
    is_refused("+54 11 5555");
    is_refused("+54 9 11 5555");
    is_refused("+54 8 11 4321 0000");
    is_refused("+54 9 41 5555 1234");
    struct arena *arena = call.arena;
    assert_true(str_eq(phone_twin(arena, STR("5491155551234")), STR("541155551234")));
    assert_true(str_eq(phone_twin(arena, STR("541155551234")), STR("5491155551234")));
    assert_int_equal(phone_twin(arena, STR("5511987654321")).len, 0);
    assert_int_equal(phone_twin(arena, STR("541155551234@lid")).len, 0);
}

static void test_others(void **state)
{
    (void)state;
    is("+49 170 1234567", "491701234567");
    is("+1 555.078.3881", "15550783881");
    is("+595 981 123456", "595981123456");
    is_refused("");
    is_refused("12345");
    is_refused("0170 1234567");
    is_refused("+55 11 9876x-4321");
    is_refused("1234567890123456");
    is_refused("Ana");
}

static void test_jids(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"5511987654321@s.whatsapp.net", "5511987654321"},
        {"553187654321@s.whatsapp.net", "5531987654321"},
        {"5215512345678@s.whatsapp.net", "525512345678"},
        {"5491155551234@s.whatsapp.net", "5491155551234"},
        {"541155551234@s.whatsapp.net", "541155551234"}, /* a fixed line, or a mobile as Evolution writes it */
        {"5511987654321:7@s.whatsapp.net", "5511987654321"},
        {"5511987654321", "5511987654321"},
        {"120363041234567890@g.us", "120363041234567890@g.us"},
        {"198765432109876@lid", "198765432109876@lid"},
        {"status@broadcast", "status@broadcast"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct str got = phone_of_jid(call.arena, str_from(cases[i][0]));
        if (!str_eq(got, str_from(cases[i][1])))
            print_message("%s became %.*s\n", cases[i][0], STR_ARG(got));
        assert_true(str_eq(got, str_from(cases[i][1])));
    }
}

static void test_recipients(void **state)
{
    (void)state;
    struct str got;
    assert_int_equal(phone_recipient(&call, STR("120363041234567890@g.us"), &got), OK);
    assert_true(phone_is_group(got));
    assert_int_equal(phone_recipient(&call, STR("553187654321@s.whatsapp.net"), &got), OK);
    assert_true(str_eq(got, STR("5531987654321")));
    assert_int_equal(phone_recipient(&call, STR("US.13491208655302741918"), &got), OK);
    assert_true(str_eq(got, STR("US.13491208655302741918")));
    assert_int_equal(phone_recipient(&call, STR("us.1349"), &got), E_INVALID);
    assert_int_equal(phone_recipient(&call, STR("US.13\"49"), &got), E_INVALID);
    assert_int_equal(phone_recipient(&call, STR("US."), &got), E_INVALID);
    assert_int_equal(phone_recipient(&call, STR("status@broadcast"), &got), E_INVALID);
    assert_int_equal(phone_recipient(&call, STR("a\"b@g.us"), &got), E_INVALID);
    assert_int_equal(phone_recipient(&call, STR("@g.us"), &got), E_INVALID);
}

static int set_up(void **state)
{
    (void)state;
    call_init(&call, arena_new(1 << 20), 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(call.arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brazil),     cmocka_unit_test(test_trunk_zero), cmocka_unit_test(test_mexico),
        cmocka_unit_test(test_argentina),  cmocka_unit_test(test_others),     cmocka_unit_test(test_jids),
        cmocka_unit_test(test_recipients),
    };
    return cmocka_run_group_tests_name("phone", tests, set_up, tear_down);
}
