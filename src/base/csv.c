/* Tables as text, row by row. */
#include "base/csv.h"

#include "base/buf.h"

/* "sep=;": takes the line off *text. '\0': there is none. */
static char take_separator(struct str *text)
{
    struct str rest = *text, line;
    if (!str_next(&rest, '\n', &line))
        return 0;
    if (str_ends_with(line, STR("\r")))
        line.len--;
    if (line.len != 5 || !str_eq_nocase(str_sub(line, 0, 4), STR("sep=")))
        return 0;
    *text = rest;
    return line.ptr[4];
}

void csv_begin(struct csv *csv, struct str text)
{
    static const char separators[] = {',', ';', '\t'};
    size_t best = 0;
    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_from_offset(text, 3);
    char said = take_separator(&text);
    *csv = (struct csv){.rest = text, .separator = said ? said : ',', .next_line = said ? 2 : 1};
    for (size_t i = 0; !said && i < sizeof separators; i++) {
        size_t count = 0;
        for (size_t j = 0; j < text.len && text.ptr[j] != '\n'; j++)
            count += text.ptr[j] == separators[i];
        if (count > best) {
            best = count;
            csv->separator = separators[i];
        }
    }
}

static bool ends_cell(const struct csv *csv, char c)
{
    return c == csv->separator || c == '\n' || c == '\r';
}

/* Behind its opening quotation mark. */
static bool read_quoted(struct arena *arena, struct csv *csv, struct str *ret)
{
    struct buf cell;
    buf_init(&cell, arena, csv->rest.len + 1);
    for (;;) {
        size_t quote = str_find_char(csv->rest, '"');
        struct str piece = str_sub(csv->rest, 0, quote);
        for (size_t i = 0; i < piece.len; i++)
            csv->next_line += piece.ptr[i] == '\n';
        buf_add(&cell, piece);
        if (quote == STR_NOT_FOUND) {
            csv->problem = "a cell's quotation mark is not closed";
            return false;
        }
        csv->rest = str_from_offset(csv->rest, quote + 1);
        if (csv->rest.len == 0 || csv->rest.ptr[0] != '"')
            break;
        buf_add_char(&cell, '"');
        csv->rest = str_from_offset(csv->rest, 1);
    }
    *ret = buf_str(&cell);
    if (csv->rest.len == 0 || ends_cell(csv, csv->rest.ptr[0]))
        return true;
    csv->problem = "there is text behind a cell's closing quotation mark";
    return false;
}

static struct str read_plain(struct csv *csv)
{
    size_t length = 0;
    while (length < csv->rest.len && !ends_cell(csv, csv->rest.ptr[length]))
        length++;
    struct str cell = str_sub(csv->rest, 0, length);
    csv->rest = str_from_offset(csv->rest, length);
    return cell;
}

static void skip_line_end(struct csv *csv)
{
    if (csv->rest.len && csv->rest.ptr[0] == '\r')
        csv->rest = str_from_offset(csv->rest, 1);
    if (csv->rest.len && csv->rest.ptr[0] == '\n')
        csv->rest = str_from_offset(csv->rest, 1);
    csv->next_line++;
}

static bool read_row(struct arena *arena, struct csv *csv, struct csv_row *ret)
{
    for (ret->count = 0;;) {
        if (ret->count == CSV_COLUMNS_MAX) {
            csv->problem = "there are too many columns";
            return false;
        }
        struct str *cell = &ret->cells[ret->count++];
        if (csv->rest.len && csv->rest.ptr[0] == '"') {
            csv->rest = str_from_offset(csv->rest, 1);
            if (!read_quoted(arena, csv, cell))
                return false;
        } else {
            *cell = read_plain(csv);
        }
        if (csv->rest.len == 0 || csv->rest.ptr[0] != csv->separator)
            break;
        csv->rest = str_from_offset(csv->rest, 1);
    }
    if (csv->rest.len)
        skip_line_end(csv);
    return true;
}

bool csv_next(struct arena *arena, struct csv *csv, struct csv_row *ret)
{
    while (csv->rest.len && !csv->problem) {
        csv->line = csv->next_line;
        if (!read_row(arena, csv, ret))
            return false;
        if (ret->count > 1 || ret->cells[0].len)
            return true;
    }
    return false;
}
