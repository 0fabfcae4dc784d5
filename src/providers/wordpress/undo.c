/* Taking a change back. */
#include "providers/wordpress/bulk.h"

#include "json/json_write.h"
#include "providers/wordpress/content/changes.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/fields.h"
#include "providers/wordpress/operation_request.h"
#include "providers/wordpress/route_guard.h"
#include "providers/wordpress/schedule.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/touched.h"

enum {
    BODY_MAX_BYTES = 12 * 1024 * 1024,
    VALUE_CHARS = 80,
    SCHEMA_KEPT_MS = 60000,
};

struct undo {
    struct wp wp;
    struct site_change change;
    const struct json *note, *before, *after;
    struct str route, title, key; /* key: the item's id as texts and routes have it */
    bool is_typed;                /* of a type that wp_edit knows: `item` is whole, and locked */
    struct wp_item item;          /* as it is now; otherwise only id and json */
};

/* --- showing ------------------------------------------------------------------------------------------------------------- */

static bool is_secret(struct str name)
{
    return str_contains_nocase(name, STR("password")) || str_contains_nocase(name, STR("secret"));
}

static struct str shown(struct call *call, const struct json *value, bool is_whole)
{
    struct str text = json_is(value, JSON_STRING) ? json_quote(call->arena, json_str(value)) : json_raw(value);
    if (json_is(value, JSON_MISSING))
        return STR("(not known)");
    return !is_whole && text_chars(text) > VALUE_CHARS
               ? call_format(call, "%.*s\xE2\x80\xA6", STR_ARG(text_cut(text, VALUE_CHARS)))
               : text;
}

static bool is_text(const struct json *value)
{
    return json_is(value, JSON_STRING) &&
           (json_str(value).len > VALUE_CHARS || str_contains(json_str(value), STR("\n")));
}

static void write_difference(struct call *call, struct str prefix, const struct json *before, const struct json *after,
                             bool is_whole, struct buf *out)
{
    const struct json *names = json_count(after) ? after : before;
    for (size_t i = 0; i < json_count(names) && json_is(names, JSON_OBJECT); i++) {
        struct str name = json_member_at(names, i).name;
        const struct json *a = json_get(before, name), *b = json_get(after, name);
        if (json_equal(a, b) && a->type == b->type)
            continue;
        if (is_secret(name))
            buf_add_format(out, "%.*s%.*s: not shown\n", STR_ARG(prefix), STR_ARG(name));
        else if (json_is(a, JSON_OBJECT) && json_is(b, JSON_OBJECT))
            write_difference(call, call_format(call, "%.*s%.*s.", STR_ARG(prefix), STR_ARG(name)), a, b, is_whole, out);
        else if (is_text(a) || is_text(b))
            buf_add(out, is_whole ? changes_whole(call->arena, json_str(a), json_str(b))
                                  : changes_between(call->arena, json_str(a), json_str(b)));
        else
            buf_add_format(out, "%.*s%.*s: %.*s -> %.*s\n", STR_ARG(prefix), STR_ARG(name),
                           STR_ARG(shown(call, a, is_whole)), STR_ARG(shown(call, b, is_whole)));
    }
}

void undo_write_difference(struct call *call, const struct json *before, const struct json *after, struct buf *out)
{
    write_difference(call, STR_EMPTY, before, after, false, out);
}

void undo_write_whole(struct call *call, const struct json *before, const struct json *after, struct buf *out)
{
    write_difference(call, STR_EMPTY, before, after, true, out);
}

/* --- what is to be taken back -------------------------------------------------------------------------------------------- */

int undo_read_number(struct call *call, struct str text, int64_t *ret)
{
    if (str_to_i64(str_trim(text), ret) && *ret > 0)
        return OK;
    return fail(call, E_INVALID, "'%.*s' is no change: wp_history lists them by number.",
                STR_ARG(str_sub(text, 0, 40)));
}

static int parse(struct call *call, struct str text, const struct json **ret)
{
    if (json_parse(call->arena, text.len ? text : STR("{}"), NULL, ret, NULL) == OK)
        return OK;
    return fail(call, E_INTERNAL, "What is kept of this change cannot be read.");
}

static int refuse(struct call *call, const struct undo *undo, const char *why)
{
    return fail(call, E_DENIED, "Change %lld cannot be taken back: %s", (long long)undo->change.number, why);
}

static int open_change(struct call *call, const struct tool_context *context, int64_t number, struct undo *undo)
{
    int error;
    if ((error = host_change_get(call, context->host, number, &undo->change)) ||
        (error = parse(call, undo->change.note_json, &undo->note)) ||
        (error = parse(call, undo->change.before_json, &undo->before)) ||
        (error = parse(call, undo->change.after_json, &undo->after)))
        return error;
    undo->route = json_str(json_get(undo->note, STR("route")));
    undo->title = json_str(json_get(undo->note, STR("title")));
    if (undo->change.before_lost || undo->change.after_lost)
        return refuse(call, undo, "what it changed was too large to keep.");
    if (str_eq(undo->change.kind, CHANGE_DELETE))
        return refuse(call, undo, "it was a deletion for good. wp_history diff shows what there was.");
    if (str_eq(undo->change.kind, CHANGE_CALL))
        return refuse(call, undo, "what this operation does is known to the site's plugin only.");
    return OK;
}

/* A thing that wp_edit would find by its type and id, at the route that was written to. */
static bool find_type(struct call *call, struct undo *undo, struct wp_type *ret)
{
    struct str route = undo->route;
    if (wp_type_find(call, &undo->wp, undo->change.item_type, ret) || !(ret->kind->flags & WP_EDITS)) {
        call_clear_error(call);
        return false;
    }
    if (str_eq(route, ret->route))
        return ret->kind->id == WP_ID_NONE;
    if (!str_starts_with(route, str_concat(call->arena, ret->route, STR("/"))))
        return false;
    undo->key = str_from_offset(route, ret->route.len + 1);
    return ret->kind->id != WP_ID_NUMBER ||
           str_eq(undo->key, call_format(call, "%lld", (long long)undo->change.item_id));
}

/* The item as it is now, locked so that nothing comes between looking and writing. */
static int read_item(struct call *call, struct undo *undo)
{
    struct wp_type type;
    struct wp_answer answer;
    struct wp_query query;
    undo->key = call_format(call, "%lld", (long long)undo->change.item_id);
    undo->is_typed = find_type(call, undo, &type);
    if (undo->is_typed)
        return wp_item_get_locked(call, &undo->wp, type.slug, undo->key,
                                  str_from_offset(touched_names(call, undo->after), 1), &undo->item);
    wp_query_init(call, &query);
    wp_query_add(&query, "context", STR("edit"));
    int error = wp_get(call, &undo->wp, undo->route, &query, &answer);
    undo->item = (struct wp_item){.id = undo->change.item_id, .json = answer.json};
    return error;
}

static int refuse_moved(struct call *call, const struct undo *undo, struct str what)
{
    if (undo->change.undone_by)
        return fail(call, E_CONFLICT, "Change %lld was taken back already, by change %lld. Nothing was written.",
                    (long long)undo->change.number, (long long)undo->change.undone_by);
    return fail(call, E_CONFLICT,
                "%.*s %.*s has moved on since change %lld: its %.*s was changed again. Nothing was written. wp_history "
                "id=%.*s shows what came after; take that back first, or edit the item.",
                STR_ARG(undo->change.item_type), STR_ARG(undo->key), (long long)undo->change.number, STR_ARG(what),
                STR_ARG(undo->key));
}

/* Is it still as the change left it? */
static int check_unmoved(struct call *call, const struct undo *undo)
{
    bool is_known = undo->change.state == CHANGE_DONE;
    struct str version = json_str(json_get(undo->note, STR("version")));
    if (!is_known && json_count(undo->before) && !touched_difference(undo->item.json, undo->before).len)
        return fail(
            call, E_CONFLICT,
            "There is nothing to take back: change %lld never came to an end, and %.*s %.*s is as it was before.",
            (long long)undo->change.number, STR_ARG(undo->change.item_type), STR_ARG(undo->key));
    struct str different = touched_difference(undo->item.json, undo->after);
    if (different.len)
        return refuse_moved(call, undo, different);
    if (undo->is_typed && is_known && version.len && !str_eq(version, str_from(undo->item.version)))
        return refuse_moved(call, undo, STR("title, status or content"));
    return OK;
}

/* --- rights --------------------------------------------------------------------------------------------------------------- */

/* Those of the same request made with wp_call. */
static int check_operation(struct call *call, const struct undo *undo, const char *method, const struct json *body)
{
    struct operation_request request;
    struct operation_needs needs;
    struct str text = call_format(call, "{\"name\":\"%s /%.*s\"}", method, STR_ARG(undo->route));
    struct str status = json_str(json_get(undo->item.json, STR("status"))),
               given = json_str(json_get(body, STR("status")));
    const struct json *arguments;
    int error = parse(call, text, &arguments);
    if (error || (error = operation_request_get(call, &undo->wp, arguments, &request)))
        return error;
    operation_needs(request.operation, call_format(call, "/%.*s", STR_ARG(undo->route)), body, &needs);
    error = operation_check_rights(call, &needs, undo->wp.rights);
    if (!error && needs.draft_may_do && !(undo->wp.rights & RIGHT_PUBLISH) &&
        !(error = wp_may_write(call, &undo->wp, status)) && given.len)
        error = wp_may_write(call, &undo->wp, given);
    return error;
}

static int check_edit(struct call *call, const struct undo *undo)
{
    struct str status = json_str(json_get(undo->before, STR("status")));
    int error;
    if (!undo->is_typed)
        return check_operation(call, undo, "POST", undo->before);
    for (size_t i = 0; i < json_count(undo->before); i++) { /* a change of an earlier version */
        const char *why = wp_type_field_refusal(&undo->item.type, json_member_at(undo->before, i).name);
        if (why)
            return fail(call, E_DENIED, "%s", why);
    }
    if (!str_eq(undo->item.status, STR("trash")) &&
        (error = wp_may_change(call, &undo->wp, &undo->item.type, undo->item.status)))
        return error;
    if (status.len && (error = wp_check_new_status(call, &undo->wp, &undo->item.type, status)))
        return error;
    return wp_check_schedule(call, &undo->wp, &undo->item.type, status, undo->before, undo->item.json);
}

static int check_delete(struct call *call, const struct undo *undo)
{
    unsigned needed = RIGHT_DELETE | (undo->is_typed ? undo->item.type.kind->write_right : 0);
    char words[RIGHTS_TEXT_BYTES];
    if (!undo->is_typed)
        return check_operation(call, undo, "DELETE", undo->before);
    if ((undo->wp.rights & needed) == needed)
        return OK;
    return rights_lack(
        call, needed,
        fail(call, E_DENIED,
             "Taking back change %lld puts %.*s %.*s into the trash, and this token lacks the right %.*s.",
             (long long)undo->change.number, STR_ARG(undo->change.item_type), STR_ARG(undo->key),
             STR_ARG(rights_format(needed & ~undo->wp.rights, words))));
}

/* --- putting fields back --------------------------------------------------------------------------------------------------- */

/* What the change set, but could not be read before it: a password. */
static int check_complete(struct call *call, const struct undo *undo)
{
    const struct json *fields = json_get(undo->note, STR("fields"));
    for (size_t i = 0; i < json_count(fields); i++) {
        struct str name = json_str(json_at(fields, i));
        if (json_is(json_get(undo->before, name), JSON_MISSING) && !str_eq(name, STR("date_gmt")) &&
            !str_eq(name, STR("modified")))
            return fail(call, E_DENIED,
                        "Change %lld cannot be taken back: WordPress did not tell what '%.*s' was before it.",
                        (long long)undo->change.number, STR_ARG(name));
    }
    return OK;
}

static bool is_empty(const struct json *value)
{
    double number;
    switch (value->type) {
    case JSON_STRING:
        return json_str(value).len == 0;
    case JSON_NUMBER:
        return json_to_double(value, &number) && number == 0;
    case JSON_BOOL:
        return !json_bool_or(value, true);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_count(value) == 0;
    default:
        return true;
    }
}

/*
 * WordPress does not say whether a custom field was empty or not there. Null takes it away, which reads the same, unless the
 * field is registered with a default of its own.
 */
static void write_meta(struct call *call, const struct undo *undo, const struct json *meta, struct json_writer *w)
{
    struct wp_answer answer;
    struct str collection = str_sub(undo->route, 0, str_find_last_char(undo->route, '/'));
    bool knows = wp_get_kept(call, &undo->wp, "OPTIONS", collection, NULL, SCHEMA_KEPT_MS, &answer) == OK;
    call_clear_error(call);
    json_object(w);
    for (size_t i = 0; i < json_count(meta) && json_is(meta, JSON_OBJECT); i++) {
        struct json_member member = json_member_at(meta, i);
        const struct json *schema =
            knows ? json_get(json_path(answer.json, "schema.properties.meta.properties"), member.name) : member.value;
        const struct json *standard = json_get(schema, STR("default"));
        json_key(w, member.name);
        if (knows && is_empty(member.value) && is_empty(standard))
            json_null_value(w);
        else
            json_value(w, member.value);
    }
    json_end(w);
}

static int write_body(struct call *call, const struct undo *undo, struct buf *body)
{
    struct json_writer w;
    buf_init(body, call->arena, BODY_MAX_BYTES);
    json_write_init(&w, body);
    json_object(&w);
    for (size_t i = 0; i < json_count(undo->before); i++) {
        struct json_member member = json_member_at(undo->before, i);
        json_key(&w, member.name);
        if (str_eq(member.name, STR("meta")))
            write_meta(call, undo, member.value, &w);
        else
            json_value(&w, member.value);
    }
    json_end(&w);
    return buf_failed(body) ? fail(call, E_LIMIT, "What was there is too large to be sent.") : OK;
}

static int send_back(struct call *call, const struct tool_context *context, const struct undo *undo,
                     struct wp_write *write, struct wp_answer *ret)
{
    write->context = context;
    write->type = undo->is_typed ? &undo->item.type : NULL;
    write->before = &undo->item;
    write->route = undo->route;
    write->undo_of = undo->change.number;
    int error = wp_write(call, &undo->wp, write, ret);
    if (error && ret->outcome_unknown)
        return fail(call, error,
                    "Outcome unknown: the answer did not come (%.*s). wp_history and wp_read tell what it is like now.",
                    STR_ARG(call->error_text));
    return error;
}

static void say_done(struct call *call, const struct undo *undo, const struct wp_write *write, const char *how,
                     const struct wp_answer *answer, struct tool_result *result)
{
    struct wp_item after;
    struct structured *s = structured_begin(call, write->context);
    buf_add_format(&result->text, "%.*s %.*s \"%.*s\" %s", STR_ARG(undo->change.item_type), STR_ARG(undo->key),
                   STR_ARG(undo->title), how);
    if (undo->is_typed && !str_eq(write->change.kind, CHANGE_TRASH)) {
        wp_item_read(call, &undo->item.type, answer->json, &after);
        buf_add_format(&result->text, ", version %s", after.version);
        structured_written(s, write, &after);
    } else {
        structured_id(s, "id", undo->change.item_id, undo->key);
        structured_str(s, "type", undo->change.item_type);
        structured_undo(s, write);
    }
    structured_i64(s, "undo_of", undo->change.number);
    structured_str(s, "done", str_from(how));
    structured_end(s, result);
    wp_write_say(write, &result->text);
    result->audit_json =
        call_format(call, "{\"id\":%.*s,\"type\":%.*s,\"undo_of\":%lld}", STR_ARG(json_quote(call->arena, undo->key)),
                    STR_ARG(json_quote(call->arena, undo->change.item_type)), (long long)undo->change.number);
}

static int put_back(struct call *call, const struct tool_context *context, const struct undo *undo,
                    struct tool_result *result)
{
    struct buf body;
    struct wp_answer answer;
    struct wp_write *write = arena_new_of(call->arena, struct wp_write);
    int error = write_body(call, undo, &body);
    if (error)
        return error;
    *write = (struct wp_write){.kind = WP_WRITE_CHANGE, .method = "POST", .body = buf_str(&body)};
    if (undo->is_typed)
        write->fields = wp_item_fields(call, &undo->item.type, STR_EMPTY);
    if ((error = send_back(call, context, undo, write, &answer)))
        return error;
    say_done(call, undo, write, "is as it was before", &answer, result);
    struct str different = touched_difference(answer.json, undo->before);
    if (different.len)
        buf_add_format(&result->text, "\nBut WordPress did not take '%.*s' as it was: read the item.",
                       STR_ARG(different));
    return OK;
}

/* --- the trash, in and out -------------------------------------------------------------------------------------------------- */

static int put_into_trash(struct call *call, const struct tool_context *context, const struct undo *undo,
                          struct tool_result *result)
{
    struct wp_answer answer;
    struct wp_write *write = arena_new_of(call->arena, struct wp_write);
    *write = (struct wp_write){.kind = WP_WRITE_TRASH, .method = "DELETE"};
    int error = send_back(call, context, undo, write, &answer);
    if (error && str_eq(answer.code, STR("rest_trash_not_supported")))
        return fail(
            call, E_DENIED,
            "Change %lld cannot be taken back: there is no trash for %.*s. wp_delete with permanent=true removes "
            "%.*s for good.",
            (long long)undo->change.number, STR_ARG(undo->change.item_type), STR_ARG(undo->key));
    if (!error)
        say_done(call, undo, write, "is in the trash", &answer, result);
    return error;
}

static int take_out_of_trash(struct call *call, const struct tool_context *context, const struct undo *undo,
                             struct tool_result *result)
{
    struct buf body;
    struct wp_answer answer;
    struct wp_write *write = arena_new_of(call->arena, struct wp_write);
    int error = write_body(call, undo, &body);
    if (error)
        return error;
    *write = (struct wp_write){.kind = WP_WRITE_RESTORE, .method = "POST", .body = buf_str(&body)};
    if (undo->is_typed)
        write->fields = wp_item_fields(call, &undo->item.type, STR_EMPTY);
    if ((error = send_back(call, context, undo, write, &answer)))
        return error;
    say_done(call, undo, write, "is out of the trash", &answer, result);
    wp_comments_restore(call, &undo->wp, undo->note, &result->text);
    return OK;
}

void undo_comments_of(struct call *call, const struct wp *wp, const struct wp_write *write, struct buf *out)
{
    enum { LOOKED_AT = 50 };
    struct change_list list;
    const struct json *note;
    struct change_query query = {.item_id = write->change.item_id, .limit = LOOKED_AT};
    if (host_change_list(call, wp->host, &query, &list)) {
        call_clear_error(call);
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct site_change *change = &list.items[i];
        if (change->number == write->change.number || change->is_sealed_shut || change->is_forgotten)
            continue;
        if (parse(call, change->note_json, &note)) {
            call_clear_error(call);
            continue;
        }
        /* Numbers of posts, comments and people are counted apart. */
        if (!str_eq(json_str(json_get(note, STR("route"))), write->route))
            continue;
        if (str_eq(change->kind, CHANGE_RESTORE)) /* what it was trashed by before that is no longer so */
            return;
        if (str_eq(change->kind, CHANGE_TRASH)) {
            wp_comments_restore(call, wp, note, out);
            return;
        }
    }
}

/* --- */

static void write_plan(struct call *call, const struct undo *undo, struct buf *out)
{
    buf_add_format(out, "Would take back change %lld of %.*s %.*s \"%.*s\". Nothing was written.\n",
                   (long long)undo->change.number, STR_ARG(undo->change.item_type), STR_ARG(undo->key),
                   STR_ARG(undo->title));
    if (str_eq(undo->change.kind, CHANGE_EDIT))
        undo_write_difference(call, undo->after, undo->before, out);
    else
        buf_add(out, str_eq(undo->change.kind, CHANGE_TRASH) ? STR("It would come out of the trash.")
                                                             : STR("It would go to the trash."));
}

/* Who names an item beside the number means that item: a slip in either would change what nobody asked for. */
static int check_named(struct call *call, const struct undo *undo, struct str id)
{
    const struct wp_item *item = &undo->item;
    id = str_trim(id);
    if (!id.len || str_eq(id, undo->key) || (undo->is_typed && (str_eq(id, item->slug) || str_eq(id, item->link))) ||
        (undo->is_typed && item->type.kind->id == WP_ID_NONE))
        return OK;
    return fail(call, E_INVALID,
                "Change %lld is of %.*s %.*s \"%.*s\", not of %.*s. Nothing was written. wp_history with id lists the "
                "changes of one item.",
                (long long)undo->change.number, STR_ARG(undo->change.item_type), STR_ARG(undo->key),
                STR_ARG(undo->title), STR_ARG(str_sub(id, 0, 80)));
}

static int take_back_many(struct call *call, const struct tool_context *context, const struct undo *undo, struct str id,
                          bool dry_run, struct tool_result *result)
{
    if (str_trim(id).len)
        return fail(call, E_INVALID,
                    "Change %lld is of many items, and is taken back for all of them: leave out id. wp_history with id "
                    "lists the changes of one item. Nothing was written.",
                    (long long)undo->change.number);
    return bulk_undo(call, context, &undo->change, dry_run, result);
}

int undo_change(struct call *call, const struct tool_context *context, struct str text, struct str id, bool dry_run,
                struct tool_result *result)
{
    struct undo *undo = arena_new_of(call->arena, struct undo);
    int64_t number;
    int error;
    if ((error = undo_read_number(call, text, &number)) ||
        (error = wp_open(call, context->site, context->rights, &undo->wp)) ||
        (error = open_change(call, context, number, undo)))
        return error;
    if (str_eq(undo->change.kind, CHANGE_BULK))
        return take_back_many(call, context, undo, id, dry_run, result);
    bool is_edit = str_eq(undo->change.kind, CHANGE_EDIT), is_trash = str_eq(undo->change.kind, CHANGE_TRASH);
    if (str_eq(undo->change.kind, CHANGE_CREATE) && undo->change.state != CHANGE_DONE)
        return refuse(call, undo, "which item it made is not known. Look for it with wp_find order=-id.");
    if ((is_edit || is_trash) && !json_count(undo->before))
        return refuse(call, undo, "WordPress did not tell what was there before it.");
    if (is_edit && (error = check_complete(call, undo)))
        return error;
    if ((error = read_item(call, undo)) || (error = check_named(call, undo, id)) ||
        (error = check_unmoved(call, undo)) ||
        (error = is_edit || is_trash ? check_edit(call, undo) : check_delete(call, undo)))
        return error;
    if (dry_run) {
        write_plan(call, undo, &result->text);
        structured_preview(call, context, result);
        return OK;
    }
    return is_edit    ? put_back(call, context, undo, result)
           : is_trash ? take_out_of_trash(call, context, undo, result)
                      : put_into_trash(call, context, undo, result);
}

bool undo_arrived(struct call *call, const struct tool_context *context, int64_t number)
{
    struct undo *undo = arena_new_of(call->arena, struct undo);
    bool arrived = false;
    if (!wp_open(call, context->site, context->rights, &undo->wp) && !open_change(call, context, number, undo) &&
        !str_eq(undo->change.kind, CHANGE_CREATE) && !read_item(call, undo)) {
        bool is_trash = str_eq(undo->change.kind, CHANGE_TRASH);
        arrived = is_trash ? str_eq(json_str(json_get(undo->item.json, STR("status"))), STR("trash"))
                           : !touched_difference(undo->item.json, undo->after).len;
        if (is_trash)
            undo->change.after_json = STR("{\"status\":\"trash\"}");
    }
    call_clear_error(call);
    if (arrived)
        host_change_end(call, context->host, &undo->change, CHANGE_DONE);
    return arrived;
}
