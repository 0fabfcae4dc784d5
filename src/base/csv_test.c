/* Tables as text. */
#include "base/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;

static struct str row_as_text(const struct csv_row *row)
{
    struct str all = STR_EMPTY;
    for (size_t i = 0; i < row->count; i++)
        all = str_format(arena, "%.*s%s%.*s", STR_ARG(all), i ? "|" : "", STR_ARG(row->cells[i]));
    return all;
}

/* Rows with '/' between them, then the problem. */
static void expect(const char *text, const char *rows, const char *problem, size_t line)
{
    struct csv csv;
    struct csv_row row;
    struct str all = STR_EMPTY;
    arena = arena_new(1024 * 1024);
    csv_begin(&csv, str_from(text));
    while (csv_next(arena, &csv, &row))
        all = str_format(arena, "%.*s%s%.*s", STR_ARG(all), all.len ? "/" : "", STR_ARG(row_as_text(&row)));
    assert_string_equal(str_copy_cstr(arena, all), rows);
    if (problem)
        assert_string_equal(csv.problem, problem);
    else
        assert_null(csv.problem);
    assert_int_equal(csv.line, line);
    arena_free(arena);
}

static void rows_and_cells(void **state)
{
    (void)state;
    expect("", "", NULL, 0);
    expect("a,b\n1,2\n", "a|b/1|2", NULL, 2);
    expect("a,b\r\n1,2", "a|b/1|2", NULL, 2);
    expect("\xef\xbb\xbf"
           "a;b;c\n1,5;2;3\n",
           "a|b|c/1,5|2|3", NULL, 2);
    expect("a\tb\n,\t;\n", "a|b/,|;", NULL, 2);
    expect("a,b\n\n\n1,\n", "a|b/1|", NULL, 4);
    expect("a,b\n\"x,\"\"y\"\"\nz\",2\n3,4\n", "a|b/x,\"y\"\nz|2/3|4", NULL, 4);
    expect("a b", "a b", NULL, 1);
    expect("sep=;\r\na,b;c\r\n1;2\r\n", "a,b|c/1|2", NULL, 3);
    expect("\xef\xbb\xbfSEP=,\na;b;c,d\n", "a;b;c|d", NULL, 2);
    expect("sep=\t\na\tb,c,d\n", "a|b,c,d", NULL, 2);
    expect("sep=;", "", NULL, 0);
    expect("sep=;x,b\n", "sep=;x|b", NULL, 1);
    expect("sep,a\n", "sep|a", NULL, 1);
    expect("a,\"\"\n", "a|", NULL, 1);
}

static void what_is_wrong_has_its_line(void **state)
{
    (void)state;
    expect("a,b\n1,\"2\n3,4\n", "a|b", "a cell's quotation mark is not closed", 2);
    expect("a,b\n\"1\"x,2\n", "a|b", "there is text behind a cell's closing quotation mark", 2);
    char many[CSV_COLUMNS_MAX + 1];
    memset(many, ',', sizeof many);
    many[CSV_COLUMNS_MAX] = 0;
    expect(many, "", "there are too many columns", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_cells),
        cmocka_unit_test(what_is_wrong_has_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
