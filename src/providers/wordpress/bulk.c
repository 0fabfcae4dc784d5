/* The same change to many items, in the background. */
#include "providers/wordpress/bulk.h"

#include "json/json_write.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"

enum {
    REASON_CHARS = 240, /* of why one item was not changed: room for what is to be done about it */
    REASONS_SHOWN = 50,
    RESULT_TEXT_MAX = 64 * 1024,
    STATE_MAX_BYTES = JOB_STATE_MAX_BYTES,
};

/* --- beginning ------------------------------------------------------------------------------------------------------------ */

int bulk_begin(struct call *call, const struct tool_context *context, const struct bulk_plan *plan,
               struct tool_result *result)
{
    struct site_change change = {
        .kind = CHANGE_BULK,
        .item_type = plan->item_type,
        .undo_of = plan->undo_of,
        .note_json = call_format(
            call, "{\"title\":%.*s,\"fields\":%.*s,\"total\":%lld}", STR_ARG(json_quote(call->arena, plan->title)),
            STR_ARG(plan->fields_json.len ? plan->fields_json : STR("[]")), (long long)plan->total),
        .before_json = call_format(call, "{\"ids\":%.*s}", STR_ARG(plan->ids_json)),
    };
    if (!context->host)
        return fail(call, E_DENIED, "Nothing can be done in the background here.");
    int error = host_change_begin(call, context->host, &change);
    if (error)
        return error;
    struct job_new job = {
        .kind = plan->job,
        .arguments_json = call_format(call, "{\"parent\":%lld,%.*s}", (long long)change.number, STR_ARG(plan->members)),
        .total = plan->total,
        .look_up = STR("Call wp_bulk with job \"{}\"."),
    };
    result->audit_json = STR_EMPTY;
    error = host_start_job(call, context->host, &job, result);
    if (error && !result->audit_json.len) /* it never began; what becomes of it later is no matter of this change */
        host_change_end(call, context->host, &change, CHANGE_FAILED);
    return error;
}

/* --- one item after the other --------------------------------------------------------------------------------------------- */

enum outcome { ITEM_DONE, ITEM_NOT_DONE, ITEM_UNKNOWN };

/* What came of the items so far, as the state between steps has it: {"done":12,"unknown":1,"rest":[["34","why"],...]} */
struct tally {
    int64_t done, unknown;
    const struct json *rest; /* of earlier steps */
    struct str item, why;    /* added by this one; item empty: it was done */
    bool is_unknown;
};

static struct tally read_tally(const struct job_step *step)
{
    return (struct tally){
        .done = json_i64_or(json_get(step->state, STR("done")), 0),
        .unknown = json_i64_or(json_get(step->state, STR("unknown")), 0),
        .rest = json_get(step->state, STR("rest")),
    };
}

/* Never in the middle of a word, and never as if it were whole. */
static struct str shorten(struct call *call, struct str why)
{
    struct str shown = text_cut(why, REASON_CHARS - 3);
    if (text_chars(why) <= REASON_CHARS)
        return why;
    size_t space = str_find_last_char(shown, ' ');
    return str_concat(call->arena, str_sub(shown, 0, space == STR_NOT_FOUND ? shown.len : space), STR("..."));
}

static void count(struct call *call, struct tally *tally, struct str item, enum outcome outcome, struct str why)
{
    tally->done += outcome == ITEM_DONE;
    tally->unknown += outcome == ITEM_UNKNOWN;
    if (outcome == ITEM_DONE)
        return;
    tally->item = item;
    tally->why = shorten(call, outcome == ITEM_UNKNOWN ? call_format(call, "not known: %.*s", STR_ARG(why)) : why);
}

static void write_pair(struct json_writer *w, struct str item, struct str why)
{
    json_array(w);
    json_string(w, item);
    json_string(w, why);
    json_end(w);
}

static int write_state(struct call *call, const struct tally *tally, struct str *ret)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, STATE_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_i64(&w, "done", tally->done);
    json_member_i64(&w, "unknown", tally->unknown);
    json_key(&w, STR("rest"));
    json_array(&w);
    for (size_t i = 0; i < json_count(tally->rest); i++)
        json_value(&w, json_at(tally->rest, i));
    if (tally->item.len)
        write_pair(&w, tally->item, tally->why);
    json_end(&w);
    json_end(&w);
    *ret = buf_str(&text);
    return buf_failed(&text) ? fail(call, E_LIMIT, "There is too much to say of what could not be done.") : OK;
}

static void write_result(const struct tally *tally, const struct job_step *step, const char *what, int64_t number,
                         struct buf *out)
{
    size_t rest = json_count(tally->rest) + (tally->item.len > 0), shown = 0;
    buf_add_format(out, "%lld of %lld %s", (long long)tally->done, (long long)step->total, what);
    if (tally->unknown)
        buf_add_format(out, ", of %lld it is not known", (long long)tally->unknown);
    if (number && tally->done)
        buf_add_format(out, ", undo %lld", (long long)number);
    for (size_t i = 0; i < json_count(tally->rest) && shown < REASONS_SHOWN; i++, shown++)
        buf_add_format(out, "\n%.*s: %.*s", STR_ARG(json_str(json_at(json_at(tally->rest, i), 0))),
                       STR_ARG(json_str(json_at(json_at(tally->rest, i), 1))));
    if (tally->item.len && shown < REASONS_SHOWN) {
        buf_add_format(out, "\n%.*s: %.*s", STR_ARG(tally->item), STR_ARG(tally->why));
        shown++;
    }
    if (rest > shown)
        buf_add_format(out, "\n[and %zu more]", rest - shown);
}

/* The same; all that was not done is in it, as far as it fits. */
static void structured_result(struct call *call, const struct tool_context *context, const struct tally *tally,
                              const struct job_step *step, int64_t number)
{
    struct structured *s = structured_begin(call, context);
    structured_i64(s, "done", tally->done);
    structured_i64(s, "total", step->total);
    if (tally->unknown)
        structured_i64(s, "unknown", tally->unknown);
    if (number && tally->done)
        structured_i64(s, "undo", number);
    structured_array(s, "not_done");
    for (size_t i = 0; i <= json_count(tally->rest); i++) {
        const struct json *pair = json_at(tally->rest, i);
        bool is_last = i == json_count(tally->rest);
        if (is_last && !tally->item.len)
            break;
        structured_object(s, NULL);
        structured_str(s, "item", is_last ? tally->item : json_str(json_at(pair, 0)));
        structured_str(s, "why", is_last ? tally->why : json_str(json_at(pair, 1)));
        structured_close(s);
    }
    structured_close(s);
    structured_end(s, step->result);
}

/* --- what an earlier try of the same step left ------------------------------------------------------------------------------ */

/*
 * The newest part of `parent` that is about this item, or takes this change back; number 0: there is none, nothing was sent.
 * Asked before every item, not only when the job says that it was begun before: twice is what must not be.
 */
static int find_part(struct call *call, const struct tool_context *context, int64_t parent, int64_t item_id,
                     int64_t undo_of, struct site_change *ret)
{
    struct change_list parts;
    struct change_query query = {.part_of = parent, .item_id = item_id, .limit = CHANGES_LISTED_MAX};
    int error = host_change_list(call, context->host, &query, &parts);
    *ret = (struct site_change){0};
    for (size_t i = 0; !error && i < parts.count && !ret->number; i++)
        if ((!undo_of || parts.items[i].undo_of == undo_of) && !str_eq(parts.items[i].kind, CHANGE_CREATE))
            *ret = parts.items[i];
    return error;
}

/* It was cut off between the write and its record. What was sent is either there now, or it is not known what comes of it. */
static enum outcome outcome_of_part(struct call *call, const struct tool_context *context,
                                    const struct site_change *part, struct str *ret_why)
{
    if (part->state == CHANGE_DONE)
        return ITEM_DONE;
    if (undo_arrived(call, context, part->number))
        return ITEM_DONE;
    *ret_why = call_format(call, "the server was stopped while it was written (change %lld); look before trying again",
                           (long long)part->number);
    return ITEM_UNKNOWN;
}

/* --- steps ---------------------------------------------------------------------------------------------------------------- */

/* After these there is no sense in going on with the next item: the password is refused, or the step's own time is up. */
static bool ends_all(const struct call *call, int error)
{
    return error == E_REFUSED || (error && (call->cancelled || !call_time_left_ms(call)));
}

static void end_whole(struct call *call, const struct tool_context *context, int64_t parent)
{
    struct site_change change = {0};
    if (host_change_get(call, context->host, parent, &change) == OK)
        host_change_end(call, context->host, &change, CHANGE_DONE);
    call_clear_error(call);
}

/* Leaves the state, and at the last item the result. */
static int end_step(struct call *call, const struct tool_context *context, struct job_step *step, struct tally *tally,
                    const char *what)
{
    int64_t parent = json_i64_or(json_get(step->arguments, STR("parent")), 0);
    int error = write_state(call, tally, &step->state_json);
    if (error)
        return error;
    step->done++;
    step->finished = step->done >= step->total;
    if (!step->finished)
        return OK;
    end_whole(call, context, parent);
    write_result(tally, step, what, parent, &step->result->text);
    step->result->is_error = tally->done == 0;
    if (!step->result->is_error)
        structured_result(call, context, tally, step, parent);
    return OK;
}

/* wp_edit's or wp_delete's own arguments for one item. */
static int arguments_of(struct call *call, const struct json *plan, int64_t id, const struct json **ret)
{
    struct buf text;
    struct json_writer w;
    bool deletes = json_bool_or(json_get(plan, STR("delete")), false);
    buf_init(&text, call->arena, JOB_ARGUMENTS_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "type", json_str(json_get(plan, STR("type"))));
    if (deletes)
        json_member_raw(&w, "ids", call_format(call, "[\"%lld\"]", (long long)id));
    else
        json_member_str(&w, "id", call_format(call, "%lld", (long long)id));
    for (size_t i = 0; i < json_count(plan) && !deletes; i++) {
        struct json_member member = json_member_at(plan, i);
        if (!str_eq(member.name, STR("set")) && !str_eq(member.name, STR("edits")))
            continue;
        json_key(&w, member.name);
        json_value(&w, member.value);
    }
    json_end(&w);
    if (buf_failed(&text) || json_parse(call->arena, buf_str(&text), NULL, ret, NULL) != OK)
        return fail(call, E_INTERNAL, "The arguments of this job cannot be read.");
    return OK;
}

/*
 * Every try of every step goes by the job's own name: what a process had locked that died is the job's still, so that the next
 * one need not wait for it, and the history and the requests of all items can be found by it.
 */
static void go_by_name(struct call *call, const struct job_step *step)
{
    for (size_t i = 0; i < CALL_ID_BYTES - 1 && i < step->id.len; i++)
        call->id[i] = step->id.ptr[i];
}

/* One item: `run` does it unless an earlier try has sent it already. The error is one that ends all. */
static int do_item(struct call *call, const struct tool_context *context, const struct job_step *step, int64_t item_id,
                   int64_t undo_of,
                   int (*run)(struct call *call, const struct tool_context *context, const struct job_step *step,
                              int64_t id, struct tool_result *result),
                   enum outcome *ret, struct str *ret_why)
{
    int64_t parent = json_i64_or(json_get(step->arguments, STR("parent")), 0);
    struct tool_context part_context = *context;
    struct tool_result result = {0};
    struct site_change part;
    *ret_why = STR_EMPTY;
    *ret = ITEM_UNKNOWN;
    go_by_name(call, step);
    int error = find_part(call, context, parent, item_id, undo_of, &part);
    if (!error && part.number) {
        *ret = outcome_of_part(call, context, &part, ret_why);
        return OK;
    }
    part_context.part_of = parent;
    buf_init(&result.text, call->arena, RESULT_TEXT_MAX);
    buf_init(&result.blocks, call->arena, RESULT_TEXT_MAX);
    if (!error)
        error = run(call, &part_context, step, undo_of ? undo_of : item_id, &result);
    if (ends_all(call, error))
        return error;
    *ret = ITEM_DONE;
    if (!error && !result.is_error)
        return OK;
    /* Whether a failed write may have been done, its part of the history tells. */
    *ret_why = error ? str_copy(call->arena, call->error_text) : buf_str(&result.text);
    call_clear_error(call);
    *ret = find_part(call, context, parent, item_id, undo_of, &part) || part.number ? ITEM_UNKNOWN : ITEM_NOT_DONE;
    call_clear_error(call);
    return OK;
}

/* As the tool would do it alone, for this token and with all of its checks. */
static int run_change(struct call *call, const struct tool_context *context, const struct job_step *step, int64_t id,
                      struct tool_result *result)
{
    const struct json *arguments;
    int error = arguments_of(call, step->arguments, id, &arguments);
    if (error)
        return error;
    return json_bool_or(json_get(step->arguments, STR("delete")), false) ? tool_delete(call, context, arguments, result)
                                                                         : tool_edit(call, context, arguments, result);
}

static int run_undo(struct call *call, const struct tool_context *context, const struct job_step *step, int64_t number,
                    struct tool_result *result)
{
    (void)step;
    return undo_change(call, context, call_format(call, "%lld", (long long)number), STR_EMPTY, false, result);
}

static int step_bulk(struct call *call, const struct tool_context *context, struct job_step *step)
{
    struct tally tally = read_tally(step);
    enum outcome outcome;
    struct str why;
    int64_t id = json_i64_or(json_at(json_get(step->arguments, STR("ids")), (size_t)step->done), 0);
    bool deletes = json_bool_or(json_get(step->arguments, STR("delete")), false);
    int error = do_item(call, context, step, id, 0, run_change, &outcome, &why);
    if (error)
        return error;
    count(call, &tally, call_format(call, "%lld", (long long)id), outcome, why);
    return end_step(call, context, step, &tally, deletes ? "in the trash" : "changed");
}

static int step_undo(struct call *call, const struct tool_context *context, struct job_step *step)
{
    struct tally tally = read_tally(step);
    enum outcome outcome;
    struct str why;
    int64_t number = json_i64_or(json_at(json_get(step->arguments, STR("numbers")), (size_t)step->done), 0);
    int error = do_item(call, context, step, 0, number, run_undo, &outcome, &why);
    if (error)
        return error;
    count(call, &tally, call_format(call, "change %lld", (long long)number), outcome, why);
    return end_step(call, context, step, &tally, "taken back");
}

const struct job_kind bulk_jobs[BULK_JOBS] = {
    {.name = STR_INIT("bulk"), .needs_any = RIGHT_DRAFT | RIGHT_PUBLISH | RIGHT_DELETE, .step = step_bulk},
    {.name = STR_INIT("undo"), .needs_any = RIGHT_DRAFT | RIGHT_PUBLISH | RIGHT_DELETE, .step = step_undo},
};

/* --- taking it back ---------------------------------------------------------------------------------------------------------- */

/*
 * What there is to take back, the newest first, as lists of numbers and of ids. All pages of it: an item has more parts than one when a
 * term or an image was made for it.
 */
static int list_parts(struct call *call, const struct tool_context *context, int64_t parent, struct buf *numbers,
                      struct buf *ids, int64_t *ret_total)
{
    struct change_list parts = {.has_more = true};
    struct change_query query = {.part_of = parent, .limit = CHANGES_LISTED_MAX};
    *ret_total = 0;
    while (parts.has_more) {
        int error = host_change_list(call, context->host, &query, &parts);
        if (error)
            return error;
        for (size_t i = 0; i < parts.count; i++) {
            const struct site_change *part = &parts.items[i];
            query.below = part->number;
            if (part->is_sealed_shut || part->is_forgotten || part->undone_by || str_eq(part->kind, CHANGE_CREATE))
                continue; /* terms that were made for it stay: others may use them by now */
            buf_add_format(numbers, "%s%lld", *ret_total ? "," : "", (long long)part->number);
            buf_add_format(ids, "%s%lld", *ret_total ? "," : "", (long long)part->item_id);
            ++*ret_total;
        }
    }
    return buf_failed(numbers) || buf_failed(ids) ? fail(call, E_LIMIT, "That is too much to be taken back at once.")
                                                  : OK;
}

int bulk_undo(struct call *call, const struct tool_context *context, const struct site_change *change, bool dry_run,
              struct tool_result *result)
{
    struct buf numbers, ids;
    int64_t total;
    buf_init(&numbers, call->arena, STATE_MAX_BYTES);
    buf_init(&ids, call->arena, STATE_MAX_BYTES);
    int error = list_parts(call, context, change->number, &numbers, &ids, &total);
    if (error)
        return error;
    if (!total)
        return fail(call, E_CONFLICT, "Change %lld has nothing left to be taken back.", (long long)change->number);
    if (dry_run) {
        buf_add_format(&result->text, "Would take back %lld changes, the newest first. Nothing was written.",
                       (long long)total);
        return OK;
    }
    struct bulk_plan plan = {
        .job = STR("undo"),
        .item_type = change->item_type,
        .title = call_format(call, "%lld items: taking back %lld", (long long)total, (long long)change->number),
        .ids_json = call_format(call, "[%.*s]", STR_ARG(buf_str(&ids))),
        .members = call_format(call, "\"numbers\":[%.*s]", STR_ARG(buf_str(&numbers))),
        .total = total,
        .undo_of = change->number,
    };
    return bulk_begin(call, context, &plan, result);
}
