/* Mails to people. */
#include "accounts/mail.h"

#include "accounts/owner.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "store/outbox.h"

enum { MAIL_BYTES_MAX = 8 * 1024, ID_CHARS = 16 };

static bool is_ready;

static const struct str kind_words[MAIL_KINDS] = {
    [MAIL_RESET] = STR_INIT("reset"),
    [MAIL_CONFIRM] = STR_INIT("confirm"),
    [MAIL_INVITATION] = STR_INIT("invitation"),
    [MAIL_PASSWORD_CHANGED] = STR_INIT("password_changed"),
};

bool mail_is_set_up(void)
{
    return is_ready;
}

void mail_set_up(bool is_set_up)
{
    is_ready = is_set_up;
}

static struct str as_json(struct call *call, const struct mail *mail)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, MAIL_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "to", mail->to);
    json_member_str(&w, "name", mail->name);
    json_member_str(&w, "language", mail->language);
    json_member_str(&w, "link", mail->link);
    json_end(&w);
    return buf_str(&text);
}

static int queue(struct call *call, const struct mail *mail)
{
    struct outbox_row row = {.id = token_word(call, ID_CHARS),
                             .user_id = mail->user_id,
                             .kind = kind_words[mail->kind],
                             .next_at_ms = clock_now_ms()};
    const struct seal_place place = {mail->user_id, STR("mcp_outbox"), row.id, STR("mail_sealed")};
    struct str wrapped;
    int error = owner_lock(call, mail->user_id, &wrapped);
    if (!error)
        error = seal_make_at(call, &place, wrapped, as_json(call, mail), &row.mail_sealed);
    return error ? error : store_outbox_insert(call, &row);
}

int mail_queue(struct call *call, const struct mail *mail)
{
    bool mine;
    if (!is_ready)
        return OK;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, queue(call, mail));
}
