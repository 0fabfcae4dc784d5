/* A small difference of lines. */
#include "providers/wordpress/content/changes.h"

#include "base/buf.h"
#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/text.h"

enum { LOOK_AHEAD_LINES = 400, LOOK_AHEAD_STEPS = 4000000 };

struct lines {
    struct str *line;
    size_t count;
};

static struct lines split(struct arena *arena, struct str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    struct lines lines = {arena_array_of(arena, struct str, count), 0};
    struct str line;
    while (lines.count < count && str_next(&text, '\n', &line))
        lines.line[lines.count++] = line;
    return lines;
}

struct changes {
    struct arena *arena;
    struct buf out;
    size_t left_out; /* lines that did not fit */
    size_t chars;
    size_t steps;
    bool is_whole; /* nothing is shortened or left out */
};

static bool is_boundary(struct str s, size_t at)
{
    return at >= s.len || ((unsigned char)s.ptr[at] & 0xC0) != 0x80;
}

static bool is_word(char c)
{
    return ascii_is_alnum(c) || (unsigned char)c >= 0x80;
}

/* The middle of a long text left out. */
static struct str shortened(struct arena *arena, struct str s, size_t chars)
{
    if (text_chars(s) <= chars)
        return s;
    struct str head = text_cut(s, chars * 2 / 3);
    size_t at = s.len - chars / 3;
    while (!is_boundary(s, at))
        at++;
    struct str tail = str_from_offset(s, at);
    return str_format(arena, "%.*s \xE2\x80\xA6 %.*s", STR_ARG(head), STR_ARG(tail));
}

static void add_line(struct changes *changes, char sign, bool cut_before, struct str text, bool cut_after)
{
    if (!changes->is_whole && changes->chars >= CHANGES_CHARS_MAX) {
        changes->left_out++;
        return;
    }
    struct str line =
        changes->is_whole
            ? text
            : shortened(changes->arena, text, cut_before || cut_after ? CHANGE_PART_CHARS_MAX : CHANGE_LINE_CHARS_MAX);
    buf_add_char(&changes->out, sign);
    buf_add(&changes->out, cut_before ? STR("\xE2\x80\xA6") : STR_EMPTY);
    buf_add(&changes->out, line);
    buf_add(&changes->out, cut_after ? STR("\xE2\x80\xA6") : STR_EMPTY);
    buf_add_char(&changes->out, '\n');
    changes->chars += text_chars(line) + 2;
}

/* A line that became another: only what differs, in whole words. */
static void add_pair(struct changes *changes, struct str before, struct str after)
{
    size_t shorter = before.len < after.len ? before.len : after.len, start = 0, end = 0;
    if (changes->is_whole) {
        add_line(changes, '-', false, before, false);
        add_line(changes, '+', false, after, false);
        return;
    }
    while (start < shorter && before.ptr[start] == after.ptr[start])
        start++;
    while (start && (!is_boundary(before, start) || is_word(before.ptr[start - 1])))
        start--;
    while (end < shorter - start && before.ptr[before.len - 1 - end] == after.ptr[after.len - 1 - end])
        end++;
    while (end && (!is_boundary(before, before.len - end) || is_word(before.ptr[before.len - end])))
        end--;
    add_line(changes, '-', start, str_sub(before, start, before.len - end - start), end);
    add_line(changes, '+', start, str_sub(after, start, after.len - end - start), end);
}

static bool is_scaffold(struct str line)
{
    struct str s = str_trim(line);
    while (s.len) {
        size_t length = blocks_delimiter_length(s);
        if (!length)
            return false;
        s = str_trim(str_from_offset(s, length));
    }
    return true;
}

static size_t substance(const struct str *lines, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += !is_scaffold(lines[i]);
    return found;
}

static void add_hunk(struct changes *changes, const struct str *before, size_t before_count, const struct str *after,
                     size_t after_count)
{
    bool all = changes->is_whole || substance(before, before_count) + substance(after, after_count) == 0;
    if (before_count == after_count) {
        for (size_t i = 0; i < before_count; i++)
            if (!str_eq(before[i], after[i]))
                add_pair(changes, before[i], after[i]);
        return;
    }
    for (size_t i = 0; i < before_count; i++)
        if (all || !is_scaffold(before[i]))
            add_line(changes, '-', false, before[i], false);
    for (size_t i = 0; i < after_count; i++)
        if (all || !is_scaffold(after[i]))
            add_line(changes, '+', false, after[i], false);
}

/* The nearest place where both go on alike: how many lines of each are left out before it. */
static void resynchronise(struct changes *changes, const struct lines *a, size_t i, const struct lines *b, size_t j,
                          size_t *ret_a, size_t *ret_b)
{
    size_t farthest = a->count - i + b->count - j;
    farthest = farthest < 2 * LOOK_AHEAD_LINES ? farthest : 2 * LOOK_AHEAD_LINES;
    for (size_t distance = 1; distance < farthest && changes->steps; distance++)
        for (size_t k = distance < LOOK_AHEAD_LINES ? 0 : distance - LOOK_AHEAD_LINES; k <= distance; k++) {
            size_t x = i + distance - k, y = j + k;
            if (x >= a->count || y >= b->count || changes->steps == 0)
                continue;
            changes->steps--;
            if (!str_eq(a->line[x], b->line[y]) || is_scaffold(a->line[x]))
                continue;
            *ret_a = x - i;
            *ret_b = y - j;
            return;
        }
    *ret_a = a->count - i;
    *ret_b = b->count - j;
}

static struct str compare(struct arena *arena, struct str before, struct str after, bool is_whole)
{
    struct changes changes = {.arena = arena, .steps = LOOK_AHEAD_STEPS, .is_whole = is_whole};
    struct lines a = split(arena, before), b = split(arena, after);
    buf_init(&changes.out, arena, is_whole ? CHANGES_WHOLE_BYTES_MAX : 64 * 1024);
    while (a.count && b.count && str_eq(a.line[a.count - 1], b.line[b.count - 1])) {
        a.count--;
        b.count--;
    }
    for (size_t i = 0, j = 0; i < a.count || j < b.count;) {
        if (i < a.count && j < b.count && str_eq(a.line[i], b.line[j])) {
            i++;
            j++;
            continue;
        }
        size_t skip_a = a.count - i, skip_b = b.count - j;
        if (skip_a && skip_b)
            resynchronise(&changes, &a, i, &b, j, &skip_a, &skip_b);
        add_hunk(&changes, a.line + i, skip_a, b.line + j, skip_b);
        i += skip_a;
        j += skip_b;
    }
    if (changes.left_out)
        buf_add_format(&changes.out, "[... %zu more changed lines]\n", changes.left_out);
    return buf_str(&changes.out);
}

struct str changes_between(struct arena *arena, struct str before, struct str after)
{
    return compare(arena, before, after, false);
}

struct str changes_whole(struct arena *arena, struct str before, struct str after)
{
    return compare(arena, before, after, true);
}
