/* wp_create: a new post, page or item of a custom type; a draft unless said otherwise. */
#include "providers/wordpress/altered.h"
#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/changes.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/fields.h"
#include "providers/wordpress/menu.h"
#include "providers/wordpress/route_guard.h"
#include "providers/wordpress/schedule.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"
#include "providers/wordpress/write.h"

enum { BODY_MAX_BYTES = 12 * 1024 * 1024 };

/* Texts of posts become blocks; a comment or a description is taken as it is. */
static int convert_content(struct call *call, const struct wp_type *type, const struct json *arguments, struct buf *out)
{
    enum content_format format;
    struct str content = json_str(json_get(arguments, STR("content")));
    if (content.len && !type->kind->text.len)
        return fail(call, E_INVALID, "Type %.*s has no content: use set.", STR_ARG(type->slug));
    if (!(type->kind->flags & WP_HAS_BLOCKS)) {
        buf_add(out, content);
        return OK;
    }
    if (!content_format_from(json_str(json_get(arguments, STR("format"))), &format))
        return fail(call, E_INVALID, "format is markdown, html or blocks.");
    return content.len ? content_to_blocks(call, content, format, out) : OK;
}

/* What has an argument of its own is not taken from `set` as well. */
static int refuse_doubles(struct call *call, const struct wp_type *type, const struct json *arguments,
                          const struct json *set)
{
    static const struct str own_arguments[] = {
        STR_INIT("title"),     STR_INIT("status"),       STR_INIT("content"),        STR_INIT("terms"),
        STR_INIT("terms_add"), STR_INIT("terms_remove"), STR_INIT("featured_image"), STR_INIT("seo"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(own_arguments); i++)
        if (!json_is(json_get(set, own_arguments[i]), JSON_MISSING))
            return fail(call, E_INVALID, "Give %.*s as an argument of its own, not in set.", STR_ARG(own_arguments[i]));
    if (!json_is(json_get(set, type->kind->title), JSON_MISSING) && type->kind->title.len)
        return fail(call, E_INVALID, "Give %.*s as title, not in set.", STR_ARG(type->kind->title));
    if (type->kind->text.len && json_str(json_get(arguments, STR("content"))).len &&
        !json_is(json_get(set, type->kind->text), JSON_MISSING))
        return wp_refuse_twice(call, STR("content"), call_format(call, "set.%.*s", STR_ARG(type->kind->text)));
    if (!json_is(json_get(arguments, STR("featured_image")), JSON_MISSING) &&
        !json_is(json_get(set, STR("featured_media")), JSON_MISSING))
        return wp_refuse_twice(call, STR("featured_image"), STR("set.featured_media"));
    return OK;
}

/*
 * The status it is made with; empty where there is none to give. Posts are drafts unless asked otherwise. What WordPress would
 * publish by itself needs the right to; a comment by a token without it waits for approval.
 */
static int choose_status(struct call *call, const struct wp *wp, const struct wp_type *type,
                         const struct json *arguments, struct str *ret)
{
    const struct wp_kind *kind = type->kind;
    *ret = wp_status_name(type, json_str(json_get(arguments, STR("status"))));
    if (!ret->len && (kind->flags & WP_HAS_BLOCKS) && kind->id == WP_ID_NUMBER)
        *ret = STR("draft");
    if (!ret->len && str_eq(kind->name, STR("product")))
        *ret = STR("draft");
    if (!ret->len && str_eq(kind->name, STR("comment")) && !(wp->rights & RIGHT_PUBLISH))
        *ret = STR("hold");
    return ret->len ? wp_check_new_status(call, wp, type, *ret) : wp_may_change(call, wp, type, STR("publish"));
}

static int write_fixed(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *arguments,
                       struct str content, struct str status, struct json_writer *w)
{
    struct str title = json_str(json_get(arguments, STR("title")));
    if (title.len && !type->kind->title.len)
        return fail(call, E_INVALID, "Type %.*s has no title: use set.", STR_ARG(type->slug));
    if (type->kind->title.len) {
        json_key(w, type->kind->title);
        json_string(w, title);
    }
    if (type->kind->text.len && (content.len || (type->kind->flags & WP_HAS_BLOCKS))) {
        json_key(w, type->kind->text);
        json_string(w, content);
    }
    if (status.len)
        json_member_str(w, "status", status);
    return str_eq(type->kind->name, STR("menu_item"))
               ? wp_write_menu_place(call, wp, json_get(arguments, STR("set")), w)
               : OK;
}

/* Terms and image last: they are made on the site, so everything else must have been found good before. */
static int write_terms(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *arguments,
                       bool dry_run, struct json_writer *w, int64_t *ret_image)
{
    struct wp_terms *terms;
    size_t n_terms;
    const struct json *named = json_get(arguments, STR("terms")),
                      *featured = json_get(arguments, STR("featured_image"));
    if (!(type->kind->flags & WP_HAS_TERMS))
        return json_is(named, JSON_MISSING) && json_is(featured, JSON_MISSING)
                   ? OK
                   : fail(call, E_INVALID, "Type %.*s has no terms and no featured image.", STR_ARG(type->slug));
    int error = wp_terms_resolve(call, wp, type, named, &terms, &n_terms);
    if (!error)
        error = wp_check_terms(call, json_get(arguments, STR("set")), STR("terms"), terms, n_terms);
    if (!error && !json_is(featured, JSON_MISSING))
        error = wp_guard_field(call, wp, type, type->route, STR("featured_media"), featured, NULL);
    if (error)
        return error;
    for (size_t i = 0; i < n_terms && !dry_run; i++)
        if ((error = wp_terms_make_missing(call, wp, &terms[i],
                                           json_bool_or(json_get(arguments, STR("terms_create")), true))))
            return error;
    wp_write_terms(terms, n_terms, w);
    return wp_write_featured(call, wp, featured, dry_run, w, ret_image);
}

static int write_body(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *arguments,
                      struct str content, struct str status, bool dry_run, struct buf *body, int64_t *ret_image)
{
    const struct json *set = json_get(arguments, STR("set"));
    struct json_writer w;
    int error = refuse_doubles(call, type, arguments, set);
    if (error)
        return error;
    json_write_init(&w, body);
    json_object(&w);
    if ((error = write_fixed(call, wp, type, arguments, content, status, &w)) ||
        (error = wp_write_fields(call, wp, type, type->route, set, json_get(arguments, STR("seo")), NULL, &w)) ||
        (error = write_terms(call, wp, type, arguments, dry_run, &w, ret_image)))
        return error;
    json_end(&w);
    return buf_failed(body) ? fail(call, E_LIMIT, "The content is too large.") : OK;
}

static void write_preview(struct call *call, const struct wp_type *type, struct str status, struct str content,
                          struct str body, struct buf *out)
{
    if (!(type->kind->flags & WP_HAS_BLOCKS)) {
        buf_add_format(out, "Would create a %.*s. Nothing was written.\n%.*s", STR_ARG(type->slug),
                       STR_ARG(text_cut(body, 2000)));
        return;
    }
    struct blocks blocks = blocks_parse(call->arena, content, BLOCKS_AS_WORDPRESS);
    buf_add_format(out, "Would create a %.*s, status %.*s, %zu blocks, %zu words. Nothing was written.\n\n%.*s",
                   STR_ARG(type->slug), STR_ARG(status), blocks.count, text_word_count(call->arena, content),
                   STR_ARG(text_cut(content, 2000)));
}

static int create(struct call *call, const struct tool_context *context, const struct wp *wp,
                  const struct wp_type *type, struct str body, struct str fields, struct wp_write *write,
                  struct wp_answer *ret)
{
    *write = (struct wp_write){
        .kind = WP_WRITE_CREATE,
        .context = context,
        .type = type,
        .method = "POST",
        .route = type->route,
        .fields = fields,
        .body = body,
    };
    return wp_write(call, wp, write, ret);
}

/* In as few words as say it. */
static void write_made(struct call *call, const struct tool_context *context, const struct wp_write *write,
                       const struct wp_item *item, struct str content, const struct json *set,
                       const struct json *featured, struct tool_result *result)
{
    struct buf *out = &result->text;
    buf_add_format(out, "id %.*s", STR_ARG(item->key));
    if (item->status.len)
        buf_add_format(out, ", %.*s", STR_ARG(item->status));
    buf_add_format(out, ", version %s", item->version);
    wp_write_say(write, out);
    if (item->link.len)
        buf_add_format(out, "\n%.*s", STR_ARG(item->link));
    size_t said = out->len;
    if (item->is_raw && content.len && !str_eq(item->raw, content)) {
        buf_add(out,
                STR("\nWordPress altered the text when it was saved (it removes what this user may not write):\n"));
        buf_add(out, changes_between(call->arena, content, item->raw));
    }
    altered_write(&item->type, set, item->json, out);
    altered_featured(featured, item->json, out);
    altered_missing(&item->type, set, featured, item->json, out);
    struct structured *s = structured_begin(call, context);
    structured_written(s, write, item);
    structured_str(s, "note", str_trim(str_from_offset(buf_str(out), said)));
    structured_end(s, result);
    result->audit_json =
        call_format(call, "{\"id\":%.*s,\"type\":%.*s,\"status\":%.*s}",
                    STR_ARG(item->id ? item->key : json_quote(call->arena, item->key)),
                    STR_ARG(json_quote(call->arena, item->type.slug)), STR_ARG(json_quote(call->arena, item->status)));
}

static int check_type(struct call *call, const struct wp_type *type)
{
    if (type->kind->flags & WP_CREATES)
        return OK;
    if (str_eq(type->kind->name, STR("media")))
        return fail(call, E_INVALID, "wp_upload puts files into the media library.");
    if (str_eq(type->kind->name, STR("user")))
        return fail(call, E_DENIED, "People are added in WordPress itself: a new user is a credential.");
    return fail(call, E_INVALID, "Type %.*s is not created here.", STR_ARG(type->slug));
}

int tool_create(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result)
{
    struct wp wp;
    struct wp_type type;
    struct buf content, body;
    struct wp_answer answer;
    struct wp_write *write = arena_new_of(call->arena, struct wp_write);
    struct wp_item item;
    struct str status;
    int64_t image = 0; /* made for featured_image */
    const struct json *set = json_get(arguments, STR("set"));
    bool dry_run = json_bool_or(json_get(arguments, STR("dry_run")), false);
    int error;
    buf_init(&content, call->arena, CONTENT_BYTES_MAX);
    buf_init(&body, call->arena, BODY_MAX_BYTES);
    if ((error = wp_open(call, context->site, context->rights, &wp)))
        return error;
    wp.host = context->host;
    wp.part_of = context->part_of;
    if ((error = wp_type_find(call, &wp, json_str(json_get(arguments, STR("type"))), &type)) ||
        (error = check_type(call, &type)) || (error = choose_status(call, &wp, &type, arguments, &status)) ||
        (error = wp_check_schedule(call, &wp, &type, status, set, NULL)) ||
        (error = convert_content(call, &type, arguments, &content)) ||
        (error = write_body(call, &wp, &type, arguments, buf_str(&content), status, dry_run, &body, &image)))
        return wp_say_image_made(call, image, error);
    if (dry_run) {
        write_preview(call, &type, status, buf_str(&content), buf_str(&body), &result->text);
        structured_preview(call, context, result);
        return OK;
    }
    const struct json *featured = json_get(arguments, STR("featured_image"));
    struct str extra = altered_fields(call, &type, set);
    if (!json_is(featured, JSON_MISSING))
        extra = call_format(call, "%.*s%sfeatured_media", STR_ARG(extra), extra.len ? "," : "");
    struct str fields = wp_item_fields(call, &type, extra);
    if ((error = create(call, context, &wp, &type, buf_str(&body), fields, write, &answer)))
        return wp_say_image_made(call, image, error);
    wp_item_read(call, &type, answer.json, &item);
    if (!item.key.len)
        return fail(call, E_UPSTREAM,
                    "The site answered without an id: the item may have been made. Look with wp_find.");
    write_made(call, context, write, &item, buf_str(&content), set, featured, result);
    return OK;
}
