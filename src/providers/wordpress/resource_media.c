/* A file of the media library as a resource. */
#include "providers/site.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/resources.h"

#include <sodium.h>

enum { LINE_CHARS_MAX = 2000, FILE_TIMEOUT_MS = 10000 };

static void write_line(struct call *call, struct buf *out, const char *label, struct str html)
{
    struct str text = text_cut(text_from_html(call->arena, html), LINE_CHARS_MAX);
    if (text.len)
        buf_add_format(out, "%s: %.*s\n", label, STR_ARG(text));
}

static void write_media(struct call *call, const struct json *media, struct buf *out)
{
    int64_t width = json_i64_or(json_path(media, "media_details.width"), 0);
    int64_t height = json_i64_or(json_path(media, "media_details.height"), 0);
    int64_t bytes = json_i64_or(json_path(media, "media_details.filesize"), 0);
    int64_t post = json_i64_or(json_get(media, STR("post")), 0);
    write_line(call, out, "title", json_str(json_path(media, "title.rendered")));
    buf_add_format(out, "id: %lld, media, %.*s, %.*s\nurl: %.*s\n",
                   (long long)json_i64_or(json_get(media, STR("id")), 0),
                   STR_ARG(str_sub(json_str(json_get(media, STR("mime_type"))), 0, 100)),
                   STR_ARG(str_sub(json_str(json_get(media, STR("date"))), 0, 16)),
                   STR_ARG(json_str(json_get(media, STR("source_url")))));
    if (width > 0 && height > 0)
        buf_add_format(out, "size: %lldx%lld\n", (long long)width, (long long)height);
    if (bytes > 0)
        buf_add_format(out, "bytes: %lld\n", (long long)bytes);
    if (post)
        buf_add_format(out, "attached to: %lld\n", (long long)post);
    write_line(call, out, "alt", json_str(json_get(media, STR("alt_text"))));
    write_line(call, out, "caption", json_str(json_path(media, "caption.rendered")));
    write_line(call, out, "description", json_str(json_path(media, "description.rendered")));
}

static bool is_same_type(struct str content_type, struct str mime_type)
{
    struct str type = str_trim(str_sub(content_type, 0, str_find_char(content_type, ';')));
    return mime_type.len > 0 && str_eq_nocase(type, mime_type);
}

/*
 * The file, without our password, from the site's own origin only: WordPress may name any address there is. Empty when it is
 * elsewhere, too large, or not what WordPress says it is (a login wall, a firewall's page).
 */
static int fetch_file(struct call *call, const struct wp *wp, const struct json *media, struct str *ret)
{
    struct site_request request = {
        .method = STR("GET"),
        .url = json_str(json_get(media, STR("source_url"))),
        .timeout_ms = FILE_TIMEOUT_MS,
        .max_body_bytes = RESOURCE_FILE_MAX_BYTES,
        .anonymous = true,
    };
    struct http_fetched http;
    *ret = STR_EMPTY;
    if (!request.url.len || json_i64_or(json_path(media, "media_details.filesize"), 0) > RESOURCE_FILE_MAX_BYTES)
        return OK;
    int error = site_fetch(call, wp->site, &request, &http);
    if (error == E_CANCELLED)
        return error;
    call_clear_error(call);
    if (!error && http.status == 200 && is_same_type(http.content_type, json_str(json_get(media, STR("mime_type")))))
        *ret = http.body;
    return OK;
}

static struct str encode(struct call *call, struct str bytes)
{
    size_t size = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(call->arena, size);
    sodium_bin2base64(text, size, (const unsigned char *)bytes.ptr, bytes.len, sodium_base64_VARIANT_ORIGINAL);
    return str_of(text, size - 1);
}

int wp_resource_read_media(struct call *call, const struct wp *wp, struct str uri, int64_t id,
                           struct resource_result *result)
{
    struct wp_answer answer;
    struct wp_query query;
    struct buf text;
    struct str file;
    wp_query_init(call, &query);
    /* WordPress knows no "media_details.width" here: it compares the name of the whole. */
    wp_query_add(&query, "_fields",
                 STR("id,date,title,alt_text,caption,description,mime_type,source_url,post,media_details"));
    int error = wp_get(call, wp, call_format(call, "wp/v2/media/%lld", (long long)id), &query, &answer);
    if (!error)
        error = fetch_file(call, wp, answer.json, &file);
    if (error)
        return error;
    buf_init(&text, call->arena, 64 * 1024);
    write_media(call, answer.json, &text);
    resource_text(result, uri, STR("text/plain"), buf_str(&text));
    if (file.len)
        resource_blob(result, uri, json_str(json_get(answer.json, STR("mime_type"))), encode(call, file));
    return OK;
}
