/* Tool arguments for the audit log. */
#include "mcp/redact.h"

#include "json/json_write.h"
#include "messages/messages.h"

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

/* ---- providers of conversations */

enum { NUMBER_MIN = 1000000, WORD_MAX_BYTES = 80, DIGITS_IN_A_ROW_MAX = 5 };

struct people {
    struct call *call;
    const struct provider *provider;
    struct json_writer w;
    struct buf out;
};

/* What the tools' own words are: an operation, a kind. */
static bool is_word_of_tool(struct str name, struct str parent)
{
    static const struct str words[] = {STR_INIT("as"),        STR_INIT("kind"),     STR_INIT("language"),
                                       STR_INIT("operation"), STR_INIT("template"), STR_INIT("link")};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_eq(name, words[i]))
            return true;
    return str_eq(name, STR("name")) && (!parent.len || str_eq(parent, STR("template")));
}

/* Ids of Meta's have the number inside; of a key somebody may have made one. Both still tell one from another. */
static bool is_id(struct str name)
{
    return str_eq(name, STR("ids")) || str_eq(name, STR("key")) || str_eq(name, STR("around")) ||
           str_eq(name, STR("media"));
}

static bool has_number(struct str text)
{
    size_t row = 0;
    for (size_t i = 0; i < text.len && row <= DIGITS_IN_A_ROW_MAX; i++)
        row = ascii_is_digit(text.ptr[i]) ? row + 1 : 0;
    return row > DIGITS_IN_A_ROW_MAX;
}

/* As tools name their arguments; what else stands there may be a text. */
static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_')
            return false;
    return name.len <= REDACT_NAME_MAX_BYTES;
}

static struct str person_or_length(struct call *call, const struct provider *provider, struct str text)
{
    struct str person;
    if (text.len <= MESSAGE_ADDRESS_MAX_BYTES && provider->conversations->person(call, text, &person) == OK)
        return call_format(call, "person %.*s", STR_ARG(person_digest(call, person)));
    call_clear_error(call);
    return call_format(call, "(%zu bytes)", text.len);
}

static void write_for_people(struct people *p, const struct json *value, struct str name, struct str parent,
                             size_t depth);

static void write_members(struct people *p, const struct json *value, struct str name, size_t depth)
{
    bool is_object = json_is(value, JSON_OBJECT);
    size_t i = 0, count = json_count(value);
    if (is_object)
        json_object(&p->w);
    else
        json_array(&p->w);
    for (; i < count && p->out.len < REDACT_TOTAL_MAX_BYTES; i++) {
        if (!is_object) {
            write_for_people(p, json_at(value, i), name, STR_EMPTY, depth + 1);
            continue;
        }
        struct json_member member = json_member_at(value, i);
        bool is_plain = is_name(member.name) && !has_number(member.name);
        json_key(&p->w, is_plain ? member_name(p->call->arena, member.name, i)
                                 : call_format(p->call, "(%zu bytes, %zu)", member.name.len, i));
        write_for_people(p, member.value, member.name, name, depth + 1);
    }
    if (i < count && is_object) {
        json_key(&p->w, LEFT_OUT);
        json_i64(&p->w, (int64_t)(count - i));
    }
    json_end(&p->w);
}

static void write_for_people(struct people *p, const struct json *value, struct str name, struct str parent,
                             size_t depth)
{
    int64_t integer = 0;
    if (json_is(value, JSON_STRING)) {
        struct str text = json_str(value);
        if (is_word_of_tool(name, parent) && text.len <= WORD_MAX_BYTES && !has_number(text))
            json_string(&p->w, text);
        else if (is_id(name))
            json_string(&p->w, call_format(p->call, "id %.*s", STR_ARG(person_digest(p->call, text))));
        else
            json_string(&p->w, person_or_length(p->call, p->provider, text));
    } else if (json_is(value, JSON_NUMBER)) {
        if (json_to_i64(value, &integer) && integer > -NUMBER_MIN && integer < NUMBER_MIN)
            json_i64(&p->w, integer);
        else
            json_string(&p->w, person_or_length(p->call, p->provider, json_raw(value)));
    } else if (json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT)) {
        if (depth == REDACT_DEPTH_MAX)
            json_string(&p->w, STR("[nested]"));
        else
            write_members(p, value, name, depth);
    } else {
        json_raw_value(&p->w, json_raw(value));
    }
}

struct str redact_of(struct call *call, const struct provider *provider, const struct json *value)
{
    struct people p = {.call = call, .provider = provider};
    if (!provider->conversations)
        return redact_arguments(call->arena, value);
    if (!json_is(value, JSON_OBJECT))
        return STR("{}");
    struct call mine = *call; /* what is no person is no error of the call */
    p.call = &mine;
    buf_init(&p.out, call->arena, 64 * 1024);
    json_write_init(&p.w, &p.out);
    write_for_people(&p, value, STR_EMPTY, STR_EMPTY, 0);
    return buf_failed(&p.out) ? STR("{\"_left_out\":\"too large\"}") : buf_str(&p.out);
}

struct str redact_text_of(const struct provider *provider, struct str text)
{
    return provider->conversations ? STR_EMPTY : text;
}

struct str redact_uri_of(struct call *call, const struct provider *provider, struct str uri)
{
    struct call mine = *call;
    size_t end = uri.len;
    if (!provider->conversations)
        return uri;
    while (end && uri.ptr[end - 1] != '/')
        end--;
    struct str front = str_sub(uri, 0, end);
    return call_format(call, "%.*s%.*s", STR_ARG(has_number(front) ? STR_EMPTY : front),
                       STR_ARG(person_or_length(&mine, provider, str_from_offset(uri, end))));
}

struct str redact_question(struct call *call, struct str tool, struct str what)
{
    for (size_t i = 0; i < provider_count(); i++)
        for (size_t k = 0; provider_at(i)->conversations && k < provider_at(i)->n_tools; k++)
            if (str_eq(provider_at(i)->tools[k].name, tool))
                return call_format(call, "\"(%zu bytes)\"", what.len);
    return json_quote(call->arena, what);
}
