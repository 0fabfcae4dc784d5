/*
 * Tables as text, row by row (RFC 4180; also with ';', as spreadsheets write them where ',' is the decimal sign). Pure.
 * A cell in quotation marks may hold separators, line breaks, and "" for one quotation mark. Empty lines are left out.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/arena.h"

enum { CSV_COLUMNS_MAX = 64 };

struct csv {
    struct str rest;
    char separator;
    size_t line; /* of the row that was read last, from 1 */
    size_t next_line;
    const char *problem; /* why there is no further row; NULL: there was an end */
};

struct csv_row {
    struct str cells[CSV_COLUMNS_MAX]; /* of the text, or in the arena where a cell had "" */
    size_t count;
};

/*
 * A byte order mark is skipped. The separator is the one of ',' ';' and tab that the first line has most of, or what a line "sep=;"
 * before it says, which Excel reads and some programs write; that line is no row.
 */
void csv_begin(struct csv *csv, struct str text);

/* False at the end, and when the text is wrong: csv->problem says why, csv->line where. */
MUST_CHECK bool csv_next(struct arena *arena, struct csv *csv, struct csv_row *ret);

#endif
