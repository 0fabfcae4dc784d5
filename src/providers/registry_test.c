/* What every provider must hold, whoever wrote it: names, titles and schemas that all clients take. */
#include "json/schema.h"
#include "providers/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void check_tool(struct call *call, const struct tool *tool)
{
    const struct json *schema;
    assert_in_range(tool->name.len, 1, 40);
    for (size_t i = 0; i < tool->name.len; i++)
        assert_true((tool->name.ptr[i] >= 'a' && tool->name.ptr[i] <= 'z') || ascii_is_digit(tool->name.ptr[i]) ||
                    tool->name.ptr[i] == '_');
    assert_true(tool->title.len > 0);
    assert_true(tool->description.len > 0);
    assert_non_null(tool->run);
    assert_true(tool->needs_any != 0);
    assert_int_equal(json_parse(call->arena, tool->input_schema, NULL, &schema, NULL), OK);
    int error = schema_check_portable(call, schema);
    if (error)
        print_message("%.*s: %.*s\n", STR_ARG(tool->name), STR_ARG(call->error_text));
    assert_int_equal(error, OK);
    /* Reading and writing never share a tool: clients allow the first kind without asking. */
    assert_true(tool->reads_only || !(tool->needs_any & RIGHT_READ));
    assert_false(tool->reads_only && tool->destructive);
}

static void test_tools(void **state)
{
    (void)state;
    struct call call;
    struct arena *arena = arena_new(1 << 22);
    call_init(&call, arena, 1000);
    assert_true(provider_count() > 0);
    for (size_t p = 0; p < provider_count(); p++) {
        const struct provider *provider = provider_at(p);
        assert_ptr_equal(provider_find(provider->key), provider);
        assert_in_range(provider->key.len, 1, 40); /* mcp_service_providers.key */
        assert_true(provider->version.len <= 20);
        assert_true(provider->n_tools > 0);
        if (provider->features & PROVIDER_FOR_TESTS)
            continue;
        for (size_t i = 0; i < provider->n_tools; i++) {
            check_tool(&call, &provider->tools[i]);
            for (size_t k = 0; k < i; k++)
                assert_false(str_eq(provider->tools[i].name, provider->tools[k].name));
        }
    }
    assert_null(provider_find(STR("no such provider")));
    assert_null(provider_at(provider_count()));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
