/* Values against a JSON Schema. */
#include "json/schema.h"

#include <stdio.h>

enum {
    LISTED_MAX = 24,      /* names or values named in one message */
    SHOWN_MAX_BYTES = 60, /* of one value in a message */
    NEAR_MAX_BYTES = 48,  /* names compared for a suggestion */
};

/* Where in the value we are; a list from the inside outwards, on the stack. */
struct place {
    const struct place *up;
    struct str name; /* ptr NULL: an item, see index */
    size_t index;
};

struct check {
    struct call *call;
    const struct json *root; /* what "#" means */
    unsigned work;
    unsigned quiet;   /* > 0: an alternative is tried, nobody reads the message */
    unsigned deepest; /* how deep in the value the last failure was */
    int error;        /* OK while no limit was passed */
    bool is_closed;   /* schema_validate_closed(), and not within allOf, anyOf, oneOf or $ref */
    struct str message;
};

static bool check_value(struct check *check, const struct json *schema, const struct json *value,
                        const struct place *place, unsigned level);

/* Short enough for a message, cut between characters. */
static struct str shorten(struct str text)
{
    size_t length = text.len > SHOWN_MAX_BYTES ? SHOWN_MAX_BYTES : text.len;
    while (length < text.len && length > 0 && ((unsigned char)text.ptr[length] & 0xC0) == 0x80)
        length--;
    return str_sub(text, 0, length);
}

static void add_place(struct buf *buf, const struct place *place)
{
    if (!place)
        return;
    add_place(buf, place->up); /* at most SCHEMA_LEVELS_MAX */
    if (!place->name.ptr) {
        buf_add_format(buf, "[%zu]", place->index);
        return;
    }
    if (place->up)
        buf_add_char(buf, '.');
    buf_add(buf, shorten(place->name));
}

static struct str place_text(struct check *check, const struct place *place)
{
    struct buf buf;
    buf_init(&buf, check->call->arena, 4096);
    add_place(&buf, place);
    return buf.len ? buf_str(&buf) : STR("the value");
}

/* Notes what is wrong; always false. */
PRINTF_LIKE(3, 4) static bool wrong(struct check *check, const struct place *place, const char *format, ...)
{
    check->deepest = 0;
    for (const struct place *up = place; up; up = up->up)
        check->deepest++;
    if (check->quiet)
        return false;
    va_list list;
    va_start(list, format);
    struct str what = str_format_list(check->call->arena, format, list), where = place_text(check, place);
    va_end(list);
    check->message = str_format(check->call->arena, "%.*s: %.*s", STR_ARG(where), STR_ARG(what));
    return false;
}

/* A limit was passed: nothing more is looked at, whatever alternatives there are. Always false. */
static bool stop(struct check *check, const struct place *place, const char *text)
{
    if (check->error)
        return false;
    check->quiet = 0;
    wrong(check, place, "%s", text);
    check->error = E_LIMIT;
    return false;
}

static bool count_work(struct check *check, const struct place *place)
{
    return ++check->work <= SCHEMA_WORK_MAX ? true : stop(check, place, "this is too much to check at once; send less");
}

static struct str shown(const struct json *value)
{
    return shorten(json_raw(value));
}

/* For a message: short, and not the content of strings, which may be private. */
static struct str describe(const struct json *value)
{
    switch (value->type) {
    case JSON_STRING:
        return STR("a string");
    case JSON_ARRAY:
        return STR("an array");
    case JSON_OBJECT:
        return STR("an object");
    case JSON_MISSING:
        return STR("nothing");
    default:
        return shown(value);
    }
}

/* --- the nearest name ------------------------------------------------------------------------------------------------ */

/* Lower case, without separators: perPage, per-page and per_page are the same. */
static size_t simplify(struct str name, char out[NEAR_MAX_BYTES])
{
    size_t length = 0;
    for (size_t i = 0; i < name.len && length < NEAR_MAX_BYTES; i++)
        if (name.ptr[i] != '_' && name.ptr[i] != '-')
            out[length++] = ascii_lower(name.ptr[i]);
    return length;
}

/* Letters to insert, remove, replace or swap to make one of the other (optimal string alignment). */
static unsigned edit_distance(struct str a, struct str b)
{
    char x[NEAR_MAX_BYTES], y[NEAR_MAX_BYTES];
    size_t n = simplify(a, x), m = simplify(b, y);
    unsigned char rows[3][NEAR_MAX_BYTES + 1];
    for (size_t i = 0; i <= n; i++) {
        unsigned char *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                row[j] = (unsigned char)(i + j);
                continue;
            }
            unsigned best = above[j - 1] + (x[i - 1] != y[j - 1]);
            if (above[j] + 1u < best)
                best = above[j] + 1u;
            if (row[j - 1] + 1u < best)
                best = row[j - 1] + 1u;
            if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1] && higher[j - 2] + 1u < best)
                best = higher[j - 2] + 1u;
            row[j] = (unsigned char)best;
        }
    }
    return rows[n % 3][m];
}

struct suggestion {
    struct str wanted;
    struct str best; /* empty: none is near */
    unsigned distance;
};

static void suggest(struct suggestion *suggestion, struct str name)
{
    unsigned distance = edit_distance(suggestion->wanted, name);
    size_t longer = suggestion->wanted.len > name.len ? suggestion->wanted.len : name.len;
    if (suggestion->wanted.len <= NEAR_MAX_BYTES && distance <= longer / 3 &&
        (!suggestion->best.len || distance < suggestion->distance)) {
        suggestion->best = name;
        suggestion->distance = distance;
    }
}

/* --- types and scalars ----------------------------------------------------------------------------------------------- */

static bool is_integer(const struct json *value)
{
    int64_t integer;
    return json_to_i64(value, &integer);
}

static bool has_type(const struct json *value, struct str type)
{
    if (str_eq(type, STR("integer")))
        return is_integer(value);
    return !json_is(value, JSON_MISSING) && str_eq(type, str_from(json_type_name(value->type)));
}

static const char *with_article(struct str type)
{
    static const struct {
        struct str type;
        const char *text;
    } articles[] = {
        {STR_INIT("string"), "a string"},    {STR_INIT("number"), "a number"},
        {STR_INIT("integer"), "an integer"}, {STR_INIT("boolean"), "true or false"},
        {STR_INIT("array"), "an array"},     {STR_INIT("object"), "an object"},
        {STR_INIT("null"), "null"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(articles); i++)
        if (str_eq(type, articles[i].type))
            return articles[i].text;
    return "of a type that does not exist";
}

/* What a model that sent the wrong type most likely has to change. */
static const char *type_hint(struct str type, const struct json *value)
{
    struct str text = json_str(value);
    bool number = str_eq(type, STR("integer")) || str_eq(type, STR("number"));
    if (number && text.len && (ascii_is_digit(text.ptr[0]) || text.ptr[0] == '-'))
        return "; write it without quotes";
    if (str_eq(type, STR("boolean")) && (str_eq(text, STR("true")) || str_eq(text, STR("false"))))
        return "; write it without quotes";
    if (str_eq(type, STR("string")) && (json_is(value, JSON_NUMBER) || json_is(value, JSON_BOOL)))
        return "; write it in quotes";
    if (str_eq(type, STR("array")) && !json_is(value, JSON_OBJECT))
        return "; put it in [ ]";
    return "";
}

static bool check_type(struct check *check, const struct json *type, const struct json *value,
                       const struct place *place)
{
    if (json_is(type, JSON_MISSING))
        return true;
    if (json_is(type, JSON_STRING)) {
        struct str name = json_str(type);
        if (has_type(value, name))
            return true;
        return wrong(check, place, "must be %s, got %.*s%s", with_article(name), STR_ARG(describe(value)),
                     type_hint(name, value));
    }
    struct buf names;
    buf_init(&names, check->call->arena, 512);
    for (size_t i = 0; i < json_count(type); i++) {
        struct str name = json_str(json_at(type, i));
        if (has_type(value, name))
            return true;
        if (!check->quiet)
            buf_add_format(&names, "%s%s", i ? " or " : "", with_article(name));
    }
    return wrong(check, place, "must be %.*s, got %.*s", STR_ARG(buf_str(&names)), STR_ARG(describe(value)));
}

static bool check_enum(struct check *check, const struct json *values, const struct json *value,
                       const struct place *place)
{
    for (size_t i = 0; i < json_count(values); i++) {
        if (!count_work(check, place))
            return false;
        if (json_equal(json_at(values, i), value))
            return true;
    }
    if (check->quiet)
        return wrong(check, place, "enum");
    struct suggestion near = {.wanted = json_str(value)};
    struct buf list;
    buf_init(&list, check->call->arena, 4096);
    for (size_t i = 0; i < json_count(values) && i < LISTED_MAX; i++) {
        const struct json *allowed = json_at(values, i);
        buf_add_format(&list, "%s%.*s", i ? ", " : "", STR_ARG(shown(allowed)));
        if (json_is(allowed, JSON_STRING) && json_is(value, JSON_STRING))
            suggest(&near, json_str(allowed));
    }
    if (json_count(values) > LISTED_MAX)
        buf_add(&list, STR(", ..."));
    return wrong(check, place, "must be one of %.*s; got %.*s%s%.*s%s", STR_ARG(buf_str(&list)),
                 STR_ARG(json_is(value, JSON_STRING) ? shown(value) : describe(value)),
                 near.best.len ? "; did you mean " : "", STR_ARG(near.best), near.best.len ? "?" : "");
}

/* -1, 0, 1; 2 when they cannot be compared. Exact for integers. */
static int compare_numbers(const struct json *a, const struct json *b)
{
    int64_t x, y;
    if (json_to_i64(a, &x) && json_to_i64(b, &y))
        return (x > y) - (x < y);
    double v, w;
    if (!json_to_double(a, &v) || !json_to_double(b, &w))
        return 2;
    return (v > w) - (v < w);
}

static bool check_number(struct check *check, const struct json *schema, const struct json *value,
                         const struct place *place)
{
    static const struct {
        struct str keyword;
        int refused[2]; /* results of the comparison */
        const char *text;
    } bounds[] = {
        {STR_INIT("minimum"), {-1, -1}, "at least"},
        {STR_INIT("maximum"), {1, 1}, "at most"},
        {STR_INIT("exclusiveMinimum"), {-1, 0}, "more than"},
        {STR_INIT("exclusiveMaximum"), {1, 0}, "less than"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bounds); i++) {
        const struct json *bound = json_get(schema, bounds[i].keyword);
        if (!json_is(bound, JSON_NUMBER))
            continue;
        int order = compare_numbers(value, bound);
        if (order == 2 || order == bounds[i].refused[0] || order == bounds[i].refused[1])
            return wrong(check, place, "must be %s %.*s, got %.*s", bounds[i].text, STR_ARG(shown(bound)),
                         STR_ARG(shown(value)));
    }
    return true;
}

struct counted {
    struct str min, max; /* the keywords */
    const char *things;
};
static const struct counted in_string = {STR_INIT("minLength"), STR_INIT("maxLength"), "characters"};
static const struct counted in_array = {STR_INIT("minItems"), STR_INIT("maxItems"), "items"};
static const struct counted in_object = {STR_INIT("minProperties"), STR_INIT("maxProperties"), "members"};

static bool check_count(struct check *check, const struct json *schema, const struct counted *counted, size_t count,
                        const struct place *place)
{
    const char *things = counted->things;
    int64_t least = json_i64_or(json_get(schema, counted->min), 0);
    int64_t most = json_i64_or(json_get(schema, counted->max), INT64_MAX);
    if ((int64_t)count < least)
        return wrong(check, place, "must have at least %lld %s, has %zu", (long long)least, things, count);
    if ((int64_t)count > most)
        return wrong(check, place, "must have at most %lld %s, has %zu", (long long)most, things, count);
    return true;
}

static size_t count_characters(struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

/* --- arrays and objects ---------------------------------------------------------------------------------------------- */

static bool check_items(struct check *check, const struct json *schema, const struct json *array,
                        const struct place *place, unsigned level)
{
    if (!check_count(check, schema, &in_array, json_count(array), place))
        return false;
    const struct json *items = json_get(schema, STR("items"));
    if (json_is(items, JSON_MISSING))
        return true;
    for (size_t i = 0; i < json_count(array); i++) {
        struct place here = {.up = place, .index = i};
        if (!check_value(check, items, json_at(array, i), &here, level))
            return false;
    }
    return true;
}

static bool wrong_member(struct check *check, const struct json *properties, const struct place *here)
{
    if (check->quiet)
        return wrong(check, here, "unknown");
    struct suggestion near = {.wanted = here->name};
    struct buf list;
    buf_init(&list, check->call->arena, 4096);
    for (size_t i = 0; i < json_count(properties); i++) {
        struct str name = json_member_at(properties, i).name;
        suggest(&near, name);
        if (i < LISTED_MAX)
            buf_add_format(&list, "%s%.*s", i ? ", " : "; known are ", STR_ARG(name));
        else if (i == LISTED_MAX)
            buf_add(&list, STR(", ..."));
    }
    return wrong(check, here, "there is no such member%.*s%s%.*s%s", STR_ARG(buf_str(&list)),
                 near.best.len ? "; did you mean " : "", STR_ARG(near.best), near.best.len ? "?" : "");
}

/* Where it is not said, does this object take no other members? Not one whose alternatives may name them. */
static bool takes_no_others(const struct check *check, const struct json *schema)
{
    static const struct str others[] = {STR_INIT("$ref"), STR_INIT("allOf"), STR_INIT("anyOf"), STR_INIT("oneOf")};
    if (!check->is_closed || !json_is(json_get(schema, STR("properties")), JSON_OBJECT))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (!json_is(json_get(schema, others[i]), JSON_MISSING))
            return false;
    return true;
}

/* Unknown members first: a misspelt name says more than a missing one. */
static bool check_members(struct check *check, const struct json *schema, const struct json *object,
                          const struct place *place, unsigned level)
{
    const struct json *properties = json_get(schema, STR("properties"));
    const struct json *others = json_get(schema, STR("additionalProperties"));
    bool by_pattern = !json_is(json_get(schema, STR("patternProperties")), JSON_MISSING);
    bool none = json_is(others, JSON_BOOL)      ? !json_bool_or(others, true)
                : json_is(others, JSON_MISSING) ? takes_no_others(check, schema)
                                                : false;
    for (size_t i = 0; i < json_count(object); i++) {
        struct json_member member = json_member_at(object, i);
        struct place here = {.up = place, .name = member.name};
        if (!count_work(check, &here))
            return false;
        if (!json_is(json_get(properties, member.name), JSON_MISSING) || by_pattern)
            continue;
        if (none)
            return wrong_member(check, properties, &here);
        if (json_is(others, JSON_OBJECT) && !check_value(check, others, member.value, &here, level))
            return false;
    }
    return true;
}

static bool check_object(struct check *check, const struct json *schema, const struct json *object,
                         const struct place *place, unsigned level)
{
    if (!check_count(check, schema, &in_object, json_count(object), place) ||
        !check_members(check, schema, object, place, level))
        return false;
    const struct json *required = json_get(schema, STR("required"));
    for (size_t i = 0; i < json_count(required); i++) {
        struct place here = {.up = place, .name = json_str(json_at(required, i))};
        if (!count_work(check, place))
            return false;
        if (json_is(json_get(object, here.name), JSON_MISSING))
            return wrong(check, &here, "is required, but missing");
    }
    const struct json *properties = json_get(schema, STR("properties"));
    for (size_t i = 0; i < json_count(properties); i++) {
        struct json_member property = json_member_at(properties, i);
        struct place here = {.up = place, .name = property.name};
        const struct json *member = json_get(object, property.name);
        if (!json_is(member, JSON_MISSING) && !check_value(check, property.value, member, &here, level))
            return false;
    }
    return true;
}

/* --- schemas of schemas ---------------------------------------------------------------------------------------------- */

static bool check_all(struct check *check, const struct json *schemas, const struct json *value,
                      const struct place *place, unsigned level)
{
    for (size_t i = 0; i < json_count(schemas); i++)
        if (!check_value(check, json_at(schemas, i), value, place, level))
            return false;
    return true;
}

/* anyOf, and oneOf when `only_one`. If none fits, the message is that of the one that came furthest. */
static bool check_any(struct check *check, const struct json *schemas, const struct json *value, bool only_one,
                      const struct place *place, unsigned level)
{
    size_t fitting = 0, best = 0;
    unsigned furthest = 0;
    for (size_t i = 0; i < json_count(schemas); i++) {
        unsigned quiet = check->quiet++;
        bool fits = check_value(check, json_at(schemas, i), value, place, level);
        if (check->error)
            return false;
        check->quiet = quiet;
        fitting += fits;
        if (fits && !only_one)
            return true;
        if (!fits && check->deepest > furthest) {
            furthest = check->deepest;
            best = i;
        }
    }
    if (fitting > 1)
        return wrong(check, place, "must fit exactly one of %zu forms, but fits %zu", json_count(schemas), fitting);
    if (fitting == 1)
        return true;
    check->deepest = furthest;
    if (!check->quiet && !check_value(check, json_at(schemas, best), value, place, level) && !check->error)
        check->message = str_format(check->call->arena, "%.*s (this is form %zu of %zu that are allowed)",
                                    STR_ARG(check->message), best + 1, json_count(schemas));
    return false;
}

/* A step of a JSON pointer (RFC 6901): ~1 is /, ~0 is ~. */
static struct str pointer_step(struct arena *arena, struct str step)
{
    if (str_find_char(step, '~') == STR_NOT_FOUND)
        return step;
    return str_replace(arena, str_replace(arena, step, STR("~1"), STR("/")), STR("~0"), STR("~"));
}

static bool check_reference(struct check *check, struct str reference, const struct json *value,
                            const struct place *place, unsigned level)
{
    const struct json *schema = check->root;
    struct str rest = str_from_offset(reference, 1), step;
    if (!str_starts_with(reference, STR("#")) || (rest.len && rest.ptr[0] != '/'))
        return wrong(check, place, "its schema refers to %.*s, which is not within the schema", STR_ARG(reference));
    rest = str_from_offset(rest, 1);
    while (reference.len > 1 && str_next(&rest, '/', &step)) {
        uint64_t index;
        step = pointer_step(check->call->arena, step);
        if (json_is(schema, JSON_ARRAY))
            schema = json_at(schema, str_to_u64(step, &index) ? index : SIZE_MAX);
        else
            schema = json_get(schema, step);
    }
    if (json_is(schema, JSON_MISSING))
        return wrong(check, place, "its schema refers to %.*s, which does not exist", STR_ARG(reference));
    return check_value(check, schema, value, place, level);
}

static bool check_combined(struct check *check, const struct json *schema, const struct json *value,
                           const struct place *place, unsigned level)
{
    const struct json *reference = json_get(schema, STR("$ref")), *all = json_get(schema, STR("allOf"));
    const struct json *any = json_get(schema, STR("anyOf")), *one = json_get(schema, STR("oneOf"));
    bool was_closed = check->is_closed;
    check->is_closed = false;
    bool good =
        (!json_is(reference, JSON_STRING) || check_reference(check, json_str(reference), value, place, level)) &&
        check_all(check, all, value, place, level) &&
        (json_count(any) == 0 || check_any(check, any, value, false, place, level)) &&
        (json_count(one) == 0 || check_any(check, one, value, true, place, level));
    check->is_closed = was_closed;
    return good;
}

static bool check_value(struct check *check, const struct json *schema, const struct json *value,
                        const struct place *place, unsigned level)
{
    if (!count_work(check, place))
        return false;
    if (level == 0)
        return stop(check, place, "this is nested too deep to be checked");
    if (json_is(schema, JSON_BOOL) && !json_bool_or(schema, true))
        return wrong(check, place, "is not allowed here");
    if (!json_is(schema, JSON_OBJECT))
        return true;
    level--;
    if (!check_type(check, json_get(schema, STR("type")), value, place))
        return false;
    const struct json *constant = json_get(schema, STR("const")), *values = json_get(schema, STR("enum"));
    if (!json_is(constant, JSON_MISSING) && !json_equal(constant, value))
        return wrong(check, place, "must be %.*s", STR_ARG(shown(constant)));
    if (json_is(values, JSON_ARRAY) && !check_enum(check, values, value, place))
        return false;
    bool good = true;
    if (json_is(value, JSON_NUMBER))
        good = check_number(check, schema, value, place);
    else if (json_is(value, JSON_STRING))
        good = check_count(check, schema, &in_string, count_characters(json_str(value)), place);
    else if (json_is(value, JSON_ARRAY))
        good = check_items(check, schema, value, place, level);
    else if (json_is(value, JSON_OBJECT))
        good = check_object(check, schema, value, place, level);
    return good && check_combined(check, schema, value, place, level);
}

static int validate(struct call *call, const struct json *schema, const struct json *value, bool is_closed)
{
    struct check check = {.call = call, .root = schema, .is_closed = is_closed};
    if (check_value(&check, schema, value, NULL, SCHEMA_LEVELS_MAX))
        return OK;
    return fail(call, check.error ? E_LIMIT : E_INVALID, "%.*s", STR_ARG(check.message));
}

int schema_validate(struct call *call, const struct json *schema, const struct json *value)
{
    return validate(call, schema, value, false);
}

int schema_validate_closed(struct call *call, const struct json *schema, const struct json *value)
{
    return validate(call, schema, value, true);
}

/* --- what every client understands ------------------------------------------------------------------------------------ */

static bool portable(struct check *check, const struct json *schema, const struct place *place, unsigned level);

static bool portable_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_' && name.ptr[i] != '-' && name.ptr[i] != '.')
            return false;
    return name.len >= 1 && name.len <= 64;
}

static bool portable_enum(struct check *check, const struct json *schema, const struct place *place)
{
    const struct json *values = json_get(schema, STR("enum"));
    if (json_is(values, JSON_MISSING))
        return true;
    if (!str_eq(json_str(json_get(schema, STR("type"))), STR("string")) || json_count(values) == 0)
        return wrong(check, place, "an enum must be a list of strings, with \"type\": \"string\"");
    for (size_t i = 0; i < json_count(values); i++)
        if (!json_is(json_at(values, i), JSON_STRING))
            return wrong(check, place, "an enum must have strings only");
    return true;
}

static bool portable_object(struct check *check, const struct json *schema, const struct place *place, unsigned level)
{
    const struct json *properties = json_get(schema, STR("properties")), *required = json_get(schema, STR("required"));
    if (json_count(properties) == 0 && json_is(json_get(schema, STR("additionalProperties")), JSON_MISSING))
        return wrong(check, place, "an object without properties must say additionalProperties");
    for (size_t i = 0; i < json_count(properties); i++) {
        struct json_member property = json_member_at(properties, i);
        struct place here = {.up = place, .name = property.name};
        if (!portable_name(property.name))
            return wrong(check, &here, "a name must have 1 to 64 letters, digits, or _ - .");
        if (!portable(check, property.value, &here, level))
            return false;
    }
    for (size_t i = 0; i < json_count(required); i++) {
        struct place here = {.up = place, .name = json_str(json_at(required, i))};
        if (json_is(json_get(properties, here.name), JSON_MISSING))
            return wrong(check, &here, "is required, but there is no such property");
    }
    return true;
}

static bool portable(struct check *check, const struct json *schema, const struct place *place, unsigned level)
{
    static const char *const forbidden[] = {"anyOf",       "oneOf", "allOf",       "not",
                                            "if",          "then",  "else",        "$ref",
                                            "$dynamicRef", "$defs", "prefixItems", "patternProperties"};
    if (level == 0)
        return stop(check, place, "the schema is nested too deep");
    if (!json_is(schema, JSON_OBJECT))
        return wrong(check, place, "a schema must be an object");
    for (size_t i = 0; i < ARRAY_LENGTH(forbidden); i++)
        if (!json_is(json_get(schema, str_from(forbidden[i])), JSON_MISSING))
            return wrong(check, place, "not every client understands %s", forbidden[i]);
    const struct json *type = json_get(schema, STR("type"));
    if (!json_is(type, JSON_STRING))
        return wrong(check, place, "must have exactly one type");
    if (!portable_enum(check, schema, place))
        return false;
    if (str_eq(json_str(type), STR("array"))) {
        struct place here = {.up = place, .name = STR("items")};
        if (!portable(check, json_get(schema, STR("items")), &here, level - 1))
            return false;
    }
    if (str_eq(json_str(type), STR("object")) && !portable_object(check, schema, place, level - 1))
        return false;
    const struct json *preset = json_get(schema, STR("default"));
    return json_is(preset, JSON_MISSING) || check_value(check, schema, preset, place, level);
}

int schema_check_portable(struct call *call, const struct json *schema)
{
    struct check check = {.call = call, .root = schema};
    bool object = str_eq(json_str(json_get(schema, STR("type"))), STR("object"));
    if (object ? portable(&check, schema, NULL, SCHEMA_LEVELS_MAX) : wrong(&check, NULL, "must have type object"))
        return OK;
    return fail(call, check.error ? E_LIMIT : E_INVALID, "%.*s", STR_ARG(check.message));
}
