/* wp_edit: changes one item without sending it whole. */
#include "providers/wordpress/altered.h"
#include "providers/wordpress/content/changes.h"
#include "providers/wordpress/content/edits.h"
#include "providers/wordpress/fields.h"
#include "providers/wordpress/route_guard.h"
#include "providers/wordpress/schedule.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"
#include "providers/wordpress/touched.h"
#include "providers/wordpress/undo.h"

enum { BODY_MAX_BYTES = 12 * 1024 * 1024 };

static int read_edits(struct call *call, const struct json *list, struct content_edit **ret, size_t *ret_count)
{
    size_t count = json_count(list);
    if (count > EDITS_MAX)
        return fail(call, E_LIMIT, "At most %d edits in one call.", EDITS_MAX);
    struct content_edit *edits = arena_array_of(call->arena, struct content_edit, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct json *edit = json_at(list, i);
        edits[i] = (struct content_edit){
            .find = json_str(json_get(edit, STR("find"))),
            .replace = json_str(json_get(edit, STR("replace"))),
            .count = json_i64_or(json_get(edit, STR("count")), 1),
            .block = json_str(json_get(edit, STR("block"))),
            .op = json_str(json_get(edit, STR("op"))),
            .content = json_str(json_get(edit, STR("content"))),
            .format = json_str(json_get(edit, STR("format"))),
            .allow_loss = json_bool_or(json_get(edit, STR("allow_loss")), false),
        };
        if (edits[i].count == 0)
            return fail(call, E_INVALID,
                        "edits[%zu].count is how many matches there must be: 1 or more, or -1 for all.", i);
        if (edits[i].find.len && json_is(json_get(edit, STR("replace")), JSON_MISSING))
            return fail(call, E_INVALID, "edits[%zu] has find but no replace.", i);
    }
    *ret = edits;
    *ret_count = count;
    return OK;
}

/* What must be read with the item so that terms can be added and removed, and what is changed can be put back. */
static int extra_fields(struct call *call, const struct wp *wp, struct str type_name, const struct json *set,
                        struct str *ret)
{
    struct wp_type type;
    *ret = wp_write_reads(call, set);
    if (json_is(json_get(set, STR("terms_add")), JSON_MISSING) &&
        json_is(json_get(set, STR("terms_remove")), JSON_MISSING) && json_is(json_get(set, STR("terms")), JSON_MISSING))
        return OK;
    int error = wp_type_find(call, wp, type_name, &type);
    for (size_t i = 0; !error && i < type.n_taxonomies; i++) {
        struct wp_taxonomy taxonomy;
        if ((error = wp_taxonomy_find(call, wp, &type, type.taxonomies[i], &taxonomy)))
            break;
        *ret = call_format(call, "%.*s%s%.*s", STR_ARG(*ret), ret->len ? "," : "", STR_ARG(taxonomy.rest_base));
    }
    return error;
}

static int check_version(struct call *call, const struct wp_item *item, struct str if_version)
{
    int64_t given, now;
    if (!if_version.len || str_eq(if_version, str_from(item->version)))
        return OK;
    if (str_to_i64(if_version, &given) && str_to_i64(str_from(item->version), &now) && given == now)
        return OK; /* given as a number, it has lost its leading zeros */
    return fail(call, E_CONFLICT,
                "%.*s %.*s was changed since version %.*s: it is at version %s now. Read it again, then decide.",
                STR_ARG(item->type.slug), STR_ARG(item->key), STR_ARG(str_sub(if_version, 0, 40)), item->version);
}

struct plan {
    const struct json *set;
    struct content_edit *edits;
    size_t n_edits;
    struct str new_raw; /* with edits */
    struct content_changes changes;
    struct buf body;
    int64_t image_made; /* for featured_image, or 0 */
};

/* The member of the body that an item's text is written to. */
static struct str text_field(const struct wp_item *item)
{
    return item->type.kind->flags & WP_HAS_BLOCKS ? STR("content") : item->type.kind->text;
}

/* By its own name or as "content"; of posts that is refused with all that is set. */
static bool text_is_set(const struct wp_item *item, const struct json *set)
{
    for (size_t i = 0; i < json_count(set) && json_is(set, JSON_OBJECT); i++)
        if (str_eq(wp_field_name(&item->type, json_member_at(set, i).name), text_field(item)))
            return !(item->type.kind->flags & WP_HAS_BLOCKS);
    return false;
}

/* Not every type has one, and WordPress passes over what a type lacks. */
static int guard_featured(struct call *call, const struct wp *wp, const struct wp_item *item,
                          const struct json *featured)
{
    if (json_is(featured, JSON_MISSING) || !(item->type.kind->flags & WP_HAS_TERMS))
        return OK; /* others have no place of its own for it, so it is looked at with the other fields */
    return wp_guard_field(call, wp, &item->type, wp_item_route(call, item), STR("featured_media"), featured,
                          item->json);
}

/* Everything that can be refused is refused here, before anything is written; making terms is the last step. */
static int plan_body(struct call *call, const struct wp *wp, const struct wp_item *item, bool dry_run,
                     struct plan *plan)
{
    struct json_writer w;
    int error;
    if (plan->n_edits && !text_field(item).len)
        return fail(call, E_INVALID, "Type %.*s has no text to edit: use set.", STR_ARG(item->type.slug));
    if (plan->n_edits && !item->is_raw)
        return fail(call, E_DENIED, "This WordPress user may not edit %.*s %.*s.", STR_ARG(item->type.slug),
                    STR_ARG(item->key));
    if (plan->n_edits && text_is_set(item, plan->set))
        return wp_refuse_twice(call, STR("edits"), call_format(call, "set.%.*s", STR_ARG(text_field(item))));
    if (plan->n_edits &&
        (error = content_apply_edits(call, item->raw, plan->edits, plan->n_edits, &plan->new_raw, &plan->changes)))
        return error;
    if ((error = wp_check_schedule(call, wp, &item->type, json_str(json_get(plan->set, STR("status"))), plan->set,
                                   item->json)))
        return error;
    buf_init(&plan->body, call->arena, BODY_MAX_BYTES);
    json_write_init(&w, &plan->body);
    json_object(&w);
    if (plan->n_edits)
        json_member_str(&w, text_field(item).ptr, plan->new_raw);
    if ((error = guard_featured(call, wp, item, json_get(plan->set, STR("featured_image")))) ||
        (error = wp_write_fields(call, wp, &item->type, wp_item_route(call, item), plan->set,
                                 json_get(plan->set, STR("seo")), item->json, &w)) ||
        ((item->type.kind->flags & WP_HAS_TERMS) &&
         ((error = wp_write_changed_terms(call, wp, item, plan->set, true, dry_run, &w)) ||
          (error = wp_write_featured(call, wp, json_get(plan->set, STR("featured_image")), dry_run, &w,
                                     &plan->image_made)))))
        return error;
    json_end(&w);
    return buf_failed(&plan->body) ? fail(call, E_LIMIT, "The content is too large.") : OK;
}

static void write_names(const struct json *set, struct buf *out)
{
    for (size_t i = 0; i < json_count(set) && json_is(set, JSON_OBJECT); i++)
        buf_add_format(out, "%s%.*s", i ? ", " : "set ", STR_ARG(json_member_at(set, i).name));
    if (json_count(set))
        buf_add_char(out, '\n');
}

enum found { FOUND_AS_ASKED, FOUND_AS_BEFORE, FOUND_ELSE };

/* By the fields that were sent, not by the version: that says nothing of meta, terms or who may comment. */
static enum found compare_found(struct call *call, const struct wp_item *before, const struct wp_write *write,
                                const struct wp_item *now)
{
    const struct json *earlier;
    if (!write->body_json || touched_is_missing(now->json, write->body_json))
        return FOUND_ELSE; /* it cannot be read, so nobody knows */
    if (!touched_difference(now->json, write->body_json).len)
        return FOUND_AS_ASKED;
    if (strcmp(now->version, before->version) != 0 || write->change.before_lost ||
        json_parse(call->arena, write->change.before_json, NULL, &earlier, NULL) != OK)
        return FOUND_ELSE;
    return touched_difference(now->json, earlier).len ? FOUND_ELSE : FOUND_AS_BEFORE;
}

/* After a write whose answer did not come: what does the site hold now? */
static int verify_unknown(struct call *call, const struct wp *wp, const struct wp_item *before, struct wp_write *write,
                          int error)
{
    struct wp_item now;
    struct str why = call->error_text;
    call_clear_error(call);
    struct str names = write->body_json ? touched_names(call, write->body_json) : STR_EMPTY;
    if (wp_item_get(call, wp, before->type.slug, before->key, str_from_offset(names, names.len ? 1 : 0), &now) != OK)
        return fail(call, error,
                    "Outcome unknown: the answer did not come (%.*s), and the item could not be read afterwards. Read "
                    "it before trying again.",
                    STR_ARG(why));
    switch (compare_found(call, before, write, &now)) {
    case FOUND_AS_BEFORE:
        return fail(call, error,
                    "Not changed: the answer did not come (%.*s), and the item is as it was, still at version %s. Try "
                    "again.",
                    STR_ARG(why), now.version);
    case FOUND_AS_ASKED:
        wp_write_found(call, wp, write, &now);
        return fail(call, error,
                    "Changed although the answer did not come (%.*s): the item holds what was asked for, version %s. "
                    "Do not repeat the edit.",
                    STR_ARG(why), now.version);
    default:
        return fail(call, error,
                    "Outcome unknown: the answer did not come (%.*s), and the item is at version %s now. Read it "
                    "before trying again.",
                    STR_ARG(why), now.version);
    }
}

/* In as few words as say it: who made the change knows what it was, and dry_run shows it. */
static void write_done(struct call *call, const struct wp_write *write, const struct wp_item *before,
                       const struct wp_item *after, const struct plan *plan, struct buf *out)
{
    buf_add_format(out, "version %s", after->version);
    if (!str_eq(after->status, before->status))
        buf_add_format(out, ", %.*s", STR_ARG(after->status));
    if (plan->changes.places.len)
        buf_add_format(out, ", block %.*s", STR_ARG(plan->changes.places));
    wp_write_say(write, out);
    if (plan->changes.note.len)
        buf_add_format(out, "\n%.*s", STR_ARG(plan->changes.note));
    if (!plan->n_edits || !after->is_raw || str_eq(after->raw, plan->new_raw))
        return;
    buf_add(out, STR("\nWordPress altered the text when it was saved (it removes what this user may not write):\n"));
    buf_add(out, changes_between(call->arena, plan->new_raw, after->raw));
}

/* The same; behind the first line of the text stands what WordPress altered. */
static void structured_done(struct call *call, const struct wp_write *write, const struct wp_item *after,
                            const struct plan *plan, struct tool_result *result)
{
    struct structured *s = structured_begin(call, write->context);
    size_t line = str_find_char(buf_str(&result->text), '\n');
    structured_written(s, write, after);
    structured_str(s, "blocks", plan->changes.places);
    if (line != STR_NOT_FOUND)
        structured_str(s, "note", str_from_offset(buf_str(&result->text), line + 1));
    structured_end(s, result);
}

static int write_change(struct call *call, const struct tool_context *context, const struct wp *wp,
                        const struct wp_item *item, const struct plan *plan, struct tool_result *result)
{
    struct wp_write *write = arena_new_of(call->arena, struct wp_write);
    *write = (struct wp_write){
        .kind = str_eq(item->status, STR("trash")) ? WP_WRITE_RESTORE : WP_WRITE_CHANGE,
        .context = context,
        .type = &item->type,
        .before = item,
        .method = "POST",
        .route = wp_item_route(call, item),
        .fields = wp_item_fields(call, &item->type, altered_fields(call, &item->type, plan->set)),
        .body = buf_str(&plan->body),
    };
    struct wp_answer answer;
    struct wp_item after;
    int error = wp_write(call, wp, write, &answer);
    if (error)
        return answer.outcome_unknown ? verify_unknown(call, wp, item, write, error) : error;
    wp_item_read(call, &item->type, answer.json, &after);
    write_done(call, write, item, &after, plan, &result->text);
    altered_write(&item->type, plan->set, after.json, &result->text);
    if (write->kind == WP_WRITE_RESTORE)
        undo_comments_of(call, wp, write, &result->text);
    structured_done(call, write, &after, plan, result);
    result->audit_json = call_format(call, "{\"id\":%.*s,\"type\":%.*s,\"before\":\"%s\",\"after\":\"%s\"}",
                                     STR_ARG(item->id ? item->key : json_quote(call->arena, item->key)),
                                     STR_ARG(json_quote(call->arena, item->type.slug)), item->version, after.version);
    return OK;
}

/* What is in the trash comes back by being given a status; nothing else is done to it there. */
static int may_edit(struct call *call, const struct wp *wp, const struct wp_item *item, const struct json *set)
{
    struct str status = wp_status_name(&item->type, json_str(json_get(set, STR("status"))));
    if (!(item->type.kind->flags & WP_EDITS))
        return fail(call, E_INVALID, "Type %.*s is not changed here.", STR_ARG(item->type.slug));
    if (str_eq(item->status, STR("trash")) && status.len)
        return wp_check_new_status(call, wp, &item->type, status);
    if (str_eq(item->status, STR("trash")))
        return fail(call, E_INVALID, "%.*s %.*s is in the trash. set {\"status\": \"draft\"} brings it back.",
                    STR_ARG(item->type.slug), STR_ARG(item->key));
    return wp_may_change(call, wp, &item->type, item->status);
}

int tool_edit(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result)
{
    struct wp wp;
    struct wp_item item;
    struct str extra, type = json_str(json_get(arguments, STR("type"))), id = json_str(json_get(arguments, STR("id")));
    struct plan *plan = arena_new_of(call->arena, struct plan);
    bool dry_run = json_bool_or(json_get(arguments, STR("dry_run")), false);
    int error;
    if (!json_is(json_get(arguments, STR("undo")), JSON_MISSING))
        return undo_change(call, context, json_str(json_get(arguments, STR("undo"))), id, dry_run, result);
    plan->set = json_get(arguments, STR("set"));
    if ((error = read_edits(call, json_get(arguments, STR("edits")), &plan->edits, &plan->n_edits)))
        return error;
    if (!plan->n_edits && !json_count(plan->set))
        return fail(call, E_INVALID, "Nothing to do: give edits, set, or both.");
    if (!id.len && !str_eq(type, STR("settings")))
        return fail(call, E_INVALID, "id: which item? Its id, address or slug.");
    if ((error = wp_open(call, context->site, context->rights, &wp)))
        return error;
    wp.host = context->host;
    wp.part_of = context->part_of;
    if ((error = extra_fields(call, &wp, type, plan->set, &extra)) ||
        /* A look needs no lock; and what waits for a background job must not hold what the job needs. */
        (error = (dry_run ? wp_item_get : wp_item_get_locked)(call, &wp, type, id, extra, &item)))
        return error;
    if ((error = may_edit(call, &wp, &item, plan->set)) ||
        (error = check_version(call, &item, json_str(json_get(arguments, STR("if_version"))))) ||
        (error = plan_body(call, &wp, &item, dry_run, plan)))
        return wp_say_image_made(call, plan->image_made, error);
    if (dry_run) {
        buf_add_format(&result->text, "Would change %.*s %.*s at version %s. Nothing was written.\n",
                       STR_ARG(item.type.slug), STR_ARG(item.key), item.version);
        write_names(plan->set, &result->text);
        if (plan->n_edits)
            buf_add(&result->text, changes_between(call->arena, item.raw, plan->new_raw));
        buf_add(&result->text, plan->changes.note);
        structured_preview(call, context, result);
        return OK;
    }
    return wp_say_image_made(call, plan->image_made, write_change(call, context, &wp, &item, plan, result));
}
