/*
 * A schema, a line feed, a value: validation ends, within its limits, with a message; and wrapping the schema into anyOf, oneOf
 * or allOf changes nothing about what fits.
 */
#include "json/schema.h"

#include "json/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int validate(struct arena *arena, const struct json *schema, const struct json *value)
{
    struct call call;
    call_init(&call, arena, 1000);
    int result = schema_validate(&call, schema, value);
    if ((result != OK && result != E_INVALID && result != E_LIMIT) || (result != OK && call.error_text.len == 0))
        abort();
    return result;
}

static void wrap(struct arena *arena, const struct json *schema, const struct json *value, const char *keyword)
{
    struct str text = str_format(arena, "{\"%s\":[%.*s]}", keyword, STR_ARG(json_raw(schema)));
    const struct json *wrapped;
    int alone = validate(arena, schema, value);
    if (json_parse(arena, text, NULL, &wrapped, NULL) < 0)
        return; /* one level too deep */
    int within = validate(arena, wrapped, value);
    if (alone != within && alone != E_LIMIT && within != E_LIMIT) {
        fprintf(stderr, "%s: %d alone, %d within\n", keyword, alone, within);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of((const char *)data, size), first;
    struct arena *arena = arena_new(256 << 20);
    const struct json *schema, *value;
    struct call call;
    if (!arena)
        abort();
    call_init(&call, arena, 1000);
    if (str_next(&rest, '\n', &first) && json_parse(arena, first, NULL, &schema, NULL) == OK) {
        (void)!schema_check_portable(&call, schema);
        if (rest.ptr && json_parse(arena, rest, NULL, &value, NULL) == OK) {
            validate(arena, schema, value);
            if (!str_contains(first, STR("ref"))) { /* "#" would be another schema */
                wrap(arena, schema, value, "anyOf");
                wrap(arena, schema, value, "oneOf");
                wrap(arena, schema, value, "allOf");
            }
        }
    }
    arena_free(arena);
    return 0;
}
