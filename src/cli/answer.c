/* What a command answers, as JSON or as text. */
#include "cli/answer.h"

#include "base/buf.h"
#include "base/clock.h"

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, COLUMNS_MAX = 16, GAP = 2 };

enum member_kind {
    MEMBER_NULL,
    MEMBER_TEXT,
    MEMBER_TIME,
    MEMBER_INTEGER,
    MEMBER_SWITCH,
    MEMBER_WORDS,
    MEMBER_JSON,
    MEMBER_NESTED,
    MEMBER_LIST
};

struct member {
    struct member *next;
    struct str name;
    enum member_kind kind;
    struct str text;
    int64_t integer;
    const struct answer *nested;
    const struct answers *list;
};

struct answer {
    struct arena *arena;
    struct answer *next; /* in a list */
    struct member *first, *last;
};

struct answers {
    struct arena *arena;
    struct answer *first, *last;
    size_t count;
};

/* ---- filling */

struct answer *answer_new(struct arena *arena)
{
    struct answer *answer = arena_new_of(arena, struct answer);
    answer->arena = arena;
    return answer;
}

static struct member *add(struct answer *answer, const char *name, enum member_kind kind)
{
    struct member *member = arena_new_of(answer->arena, struct member);
    member->name = str_from(name);
    member->kind = kind;
    if (answer->last)
        answer->last->next = member;
    else
        answer->first = member;
    answer->last = member;
    return member;
}

void answer_text(struct answer *answer, const char *name, struct str value)
{
    add(answer, name, value.ptr ? MEMBER_TEXT : MEMBER_NULL)->text = value;
}

void answer_integer(struct answer *answer, const char *name, int64_t value)
{
    add(answer, name, MEMBER_INTEGER)->integer = value;
}

void answer_switch(struct answer *answer, const char *name, bool value)
{
    add(answer, name, MEMBER_SWITCH)->integer = value;
}

void answer_time(struct answer *answer, const char *name, int64_t unix_ms)
{
    char text[CLOCK_TEXT_BYTES] = "";
    struct str value = {NULL, 0};
    if (unix_ms) {
        clock_format(unix_ms, text);
        text[10] = 'T';
        value = str_format(answer->arena, "%sZ", text);
    }
    add(answer, name, value.ptr ? MEMBER_TIME : MEMBER_NULL)->text = value;
}

void answer_words(struct answer *answer, const char *name, struct str comma_list)
{
    add(answer, name, MEMBER_WORDS)->text = comma_list;
}

void answer_json(struct answer *answer, const char *name, struct str json)
{
    add(answer, name, json.len ? MEMBER_JSON : MEMBER_NULL)->text = json;
}

void answer_nested(struct answer *answer, const char *name, const struct answer *value)
{
    add(answer, name, value ? MEMBER_NESTED : MEMBER_NULL)->nested = value;
}

void answer_list(struct answer *answer, const char *name, const struct answers *list)
{
    add(answer, name, MEMBER_LIST)->list = list;
}

struct answers *answers_new(struct arena *arena)
{
    struct answers *list = arena_new_of(arena, struct answers);
    list->arena = arena;
    return list;
}

struct answer *answers_add(struct answers *list)
{
    struct answer *answer = answer_new(list->arena);
    if (list->last)
        list->last->next = answer;
    else
        list->first = answer;
    list->last = answer;
    list->count++;
    return answer;
}

size_t answers_count(const struct answers *list)
{
    return list->count;
}

/* ---- JSON */

static void write_string(struct buf *out, struct str text)
{
    bool utf8 = str_is_utf8(text); /* what was typed may be anything */
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_add_char(out, '\\');
        if (c < 0x20 || c == 0x7f)
            buf_add_format(out, "\\u%04x", c);
        else
            buf_add_char(out, utf8 || c < 0x80 ? (char)c : '?');
    }
    buf_add_char(out, '"');
}

static void write_words(struct buf *out, struct str words)
{
    struct str word;
    bool first = true;
    buf_add_char(out, '[');
    while (words.len && str_next(&words, ',', &word)) {
        if (!first)
            buf_add_char(out, ',');
        first = false;
        write_string(out, word);
    }
    buf_add_char(out, ']');
}

static void write_answer(struct buf *out, const struct answer *answer);

static void write_list(struct buf *out, const struct answers *list)
{
    buf_add_char(out, '[');
    for (const struct answer *item = list->first; item; item = item->next) {
        write_answer(out, item);
        if (item->next)
            buf_add_char(out, ',');
    }
    buf_add_char(out, ']');
}

static void write_value(struct buf *out, const struct member *member)
{
    switch (member->kind) {
    case MEMBER_NULL:
        buf_add(out, STR("null"));
        break;
    case MEMBER_TEXT:
    case MEMBER_TIME:
        write_string(out, member->text);
        break;
    case MEMBER_INTEGER:
        buf_add_i64(out, member->integer);
        break;
    case MEMBER_SWITCH:
        buf_add(out, member->integer ? STR("true") : STR("false"));
        break;
    case MEMBER_WORDS:
        write_words(out, member->text);
        break;
    case MEMBER_JSON:
        buf_add(out, member->text);
        break;
    case MEMBER_NESTED:
        write_answer(out, member->nested);
        break;
    case MEMBER_LIST:
        write_list(out, member->list);
        break;
    }
}

static void write_answer(struct buf *out, const struct answer *answer)
{
    buf_add_char(out, '{');
    for (const struct member *member = answer->first; member; member = member->next) {
        write_string(out, member->name);
        buf_add_char(out, ':');
        write_value(out, member);
        if (member->next)
            buf_add_char(out, ',');
    }
    buf_add_char(out, '}');
}

struct str answer_as_json(struct arena *arena, const struct answer *answer)
{
    struct buf out;
    buf_init(&out, arena, ANSWER_BYTES_MAX);
    write_answer(&out, answer);
    buf_add_char(&out, '\n');
    return buf_str(&out);
}

struct str answers_as_json(struct arena *arena, const struct answers *list)
{
    struct answer *whole = answer_new(arena);
    answer_list(whole, "items", list);
    return answer_as_json(arena, whole);
}

/* ---- text */

struct str answer_printable(struct arena *arena, struct str text)
{
    static const struct str hidden[] = {
        STR_INIT("\xe2\x80\xaa"), STR_INIT("\xe2\x80\xab"), STR_INIT("\xe2\x80\xac"),
        STR_INIT("\xe2\x80\xad"), STR_INIT("\xe2\x80\xae"), STR_INIT("\xe2\x81\xa6"),
        STR_INIT("\xe2\x81\xa7"), STR_INIT("\xe2\x81\xa8"), STR_INIT("\xe2\x81\xa9"),
    };
    char *out = arena_alloc(arena, text.len + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.len;) {
        struct str rest = str_from_offset(text, i);
        unsigned char c = (unsigned char)text.ptr[i];
        size_t skip = c < 0x20 || c == 0x7f ? 1 : 0;
        if (c == 0xc2 && rest.len > 1 && (unsigned char)rest.ptr[1] < 0xa0)
            skip = 2; /* C1 controls */
        for (size_t j = 0; c == 0xe2 && j < ARRAY_LENGTH(hidden); j++) {
            if (str_starts_with(rest, hidden[j]))
                skip = hidden[j].len;
        }
        out[length++] = skip ? '?' : (char)c;
        i += skip ? skip : 1;
    }
    return str_of(out, length);
}

/* In columns, by code points: good enough for names. */
static size_t width(struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

static void add_padded(struct buf *out, struct str text, size_t columns)
{
    buf_add(out, text);
    for (size_t i = width(text); i < columns; i++)
        buf_add_char(out, ' ');
}

static struct str as_text(struct arena *arena, const struct member *member)
{
    switch (member->kind) {
    case MEMBER_TIME: /* as people write it */
        return str_format(arena, "%.10s %.8s", member->text.ptr, member->text.ptr + 11);
    case MEMBER_INTEGER:
        return str_format(arena, "%lld", (long long)member->integer);
    case MEMBER_SWITCH:
        return member->integer ? STR("yes") : STR("no");
    case MEMBER_TEXT:
    case MEMBER_WORDS:
    case MEMBER_JSON:
        return answer_printable(arena, member->text);
    case MEMBER_NULL:
    case MEMBER_NESTED:
    case MEMBER_LIST:
        break;
    }
    return STR_EMPTY;
}

static size_t label_width(const struct answer *answer, size_t before)
{
    size_t widest = 0;
    for (const struct member *member = answer->first; member; member = member->next) {
        size_t own = before + member->name.len;
        if (member->kind == MEMBER_NESTED)
            own = label_width(member->nested, own + 1);
        widest = own > widest ? own : widest;
    }
    return widest;
}

static void write_lines(struct arena *arena, struct buf *out, const struct answer *answer, struct str before,
                        size_t widest)
{
    for (const struct member *member = answer->first; member; member = member->next) {
        struct str label = str_concat(arena, before, str_replace(arena, member->name, STR("_"), STR(" ")));
        struct str value = as_text(arena, member);
        if (member->kind == MEMBER_NESTED) {
            write_lines(arena, out, member->nested, str_concat(arena, label, STR(" ")), widest);
        } else if (value.len) {
            add_padded(out, label, widest + GAP);
            buf_add(out, value);
            buf_add_char(out, '\n');
        }
    }
}

struct str answer_as_text(struct arena *arena, const struct answer *answer)
{
    struct buf out;
    buf_init(&out, arena, ANSWER_BYTES_MAX);
    write_lines(arena, &out, answer, STR_EMPTY, label_width(answer, 0));
    return buf_str(&out);
}

static struct str cell(struct arena *arena, const struct answer *answer, struct str name)
{
    for (const struct member *member = answer->first; member; member = member->next) {
        if (str_eq(member->name, name)) {
            struct str text = as_text(arena, member);
            return text.len ? text : STR("-");
        }
    }
    return STR("-");
}

/* item NULL: the names above the columns. */
static void write_row(struct arena *arena, struct buf *out, const struct answer *item, const struct str *names,
                      const size_t *widths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str text = item ? cell(arena, item, names[i]) : str_replace(arena, names[i], STR("_"), STR(" "));
        add_padded(out, text, i + 1 < n ? widths[i] + GAP : 0);
    }
    buf_add_char(out, '\n');
}

struct str answers_as_text(struct arena *arena, const struct answers *list, const char *columns)
{
    struct str names[COLUMNS_MAX], rest = str_from(columns);
    size_t widths[COLUMNS_MAX], n = 0;
    while (n < COLUMNS_MAX && str_next(&rest, ' ', &names[n])) {
        widths[n] = names[n].len;
        n++;
    }
    for (const struct answer *item = list->first; item; item = item->next) {
        for (size_t i = 0; i < n; i++) {
            size_t own = width(cell(arena, item, names[i]));
            widths[i] = own > widths[i] ? own : widths[i];
        }
    }
    struct buf out;
    buf_init(&out, arena, ANSWER_BYTES_MAX);
    if (list->first)
        write_row(arena, &out, NULL, names, widths, n);
    for (const struct answer *item = list->first; item; item = item->next)
        write_row(arena, &out, item, names, widths, n);
    return buf_str(&out);
}
