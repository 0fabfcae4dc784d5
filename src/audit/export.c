/* The audit log as text. */
#include "audit/export.h"

#include "json/json_scan.h"

enum { ROWS_AT_ONCE = 500, PIECE_BYTES = 64 * 1024 * 1024, PIECE_MS = 60 * 1000, TEXT_BYTES_MAX = 48 * 1024 * 1024 };

static bool wanted(const struct export_query *query, const struct audit_row *row, const struct audit_shown *shown)
{
    return (!query->user_id || shown->user_id == query->user_id) &&
           (!query->connection_id || shown->connection_id == query->connection_id) &&
           (!query->since_ms || shown->at_ms >= query->since_ms) &&
           (!query->until_ms || shown->at_ms < query->until_ms) && str_starts_with(row->action, query->action_prefix);
}

static struct str iso_time(struct arena *arena, int64_t at_ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(at_ms, text); /* "2026-11-22 16:00:00.000" */
    text[10] = 'T';
    return str_format(arena, "%sZ", text);
}

static void json_id(struct json_writer *w, const char *name, int64_t id)
{
    if (id)
        json_member_i64(w, name, id);
    else
        json_member_null(w, name);
}

static void add_jsonl(struct call *call, struct buf *out, const struct audit_row *row, const struct audit_shown *shown)
{
    struct json_writer w;
    json_write_init(&w, out);
    json_object(&w);
    json_member_i64(&w, "id", shown->id);
    json_member_str(&w, "at", iso_time(call->arena, shown->at_ms));
    json_member_str(&w, "action", shown->action);
    json_id(&w, "user_id", shown->user_id);
    json_id(&w, "connection_id", shown->connection_id);
    json_id(&w, "token_id", shown->token_id);
    json_key(&w, STR("data"));
    if (row->data_json.len)
        json_raw_value(&w, row->data_json);
    else
        json_null_value(&w);
    json_end(&w);
    buf_add_char(out, '\n');
}

/* A spreadsheet takes =, +, - and @ for the beginning of a formula. */
static void add_cell(struct buf *out, struct str text, bool is_last)
{
    static const struct str formula = STR_INIT("=+-@\t\r");
    buf_add_char(out, '"');
    if (text.len && str_find_char(formula, text.ptr[0]) != STR_NOT_FOUND)
        buf_add_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, text.ptr[i]);
    }
    buf_add(out, is_last ? STR("\"\r\n") : STR("\","));
}

static void add_number(struct buf *out, int64_t number)
{
    if (number)
        buf_add_i64(out, number);
    buf_add_char(out, ',');
}

static struct str member(struct call *call, struct str data, const char *name)
{
    struct str raw, text;
    return json_scan_member(data, str_from(name), &raw) && json_scan_str(call->arena, raw, &text) ? text : STR_EMPTY;
}

static void add_csv(struct call *call, struct buf *out, const struct audit_shown *shown)
{
    add_number(out, shown->id);
    buf_add(out, iso_time(call->arena, shown->at_ms));
    buf_add_char(out, ',');
    add_cell(out, shown->action, false);
    add_number(out, shown->user_id);
    add_number(out, shown->connection_id);
    add_number(out, shown->token_id);
    add_cell(out, member(call, shown->data_json, "outcome"), false);
    add_cell(out, member(call, shown->data_json, "client"), false);
    add_cell(out, shown->data_json, true);
}

static int export_batch(struct call *call, const struct export_query *query, int64_t *last_id, struct buf *out,
                        int64_t *ret_events, bool *ret_ended)
{
    struct audit_rows rows;
    int error = store_audit_after(call, *last_id, ROWS_AT_ONCE, &rows);
    *ret_ended = !error && rows.count == 0;
    for (size_t i = 0; !error && i < rows.count; i++) {
        const struct audit_row *row = &rows.items[i];
        struct audit_shown shown = audit_show(call, row);
        *last_id = row->id;
        if (!wanted(query, row, &shown))
            continue;
        ++*ret_events;
        if (query->format == EXPORT_CSV)
            add_csv(call, out, &shown);
        else
            add_jsonl(call, out, row, &shown);
    }
    if (!error && buf_failed(out))
        error = fail(call, E_LIMIT, "These events are too large to be exported together.");
    return error;
}

int audit_export(struct call *call, const struct export_query *query,
                 int (*write)(struct call *call, struct str text, void *context), void *context, int64_t *ret_events)
{
    struct call piece;
    int64_t last_id = INT64_MIN;
    bool ended = false;
    int error = OK;
    call_init_piece(&piece, call, PIECE_BYTES);
    *ret_events = 0;
    if (query->format == EXPORT_CSV)
        error = write(call, STR("id,at,action,user_id,connection_id,token_id,outcome,client,data\r\n"), context);
    while (!error && !ended) {
        struct buf out;
        piece.deadline_ms = clock_monotonic_ms() + PIECE_MS;
        buf_init(&out, piece.arena, TEXT_BYTES_MAX);
        error = export_batch(&piece, query, &last_id, &out, ret_events, &ended);
        if (!error && out.len)
            error = write(&piece, buf_str(&out), context);
        if (error) {
            fail(call, (enum error)error, "%.*s", STR_ARG(piece.error_text));
            fail_detail(call, "%.*s", STR_ARG(piece.error_detail));
        }
        arena_reset(piece.arena);
    }
    return error;
}
