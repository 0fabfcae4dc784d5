/* Looking for text in stored content. */
#include "providers/wordpress/content/find.h"

#include "providers/wordpress/content/compose.h"
#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/text.h"

/* Elements whose text must stay inline. */
static bool holds_inline_only(struct str name)
{
    static const struct str list[] = {STR_INIT("p"),   STR_INIT("h1"),         STR_INIT("h2"),      STR_INIT("h3"),
                                      STR_INIT("h4"),  STR_INIT("h5"),         STR_INIT("h6"),      STR_INIT("li"),
                                      STR_INIT("td"),  STR_INIT("th"),         STR_INIT("dt"),      STR_INIT("cite"),
                                      STR_INIT("pre"), STR_INIT("figcaption"), STR_INIT("summary"), STR_INIT("a")};
    for (size_t i = 0; i < ARRAY_LENGTH(list); i++)
        if (str_eq_nocase(list[i], name))
            return true;
    return false;
}

struct content_map content_map_of(struct arena *arena, struct str raw)
{
    struct content_map map = {.raw = raw, .places = arena_alloc(arena, raw.len + 1)};
    struct str rest = raw;
    struct html_token token;
    size_t inline_depth = 0;
    while (html_next(&rest, &token)) {
        enum place place = PLACE_MARKUP;
        if (token.kind == HTML_TEXT)
            place = inline_depth ? PLACE_INLINE : PLACE_TEXT;
        else if (token.kind == HTML_OPEN && !token.self_closing && holds_inline_only(token.name))
            inline_depth++;
        else if (token.kind == HTML_CLOSE && inline_depth && holds_inline_only(token.name))
            inline_depth--;
        memset(map.places + (token.source.ptr - raw.ptr), place, token.source.len);
    }
    return map;
}

/* --- the view */

/* What a character is compared as. Empty: it is invisible. */
static struct str plain_form(struct str c)
{
    static const struct {
        struct str from, to;
    } forms[] = {
        {STR_INIT("\xE2\x80\x98"), STR_INIT("'")},
        {STR_INIT("\xE2\x80\x99"), STR_INIT("'")}, /* single quotes */
        {STR_INIT("\xE2\x80\x9B"), STR_INIT("'")},
        {STR_INIT("\xE2\x80\xB2"), STR_INIT("'")}, /* prime */
        {STR_INIT("\xE2\x80\x9C"), STR_INIT("\"")},
        {STR_INIT("\xE2\x80\x9D"), STR_INIT("\"")}, /* double quotes */
        {STR_INIT("\xE2\x80\x9E"), STR_INIT("\"")},
        {STR_INIT("\xE2\x80\xB3"), STR_INIT("\"")}, /* double prime */
        {STR_INIT("\xE2\x80\x93"), STR_INIT("-")},
        {STR_INIT("\xE2\x80\x94"), STR_INIT("-")}, /* dashes */
        {STR_INIT("\xE2\x80\x90"), STR_INIT("-")},
        {STR_INIT("\xE2\x80\x91"), STR_INIT("-")}, /* hyphens */
        {STR_INIT("\xE2\x88\x92"), STR_INIT("-")},
        {STR_INIT("\xE2\x80\xA6"), STR_INIT("...")},
        {STR_INIT("\xC2\xA0"), STR_INIT(" ")},
        {STR_INIT("\xE2\x80\xAF"), STR_INIT(" ")}, /* no-break spaces */
        {STR_INIT("\xE2\x80\x89"), STR_INIT(" ")},
        {STR_INIT("\xE2\x80\x83"), STR_INIT(" ")}, /* thin, em space */
        {STR_INIT("\xC2\xAD"), STR_INIT("")},
        {STR_INIT("\xE2\x80\x8B"), STR_INIT("")}, /* soft hyphen, zero width */
        {STR_INIT("\xEF\xBB\xBF"), STR_INIT("")},
    };
    if (c.len == 1)
        return ascii_is_space(c.ptr[0]) ? STR(" ") : c;
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++)
        if (str_eq(forms[i].from, c))
            return forms[i].to;
    return c;
}

static size_t character_length(struct str s)
{
    size_t length = 1;
    while (length < s.len && length < 4 && ((unsigned char)s.ptr[length] & 0xC0) == 0x80)
        length++;
    return length;
}

struct view_writer {
    char *out;
    uint32_t *offsets; /* may be NULL */
    size_t length;
    bool text_only; /* tags and comments are left out */
};

static void add_form(struct view_writer *view, struct str form, size_t offset)
{
    /* Runs of spaces, and of dashes, are one. */
    if (form.len == 1 && (form.ptr[0] == ' ' || form.ptr[0] == '-') && view->length &&
        view->out[view->length - 1] == form.ptr[0])
        return;
    for (size_t i = 0; i < form.len; i++) {
        if (view->offsets)
            view->offsets[view->length] = (uint32_t)offset;
        view->out[view->length++] = form.ptr[i];
    }
}

/* places NULL: all is text. */
static void write_view(struct view_writer *view, struct str raw, const unsigned char *places)
{
    for (size_t i = 0; i < raw.len;) {
        struct str rest = str_from_offset(raw, i);
        char utf8[4], composed[4];
        size_t length = 0, utf8_length = 0;
        if (places && places[i] == PLACE_MARKUP && view->text_only) {
            i++;
            continue;
        }
        if (places && places[i] == PLACE_MARKUP) {
            if (view->offsets)
                view->offsets[view->length] = (uint32_t)i;
            view->out[view->length++] = raw.ptr[i++];
            continue;
        }
        if (rest.ptr[0] == '&')
            length = text_entity(rest, utf8, &utf8_length);
        struct str character = length ? str_of(utf8, utf8_length) : str_sub(rest, 0, character_length(rest));
        length = length ? length : character.len;
        size_t marks = compose_first(character, str_from_offset(rest, length), composed, &utf8_length);
        if (marks) {
            character = str_of(composed, utf8_length);
            length += marks;
        }
        add_form(view, plain_form(character), i);
        i += length;
    }
    if (view->offsets)
        view->offsets[view->length] = (uint32_t)raw.len;
}

static struct str view_of(struct arena *arena, struct str text)
{
    struct view_writer view = {.out = arena_alloc(arena, text.len + 4)};
    write_view(&view, text, NULL);
    return str_of(view.out, view.length);
}

static void make_view(struct arena *arena, struct content_map *map)
{
    if (map->offsets)
        return;
    struct view_writer view = {.out = arena_alloc(arena, map->raw.len + 4),
                               .offsets = arena_alloc_array(arena, map->raw.len + 5, sizeof(uint32_t))};
    write_view(&view, map->raw, map->places);
    map->view = str_of(view.out, view.length);
    map->offsets = view.offsets;
}

/* --- finding */

static enum place place_of(const struct content_map *map, size_t start, size_t end)
{
    enum place place = PLACE_INLINE;
    for (size_t i = start; i < end; i++) {
        if (map->places[i] == PLACE_MARKUP)
            return PLACE_MARKUP;
        if (map->places[i] == PLACE_TEXT)
            place = PLACE_TEXT;
    }
    return place;
}

/* The match at `at` of the view as a stretch of raw; false when it would cut a character in two. */
static bool view_match(const struct content_map *map, size_t at, size_t length, struct match *ret)
{
    size_t end = at + length;
    if ((at && map->offsets[at] == map->offsets[at - 1]) || map->offsets[end] == map->offsets[end - 1])
        return false;
    ret->start = map->offsets[at];
    ret->end = map->offsets[end];
    return true;
}

/* Whether a reference stands across `at`: "&am|p;". */
static bool cuts_reference(struct str raw, size_t at)
{
    enum { REFERENCE_MAX = 12 };
    char utf8[4];
    size_t utf8_length;
    for (size_t back = 1; back <= at && back < REFERENCE_MAX; back++)
        if (raw.ptr[at - back] == '&')
            return text_entity(str_from_offset(raw, at - back), utf8, &utf8_length) > back;
    return false;
}

/* The bytes are there, but as a part of other characters: "amp" in "&amp;", an "e" whose accent stands behind it. */
static bool cuts_character(struct str raw, const struct match *match)
{
    char composed[4];
    size_t last = match->end - 1, length;
    while (last > match->start && ((unsigned char)raw.ptr[last] & 0xC0) == 0x80)
        last--;
    return cuts_reference(raw, match->start) || cuts_reference(raw, match->end) ||
           compose_first(str_sub(raw, last, match->end - last), str_from_offset(raw, match->end), composed, &length);
}

size_t content_find(struct arena *arena, struct content_map *map, struct str wanted, enum find_kind kind, size_t max,
                    struct match **ret)
{
    struct str text = map->raw;
    if (kind == FIND_VIEW) {
        make_view(arena, map);
        text = map->view;
        wanted = view_of(arena, wanted);
    }
    bool text_only = kind == FIND_TEXT || (kind == FIND_VIEW && str_find_char(wanted, '<') == STR_NOT_FOUND);
    size_t count = 0, capacity = 0, at = 0;
    *ret = NULL;
    while (wanted.len && at < text.len) {
        size_t found = str_find(str_from_offset(text, at), wanted);
        if (found == STR_NOT_FOUND)
            break;
        at += found;
        struct match match = {.start = at, .end = at + wanted.len};
        bool good = kind == FIND_VIEW ? view_match(map, at, wanted.len, &match) : !cuts_character(map->raw, &match);
        match.place = good ? place_of(map, match.start, match.end) : PLACE_MARKUP;
        if (!good || (text_only && match.place == PLACE_MARKUP)) {
            at++;
            continue;
        }
        at += wanted.len;
        if (count == capacity && count < max) {
            size_t grown = capacity ? capacity * 2 : 16;
            struct match *matches = arena_array_of(arena, struct match, grown);
            if (count)
                memcpy(matches, *ret, count * sizeof match);
            *ret = matches;
            capacity = grown;
        }
        if (count < max)
            (*ret)[count] = match;
        count++;
    }
    return count;
}

/* Takes the inline tags in that belong to what stands between `start` and `end`: "a <b>c" becomes "a <b>c</b>". */
static void take_tags_in(struct str raw, struct match *match)
{
    enum { TAGS_MAX = 8 };
    for (int i = 0; i < TAGS_MAX; i++) {
        struct html_token token;
        struct str rest = str_from_offset(raw, match->end);
        if (html_is_balanced(str_sub(raw, match->start, match->end - match->start)))
            return;
        if (html_next(&rest, &token) && token.kind == HTML_CLOSE && !html_is_block(token.name)) {
            match->end += token.source.len;
            continue;
        }
        size_t start = match->start;
        while (start && raw.ptr[start - 1] != '<' && (start == match->start || raw.ptr[start - 1] != '>'))
            start--;
        rest = str_from_offset(raw, start ? start - 1 : 0);
        if (!html_next(&rest, &token) || token.kind != HTML_OPEN || html_is_block(token.name) ||
            token.source.ptr + token.source.len != raw.ptr + match->start)
            return;
        match->start = start - 1;
    }
}

bool content_find_across(struct arena *arena, const struct content_map *map, struct str wanted, struct match *ret)
{
    struct view_writer view = {.out = arena_alloc(arena, map->raw.len + 4),
                               .offsets = arena_alloc_array(arena, map->raw.len + 5, sizeof(uint32_t)),
                               .text_only = true};
    write_view(&view, map->raw, map->places);
    wanted = view_of(arena, wanted);
    size_t at = wanted.len ? str_find(str_of(view.out, view.length), wanted) : STR_NOT_FOUND;
    if (at == STR_NOT_FOUND)
        return false;
    size_t last = view.offsets[at + wanted.len - 1], behind = view.offsets[at + wanted.len], end = last + 1;
    while (end < behind && map->places[end] != PLACE_MARKUP) /* the whole of the last character */
        end++;
    *ret = (struct match){view.offsets[at], end, PLACE_MARKUP};
    take_tags_in(map->raw, ret);
    return true;
}

bool content_find_nearest(struct arena *arena, struct content_map *map, struct str wanted, size_t *ret_offset)
{
    enum { SHORTEST = 4 };
    make_view(arena, map);
    struct str text = str_lower(arena, map->view), key = str_lower(arena, view_of(arena, wanted));
    for (size_t length = key.len; length >= SHORTEST; length = length * 2 / 3) {
        size_t found = str_find(text, str_sub(key, 0, length));
        if (found == STR_NOT_FOUND)
            found = str_find(text, str_from_offset(key, key.len - length));
        if (found != STR_NOT_FOUND) {
            *ret_offset = map->offsets[found];
            return true;
        }
    }
    return false;
}
