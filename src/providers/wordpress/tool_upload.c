/* wp_upload: a file into the media library, from an address, from base64, or by a link that it is sent to. */
#include "json/json_write.h"
#include "providers/wordpress/media.h"
#include "providers/wordpress/route_guard.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"

enum {
    DATA_MAX_BYTES = 300 * 1024, /* of base64: 200 kB of file and some more */
    MIB = 1024 * 1024,
};

/* What it belongs to, found and judged before anything is sent. */
struct targets {
    struct wp_item featured; /* id 0: none */
    int64_t attach_to;
};

/* Of whatever type; locked by the caller. */
static int find_item(struct call *call, const struct wp *wp, int64_t id, struct str extra, struct wp_item *ret)
{
    struct str text = call_format(call, "%lld", (long long)id);
    int error = wp_item_get(call, wp, STR_EMPTY, text, extra, ret);
    struct wp_type *types;
    size_t count;
    if (error != E_NOT_FOUND)
        return error;
    call_clear_error(call);
    if ((error = wp_type_list(call, wp, &types, &count)))
        return error;
    for (size_t i = 0; i < count; i++) {
        if (str_eq(types[i].slug, STR("post")) || str_eq(types[i].slug, STR("page")))
            continue;
        error = wp_item_get(call, wp, types[i].slug, text, extra, ret);
        if (error != E_NOT_FOUND && error != E_DENIED)
            return error;
        call_clear_error(call);
    }
    return fail(call, E_NOT_FOUND, "There is no item %lld to attach the file to.", (long long)id);
}

static int find_targets(struct call *call, const struct wp *wp, const struct json *arguments, struct targets *ret)
{
    int64_t attach_to = json_i64_or(json_get(arguments, STR("attach_to")), 0);
    int64_t featured_for = json_i64_or(json_get(arguments, STR("featured_for")), 0);
    int error;
    *ret = (struct targets){.attach_to = attach_to ? attach_to : featured_for};
    if (attach_to < 0 || featured_for < 0)
        return fail(call, E_INVALID, "attach_to and featured_for are ids of posts.");
    /* Before either is read, so that the one that is read first is not always the one that is locked first (item.h). */
    int64_t both[] = {attach_to < featured_for ? attach_to : featured_for,
                      attach_to < featured_for ? featured_for : attach_to};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        if (both[i] && (error = wp_item_lock(call, wp, both[i])))
            return error;
    struct wp_item *featured = &ret->featured;
    if (featured_for && ((error = find_item(call, wp, featured_for, STR("featured_media"), featured)) ||
                         (error = wp_may_change(call, wp, &featured->type, featured->status)) ||
                         (error = wp_guard_field(call, wp, &featured->type, featured->type.route, STR("featured_media"),
                                                 featured->json, featured->json))))
        return error;
    if (attach_to && attach_to != featured_for) {
        struct wp_item item;
        if ((error = find_item(call, wp, attach_to, STR_EMPTY, &item)) ||
            (error = wp_may_change(call, wp, &item.type, item.status)))
            return error;
    }
    return OK;
}

/* --- where it comes from ----------------------------------------------------------------------------------------------- */

static int take_file(struct call *call, const struct tool_context *context, const struct wp *wp,
                     const struct json *arguments, struct media_file *ret)
{
    struct str url = json_str(json_get(arguments, STR("url"))), data = json_str(json_get(arguments, STR("data")));
    struct str name = json_str(json_get(arguments, STR("filename")));
    if (context->file)
        return media_from_source(call, context->file->source, name.len ? name : context->file->name,
                                 context->file->declared_type, ret);
    host_progress(call, context->host, 1, 3, url.len ? STR("Fetching the file") : STR("Reading the file"));
    if (url.len)
        return media_from_url(call, wp, url, name, ret);
    if (data.len > DATA_MAX_BYTES)
        return fail(
            call, E_LIMIT,
            "data is for files under 200 kB. For larger ones leave url and data out: you get a link to send the "
            "file to.");
    return media_from_base64(call, data, name, ret);
}

static int make_link(struct call *call, const struct tool_context *context, struct tool_result *result)
{
    struct upload_link link = {0};
    int error = host_upload_link(call, context->host, &link);
    if (error)
        return error;
    /* The slash lets curl add the file's name. */
    buf_add_format(&result->text,
                   "Send the file within %lld minutes, once, up to %lld MB; the answer names its id:\n"
                   "curl -T FILE '%.*s'",
                   (long long)(link.life_ms / 60000), (long long)(spool_max_bytes() / MIB), STR_ARG(link.url));
    result->audit_json = call_format(call, "{\"link\":\"%.*s\"}", STR_ARG(link.id));
    struct structured *s = structured_begin(call, context);
    structured_str(s, "send_to", link.url);
    structured_i64(s, "minutes", link.life_ms / 60000);
    structured_i64(s, "max_megabytes", spool_max_bytes() / MIB);
    structured_end(s, result);
    return OK;
}

/* --- what is done with it ---------------------------------------------------------------------------------------------- */

/* *ret_is_set: as far as the answer tells; of a type that has no such thing it was refused before. */
static int set_featured(struct call *call, const struct tool_context *context, const struct wp *wp,
                        const struct wp_item *item, int64_t id, struct wp_write *write, bool *ret_is_set)
{
    struct wp_answer answer;
    *write = (struct wp_write){
        .kind = WP_WRITE_CHANGE,
        .context = context,
        .type = &item->type,
        .before = item,
        .method = "POST",
        .route = call_format(call, "%.*s/%lld", STR_ARG(item->type.route), (long long)item->id),
        .fields = STR(WP_ITEM_FIELDS ",featured_media"),
        .body = call_format(call, "{\"featured_media\":%lld}", (long long)id),
    };
    int error = wp_write(call, wp, write, &answer);
    *ret_is_set = !error && json_i64_or(json_get(answer.json, STR("featured_media")), id) == id;
    return error;
}

static void say_done(struct call *call, const struct media_file *file, const struct media_item *item,
                     struct structured *s, struct tool_result *result)
{
    buf_add_format(&result->text, "id %lld, %.*s", (long long)item->id,
                   STR_ARG(media_size_text(call, file->spool->size_bytes)));
    if (file->type.is_renamed)
        buf_add_format(&result->text, ", stored as %.*s", STR_ARG(file->type.name));
    structured_i64(s, "id", item->id);
    structured_str(s, "type", STR("media"));
    structured_i64(s, "bytes", file->spool->size_bytes);
    structured_str(s, "mime", file->type.mime);
    if (file->type.is_renamed)
        structured_str(s, "stored_as", file->type.name);
    structured_str(s, "url", item->url);
    /* No "undo 12": the library has no trash to put it into. */
    buf_add_format(&result->text, "\n%.*s", STR_ARG(item->url));
    result->audit_json = call_format(call, "{\"id\":%lld,\"bytes\":%lld,\"type\":%.*s,\"sha256\":\"%s\"}",
                                     (long long)item->id, (long long)file->spool->size_bytes,
                                     STR_ARG(json_quote(call->arena, file->type.mime)), file->spool->sha256);
}

int tool_upload(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result)
{
    struct wp wp;
    struct targets *targets = arena_new_of(call->arena, struct targets);
    struct media_file file = {0};
    struct media_item item;
    struct wp_write featured = {0};
    bool has_url = json_str(json_get(arguments, STR("url"))).len > 0;
    bool has_data = json_str(json_get(arguments, STR("data"))).len > 0;
    struct media_details details = {
        .alt = json_str(json_get(arguments, STR("alt"))),
        .title = json_str(json_get(arguments, STR("title"))),
        .caption = json_str(json_get(arguments, STR("caption"))),
    };
    int error;
    if (has_url && has_data)
        return fail(call, E_INVALID, "Give url or data, not both.");
    if ((error = wp_open(call, context->site, context->rights, &wp)))
        return error;
    wp.host = context->host;
    if ((error = find_targets(call, &wp, arguments, targets)))
        return error;
    if (!has_url && !has_data && !context->file)
        return make_link(call, context, result);
    if ((error = take_file(call, context, &wp, arguments, &file)) || !file.spool)
        return error; /* the file is there whenever there is no error */
    if (targets->featured.id && !file.type.is_image)
        return fail(call, E_INVALID, "A featured image must be an image; this is %.*s.", STR_ARG(file.type.mime));
    host_progress(call, context->host, 2, 3, STR("Sending it to WordPress"));
    details.attach_to = targets->attach_to;
    if ((error = media_send(call, &wp, &file, &details, &item)))
        return error;
    struct structured *s = structured_begin(call, context);
    say_done(call, &file, &item, s, result);
    bool is_set = false;
    if (targets->featured.id &&
        (error = set_featured(call, context, &wp, &targets->featured, item.id, &featured, &is_set)))
        return fail(call, error, "The file is in the library as %lld, but is not the featured image of %lld: %.*s",
                    (long long)item.id, (long long)targets->featured.id, STR_ARG(call->error_text));
    if (targets->featured.id && !is_set)
        buf_add_format(&result->text, "\nWordPress did not take it as featured image of %lld.",
                       (long long)targets->featured.id);
    if (is_set) {
        buf_add_format(&result->text, "\nfeatured image of %lld", (long long)targets->featured.id);
        wp_write_say(&featured, &result->text);
        structured_i64(s, "featured_for", targets->featured.id);
        structured_undo(s, &featured);
    }
    structured_end(s, result);
    return OK;
}
