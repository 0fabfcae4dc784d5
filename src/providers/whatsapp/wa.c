/* What both services share. */
#include "providers/whatsapp/wa.h"

#include "base/visible.h"
#include "net/url.h"
#include "providers/whatsapp/phone.h"

static struct str config_text(const struct json *config, const char *name)
{
    return str_trim(json_str(json_get(config, str_from(name))));
}

int wa_open(struct call *call, const struct site *site, struct messages *messages, struct wa *ret)
{
    static const struct wa_backend *const backends[] = {&wa_evolution, &wa_cloud};
    *ret = (struct wa){.site = site, .messages = messages};
    if (json_parse(call->arena, site->config_json, NULL, &ret->config, NULL) != OK)
        return fail(call, E_INTERNAL, "This connection's settings cannot be read.");
    struct str chosen = config_text(ret->config, "backend");
    for (size_t i = 0; i < ARRAY_LENGTH(backends); i++)
        if (str_eq(chosen.len ? chosen : wa_evolution.name, backends[i]->name))
            ret->backend = backends[i];
    if (!ret->backend)
        return fail(call, E_INVALID, "backend must be evolution or cloud.");
    ret->base = config_text(ret->config, "url");
    while (str_ends_with(ret->base, STR("/")))
        ret->base.len--;
    return ret->backend->open(call, ret);
}

int wa_request(struct call *call, const struct wa *wa, const struct wa_request *request, struct wa_answer *ret)
{
    struct http_fetched http;
    *ret = (struct wa_answer){.json = json_at(wa->config, 0)};
    struct site_request site = {
        .method = str_from(request->method),
        .url = request->elsewhere.len ? request->elsewhere : str_concat(call->arena, wa->base, request->path),
        .other_hosts = request->elsewhere_hosts,
        .body = request->body,
        .content_type = !request->body.len          ? STR_EMPTY
                        : request->content_type.len ? request->content_type
                                                    : STR("application/json"),
        .credential = &wa->backend->credential,
        .max_body_bytes = request->max_body_bytes,
    };
    int error = site_fetch(call, wa->site, &site, &http);
    if (error) {
        ret->problem = (struct problem){.cause = PROBLEM_UNKNOWN, .may_be_done = http.may_have_arrived};
        return error;
    }
    ret->status = http.status;
    ret->body = http.body;
    if (wa->answered)
        *wa->answered = true;
    if ((request->is_file && http.status == 200) || json_parse(call->arena, http.body, NULL, &ret->json, NULL) != OK)
        ret->json = json_at(wa->config, 0);
    if (http.status >= 300 && http.status < 400) {
        ret->problem = (struct problem){.cause = PROBLEM_UNKNOWN};
        return fail(call, E_UPSTREAM,
                    "The service has moved (HTTP %d): the token is not sent along. Change the address.", http.status);
    }
    if (request->is_file && http.status == 200)
        return OK;
    ret->problem = wa->backend->judge(call->arena, http.status, ret->json);
    return ret->problem.cause == PROBLEM_NONE ? OK : problem_fail(call, &ret->problem);
}

/* ---- messages in words */

static const char *const kind_names[WA_KINDS] = {
    [WA_TEXT] = "text",         [WA_MEDIA] = "media",       [WA_LOCATION] = "location", [WA_CONTACT] = "contact",
    [WA_REACTION] = "reaction", [WA_TEMPLATE] = "template", [WA_BUTTONS] = "buttons",   [WA_LIST] = "list",
};

const char *wa_kind_name(enum wa_kind kind)
{
    return kind_names[kind];
}

static void add_options(const struct wa_message *m, struct buf *out)
{
    for (size_t i = 0; i < m->n_options; i++)
        buf_add_format(out, m->options[i].description.len ? " [%.*s: %.*s]" : " [%.*s]", STR_ARG(m->options[i].title),
                       STR_ARG(m->options[i].description));
}

struct str wa_message_shown(struct call *call, const struct wa_message *m)
{
    struct buf out;
    buf_init(&out, call->arena, 64 * 1024);
    switch (m->kind) {
    case WA_TEXT:
        buf_add(&out, m->text);
        break;
    case WA_MEDIA:
        buf_add_format(&out, "%.*s %.*s", STR_ARG(m->media_kind),
                       STR_ARG(m->media_url.len   ? m->media_url
                               : m->file_name.len ? m->file_name
                                                  : STR("(a file)")));
        if (m->text.len)
            buf_add_format(&out, ": %.*s", STR_ARG(m->text));
        break;
    case WA_LOCATION:
        buf_add_format(&out, "location %.*s, %.*s %.*s %.*s", STR_ARG(m->latitude), STR_ARG(m->longitude),
                       STR_ARG(m->name), STR_ARG(m->address));
        break;
    case WA_CONTACT:
        buf_add_format(&out, "contact %.*s, +%.*s", STR_ARG(m->name), STR_ARG(m->phone));
        break;
    case WA_REACTION:
        buf_add_format(&out, "reaction %.*s to message %.*s", STR_ARG(m->emoji.len ? m->emoji : STR("(taken away)")),
                       STR_ARG(m->message_id));
        break;
    case WA_TEMPLATE:
        buf_add_format(&out, "template %.*s (%.*s)", STR_ARG(m->name), STR_ARG(m->language));
        if (!json_is(m->params, JSON_MISSING))
            buf_add_format(&out, " with %.*s", STR_ARG(json_raw(m->params)));
        if (!json_is(m->components, JSON_MISSING))
            buf_add_format(&out, " with %.*s", STR_ARG(json_raw(m->components)));
        break;
    default:
        if (m->header.len)
            buf_add_format(&out, "%.*s\n", STR_ARG(m->header));
        buf_add(&out, m->text);
        if (m->footer.len)
            buf_add_format(&out, "\n%.*s", STR_ARG(m->footer));
        if (m->button.len)
            buf_add_format(&out, " (%.*s)", STR_ARG(m->button));
        add_options(m, &out);
        break;
    }
    return buf_str(&out);
}

struct str wa_encode(struct call *call, struct str text)
{
    struct buf out;
    buf_init(&out, call->arena, 8 * 1024);
    url_encode_component(&out, text);
    return buf_str(&out);
}

struct str wa_time(struct call *call, int64_t at_ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(at_ms, text);
    return call_format(call, "%.16s", text);
}

struct str wa_cursor(struct call *call, int64_t at_ms, struct str id)
{
    enum { TO_SECONDS = 19, TO_MS = 23 };
    char text[CLOCK_TEXT_BYTES];
    clock_format(at_ms, text);
    return call_format(call, "%.*s%s%.*s", at_ms % 1000 ? TO_MS : TO_SECONDS, text, id.len ? " " : "", STR_ARG(id));
}

int wa_cursor_read(struct call *call, struct str text, int64_t *ret_at_ms, struct str *ret_id)
{
    *ret_at_ms = 0;
    *ret_id = STR_EMPTY;
    if (!text.len || clock_parse(text, ret_at_ms))
        return OK;
    size_t day = str_find_char(text, ' '); /* a time of ours has one space in it */
    struct str rest = day == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(text, day + 1);
    size_t clock = str_find_char(rest, ' ');
    if (clock == STR_NOT_FOUND || !clock_parse(str_sub(text, 0, day + 1 + clock), ret_at_ms))
        return fail(call, E_INVALID, "before must be a time, as 2026-01-31 13:00 (UTC).");
    *ret_id = str_from_offset(rest, clock + 1);
    return OK;
}

/* ---- rules. "22:00-08:00 -03:00"; numbers as texts, for all fields of a form are. */

static bool read_minutes(struct str text, int *ret)
{
    uint64_t hours, minutes;
    if (text.len != 5 || text.ptr[2] != ':' || !str_to_u64(str_sub(text, 0, 2), &hours) ||
        !str_to_u64(str_sub(text, 3, 2), &minutes) || hours > 24 || minutes > 59)
        return false;
    *ret = (int)(hours * 60 + minutes);
    return true;
}

static bool read_quiet(struct str text, struct send_rules *rules)
{
    enum { SPAN = 11, WITH_ZONE = 18 };
    int zone = 0;
    if (text.len == 0)
        return true;
    if (text.len != SPAN && text.len != WITH_ZONE)
        return false;
    if (text.ptr[5] != '-' || !read_minutes(str_sub(text, 0, 5), &rules->quiet_from) ||
        !read_minutes(str_sub(text, 6, 5), &rules->quiet_until))
        return false;
    if (text.len == WITH_ZONE &&
        ((text.ptr[12] != '+' && text.ptr[12] != '-') || !read_minutes(str_sub(text, 13, 5), &zone)))
        return false;
    rules->utc_offset_min = text.len == WITH_ZONE && text.ptr[12] == '-' ? -zone : zone;
    return true;
}

static void read_number(const struct json *config, const char *name, int64_t *rule)
{
    int64_t number;
    if (str_to_i64(config_text(config, name), &number) && number >= 0)
        *rule = number;
}

struct send_rules wa_rules(const struct wa *wa)
{
    struct send_rules rules = wa->backend->rules;
    read_number(wa->config, "tier_recipients_a_day", &rules.recipients_per_day); /* found by the check */
    read_number(wa->config, "per_second", &rules.per_second);
    int64_t pause_s = -1;
    read_number(wa->config, "recipient_pause", &pause_s);
    if (pause_s >= 0)
        rules.per_recipient_ms = pause_s * 1000;
    read_number(wa->config, "recipients_per_day", &rules.recipients_per_day);
    read_number(wa->config, "per_token_a_day", &rules.per_token_a_day);
    if (!read_quiet(config_text(wa->config, "quiet_hours"), &rules))
        rules.quiet_from = rules.quiet_until = 0; /* the check has refused it */
    return rules;
}

bool wa_quiet_is_right(struct str text)
{
    struct send_rules rules = {0};
    return read_quiet(str_trim(text), &rules);
}

int wa_window(struct call *call, const struct wa *wa, struct str chat, int64_t *ret_until_ms)
{
    struct chat kept = {0};
    struct message_list last = {0};
    bool is_found = false;
    int error = wa->messages ? messages_chat(call, wa->messages, chat, &kept, &is_found) : OK;
    *ret_until_ms = is_found && kept.inbound_at_ms ? kept.inbound_at_ms + WINDOW_MS : 0;
    if (error || *ret_until_ms > clock_now_ms() || !wa->backend->list)
        return error;
    /* Webhooks may not be set up: the service's own memory. */
    error = wa->backend->list(call, wa, &(struct message_query){.chat = chat, .limit = 50}, &last);
    for (size_t i = 0; !error && i < last.count; i++)
        if (!last.items[i].outgoing && last.items[i].at_ms + WINDOW_MS > *ret_until_ms)
            *ret_until_ms = last.items[i].at_ms + WINDOW_MS;
    return error;
}

/* ---- what webhooks bring */

void wa_tell_changed(struct call *call, const struct webhook *webhook, struct str chat)
{
    webhook->changed(webhook, HOST_RESOURCE_UPDATED, call_format(call, WA_CHAT_URI "%.*s", STR_ARG(chat)));
}

/* The whole message is such a word, in any case, with or without a full stop. */
static bool is_word_of(struct str text, const char *const *words, size_t n)
{
    struct str word = str_trim(text);
    while (word.len && (word.ptr[word.len - 1] == '.' || word.ptr[word.len - 1] == '!'))
        word.len--;
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(word, str_from(words[i])))
            return true;
    return false;
}

/* One that wants messages and is newer than this one that does not: services deliver again, late, what failed. */
static int has_taken_back(struct call *call, const struct webhook *webhook, const struct message *message,
                          const char *const *in, size_t n_in, bool *ret)
{
    struct message_list list;
    int error = messages_list(call, webhook->messages,
                              &(struct message_query){.chat = message->chat, .limit = WA_ITEMS_MAX}, &list);
    *ret = false;
    for (size_t i = 0; !error && i < list.count; i++)
        *ret |=
            !list.items[i].outgoing && list.items[i].at_ms > message->at_ms && is_word_of(list.items[i].text, in, n_in);
    return error;
}

static int note_wish(struct call *call, const struct webhook *webhook, const struct message *message)
{
    bool is_over;
    static const char *const out[] = {"stop", "stopall", "unsubscribe",  "parar",
                                      "pare", "sair",    "descadastrar", "baja"};
    static const char *const in[] = {"start", "unstop", "voltar", "volver"};
    if (phone_is_group(message->chat))
        return OK;
    if (is_word_of(message->text, out, ARRAY_LENGTH(out))) {
        int error = has_taken_back(call, webhook, message, in, ARRAY_LENGTH(in), &is_over);
        if (error || is_over)
            return error;
        return messages_opt_out(call, webhook->messages, message->chat, true, message->at_ms,
                                call_format(call, "wrote %.*s", STR_ARG(str_sub(str_trim(message->text), 0, 20))));
    }
    if (is_word_of(message->text, in, ARRAY_LENGTH(in)))
        return messages_opt_out(call, webhook->messages, message->chat, false, message->at_ms, STR_EMPTY);
    return OK;
}

int wa_take(struct call *call, const struct webhook *webhook, const struct message *message)
{
    bool is_new;
    int error = messages_take(call, webhook->messages, message, &is_new);
    if (error == E_INVALID) { /* one that is none spoils no other of the same delivery */
        call_clear_error(call);
        return OK;
    }
    if (error || !is_new)
        return error;
    wa_tell_changed(call, webhook, message->chat);
    if (message->outgoing)
        return OK;
    error = note_wish(call, webhook, message);
    return !error && webhook->answered ? webhook->answered(call, webhook, message) : error;
}
