/* What no tool ever sets, by whatever spelling. */
#include "providers/wordpress/route_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_never_set(void **state)
{
    (void)state;
    static const char *const of_users[] = {"roles",    "capabilities", "password", "email",
                                           "username", "meta",         "Roles",    "PASSWORD"};
    for (size_t i = 0; i < ARRAY_LENGTH(of_users); i++) {
        assert_non_null(wp_field_refusal(STR("users"), str_from(of_users[i])));
        assert_non_null(wp_field_refusal(STR("Users"), str_from(of_users[i])));
    }
    assert_non_null(wp_field_refusal(STR("settings"), STR("default_role")));
    assert_non_null(wp_field_refusal(STR("settings"), STR("users_can_register")));
    static const char *const of_settings[] = {"url", "URL", "email", "home", "siteurl", "admin_email"};
    for (size_t i = 0; i < ARRAY_LENGTH(of_settings); i++)
        assert_non_null(wp_field_refusal(STR("settings"), str_from(of_settings[i])));
    assert_non_null(wp_field_refusal(STR("posts"), STR("default_role")));
    assert_non_null(wp_field_refusal(STR("general"), STR("siteurl")));
    assert_null(wp_field_refusal(STR("users"), STR("url"))); /* a person's own page */
    assert_null(wp_field_refusal(STR("customers"), STR("email")));
    assert_null(wp_field_refusal(STR("users"), STR("description")));
    assert_null(wp_field_refusal(STR("settings"), STR("timezone")));
    assert_null(wp_field_refusal(STR("posts"), STR("meta")));
    assert_null(wp_field_refusal(STR("posts"), STR("")));
}

/* Whatever a kind lets be set without asking the site must not be one of these, nor a switch of WordPress's. */
static void test_known_fields_are_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < wp_kind_count(); i++) {
        const struct wp_kind *kind = wp_kind_at(i);
        struct str resource = str_from_offset(kind->route, str_find_last_char(kind->route, '/') + 1);
        struct str lists[] = {kind->known, kind->only}, name;
        for (size_t k = 0; k < ARRAY_LENGTH(lists); k++)
            while (lists[k].len && str_next(&lists[k], ',', &name)) {
                assert_null(wp_field_refusal(resource, name));
                assert_false(wp_name_is_reserved(name));
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_set),
        cmocka_unit_test(test_known_fields_are_harmless),
    };
    return cmocka_run_group_tests_name("route_guard", tests, NULL, NULL);
}
