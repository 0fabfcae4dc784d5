/* The table of kinds holds together: names, columns, rights. */
#include "providers/wordpress/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct wp_kind *const own_routes_elsewhere[] = {&wp_kind_post, &wp_kind_block, &wp_kind_navigation,
                                                             &wp_kind_term, &wp_kind_revision};

static size_t kind_count(void)
{
    return ARRAY_LENGTH(own_routes_elsewhere) + wp_kind_count();
}

static const struct wp_kind *kind_at(size_t i)
{
    size_t n = ARRAY_LENGTH(own_routes_elsewhere);
    return i < n ? own_routes_elsewhere[i] : wp_kind_at(i - n);
}

static bool is_plain(struct str text, const char *also)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '_' && !strchr(also, text.ptr[i]))
            return false;
    return text.len > 0;
}

/* Two kinds of one name: the second would never be found. */
static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < wp_kind_count(); i++) {
        const struct wp_kind *kind = wp_kind_at(i);
        struct str rest = kind->aliases, alias;
        assert_true(is_plain(kind->name, ""));
        assert_true(is_plain(kind->route, "/-"));
        assert_ptr_equal(wp_kind_find(kind->name), kind);
        while (rest.len && str_next(&rest, ',', &alias)) {
            assert_true(is_plain(alias, "-"));
            assert_ptr_equal(wp_kind_find(alias), kind);
        }
    }
    assert_null(wp_kind_find(STR("post"))); /* found by types.c */
    assert_null(wp_kind_find(STR("")));
    assert_null(wp_kind_find(STR("media,comment")));
    assert_null(wp_kind_at(wp_kind_count()));
}

static void test_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < kind_count(); i++) {
        const struct wp_kind *kind = kind_at(i);
        struct str rest = kind->columns, column;
        if (kind->flags & WP_NO_LIST) {
            assert_true(kind->items.len > 0);
            continue;
        }
        assert_true(kind->columns.len > 0);
        while (str_next(&rest, ',', &column))
            assert_true(is_plain(column, ".="));
        /* What a row is called is what it is read by. */
        rest = kind->columns;
        assert_true(str_next(&rest, ',', &column));
        assert_true(kind->id == WP_ID_NONE || str_eq(column, kind->id_field));
    }
}

/* WordPress writes a record of a theme's styles when it makes the theme's links, so themes are never read whole. */
static void test_themes_are_read_by_field(void **state)
{
    (void)state;
    const struct wp_kind *theme = wp_kind_find(STR("theme"));
    assert_true(theme->fields.len > 0);
    assert_false(theme->flags & (WP_IS_MAP | WP_EDITS | WP_CREATES));
    assert_false(wp_list_has(theme->fields, STR("_links")));
    assert_false(wp_list_has(theme->columns, STR("_links")));
}

static void test_rights(void **state)
{
    (void)state;
    static const struct str of_the_site[] = {
        STR_INIT("user"),    STR_INIT("menu"),     STR_INIT("menu_item"),     STR_INIT("widget"),
        STR_INIT("sidebar"), STR_INIT("template"), STR_INIT("template_part"), STR_INIT("global_styles"),
        STR_INIT("plugin"),  STR_INIT("settings"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(of_the_site); i++)
        assert_int_equal(wp_kind_find(of_the_site[i])->write_right, RIGHT_ADMIN);
    assert_int_equal(wp_kind_navigation.write_right, RIGHT_ADMIN);
    assert_int_equal(wp_kind_term.write_right, RIGHT_PUBLISH);
    /* New people, and people gone with all that they wrote, are not for tools. */
    const struct wp_kind *user = wp_kind_find(STR("user"));
    assert_false(user->flags & (WP_CREATES | WP_TRASHES | WP_DELETES));
    assert_false(wp_list_has(user->only, STR("roles")) || wp_list_has(user->only, STR("password")) ||
                 wp_list_has(user->only, STR("email")) || wp_list_has(user->only, STR("username")));
    for (size_t i = 0; i < kind_count(); i++) {
        const struct wp_kind *kind = kind_at(i);
        bool by_status = kind->write_right == 0 && (kind->flags & (WP_CREATES | WP_EDITS));
        /* Where the status decides, it is known which ones are not public. */
        if (by_status)
            assert_true(wp_list_has(kind->not_public, STR("trash")));
        assert_false(wp_list_has(kind->not_public, STR("publish")) || wp_list_has(kind->not_public, STR("approved")));
        if (kind->flags & WP_CREATES)
            assert_true(kind->flags & WP_EDITS);
    }
}

static void test_lists(void **state)
{
    (void)state;
    assert_true(wp_list_has(STR("a,b,c"), STR("b")));
    assert_true(wp_list_has(STR("a,b,c"), STR("C")));
    assert_false(wp_list_has(STR("a,b,c"), STR("a,b")));
    assert_false(wp_list_has(STR("a,b,c"), STR("")));
    assert_false(wp_list_has(STR(""), STR("")));
    assert_true(wp_list_names(STR("a,b,c"), STR("c")));
    assert_false(wp_list_names(STR("a,b,c"), STR("C")));
    assert_false(wp_list_names(STR("a,b,c"), STR("a,b")));
    assert_false(wp_list_names(STR(""), STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),  cmocka_unit_test(test_columns), cmocka_unit_test(test_themes_are_read_by_field),
        cmocka_unit_test(test_rights), cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}
