/* The one way by which tools change a site. */
#include "providers/wordpress/write.h"

#include "json/json_write.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/operation_request.h"
#include "providers/wordpress/proof.h"
#include "providers/wordpress/resource_notice.h"
#include "providers/wordpress/touched.h"

enum {
    TITLE_CHARS = 80,
    NOTE_BYTES = CHANGE_NOTE_BYTES_MAX,
};

static struct host *host_of(const struct wp *wp, const struct wp_write *write)
{
    return write->context ? write->context->host : wp->host;
}

/* Of a text of ours or WordPress's; JSON_MISSING when it is none. */
static const struct json *parse(struct call *call, struct str text)
{
    const struct json *value;
    int error = json_parse(call->arena, text.len ? text : STR("{}"), NULL, &value, NULL);
    return error ? json_at(value, 0) : value;
}

static struct str last_segment(struct str route)
{
    return str_from_offset(route, str_find_last_char(route, '/') + 1);
}

/* --- what it is called -------------------------------------------------------------------------------------------------- */

static struct str text_of(const struct json *value)
{
    const struct json *raw = json_get(value, STR("raw"));
    return json_is(raw, JSON_STRING)     ? json_str(raw)
           : json_is(value, JSON_STRING) ? json_str(value)
                                         : json_str(json_get(value, STR("rendered")));
}

/* A title, a name, or where there is neither the beginning of the text. */
static struct str title_of(struct call *call, const struct json *item)
{
    static const struct str names[] = {STR_INIT("title"), STR_INIT("name"), STR_INIT("content"), STR_INIT("slug")};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct str text = text_of(json_get(item, names[i]));
        if (text.len)
            return text_cut(text_from_html(call->arena, text_cut(text, 4 * TITLE_CHARS)), TITLE_CHARS);
    }
    return STR_EMPTY;
}

/* Things that are no texts have a version of all that is shown of them. */
static bool has_version(const struct wp_write *write, const struct json *item)
{
    if (write->type && !(write->type->kind->flags & WP_HAS_BLOCKS))
        return true;
    return !json_is(json_get(item, STR("content")), JSON_MISSING) &&
           !json_is(json_get(item, STR("status")), JSON_MISSING) &&
           !json_is(json_get(item, STR("title")), JSON_MISSING);
}

static struct str write_note(struct call *call, const struct wp_write *write, struct str route,
                             const struct json *after, bool with_comments)
{
    struct buf note;
    struct json_writer w;
    const struct json *body = write->body_json;
    struct wp_type none = {.kind = &wp_kind_post};
    struct wp_item item;
    buf_init(&note, call->arena, NOTE_BYTES);
    json_write_init(&w, &note);
    json_object(&w);
    json_member_str(&w, "route", route);
    if (write->title.len)
        json_member_str(&w, "title", write->title);
    if (write->kind == WP_WRITE_CALL)
        json_member_str(&w, "method", str_from(write->method));
    if (after && has_version(write, after)) {
        wp_item_read(call, write->type ? write->type : &none, after, &item);
        json_member_str(&w, "version", str_from(item.version));
    }
    json_key(&w, STR("fields"));
    json_array(&w);
    for (size_t i = 0; i < json_count(body) && note.len < NOTE_BYTES / 4; i++)
        json_string(&w, str_sub(json_member_at(body, i).name, 0, 100));
    json_end(&w);
    if (write->comments)
        wp_comments_write(write->comments, with_comments, &w);
    json_end(&w);
    return buf_failed(&note) ? STR_EMPTY : buf_str(&note);
}

/* What lists show, and what taking the change back needs to know: comments only where there is room beside the rest. */
static struct str note_of(struct call *call, const struct wp_write *write, struct str route, const struct json *after)
{
    struct str note = write_note(call, write, route, after, true);
    if (!note.len)
        note = write_note(call, write, route, after, false);
    return note.len ? note : STR("{}");
}

/* --- before ------------------------------------------------------------------------------------------------------------- */

static int get_item(struct call *call, const struct wp *wp, const struct wp_write *write, struct str fields,
                    const struct json **ret)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "context", STR("edit"));
    if (fields.len)
        wp_query_add(&query, "_fields", fields);
    int error = wp_get(call, wp, write->route, &query, &answer);
    *ret = answer.json;
    return error;
}

static void take_before(struct call *call, struct wp_write *write, const struct json *item, struct str before)
{
    write->title = title_of(call, item);
    write->change.before_json = before;
    if (!write->change.item_id)
        write->change.item_id = json_i64_or(json_get(item, STR("id")), 0);
}

/* The fields that the body sets; what the item was not read with is asked for. */
static int before_edit(struct call *call, const struct wp *wp, struct wp_write *write, const struct json *item)
{
    const struct json *body = write->body_json;
    int error = OK;
    if (touched_is_missing(item, body))
        error = get_item(call, wp, write,
                         str_concat(call->arena, STR(WP_ITEM_FIELDS ",name"), touched_names(call, body)), &item);
    if (!error)
        take_before(call, write, item, touched_fields(call, item, body));
    return error;
}

static int before_trash(struct call *call, const struct wp *wp, struct wp_write *write, const struct json *item)
{
    if (json_is(json_get(item, STR("modified")), JSON_MISSING) &&
        json_is(json_get(item, STR("comment_status")), JSON_MISSING)) {
        int error = get_item(call, wp, write, STR(WP_ITEM_FIELDS ",name,modified,comment_status"), &item);
        if (error)
            return error;
    }
    take_before(call, write, item, touched_fields(call, item, parse(call, STR("{\"status\":null}"))));
    if (!write->comments && !json_is(json_get(item, STR("comment_status")), JSON_MISSING)) {
        write->comments = wp_comments_new(call);
        wp_comments_read(call, wp, write->change.item_id, write->comments);
    }
    return OK;
}

/* An item of its own, whole. */
static int before_delete(struct call *call, const struct wp *wp, struct wp_write *write)
{
    const struct json *item;
    int error = get_item(call, wp, write, STR_EMPTY, &item);
    if (error)
        return error;
    take_before(call, write, item, touched_fields(call, item, item));
    return OK;
}

/* --- operations of which only the route is known -------------------------------------------------------------------------- */

enum readable { NOT_READABLE, A_THING, A_COLLECTION };

/* Is there a reading operation at this path that is harmless, and of a single thing or of many? */
static enum readable readable_at(struct call *call, const struct wp *wp, struct str route)
{
    const struct operations *operations;
    struct operation_request reading;
    struct operation_needs needs;
    struct operation_arg page;
    struct str path = call_format(call, "/%.*s", STR_ARG(route));
    if (operations_get(call, wp, &operations) ||
        operation_request_find(call, operations, str_concat(call->arena, STR("GET "), path), &reading)) {
        call_clear_error(call);
        return NOT_READABLE;
    }
    operation_needs(reading.operation, path, parse(call, STR_EMPTY), &needs);
    if (!operation_is_within(&needs, wp->rights | RIGHT_READ))
        return NOT_READABLE;
    return operation_arg(reading.operation, STR("per_page"), &page) ? A_COLLECTION : A_THING;
}

static int before_call(struct call *call, const struct wp *wp, struct wp_write *write)
{
    const struct json *item, *body = write->body_json;
    bool deletes = strcmp(write->method, "DELETE") == 0;
    enum readable readable = NOT_READABLE;
    write->title = STR_EMPTY;
    if (!str_starts_with(write->route, STR("wp-abilities/")))
        readable = readable_at(call, wp, write->route);
    if (readable == A_COLLECTION && !deletes) {
        write->change.kind = CHANGE_CREATE;
        write->title = title_of(call, body);
    }
    /* What cannot be read is not kept; whether the change itself may be made is WordPress's to say. */
    if (readable != A_THING || get_item(call, wp, write, STR_EMPTY, &item) || !json_is(item, JSON_OBJECT)) {
        call_clear_error(call);
        return OK;
    }
    if (!deletes) {
        take_before(call, write, item, touched_fields(call, item, body));
        write->change.kind = CHANGE_EDIT;
    } else if (write->for_good) {
        take_before(call, write, item, touched_fields(call, item, item));
        write->change.kind = CHANGE_DELETE;
    } else {
        write->change.kind = CHANGE_TRASH;
        write->change.item_id = json_i64_or(json_get(item, STR("id")), 0);
        return before_trash(call, wp, write, item);
    }
    return OK;
}

/* --- one write ---------------------------------------------------------------------------------------------------------- */

static struct str kind_word(enum wp_write_kind kind)
{
    static const struct str words[] = {
        [WP_WRITE_CREATE] = STR_INIT("create"), [WP_WRITE_CHANGE] = STR_INIT("edit"),
        [WP_WRITE_TRASH] = STR_INIT("trash"),   [WP_WRITE_RESTORE] = STR_INIT("restore"),
        [WP_WRITE_DELETE] = STR_INIT("delete"), [WP_WRITE_CALL] = STR_INIT("call"),
    };
    return words[kind];
}

/* The type of a thing that is no post: the collection its route is in ("categories" of wp/v2/categories/5), or its own name. */
static struct str type_word(const struct wp_write *write)
{
    struct str route = write->route;
    int64_t id;
    if (write->type)
        return write->type->slug;
    if (str_to_i64(last_segment(route), &id))
        route.len = str_find_last_char(route, '/');
    return last_segment(route);
}

/*
 * What is sent must be read here as PHP will read it, which takes the last of two members of one name: others are asked by what is
 * read here, and it is what an undo is made of.
 */
static int read_body(struct call *call, struct wp_write *write)
{
    struct json_error wrong;
    int error = json_parse(call->arena, write->body.len ? write->body : STR("{}"), NULL, &write->body_json, &wrong);
    if (error != E_INVALID)
        return error ? fail(call, error, "What was to be sent is too large: %s. Nothing was sent.", wrong.reason) : OK;
    /* what is wrong is a value: "name": stands before it */
    struct str name = str_sub(write->body, 0, wrong.offset > 2 ? wrong.offset - 2 : 0);
    name = str_from_offset(name, str_find_last_char(name, '"') + 1);
    return fail(call, E_INVALID, "A field is named twice: '%.*s' (%s). Give it once. Nothing was sent.",
                STR_ARG(str_sub(name, 0, 60)), wrong.reason);
}

static int prepare(struct call *call, const struct wp *wp, struct wp_write *write)
{
    const struct json *item = write->before ? write->before->json : NULL;
    write->change = (struct site_change){
        .kind = kind_word(write->kind),
        .item_type = type_word(write),
        .item_id = write->before ? write->before->id : 0,
        .undo_of = write->undo_of,
        .part_of = write->context ? write->context->part_of : wp->part_of,
    };
    int error = OK;
    switch (write->kind) {
    case WP_WRITE_CREATE:
        write->title = title_of(call, write->body_json);
        break;
    case WP_WRITE_CHANGE:
    case WP_WRITE_RESTORE:
        error = before_edit(call, wp, write, item);
        break;
    case WP_WRITE_TRASH:
        error = before_trash(call, wp, write, item);
        break;
    case WP_WRITE_DELETE:
        error = before_delete(call, wp, write);
        break;
    case WP_WRITE_CALL:
        error = before_call(call, wp, write);
        break;
    }
    write->change.note_json = note_of(call, write, write->route, NULL);
    /* as it was asked for, until the answer says what it became */
    write->change.after_json = write->kind == WP_WRITE_TRASH ? STR("{\"status\":\"trash\"}") : write->body;
    return error;
}

static void take_after(struct call *call, struct wp_write *write, const struct json *item)
{
    int64_t id = json_i64_or(json_get(item, STR("id")), 0);
    struct str route = write->route;
    struct str key = id ? call_format(call, "%lld", (long long)id) : json_str(json_get(item, STR("id")));
    if (str_eq(write->change.kind, CHANGE_CREATE) && key.len) {
        route = call_format(call, "%.*s/%.*s", STR_ARG(route), STR_ARG(key));
        write->change.item_id = id;
        write->title = title_of(call, item);
    }
    write->change.after_json = str_eq(write->change.kind, CHANGE_TRASH) ? STR("{\"status\":\"trash\"}")
                               : str_eq(write->change.kind, CHANGE_DELETE)
                                   ? STR_EMPTY
                                   : touched_fields(call, item, write->body_json);
    write->change.note_json = note_of(call, write, route, item);
}

/* Would a token that only writes drafts be refused this? Then others see it. */
static bool others_see(struct call *call, const struct wp *wp, const struct wp_write *write)
{
    struct wp drafts = *wp;
    struct str status = json_str(json_get(write->body_json, STR("status")));
    if (!write->type)
        return true;
    drafts.rights = RIGHT_READ | RIGHT_DRAFT;
    int error = write->before ? wp_may_change(call, &drafts, write->type, write->before->status) : OK;
    if (!error && (status.len || !write->before))
        error = wp_may_change(call, &drafts, write->type, status);
    if (error)
        call_clear_error(call);
    return error != OK;
}

/* For tokens that want a person to agree. What is deleted for good has been confirmed. */
static int ask_person(struct call *call, const struct wp *wp, const struct wp_write *write, struct host *host)
{
    if (write->kind == WP_WRITE_DELETE)
        return OK;
    if (write->kind == WP_WRITE_CALL)
        return write->agree_to.len ? host_agree_to(call, host, write->agree_to, &write->change) : OK;
    if (write->kind == WP_WRITE_TRASH)
        return host_agree_to(call, host, STR("put into the trash"), &write->change);
    if (!others_see(call, wp, write))
        return OK;
    return host_agree_to(call, host,
                         write->before ? STR("change what is public, or make it so") : STR("make what is public"),
                         &write->change);
}

int wp_write(struct call *call, const struct wp *wp, struct wp_write *write, struct wp_answer *ret)
{
    struct host *host = host_of(wp, write);
    struct wp_query query;
    *ret = (struct wp_answer){.total = -1, .json = parse(call, STR_EMPTY)};
    int error = read_body(call, write);
    if (!error && host)
        error = prepare(call, wp, write); /* first: who is asked sees what is there now */
    if (!error && host)
        error = ask_person(call, wp, write, host);
    if (!error)
        error = host_hold(call, wp->host); /* what is written was made of what was read under its lease */
    if (!error && host)
        error = host_change_begin(call, host, &write->change);
    if (error)
        return error;
    wp_query_init(call, &query);
    if (write->query)
        buf_add(&query.text, buf_str(&write->query->text));
    if (write->kind == WP_WRITE_CREATE || write->kind == WP_WRITE_CHANGE || write->kind == WP_WRITE_RESTORE)
        wp_query_add(&query, "context", STR("edit"));
    if (write->fields.len)
        wp_query_add(&query, "_fields",
                     host ? str_concat(call->arena, write->fields, touched_names(call, write->body_json))
                          : write->fields);
    int64_t sent_ms = clock_now_ms();
    error = write->stream ? wp_send_stream(call, wp, write->route, &query, write->stream, ret)
                          : wp_send(call, wp, write->method, write->route, &query, write->body, ret);
    if (write->type && write->type->kind->title.len && str_eq(write->type->kind->title, STR("name")))
        wp_forget_kept(wp, write->type->route); /* names of terms and menus are kept for a while */
    if (!error || ret->outcome_unknown)
        wp_tell_written(call, host, write, ret);
    if (write->change.number) {
        if (!error)
            take_after(call, write, ret->json);
        host_change_end(call, host, &write->change,
                        !error                 ? CHANGE_DONE
                        : ret->outcome_unknown ? CHANGE_UNKNOWN
                                               : CHANGE_FAILED);
    }
    if (error && ret->outcome_unknown && write->kind != WP_WRITE_CHANGE)
        return proof_look(call, wp, write, sent_ms, error);
    return error;
}

void wp_write_found(struct call *call, const struct wp *wp, struct wp_write *write, const struct wp_item *now)
{
    if (!write->change.number)
        return;
    take_after(call, write, now->json);
    host_change_end(call, host_of(wp, write), &write->change, CHANGE_DONE);
}

struct str wp_write_reads(struct call *call, const struct json *set)
{
    static const struct {
        struct str name, field;
    } own[] = {
        {STR_INIT("featured_image"), STR_INIT(",featured_media")},
        {STR_INIT("seo"), STR_INIT(",meta")},
        {STR_INIT("terms"), STR_INIT("")}, /* read by taxonomy */
        {STR_INIT("terms_add"), STR_INIT("")},
        {STR_INIT("terms_remove"), STR_INIT("")},
    };
    struct str names = STR_EMPTY;
    for (size_t i = 0; i < json_count(set) && json_is(set, JSON_OBJECT); i++) {
        struct str name = json_member_at(set, i).name, field = STR_EMPTY;
        bool is_own = false;
        for (size_t k = 0; k < ARRAY_LENGTH(own); k++)
            if (str_eq(own[k].name, name)) {
                is_own = true;
                field = own[k].field;
            }
        if (!is_own)
            field = call_format(call, ",%.*s", STR_ARG(name));
        names = str_concat(call->arena, names, field);
    }
    if (!json_is(json_get(set, STR("status")), JSON_MISSING) || !json_is(json_get(set, STR("date")), JSON_MISSING))
        names = str_concat(call->arena, names, STR(",modified"));
    return str_from_offset(names, 1);
}

static bool can_be_undone(const struct site_change *change)
{
    return change->number && !str_eq(change->kind, CHANGE_CALL) && !str_eq(change->kind, CHANGE_DELETE);
}

int64_t wp_write_undo(const struct wp_write *write)
{
    return can_be_undone(&write->change) && !write->change.before_lost ? write->change.number : 0;
}

void wp_write_say(const struct wp_write *write, struct buf *out)
{
    const struct site_change *change = &write->change;
    if (!can_be_undone(change))
        return;
    if (change->before_lost)
        buf_add(out, STR(", too large to be undone"));
    else
        buf_add_format(out, ", undo %lld", (long long)change->number);
}
