/* Brings a database to this program's schema. */
#include "store/migrate.h"

#include "base/buf.h"
#include "store/migrations.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum {
    GIVEN_POSTGRES = 2, /* migrations of the earlier system: 0000 and 0001 */
    GIVEN_SQLITE = 1,   /* no earlier system; what is there was made by drizzle-kit from our own first file */
    DIFFERENCES_SHOWN = 6,
    FOLDER_BYTES = 128,
};

/* Any number, the same in every version of this program. */
#define LOCK_KEY INT64_C(0x706f72746569726f)

static const struct str breakpoint = STR_INIT("--> statement-breakpoint");

static const char *const given_tables[] = {
    "mcp_users", "mcp_service_providers", "mcp_service_connections", "mcp_tokens", "mcp_audit_logs",
};

/* The earlier system's other way to make its tables left the foreign keys with PostgreSQL's own names. */
static const struct {
    const char *table, *from, *to;
} foreign_keys[] = {
    {"mcp_audit_logs", "mcp_audit_logs_user_id_fkey", "mcp_audit_logs_user_id_mcp_users_id_fk"},
    {"mcp_audit_logs", "mcp_audit_logs_connection_id_fkey",
     "mcp_audit_logs_connection_id_mcp_service_connections_id_fk"},
    {"mcp_service_connections", "mcp_service_connections_user_id_fkey",
     "mcp_service_connections_user_id_mcp_users_id_fk"},
    {"mcp_service_connections", "mcp_service_connections_provider_id_fkey",
     "mcp_service_connections_provider_id_mcp_service_providers_id_fk"},
    {"mcp_tokens", "mcp_tokens_connection_id_fkey", "mcp_tokens_connection_id_mcp_service_connections_id_fk"},
};

/* What the two engines call the same thing. */
static const struct dialect {
    const struct migration_set *set;
    size_t n_given;
    const char *table;           /* of the history */
    const char *find_table;      /* a row when the history's table is there */
    const char *find_name;       /* a row when Drizzle 1.0 has added its columns */
    const char *create_table;    /* as Drizzle writes it */
    const char *find_our_tables; /* names */
} dialects[] = {
    [DB_POSTGRES] =
        {
            .set = &migrations_postgres,
            .n_given = GIVEN_POSTGRES,
            .table = "drizzle.__drizzle_migrations",
            .find_table =
                "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = 'drizzle' AND c.relname = '__drizzle_migrations'",
            .find_name = "SELECT 1 FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
                         "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'drizzle' "
                         "AND c.relname = '__drizzle_migrations' AND a.attname = 'name' AND NOT a.attisdropped",
            .create_table = "CREATE TABLE drizzle.__drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, "
                            "created_at bigint)",
            .find_our_tables = "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                               "ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname LIKE 'mcp\\_%' "
                               "AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.relname",
        },
    [DB_SQLITE] =
        {
            .set = &migrations_sqlite,
            .n_given = GIVEN_SQLITE,
            .table = "__drizzle_migrations",
            .find_table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '__drizzle_migrations'",
            .find_name = "SELECT 1 FROM pragma_table_info('__drizzle_migrations') WHERE name = 'name'",
            .create_table = "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, "
                            "created_at numeric)",
            .find_our_tables = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
                               "AND name LIKE 'mcp\\_%' ESCAPE '\\' ORDER BY name",
        },
};

/* What is found in the database, and what follows from it. */
struct plan {
    const struct dialect *dialect;
    enum migrate_state state;
    struct str problem;
    bool has_table;      /* of the history */
    bool has_name;       /* Drizzle 1.0's columns */
    bool has_null_times; /* rows whose time must be repaired */
    bool *recorded;      /* by entry: a row of the history names it */
    size_t n_done;       /* entries that are in the database, recorded or not: the first n_done */
};

const char *migrate_state_name(enum migrate_state state)
{
    static const char *const names[] = {"current", "empty", "behind", "adopt", "refused"};
    return names[state];
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* An entry by its time to the second, or NULL: Drizzle 1.0 records no milliseconds. */
static const struct migration *entry_at(const struct migration_set *set, int64_t when_ms)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->entries[i].when_ms / 1000 == when_ms / 1000)
            return &set->entries[i];
    return NULL;
}

static const struct migration *entry_with_hash(const struct migration_set *set, struct str hash)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_eq(str_from(set->entries[i].hash), hash))
            return &set->entries[i];
    return NULL;
}

static void refuse(struct call *call, struct plan *plan, const char *format, ...) PRINTF_LIKE(3, 4);

static void refuse(struct call *call, struct plan *plan, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    plan->state = MIGRATE_REFUSED;
    plan->problem = str_format_list(call->arena, format, list);
    va_end(list);
}

static bool is_refused(const struct plan *plan)
{
    return plan->state == MIGRATE_REFUSED;
}

/* One row of the history: hash, created_at. */
static void read_history_row(struct call *call, struct plan *plan, const struct db_rows *rows, size_t row)
{
    const struct migration_set *set = plan->dialect->set;
    const struct migration *newest = &set->entries[set->count - 1];
    bool is_null = db_is_null(rows, row, 1);
    int64_t when_ms = db_int(rows, row, 1);
    const struct migration *entry = is_null ? entry_with_hash(set, db_text(rows, row, 0)) : entry_at(set, when_ms);
    if (entry) {
        plan->recorded[entry - set->entries] = true;
        plan->has_null_times = plan->has_null_times || is_null;
        return;
    }
    if (is_null)
        refuse(call, plan,
               "The migration history has a row without a time and with an unknown hash (%.*s...). Remove it, or "
               "restore the history from a backup.",
               STR_ARG(str_sub(db_text(rows, row, 0), 0, 16)));
    else if (when_ms > newest->when_ms)
        refuse(call, plan,
               "This database was migrated by a newer version: its history ends at %lld, this program knows "
               "migrations up to %s (%lld). Install the newer version.",
               (long long)when_ms, newest->tag, (long long)newest->when_ms);
    else
        refuse(call, plan,
               "The migration history has an entry this program does not know (created_at %lld). The database "
               "belongs to another program, or was changed by one.",
               (long long)when_ms);
}

static int read_history(struct call *call, struct db *db, struct plan *plan)
{
    struct db_rows rows;
    int error = db_query(call, db, &rows, plan->dialect->find_table);
    if (error || rows.n_rows == 0)
        return error;
    plan->has_table = true;
    error = db_query(call, db, &rows, plan->dialect->find_name);
    if (error)
        return error;
    plan->has_name = rows.n_rows > 0;
    const char *sql = call_format(call, "SELECT hash, created_at FROM %s", plan->dialect->table).ptr;
    error = db_query(call, db, &rows, sql);
    for (size_t row = 0; !error && row < rows.n_rows && !is_refused(plan); row++)
        read_history_row(call, plan, &rows, row);
    return error;
}

static bool has_row(const struct db_rows *rows, const char *name)
{
    for (size_t row = 0; row < rows->n_rows; row++)
        if (str_eq(db_text(rows, row, 0), str_from(name)))
            return true;
    return false;
}

/* The history decides; without one, the tables do. */
static void decide(struct call *call, struct plan *plan, const struct db_rows *tables)
{
    const struct migration_set *set = plan->dialect->set;
    size_t n_given = 0;
    const char *missing = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(given_tables); i++) {
        if (has_row(tables, given_tables[i]))
            n_given++;
        else
            missing = given_tables[i];
    }
    /* As Drizzle does: all that is older than the newest row counts as done. */
    for (size_t i = 0; i < set->count; i++)
        if (plan->recorded[i])
            plan->n_done = i + 1;
    if (plan->n_done && missing)
        refuse(call, plan,
               "The migration history says that the tables were made, but table %s is missing. Restore the "
               "database from a backup.",
               missing);
    else if (plan->n_done)
        plan->state = plan->n_done == set->count && !plan->has_null_times ? MIGRATE_CURRENT : MIGRATE_BEHIND;
    else if (tables->n_rows == 0)
        plan->state = MIGRATE_EMPTY;
    else if (n_given == 0 || missing)
        refuse(call, plan,
               "The database has table %.*s but not %s: it is neither empty nor one this program knows. Use an "
               "empty database.",
               STR_ARG(db_text(tables, 0, 0)), missing);
    else
        plan->state = MIGRATE_ADOPT;
}

static int make_plan(struct call *call, struct db *db, struct plan *plan)
{
    struct db_rows tables;
    *plan = (struct plan){.dialect = &dialects[db_kind(db)]};
    plan->recorded = arena_array_of(call->arena, bool, plan->dialect->set->count);
    int error = read_history(call, db, plan);
    if (error || is_refused(plan))
        return error;
    error = db_query(call, db, &tables, plan->dialect->find_our_tables);
    if (!error)
        decide(call, plan, &tables);
    return error;
}

int migrate_status(struct call *call, struct db *db, struct migrate_status *ret)
{
    struct plan plan;
    int error = make_plan(call, db, &plan);
    if (error)
        return error;
    const struct migration_set *set = plan.dialect->set;
    *ret = (struct migrate_status){.state = plan.state, .problem = plan.problem, .n_entries = set->count};
    ret->entries = arena_array_of(call->arena, struct migrate_entry, set->count);
    for (size_t i = 0; i < set->count; i++) {
        const struct migration *entry = &set->entries[i];
        ret->entries[i] = (struct migrate_entry){entry->tag, entry->when_ms, i < plan.n_done};
        ret->n_pending += i >= plan.n_done;
    }
    return OK;
}

/* ---- comparing the given tables --------------------------------------------------------------------------------------- */

/* One line for each table, column, index, constraint, trigger and policy of the given tables. */
static const char structure_query[] =
    "WITH t AS (SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relhasrules FROM pg_catalog.pg_class c "
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname IN "
    "  ('mcp_users', 'mcp_service_providers', 'mcp_service_connections', 'mcp_tokens', 'mcp_audit_logs')), "
    "l AS (SELECT relname || ' table ' || CAST(relkind AS text) || CASE WHEN relrowsecurity THEN ' row security' ELSE "
    "'' END || "
    "    CASE WHEN relhasrules THEN ' rules' ELSE '' END AS line FROM t "
    "  UNION ALL SELECT t.relname || ' column ' || row_number() OVER (PARTITION BY t.oid ORDER BY a.attnum) || ' ' || "
    "    a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod) || "
    "    CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || "
    "    coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') || "
    "    CASE WHEN a.attidentity <> '' OR a.attgenerated <> '' THEN ' GENERATED' ELSE '' END "
    "    FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
    "  UNION ALL SELECT t.relname || ' index ' || pg_catalog.pg_get_indexdef(i.indexrelid) || "
    "    CASE WHEN i.indisvalid THEN '' ELSE ' NOT VALID' END FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid "
    "  UNION ALL SELECT t.relname || ' constraint ' || k.conname || ' ' || pg_catalog.pg_get_constraintdef(k.oid) "
    "    FROM t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype <> 'n' AND k.contype <> 't' "
    "  UNION ALL SELECT t.relname || ' trigger ' || g.tgname FROM t "
    "    JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal "
    "  UNION ALL SELECT t.relname || ' policy ' || p.polname FROM t JOIN pg_catalog.pg_policy p ON p.polrelid = t.oid) "
    "SELECT line FROM l ORDER BY line COLLATE \"C\"";

/* Lists what one side has and the other has not; both are sorted sets of lines, so order does not matter here. */
static void list_missing(struct buf *out, size_t *n_shown, const char *label, struct str line)
{
    if (++*n_shown <= DIFFERENCES_SHOWN)
        buf_add_format(out, "%s%s: %.*s", *n_shown > 1 ? "; " : "", label, STR_ARG(line));
}

static bool has_line(struct str lines, struct str wanted)
{
    struct str line;
    while (str_next(&lines, '\n', &line))
        if (str_eq(line, wanted))
            return true;
    return false;
}

static int refuse_differences(struct call *call, struct buf *differences, size_t count)
{
    if (count > DIFFERENCES_SHOWN)
        buf_add_format(differences, "; and %zu more", count - DIFFERENCES_SHOWN);
    return fail(call, E_CONFLICT,
                "The tables in this database are not the ones this program knows, so they were left alone. %.*s.",
                STR_ARG(buf_str(differences)));
}

static int compare_postgres(struct call *call, struct db *db)
{
    struct db_rows rows;
    struct buf differences;
    struct str expected = migrations_given, line;
    size_t count = 0;
    int error = db_query(call, db, &rows, structure_query);
    if (error)
        return error;
    buf_init(&differences, call->arena, 16 * 1024);
    while (str_next(&expected, '\n', &line))
        if (line.len && !has_row(&rows, str_copy_cstr(call->arena, line)))
            list_missing(&differences, &count, "expected", line);
    for (size_t row = 0; row < rows.n_rows; row++)
        if (!has_line(migrations_given, db_text(&rows, row, 0)))
            list_missing(&differences, &count, "found", db_text(&rows, row, 0));
    return count ? refuse_differences(call, &differences, count) : OK;
}

/* Takes the next statement off *rest. */
static bool next_piece(struct str *rest, struct str *ret_piece)
{
    if (!rest->ptr)
        return false;
    size_t at = str_find(*rest, breakpoint);
    *ret_piece = str_sub(*rest, 0, at);
    *rest = at == STR_NOT_FOUND ? (struct str){NULL, 0} : str_from_offset(*rest, at + breakpoint.len);
    return true;
}

/* As sqlite_schema keeps a statement. */
static struct str without_end(struct str piece)
{
    piece = str_trim(piece);
    return str_ends_with(piece, STR(";")) ? str_sub(piece, 0, piece.len - 1) : piece;
}

/* SQLite keeps the text of every CREATE, so the texts are compared. */
static int compare_sqlite(struct call *call, struct db *db)
{
    struct db_rows rows;
    struct buf differences;
    struct str rest = migrations_sqlite.entries[0].text, piece;
    size_t count = 0, n_found = 0;
    int error = db_query(call, db, &rows,
                         "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name LIKE 'mcp\\_%' "
                         "ESCAPE '\\'");
    if (error)
        return error;
    buf_init(&differences, call->arena, 16 * 1024);
    while (next_piece(&rest, &piece)) {
        struct str text = without_end(piece);
        if (has_row(&rows, str_copy_cstr(call->arena, text)))
            n_found++;
        else
            list_missing(&differences, &count, "expected", str_sub(text, 0, str_find_char(text, '(')));
    }
    if (n_found < rows.n_rows)
        list_missing(&differences, &count, "found", STR("tables or indexes beyond those"));
    return count ? refuse_differences(call, &differences, count) : OK;
}

static int rename_foreign_keys(struct call *call, struct db *db)
{
    for (size_t i = 0; i < ARRAY_LENGTH(foreign_keys); i++) {
        struct db_rows rows;
        int error =
            db_query(call, db, &rows,
                     "SELECT 1 FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
                     "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' "
                     "AND c.relname = $1 AND k.conname = $2 AND k.contype = 'f'",
                     DB_TEXT(str_from(foreign_keys[i].table)), DB_TEXT(str_from(foreign_keys[i].from)));
        if (!error && rows.n_rows)
            error = db_script(call, db,
                              call_format(call, "ALTER TABLE \"%s\" RENAME CONSTRAINT \"%s\" TO \"%s\"",
                                          foreign_keys[i].table, foreign_keys[i].from, foreign_keys[i].to));
        if (error)
            return error;
    }
    return OK;
}

static int verify_given(struct call *call, struct db *db)
{
    if (db_kind(db) == DB_SQLITE)
        return compare_sqlite(call, db);
    int error = rename_foreign_keys(call, db);
    return error ? error : compare_postgres(call, db);
}

/* ---- applying --------------------------------------------------------------------------------------------------------- */

static int create_history(struct call *call, struct db *db, struct plan *plan)
{
    struct db_rows rows;
    if (plan->has_table)
        return OK;
    int error = OK;
    if (db_kind(db) == DB_POSTGRES) {
        /* Not simply IF NOT EXISTS: that asks for the right to create schemas although there is one. */
        error = db_query(call, db, &rows, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'drizzle'");
        if (!error && rows.n_rows == 0)
            error = db_query(call, db, NULL, "CREATE SCHEMA drizzle");
    }
    return error ? error : db_query(call, db, NULL, plan->dialect->create_table);
}

/* Drizzle 1.0's name of a migration: its time to the second, and its tag without the number. */
static void folder_name(const struct migration *entry, char out[FOLDER_BYTES])
{
    char stamp[16];
    struct tm parts;
    time_t seconds = (time_t)(entry->when_ms / 1000);
    const char *name = strchr(entry->tag, '_');
    gmtime_r(&seconds, &parts);
    strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &parts);
    snprintf(out, FOLDER_BYTES, "%s%s", stamp, name ? name : "");
}

static int record(struct call *call, struct db *db, const struct plan *plan, const struct migration *entry)
{
    char folder[FOLDER_BYTES];
    struct db_param hash = DB_TEXT(str_from(entry->hash)), when = DB_INT(entry->when_ms);
    if (!plan->has_name)
        return db_query(
            call, db, NULL,
            call_format(call, "INSERT INTO %s (hash, created_at) VALUES ($1, $2)", plan->dialect->table).ptr, hash,
            when);
    folder_name(entry, folder);
    /* Text on SQLite, timestamptz on PostgreSQL: in this form both mean the same. */
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_now_ms(), now);
    struct str applied_at = call_format(call, "%.10sT%sZ", now, now + 11);
    return db_query(call, db, NULL,
                    call_format(call, "INSERT INTO %s (hash, created_at, name, applied_at) VALUES ($1, $2, $3, $4)",
                                plan->dialect->table)
                        .ptr,
                    hash, when, DB_TEXT(str_from(folder)), DB_TEXT(applied_at));
}

/* A row without a time makes Drizzle run everything again. */
static int repair_times(struct call *call, struct db *db, const struct plan *plan)
{
    int error = OK;
    const char *sql =
        call_format(call, "UPDATE %s SET created_at = $1 WHERE created_at IS NULL AND hash = $2", plan->dialect->table)
            .ptr;
    for (size_t i = 0; plan->has_null_times && !error && i < plan->dialect->set->count; i++)
        error = db_query(call, db, NULL, sql, DB_INT(plan->dialect->set->entries[i].when_ms),
                         DB_TEXT(str_from(plan->dialect->set->entries[i].hash)));
    return error;
}

static int run_migration(struct call *call, struct db *db, const struct plan *plan, const struct migration *entry)
{
    struct str rest = entry->text, piece;
    int error = OK;
    while (!error && next_piece(&rest, &piece))
        error = db_script(call, db, piece);
    if (!error)
        error = record(call, db, plan, entry);
    if (!error)
        return OK;
    if (error == E_UNAVAILABLE || error == E_TIMEOUT)
        return error;
    struct str detail = call->error_detail;
    return fail(call, E_CONFLICT, "Migration %s cannot be applied: %.*s. Nothing was changed.", entry->tag,
                STR_ARG(detail));
}

/* Inside the lock's transaction; any failure is rolled back by the caller. */
static int apply_plan(struct call *call, struct db *db, struct plan *plan, struct migrate_result *result)
{
    const struct migration_set *set = plan->dialect->set;
    size_t n_given = plan->dialect->n_given;
    result->was_empty = plan->state == MIGRATE_EMPTY;
    int error = create_history(call, db, plan);
    if (!error)
        error = repair_times(call, db, plan);
    if (!error && plan->state == MIGRATE_ADOPT) {
        for (size_t i = 0; i < n_given && !error; i++, result->n_recorded++)
            error = record(call, db, plan, &set->entries[i]);
        plan->n_done = n_given;
    }
    /* Once, before the first of ours: the given tables must be what the later migrations build on. */
    bool is_verified = plan->n_done > n_given || result->was_empty;
    for (size_t i = plan->n_done; i <= set->count && !error; i++) {
        if (i == n_given && !is_verified)
            error = verify_given(call, db);
        if (i < set->count && !error) {
            error = run_migration(call, db, plan, &set->entries[i]);
            result->n_applied++;
        }
    }
    return error;
}

int migrate_lock(struct call *call, struct db *db)
{
    int error = db_begin(call, db); /* SQLite: the write lock is the lock */
    if (error || db_kind(db) == DB_SQLITE)
        return error;
    error = db_query(call, db, NULL, "SELECT pg_catalog.pg_advisory_xact_lock($1)", DB_INT(LOCK_KEY));
    /* The migrations name their tables without a schema. For this transaction only: poolers. */
    if (!error)
        error = db_query(call, db, NULL, "SET LOCAL search_path TO public");
    if (error)
        db_rollback(call, db);
    return error;
}

static int refused(struct call *call, const struct plan *plan)
{
    return fail(call, E_CONFLICT, "%.*s", STR_ARG(plan->problem));
}

static int apply_locked(struct call *call, struct db *db, struct migrate_result *result)
{
    struct plan plan;
    int error = make_plan(call, db, &plan); /* again: another program may have been faster */
    if (error || plan.state == MIGRATE_CURRENT)
        return error;
    if (is_refused(&plan))
        return refused(call, &plan);
    return apply_plan(call, db, &plan, result);
}

/* Rolls back and keeps the error. The person here runs the program: what the database says is theirs to know. */
static int give_up(struct call *call, struct db *db, int error)
{
    struct str text = call->error_text, detail = call->error_detail;
    if (error == E_INTERNAL) {
        text = call_format(call, "The database cannot be migrated: %.*s. Nothing was changed.", STR_ARG(detail));
        error = E_CONFLICT;
    }
    db_rollback(call, db);
    call->error = error;
    call->error_text = text;
    call->error_detail = detail;
    return error;
}

int migrate_apply(struct call *call, struct db *db, struct migrate_result *ret_result)
{
    struct plan plan;
    struct migrate_result result = {0};
    int error = make_plan(call, db, &plan);
    if (error)
        return error;
    if (is_refused(&plan))
        return refused(call, &plan);
    if (plan.state != MIGRATE_CURRENT) {
        error = migrate_lock(call, db);
        if (!error)
            error = apply_locked(call, db, &result);
        if (!error)
            error = db_commit(call, db);
        if (error)
            return give_up(call, db, error);
    }
    if (ret_result)
        *ret_result = result;
    return OK;
}
