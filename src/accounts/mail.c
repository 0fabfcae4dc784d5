/* Mails to people: the outbox and its delivery. */
#include "accounts/mail.h"

#include "accounts/mail_text.h"
#include "accounts/owner.h"
#include "base/log.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "net/loop.h"
#include "net/smtp.h"
#include "net/task.h"
#include "store/keys.h"
#include "store/outbox.h"

#include <stdlib.h>

enum {
    MAIL_BYTES_MAX = 8 * 1024,
    ID_CHARS = 16,
    BOUNDARY_CHARS = 28,
    CLAIM_MS = 60 * 1000, /* a process that dies while it sends gives its mail back after that */
    ROUND_MAX = 20,       /* mails in one go */
    BUDGET_BYTES = 4 * 1024 * 1024,
    ROUND_MS = 10 * 60 * 1000,
    PAUSE_MS = 60 * 1000, /* after a failure of our own */
};

static const struct str kind_words[MAIL_KINDS] = {
    [MAIL_RESET] = STR_INIT("reset"),
    [MAIL_CONFIRM] = STR_INIT("confirm"),
    [MAIL_INVITATION] = STR_INIT("invitation"),
    [MAIL_PASSWORD_CHANGED] = STR_INIT("password_changed"),
    [MAIL_EMAIL_CHANGED] = STR_INIT("email_changed"),
    [MAIL_APP_ENDED] = STR_INIT("app_ended"),
    [MAIL_SITE_REFUSED] = STR_INIT("site_refused"),
    [MAIL_ALERT] = STR_INIT("alert"),
    [MAIL_TEST] = STR_INIT("test"),
};

static struct background {
    struct loop_timer timer;
    bool is_on, is_running, is_woken;
    int64_t next_ms;
} background;

/* ---- into the outbox */

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
    json_member_str(&w, "details", mail->details);
    json_end(&w);
    return buf_str(&text);
}

static struct seal_place place_of(int64_t user_id, struct str id)
{
    return (struct seal_place){user_id, STR("mcp_outbox"), id, STR("mail_sealed")};
}

static int queue(struct call *call, const struct mail *mail)
{
    struct outbox_row row = {.id = token_word(call, ID_CHARS),
                             .user_id = mail->user_id,
                             .kind = kind_words[mail->kind],
                             .next_at_ms = clock_now_ms()};
    const struct seal_place place = place_of(mail->user_id, row.id);
    struct str wrapped;
    int error = owner_lock(call, mail->user_id, &wrapped);
    if (!error)
        error = seal_make_at(call, &place, wrapped, as_json(call, mail), &row.mail_sealed);
    return error ? error : store_outbox_insert(call, &row);
}

int mail_queue(struct call *call, const struct mail *mail)
{
    bool mine;
    if (!smtp_is_set_up())
        return OK;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, queue(call, mail));
    mail_wake(); /* a second later: by then the transaction around this has ended */
    return error;
}

int mail_prepare(struct call *call, int64_t user_id)
{
    struct str wrapped;
    return smtp_is_set_up() ? owner_lock(call, user_id, &wrapped) : OK;
}

/* ---- out of it */

int mail_send(struct call *call, const struct mail *mail)
{
    struct str message = mail_message(call, mail, smtp_from(), token_word(call, BOUNDARY_CHARS), clock_now_ms());
    return smtp_send(call, mail->to, message);
}

static int unseal(struct call *call, const struct outbox_row *row, struct mail *ret)
{
    const struct seal_place place = place_of(row->user_id, row->id);
    const struct json *json;
    struct str wrapped, plain;
    int error = store_keys_of_user(call, row->user_id, &wrapped);
    if (!error)
        error = seal_open_at(call, &place, wrapped, row->mail_sealed, &plain);
    if (!error && json_parse(call->arena, plain, NULL, &json, NULL) < 0)
        error = fail(call, E_CRYPTO, "The mail cannot be read.");
    if (error)
        return error;
    *ret = (struct mail){.kind = MAIL_KINDS,
                         .user_id = row->user_id,
                         .to = json_str(json_get(json, STR("to"))),
                         .name = json_str(json_get(json, STR("name"))),
                         .language = json_str(json_get(json, STR("language"))),
                         .link = json_str(json_get(json, STR("link"))),
                         .details = json_str(json_get(json, STR("details")))};
    for (int kind = 0; kind < MAIL_KINDS; kind++)
        if (str_eq(row->kind, kind_words[kind]))
            ret->kind = (enum mail_kind)kind;
    return ret->kind == MAIL_KINDS ? fail(call, E_INVALID, "This program knows no such mail.") : OK;
}

/* 1, 5 and 30 minutes, then every two hours. */
static int64_t pause_after(int64_t attempts)
{
    static const int64_t minutes[] = {1, 5, 30};
    return (attempts <= (int64_t)ARRAY_LENGTH(minutes) ? minutes[attempts - 1] : 120) * 60 * 1000;
}

static int deliver_one(struct call *call, const struct outbox_row *row)
{
    struct mail mail;
    int error = unseal(call, row, &mail);
    if (!error)
        error = mail_send(call, &mail);
    if (!error)
        return store_outbox_sent(call, row->id, clock_now_ms());
    bool gives_up = row->attempts >= MAIL_ATTEMPTS_MAX || error == E_CRYPTO || error == E_INVALID;
    struct str problem = str_copy(call->arena, call->error_text);
    log_warning("a mail (%.*s) could not be sent%s: %.*s", STR_ARG(row->kind), gives_up ? " and is given up" : "",
                STR_ARG(problem));
    call_clear_error(call);
    return store_outbox_failed(call, row->id, problem, gives_up ? 0 : clock_now_ms() + pause_after(row->attempts));
}

static bool is_stopping(void)
{
    return background.is_running && !background.is_on;
}

int mail_deliver(struct call *call, int64_t *ret_next_ms)
{
    struct outbox_row row;
    bool found = true;
    int error = store_outbox_forget(call, clock_now_ms() - MAIL_KEEP_MS);
    *ret_next_ms = clock_now_ms();
    for (int i = 0; !error && found && i < ROUND_MAX && !is_stopping(); i++) {
        int64_t now = clock_now_ms();
        error = store_outbox_claim(call, now, now + CLAIM_MS, &row, &found);
        if (!error && found)
            error = deliver_one(call, &row);
    }
    if (!error && !found)
        *ret_next_ms = row.next_at_ms;
    return error;
}

/* ---- in the background of the server */

static void deliver_task(struct call *call, void *context)
{
    (void)context;
    call->error = mail_deliver(call, &background.next_ms);
}

static void delivered(struct call *call, void *context)
{
    int64_t after_ms = background.next_ms - clock_now_ms();
    (void)context;
    background.is_running = false;
    if (call->error)
        after_ms = PAUSE_MS;
    if (background.is_on && (call->error || background.next_ms))
        loop_timer_set(&background.timer, after_ms > 0 ? after_ms : 0);
    if (background.is_on && background.is_woken)
        mail_wake();
    arena_free(call->arena);
    free(call);
}

static void timer_ran(void *context)
{
    (void)context;
    struct call *call = calloc(1, sizeof *call);
    struct arena *arena = call ? arena_new(BUDGET_BYTES) : NULL;
    if (arena) {
        call_init(call, arena, ROUND_MS);
        background.is_running = true;
        background.is_woken = false;
        if (task_spawn(call, deliver_task, delivered, NULL) == OK)
            return;
        background.is_running = false;
    }
    arena_free(arena);
    free(call);
    loop_timer_set(&background.timer, PAUSE_MS);
}

void mail_start(void)
{
    background.is_on = smtp_is_set_up() && loop_timer_init(&background.timer, timer_ran, NULL);
    if (background.is_on)
        loop_timer_set(&background.timer, 0); /* what an earlier run left */
}

void mail_wake(void)
{
    enum { WAKE_MS = 1000 };
    background.is_woken = background.is_running;
    if (background.is_on && !background.is_running)
        loop_timer_set(&background.timer, WAKE_MS);
}

void mail_stop(struct call *call)
{
    enum { LOOK_MS = 10, STOP_MS = 20 * 1000 };
    bool was_on = background.is_on;
    call->deadline_ms = clock_monotonic_ms() + STOP_MS; /* longer than a mail server may take (net/smtp.h) */
    background.is_on = false;
    while (background.is_running && task_sleep(call, LOOK_MS) == OK)
        ;
    if (was_on)
        loop_timer_done(&background.timer);
}
