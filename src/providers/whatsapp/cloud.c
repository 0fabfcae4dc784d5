/* Meta's Cloud API: its operations as the tools want them. */
#include "providers/whatsapp/evolution.h"

#include "crypto/sha256.h"
#include "providers/whatsapp/phone.h"
#include "providers/whatsapp/webhook.h"

enum { ANSWER_BYTES_MAX = 4 * 1024 * 1024, MULTIPART_MAX_BYTES = 20 * 1024 * 1024 };

#define DEFAULT_BASE "https://graph.facebook.com"
#define DEFAULT_VERSION "v26.0"

static struct str quote(struct call *call, struct str text)
{
    return json_quote(call->arena, text);
}

static bool is_id(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    return text.len > 0 && text.len <= 32;
}

static bool is_version(struct str text)
{
    for (size_t i = 1; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]) && text.ptr[i] != '.')
            return false;
    return text.len > 1 && text.len < 8 && text.ptr[0] == 'v';
}

static int open(struct call *call, struct wa *wa)
{
    wa->number_id = str_trim(json_str(json_get(wa->config, STR("phone_number_id"))));
    wa->business_id = str_trim(json_str(json_get(wa->config, STR("business_account_id"))));
    wa->version = str_trim(json_str(json_get(wa->config, STR("graph_version"))));
    if (!wa->base.len)
        wa->base = STR(DEFAULT_BASE);
    if (!wa->version.len)
        wa->version = STR(DEFAULT_VERSION);
    if (!is_id(wa->number_id))
        return fail(call, E_INVALID,
                    "phone_number_id is missing or no number: it stands in Meta's app dashboard, WhatsApp, "
                    "API setup.");
    if (!is_id(wa->business_id))
        return fail(call, E_INVALID,
                    "business_account_id is missing or no number: it stands in Meta's app dashboard, "
                    "WhatsApp, API setup.");
    if (!is_version(wa->version))
        return fail(call, E_INVALID, "graph_version must look like " DEFAULT_VERSION ".");
    return OK;
}

static int ask(struct call *call, const struct wa *wa, const char *method, struct str path, struct str body,
               struct wa_answer *ret)
{
    const struct wa_request request = {
        .method = method,
        .path = call_format(call, "/%.*s/%.*s", STR_ARG(wa->version), STR_ARG(path)),
        .body = body,
        .max_body_bytes = ANSWER_BYTES_MAX,
    };
    return wa_request(call, wa, &request, ret);
}

/* ---- state and check */

#define NUMBER_FIELDS "display_phone_number,verified_name,quality_rating,messaging_limit_tier,throughput,status"

/* "TIER_250", "TIER_1K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED": different people within 24 hours. 0: no limit, -1: not said. */
static int64_t tier_of(struct str text)
{
    uint64_t number;
    struct str rest = str_starts_with(text, STR("TIER_")) ? str_from_offset(text, 5) : STR_EMPTY;
    if (str_eq(rest, STR("UNLIMITED")))
        return 0;
    bool thousands = str_ends_with(rest, STR("K"));
    if (!str_to_u64(thousands ? str_sub(rest, 0, rest.len - 1) : rest, &number) || number > 1000000)
        return -1;
    return (int64_t)number * (thousands ? 1000 : 1);
}

static struct str details_of(struct call *call, const struct json *json)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, call->arena, 8 * 1024);
    json_write_init(&w, &out);
    json_object(&w);
    json_member_str(&w, "number", json_str(json_get(json, STR("display_phone_number"))));
    json_member_str(&w, "quality", json_str(json_get(json, STR("quality_rating"))));
    json_member_str(&w, "limit", json_str(json_get(json, STR("messaging_limit_tier"))));
    json_member_str(&w, "throughput", json_str(json_path(json, "throughput.level")));
    json_member_str(&w, "status", json_str(json_get(json, STR("status"))));
    json_end(&w);
    return buf_str(&out);
}

/* The config with what is known now: address, version, and how many people a day. */
static struct str config_of(struct call *call, const struct wa *wa, int64_t tier)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, call->arena, 64 * 1024);
    json_write_init(&w, &out);
    json_object(&w);
    for (size_t i = 0; i < json_count(wa->config); i++) {
        struct json_member member = json_member_at(wa->config, i);
        if (str_eq(member.name, STR("url")) || str_eq(member.name, STR("graph_version")) ||
            str_eq(member.name, STR("tier_recipients_a_day")))
            continue;
        json_key(&w, member.name);
        json_value(&w, member.value);
    }
    json_member_str(&w, "url", wa->base);
    json_member_str(&w, "graph_version", wa->version);
    if (tier >= 0)
        json_member_str(&w, "tier_recipients_a_day", call_format(call, "%lld", (long long)tier));
    json_end(&w);
    return buf_str(&out);
}

static int check(struct call *call, struct wa *wa, struct site_check *ret)
{
    struct wa_answer answer;
    int64_t begun_ms = clock_monotonic_ms();
    int error = ask(call, wa, "GET", call_format(call, "%.*s?fields=" NUMBER_FIELDS, STR_ARG(wa->number_id)), STR_EMPTY,
                    &answer);
    if (error)
        return error;
    ret->latency_ms = clock_monotonic_ms() - begun_ms;
    ret->site_name = json_str(json_get(answer.json, STR("verified_name")));
    ret->site_user = json_str(json_get(answer.json, STR("display_phone_number")));
    ret->site_role = json_str(json_get(answer.json, STR("quality_rating")));
    ret->site_version = wa->version;
    if (!ret->site_user.len)
        return fail(call, E_UPSTREAM, "Meta's answer names no telephone number: is phone_number_id that of a number?");
    ret->details_json = details_of(call, answer.json);
    ret->config_json = config_of(call, wa, tier_of(json_str(json_get(answer.json, STR("messaging_limit_tier")))));
    if (str_eq(ret->site_role, STR("RED")))
        ret->warning = STR("Meta rates this number's quality as low (RED): its limit may be lowered.");
    /* The account's id is proved too: templates are its. */
    error = ask(call, wa, "GET", call_format(call, "%.*s?fields=name", STR_ARG(wa->business_id)), STR_EMPTY, &answer);
    ret->ok = !error;
    return error;
}

static int state(struct call *call, const struct wa *wa, bool pair, struct connection_state *ret)
{
    struct wa_answer answer;
    (void)pair;
    int error = ask(call, wa, "GET", call_format(call, "%.*s?fields=" NUMBER_FIELDS, STR_ARG(wa->number_id)), STR_EMPTY,
                    &answer);
    if (error)
        return error;
    struct str status = json_str(json_get(answer.json, STR("status")));
    ret->state = status.len && !str_eq(status, STR("CONNECTED")) ? STR("closed") : STR("open");
    ret->text = str_eq(ret->state, STR("open")) ? STR("The number is connected.")
                                                : call_format(call, "Meta says of this number: %.*s.", STR_ARG(status));
    ret->details_json = details_of(call, answer.json);
    return OK;
}

/* ---- one message */

static void write_params(struct json_writer *w, const struct json *params)
{
    json_array(w);
    if (json_count(params)) {
        json_object(w);
        json_member_str(w, "type", STR("body"));
        json_key(w, STR("parameters"));
        json_array(w);
        for (size_t i = 0; i < json_count(params); i++) {
            json_object(w);
            json_member_str(w, "type", STR("text"));
            json_member_str(w, "text", json_str(json_at(params, i)));
            json_end(w);
        }
        json_end(w);
        json_end(w);
    }
    json_end(w);
}

struct str wa_components(struct call *call, const struct wa_message *m)
{
    struct buf *out = arena_new_of(call->arena, struct buf);
    struct json_writer w;
    if (json_is(m->components, JSON_ARRAY))
        return json_raw(m->components);
    buf_init(out, call->arena, 64 * 1024);
    json_write_init(&w, out);
    write_params(&w, m->params);
    return buf_str(out);
}

static void write_media(struct json_writer *w, const struct wa_message *m)
{
    json_object(w);
    json_member_str(w, m->media_id.len ? "id" : "link", m->media_id.len ? m->media_id : m->media_url);
    /* Voices and stickers have no words with them. */
    if (m->text.len && !str_eq(m->media_kind, STR("audio")) && !str_eq(m->media_kind, STR("sticker")))
        json_member_str(w, "caption", m->text);
    if (m->file_name.len && str_eq(m->media_kind, STR("document")))
        json_member_str(w, "filename", m->file_name);
    json_end(w);
}

static void write_part(struct json_writer *w, const char *name, const char *type, struct str text)
{
    if (!text.len)
        return;
    json_key(w, str_from(name));
    json_object(w);
    if (type)
        json_member_str(w, "type", str_from(type));
    json_member_str(w, "text", text);
    json_end(w);
}

static void write_action(struct json_writer *w, const struct wa_message *m)
{
    json_key(w, STR("action"));
    json_object(w);
    if (m->kind == WA_LIST) {
        json_member_str(w, "button", m->button);
        json_key(w, STR("sections"));
        json_array(w);
        json_object(w);
        json_member_str(w, "title", m->button);
        json_key(w, STR("rows"));
    } else {
        json_key(w, STR("buttons"));
    }
    json_array(w);
    for (size_t i = 0; i < m->n_options; i++) {
        json_object(w);
        if (m->kind == WA_BUTTONS) {
            json_member_str(w, "type", STR("reply"));
            json_key(w, STR("reply"));
            json_object(w);
        }
        json_member_str(w, "id", m->options[i].id);
        json_member_str(w, "title", m->options[i].title);
        if (m->kind == WA_LIST && m->options[i].description.len)
            json_member_str(w, "description", m->options[i].description);
        if (m->kind == WA_BUTTONS)
            json_end(w);
        json_end(w);
    }
    json_end(w);
    if (m->kind == WA_LIST) {
        json_end(w);
        json_end(w);
    }
    json_end(w);
}

static void write_interactive(struct json_writer *w, const struct wa_message *m)
{
    json_object(w);
    json_member_str(w, "type", m->kind == WA_LIST ? STR("list") : STR("button"));
    write_part(w, "header", "text", m->header);
    write_part(w, "body", NULL, m->text);
    write_part(w, "footer", NULL, m->footer);
    write_action(w, m);
    json_end(w);
}

static void write_place(struct call *call, struct json_writer *w, const struct wa_message *m)
{
    json_object(w);
    json_member_raw(w, "latitude", m->latitude);
    json_member_raw(w, "longitude", m->longitude);
    if (m->name.len)
        json_member_str(w, "name", m->name);
    if (m->address.len)
        json_member_str(w, "address", m->address);
    json_end(w);
    (void)call;
}

static struct str contact_of(struct call *call, const struct wa_message *m)
{
    struct str name = quote(call, m->name);
    return call_format(call,
                       "[{\"name\":{\"formatted_name\":%.*s,\"first_name\":%.*s},\"phones\":[{\"phone\":\"+%.*s\","
                       "\"wa_id\":\"%.*s\"}]}]",
                       STR_ARG(name), STR_ARG(name), STR_ARG(m->phone), STR_ARG(m->phone));
}

static void write_kind(struct call *call, struct json_writer *w, const struct wa_message *m)
{
    static const char *const types[WA_KINDS] = {
        [WA_TEXT] = "text",         [WA_LOCATION] = "location",   [WA_CONTACT] = "contacts", [WA_REACTION] = "reaction",
        [WA_TEMPLATE] = "template", [WA_BUTTONS] = "interactive", [WA_LIST] = "interactive",
    };
    struct str type = m->kind == WA_MEDIA ? m->media_kind : str_from(types[m->kind]);
    json_member_str(w, "type", type);
    json_key(w, type);
    switch (m->kind) {
    case WA_TEXT:
        json_object(w);
        json_member_str(w, "body", m->text);
        json_member_bool(w, "preview_url", str_contains(m->text, STR("://")));
        json_end(w);
        break;
    case WA_MEDIA:
        write_media(w, m);
        break;
    case WA_LOCATION:
        write_place(call, w, m);
        break;
    case WA_CONTACT:
        json_raw_value(w, contact_of(call, m));
        break;
    case WA_REACTION:
        json_object(w);
        json_member_str(w, "message_id", m->message_id);
        json_member_str(w, "emoji", m->emoji);
        json_end(w);
        break;
    case WA_TEMPLATE:
        json_object(w);
        json_member_str(w, "name", m->name);
        json_member_raw(w, "language", call_format(call, "{\"code\":%.*s}", STR_ARG(quote(call, m->language))));
        json_member_raw(w, "components", wa_components(call, m));
        json_end(w);
        break;
    default:
        write_interactive(w, m);
        break;
    }
}

static int write_message(struct call *call, const struct wa *wa, const struct wa_message *m, struct wa_request *ret)
{
    struct buf *out = arena_new_of(call->arena, struct buf);
    struct json_writer w;
    if (phone_is_group(m->to))
        return fail(call, E_INVALID, "The Cloud API does not send to groups.");
    buf_init(out, call->arena, WA_BODY_MAX_BYTES);
    json_write_init(&w, out);
    json_object(&w);
    json_member_str(&w, "messaging_product", STR("whatsapp"));
    json_member_str(&w, "recipient_type", STR("individual"));
    /* A person without a number that we know is named by the id that Meta gave. */
    json_member_str(&w, str_find_char(m->to, '.') == STR_NOT_FOUND ? "to" : "recipient", m->to);
    if (m->reply_to.len && m->kind != WA_REACTION)
        json_member_raw(&w, "context", call_format(call, "{\"message_id\":%.*s}", STR_ARG(quote(call, m->reply_to))));
    if (m->send_id.len)
        json_member_str(&w, "biz_opaque_callback_data", m->send_id);
    write_kind(call, &w, m);
    json_end(&w);
    if (buf_failed(out))
        return fail(call, E_LIMIT, "The message is larger than %d bytes.", WA_BODY_MAX_BYTES);
    ret->path = call_format(call, "/%.*s/%.*s/messages", STR_ARG(wa->version), STR_ARG(wa->number_id));
    ret->body = buf_str(out);
    return OK;
}

static struct str message_id(const struct json *json)
{
    return json_str(json_path(json, "messages.0.id"));
}

/* A boundary that the file cannot hold: 128 random bits of the call's own. */
static int upload(struct call *call, const struct wa *wa, const struct wa_message *m, struct str bytes,
                  struct str *ret_media_id)
{
    struct wa_answer answer;
    struct buf body;
    struct str boundary = call_format(call, "porteiro%s%s", call->id, call->id), name = m->file_name;
    if (!name.len || str_find_char(name, '"') != STR_NOT_FOUND || str_find_char(name, '\n') != STR_NOT_FOUND)
        name = STR("file");
    if (str_contains(bytes, boundary))
        return fail(call, E_INTERNAL, "The file could not be packed. Try again.");
    buf_init(&body, call->arena, MULTIPART_MAX_BYTES);
    buf_add_format(
        &body,
        "--%.*s\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--%.*s\r\n"
        "Content-Disposition: form-data; name=\"type\"\r\n\r\n%.*s\r\n--%.*s\r\nContent-Disposition: form-data; "
        "name=\"file\"; filename=\"%.*s\"\r\nContent-Type: %.*s\r\n\r\n",
        STR_ARG(boundary), STR_ARG(boundary), STR_ARG(m->media_type), STR_ARG(boundary), STR_ARG(name),
        STR_ARG(m->media_type));
    buf_add(&body, bytes);
    buf_add_format(&body, "\r\n--%.*s--\r\n", STR_ARG(boundary));
    if (buf_failed(&body))
        return fail(call, E_LIMIT, "The file is too large.");
    const struct wa_request request = {
        .method = "POST",
        .path = call_format(call, "/%.*s/%.*s/media", STR_ARG(wa->version), STR_ARG(wa->number_id)),
        .body = buf_str(&body),
        .content_type = call_format(call, "multipart/form-data; boundary=%.*s", STR_ARG(boundary)),
    };
    int error = wa_request(call, wa, &request, &answer);
    *ret_media_id = json_str(json_get(answer.json, STR("id")));
    if (!error && !ret_media_id->len)
        return fail(call, E_UPSTREAM, "Meta took the file, but named no id.");
    return error;
}

/* ---- files that came */

/* Where Meta keeps them; the token goes along, so nowhere else. */
static const char *const media_hosts[] = {"fbsbx.com", "fbcdn.net", "facebook.com", "whatsapp.net", NULL};

/* Meta names the digest; what has another is not the file. */
static int check_digest(struct call *call, struct str bytes, struct str wanted)
{
    char digest[SHA256_HEX_BYTES];
    sha256_hex(bytes, digest);
    if (wanted.len == SHA256_HEX_BYTES - 1 && !str_eq_nocase(wanted, str_from(digest)))
        return fail(call, E_UPSTREAM,
                    "What came is not the file that Meta described (its digest is another). Try again.");
    return OK;
}

static int media(struct call *call, const struct wa *wa, struct str id, struct wa_media *ret)
{
    struct wa_answer answer, file;
    int error =
        ask(call, wa, "GET",
            call_format(call, "%.*s?phone_number_id=%.*s", STR_ARG(wa_encode(call, id)), STR_ARG(wa->number_id)),
            STR_EMPTY, &answer);
    if (!error)
        error = wa_media_check_size(call, json_i64_or(json_get(answer.json, STR("file_size")), 0));
    if (error)
        return error;
    const struct wa_request request = {
        .method = "GET",
        .elsewhere = json_str(json_get(answer.json, STR("url"))),
        .elsewhere_hosts = media_hosts,
        .max_body_bytes = WA_MEDIA_MAX_BYTES,
        .is_file = true,
    };
    if (!request.elsewhere.len)
        return fail(call, E_NOT_FOUND, "Meta has no file of this id any more: it keeps them for 30 days.");
    error = wa_request(call, wa, &request, &file);
    if (!error)
        error = check_digest(call, file.body, json_str(json_get(answer.json, STR("sha256"))));
    if (error)
        return error;
    ret->type = json_str(json_get(answer.json, STR("mime_type")));
    ret->base64 = wa_media_encode(call, file.body);
    return OK;
}

/* ---- marking */

static int mark_read(struct call *call, const struct wa *wa, struct str chat, struct str id)
{
    struct wa_answer answer;
    (void)chat;
    return ask(call, wa, "POST", call_format(call, "%.*s/messages", STR_ARG(wa->number_id)),
               call_format(call, "{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":%.*s}",
                           STR_ARG(quote(call, id))),
               &answer);
}

/* ---- templates */

static struct str body_of(const struct json *template)
{
    const struct json *components = json_get(template, STR("components"));
    for (size_t i = 0; i < json_count(components); i++)
        if (str_eq_nocase(json_str(json_get(json_at(components, i), STR("type"))), STR("BODY")))
            return json_str(json_get(json_at(components, i), STR("text")));
    return STR_EMPTY;
}

size_t wa_read_templates(struct call *call, const struct json *json, struct message_template *ret)
{
    const struct json *items = json_is(json, JSON_ARRAY) ? json : json_get(json, STR("data"));
    size_t n = 0;
    (void)call;
    for (size_t i = 0; i < json_count(items) && n < WA_ITEMS_MAX; i++) {
        const struct json *item = json_at(items, i);
        ret[n++] = (struct message_template){
            .name = json_str(json_get(item, STR("name"))),
            .language = json_str(json_get(item, STR("language"))),
            .status = json_str(json_get(item, STR("status"))),
            .category = json_str(json_get(item, STR("category"))),
            .body = body_of(item),
        };
    }
    return n;
}

static int templates(struct call *call, const struct wa *wa, struct message_template *ret, size_t *ret_count)
{
    struct wa_answer answer;
    int error = ask(call, wa, "GET",
                    call_format(call, "%.*s/message_templates?limit=%d&fields=name,language,status,category,components",
                                STR_ARG(wa->business_id), WA_ITEMS_MAX),
                    STR_EMPTY, &answer);
    *ret_count = error ? 0 : wa_read_templates(call, answer.json, ret);
    return error;
}

static int template_create(struct call *call, const struct wa *wa, const struct json *template, struct str *ret_status)
{
    struct wa_answer answer;
    int error = ask(call, wa, "POST", call_format(call, "%.*s/message_templates", STR_ARG(wa->business_id)),
                    json_raw(template), &answer);
    *ret_status = json_str(json_get(answer.json, STR("status")));
    return error;
}

static int template_delete(struct call *call, const struct wa *wa, struct str name)
{
    struct wa_answer answer;
    return ask(
        call, wa, "DELETE",
        call_format(call, "%.*s/message_templates?name=%.*s", STR_ARG(wa->business_id), STR_ARG(wa_encode(call, name))),
        STR_EMPTY, &answer);
}

/* ---- everything else. {number} and {account} stand for the connection's own. */

static const struct wa_operation operations[] = {
    {STR_INIT("GET {number}/whatsapp_business_profile"), STR_INIT("the number's business profile"),
     STR_INIT("{fields}"), RIGHT_READ, false},
    {STR_INIT("POST {number}/whatsapp_business_profile"), STR_INIT("changes the business profile"),
     STR_INIT("{messaging_product:whatsapp,about,address,description,email,websites:[],vertical}"), RIGHT_ADMIN, true},
    {STR_INIT("GET {account}/phone_numbers"), STR_INIT("the account's numbers"), STR_INIT("{fields}"), RIGHT_READ,
     false},
    {STR_INIT("GET {account}"), STR_INIT("the business account"), STR_INIT("{fields}"), RIGHT_READ, false},
    {STR_INIT("GET {number}/message_qrdls"), STR_INIT("QR codes and short links"), STR_INIT("{}"), RIGHT_READ, false},
    {STR_INIT("POST {number}/message_qrdls"), STR_INIT("a new QR code"),
     STR_INIT("{prefilled_message,generate_qr_image}"), RIGHT_PUBLISH, true},
    {STR_INIT("GET {number}/block_users"), STR_INIT("blocked people"), STR_INIT("{}"), RIGHT_READ, false},
    {STR_INIT("POST {number}/block_users"), STR_INIT("blocks people"),
     STR_INIT("{messaging_product:whatsapp,block_users:[{user}]}"), RIGHT_ADMIN, true},
    {STR_INIT("DELETE {number}/block_users"), STR_INIT("unblocks people"),
     STR_INIT("{messaging_product:whatsapp,block_users:[{user}]}"), RIGHT_ADMIN, true},
    {STR_INIT("GET {account}/subscribed_apps"), STR_INIT("who gets its webhooks"), STR_INIT("{}"), RIGHT_READ, false},
};

static struct str operation_path(struct call *call, const struct wa *wa, struct str name)
{
    struct str path = str_from_offset(name, str_find_char(name, ' ') + 1);
    path = str_replace(call->arena, path, STR("{number}"), wa->number_id);
    path = str_replace(call->arena, path, STR("{account}"), wa->business_id);
    return call_format(call, "/%.*s/%.*s", STR_ARG(wa->version), STR_ARG(path));
}

const struct wa_backend wa_cloud = {
    .name = STR_INIT("cloud"),
    .judge = problem_of_cloud,
    .credential = {"access_token", "Authorization", "Bearer "},
    .open = open,
    .check = check,
    .state = state,
    .write_message = write_message,
    .message_id = message_id,
    .upload = upload,
    .media = media,
    .mark_read = mark_read,
    .templates = templates,
    .template_create = template_create,
    .template_delete = template_delete,
    .webhook = cloud_webhook,
    .operations = operations,
    .n_operations = ARRAY_LENGTH(operations),
    .operation_path = operation_path,
    .rules = {.per_second = 80, .per_recipient_ms = 6000, .recipients_per_day = 250, .per_token_a_day = 10000},
    .has_window = true,
};
