/*
 * The reader. One loop, no recursion, so that a text's depth costs no stack.
 *
 * All values of a text lie in one block (more, when the estimate was too small):
 *
 *     [ pending ...  low      free      high  ... finished )
 *
 * A value is pending until the array or object around it is closed; then all children of that one are moved to the high end
 * together, so that they lie side by side and never move again. A value is in exactly one of the two parts, so a block for N
 * values has room for N values. When it is full, only the pending part moves to a new block.
 */
#include "json/json.h"

#include "json/lex.h"
#include "json/number.h"

enum { BLOCK_VALUES = 512 };

#define NONE UINT32_MAX /* no array or object is open */

struct json_index {
    const struct json *members; /* in the order of the source */
    uint32_t sorted[];          /* their positions by name, bytewise; equal names by position */
};

_Static_assert(sizeof(struct json) == 40, "what json.h promises");

static const struct json missing = {.type = JSON_MISSING};

struct reader {
    struct lex lex;
    struct arena *arena;
    struct json_limits limits;
    const char *start;
    struct json *block;
    uint32_t low, high;
    uint32_t values; /* so far */
    uint32_t spaces; /* bytes of white space so far */
    uint32_t open;   /* the innermost open array or object: its place among the pending */
    uint32_t depth;
    struct str name; /* of the member whose value comes next */
};

/*
 * Room for what the text so far lets expect, but not much at once: a further block costs only the copying of what is pending.
 * At least as much more as is pending, so that copying stays proportional to the text.
 */
static void grow(struct reader *reader)
{
    size_t left = (size_t)(reader->lex.end - reader->lex.at), done = (size_t)(reader->lex.at - reader->start);
    size_t more = left / 12 + 4;
    if (reader->block)
        more = (size_t)((double)left * reader->values / (double)(done + 1)) + 16;
    if (more > BLOCK_VALUES)
        more = BLOCK_VALUES;
    if (more < reader->low)
        more = reader->low;
    if (more > left / 2 + 2)
        more = left / 2 + 2; /* a value and what separates it from the next have two bytes */
    size_t capacity = reader->low + more;
    struct json *block = arena_alloc_unset(reader->arena, capacity * sizeof *block);
    if (reader->block)
        memcpy(block, reader->block, reader->low * sizeof *block);
    reader->block = block;
    reader->high = (uint32_t)capacity;
}

static inline void skip_space(struct reader *reader)
{
    const char *at = reader->lex.at;
    if (at < reader->lex.end && lex_is_space(*at)) {
        lex_space(&reader->lex);
        reader->spaces += (uint32_t)(reader->lex.at - at);
    }
}

/* A new pending value, with the name that was read before it. */
static inline struct json *push(struct reader *reader, enum json_type type)
{
    if (__builtin_expect(reader->low == reader->high, 0))
        grow(reader);
    struct json *value = &reader->block[reader->low++];
    *value = (struct json){
        .type = type,
        .name = reader->name.ptr,
        .name_len = (uint32_t)reader->name.len,
        .raw = reader->lex.at,
    };
    reader->values++;
    return value;
}

static struct str decode(struct arena *arena, struct str inside)
{
    char *text = arena_alloc_unset(arena, inside.len);
    return str_of(text, lex_decode(inside, text));
}

/* The string whose opening quote is at lex.at. */
static inline bool read_text(struct reader *reader, struct str *ret)
{
    bool escaped;
    const char *begin = ++reader->lex.at;
    if (!lex_string(&reader->lex, &escaped))
        return false;
    *ret = str_of(begin, (size_t)(reader->lex.at - begin) - 1);
    if (escaped)
        *ret = decode(reader->arena, *ret);
    return true;
}

/* A member's name and the colon, up to its value. */
static bool read_name(struct reader *reader)
{
    skip_space(reader);
    if (lex_peek(&reader->lex) != '"') {
        if (reader->lex.at == reader->lex.end)
            return lex_fail_unexpected(&reader->lex);
        return lex_fail(&reader->lex, reader->lex.at, E_INVALID, "a member's name in quotes must stand here");
    }
    if (!read_text(reader, &reader->name))
        return false;
    skip_space(reader);
    if (lex_peek(&reader->lex) != ':')
        return lex_fail(&reader->lex, reader->lex.at, E_INVALID, "a colon must follow a member's name");
    reader->lex.at++;
    return true;
}

static inline struct str name_of(const struct json *member)
{
    return str_of(member->name, member->name_len);
}

static int compare_members(const struct json *members, uint32_t a, uint32_t b)
{
    int order = str_compare(name_of(&members[a]), name_of(&members[b]));
    return order ? order : (a > b) - (a < b);
}

/* Merge sort: however the names are chosen, n log n. */
static void sort_members(const struct json *members, uint32_t count, uint32_t *sorted, uint32_t *spare)
{
    uint32_t *from = sorted, *to = spare;
    for (uint32_t i = 0; i < count; i++)
        from[i] = i;
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t begin = 0; begin < count; begin += 2 * width) {
            uint64_t middle = begin + width < count ? begin + width : count;
            uint64_t end = begin + 2 * width < count ? begin + 2 * width : count;
            uint64_t a = begin, b = middle;
            for (uint64_t i = begin; i < end; i++)
                to[i] =
                    a < middle && (b == end || compare_members(members, from[a], from[b]) < 0) ? from[a++] : from[b++];
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != sorted)
        memcpy(sorted, from, count * sizeof *sorted);
}

/* A member whose name stood before, or NULL. Few members: each with each, after a look at 64 bits of what was seen. */
static const struct json *find_duplicate(const struct json *members, uint32_t count)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct json *member = &members[i];
        unsigned mark = member->name_len;
        if (mark)
            mark += 7 * (unsigned char)member->name[0] + 13 * (unsigned char)member->name[mark - 1];
        uint64_t bit = 1ull << (mark & 63);
        if (seen & bit)
            for (uint32_t j = 0; j < i; j++)
                if (str_eq(name_of(&members[j]), name_of(member)))
                    return member;
        seen |= bit;
    }
    return NULL;
}

static bool fail_duplicate(struct reader *reader, const struct json *member)
{
    return lex_fail(&reader->lex, member->raw, E_INVALID, "the object has this member's name twice");
}

static bool index_members(struct reader *reader, struct json *object)
{
    uint32_t count = object->count;
    struct json_index *index = arena_alloc(reader->arena, sizeof *index + 2 * sizeof(uint32_t) * (size_t)count);
    index->members = object->children;
    sort_members(index->members, count, index->sorted, index->sorted + count);
    if (reader->limits.reject_duplicates)
        for (uint32_t i = 1; i < count; i++)
            if (str_eq(name_of(&index->members[index->sorted[i - 1]]), name_of(&index->members[index->sorted[i]])))
                return fail_duplicate(reader, &index->members[index->sorted[i]]);
    object->indexed = true;
    object->index = index;
    return true;
}

static bool open_value(struct reader *reader, enum json_type type)
{
    if (reader->depth >= reader->limits.max_depth)
        return lex_fail(&reader->lex, reader->lex.at, E_LIMIT, "arrays and objects are nested too deep");
    struct json *value = push(reader, type);
    reader->lex.at++;
    reader->depth++;
    /* Until it is closed, two members remember what was before it. */
    value->count = reader->open;
    value->raw_len = reader->spaces;
    reader->open = reader->low - 1;
    reader->name = STR_EMPTY;
    return true;
}

/* The closing bracket is at lex.at. */
static bool close_value(struct reader *reader)
{
    struct json *value = &reader->block[reader->open];
    uint32_t count = reader->low - reader->open - 1;
    reader->open = value->count;
    reader->depth--;
    reader->lex.at++;
    reader->low -= count;
    reader->high -= count;
    struct json *children = &reader->block[reader->high];
    memmove(children, value + 1, count * sizeof *children);
    value->count = count;
    value->children = children;
    value->spaced = value->raw_len != reader->spaces;
    value->raw_len = (uint32_t)(reader->lex.at - value->raw);
    if (value->type != JSON_OBJECT)
        return true;
    if (count > JSON_SMALL_OBJECT)
        return index_members(reader, value);
    const struct json *duplicate = reader->limits.reject_duplicates ? find_duplicate(children, count) : NULL;
    return duplicate ? fail_duplicate(reader, duplicate) : true;
}

static bool read_string(struct reader *reader)
{
    struct json *value = push(reader, JSON_STRING);
    struct str text;
    if (!read_text(reader, &text))
        return false;
    value->text = text.ptr;
    value->count = (uint32_t)text.len;
    value->raw_len = (uint32_t)(reader->lex.at - value->raw);
    return true;
}

static bool read_number(struct reader *reader)
{
    struct json *value = push(reader, JSON_NUMBER);
    if (!lex_number(&reader->lex))
        return false;
    value->raw_len = (uint32_t)(reader->lex.at - value->raw);
    return true;
}

static bool read_word(struct reader *reader, enum json_type type, bool boolean, struct str word)
{
    struct json *value = push(reader, type);
    value->boolean = boolean;
    value->raw_len = (uint32_t)word.len;
    return lex_word(&reader->lex, word);
}

/* A value that is complete, or the opening of one: then its first child, if any, comes next. */
static bool read_value(struct reader *reader)
{
    skip_space(reader);
    switch (lex_peek(&reader->lex)) {
    case '"':
        return read_string(reader);
    case '{':
        return open_value(reader, JSON_OBJECT);
    case '[':
        return open_value(reader, JSON_ARRAY);
    case 't':
        return read_word(reader, JSON_BOOL, true, STR("true"));
    case 'f':
        return read_word(reader, JSON_BOOL, false, STR("false"));
    case 'n':
        return read_word(reader, JSON_NULL, false, STR("null"));
    case '-':
    case '0' ... '9':
        return read_number(reader);
    default:
        return lex_fail_unexpected(&reader->lex);
    }
}

/* Behind a value: closes what ends here, and stops where the next value (its name is read) or the end of all is. */
static bool read_behind(struct reader *reader)
{
    while (reader->open != NONE) {
        const struct json *around = &reader->block[reader->open];
        bool object = around->type == JSON_OBJECT, first = reader->low == reader->open + 1;
        skip_space(reader);
        char c = lex_peek(&reader->lex);
        if (c == (object ? '}' : ']')) {
            if (!close_value(reader))
                return false;
            continue;
        }
        if (!first) {
            if (c != ',') {
                if (reader->lex.at == reader->lex.end)
                    return lex_fail_unexpected(&reader->lex);
                return lex_fail(&reader->lex, reader->lex.at, E_INVALID,
                                object ? "a comma or } must follow a member" : "a comma or ] must follow an item");
            }
            reader->lex.at++;
        }
        reader->name = STR_EMPTY;
        return object ? read_name(reader) : true;
    }
    return true;
}

static bool read_all(struct reader *reader)
{
    if ((size_t)(reader->lex.end - reader->start) > reader->limits.max_bytes)
        return lex_fail(&reader->lex, reader->start, E_LIMIT, "the text is too long");
    do {
        if (!read_value(reader) || !read_behind(reader))
            return false;
    } while (reader->open != NONE);
    skip_space(reader);
    if (reader->lex.at != reader->lex.end)
        return lex_fail(&reader->lex, reader->lex.at, E_INVALID, "something follows the value");
    return true;
}

int json_parse(struct arena *arena, struct str text, const struct json_limits *limits, const struct json **ret,
               struct json_error *ret_error)
{
    struct reader reader = {
        .lex = {.at = text.ptr, .end = text.ptr + text.len},
        .arena = arena,
        .limits = limits ? *limits : JSON_LIMITS_DEFAULT,
        .start = text.ptr,
        .open = NONE,
        .name = STR_EMPTY,
    };
    if (reader.limits.max_depth > JSON_DEPTH_MAX)
        reader.limits.max_depth = JSON_DEPTH_MAX;
    if (reader.limits.max_bytes > UINT32_MAX / 2)
        reader.limits.max_bytes = UINT32_MAX / 2; /* lengths and places are 32 bits wide */
    bool good = read_all(&reader);
    *ret = good ? reader.block : &missing;
    if (ret_error)
        *ret_error = good ? (struct json_error){0, NULL}
                          : (struct json_error){(size_t)(reader.lex.at - text.ptr), reader.lex.reason};
    return good ? OK : reader.lex.error;
}

static const struct json *children(const struct json *value)
{
    return value->indexed ? value->index->members : value->children;
}

/* The last one of the name: the first one behind it in the index, less one. */
static const struct json *get_indexed(const struct json *object, struct str name)
{
    const struct json_index *index = object->index;
    uint32_t low = 0, high = object->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (str_compare(name_of(&index->members[index->sorted[middle]]), name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return &missing;
    const struct json *member = &index->members[index->sorted[low - 1]];
    return str_eq(name_of(member), name) ? member : &missing;
}

const struct json *json_get(const struct json *object, struct str name)
{
    if (object->type != JSON_OBJECT)
        return &missing;
    if (object->indexed)
        return get_indexed(object, name);
    for (uint32_t i = object->count; i-- > 0;) {
        const struct json *member = &object->children[i];
        /* Most others differ in length or first letter: not worth a memcmp(). */
        if (member->name_len == name.len &&
            (name.len == 0 || (member->name[0] == name.ptr[0] && memcmp(member->name, name.ptr, name.len) == 0)))
            return member;
    }
    return &missing;
}

const struct json *json_at(const struct json *array, size_t index)
{
    return array->type == JSON_ARRAY && index < array->count ? &array->children[index] : &missing;
}

const struct json *json_path(const struct json *value, const char *dotted)
{
    return json_path_str(value, str_from(dotted));
}

const struct json *json_path_str(const struct json *value, struct str dotted)
{
    for (size_t begin = 0, end; dotted.ptr && begin <= dotted.len; begin = end + 1) {
        uint64_t index;
        for (end = begin; end < dotted.len && dotted.ptr[end] != '.';
             end++) /* a few characters: not worth a memchr() */
            ;
        struct str piece = str_sub(dotted, begin, end - begin);
        if (value->type == JSON_ARRAY)
            value = str_to_u64(piece, &index) ? json_at(value, index) : &missing;
        else
            value = json_get(value, piece);
    }
    return value;
}

size_t json_count(const struct json *value)
{
    return value->type == JSON_ARRAY || value->type == JSON_OBJECT ? value->count : 0;
}

struct json_member json_member_at(const struct json *object, size_t index)
{
    if (object->type != JSON_OBJECT || index >= object->count)
        return (struct json_member){STR_EMPTY, &missing};
    const struct json *member = &children(object)[index];
    return (struct json_member){name_of(member), member};
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"nothing", "null", "boolean", "number", "string", "array", "object"};
    return names[type];
}

struct str json_str(const struct json *value)
{
    return json_str_or(value, STR_EMPTY);
}

struct str json_str_or(const struct json *value, struct str otherwise)
{
    return value->type == JSON_STRING ? str_of(value->text, value->count) : otherwise;
}

bool json_to_i64(const struct json *value, int64_t *ret)
{
    return value->type == JSON_NUMBER && number_to_i64(json_raw(value), ret);
}

bool json_to_double(const struct json *value, double *ret)
{
    return value->type == JSON_NUMBER && number_to_double(json_raw(value), ret);
}

int64_t json_i64_or(const struct json *value, int64_t otherwise)
{
    int64_t number;
    return json_to_i64(value, &number) ? number : otherwise;
}

bool json_bool_or(const struct json *value, bool otherwise)
{
    return value->type == JSON_BOOL ? value->boolean : otherwise;
}

struct str json_raw(const struct json *value)
{
    return value->raw ? str_of(value->raw, value->raw_len) : STR_EMPTY;
}

const uint32_t *json_sorted(const struct json *object, uint32_t room[JSON_SMALL_OBJECT])
{
    if (object->indexed)
        return object->index->sorted;
    for (uint32_t i = 0; i < object->count; i++) {
        uint32_t at = i;
        for (; at > 0 && compare_members(object->children, i, room[at - 1]) < 0; at--)
            room[at] = room[at - 1];
        room[at] = i;
    }
    return room;
}

static bool equal_members(const struct json *a, const struct json *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct json *member = &children(a)[i];
        if (!json_equal(member, json_get(b, name_of(member))))
            return false;
    }
    return true;
}

/* Recursion: JSON_DEPTH_MAX levels at most. */
bool json_equal(const struct json *a, const struct json *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_NUMBER:
        return number_equal(json_raw(a), json_raw(b));
    case JSON_STRING:
        return str_eq(json_str(a), json_str(b));
    case JSON_ARRAY:
        for (uint32_t i = 0; i < a->count && a->count == b->count; i++)
            if (!json_equal(&a->children[i], &b->children[i]))
                return false;
        return a->count == b->count;
    case JSON_OBJECT:
        return a->count == b->count && equal_members(a, b);
    default:
        return true;
    }
}
