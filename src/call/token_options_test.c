/* Options of a token: words to bits and back, and nothing that is none. */
#include "call/token_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_words(void **state)
{
    struct call call;
    char text[TOKEN_OPTIONS_TEXT_BYTES];
    unsigned options = 99;
    struct arena *arena = arena_new(1 << 16);
    (void)state;
    call_init(&call, arena, 1000);
    assert_int_equal(token_options_parse(&call, STR_EMPTY, &options), OK);
    assert_int_equal(options, 0);
    assert_int_equal(token_options_parse(&call, STR("none"), &options), OK);
    assert_int_equal(options, 0);
    assert_int_equal(token_options_parse(&call, STR(" research, research"), &options), OK);
    assert_int_equal(options, OPTION_RESEARCH);
    assert_int_equal(token_options_parse(&call, STR("structured research"), &options), OK);
    assert_int_equal(options, OPTION_RESEARCH | OPTION_STRUCTURED);
    assert_string_equal(token_options_format(options, text).ptr, "research,structured");
    assert_int_equal(token_options_parse(&call, STR("research,admin"), &options), E_INVALID);
    assert_string_equal(str_copy(arena, call.error_text).ptr,
                        "'admin' is not an option of a token. There are: research, structured.");
    assert_int_equal(token_options_format(0, text).len, 0);
    assert_string_equal(token_options_format(OPTION_RESEARCH, text).ptr, "research");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("token_options", tests, NULL, NULL);
}
