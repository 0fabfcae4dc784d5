/* What goes out must be read alike by us and by PHP: whom nobody asked, nothing is written for. */
#include "providers/wordpress/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void no_field_is_sent_twice(void **state)
{
    (void)state;
    static const struct {
        struct str body, name;
    } bodies[] = {
        {STR_INIT("{\"status\":\"publish\",\"featured_media\":5,\"featured_media\":5}"), STR_INIT("'featured_media'")},
        {STR_INIT("{\"status\":\"publish\",\"tags\":[1],\"title\":\"a \\\" b\",\"tags\":[]}"), STR_INIT("'tags'")},
        {STR_INIT("{\"meta\":{\"a\":{},\"b\":1,\"a\":{}},\"status\":\"publish\"}"), STR_INIT("'a'")},
        {STR_INIT("{\"status\":\"draft\",\"status\":\"publish\"}"), STR_INIT("'status'")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct call call;
        struct arena *arena = arena_new(1024 * 1024);
        const struct wp wp = {.rights = RIGHT_PUBLISH};
        struct wp_write write = {.kind = WP_WRITE_CHANGE, .method = "POST", .route = STR("wp/v2/posts/12")};
        struct wp_answer answer;
        call_init(&call, arena, 1000);
        write.body = bodies[i].body;
        assert_int_equal(wp_write(&call, &wp, &write, &answer), E_INVALID);
        assert_true(str_contains(call.error_text, STR("named twice")));
        assert_true(str_contains(call.error_text, bodies[i].name));
        assert_false(answer.outcome_unknown);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_field_is_sent_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
