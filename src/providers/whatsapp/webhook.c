/* What the two services send by themselves. Outside bytes: nothing is believed before it is proved. */
#include <sodium.h> /* before base/banned.h */

#include "providers/whatsapp/webhook.h"

#include "net/url.h"
#include "providers/whatsapp/evolution.h"
#include "providers/whatsapp/phone.h"

enum { HMAC_BYTES = 32, SIGNATURE_CHARS = 64, WEBHOOK_DEPTH_MAX = 32, TOKEN_MAX_BYTES = 4096 };

static struct str header_of(const struct webhook *webhook, const char *name)
{
    for (size_t i = 0; i < webhook->n_headers; i++)
        if (str_eq_nocase(webhook->headers[i].name, str_from(name)))
            return webhook->headers[i].value;
    return STR_EMPTY;
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

static bool same_text(struct str a, struct str b)
{
    return a.len == b.len && a.len > 0 && same_bytes(a.ptr, b.ptr, a.len);
}

static int not_theirs(struct call *call, const char *why)
{
    fail_detail(call, "webhook: %s", why);
    return fail(call, E_UNAUTHENTICATED, "This is not signed as it should be.");
}

static int parse(struct call *call, struct str body, const struct json **ret)
{
    static const struct json_limits limits = {WEBHOOK_DEPTH_MAX, WEBHOOK_BODY_MAX_BYTES, true};
    struct json_error error;
    if (json_parse(call->arena, body, &limits, ret, &error) != OK || !json_is(*ret, JSON_OBJECT))
        return fail(call, E_INVALID, "The body is not the JSON object that it should be.");
    return OK;
}

/* ---- Cloud API */

/* GET with hub.mode, hub.verify_token, hub.challenge: Meta asks whether the address is really ours. */
static int challenge(struct call *call, const struct webhook *webhook, struct webhook_answer *ret)
{
    struct str query = webhook->query, name, value, mode = STR_EMPTY, token = STR_EMPTY, word = STR_EMPTY;
    while (url_query_next(call->arena, &query, true, &name, &value)) {
        if (str_eq(name, STR("hub.mode")))
            mode = value;
        else if (str_eq(name, STR("hub.verify_token")))
            token = value;
        else if (str_eq(name, STR("hub.challenge")))
            word = value;
    }
    if (!same_text(token, webhook->secret)) /* first: any other answer would say that this connection is there */
        return not_theirs(call, "hub.verify_token is another");
    for (size_t i = 0; i < word.len; i++)
        if (!ascii_is_alnum(word.ptr[i]) && word.ptr[i] != '-' && word.ptr[i] != '_')
            return fail(call, E_INVALID, "hub.challenge has characters that a challenge does not have.");
    if (!str_eq(mode, STR("subscribe")) || !word.len || word.len > 256)
        return fail(call, E_INVALID, "hub.mode must be subscribe, and hub.challenge must be there.");
    ret->text = word;
    return OK;
}

static int hex_of(char c)
{
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int check_signature(struct call *call, const struct wa *wa, const struct webhook *webhook)
{
    struct str signature = header_of(webhook, "X-Hub-Signature-256");
    unsigned char given[HMAC_BYTES], wanted[HMAC_BYTES];
    if (!str_starts_with(signature, STR("sha256=")) || signature.len != 7 + SIGNATURE_CHARS)
        return not_theirs(call, "no X-Hub-Signature-256");
    for (size_t i = 0; i < HMAC_BYTES; i++) {
        int high = hex_of(signature.ptr[7 + 2 * i]), low = hex_of(signature.ptr[8 + 2 * i]);
        if (high < 0 || low < 0)
            return not_theirs(call, "X-Hub-Signature-256 is no hex");
        given[i] = (unsigned char)(high * 16 + low);
    }
    int error = site_hmac(call, wa->site, "app_secret", webhook->body, wanted);
    if (error)
        return error;
    return same_bytes(given, wanted, HMAC_BYTES) ? OK : not_theirs(call, "X-Hub-Signature-256 is wrong");
}

static struct str cloud_text(struct call *call, const struct json *message, struct str kind)
{
    static const char *const places[] = {
        "text.body",      "button.text", "interactive.button_reply.title", "interactive.list_reply.title",
        "reaction.emoji", "system.body"};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        struct str text = json_str(json_path(message, places[i]));
        if (text.len)
            return text;
    }
    const struct json *part = json_get(message, kind);
    if (str_eq(kind, STR("location")))
        return call_format(call, "%.*s, %.*s %.*s", STR_ARG(json_raw(json_get(part, STR("latitude")))),
                           STR_ARG(json_raw(json_get(part, STR("longitude")))),
                           STR_ARG(json_str(json_get(part, STR("name")))));
    struct str caption = json_str(json_get(part, STR("caption")));
    return caption.len ? caption : json_str(json_get(part, STR("filename")));
}

static int64_t seconds_of(const struct json *value)
{
    int64_t seconds;
    if (str_to_i64(json_str(value), &seconds) || json_to_i64(value, &seconds))
        return seconds > 0 && seconds < INT64_MAX / 2000 ? seconds * 1000 : 0;
    return 0;
}

static struct str name_of(const struct json *value, struct str from)
{
    const struct json *contacts = json_get(value, STR("contacts"));
    for (size_t i = 0; i < json_count(contacts); i++) {
        const struct json *contact = json_at(contacts, i);
        if (str_eq(json_str(json_get(contact, STR("wa_id"))), from) ||
            str_eq(json_str(json_get(contact, STR("user_id"))), from))
            return json_str(json_path(contact, "profile.name"));
    }
    return STR_EMPTY;
}

struct message cloud_message(struct call *call, const struct json *value, const struct json *item)
{
    struct str number = json_str(json_get(item, STR("from"))), user = json_str(json_get(item, STR("from_user_id")));
    struct str kind = json_str(json_get(item, STR("type")));
    struct str from =
        number.len ? phone_of_digits(call->arena, number) : user; /* since 2026 the number may be hidden */
    return (struct message){
        .id = json_str(json_get(item, STR("id"))),
        .chat = from,
        .sender = from,
        .name = name_of(value, number.len ? number : user),
        .kind = kind.len ? kind : STR("other"),
        .text = cloud_text(call, item, kind),
        .media_id = json_str(json_get(json_get(item, kind), STR("id"))),
        .reply_to = json_str(json_path(item, "context.id")),
        .status = STR("received"),
        .at_ms = seconds_of(json_get(item, STR("timestamp"))),
    };
}

static int take_status(struct call *call, const struct webhook *webhook, const struct json *item)
{
    static const char *const known[] = {"sent", "delivered", "read", "failed"};
    const struct json *error_json = json_path(item, "errors.0");
    struct message_status status = {
        .id = json_str(json_get(item, STR("id"))),
        .status = json_str(json_get(item, STR("status"))),
        .problem = json_str(json_get(error_json, STR("title"))),
        .send_id = json_str(json_get(item, STR("biz_opaque_callback_data"))),
        .at_ms = seconds_of(json_get(item, STR("timestamp"))),
    };
    bool is_known = false, is_new;
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        is_known |= str_eq(status.status, str_from(known[i]));
    if (!is_known)
        return OK;
    int64_t code = json_i64_or(json_get(error_json, STR("code")), 0);
    if (code)
        status.problem = call_format(call, "%s (Meta %lld: %.*s)", problem_name(problem_of_code(code)), (long long)code,
                                     STR_ARG(str_sub(status.problem, 0, 200)));
    int error = messages_status(call, webhook->messages, &status, &is_new);
    if (error == E_INVALID) {
        call_clear_error(call);
        return OK;
    }
    if (!error && is_new)
        wa_tell_changed(call, webhook, phone_of_digits(call->arena, json_str(json_get(item, STR("recipient_id")))));
    return error;
}

/* Nothing is left out in silence: who sends more at once than Meta does is refused. */
static int check_count(struct call *call, size_t events)
{
    if (events > WEBHOOK_EVENTS_MAX)
        return fail(call, E_INVALID, "%zu events are in it; at most %d are taken at once.", events, WEBHOOK_EVENTS_MAX);
    return OK;
}

static size_t count_events(const struct json *json)
{
    const struct json *entries = json_get(json, STR("entry"));
    size_t n = 0;
    for (size_t i = 0; i < json_count(entries); i++) {
        const struct json *changes = json_get(json_at(entries, i), STR("changes"));
        for (size_t k = 0; k < json_count(changes); k++) {
            const struct json *value = json_get(json_at(changes, k), STR("value"));
            n += json_count(json_get(value, STR("messages"))) + json_count(json_get(value, STR("statuses")));
        }
    }
    return n;
}

static int take_value(struct call *call, const struct wa *wa, const struct webhook *webhook, const struct json *value)
{
    const struct json *messages = json_get(value, STR("messages")), *statuses = json_get(value, STR("statuses"));
    /* One app may have several numbers, and one address: another's is another connection's. */
    if (!str_eq(json_str(json_path(value, "metadata.phone_number_id")), wa->number_id))
        return OK;
    int error = OK;
    for (size_t i = 0; !error && i < json_count(messages); i++) {
        const struct message message = cloud_message(call, value, json_at(messages, i));
        error = wa_take(call, webhook, &message);
    }
    for (size_t i = 0; !error && i < json_count(statuses); i++)
        error = take_status(call, webhook, json_at(statuses, i));
    return error;
}

int cloud_webhook(struct call *call, const struct wa *wa, const struct webhook *webhook, struct webhook_answer *ret)
{
    const struct json *json;
    bool is_new;
    if (str_eq(webhook->method, STR("GET")))
        return challenge(call, webhook, ret);
    int error = check_signature(call, wa, webhook);
    if (!error)
        error = parse(call, webhook->body, &json);
    if (!error)
        error = check_count(call, count_events(json));
    if (!error)
        error = webhook->is_new(call, webhook, "delivery", webhook->body, &is_new);
    if (error || !is_new)
        return error; /* taken before: said again, done once */
    const struct json *entries = json_get(json, STR("entry"));
    for (size_t i = 0; !error && i < json_count(entries); i++) {
        const struct json *changes = json_get(json_at(entries, i), STR("changes"));
        for (size_t k = 0; !error && k < json_count(changes); k++)
            error = take_value(call, wa, webhook, json_get(json_at(changes, k), STR("value")));
    }
    return error;
}

/* ---- Evolution: "Authorization: Bearer <JWT>", HS256 under the secret that it was given, ten minutes long */

static bool decode_part(struct call *call, struct str text, struct str *ret)
{
    size_t length;
    unsigned char *room = arena_alloc(call->arena, text.len + 1);
    if (sodium_base642bin(room, text.len + 1, text.ptr, text.len, NULL, &length, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    *ret = str_of((const char *)room, length);
    return true;
}

static int check_jwt(struct call *call, struct str token, struct str secret)
{
    enum { SKEW_S = 60, LIFE_S = 15 * 60 };
    struct str head, claims, given;
    const struct json *json;
    unsigned char wanted[HMAC_BYTES];
    crypto_auth_hmacsha256_state state;
    int64_t until, now_s = clock_now_ms() / 1000;
    size_t first = str_find_char(token, '.'), last = str_find_last_char(token, '.');
    if (first == STR_NOT_FOUND || first == last || token.len > TOKEN_MAX_BYTES ||
        !decode_part(call, str_sub(token, 0, first), &head) ||
        !decode_part(call, str_sub(token, first + 1, last - first - 1), &claims) ||
        !decode_part(call, str_from_offset(token, last + 1), &given) || given.len != HMAC_BYTES)
        return not_theirs(call, "the bearer is no JWT");
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.ptr, secret.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)token.ptr, last);
    crypto_auth_hmacsha256_final(&state, wanted);
    if (!same_bytes(given.ptr, wanted, HMAC_BYTES))
        return not_theirs(call, "the JWT is signed with another key");
    if (json_parse(call->arena, head, NULL, &json, NULL) || !str_eq(json_str(json_get(json, STR("alg"))), STR("HS256")))
        return not_theirs(call, "the JWT's alg is not HS256");
    if (json_parse(call->arena, claims, NULL, &json, NULL) || !json_to_i64(json_get(json, STR("exp")), &until))
        return not_theirs(call, "the JWT has no end");
    if (until < now_s - SKEW_S || until > now_s + LIFE_S)
        return not_theirs(call, "the JWT is too old, or good for too long");
    return OK;
}

static int check_bearer(struct call *call, const struct webhook *webhook)
{
    struct str bearer = header_of(webhook, "Authorization");
    if (!str_starts_with_nocase(bearer, STR("Bearer ")))
        return not_theirs(call, "no bearer");
    bearer = str_trim(str_from_offset(bearer, 7));
    /* The secret itself, for who set the webhook up by hand with a header of its own. */
    if (same_text(bearer, webhook->secret))
        return OK;
    return check_jwt(call, bearer, webhook->secret);
}

static int take_update(struct call *call, const struct webhook *webhook, const struct json *item)
{
    struct str id = json_str(json_get(item, STR("keyId")));
    bool is_new;
    struct message_status status = {
        .id = id.len ? id : json_str(json_path(item, "key.id")),
        .status = evolution_status(json_str(json_get(item, STR("status")))),
        .at_ms = clock_now_ms(),
    };
    if (!status.status.len || !status.id.len)
        return OK;
    int error = messages_status(call, webhook->messages, &status, &is_new);
    struct str jid = json_str(json_get(item, STR("remoteJid")));
    if (!error && is_new)
        wa_tell_changed(call, webhook,
                        phone_of_jid(call->arena, jid.len ? jid : json_str(json_path(item, "key.remoteJid"))));
    return error;
}

static int take_item(struct call *call, const struct webhook *webhook, struct str event, const struct json *item)
{
    if (str_eq(event, STR("messages.update")))
        return take_update(call, webhook, item);
    if (!str_eq(event, STR("messages.upsert")) && !str_eq(event, STR("send.message")))
        return OK;
    const struct message message = evolution_message(call, item);
    return str_eq(message.chat, STR("status@broadcast")) ? OK : wa_take(call, webhook, &message);
}

int evolution_webhook(struct call *call, const struct wa *wa, const struct webhook *webhook, struct webhook_answer *ret)
{
    const struct json *json;
    bool is_new;
    (void)ret;
    int error = check_bearer(call, webhook);
    if (!error && !str_eq(webhook->method, STR("POST")))
        return fail(call, E_INVALID, "Evolution sends with POST.");
    if (!error)
        error = parse(call, webhook->body, &json);
    if (error)
        return error;
    if (!str_eq(json_str(json_get(json, STR("instance"))), str_trim(json_str(json_get(wa->config, STR("instance"))))))
        return fail(call, E_INVALID, "This is of another instance.");
    const struct json *data = json_get(json, STR("data"));
    if ((error = check_count(call, json_is(data, JSON_ARRAY) ? json_count(data) : 1)) ||
        (error = webhook->is_new(call, webhook, "delivery", webhook->body, &is_new)) || !is_new)
        return error;
    struct str event = json_str(json_get(json, STR("event")));
    if (!json_is(data, JSON_ARRAY))
        return take_item(call, webhook, event, data);
    for (size_t i = 0; !error && i < json_count(data); i++)
        error = take_item(call, webhook, event, json_at(data, i));
    return error;
}
