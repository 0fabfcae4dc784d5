/* One message to one recipient: claimed, paced, sent, recorded. */
#include "providers/whatsapp/wa.h"

#include "crypto/sha256.h"
#include "providers/whatsapp/phone.h"

enum { BYTES_OF_DIGEST_MAX = 1024 * 1024 };

/* Of everything that goes out, and to whom; the bytes of a file by their own digest. */
static struct str digest_of(struct call *call, const struct wa_message *m)
{
    struct buf text;
    struct json_writer w;
    char *digest = arena_alloc(call->arena, SHA256_HEX_BYTES), file[SHA256_HEX_BYTES] = "";
    if (m->media_base64.len)
        sha256_hex(m->media_base64, file);
    buf_init(&text, call->arena, BYTES_OF_DIGEST_MAX);
    json_write_init(&w, &text);
    json_array(&w);
    json_i64(&w, m->kind);
    const struct str parts[] = {m->to,        m->text,       m->reply_to,  m->media_kind, m->media_url, str_from(file),
                                m->file_name, m->latitude,   m->longitude, m->name,       m->address,   m->phone,
                                m->emoji,     m->message_id, m->language,  m->header,     m->footer,    m->button};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        json_string(&w, parts[i]);
    json_value(&w, m->params);
    json_value(&w, m->components);
    for (size_t i = 0; i < m->n_options; i++) {
        json_string(&w, m->options[i].id);
        json_string(&w, m->options[i].title);
        json_string(&w, m->options[i].description);
    }
    json_end(&w);
    sha256_hex(buf_str(&text), digest);
    return str_from(digest);
}

static struct message said_of(struct call *call, const struct wa_message *m, struct str id)
{
    return (struct message){
        .id = id,
        .chat = m->to,
        .outgoing = true,
        .kind = m->kind == WA_MEDIA ? m->media_kind : str_from(wa_kind_name(m->kind)),
        .text = wa_message_shown(call, m),
        .reply_to = m->reply_to,
        .status = STR("sent"),
        .at_ms = clock_now_ms(),
    };
}

/* One that was begun before, and did not come to its end: the service may know. */
static int look_for(struct call *call, const struct wa *wa, const struct wa_message *m, const struct send *send,
                    struct wa_sent *ret)
{
    enum { CLOCKS_DIFFER_MS = 60 * 1000 };
    if (wa->backend->find_sent &&
        wa->backend->find_sent(call, wa, m, send, send->begun_at_ms - CLOCKS_DIFFER_MS, &ret->message_id) != OK) {
        ret->message_id = STR_EMPTY;
        call_clear_error(call);
    }
    ret->was_before = ret->message_id.len > 0;
    ret->is_unknown = !ret->was_before;
    return OK;
}

/* A wish not to be written to holds for the line, however its number is written. */
static int check_twin(struct call *call, const struct wa *wa, struct str to)
{
    struct str twin = phone_twin(call->arena, to);
    bool is_out = false;
    int error = twin.len ? messages_is_opted_out(call, wa->messages, twin, &is_out) : OK;
    if (!error && is_out)
        return fail(call, E_DENIED,
                    "%.*s has asked, as %.*s, for no more messages (opted out). Nothing was sent, and nothing will be "
                    "until they ask for it.",
                    STR_ARG(to), STR_ARG(twin));
    return error;
}

static int send_claimed(struct call *call, const struct wa *wa, struct wa_message *m, struct send *send,
                        struct wa_sent *ret)
{
    struct wa_request request = {.method = "POST"};
    struct wa_answer answer = {0};
    m->send_id = send->id;
    int error = wa->backend->write_message(call, wa, m, &request);
    if (!error)
        error = check_twin(call, wa, m->to); /* as messages_send_go() does with their own number: it may be new */
    if (!error)
        error = messages_send_go(call, wa->messages, send);
    if (error) {
        (void)messages_send_end(call, wa->messages, send, SEND_FAILED, STR_EMPTY, STR("it could not be begun"), NULL);
        return error;
    }
    error = wa_request(call, wa, &request, &answer);
    ret->message_id = error ? STR_EMPTY : wa->backend->message_id(answer.json);
    ret->problem = answer.problem;
    if (!error && !ret->message_id.len) { /* a success that names no message is none */
        ret->problem = (struct problem){.cause = PROBLEM_UNKNOWN, .may_be_done = true};
        error = fail(call, E_UPSTREAM, "The service answered without a message id.");
    }
    ret->is_unknown = error && ret->problem.may_be_done;
    if (!error) {
        const struct message said = said_of(call, m, ret->message_id);
        (void)messages_send_end(call, wa->messages, send, SEND_DONE, ret->message_id, STR_EMPTY, &said);
        return OK;
    }
    struct str why = call->error_text;
    (void)messages_send_end(call, wa->messages, send, ret->is_unknown ? SEND_UNKNOWN : SEND_FAILED, STR_EMPTY, why,
                            NULL);
    return error;
}

int wa_send(struct call *call, const struct wa *wa, struct wa_message *m, struct str key, struct wa_sent *ret)
{
    struct send send = {
        .to = m->to,
        .key = key,
        .digest = digest_of(call, m),
        .kind = m->kind == WA_MEDIA ? m->media_kind : str_from(wa_kind_name(m->kind)),
        .rules = wa_rules(wa),
    };
    *ret = (struct wa_sent){0};
    if (!wa->messages)
        return fail(call, E_UNAVAILABLE, "Nothing can be sent here: there is no record of what is sent.");
    int error = check_twin(call, wa, m->to);
    if (!error)
        error = messages_send_begin(call, wa->messages, &send);
    if (error)
        return error;
    if (send.state == SEND_DONE) {
        ret->message_id = send.message_id;
        ret->was_before = true;
        return OK;
    }
    return send.state == SEND_UNKNOWN ? look_for(call, wa, m, &send, ret) : send_claimed(call, wa, m, &send, ret);
}

/* ---- what is no message of ours, but is got by people as one is */

static int claim_each(struct call *call, const struct wa *wa, const struct wa_outgoing *outgoing, struct send *sends,
                      size_t *ret_n)
{
    int error = OK;
    for (size_t i = 0; !error && i < outgoing->n_to; i++) {
        sends[i] = (struct send){
            .to = outgoing->to[i], .digest = outgoing->digest, .kind = outgoing->kind, .rules = wa_rules(wa)};
        error = check_twin(call, wa, sends[i].to);
        if (!error)
            error = messages_send_begin(call, wa->messages, &sends[i]);
        *ret_n += !error;
    }
    /* Last, for claiming the others may have waited. */
    for (size_t i = 0; !error && i < outgoing->n_to; i++) {
        error = check_twin(call, wa, sends[i].to);
        if (!error)
            error = messages_send_go(call, wa->messages, &sends[i]);
    }
    return error;
}

int wa_send_other(struct call *call, const struct wa *wa, const struct wa_outgoing *outgoing,
                  const struct wa_request *request, struct wa_answer *ret)
{
    struct send *sends = arena_array_of(call->arena, struct send, outgoing->n_to);
    size_t n_claimed = 0;
    struct str why = STR("it could not be begun"), id = STR_EMPTY;
    enum send_state state = SEND_FAILED;
    if (!wa->messages)
        return fail(call, E_UNAVAILABLE, "Nothing can be sent here: there is no record of what is sent.");
    int error = claim_each(call, wa, outgoing, sends, &n_claimed);
    if (!error) {
        error = wa_request(call, wa, request, ret);
        state = !error ? SEND_DONE : ret->problem.may_be_done ? SEND_UNKNOWN : SEND_FAILED;
        why = error ? call->error_text : STR_EMPTY;
        id = !error && outgoing->n_to == 1 ? wa->backend->message_id(ret->json) : STR_EMPTY;
    }
    for (size_t i = 0; i < n_claimed; i++)
        (void)messages_send_end(call, wa->messages, &sends[i], state, id, why, NULL);
    return error;
}
