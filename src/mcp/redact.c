/* Tool arguments for the audit log. */
#include "mcp/redact.h"

#include "json/json_write.h"

enum { REDACT_DEPTH_MAX = 6, REDACT_NAME_MAX_BYTES = 80 };

#define LEFT_OUT STR("_left_out")

static const struct str secret_words[] = {
    STR_INIT("password"), STR_INIT("passwd"), STR_INIT("secret"),        STR_INIT("token"),
    STR_INIT("api_key"),  STR_INIT("apikey"), STR_INIT("authorization"), STR_INIT("cookie"),
};

static bool sounds_secret(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(secret_words); i++)
        if (str_contains_nocase(name, secret_words[i]))
            return true;
    return false;
}

/*
 * Long names are cut, and then told apart by their position: two members of one name would not be read alike by everybody. A cut
 * name is longer than any that is not cut, so it is never another member's name; our own member's name is treated as a long one.
 */
static struct str member_name(struct arena *arena, struct str name, size_t position)
{
    if (name.len <= REDACT_NAME_MAX_BYTES && !str_eq(name, LEFT_OUT))
        return name;
    struct str front = str_cut(name, REDACT_NAME_MAX_BYTES);
    return str_format(arena, "%.*s… (%zu)", STR_ARG(front), position);
}

static void write_value(struct arena *arena, struct json_writer *w, const struct buf *out, const struct json *value,
                        size_t depth)
{
    int64_t integer;
    if (json_is(value, JSON_STRING)) {
        struct str text = json_str(value);
        if (text.len > REDACT_STRING_MAX_BYTES)
            text = str_format(arena, "%.*s… (%zu bytes)", STR_ARG(str_cut(text, REDACT_STRING_MAX_BYTES)), text.len);
        json_string(w, text);
    } else if (json_is(value, JSON_NUMBER)) {
        if (json_to_i64(value, &integer))
            json_i64(w, integer);
        else
            json_string(w, str_cut(json_raw(value), 40));
    } else if (json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT)) {
        bool is_object = json_is(value, JSON_OBJECT);
        size_t count = json_count(value), i = 0;
        if (depth == REDACT_DEPTH_MAX) {
            json_string(w, STR("[nested]"));
            return;
        }
        if (is_object)
            json_object(w);
        else
            json_array(w);
        for (; i < count && out->len < REDACT_TOTAL_MAX_BYTES; i++) {
            const struct json *item = is_object ? json_member_at(value, i).value : json_at(value, i);
            if (is_object) {
                struct str name = json_member_at(value, i).name;
                json_key(w, member_name(arena, name, i));
                if (sounds_secret(name)) {
                    json_string(w, STR("[redacted]"));
                    continue;
                }
            }
            write_value(arena, w, out, item, depth + 1);
        }
        if (i < count && is_object) {
            json_key(w, LEFT_OUT);
            json_i64(w, (int64_t)(count - i));
        }
        json_end(w);
    } else {
        json_raw_value(w, json_raw(value));
    }
}

struct str redact_arguments(struct arena *arena, const struct json *arguments)
{
    struct buf out;
    struct json_writer w;
    if (!json_is(arguments, JSON_OBJECT))
        return STR("{}");
    buf_init(&out, arena, 64 * 1024);
    json_write_init(&w, &out);
    write_value(arena, &w, &out, arguments, 0);
    return buf_failed(&out) ? STR("{\"_left_out\":\"too large\"}") : buf_str(&out);
}
