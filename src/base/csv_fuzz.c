/* Tables from any bytes: what was read and is written in quotation marks reads the same again. */
#include "base/csv.h"

#include "base/buf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void write_cell(struct buf *out, struct str cell)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, cell.ptr[i]);
    }
    buf_add_char(out, '"');
}

static void check_again(struct arena *arena, const struct csv_row *row)
{
    struct buf out;
    struct csv csv;
    struct csv_row again;
    buf_init(&out, arena, 1 << 22);
    for (size_t i = 0; i < row->count; i++) {
        if (i)
            buf_add_char(&out, ',');
        write_cell(&out, row->cells[i]);
    }
    csv = (struct csv){.rest = buf_str(&out), .separator = ',', .next_line = 1};
    must(csv_next(arena, &csv, &again) && again.count == row->count);
    for (size_t i = 0; i < row->count; i++)
        must(str_eq(again.cells[i], row->cells[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct arena *arena = arena_new(256 * 1024 * 1024);
    struct csv csv;
    struct csv_row row;
    csv_begin(&csv, str_of((const char *)data, size));
    for (size_t rows = 0; rows < 100 && csv_next(arena, &csv, &row); rows++) {
        must(row.count >= 1 && row.count <= CSV_COLUMNS_MAX && csv.line >= 1);
        check_again(arena, &row);
    }
    arena_free(arena);
    return 0;
}
