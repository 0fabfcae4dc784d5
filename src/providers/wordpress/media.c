/* Putting a file into the media library. */
#include <sodium.h> /* before base/banned.h */

#include "providers/wordpress/media.h"

#include "json/json_write.h"
#include "net/task.h"
#include "net/url.h"
#include "providers/outside.h"

enum {
    QUERY_TEXT_MAX_BYTES = 600, /* of alt, title and caption: more goes in a request of its own, not in the address */
    BODY_MAX_BYTES = 64 * 1024,
    BOUNDARY_BYTES = 40,
    FINISH_TRIES = 3,
    FINISH_PAUSE_MS = 500,
    NEWEST_SHOWN = 5,
};

struct str media_size_text(struct call *call, int64_t bytes)
{
    if (bytes < 1000)
        return call_format(call, "%lld B", (long long)bytes);
    if (bytes < 1000 * 1000)
        return call_format(call, "%.1f kB", (double)bytes / 1e3);
    return call_format(call, "%.1f MB", (double)bytes / 1e6);
}

/* --- where it comes from ----------------------------------------------------------------------------------------------- */

struct judging {
    struct str name, declared;
    struct file_type *ret;
};

static int judge(struct call *call, void *context, struct str head)
{
    struct judging *judging = context;
    return file_type_judge(call, head, judging->name, judging->declared, judging->ret);
}

/* File and work together take longer than other calls. */
static void take_time(struct call *call)
{
    int64_t until_ms = clock_monotonic_ms() + MEDIA_TIMEOUT_MS;
    if (call->deadline_ms < until_ms)
        call->deadline_ms = until_ms;
}

int media_from_source(struct call *call, const struct http_source *source, struct str name, struct str declared,
                      struct media_file *ret)
{
    struct judging judging = {name, declared, &ret->type};
    take_time(call);
    return spool_fill(call, source, judge, &judging, &ret->spool);
}

int media_may_fetch(struct call *call, const struct wp *wp)
{
    if (wp->rights & RIGHT_FETCH)
        return OK;
    return rights_lack(
        call, RIGHT_FETCH,
        fail(call, E_DENIED,
             "This token may not have files fetched from an address: it lacks the right fetch. With wp_upload and "
             "neither url nor data you get a link to send a file to."));
}

int media_from_url(struct call *call, const struct wp *wp, struct str url, struct str name, struct media_file *ret)
{
    struct outside outside;
    int error = media_may_fetch(call, wp);
    if (!error)
        error = host_agree(call, wp->host, STR("fetch a file from outside"));
    if (error)
        return error;
    take_time(call);
    error = host_hold(call, wp->host);
    if (!error)
        error = outside_open(call, wp->site, url, spool_max_bytes(), &outside);
    if (error)
        return error;
    struct http_source source = outside_source(&outside);
    return media_from_source(call, &source, name.len ? name : outside.file_name, outside.content_type, ret);
}

/* "data:image/png;base64,iVBOR..." */
static bool split_data_address(struct str *data, struct str *ret_declared)
{
    size_t comma = str_find_char(*data, ',');
    if (!str_starts_with_nocase(*data, STR("data:")))
        return true;
    if (comma == STR_NOT_FOUND || !str_ends_with(str_sub(*data, 0, comma), STR(";base64")))
        return false;
    *ret_declared = str_sub(*data, 5, str_find_char(*data, ';') - 5);
    *data = str_from_offset(*data, comma + 1);
    return true;
}

int media_from_base64(struct call *call, struct str data, struct str name, struct media_file *ret)
{
    struct str declared = STR_EMPTY;
    size_t len = 0;
    data = str_trim(data);
    bool is_right = split_data_address(&data, &declared);
    unsigned char *bytes = arena_alloc(call->arena, data.len / 4 * 3 + 4);
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    bool is_decoded = false;
    for (size_t i = 0; is_right && !is_decoded && i < ARRAY_LENGTH(variants); i++)
        is_decoded =
            sodium_base642bin(bytes, data.len / 4 * 3 + 4, data.ptr, data.len, " \r\n\t", &len, NULL, variants[i]) == 0;
    if (!is_decoded || !len)
        return fail(call, E_INVALID,
                    "data is not base64. For a file of your own, leave url and data out: you get a "
                    "link to send it to.");
    struct judging judging = {name, declared, &ret->type};
    return spool_bytes(call, str_of((char *)bytes, len), judge, &judging, &ret->spool);
}

/* --- the body of the request ------------------------------------------------------------------------------------------- */

/* A form of one part: what stands before the file, the file, and what stands behind it. */
struct form {
    struct str before, behind;
    struct http_source file;
};

static size_t take(struct str *text, char *room, size_t size)
{
    struct str piece = str_sub(*text, 0, size);
    if (piece.len)
        memcpy(room, piece.ptr, piece.len);
    *text = str_from_offset(*text, piece.len);
    return piece.len;
}

static int read_form(struct call *call, void *context, char *room, size_t size, size_t *ret_read)
{
    struct form *form = context;
    *ret_read = take(&form->before, room, size);
    if (*ret_read)
        return OK;
    int error = form->file.read(call, form->file.context, room, size, ret_read);
    if (!error && !*ret_read)
        *ret_read = take(&form->behind, room, size);
    return error;
}

static void make_form(struct call *call, const struct media_file *file, struct str disposition,
                      struct wp_stream *stream)
{
    struct form *form = arena_new_of(call->arena, struct form);
    unsigned char random[12];
    char boundary[2 * sizeof random + 1];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(boundary, sizeof boundary, random, sizeof random);
    form->before = call_format(call,
                               "--%s\r\nContent-Disposition: form-data; name=\"file\"; %.*s\r\nContent-Type: "
                               "%.*s\r\n\r\n",
                               boundary, STR_ARG(disposition), STR_ARG(file->type.mime));
    form->behind = call_format(call, "\r\n--%s--\r\n", boundary);
    form->file = spool_source(file->spool);
    stream->content_type = call_format(call, "multipart/form-data; boundary=%s", boundary);
    stream->source =
        (struct http_source){read_form, form, file->spool->size_bytes + (int64_t)(form->before.len + form->behind.len)};
}

/* Raw as far as PHP can be expected to hold it in memory; WordPress checks the MD5 in both cases. */
static void make_stream(struct call *call, const struct media_file *file, struct wp_stream *stream)
{
    struct str disposition = call_format(call, "filename=\"%.*s\"", STR_ARG(file->type.name));
    *stream = (struct wp_stream){.content_type = file->type.mime};
    if (file->spool->md5[0])
        stream->headers[stream->n_headers++] = (struct http_header){STR("Content-MD5"), str_from(file->spool->md5)};
    if (file->spool->size_bytes > MEDIA_RAW_MAX_BYTES) {
        make_form(call, file, disposition, stream);
        return;
    }
    stream->headers[stream->n_headers++] =
        (struct http_header){STR("Content-Disposition"), call_format(call, "attachment; %.*s", STR_ARG(disposition))};
    stream->source = spool_source(file->spool);
}

/* --- what WordPress says ----------------------------------------------------------------------------------------------- */

/* Refusals of uploads deserve better words than WordPress's. */
static int refuse(struct call *call, const struct media_file *file, const struct wp_answer *answer, int error)
{
    struct str size = media_size_text(call, file->spool->size_bytes), said = call->error_text;
    bool is_too_large = answer->status == 413 || str_eq(answer->code, STR("rest_upload_file_too_big")) ||
                        str_contains(said, STR("upload_max_filesize")) || str_contains(said, STR("MAX_FILE_SIZE"));
    /* PHP throws away a body beyond post_max_size, or does not look into its form: WordPress then finds no file. */
    if (is_too_large || str_eq(answer->code, STR("rest_upload_no_data")) ||
        str_eq(answer->code, STR("rest_upload_no_content_disposition")))
        return fail(call, E_LIMIT,
                    "The site does not take files of this size (%.*s): its limit is upload_max_filesize and "
                    "post_max_size of PHP, or client_max_body_size of nginx. Its owner can raise it; or send a smaller "
                    "file.",
                    STR_ARG(size));
    if (str_eq(answer->code, STR("rest_upload_limited_space")) ||
        str_eq(answer->code, STR("rest_upload_user_quota_exceeded")))
        return fail(call, E_LIMIT, "There is no room left for uploads on this site (%.*s).", STR_ARG(size));
    if (str_eq(answer->code, STR("rest_upload_hash_mismatch")))
        return fail(call, E_UPSTREAM, "The file was damaged on its way to the site, which did not take it. Try again.");
    if (str_eq(answer->code, STR("rest_upload_sideload_error")) ||
        str_eq(answer->code, STR("rest_upload_image_type_not_supported")))
        return fail(
            call, E_INVALID,
            "The site does not take this file (%.*s): %.*s Convert it (images to JPEG, PNG or WebP), or let its "
            "owner allow this kind.",
            STR_ARG(file->type.mime), STR_ARG(str_sub(said, 0, 300)));
    return error;
}

/* What the history has as an unknown outcome is known after all. */
static void tell_finished(struct call *call, const struct wp *wp, struct wp_write *write, const struct json *json)
{
    struct wp_item item;
    wp_item_read(call, write->type, json, &item);
    wp_write_found(call, wp, write, &item);
}

/* The file is taken, but the smaller sizes were not made: as WordPress's own editor does, ask again, and else take it away. */
static int finish(struct call *call, const struct wp *wp, struct wp_write *write, int64_t id, int error,
                  struct wp_answer *ret)
{
    struct str why = call->error_text;
    struct str route = call_format(call, "wp/v2/media/%lld", (long long)id);
    struct wp_query query;
    for (int i = 0; i < FINISH_TRIES; i++) {
        if (task_sleep(call, FINISH_PAUSE_MS) != OK)
            return error;
        call_clear_error(call);
        if (wp_send(call, wp, "POST", call_format(call, "%.*s/post-process", STR_ARG(route)), NULL,
                    STR("{\"action\":\"create-image-subsizes\"}"), ret) == OK) {
            tell_finished(call, wp, write, ret->json);
            return OK;
        }
    }
    wp_query_init(call, &query);
    wp_query_add(&query, "force", STR("true"));
    call_clear_error(call);
    int left = wp_send(call, wp, "DELETE", route, &query, STR_EMPTY, ret);
    call_clear_error(call);
    if (!left)
        host_change_end(call, wp->host, &write->change, CHANGE_FAILED);
    return fail(call, error, "WordPress took the file but failed to make its smaller sizes (%.*s)%s%.*s", STR_ARG(why),
                left ? "; it could not be removed again and is in the library as "
                     : ". The file was removed again. "
                       "Try a smaller image.",
                STR_ARG(left ? call_format(call, "%lld.", (long long)id) : STR_EMPTY));
}

/* Letters and digits only: what WordPress makes of a name differs in the rest. */
static bool is_alike(struct str name, struct str found)
{
    size_t k = 0;
    name = str_sub(name, 0, str_find_last_char(name, '.'));
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.ptr[i]))
            continue;
        while (k < found.len && !ascii_is_alnum(found.ptr[k]))
            k++;
        if (k == found.len || ascii_lower(found.ptr[k++]) != ascii_lower(name.ptr[i]))
            return false;
    }
    return true;
}

/* The answer did not come: is there a file of that name among the newest? */
static int tell_unknown(struct call *call, const struct wp *wp, const struct media_file *file, int error)
{
    struct str why = call->error_text;
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "orderby", STR("id"));
    wp_query_add_i64(&query, "per_page", NEWEST_SHOWN);
    wp_query_add(&query, "_fields", STR("id,source_url"));
    call_clear_error(call);
    if (wp_get(call, wp, STR("wp/v2/media"), &query, &answer) == OK)
        for (size_t i = 0; i < json_count(answer.json); i++) {
            struct str url = json_str(json_get(json_at(answer.json, i), STR("source_url")));
            if (is_alike(file->type.name, file_name_of(call, url)))
                return fail(
                    call, error,
                    "Outcome unknown: the answer did not come (%.*s). A file of this name is among the newest in "
                    "the library: %lld, %.*s. Look at it before sending it again.",
                    STR_ARG(why), (long long)json_i64_or(json_get(json_at(answer.json, i), STR("id")), 0),
                    STR_ARG(url));
        }
    call_clear_error(call);
    return fail(
        call, error,
        "Outcome unknown: the answer did not come (%.*s), and no file of this name is in the library. Try again.",
        STR_ARG(why));
}

/* --- sending it -------------------------------------------------------------------------------------------------------- */

static struct str details_json(struct call *call, const struct media_details *details)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, call->arena, BODY_MAX_BYTES);
    json_write_init(&w, &body);
    json_object(&w);
    if (details->title.len)
        json_member_str(&w, "title", details->title);
    if (details->alt.len)
        json_member_str(&w, "alt_text", details->alt);
    if (details->caption.len)
        json_member_str(&w, "caption", details->caption);
    if (details->attach_to)
        json_member_i64(&w, "post", details->attach_to);
    json_end(&w);
    return buf_failed(&body) ? STR_EMPTY : buf_str(&body);
}

static void add_details(struct wp_query *query, const struct media_details *details, bool with_texts)
{
    if (with_texts && details->title.len)
        wp_query_add(query, "title", details->title);
    if (with_texts && details->alt.len)
        wp_query_add(query, "alt_text", details->alt);
    if (with_texts && details->caption.len)
        wp_query_add(query, "caption", details->caption);
    if (details->attach_to)
        wp_query_add_i64(query, "post", details->attach_to);
}

int media_send(struct call *call, const struct wp *wp, const struct media_file *file,
               const struct media_details *details, struct media_item *ret)
{
    struct wp_query query;
    struct wp_answer answer;
    struct wp_stream stream;
    struct wp_type type;
    struct str body = details_json(call, details);
    bool fits = details->title.len + details->alt.len + details->caption.len <= QUERY_TEXT_MAX_BYTES;
    if (!body.len)
        return fail(call, E_LIMIT, "alt, title and caption are too long.");
    int error = wp_type_find(call, wp, STR("media"), &type);
    if (error)
        return error;
    take_time(call);
    wp_query_init(call, &query);
    add_details(&query, details, fits);
    make_stream(call, file, &stream);
    struct wp_write write = {
        .kind = WP_WRITE_CREATE,
        .type = &type,
        .method = "POST",
        .route = type.route,
        .query = &query,
        .fields = wp_item_fields(call, &type, STR_EMPTY), /* what its version is made of, for the history */
        .body = body,
        .stream = &stream,
    };
    error = wp_write(call, wp, &write, &answer);
    if (error && answer.attachment_id)
        error = finish(call, wp, &write, answer.attachment_id, error, &answer);
    else if (error && answer.outcome_unknown && !answer.code.len)
        return tell_unknown(call, wp, file, error);
    if (error)
        return refuse(call, file, &answer, error);
    ret->id = json_i64_or(json_get(answer.json, STR("id")), 0);
    ret->url = json_str(json_get(answer.json, STR("source_url")));
    if (!ret->id)
        return fail(call, E_UPSTREAM, "The site answered without an id: the file may be in the library. Look there.");
    if (!fits)
        error =
            wp_send(call, wp, "POST", call_format(call, "wp/v2/media/%lld", (long long)ret->id), NULL, body, &answer);
    return error ? fail(call, error, "The file is in the library as %lld, but its texts could not be set: %.*s",
                        (long long)ret->id, STR_ARG(call->error_text))
                 : OK;
}

int media_image_from_url(struct call *call, const struct wp *wp, struct str url, int64_t *ret_id)
{
    struct media_file file;
    struct media_details details = {0};
    struct media_item item = {0};
    int error = media_from_url(call, wp, url, STR_EMPTY, &file);
    if (error)
        return error;
    if (!file.type.is_image)
        return fail(call, E_INVALID, "What is at this address is no image (%.*s).", STR_ARG(file.type.mime));
    error = media_send(call, wp, &file, &details, &item);
    spool_close(file.spool);
    *ret_id = error ? 0 : item.id;
    return error;
}
