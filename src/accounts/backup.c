/* Backups. */
#include "accounts/backup.h"

#include "base/buf.h"
#include "crypto/seal.h"
#include "crypto/sha256.h"
#include "json/json.h"
#include "json/json_write.h"
#include "store/connections.h"
#include "store/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    OUT_BYTES = 256 * 1024, /* written at once */
    PIECE_BYTES = 128 * 1024 * 1024,
    PIECE_MS = 60 * 1000,
    LOAD_ROWS = 200,
    LOAD_BYTES = 8 * 1024 * 1024,
    HEADER_BYTES_MAX = 1024 * 1024,
};

static struct str statement(struct arena *arena, const char *sha256)
{
    return str_format(arena, "porteiro backup v1|%s", sha256);
}

static void end_sum(void *object)
{
    char ignored[SHA256_HEX_BYTES];
    struct sha256 **sum = object;
    if (*sum)
        sha256_end(*sum, ignored);
}

/* Ends with the call, if not before. */
static struct sha256 **begin_sum(struct call *call)
{
    struct sha256 **sum = arena_new_of(call->arena, struct sha256 *);
    arena_defer(call->arena, end_sum, sum);
    *sum = sha256_begin();
    if (!*sum)
        arena_give_up(call->arena);
    return sum;
}

/* ---- writing */

struct writing {
    int file;
    struct sha256 **sum;
    struct buf out, line;
    size_t table, n_columns;
    int64_t *rows, bytes;
};

static int write_all(struct call *call, int file, struct str text)
{
    while (text.len) {
        ssize_t written = write(file, text.ptr, text.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(call, E_UNAVAILABLE, "The backup cannot be written: %s.", strerror(errno));
        text = str_from_offset(text, (size_t)written);
    }
    return OK;
}

static int flush(struct call *call, struct writing *w)
{
    struct str text = buf_str(&w->out);
    sha256_add(*w->sum, text);
    w->bytes += (int64_t)text.len;
    int error = write_all(call, w->file, text);
    buf_clear(&w->out);
    return error;
}

static int write_row(struct call *call, const struct str *cells, void *context)
{
    struct writing *w = context;
    struct json_writer json;
    buf_clear(&w->line);
    json_write_init(&json, &w->line);
    json_array(&json);
    json_i64(&json, (int64_t)w->table);
    for (size_t i = 0; i < w->n_columns; i++) {
        if (cells[i].ptr)
            json_string(&json, cells[i]);
        else
            json_null_value(&json);
    }
    json_end(&json);
    buf_add_char(&w->line, '\n');
    if (buf_failed(&w->line))
        return fail(call, E_LIMIT, "A row is larger than %d MiB.", BACKUP_LINE_BYTES_MAX >> 20);
    w->rows[w->table]++;
    buf_add(&w->out, buf_str(&w->line));
    return w->out.len < OUT_BYTES ? OK : flush(call, w);
}

static void write_keys(struct json_writer *w, const struct key_rows *keys)
{
    json_key(w, STR("keys"));
    json_array(w);
    for (size_t i = 0; i < keys->count; i++) {
        json_object(w);
        json_member_str(w, "id", keys->items[i].id);
        json_member_i64(w, "master_kid", keys->items[i].master_kid);
        json_member_str(w, "wrapped", keys->items[i].wrapped);
        json_end(w);
    }
    json_end(w);
}

static void write_table(struct json_writer *w, const struct dump_table *table)
{
    json_object(w);
    json_member_str(w, "name", table->name);
    json_member_i64(w, "next", table->next);
    json_key(w, STR("columns"));
    json_array(w);
    for (size_t i = 0; i < table->n_columns; i++) {
        json_array(w);
        json_string(w, table->columns[i].name);
        json_string(w, str_from(dump_kind_names[table->columns[i].kind]));
        json_end(w);
    }
    json_end(w);
    json_end(w);
}

static void write_header(struct writing *w, const struct key_rows *keys, const struct dump_tables *tables)
{
    struct json_writer json;
    json_write_init(&json, &w->out);
    json_object(&json);
    json_member_i64(&json, "porteiro_backup", 1);
    json_member_i64(&json, "made_at", clock_now_ms());
    json_member_str(&json, "program", STR(PORTEIRO_VERSION));
    json_member_str(&json, "engine", db_kind(store_db()) == DB_SQLITE ? STR("sqlite") : STR("postgresql"));
    write_keys(&json, keys);
    json_key(&json, STR("tables"));
    json_array(&json);
    for (size_t i = 0; i < tables->count; i++)
        write_table(&json, &tables->items[i]);
    json_end(&json);
    json_end(&json);
    buf_add_char(&w->out, '\n');
}

static int write_trailer(struct call *call, struct writing *w, size_t n_tables)
{
    struct json_writer json;
    char sum[SHA256_HEX_BYTES], signature[SIGNATURE_HEX_BYTES];
    int error = flush(call, w);
    if (error)
        return error;
    sha256_end(*w->sum, sum);
    *w->sum = NULL;
    keyring_sign(statement(call->arena, sum), signature);
    json_write_init(&json, &w->out);
    json_object(&json);
    json_key(&json, STR("rows"));
    json_array(&json);
    for (size_t i = 0; i < n_tables; i++)
        json_i64(&json, w->rows[i]);
    json_end(&json);
    json_member_str(&json, "sha256", str_from(sum));
    json_member_str(&json, "signature", str_from(signature));
    json_end(&json);
    buf_add_char(&w->out, '\n');
    w->bytes += (int64_t)w->out.len;
    return write_all(call, w->file, buf_str(&w->out));
}

static int write_tables(struct call *call, struct writing *w, struct backup_counts *ret)
{
    struct dump_tables tables;
    struct key_rows keys;
    int error = dump_tables(call, &tables);
    if (!error)
        error = store_keys_read(call, &keys);
    if (error)
        return error;
    write_header(w, &keys, &tables);
    for (w->table = 0; !error && w->table < tables.count; w->table++) {
        w->n_columns = tables.items[w->table].n_columns;
        error = dump_rows(call, &tables.items[w->table], write_row, w);
        ret->rows += w->rows[w->table];
    }
    ret->tables = (int64_t)tables.count;
    return error ? error : write_trailer(call, w, tables.count);
}

int backup_write(struct call *call, int file, struct backup_counts *ret)
{
    int64_t rows[DUMP_TABLES_MAX] = {0};
    struct writing w = {.file = file, .sum = begin_sum(call), .rows = rows};
    *ret = (struct backup_counts){0};
    buf_init(&w.out, call->arena, OUT_BYTES + BACKUP_LINE_BYTES_MAX + HEADER_BYTES_MAX);
    buf_init(&w.line, call->arena, BACKUP_LINE_BYTES_MAX);
    int error = db_begin_snapshot(call, store_db());
    if (error)
        return error;
    error = store_end(call, true, write_tables(call, &w, ret));
    ret->bytes = w.bytes;
    return error;
}

/* ---- reading */

struct reading {
    FILE *file;
    char *line;
    size_t capacity;
    int64_t number;
    const char *path;
    struct dump_tables tables;
    struct sha256 **sum;
};

static void close_reading(void *object)
{
    struct reading *r = object;
    if (r->file)
        fclose(r->file);
    free(r->line);
}

/* What was spooled has no name of its own. */
static const char *shown(const char *path)
{
    return str_starts_with(str_from(path), STR("/proc/self/fd/")) ? "standard input" : path;
}

static int bad(struct call *call, const struct reading *r, const char *what)
{
    return fail(call, E_INVALID, "%s, line %lld: %s. Nothing was touched.", shown(r->path), (long long)r->number, what);
}

/* Our first byte is '{'. What people compress backups with is named: "not JSON" would send them looking for damage. */
static int refuse_compressed(struct call *call, const struct reading *r)
{
    static const struct {
        int first;
        const char *what;
    } kinds[] = {
        {0x1f, "this is compressed: gunzip it first"},
        {0x28, "this is compressed: decompress it first, with zstd -d"},
        {0xfd, "this is compressed: decompress it first, with xz -d"},
    };
    int first = getc(r->file);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (first == kinds[i].first)
            return fail(call, E_INVALID, "%s: %s. Nothing was touched.", shown(r->path), kinds[i].what);
    if (first != EOF)
        ungetc(first, r->file);
    return OK;
}

/* The next line with its end; empty: there is none. */
static int next_line(struct call *call, struct reading *r, struct str *ret)
{
    ssize_t length = getline(&r->line, &r->capacity, r->file);
    *ret = length > 0 ? str_of(r->line, (size_t)length) : STR_EMPTY;
    r->number++;
    if (length < 0 && ferror(r->file))
        return bad(call, r, strerror(errno));
    if (length > BACKUP_LINE_BYTES_MAX)
        return bad(call, r, "it is longer than a backup's lines are");
    if (length > 0 && r->line[length - 1] != '\n')
        return bad(call, r, "the file ends in the middle of a line: it was cut off");
    return OK;
}

static int parse_line(struct call *call, const struct reading *r, struct str line, const struct json **ret)
{
    const struct json_limits limits = {16, BACKUP_LINE_BYTES_MAX, true};
    if (json_parse(call->arena, line, &limits, ret, NULL) < 0)
        return bad(call, r, "it is not JSON");
    return OK;
}

static bool read_table(struct call *call, const struct json *value, struct dump_table *ret)
{
    const struct json *columns = json_get(value, STR("columns"));
    *ret = (struct dump_table){json_str(json_get(value, STR("name"))), json_count(columns),
                               arena_array_of(call->arena, struct dump_column, DUMP_COLUMNS_MAX),
                               json_i64_or(json_get(value, STR("next")), 0)};
    if (!ret->name.len || !ret->n_columns || ret->n_columns > DUMP_COLUMNS_MAX)
        return false;
    for (size_t i = 0; i < ret->n_columns; i++) {
        struct dump_column *column = &ret->columns[i];
        struct str kind = json_str(json_at(json_at(columns, i), 1));
        column->name = json_str(json_at(json_at(columns, i), 0));
        column->kind = DUMP_KINDS;
        for (size_t k = 0; k < DUMP_KINDS; k++)
            if (str_eq(kind, str_from(dump_kind_names[k])))
                column->kind = (enum dump_kind)k;
        if (!column->name.len || column->kind == DUMP_KINDS)
            return false;
    }
    return true;
}

static int read_header(struct call *call, struct reading *r, struct key_rows *ret_keys)
{
    const struct json *header;
    struct str line;
    int error = next_line(call, r, &line);
    if (!error && (!line.len || !str_starts_with(line, STR("{\"porteiro_backup\":1,"))))
        error = bad(call, r, "it is no backup of this program, or one of a newer form");
    if (!error)
        error = parse_line(call, r, line = str_copy(call->arena, line), &header);
    if (error)
        return error;
    sha256_add(*r->sum, line);
    const struct json *keys = json_get(header, STR("keys")), *tables = json_get(header, STR("tables"));
    *ret_keys = (struct key_rows){json_count(keys), arena_array_of(call->arena, struct keyring_row, json_count(keys))};
    for (size_t i = 0; i < ret_keys->count; i++)
        ret_keys->items[i] = (struct keyring_row){json_str(json_get(json_at(keys, i), STR("id"))),
                                                  json_i64_or(json_get(json_at(keys, i), STR("master_kid")), 0),
                                                  json_str(json_get(json_at(keys, i), STR("wrapped")))};
    if (json_count(tables) > DUMP_TABLES_MAX)
        return bad(call, r, "it has more tables than this program knows");
    r->tables =
        (struct dump_tables){json_count(tables), arena_array_of(call->arena, struct dump_table, json_count(tables))};
    for (size_t i = 0; i < r->tables.count; i++)
        if (!read_table(call, json_at(tables, i), &r->tables.items[i]))
            return bad(call, r, "a table is not described as it should be");
    return OK;
}

static int open_reading(struct call *call, const char *path, struct reading **ret, struct key_rows *ret_keys)
{
    struct reading *r = arena_new_of(call->arena, struct reading);
    arena_defer(call->arena, close_reading, r);
    *r = (struct reading){.path = path, .sum = begin_sum(call)};
    *ret = r;
    r->file = fopen(path, "re");
    if (!r->file)
        return fail(call, E_UNAVAILABLE, "%s cannot be read: %s.", shown(path), strerror(errno));
    int error = refuse_compressed(call, r);
    return error ? error : read_header(call, r, ret_keys);
}

/* A row: the number of its table; its cells in the piece's arena. */
static int read_row(struct call *call, const struct reading *r, struct str line, size_t *ret_table, struct str *cells)
{
    const struct json *row;
    int64_t table;
    int error = parse_line(call, r, line, &row);
    if (error)
        return error;
    if (!json_is(row, JSON_ARRAY) || !json_to_i64(json_at(row, 0), &table) || table < 0 ||
        table >= (int64_t)r->tables.count || json_count(row) != r->tables.items[table].n_columns + 1)
        return bad(call, r, "it is no row of one of the tables");
    *ret_table = (size_t)table;
    for (size_t i = 1; i < json_count(row); i++) {
        const struct json *cell = json_at(row, i);
        if (!json_is(cell, JSON_STRING) && !json_is(cell, JSON_NULL))
            return bad(call, r, "a cell is no text");
        cells[i - 1] = json_is(cell, JSON_STRING) ? str_copy(call->arena, json_str(cell)) : (struct str){NULL, 0};
    }
    return OK;
}

static int check_trailer(struct call *call, struct reading *r, struct str line, const int64_t *rows)
{
    const struct json *trailer;
    char sum[SHA256_HEX_BYTES];
    int error = parse_line(call, r, line, &trailer);
    if (error)
        return error;
    sha256_end(*r->sum, sum);
    *r->sum = NULL;
    if (!str_eq(json_str(json_get(trailer, STR("sha256"))), str_from(sum)) ||
        !keyring_signed(statement(call->arena, sum), json_str(json_get(trailer, STR("signature")))))
        return bad(call, r, "the signature does not fit: the backup was changed");
    for (size_t i = 0; i < r->tables.count; i++)
        if (json_i64_or(json_at(json_get(trailer, STR("rows")), i), -1) != rows[i])
            return bad(call, r, "the number of rows does not fit");
    line = STR_EMPTY;
    error = next_line(call, r, &line);
    return error ? error : line.len ? bad(call, r, "there is something behind the end") : OK;
}

static int copy_error(struct call *call, const struct call *piece, int error)
{
    fail(call, (enum error)error, "%.*s", STR_ARG(piece->error_text));
    fail_detail(call, "%.*s", STR_ARG(piece->error_detail));
    return error;
}

static int check_lines(struct call *call, struct call *piece, struct reading *r, struct backup_counts *ret)
{
    int64_t rows[DUMP_TABLES_MAX] = {0};
    struct str cells[DUMP_COLUMNS_MAX];
    for (;;) {
        struct str line;
        size_t table;
        arena_reset(piece->arena);
        int error = next_line(piece, r, &line);
        if (!error && !line.len)
            error = bad(piece, r, "the end is missing: the file was cut off");
        ret->bytes += (int64_t)line.len;
        if (!error && line.ptr[0] == '{') {
            error = check_trailer(piece, r, line, rows);
            return error ? copy_error(call, piece, error) : OK;
        }
        if (!error)
            error = read_row(piece, r, line, &table, cells);
        if (error)
            return copy_error(call, piece, error);
        sha256_add(*r->sum, line);
        rows[table]++;
        ret->rows++;
    }
}

int backup_check(struct call *call, const char *path, const struct keyring_source *source, struct backup_counts *ret)
{
    struct reading *r;
    struct key_rows keys;
    struct call piece;
    *ret = (struct backup_counts){0};
    int error = open_reading(call, path, &r, &keys);
    if (!error)
        error = keyring_load_master(call, source);
    if (error == E_NOT_FOUND)
        return fail(call, E_CRYPTO,
                    "There is no master key, and this backup needs the one it was made with: give it by "
                    "PORTEIRO_SECRET_KEY_FILE. Nothing was touched.");
    if (error)
        return error;
    error = keyring_open(call, keys.items, keys.count);
    if (error == E_CRYPTO)
        return fail(call, E_CRYPTO,
                    "This backup belongs to another master key. Give the one that was in force when it was made, by "
                    "PORTEIRO_SECRET_KEY_FILE. Nothing was touched.");
    if (error)
        return error;
    call_init_piece(&piece, call, PIECE_BYTES);
    ret->tables = (int64_t)r->tables.count;
    return check_lines(call, &piece, r, ret);
}

/* ---- loading */

struct loading {
    struct reading *reading;
    struct dump_tables here;
    const struct dump_table *target[DUMP_TABLES_MAX];
    /* rows of one table that wait to be inserted */
    size_t table, n_rows, bytes;
    struct str cells[LOAD_ROWS * 8];
};

static const struct dump_table *find_table(const struct dump_tables *tables, struct str name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (str_eq(tables->items[i].name, name))
            return &tables->items[i];
    return NULL;
}

static bool has_column(const struct dump_table *table, struct str name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (str_eq(table->columns[i].name, name))
            return true;
    return false;
}

/* Every name of the file is one that is here: from now on it may stand in a statement. */
static int match_table(struct call *call, const struct dump_table *source, const struct dump_table *target)
{
    if (!target)
        return fail(call, E_CONFLICT, "The backup has a table %.*s, which this program does not know: use a newer one.",
                    STR_ARG(source->name));
    for (size_t i = 0; i < source->n_columns; i++)
        if (!has_column(target, source->columns[i].name))
            return fail(call, E_CONFLICT,
                        "The backup has a column %.*s of %.*s, which this program does not know: use a newer one.",
                        STR_ARG(source->columns[i].name), STR_ARG(source->name));
    for (size_t i = 0; i < target->n_columns; i++)
        if (!target->columns[i].is_optional && !has_column(source, target->columns[i].name))
            return fail(
                call, E_CONFLICT,
                "The backup is too old for this program: it lacks %.*s of %.*s. Restore it with the program that made "
                "it.",
                STR_ARG(target->columns[i].name), STR_ARG(source->name));
    return OK;
}

static int match_tables(struct call *call, struct loading *loading)
{
    const struct dump_tables *tables = &loading->reading->tables;
    int error = dump_tables(call, &loading->here);
    for (size_t i = 0; !error && i < tables->count; i++) {
        int64_t rows = 0;
        loading->target[i] = find_table(&loading->here, tables->items[i].name);
        error = match_table(call, &tables->items[i], loading->target[i]);
        if (!error)
            error = dump_count(call, tables->items[i].name, &rows);
        if (!error && rows)
            return fail(
                call, E_CONFLICT,
                "The database is not empty: %.*s has %lld rows. A backup is restored into a new database. Nothing "
                "was touched.",
                STR_ARG(tables->items[i].name), (long long)rows);
    }
    return error;
}

static int insert_waiting(struct call *call, struct loading *loading)
{
    const struct dump_table *source = &loading->reading->tables.items[loading->table];
    call->deadline_ms = clock_monotonic_ms() + PIECE_MS;
    int error = loading->n_rows
                    ? dump_insert(call, source, loading->target[loading->table], loading->cells, loading->n_rows)
                    : OK;
    loading->n_rows = loading->bytes = 0;
    return error;
}

/* A row that does not fit to those that wait goes into the other piece, which becomes the one in use. */
static struct call *insert_and_turn(struct call *pieces, struct call *used, struct loading *loading, struct str *cells,
                                    size_t n_cells, int *ret_error)
{
    struct call *other = used == &pieces[0] ? &pieces[1] : &pieces[0];
    *ret_error = insert_waiting(used, loading);
    if (*ret_error)
        return used;
    arena_reset(other->arena);
    for (size_t i = 0; i < n_cells; i++)
        if (cells[i].ptr)
            cells[i] = str_copy(other->arena, cells[i]);
    arena_reset(used->arena);
    return other;
}

static int load_lines(struct call *call, struct call *pieces, struct loading *loading, struct backup_counts *ret)
{
    struct reading *r = loading->reading;
    struct call *piece = &pieces[0];
    for (;;) {
        struct str line = STR_EMPTY, cells[DUMP_COLUMNS_MAX] = {{NULL, 0}};
        size_t table = 0;
        int error = next_line(piece, r, &line);
        bool ended = !error && (!line.len || line.ptr[0] == '{');
        if (!error && !ended)
            error = read_row(piece, r, str_copy(piece->arena, line), &table, cells);
        size_t n_columns = r->tables.items[table].n_columns;
        if (!error && (ended || table != loading->table || loading->bytes > LOAD_BYTES ||
                       (loading->n_rows + 1) * n_columns > ARRAY_LENGTH(loading->cells)))
            piece = insert_and_turn(pieces, piece, loading, cells, ended ? 0 : n_columns, &error);
        if (error)
            return copy_error(call, piece, error);
        if (ended)
            return OK;
        loading->table = table;
        memcpy(loading->cells + loading->n_rows * n_columns, cells, n_columns * sizeof *cells);
        loading->n_rows++;
        loading->bytes += line.len;
        ret->rows++;
        ret->bytes += (int64_t)line.len;
    }
}

static int load_all(struct call *call, struct loading *loading, struct backup_counts *ret)
{
    struct call pieces[2];
    int error = match_tables(call, loading);
    if (!error)
        error = dump_defer_references(call);
    if (error)
        return error;
    call_init_piece(&pieces[0], call, PIECE_BYTES);
    call_init_piece(&pieces[1], call, PIECE_BYTES);
    error = load_lines(call, pieces, loading, ret);
    for (size_t i = 0; !error && i < loading->reading->tables.count; i++)
        error = dump_set_next(call, &loading->reading->tables.items[i]);
    return error;
}

int backup_load(struct call *call, const char *path, struct backup_counts *ret)
{
    struct loading *loading = arena_new_of(call->arena, struct loading);
    struct key_rows keys;
    bool mine;
    *ret = (struct backup_counts){0};
    int error = open_reading(call, path, &loading->reading, &keys);
    if (!error)
        error = store_begin(call, &mine);
    if (error)
        return error;
    ret->tables = (int64_t)loading->reading->tables.count;
    return store_end(call, mine, load_all(call, loading, ret));
}

/* ---- trying */

static int try_keys(struct call *call, int64_t *ret_count)
{
    struct str after = STR_EMPTY;
    struct call piece;
    call_init_piece(&piece, call, PIECE_BYTES);
    for (;;) {
        struct key_rows rows;
        struct str ignored;
        piece.deadline_ms = clock_monotonic_ms() + PIECE_MS;
        int error = store_keys_older(&piece, 0, after, LOAD_ROWS, &rows); /* no key has the number 0: all */
        for (size_t i = 0; !error && i < rows.count; i++)
            error = keyring_rewrap(&piece, &rows.items[i], &ignored);
        if (error)
            return copy_error(call, &piece, error);
        if (rows.count == 0)
            return OK;
        *ret_count += (int64_t)rows.count;
        after = str_copy(call->arena, rows.items[rows.count - 1].id);
        arena_reset(piece.arena);
    }
}

static int try_secrets(struct call *call, int64_t *ret_count)
{
    struct call piece;
    int64_t after = 0;
    call_init_piece(&piece, call, PIECE_BYTES);
    for (;;) {
        struct connection_secrets rows;
        piece.deadline_ms = clock_monotonic_ms() + PIECE_MS;
        int error = store_connections_sealed(&piece, after, LOAD_ROWS, &rows);
        for (size_t i = 0; !error && i < rows.count; i++) {
            const struct connection_sealed *row = &rows.items[i];
            const struct sealed sealed = {row->secret_json, row->wrapped_key, row->user_id, row->id};
            struct str plain;
            after = row->id;
            if (seal_is_earlier(row->secret_json))
                continue;
            error = seal_open(&piece, &sealed, &plain);
            if (error == E_CRYPTO)
                error = fail(&piece, E_CRYPTO, "The password of connection %lld does not open.", (long long)row->id);
            *ret_count += !error;
        }
        if (error)
            return copy_error(call, &piece, error);
        if (rows.count == 0)
            return OK;
        arena_reset(piece.arena);
    }
}

int backup_try(struct call *call, struct backup_trial *ret)
{
    *ret = (struct backup_trial){0};
    int error = try_keys(call, &ret->keys);
    return error ? error : try_secrets(call, &ret->secrets);
}
