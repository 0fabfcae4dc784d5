/* Rights as words and as bits. */
#include "call/rights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct call call;

static int setup(void **state)
{
    (void)state;
    call_init(&call, arena_new(1 << 16), 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(call.arena);
    return 0;
}

static unsigned parsed(const char *text)
{
    unsigned rights = 0;
    assert_int_equal(rights_parse(&call, str_from(text), &rights), OK);
    return rights;
}

static void none_implies_another_but_read(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"read", RIGHT_READ},     {"draft", RIGHT_DRAFT}, {"publish", RIGHT_PUBLISH},
                 {"delete", RIGHT_DELETE}, {"fetch", RIGHT_FETCH}, {"admin", RIGHT_ADMIN}};
    char text[RIGHTS_TEXT_BYTES];
    unsigned all = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        assert_int_equal(parsed(words[i].word), words[i].bit | RIGHT_READ);
        assert_int_equal(parsed(rights_format(words[i].bit, text).ptr), words[i].bit | RIGHT_READ);
        assert_int_equal(all & words[i].bit, 0);
        all |= words[i].bit;
    }
    assert_int_equal(parsed("read,draft,publish,delete,fetch,admin"), all);
    assert_true(str_eq(rights_format(all, text), STR("read,draft,publish,delete,fetch,admin")));
    assert_int_equal(parsed("delete,draft"), RIGHT_READ | RIGHT_DRAFT | RIGHT_DELETE);
}

static void what_is_no_right_is_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"write", "read,write", "Read", "read;draft", "admin2"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        unsigned rights = 77;
        assert_int_equal(rights_parse(&call, str_from(wrong[i]), &rights), E_INVALID);
        assert_int_equal(rights, 77);
        assert_true(str_find(call.error_text, STR("is not a right")) != STR_NOT_FOUND);
        call_clear_error(&call);
    }
}

static void what_is_lacking_is_kept_for_the_challenge(void **state)
{
    (void)state;
    assert_int_equal(rights_lack(&call, RIGHT_PUBLISH, E_DENIED), E_DENIED);
    assert_int_equal(call.error_rights, RIGHT_PUBLISH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_implies_another_but_read),
        cmocka_unit_test(what_is_no_right_is_named),
        cmocka_unit_test(what_is_lacking_is_kept_for_the_challenge),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
