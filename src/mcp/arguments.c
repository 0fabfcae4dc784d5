/* The arguments of a tool as it takes them. */
#include "mcp/arguments.h"

#include "json/json_write.h"

enum { ARGUMENTS_MAX_BYTES = 32 * 1024 * 1024 };

static bool wants(const struct json *schema, struct str type)
{
    return str_eq(json_str(json_get(schema, STR("type"))), type);
}

/* As it is written: 2.0 may be a version or a text to be found, and is no "2". */
static bool is_number_for_text(const struct json *schema, const struct json *value)
{
    struct str digits = json_raw(value);
    if (!json_is(value, JSON_NUMBER) || !wants(schema, STR("string")))
        return false;
    for (size_t i = digits.ptr[0] == '-'; i < digits.len; i++)
        if (!ascii_is_digit(digits.ptr[i]))
            return false;
    return true;
}

static bool is_text_for_number(const struct json *schema, const struct json *value, int64_t *ret)
{
    return json_is(value, JSON_STRING) && wants(schema, STR("integer")) && str_to_i64(json_str(value), ret);
}

static const struct json *schema_of_member(const struct json *schema, struct str name)
{
    return json_get(json_get(schema, STR("properties")), name);
}

/* Most arguments are as they should be, and are then not written anew. */
static bool fits(const struct json *schema, const struct json *value)
{
    int64_t number;
    if (json_is(schema, JSON_MISSING))
        return true;
    if (is_number_for_text(schema, value) || is_text_for_number(schema, value, &number))
        return false;
    for (size_t i = 0; i < json_count(value); i++) {
        bool is_object = json_is(value, JSON_OBJECT);
        struct json_member member =
            is_object ? json_member_at(value, i) : (struct json_member){STR_EMPTY, json_at(value, i)};
        if (!fits(is_object ? schema_of_member(schema, member.name) : json_get(schema, STR("items")), member.value))
            return false;
    }
    return true;
}

static void write(struct json_writer *w, const struct json *schema, const struct json *value, bool sorted,
                  struct str without)
{
    uint32_t room[JSON_SMALL_OBJECT];
    int64_t number;
    if (is_text_for_number(schema, value, &number)) {
        json_i64(w, number);
    } else if (is_number_for_text(schema, value)) {
        json_string(w, json_raw(value));
    } else if (json_is(value, JSON_OBJECT)) {
        const uint32_t *places = sorted ? json_sorted(value, room) : NULL;
        json_object(w);
        for (size_t i = 0; i < json_count(value); i++) {
            struct json_member member = json_member_at(value, places ? places[i] : i);
            if (without.len && str_eq(member.name, without))
                continue;
            json_key(w, member.name);
            write(w, schema_of_member(schema, member.name), member.value, sorted, STR_EMPTY);
        }
        json_end(w);
    } else if (json_is(value, JSON_ARRAY)) {
        json_array(w);
        for (size_t i = 0; i < json_count(value); i++)
            write(w, json_get(schema, STR("items")), json_at(value, i), sorted, STR_EMPTY);
        json_end(w);
    } else {
        json_value(w, value);
    }
}

int arguments_settle(struct call *call, const struct json *schema, const struct json *arguments, bool one_text,
                     const char *without, const struct json **ret)
{
    struct buf text;
    struct json_writer w;
    *ret = arguments;
    if (!json_is(arguments, JSON_OBJECT) || (!one_text && fits(schema, arguments)))
        return OK;
    buf_init(&text, call->arena, ARGUMENTS_MAX_BYTES);
    /* Hardly more is written than was read: a page in the making lies here once, not in pieces that grew. */
    (void)buf_reserve(&text, json_raw(arguments).len + 64);
    json_write_init(&w, &text);
    write(&w, schema, arguments, one_text, without && one_text ? str_from(without) : STR_EMPTY);
    if (buf_failed(&text) || json_parse(call->arena, buf_str(&text), NULL, ret, NULL) != OK)
        return fail(call, E_LIMIT, "The arguments are too large.");
    return OK;
}
