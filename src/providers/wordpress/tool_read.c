/* wp_read: one item as text. */
#include "providers/wordpress/content/markdown_out.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/item.h"
#include "providers/wordpress/seo.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/terms.h"
#include "providers/wordpress/tools.h"

enum {
    CHARS_DEFAULT = 20000,
    CHARS_MAX = 400000,
    REVISIONS_SHOWN = 20,
    COMMENTS_SHOWN = 20,
    COMMENT_CHARS_MAX = 500,
    VALUE_CHARS_MAX = 1000,
    PLAIN_CHARS_MAX = 4000,
};

static bool includes(const struct json *include, const char *what)
{
    for (size_t i = 0; i < json_count(include); i++)
        if (str_eq(json_str(json_at(include, i)), str_from(what)))
            return true;
    return false;
}

/* What the REST API must be asked for, beside the item itself. */
static struct str extra_fields(struct call *call, const struct json *include)
{
    struct str fields = STR("parent,featured_media");
    bool seo = includes(include, "seo");
    if (seo || includes(include, "meta"))
        fields = str_concat(call->arena, fields, STR(",meta"));
    if (includes(include, "fields"))
        fields = str_concat(call->arena, fields, STR(",acf"));
    return seo ? str_concat(call->arena, fields, STR(",yoast_head_json")) : fields;
}

static void write_head(const struct wp_item *item, struct structured *s, struct buf *out)
{
    int64_t parent = json_i64_or(json_get(item->json, STR("parent")), 0);
    int64_t featured = json_i64_or(json_get(item->json, STR("featured_media")), 0);
    buf_add_format(out, "title: %.*s\nid: %.*s, %.*s, ", STR_ARG(item->title), STR_ARG(item->key),
                   STR_ARG(item->type.slug));
    if (item->status.len)
        buf_add_format(out, "%.*s, ", STR_ARG(item->status));
    if (item->date.len)
        buf_add_format(out, "%.*s, ", STR_ARG(str_sub(item->date, 0, 16)));
    buf_add_format(out, "version %s\n", item->version);
    if (item->link.len)
        buf_add_format(out, "url: %.*s\n", STR_ARG(item->link));
    if (parent)
        buf_add_format(out, "parent: %lld\n", (long long)parent);
    if (featured)
        buf_add_format(out, "featured image: %lld\n", (long long)featured);
    structured_str(s, "title", item->title);
    structured_id(s, "id", item->id, item->key);
    structured_str(s, "type", item->type.slug);
    structured_str(s, "status", item->status);
    structured_str(s, "date", str_sub(item->date, 0, 16));
    structured_str(s, "version", str_from(item->version));
    structured_str(s, "url", item->link);
    if (parent)
        structured_i64(s, "parent", parent);
    if (featured)
        structured_i64(s, "featured_image", featured);
    if (!item->is_raw)
        structured_bool(s, "as_visitors_see_it", true);
    if (!item->is_raw)
        buf_add(out, STR("note: shown as visitors see it; this WordPress user may not edit it\n"));
}

/* --- things that are no texts -------------------------------------------------------------------------------------------- */

static struct str plain_value(struct call *call, const struct json *value)
{
    const struct json *raw = json_get(value, STR("raw")), *rendered = json_get(value, STR("rendered"));
    if (json_is(raw, JSON_STRING))
        return json_str(raw);
    if (json_is(rendered, JSON_STRING))
        return text_from_html(call->arena, json_str(rendered));
    return json_is(value, JSON_STRING) ? json_str(value) : json_raw(value);
}

static bool is_empty(struct str text)
{
    return !text.len || str_eq(text, STR("[]")) || str_eq(text, STR("{}")) || str_eq(text, STR("null"));
}

static void write_line(struct call *call, struct json_member member, struct structured *s, struct buf *out)
{
    struct str text = plain_value(call, member.value), shown = text_cut(text, PLAIN_CHARS_MAX);
    if (is_empty(text))
        return;
    shown = call_format(call, "%.*s%s", STR_ARG(shown), shown.len < text.len ? "… [cut; wp_get reads it whole]" : "");
    buf_add_format(out, "%.*s: %.*s\n", STR_ARG(member.name), STR_ARG(shown));
    structured_cell(s, member.name, member.value, shown);
}

/* The kind's fields that are not empty, one a line; of the settings, when one is named, only that. */
static void write_plain_head(struct call *call, const struct wp_item *item, struct str id, struct structured *s,
                             struct buf *out)
{
    const struct wp_kind *kind = item->type.kind;
    bool one = kind->id == WP_ID_NONE && !json_is(json_get(item->json, id), JSON_MISSING);
    buf_add_format(out, "%.*s, version %s\n", STR_ARG(item->type.slug), item->version);
    structured_id(s, "id", item->id, item->key);
    structured_str(s, "type", item->type.slug);
    structured_str(s, "version", str_from(item->version));
    structured_object(s, "fields");
    for (size_t i = 0; json_is(item->json, JSON_OBJECT) && i < json_count(item->json); i++) {
        struct json_member member = json_member_at(item->json, i);
        if ((!one || str_eq(member.name, id)) && !str_eq(member.name, kind->text) &&
            !wp_list_has(STR("_links,_embedded,meta,acf,yoast_head_json"), member.name))
            write_line(call, member, s, out);
    }
    structured_close(s);
}

/* --- what can be included ------------------------------------------------------------------------------------------------ */

static int write_terms(struct call *call, const struct wp *wp, const struct wp_item *item, struct buf *out)
{
    for (size_t i = 0; i < item->type.n_taxonomies; i++) {
        struct wp_taxonomy taxonomy;
        struct wp_answer answer;
        struct wp_query query;
        int error = wp_taxonomy_find(call, wp, &item->type, item->type.taxonomies[i], &taxonomy);
        if (error)
            return error;
        wp_query_init(call, &query);
        wp_query_add_i64(&query, "post", item->id);
        wp_query_add_i64(&query, "per_page", 100);
        wp_query_add(&query, "_fields", STR("name"));
        if ((error = wp_get(call, wp, taxonomy.route, &query, &answer)))
            return error;
        for (size_t k = 0; k < json_count(answer.json); k++) {
            struct str name = text_from_html(call->arena, json_str(json_get(json_at(answer.json, k), STR("name"))));
            buf_add_format(out, k ? ", %.*s" : "%.*s: ", STR_ARG(k ? name : taxonomy.slug));
            if (k == 0)
                buf_add(out, name);
        }
        if (json_count(answer.json))
            buf_add_char(out, '\n');
    }
    return OK;
}

/* "meta.isbn: 978…" for each member that is not empty. */
static void write_members(struct call *call, const char *label, const struct json *object, struct buf *out)
{
    for (size_t i = 0; i < json_count(object) && json_is(object, JSON_OBJECT); i++) {
        struct json_member member = json_member_at(object, i);
        struct str text = json_is(member.value, JSON_STRING) ? json_str(member.value) : json_raw(member.value);
        if (!text.len)
            continue;
        struct str shown = text_cut(text, VALUE_CHARS_MAX);
        buf_add_format(out, "%s.%.*s: %.*s%s\n", label, STR_ARG(member.name), STR_ARG(shown),
                       shown.len < text.len ? "…" : "");
    }
    (void)call;
}

static int write_revisions(struct call *call, const struct wp *wp, const struct wp_item *item, struct buf *out)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add_i64(&query, "per_page", REVISIONS_SHOWN);
    wp_query_add(&query, "_fields", STR("id,author,modified"));
    int error =
        wp_get(call, wp, call_format(call, "%.*s/%lld/revisions", STR_ARG(item->type.route), (long long)item->id),
               &query, &answer);
    if (error)
        return error;
    buf_add(out, json_count(answer.json) ? STR("revisions (id, date, author):") : STR("revisions: none"));
    for (size_t i = 0; i < json_count(answer.json); i++) {
        const struct json *revision = json_at(answer.json, i);
        buf_add_format(out, "%s %lld %.*s %lld", i ? ";" : "", (long long)json_i64_or(json_get(revision, STR("id")), 0),
                       STR_ARG(str_sub(json_str(json_get(revision, STR("modified"))), 0, 16)),
                       (long long)json_i64_or(json_get(revision, STR("author")), 0));
    }
    buf_add_char(out, '\n');
    return OK;
}

static int write_comments(struct call *call, const struct wp *wp, const struct wp_item *item, struct buf *out)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add_i64(&query, "post", item->id);
    wp_query_add_i64(&query, "per_page", COMMENTS_SHOWN);
    wp_query_add(&query, "_fields", STR("id,author_name,date,content"));
    int error = wp_get(call, wp, STR("wp/v2/comments"), &query, &answer);
    if (error)
        return error;
    buf_add_format(out, "comments: %zu of %lld\n", json_count(answer.json),
                   (long long)(answer.total < 0 ? 0 : answer.total));
    for (size_t i = 0; i < json_count(answer.json); i++) {
        const struct json *comment = json_at(answer.json, i);
        struct str text = text_from_html(call->arena, json_str(json_path(comment, "content.rendered")));
        buf_add_format(out, "- %lld %.*s, %.*s: %.*s\n", (long long)json_i64_or(json_get(comment, STR("id")), 0),
                       STR_ARG(str_sub(json_str(json_get(comment, STR("author_name"))), 0, 80)),
                       STR_ARG(str_sub(json_str(json_get(comment, STR("date"))), 0, 10)),
                       STR_ARG(text_cut(text, COMMENT_CHARS_MAX)));
    }
    return OK;
}

static int write_included(struct call *call, const struct wp *wp, const struct wp_item *item,
                          const struct json *include, struct buf *out)
{
    int error = OK;
    if (includes(include, "terms") && (error = write_terms(call, wp, item, out)))
        return error;
    if (includes(include, "meta"))
        write_members(call, "meta", json_get(item->json, STR("meta")), out);
    if (includes(include, "fields"))
        write_members(call, "acf", json_get(item->json, STR("acf")), out);
    if (includes(include, "seo"))
        wp_show_seo(call, item->json, out);
    if (includes(include, "revisions") && (error = write_revisions(call, wp, item, out)))
        return error;
    if (includes(include, "comments"))
        error = write_comments(call, wp, item, out);
    return error;
}

static int write_content(struct call *call, const struct wp_item *item, const struct json *arguments, struct buf *out)
{
    struct str format = json_str_or(json_get(arguments, STR("format")), STR("markdown"));
    int64_t max_chars = json_i64_or(json_get(arguments, STR("max_chars")), CHARS_DEFAULT);
    struct content_view view = {.part = json_str(json_get(arguments, STR("part")))};
    if (max_chars < 1 || max_chars > CHARS_MAX)
        return fail(call, E_INVALID, "max_chars must be 1 to %d.", CHARS_MAX);
    view.max_chars = (size_t)max_chars;
    if (str_eq(format, STR("none")))
        return OK;
    buf_add_char(out, '\n');
    if (str_eq(format, STR("blocks")))
        return content_numbered_blocks(call, item->raw, &view, out);
    if (str_eq(format, STR("outline")))
        return content_outline(call, item->raw, &view, out);
    if (str_eq(format, STR("html")))
        return content_raw_part(call, item->raw, &view, out);
    return content_to_markdown(call, item->raw, &view, out);
}

/* An older text of the same item, in its place. */
static int read_revision(struct call *call, const struct wp *wp, struct wp_item *item, int64_t revision)
{
    struct wp_answer answer;
    struct wp_query query;
    struct wp_item old;
    wp_query_init(call, &query);
    wp_query_add(&query, "context", STR("edit"));
    wp_query_add(&query, "_fields", STR("id,date,slug,title,content"));
    struct str route = call_format(call, "%.*s/%lld/revisions/%lld", STR_ARG(item->type.route), (long long)item->id,
                                   (long long)revision);
    int error = wp_get(call, wp, route, &query, &answer);
    if (error == E_NOT_FOUND)
        return fail(call, E_NOT_FOUND, "%.*s %lld has no revision %lld. include=[\"revisions\"] lists them.",
                    STR_ARG(item->type.slug), (long long)item->id, (long long)revision);
    if (error)
        return error;
    wp_item_read(call, &item->type, answer.json, &old);
    item->title = old.title;
    item->raw = old.raw;
    item->date = old.date;
    return OK;
}

/* A comment's or a description's text; a pattern's is blocks. */
static int write_plain_text(struct call *call, const struct wp_item *item, const struct json *arguments,
                            struct buf *out)
{
    if (!item->type.kind->text.len || !item->raw.len ||
        str_eq(json_str(json_get(arguments, STR("format"))), STR("none")))
        return OK;
    if (str_contains(item->raw, STR("<!-- wp:")))
        return write_content(call, item, arguments, out);
    int64_t max_chars = json_i64_or(json_get(arguments, STR("max_chars")), CHARS_DEFAULT);
    struct str shown = text_cut(item->raw, max_chars > 0 ? (size_t)max_chars : 0);
    buf_add_format(out, "\n%.*s%s", STR_ARG(shown), shown.len < item->raw.len ? "… [cut; raise max_chars]" : "");
    return OK;
}

int tool_read(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result)
{
    struct wp wp;
    struct wp_item item;
    const struct json *include = json_get(arguments, STR("include"));
    struct str id = json_str(json_get(arguments, STR("id")));
    int64_t revision = json_i64_or(json_get(arguments, STR("revision")), 0);
    int error;
    if ((error = wp_open(call, context->site, context->rights, &wp)) ||
        (error = wp_item_get(call, &wp, json_str(json_get(arguments, STR("type"))), id, extra_fields(call, include),
                             &item)) ||
        (revision && (error = read_revision(call, &wp, &item, revision))))
        return error;
    bool has_blocks = item.type.kind->flags & WP_HAS_BLOCKS;
    struct structured *s = structured_begin(call, context);
    if (has_blocks)
        write_head(&item, s, &result->text);
    else
        write_plain_head(call, &item, id, s, &result->text);
    if (revision)
        structured_i64(s, "revision", revision);
    if (revision)
        buf_add_format(&result->text, "note: revision %lld, not the current text\n", (long long)revision);
    if (has_blocks && !item.is_raw && json_bool_or(json_path(item.json, "content.protected"), false)) {
        buf_add(&result->text, STR("note: protected by a password; its text is not shown to this WordPress user\n"));
        structured_bool(s, "protected", true);
    }
    size_t head = result->text.len;
    if ((error = write_included(call, &wp, &item, include, &result->text)))
        return error;
    structured_str(s, "included", str_from_offset(buf_str(&result->text), head));
    size_t body = result->text.len;
    if ((error = has_blocks ? write_content(call, &item, arguments, &result->text)
                            : write_plain_text(call, &item, arguments, &result->text)))
        return error;
    structured_str(s, "content", str_from_offset(buf_str(&result->text), body + 1)); /* behind the empty line */
    structured_end(s, result);
    return OK;
}
