/* wa_send: checked, shown, confirmed, sent. */
#include <sodium.h> /* before base/banned.h */

#include "net/http_client.h"
#include "net/url.h"
#include "providers/outside.h"
#include "providers/whatsapp/phone.h"
#include "providers/whatsapp/tools.h"

enum {
    RECIPIENTS_MAX = 50,
    DATA_MAX_BYTES = 200 * 1024,
    FILE_MAX_BYTES = 16 * 1024 * 1024,
    BASE64_FILE_MAX_BYTES = 320 * 1024, /* that goes along inside a message */
    KEY_MAX_CHARS = 100,
    WHAT_MAX_BYTES = 32 * 1024,
    TEMPLATES_NAMED = 8,
};

struct sending {
    struct wa wa;
    const struct tool_context *context;
    struct wa_message message;
    struct str to[RECIPIENTS_MAX];
    size_t n_to;
    int64_t window_until_ms[RECIPIENTS_MAX];
    struct str key;
};

static struct str text_of(const struct json *object, const char *name)
{
    return json_str(json_get(object, str_from(name)));
}

static size_t count_chars(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return n;
}

static int check_length(struct call *call, const char *what, struct str text, size_t most)
{
    size_t chars = count_chars(text);
    if (chars > most)
        return fail(call, E_LIMIT, "%s has %zu characters; WhatsApp takes %zu.", what, chars, most);
    return OK;
}

/* ---- what is to be sent */

/* Judged by its spelling: an Evolution API fetches it from inside its operator's network, and what it gets is sent out. */
static int check_media_url(struct call *call, struct str text)
{
    struct url url;
    const char *why;
    if (!str_starts_with(text, STR("https://")))
        return fail(call, E_INVALID, "media.url must begin with https://: the service fetches it by itself.");
    if (url_parse(call->arena, text, &url))
        return fail(call, E_INVALID, "media.url cannot be used: %s.", url.problem);
    if (!http_client_may_pass_on(&url, &why))
        return fail(call, E_EGRESS,
                    "media.url leads to %s. Give a public address, or leave url out to get an upload link.", why);
    return OK;
}

static int read_media(struct call *call, const struct json *given, struct wa_message *m)
{
    m->kind = WA_MEDIA;
    m->media_kind = text_of(given, "kind");
    m->media_url = text_of(given, "url");
    m->media_base64 = text_of(given, "data");
    m->media_type = text_of(given, "type");
    m->file_name = text_of(given, "filename");
    if (m->media_url.len && m->media_base64.len)
        return fail(call, E_INVALID, "media: give url or data, not both.");
    int error = m->media_url.len ? check_media_url(call, m->media_url) : OK;
    if (error)
        return error;
    if (m->media_base64.len > DATA_MAX_BYTES)
        return fail(call, E_LIMIT, "media.data is for files under 150 kB; leave it and url out to get an upload link.");
    return check_length(call, "The caption", m->text, WA_CAPTION_MAX);
}

static int read_place(struct call *call, const struct json *given, struct wa_message *m)
{
    double latitude, longitude;
    const struct json *lat = json_get(given, STR("lat")), *lon = json_get(given, STR("lon"));
    m->kind = WA_LOCATION;
    m->latitude = json_raw(lat);
    m->longitude = json_raw(lon);
    m->name = text_of(given, "name");
    m->address = text_of(given, "address");
    if (!json_to_double(lat, &latitude) || !json_to_double(lon, &longitude) || latitude < -90 || latitude > 90 ||
        longitude < -180 || longitude > 180)
        return fail(call, E_INVALID, "location needs lat (-90 to 90) and lon (-180 to 180).");
    return OK;
}

static int read_template(struct call *call, const struct json *given, struct wa_message *m)
{
    m->kind = WA_TEMPLATE;
    m->name = text_of(given, "name");
    m->language = text_of(given, "language");
    m->params = json_get(given, STR("params"));
    m->components = json_get(given, STR("components"));
    if (!m->name.len || !m->language.len)
        return fail(call, E_INVALID, "template needs name and language, as wa_templates lists them.");
    if (json_count(m->params) > WA_PARAMS_MAX)
        return fail(call, E_LIMIT, "A template has at most %d params.", WA_PARAMS_MAX);
    return OK;
}

static int read_options(struct call *call, const struct json *given, bool is_list, struct wa_message *m)
{
    size_t most = is_list ? WA_ROWS_MAX : WA_BUTTONS_MAX;
    size_t title_most = is_list ? WA_ROW_TITLE_MAX : WA_BUTTON_TITLE_MAX;
    m->kind = is_list ? WA_LIST : WA_BUTTONS;
    m->n_options = json_count(given);
    if (m->n_options > most)
        return fail(call, E_LIMIT, "%s: at most %zu.", is_list ? "rows" : "buttons", most);
    for (size_t i = 0; i < m->n_options; i++) {
        struct wa_option *option = &m->options[i];
        option->title = text_of(json_at(given, i), "title");
        option->id = text_of(json_at(given, i), "id");
        option->description = text_of(json_at(given, i), "description");
        if (!option->id.len)
            option->id = call_format(call, "%zu", i + 1);
        if (!option->title.len)
            return fail(call, E_INVALID, "Each button or row needs a title.");
        for (size_t k = 0; k < i; k++)
            if (str_eq(m->options[k].id, option->id))
                return fail(call, E_INVALID, "Two buttons or rows have the id %.*s.", STR_ARG(option->id));
        int error = check_length(call, "A button's or row's title", option->title, title_most);
        if (!error)
            error = check_length(call, "A row's description", option->description, WA_ROW_DESCRIPTION_MAX);
        if (!error)
            error = check_length(call, "An id", option->id, 200);
        if (error)
            return error;
    }
    return OK;
}

static int read_choices(struct call *call, const struct json *arguments, bool is_list, struct wa_message *m)
{
    const struct json *list = json_get(arguments, STR("list"));
    int error =
        read_options(call, is_list ? json_get(list, STR("rows")) : json_get(arguments, STR("buttons")), is_list, m);
    m->button = text_of(list, "button");
    m->header = text_of(arguments, "header");
    m->footer = text_of(arguments, "footer");
    if (!error && (!m->text.len || !m->n_options))
        return fail(call, E_INVALID, "Buttons and lists need a text, and at least one of them.");
    if (!error && is_list && !m->button.len)
        return fail(call, E_INVALID, "list needs button: what is pressed to open it.");
    if (!error)
        error = check_length(call, "The text around buttons", m->text, WA_CAPTION_MAX);
    if (!error)
        error = check_length(call, "header", m->header, WA_SHORT_MAX);
    if (!error)
        error = check_length(call, "footer", m->footer, WA_SHORT_MAX);
    return error ? error : check_length(call, "list.button", m->button, WA_BUTTON_TITLE_MAX);
}

static int read_reaction(struct call *call, const struct json *given, struct wa_message *m)
{
    enum { EMOJI_BYTES_MAX = 40 };
    m->kind = WA_REACTION;
    m->message_id = text_of(given, "message");
    m->emoji = text_of(given, "emoji");
    m->message_is_mine = json_bool_or(json_get(given, STR("mine")), false);
    if (!m->message_id.len)
        return fail(call, E_INVALID, "reaction needs message: an id of wa_read.");
    for (size_t i = 0; i < m->emoji.len; i++)
        if (ascii_is_alnum(m->emoji.ptr[i]) || m->emoji.len > EMOJI_BYTES_MAX)
            return fail(call, E_INVALID, "reaction.emoji must be one emoji, or empty to take it away.");
    return OK;
}

static int read_contact(struct call *call, const struct json *given, struct wa_message *m)
{
    m->kind = WA_CONTACT;
    m->name = text_of(given, "name");
    if (!m->name.len)
        return fail(call, E_INVALID, "contact needs name and phone.");
    return phone_parse(call, text_of(given, "phone"), &m->phone);
}

/* What the service has no place for would be left out without a word. */
static int check_fits(struct call *call, const struct json *arguments, const struct wa_message *m)
{
    bool has_choices = m->kind == WA_BUTTONS || m->kind == WA_LIST;
    bool is_silent =
        m->kind == WA_MEDIA && (str_eq(m->media_kind, STR("audio")) || str_eq(m->media_kind, STR("sticker")));
    if (!has_choices && (text_of(arguments, "header").len || text_of(arguments, "footer").len))
        return fail(call, E_INVALID, "header and footer go along with buttons or a list only.");
    if (m->text.len && (is_silent || (m->kind != WA_TEXT && m->kind != WA_MEDIA && !has_choices)))
        return fail(call, E_INVALID, "No text goes along with %s: send it as a message of its own.",
                    is_silent ? "audio and stickers" : wa_kind_name(m->kind));
    return OK;
}

/* One kind; text goes along with media, buttons and lists. */
static int read_kind(struct call *call, const struct json *arguments, struct wa_message *m)
{
    static const char *const kinds[] = {"media", "location", "contact", "reaction", "template", "buttons", "list"};
    const struct json *none = json_at(arguments, 0);
    const char *chosen = NULL;
    *m = (struct wa_message){.text = text_of(arguments, "text"), .params = none, .components = none};
    m->reply_to = text_of(arguments, "reply_to");
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (json_is(json_get(arguments, str_from(kinds[i])), JSON_MISSING))
            continue;
        if (chosen)
            return fail(call, E_INVALID, "One message is one thing: %s or %s.", chosen, kinds[i]);
        chosen = kinds[i];
    }
    const struct json *given = chosen ? json_get(arguments, str_from(chosen)) : none;
    if (!chosen && !m->text.len)
        return fail(call, E_INVALID,
                    "There is nothing to send: give text, media, location, contact, reaction, template, "
                    "buttons or list.");
    if (!chosen)
        return check_length(call, "The text", m->text, WA_TEXT_MAX);
    switch (chosen[0]) {
    case 'm':
        return read_media(call, given, m);
    case 'r':
        return read_reaction(call, given, m);
    case 't':
        return read_template(call, given, m);
    case 'b':
        return read_choices(call, arguments, false, m);
    case 'c':
        return read_contact(call, given, m);
    default:
        return chosen[1] == 'i' ? read_choices(call, arguments, true, m) : read_place(call, given, m);
    }
}

static int read_message(struct call *call, const struct json *arguments, struct wa_message *m)
{
    int error = read_kind(call, arguments, m);
    return error ? error : check_fits(call, arguments, m);
}

static int read_recipients(struct call *call, const struct json *given, struct sending *s)
{
    if (json_count(given) == 0)
        return fail(call, E_INVALID, "to is missing: one or more numbers or chats.");
    if (json_count(given) > RECIPIENTS_MAX)
        return fail(call, E_LIMIT, "At most %d recipients in one call.", RECIPIENTS_MAX);
    for (size_t i = 0; i < json_count(given); i++) {
        struct str to;
        int error = phone_recipient(call, json_str(json_at(given, i)), &to);
        if (error)
            return error;
        bool is_twice = false;
        for (size_t k = 0; k < s->n_to; k++)
            is_twice |= str_eq(s->to[k], to);
        if (!is_twice)
            s->to[s->n_to++] = to;
    }
    return OK;
}

/* ---- whom it goes to, and whether that needs a yes */

static int look_at_windows(struct call *call, struct sending *s)
{
    for (size_t i = 0; i < s->n_to; i++) {
        int error = wa_window(call, &s->wa, s->to[i], &s->window_until_ms[i]);
        bool is_open = s->window_until_ms[i] > clock_now_ms();
        if (error)
            return error;
        if (!is_open && s->wa.backend->has_window && s->message.kind != WA_TEMPLATE)
            s->window_until_ms[i] = 0;
    }
    return OK;
}

static bool is_cold(const struct sending *s)
{
    for (size_t i = 0; i < s->n_to; i++)
        if (s->window_until_ms[i] <= clock_now_ms())
            return true;
    return false;
}

/* Those to whom it would be the first message for a day, or all of them. */
static struct str names_of(struct call *call, const struct sending *s, bool cold_only)
{
    struct buf names;
    buf_init(&names, call->arena, WHAT_MAX_BYTES);
    for (size_t i = 0; i < s->n_to; i++)
        if (!cold_only || s->window_until_ms[i] <= clock_now_ms())
            buf_add_format(&names, "%s%.*s", names.len ? ", " : "", STR_ARG(s->to[i]));
    return buf_str(&names);
}

static int write_what(struct call *call, const struct sending *s, struct str *ret)
{
    struct str site = s->context->site->name, to = names_of(call, s, false), cold = names_of(call, s, true);
    struct str shown = wa_message_shown(call, &s->message);
    const char *plural = s->n_to == 1 ? "" : "s";
    if (site.len + to.len + cold.len + shown.len > WHAT_MAX_BYTES)
        return fail(call, E_LIMIT, "That is too much to be named in one question: send to fewer at a time.");
    if (cold.len)
        *ret =
            call_format(call, "send by WhatsApp of %.*s to %zu recipient%s: %.*s (no message in 24 h from %.*s): %.*s",
                        STR_ARG(site), s->n_to, plural, STR_ARG(to), STR_ARG(cold), STR_ARG(shown));
    else
        *ret = call_format(call, "send by WhatsApp of %.*s to %zu recipient%s: %.*s: %.*s", STR_ARG(site), s->n_to,
                           plural, STR_ARG(to), STR_ARG(shown));
    return OK;
}

static int confirm(struct call *call, const struct sending *s)
{
    struct str what;
    int error = write_what(call, s, &what);
    if (error)
        return error;
    if (s->n_to > 1 || is_cold(s))
        return host_confirm_for_good(call, s->context->host, what);
    return host_agree(call, s->context->host, what);
}

/* ---- files */

static int ask_for_file(struct call *call, const struct tool_context *context, struct tool_result *result)
{
    struct upload_link link = {0};
    int error = host_upload_link(call, context->host, &link);
    if (error)
        return error;
    buf_add_format(&result->text,
                   "Send the file within %lld minutes, once, up to %d MB; then it goes out:\ncurl -T FILE '%.*s'",
                   (long long)(link.life_ms / 60000), FILE_MAX_BYTES / (1024 * 1024), STR_ARG(link.url));
    result->audit_json = call_format(call, "{\"link\":\"%.*s\"}", STR_ARG(link.id));
    return OK;
}

static int read_file(struct call *call, const struct http_source *source, struct str *ret)
{
    struct buf bytes;
    char *piece = arena_alloc(call->arena, HTTP_FETCH_PIECE_BYTES);
    buf_init(&bytes, call->arena, FILE_MAX_BYTES);
    for (;;) {
        size_t n;
        int error = source->read(call, source->context, piece, HTTP_FETCH_PIECE_BYTES, &n);
        if (error)
            return error;
        if (n == 0)
            break;
        buf_add(&bytes, str_of(piece, n));
    }
    if (buf_failed(&bytes))
        return fail(call, E_LIMIT, "The file is larger than %d MB.", FILE_MAX_BYTES / (1024 * 1024));
    *ret = buf_str(&bytes);
    return OK;
}

static int decode(struct call *call, struct str text, struct str *ret)
{
    size_t length;
    unsigned char *room = arena_alloc(call->arena, text.len + 1);
    if (sodium_base642bin(room, text.len + 1, text.ptr, text.len, " \r\n", &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL))
        return fail(call, E_INVALID, "media.data is not base64.");
    *ret = str_of((const char *)room, length);
    return OK;
}

static int encode(struct call *call, struct str bytes, struct str *ret)
{
    size_t size = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    if (size > BASE64_FILE_MAX_BYTES)
        return fail(call, E_LIMIT, "This backend takes files inside a message: at most 240 kB. Give a url instead.");
    char *text = arena_alloc(call->arena, size);
    sodium_bin2base64(text, size, (const unsigned char *)bytes.ptr, bytes.len, sodium_base64_VARIANT_ORIGINAL);
    *ret = str_of(text, size - 1);
    return OK;
}

static struct str type_of(const struct wa_message *m, const struct sent_file *file)
{
    static const char *const types[][2] = {
        {"image", "image/jpeg"}, {"video", "video/mp4"}, {"audio", "audio/ogg"}, {"sticker", "image/webp"}};
    if (m->media_type.len)
        return m->media_type;
    if (file && file->declared_type.len)
        return file->declared_type;
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (str_eq(m->media_kind, str_from(types[i][0])))
            return str_from(types[i][1]);
    return STR("application/pdf");
}

/* Before anything is claimed: a file that cannot be had is no send. */
static int take_file(struct call *call, struct sending *s)
{
    const struct sent_file *file = s->context->file;
    struct wa_message *m = &s->message;
    struct str bytes = STR_EMPTY;
    if (m->kind != WA_MEDIA || m->media_url.len)
        return OK;
    int error = file ? read_file(call, file->source, &bytes) : decode(call, m->media_base64, &bytes);
    if (error)
        return error;
    m->media_type = type_of(m, file);
    for (size_t i = 0; i < m->media_type.len; i++)
        if (!ascii_is_alnum(m->media_type.ptr[i]) && !strchr("/.+-;= ", m->media_type.ptr[i]))
            return fail(call, E_INVALID, "media.type is no media type.");
    if (!m->file_name.len && file)
        m->file_name = file->name;
    if (!m->file_name.len)
        m->file_name = m->media_kind;
    if (s->wa.backend->upload) {
        m->media_base64 = bytes; /* stays in the digest */
        return s->wa.backend->upload(call, &s->wa, m, bytes, &m->media_id);
    }
    return file ? encode(call, bytes, &m->media_base64) : OK;
}

/* ---- sending */

static void name_templates(struct call *call, const struct sending *s, struct buf *out)
{
    struct message_template *templates = arena_array_of(call->arena, struct message_template, WA_ITEMS_MAX);
    size_t n = 0, named = 0;
    if (s->wa.backend->templates(call, &s->wa, templates, &n))
        call_clear_error(call);
    for (size_t i = 0; i < n && named < TEMPLATES_NAMED; i++) {
        if (!str_eq(templates[i].status, STR("APPROVED")))
            continue;
        buf_add_format(out, "%s%.*s (%.*s)", named++ ? ", " : " These templates fit: ", STR_ARG(templates[i].name),
                       STR_ARG(templates[i].language));
    }
}

static void say_failed(struct call *call, const struct sending *s, struct str to, const struct wa_sent *sent,
                       struct buf *out)
{
    buf_add_format(out, "%.*s: NOT sent: %.*s", STR_ARG(to), STR_ARG(call->error_text));
    call_clear_error(call);
    if (sent->problem.cause == PROBLEM_WINDOW)
        name_templates(call, s, out);
    if (problem_is_retryable(sent->problem.cause))
        buf_add(out, STR(" (may be tried again)"));
    buf_add_char(out, '\n');
}

static void say_unknown(struct call *call, struct str to, struct buf *out)
{
    buf_add_format(out,
                   "%.*s: UNKNOWN whether it went out: %.*s Do not send it again before you have looked (wa_read); the "
                   "same key will not send twice.\n",
                   STR_ARG(to), STR_ARG(call->error_text.len ? call->error_text : STR("an earlier try did not end.")));
    call_clear_error(call);
}

static void say_sent(struct str to, const struct wa_sent *sent, struct buf *out)
{
    buf_add_format(out, "%.*s: sent%s, id=%.*s\n", STR_ARG(to), sent->was_before ? " before (same key)" : "",
                   STR_ARG(sent->message_id));
}

static int send_all(struct call *call, struct sending *s, struct tool_result *result)
{
    struct buf audit;
    size_t n_sent = 0, n_unknown = 0;
    int last = OK;
    buf_init(&audit, call->arena, 32 * 1024);
    for (size_t i = 0; i < s->n_to; i++) {
        struct wa_sent sent = {0};
        s->message.to = s->to[i];
        if (last == E_REFUSED || last == E_CANCELLED || last == E_TIMEOUT || last == E_UNAVAILABLE) {
            buf_add_format(&result->text, "%.*s: NOT sent: what came before it failed\n", STR_ARG(s->to[i]));
            continue;
        }
        host_progress(call, s->context->host, (int64_t)i + 1, (int64_t)s->n_to, STR("Sending"));
        last =
            wa_send(call, &s->wa, &s->message,
                    /* one for each, so that a retry for some of them finds what was sent to them */
                    s->key.len ? call_format(call, "%.*s/%.*s", STR_ARG(s->key), STR_ARG(s->to[i])) : STR_EMPTY, &sent);
        if (s->n_to == 1 && last && !sent.is_unknown && sent.problem.cause != PROBLEM_WINDOW)
            return last;
        n_sent += sent.message_id.len > 0;
        n_unknown += sent.is_unknown;
        if (sent.is_unknown)
            say_unknown(call, s->to[i], &result->text);
        else if (last)
            say_failed(call, s, s->to[i], &sent, &result->text);
        else
            say_sent(s->to[i], &sent, &result->text);
        buf_add_format(&audit, "%s%.*s", audit.len && sent.message_id.len ? "," : "",
                       STR_ARG(sent.message_id.len ? json_quote(call->arena, sent.message_id) : STR_EMPTY));
    }
    result->is_error = n_sent < s->n_to && (n_sent == 0 || n_unknown > 0);
    if (n_sent)
        buf_add(&result->text, STR("Accepted by the service; delivered and read are told by its webhook (wa_read)."));
    result->audit_json = call_format(call, "{\"sent\":%zu,\"unknown\":%zu,\"of\":%zu,\"ids\":[%.*s]}", n_sent,
                                     n_unknown, s->n_to, STR_ARG(buf_failed(&audit) ? STR_EMPTY : buf_str(&audit)));
    return last == E_REFUSED ? fail(call, E_REFUSED, "%.*s", STR_ARG(buf_str(&result->text))) : OK;
}

static void preview(struct call *call, const struct sending *s, bool may_send, struct tool_result *result)
{
    struct str what;
    if (write_what(call, s, &what))
        what = call->error_text;
    buf_add_format(&result->text, "Prepared, nothing was sent. It would %.*s\n%s", STR_ARG(what),
                   may_send ? "Call again without dry_run to send it."
                            : "This token may prepare, not send: somebody with the right publish has to send it.");
}

int tool_wa_send(struct call *call, const struct tool_context *context, const struct json *arguments,
                 struct tool_result *result)
{
    struct sending *s = arena_new_of(call->arena, struct sending);
    bool may_send = context->rights & RIGHT_PUBLISH;
    *s = (struct sending){.context = context, .key = text_of(arguments, "key")};
    int error;
    if ((error = wa_open(call, context->site, context->messages, &s->wa)) ||
        (error = read_message(call, arguments, &s->message)) ||
        (error = read_recipients(call, json_get(arguments, STR("to")), s)) ||
        (error = check_length(call, "key", s->key, KEY_MAX_CHARS)) || (error = look_at_windows(call, s)))
        return error;
    if (!may_send || json_bool_or(json_get(arguments, STR("dry_run")), false)) {
        preview(call, s, may_send, result);
        return OK;
    }
    if (!context->file && (error = confirm(call, s)))
        return error;
    bool needs_file = s->message.kind == WA_MEDIA && !s->message.media_url.len && !s->message.media_base64.len;
    if (needs_file && !context->file)
        return ask_for_file(call, context, result);
    if ((error = take_file(call, s)))
        return error;
    return send_all(call, s, result);
}
