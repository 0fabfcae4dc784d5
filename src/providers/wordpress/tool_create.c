/* wp_create: a new post, page or item of a custom type; a draft unless said otherwise. */
#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/fields.h"
#include "providers/wordpress/tools.h"
#include "providers/wordpress/write.h"

enum { BODY_MAX_BYTES = 12 * 1024 * 1024 };

static int convert_content(struct call *call, const struct json *arguments, struct buf *out)
{
    enum content_format format;
    struct str content = json_str(json_get(arguments, STR("content")));
    if (!content_format_from(json_str(json_get(arguments, STR("format"))), &format))
        return fail(call, E_INVALID, "format is markdown, html or blocks.");
    return content.len ? content_to_blocks(call, content, format, out) : OK;
}

/* Terms last: they are made on the site, so everything else must have been found good before. */
static int write_body(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *arguments,
                      struct str content, bool dry_run, struct buf *body)
{
    const struct json *set = json_get(arguments, STR("set"));
    struct str status = json_str_or(json_get(arguments, STR("status")), STR("draft"));
    struct json_writer w;
    struct wp_terms *terms;
    size_t n_terms;
    int error;
    if ((error = wp_check_new_status(call, wp, status)))
        return error;
    json_write_init(&w, body);
    json_object(&w);
    json_member_str(&w, "title", json_str(json_get(arguments, STR("title"))));
    json_member_str(&w, "content", content);
    json_member_str(&w, "status", status);
    static const struct str own_arguments[] = {STR_INIT("title"),        STR_INIT("status"),
                                               STR_INIT("terms"),        STR_INIT("terms_add"),
                                               STR_INIT("terms_remove"), STR_INIT("featured_image")};
    for (size_t i = 0; i < ARRAY_LENGTH(own_arguments); i++)
        if (!json_is(json_get(set, own_arguments[i]), JSON_MISSING))
            return fail(call, E_INVALID, "Give %.*s as an argument of its own, not in set.", STR_ARG(own_arguments[i]));
    if ((error = wp_write_fields(call, wp, type, set, &w)) ||
        (error = wp_write_featured(call, json_get(arguments, STR("featured_image")), &w)) ||
        (error = wp_terms_resolve(call, wp, type, json_get(arguments, STR("terms")), &terms, &n_terms)))
        return error;
    for (size_t i = 0; i < n_terms && !dry_run; i++)
        if ((error = wp_terms_make_missing(call, wp, &terms[i],
                                           json_bool_or(json_get(arguments, STR("terms_create")), true))))
            return error;
    wp_write_terms(terms, n_terms, &w);
    json_end(&w);
    return buf_failed(body) ? fail(call, E_LIMIT, "The content is too large.") : OK;
}

static void write_preview(struct call *call, const struct json *arguments, const struct wp_type *type,
                          struct str content, struct buf *out)
{
    struct blocks blocks = blocks_parse(call->arena, content, BLOCKS_AS_WORDPRESS);
    buf_add_format(out, "Would create a %.*s, status %.*s, %zu blocks, %zu words. Nothing was written.\n\n%.*s",
                   STR_ARG(type->slug), STR_ARG(json_str_or(json_get(arguments, STR("status")), STR("draft"))),
                   blocks.count, text_word_count(call->arena, content), STR_ARG(text_cut(content, 2000)));
}

static int create(struct call *call, const struct tool_context *context, const struct wp *wp,
                  const struct wp_type *type, struct str body, struct wp_write *write, struct wp_answer *ret)
{
    *write = (struct wp_write){
        .kind = WP_WRITE_CREATE,
        .context = context,
        .type = type,
        .method = "POST",
        .route = type->route,
        .fields = STR(WP_ITEM_FIELDS),
        .body = body,
    };
    int error = wp_write(call, wp, write, ret);
    if (error && ret->outcome_unknown) {
        struct str why = call->error_text;
        return fail(
            call, error,
            "Outcome unknown: the request may have been carried out although its answer did not come (%.*s). Look with "
            "wp_find status=any order=-id before trying again.",
            STR_ARG(why));
    }
    return error;
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
    bool dry_run = json_bool_or(json_get(arguments, STR("dry_run")), false);
    int error;
    buf_init(&content, call->arena, CONTENT_BYTES_MAX);
    buf_init(&body, call->arena, BODY_MAX_BYTES);
    if ((error = wp_open(call, context->site, context->rights, &wp)))
        return error;
    wp.host = context->host;
    if ((error = wp_type_find(call, &wp, json_str(json_get(arguments, STR("type"))), &type)) ||
        (error = convert_content(call, arguments, &content)) ||
        (error = write_body(call, &wp, &type, arguments, buf_str(&content), dry_run, &body)))
        return error;
    if (dry_run) {
        write_preview(call, arguments, &type, buf_str(&content), &result->text);
        return OK;
    }
    if ((error = create(call, context, &wp, &type, buf_str(&body), write, &answer)))
        return error;
    wp_item_read(call, &type, answer.json, &item);
    if (!item.id)
        return fail(call, E_UPSTREAM,
                    "The site answered without an id: the item may have been made. Look with wp_find.");
    buf_add_format(&result->text, "id %lld, %.*s, %.*s, version %s", (long long)item.id, STR_ARG(type.slug),
                   STR_ARG(item.status), item.version);
    wp_write_say(write, &result->text);
    buf_add_format(&result->text, "\n%.*s", STR_ARG(item.link));
    if (item.is_raw && !str_eq(item.raw, buf_str(&content)))
        buf_add(&result->text,
                STR("\nWordPress altered the content when it was saved (it removes what this user may not write)."));
    result->audit_json =
        call_format(call, "{\"id\":%lld,\"type\":%.*s,\"status\":%.*s}", (long long)item.id,
                    STR_ARG(json_quote(call->arena, type.slug)), STR_ARG(json_quote(call->arena, item.status)));
    return OK;
}
