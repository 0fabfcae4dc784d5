/* wp_history: what was changed through this connection. */
#include "providers/wordpress/tools.h"
#include "providers/wordpress/bulk.h"
#include "providers/wordpress/structured.h"

enum {
    LIMIT_DEFAULT = 10,
    PARTS_SHOWN = 100,
    RUNNING_MS = 3 * 60 * 1000, /* no write takes longer: what has no outcome by then will have none */
    MINUTES = 16,               /* of "2026-01-31 12:34:56.789" */
};

static const struct json *parse(struct call *call, struct str text)
{
    const struct json *value;
    int error = json_parse(call->arena, text.len ? text : STR("{}"), NULL, &value, NULL);
    return error ? json_at(value, 0) : value;
}

static void write_fields(const struct json *note, struct buf *out)
{
    const struct json *fields = json_get(note, STR("fields"));
    for (size_t i = 0; i < json_count(fields); i++)
        buf_add_format(out, "%s%.*s", i ? ", " : ": ", STR_ARG(json_str(json_at(fields, i))));
}

static struct str outcome_of(const struct site_change *change)
{
    if (change->state == CHANGE_DONE)
        return STR_EMPTY;
    if (change->state == CHANGE_BEGUN && str_eq(change->kind, CHANGE_BULK))
        return STR("not finished");
    if (change->state == CHANGE_BEGUN && clock_now_ms() - change->begun_at_ms < RUNNING_MS)
        return STR("under way");
    return STR("outcome unknown");
}

static void structured_row(struct structured *s, const struct site_change *change, const struct json *note,
                           struct str when)
{
    const struct json *fields = json_get(note, STR("fields"));
    structured_i64(s, "undo", change->number);
    structured_str(s, "when", when);
    if (change->is_forgotten || change->is_sealed_shut) {
        structured_str(s, "state", change->is_forgotten ? STR("forgotten") : STR("cannot be opened"));
        return;
    }
    structured_str(s, "kind", change->kind);
    structured_str(s, "type", change->item_type);
    if (change->item_id)
        structured_i64(s, "id", change->item_id);
    else if (!str_eq(change->kind, CHANGE_BULK))
        structured_str(s, "route", json_str(json_get(note, STR("route"))));
    structured_str(s, "title", json_str(json_get(note, STR("title"))));
    structured_array(s, "fields");
    for (size_t i = 0; i < json_count(fields); i++)
        structured_item(s, json_str(json_at(fields, i)));
    structured_close(s);
    structured_str(s, "token", change->token_name);
    structured_str(s, "state", outcome_of(change));
    if (change->undo_of)
        structured_i64(s, "undo_of", change->undo_of);
    if (change->undone_by)
        structured_i64(s, "undone_by", change->undone_by);
}

/* edit post 34 "Title": content, title */
static void write_what(const struct site_change *change, const struct json *note, struct buf *out)
{
    struct str title = json_str(json_get(note, STR("title")));
    buf_add_format(out, "%.*s", STR_ARG(change->kind));
    if (change->item_type.len)
        buf_add_format(out, " %.*s", STR_ARG(change->item_type));
    if (change->item_id)
        buf_add_format(out, " %lld", (long long)change->item_id);
    else if (!str_eq(change->kind, CHANGE_BULK))
        buf_add_format(out, " %.*s", STR_ARG(json_str(json_get(note, STR("route")))));
    if (title.len)
        buf_add_format(out, " \"%.*s\"", STR_ARG(title));
    if (str_eq(change->kind, CHANGE_EDIT) || str_eq(change->kind, CHANGE_BULK))
        write_fields(note, out);
}

/* 12 <tab> 2026-01-31 12:34 <tab> edit post 34 "Title": content, title <tab> token <tab> outcome unknown, undone by 13 */
static void write_row(struct call *call, const struct site_change *change, struct structured *s, struct buf *out)
{
    char when[CLOCK_TEXT_BYTES];
    const struct json *note = parse(call, change->note_json);
    struct str outcome = outcome_of(change);
    clock_format(change->begun_at_ms, when);
    buf_add_format(out, "%lld\t%.*s\t", (long long)change->number, MINUTES, when);
    if (s) {
        structured_object(s, NULL);
        structured_row(s, change, note, str_sub(str_from(when), 0, MINUTES));
        structured_close(s);
    }
    if (change->is_forgotten || change->is_sealed_shut) {
        buf_add(out, change->is_forgotten ? STR("(forgotten)\n") : STR("(cannot be opened: its row was changed)\n"));
        return;
    }
    write_what(change, note, out);
    buf_add_format(out, "\t%.*s", STR_ARG(change->token_name));
    const char *before = "\t";
    if (outcome.len) {
        buf_add_format(out, "%s%.*s", before, STR_ARG(outcome));
        before = ", ";
    }
    if (change->undo_of) {
        buf_add_format(out, "%staking back %lld", before, (long long)change->undo_of);
        before = ", ";
    }
    if (change->undone_by)
        buf_add_format(out, "%sundone by %lld", before, (long long)change->undone_by);
    buf_add_char(out, '\n');
}

static int show_list(struct call *call, struct host *host, const struct json *arguments, struct structured *s,
                     struct buf *out)
{
    struct change_list list;
    int64_t limit = json_i64_or(json_get(arguments, STR("limit")), LIMIT_DEFAULT);
    struct change_query query = {
        .item_id = json_i64_or(json_get(arguments, STR("id")), 0),
        .limit = limit < 1                    ? 1
                 : limit > CHANGES_LISTED_MAX ? CHANGES_LISTED_MAX
                                              : (size_t)limit,
    };
    int error = host_change_list(call, host, &query, &list);
    if (error)
        return error;
    if (list.count == 0)
        buf_add(out, STR("Nothing is kept here of changes."));
    else
        buf_add(out, STR("undo\twhen (UTC)\twhat\tby token\tstate\n"));
    for (size_t i = 0; i < list.count; i++)
        write_row(call, &list.items[i], s, out);
    structured_close(s);
    structured_bool(s, "has_more", list.has_more);
    if (list.has_more)
        buf_add_format(out, "[there are more: limit=%zu]",
                       query.limit * 5 < CHANGES_LISTED_MAX ? query.limit * 5 : (size_t)CHANGES_LISTED_MAX);
    return OK;
}

/* The parts of a change over many items, newest first. */
static int show_parts(struct call *call, struct host *host, int64_t number, struct structured *s, struct buf *out)
{
    struct change_list list;
    struct change_query query = {.part_of = number, .limit = PARTS_SHOWN};
    int error = host_change_list(call, host, &query, &list);
    for (size_t i = 0; !error && i < list.count; i++)
        write_row(call, &list.items[i], s, out);
    structured_close(s);
    structured_bool(s, "has_more", list.has_more);
    if (!error && list.has_more)
        buf_add(out, STR("[there are more]"));
    return error;
}

static void write_difference(struct call *call, const struct site_change *change, struct buf *out)
{
    if (change->before_lost || change->after_lost)
        buf_add(out, STR("It was too large to be kept.\n"));
    else
        undo_write_difference(call, parse(call, change->before_json), parse(call, change->after_json), out);
}

static void write_whole(struct call *call, const struct site_change *change, struct buf *out)
{
    if (change->before_lost || change->after_lost)
        buf_add(out, STR("It was too large to be kept.\n"));
    else
        undo_write_whole(call, parse(call, change->before_json), parse(call, change->after_json), out);
}

/* A change of many items is taken back behind its request, in the name of a token: there is none here. */
static bool describe(struct call *call, const struct site_change *change, struct buf *what, struct buf *difference)
{
    bool is_bulk = str_eq(change->kind, CHANGE_BULK);
    write_what(change, parse(call, change->note_json), what);
    if (!is_bulk)
        write_whole(call, change, difference);
    return !is_bulk && change->state == CHANGE_DONE && !change->undone_by && !change->before_lost &&
           !change->after_lost;
}

const struct provider_changes wordpress_changes = {
    .describe = describe, .undo_tool = STR_INIT("wp_edit"), .undo_argument = STR_INIT("undo")};

static int show_one(struct call *call, struct host *host, struct str text, struct structured *s, struct buf *out)
{
    struct site_change change = {0};
    int64_t number;
    int error = undo_read_number(call, text, &number);
    if (error || (error = host_change_get(call, host, number, &change)))
        return error;
    write_row(call, &change, s, out);
    if (str_eq(change.kind, CHANGE_BULK))
        return show_parts(call, host, change.number, s, out);
    structured_close(s);
    size_t head = out->len;
    write_difference(call, &change, out);
    structured_str(s, "difference", str_trim(str_from_offset(buf_str(out), head)));
    return OK;
}

int tool_history(struct call *call, const struct tool_context *context, const struct json *arguments,
                 struct tool_result *result)
{
    struct str diff = json_str(json_get(arguments, STR("diff")));
    struct structured *s = structured_begin(call, context);
    structured_array(s, "items");
    int error = diff.len ? show_one(call, context->host, diff, s, &result->text)
                         : show_list(call, context->host, arguments, s, &result->text);
    if (!error)
        structured_end(s, result);
    return error;
}
