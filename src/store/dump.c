/* All tables of ours as text. */
#include "store/dump.h"

#include "base/buf.h"

const char *const dump_kind_names[DUMP_KINDS] = {
    [DUMP_TEXT] = "text", [DUMP_INTEGER] = "integer", [DUMP_BOOL] = "bool", [DUMP_TIME] = "time", [DUMP_JSON] = "json"};

#define LEFT_OUT "('mcp_key_holders', 'mcp_leases')"

enum { PIECE_BYTES = 128 * 1024 * 1024, PIECE_MS = 60 * 1000, SQL_BYTES_MAX = 64 * 1024 };

static bool is_postgres(void)
{
    return db_kind(store_db()) == DB_POSTGRES;
}

/* ---- what there is */

static const char postgres_columns[] =
    "SELECT table_name, column_name, data_type, CASE WHEN is_nullable = 'YES' OR column_default IS NOT NULL THEN 1 "
    "ELSE 0 END "
    "FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'mcp\\_%' "
    "AND table_name NOT IN " LEFT_OUT " ORDER BY table_name, ordinal_position";
static const char sqlite_columns[] =
    "SELECT m.name, c.name, c.type, CASE WHEN c.\"notnull\" = 0 OR c.dflt_value IS NOT NULL OR c.pk > 0 THEN 1 ELSE 0 "
    "END "
    "FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name LIKE 'mcp\\_%' ESCAPE '\\' "
    "AND m.name NOT IN " LEFT_OUT " ORDER BY m.name, c.cid";
/* Who refers to whom. */
static const char postgres_references[] =
    "SELECT c.relname, p.relname FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
    "JOIN pg_catalog.pg_class p ON p.oid = k.confrelid WHERE k.contype = 'f' AND c.oid <> p.oid";
static const char sqlite_references[] =
    "SELECT m.name, f.\"table\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f "
    "WHERE m.type = 'table' AND m.name <> f.\"table\"";

static enum dump_kind kind_of(struct str type)
{
    static const struct {
        const char *prefix;
        enum dump_kind kind;
    } kinds[] = {{"integer", DUMP_INTEGER}, {"bigint", DUMP_INTEGER}, {"smallint", DUMP_INTEGER},
                 {"boolean", DUMP_BOOL},    {"timestamp", DUMP_TIME}, {"json", DUMP_JSON}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (str_starts_with_nocase(type, str_from(kinds[i].prefix)))
            return kinds[i].kind;
    return DUMP_TEXT;
}

static int read_columns(struct call *call, struct dump_tables *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, is_postgres() ? postgres_columns : sqlite_columns);
    if (error)
        return error;
    *ret = (struct dump_tables){0, arena_array_of(call->arena, struct dump_table, DUMP_TABLES_MAX)};
    for (size_t i = 0; i < rows.n_rows; i++) {
        struct str name = db_text(&rows, i, 0);
        struct dump_table *table = ret->count ? &ret->items[ret->count - 1] : NULL;
        if (!table || !str_eq(table->name, name)) {
            if (ret->count == DUMP_TABLES_MAX)
                return fail(call, E_INTERNAL, "There are more than %d tables.", DUMP_TABLES_MAX);
            table = &ret->items[ret->count++];
            *table = (struct dump_table){name, 0, arena_array_of(call->arena, struct dump_column, DUMP_COLUMNS_MAX), 0};
        }
        if (table->n_columns == DUMP_COLUMNS_MAX)
            return fail(call, E_INTERNAL, "A table has more than %d columns.", DUMP_COLUMNS_MAX);
        table->columns[table->n_columns++] =
            (struct dump_column){db_text(&rows, i, 1), kind_of(db_text(&rows, i, 2)), db_bool(&rows, i, 3)};
    }
    return OK;
}

static bool is_before(const struct dump_tables *sorted, struct str name)
{
    for (size_t i = 0; i < sorted->count; i++)
        if (str_eq(sorted->items[i].name, name))
            return true;
    return false;
}

static bool waits(const struct db_rows *references, const struct dump_tables *sorted, struct str name)
{
    for (size_t i = 0; i < references->n_rows; i++)
        if (str_eq(db_text(references, i, 0), name) && !is_before(sorted, db_text(references, i, 1)))
            return true;
    return false;
}

/* Round by round those that refer to nothing but what stands there already. */
static int sort_tables(struct call *call, struct dump_tables *tables)
{
    struct db_rows references;
    int error = db_query(call, store_db(), &references, is_postgres() ? postgres_references : sqlite_references);
    if (error)
        return error;
    struct dump_tables sorted = {0, arena_array_of(call->arena, struct dump_table, tables->count)};
    for (bool grew = true; grew && sorted.count < tables->count;) {
        grew = false;
        for (size_t i = 0; i < tables->count; i++) {
            const struct dump_table *table = &tables->items[i];
            if (is_before(&sorted, table->name) || waits(&references, &sorted, table->name))
                continue;
            sorted.items[sorted.count++] = *table;
            grew = true;
        }
    }
    if (sorted.count < tables->count)
        return fail(call, E_INTERNAL, "Tables refer to each other in a circle.");
    *tables = sorted;
    return OK;
}

static int read_next(struct call *call, struct dump_table *table)
{
    struct db_rows rows;
    int error;
    if (is_postgres()) {
        error = db_query(call, store_db(), &rows,
                         "SELECT pg_get_serial_sequence($1, column_name) FROM information_schema.columns "
                         "WHERE table_schema = 'public' AND table_name = $1 AND column_default LIKE 'nextval(%'",
                         DB_TEXT(table->name));
        if (error || rows.n_rows == 0 || db_is_null(&rows, 0, 0))
            return error;
        error = db_query(call, store_db(), &rows,
                         call_format(call, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM %.*s",
                                     STR_ARG(db_text(&rows, 0, 0)))
                             .ptr);
    } else {
        error =
            db_query(call, store_db(), &rows, "SELECT seq FROM sqlite_sequence WHERE name = $1", DB_TEXT(table->name));
    }
    if (!error && rows.n_rows)
        table->next = db_int(&rows, 0, 0);
    return error;
}

int dump_tables(struct call *call, struct dump_tables *ret)
{
    int error = read_columns(call, ret);
    if (!error)
        error = sort_tables(call, ret);
    for (size_t i = 0; !error && i < ret->count; i++)
        error = read_next(call, &ret->items[i]);
    return error;
}

/* ---- reading rows */

static void add_columns(struct buf *sql, const struct dump_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        buf_add_format(sql, "%s\"%.*s\"", i ? ", " : "", STR_ARG(table->columns[i].name));
}

/* So many rows that the largest of them do not fill the memory. */
static int batch_rows(struct call *call, const struct dump_table *table, int64_t *ret)
{
    struct buf sql;
    struct db_rows rows;
    buf_init(&sql, call->arena, SQL_BYTES_MAX);
    buf_add(&sql, STR("SELECT max(0"));
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].kind == DUMP_TEXT || table->columns[i].kind == DUMP_JSON)
            buf_add_format(&sql, " + coalesce(length(CAST(\"%.*s\" AS text)), 0)", STR_ARG(table->columns[i].name));
    buf_add_format(&sql, ") FROM %.*s", STR_ARG(table->name));
    buf_add_char(&sql, '\0');
    int error = db_query(call, store_db(), &rows, sql.ptr);
    int64_t largest = error || rows.n_rows == 0 ? 0 : db_int(&rows, 0, 0);
    int64_t fit = DUMP_BATCH_BYTES / (largest + 256);
    *ret = fit < 1 ? 1 : fit < DUMP_BATCH_ROWS ? fit : DUMP_BATCH_ROWS;
    return error;
}

/* SQLite goes on behind a rowid, PostgreSQL has a cursor. */
static const char *batch_sql(struct call *call, const struct dump_table *table, int64_t count)
{
    struct buf sql;
    if (is_postgres())
        return call_format(call, "FETCH FORWARD %lld FROM dump_rows", (long long)count).ptr;
    buf_init(&sql, call->arena, SQL_BYTES_MAX);
    buf_add(&sql, STR("SELECT "));
    add_columns(&sql, table);
    buf_add_format(&sql, ", rowid FROM %.*s WHERE rowid > $1 ORDER BY rowid LIMIT %lld", STR_ARG(table->name),
                   (long long)count);
    buf_add_char(&sql, '\0');
    return sql.ptr;
}

static int open_cursor(struct call *call, const struct dump_table *table)
{
    struct buf sql;
    buf_init(&sql, call->arena, SQL_BYTES_MAX);
    buf_add(&sql, STR("DECLARE dump_rows NO SCROLL CURSOR FOR SELECT "));
    add_columns(&sql, table);
    buf_add_format(&sql, " FROM %.*s", STR_ARG(table->name));
    for (size_t i = 0; i < table->n_columns; i++)
        if (str_eq(table->columns[i].name, STR("id")))
            buf_add(&sql, STR(" ORDER BY id"));
    buf_add_char(&sql, '\0');
    return db_query(call, store_db(), NULL, sql.ptr);
}

static int give_rows(struct call *call, const struct dump_table *table, const struct db_rows *rows,
                     int (*row)(struct call *call, const struct str *cells, void *context), void *context)
{
    int error = OK;
    for (size_t i = 0; !error && i < rows->n_rows; i++) {
        struct str *cells = rows->cells + i * rows->n_columns;
        for (size_t j = 0; j < table->n_columns; j++)
            if (table->columns[j].kind == DUMP_BOOL && cells[j].ptr)
                cells[j] = db_bool(rows, i, j) ? STR("1") : STR("0");
        error = row(call, cells, context);
    }
    return error;
}

int dump_rows(struct call *call, const struct dump_table *table,
              int (*row)(struct call *call, const struct str *cells, void *context), void *context)
{
    struct call piece;
    struct db_rows rows = {.n_rows = 1};
    int64_t count, behind = INT64_MIN;
    int error = batch_rows(call, table, &count);
    if (!error && is_postgres())
        error = open_cursor(call, table);
    if (error)
        return error;
    call_init_piece(&piece, call, PIECE_BYTES);
    while (!error && rows.n_rows) {
        const char *sql = batch_sql(&piece, table, count);
        const struct db_param after[] = {DB_INT(behind)};
        piece.deadline_ms = clock_monotonic_ms() + PIECE_MS;
        error = db_query_params(&piece, store_db(), &rows, sql, after, is_postgres() ? 0 : 1);
        if (!error)
            error = give_rows(&piece, table, &rows, row, context);
        if (!error && rows.n_rows && !is_postgres())
            behind = db_int(&rows, rows.n_rows - 1, table->n_columns);
        if (error) {
            fail(call, (enum error)error, "%.*s", STR_ARG(piece.error_text));
            fail_detail(call, "%.*s", STR_ARG(piece.error_detail));
        }
        arena_reset(piece.arena);
    }
    return error || !is_postgres() ? error : db_query(call, store_db(), NULL, "CLOSE dump_rows");
}

/* ---- writing rows */

int dump_defer_references(struct call *call)
{
    return is_postgres() ? OK : db_query(call, store_db(), NULL, "PRAGMA defer_foreign_keys = ON");
}

static enum dump_kind target_kind(const struct dump_table *target, struct str column)
{
    for (size_t i = 0; i < target->n_columns; i++)
        if (str_eq(target->columns[i].name, column))
            return target->columns[i].kind;
    return DUMP_TEXT;
}

static struct db_param param_of(enum dump_kind from, enum dump_kind to, struct str cell)
{
    int64_t number;
    if (!cell.ptr)
        return DB_NULL;
    if (to == DUMP_BOOL)
        return DB_BOOL(str_eq(cell, STR("1")));
    if (to == DUMP_INTEGER && str_to_i64(cell, &number))
        return DB_INT(number);
    /* SQLite compares times as texts: all have the same length there. */
    if (from == DUMP_TIME && to == DUMP_TEXT && clock_parse(cell, &number))
        return DB_TIME(number);
    return DB_TEXT(cell);
}

static int insert_some(struct call *call, const struct dump_table *source, const struct dump_table *target,
                       const struct str *cells, size_t n_rows)
{
    struct db_param params[DB_PARAMS_MAX];
    struct buf sql;
    buf_init(&sql, call->arena, SQL_BYTES_MAX);
    buf_add_format(&sql, "INSERT INTO %.*s (", STR_ARG(target->name));
    add_columns(&sql, source);
    buf_add(&sql, STR(") VALUES "));
    for (size_t i = 0; i < n_rows * source->n_columns; i++) {
        size_t column = i % source->n_columns;
        params[i] = param_of(source->columns[column].kind, target_kind(target, source->columns[column].name), cells[i]);
        buf_add_format(&sql, "%s$%zu", column ? ", " : i ? "), (" : "(", i + 1);
    }
    buf_add(&sql, STR(")"));
    buf_add_char(&sql, '\0');
    return db_query_params(call, store_db(), NULL, sql.ptr, params, n_rows * source->n_columns);
}

int dump_insert(struct call *call, const struct dump_table *source, const struct dump_table *target,
                const struct str *cells, size_t n_rows)
{
    size_t at_once = DB_PARAMS_MAX / source->n_columns;
    for (size_t done = 0; done < n_rows; done += at_once) {
        size_t some = n_rows - done < at_once ? n_rows - done : at_once;
        int error = insert_some(call, source, target, cells + done * source->n_columns, some);
        if (error)
            return error;
    }
    return OK;
}

int dump_set_next(struct call *call, const struct dump_table *table)
{
    if (table->next <= 0)
        return OK;
    if (is_postgres())
        return db_query(call, store_db(), NULL, "SELECT setval(CAST(pg_get_serial_sequence($1, 'id') AS regclass), $2)",
                        DB_TEXT(table->name), DB_INT(table->next));
    int error = db_query(call, store_db(), NULL, "DELETE FROM sqlite_sequence WHERE name = $1", DB_TEXT(table->name));
    if (error)
        return error;
    return db_query(call, store_db(), NULL, "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)",
                    DB_TEXT(table->name), DB_INT(table->next));
}

int dump_count(struct call *call, struct str table, int64_t *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, call_format(call, "SELECT count(*) FROM %.*s", STR_ARG(table)).ptr);
    if (!error)
        *ret = db_int(&rows, 0, 0);
    return error;
}
