/* Markdown in chunks. */
#include "providers/wordpress/content/markdown_chunks.h"

#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/markdown_walk.h"

/* "[[block 3.2 core/group]]" or "[[/block 3.2]]" at the start of a line. */
static bool read_mark(struct str text, struct chunk *ret)
{
    static const struct str open = STR_INIT("[[block "), close = STR_INIT("[[/block ");
    bool end = str_starts_with(text, close);
    if (!end && !str_starts_with(text, open))
        return false;
    struct str rest = str_from_offset(text, end ? close.len : open.len);
    size_t length = 0;
    while (length < rest.len && (ascii_is_digit(rest.ptr[length]) || rest.ptr[length] == '.'))
        length++;
    struct str line = str_sub(rest, 0, str_find_char(rest, '\n'));
    size_t mark_end = str_find(line, STR("]]"));
    if (length == 0 || mark_end == STR_NOT_FOUND)
        return false;
    *ret = (struct chunk){.kind = end ? CHUNK_END : CHUNK_STAND_IN,
                          .text = text,
                          .number = str_sub(rest, 0, length),
                          .name = str_trim(str_sub(line, length, mark_end - length)),
                          .body = str_trim(str_from_offset(rest, mark_end + 2))};
    return true;
}

static struct str take_line(struct str *rest)
{
    size_t end = str_find_char(*rest, '\n');
    struct str line = str_sub(*rest, 0, end);
    *rest = str_from_offset(*rest, end == STR_NOT_FOUND ? rest->len : end + 1);
    return line;
}

static size_t indentation(struct str line)
{
    size_t columns = 0;
    for (size_t i = 0; i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'); i++)
        columns += line.ptr[i] == '\t' ? 4 - columns % 4 : 1;
    return columns;
}

static bool is_blank(struct str line)
{
    return str_trim(line).len == 0;
}

/* The mark of a list item at the start of a trimmed line: '-', '*', '+', '.', ')'; 0: none. */
static char item_mark(struct str line)
{
    size_t i = 0;
    while (i < line.len && i < 10 && ascii_is_digit(line.ptr[i]))
        i++;
    if (i >= line.len)
        return 0;
    char c = line.ptr[i];
    bool mark = i ? c == '.' || c == ')' : c == '-' || c == '*' || c == '+';
    return mark && (i + 1 == line.len || line.ptr[i + 1] == ' ' || line.ptr[i + 1] == '\t') ? c : 0;
}

bool markdown_fence_opens(struct str line, char *ret_char, size_t *ret_length)
{
    size_t run = 0;
    if (line.len < 3 || (line.ptr[0] != '`' && line.ptr[0] != '~'))
        return false;
    while (run < line.len && line.ptr[run] == line.ptr[0])
        run++;
    if (run < 3 || (line.ptr[0] == '`' && str_find_char(str_from_offset(line, run), '`') != STR_NOT_FOUND))
        return false;
    *ret_char = line.ptr[0];
    *ret_length = run;
    return true;
}

bool markdown_fence_closes(struct str line, char c, size_t length)
{
    size_t run = 0;
    while (run < line.len && line.ptr[run] == c)
        run++;
    return run >= length && str_trim(str_from_offset(line, run)).len == 0;
}

/* What ends an HTML block that goes on over blank lines (CommonMark 0.30 section 4.6, kinds 1 to 5); empty: none begins. */
static struct str html_block_end(struct str line)
{
    static const struct {
        struct str start, end;
        bool is_tag;
    } kinds[] = {{STR_INIT("<!--"), STR_INIT("-->"), false},      {STR_INIT("<?"), STR_INIT("?>"), false},
                 {STR_INIT("<![CDATA["), STR_INIT("]]>"), false}, {STR_INIT("<pre"), STR_INIT("</"), true},
                 {STR_INIT("<script"), STR_INIT("</"), true},     {STR_INIT("<style"), STR_INIT("</"), true},
                 {STR_INIT("<textarea"), STR_INIT("</"), true}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (!str_starts_with_nocase(line, kinds[i].start))
            continue;
        char next = line.len > kinds[i].start.len ? line.ptr[kinds[i].start.len] : '>';
        if (!kinds[i].is_tag || next == '>' || next == ' ' || next == '\t')
            return kinds[i].end;
    }
    if (line.len > 2 && str_starts_with(line, STR("<!")) && ascii_is_alpha(line.ptr[2]))
        return STR(">");
    return STR_EMPTY;
}

/* Whether the HTML block that must end with `end` ends on this line; a tag's name is one of the four, whichever. */
static bool html_block_ends(struct str line, struct str end)
{
    static const struct str tags[] = {STR_INIT("</pre>"), STR_INIT("</script>"), STR_INIT("</style>"),
                                      STR_INIT("</textarea>")};
    if (!str_eq(end, STR("</")))
        return str_contains(line, end);
    for (size_t i = 0; i < ARRAY_LENGTH(tags); i++)
        if (str_contains_nocase(line, tags[i]))
            return true;
    return false;
}

/* State while looking for the end of a chunk. */
struct scan {
    char fence;
    size_t fence_length;
    struct str html_end; /* an HTML block is open until this */
    char list;           /* the chunk is a list with these marks */
};

/* Reads one line of a chunk; true when the chunk goes on whatever follows. */
static void scan_line(struct scan *scan, struct str line)
{
    struct str trimmed = str_trim(line);
    while (scan->list && !scan->fence && item_mark(trimmed)) /* what an item begins with */
        trimmed = str_trim(str_from_offset(trimmed, str_find_char(trimmed, item_mark(trimmed)) + 1));
    while (!scan->fence && str_starts_with(trimmed, STR(">")))
        trimmed = str_trim(str_from_offset(trimmed, 1));
    if (scan->fence) {
        if (markdown_fence_closes(trimmed, scan->fence, scan->fence_length))
            scan->fence = 0;
        return;
    }
    if (!scan->html_end.len) {
        if (markdown_fence_opens(trimmed, &scan->fence, &scan->fence_length))
            return;
        scan->html_end = html_block_end(trimmed);
    }
    if (scan->html_end.len && html_block_ends(trimmed, scan->html_end))
        scan->html_end = STR_EMPTY;
}

/* Whether a line behind a blank one belongs to the chunk before. */
static bool goes_on(const struct scan *scan, struct str line)
{
    if (scan->fence || scan->html_end.len)
        return true;
    return scan->list && (indentation(line) >= 2 || item_mark(str_trim(line)) == scan->list);
}

enum { BROKEN_MAX = 50 };

/* A whole block in block markup at the start of `text`: its length, or 0. */
static size_t raw_block_length(struct chunk_reader *reader, struct str text)
{
    if (!str_starts_with(text, STR("<!--")) || reader->broken >= BROKEN_MAX)
        return 0;
    size_t length = blocks_first_length(text);
    reader->broken += length == 0;
    return length;
}

static struct str markdown_chunk(struct chunk_reader *reader)
{
    struct str *rest = &reader->rest;
    struct str start = *rest, line = take_line(rest);
    struct scan scan = {.list = item_mark(str_trim(line)), .html_end = STR_EMPTY};
    bool quote = str_starts_with(str_trim(line), STR(">"));
    struct chunk ignored;
    size_t length = line.len;
    scan_line(&scan, line);
    bool blank = false;
    while (rest->len) {
        struct str mark = *rest;
        line = take_line(rest);
        if (is_blank(line)) {
            blank = true;
            if (quote)
                scan.fence = 0; /* a fence in a quote ends with the quote */
            continue;
        }
        bool stands_alone =
            !scan.fence && !scan.html_end.len && (read_mark(mark, &ignored) || raw_block_length(reader, mark));
        if (stands_alone || (blank && !goes_on(&scan, line))) {
            *rest = mark;
            break;
        }
        blank = false;
        scan_line(&scan, line);
        length = (size_t)(line.ptr + line.len - start.ptr);
    }
    return str_sub(start, 0, length);
}

bool markdown_next_chunk(struct chunk_reader *reader, struct chunk *ret)
{
    struct str text = reader->rest;
    while (text.len) {
        struct str after = text;
        if (!is_blank(take_line(&after)))
            break;
        text = after;
    }
    reader->rest = text;
    if (text.len == 0)
        return false;
    size_t raw = raw_block_length(reader, text);
    if (raw) {
        *ret = (struct chunk){.kind = CHUNK_RAW, .text = str_sub(text, 0, raw)};
        reader->rest = str_from_offset(text, raw);
        return true;
    }
    if (read_mark(text, ret) && ret->kind == CHUNK_END) {
        ret->text = take_line(&reader->rest);
        ret->body = STR_EMPTY;
        return true;
    }
    struct str chunk = markdown_chunk(reader);
    if (!read_mark(chunk, ret))
        *ret = (struct chunk){.kind = CHUNK_MARKDOWN, .text = chunk};
    return true;
}

bool markdown_has_definitions(struct str markdown)
{
    struct str line;
    while (str_next(&markdown, '\n', &line)) {
        struct str trimmed = str_trim(line);
        size_t end = str_find(trimmed, STR("]:"));
        if (str_starts_with(trimmed, STR("[")) && !str_starts_with(trimmed, STR("[^")) && end != STR_NOT_FOUND &&
            end > 1 && indentation(line) < 4)
            return true;
    }
    return false;
}

int markdown_chunks_write(struct call *call, struct str markdown, struct block_writer *writer)
{
    struct markdown_events *events = markdown_events_new(call);
    struct chunk_reader reader = {.rest = markdown};
    struct str run = STR_EMPTY;
    struct chunk chunk;
    int rc = OK;
    while (rc == OK && markdown_next_chunk(&reader, &chunk)) {
        if (chunk.kind == CHUNK_MARKDOWN) {
            run = run.len ? str_of(run.ptr, (size_t)(chunk.text.ptr + chunk.text.len - run.ptr)) : chunk.text;
            continue;
        }
        if (chunk.kind != CHUNK_RAW)
            return fail(call, E_INVALID,
                        "[[block %.*s ...]] stands for a block of a stored text, and there is none here: write the "
                        "content itself.",
                        STR_ARG(chunk.number));
        if (run.len)
            rc = markdown_walk(call, events, run, writer);
        run = STR_EMPTY;
        write_raw(writer, chunk.text);
    }
    return rc == OK && run.len ? markdown_walk(call, events, run, writer) : rc;
}
