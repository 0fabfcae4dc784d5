/* Making an account, a forgotten password, confirming an address. */
#include "web/page_account.h"

#include "accounts/device.h"
#include "accounts/registration.h"
#include "net/smtp.h"
#include "web/api.h"
#include "web/cookie.h"

/* ---- an account */

/* invitation ptr NULL: none. */
static int make_account(struct call *call, struct page *page, struct str invitation)
{
    const struct session_from from = api_from(call, page->request);
    const struct user_new new = {.name = page_field(page, "name"),
                                 .email = page_field(page, "email"),
                                 .phone = page_field(page, "phone"),
                                 .password = page_field(page, "password"),
                                 .language = language_tag(page->language)};
    struct str token;
    int64_t id;
    int error = registration_add(call, &new, invitation, from.address, &id);
    if (!error)
        error = sessions_begin(call, id, &from, &token);
    if (error)
        return error;
    api_enter(call, page->exchange, id, token);
    cookie_set(call, page->exchange, COOKIE_FORM, STR_EMPTY);
    return page_redirect(page, STR("/"));
}

static void ask_account(struct page *page, struct str action, struct str invitation, struct str email)
{
    struct str typed = page_field(page, "email");
    page_form_begin(page, action);
    if (invitation.len)
        page_hidden(page, "token", invitation);
    page_input(page, &(const struct page_input){.name = "name",
                                                .label = TEXT_NAME,
                                                .autocomplete = "name",
                                                .value = page_field(page, "name"),
                                                .is_first = true});
    page_input(page, &(const struct page_input){.name = "email",
                                                .type = "email",
                                                .label = TEXT_EMAIL,
                                                .autocomplete = "username",
                                                .value = typed.len ? typed : email});
    page_input(page, &(const struct page_input){.name = "phone",
                                                .type = "tel",
                                                .label = TEXT_PHONE,
                                                .help = TEXT_PHONE_HELP,
                                                .autocomplete = "tel",
                                                .value = page_field(page, "phone")});
    page_input(page, &(const struct page_input){.name = "password",
                                                .type = "password",
                                                .label = TEXT_PASSWORD,
                                                .help = TEXT_PASSWORD_HELP,
                                                .autocomplete = "new-password"});
    page_form_end(page, TEXT_REGISTER);
    page_link(page, STR("/login"), TEXT_HAVE_ACCOUNT);
}

static int refuse_registering(struct page *page)
{
    page->status = 403;
    page_begin(page, TEXT_REGISTER_TITLE);
    page_paragraph(page, registration_mode() == REGISTRATION_CLOSED ? TEXT_CLOSED : TEXT_BY_INVITATION);
    page_link(page, STR("/login"), TEXT_HAVE_ACCOUNT);
    return OK;
}

int page_register(struct call *call, struct page *page)
{
    if (page->person.user_id)
        return page_redirect(page, STR("/"));
    if (registration_mode() != REGISTRATION_OPEN)
        return refuse_registering(page);
    if (page->is_sent) {
        int error = make_account(call, page, (struct str){NULL, 0});
        if (!error)
            return OK;
        page_refuse(page, error);
    }
    page_begin(page, TEXT_REGISTER_TITLE);
    ask_account(page, STR("/register"), STR_EMPTY, STR_EMPTY);
    return OK;
}

int page_invitation(struct call *call, struct page *page)
{
    struct str token = page_field(page, "token"), email = STR_EMPTY;
    bool is_setup;
    int error = registration_look(call, token, &is_setup, &email);
    if (error) {
        page_refuse(page, error);
        page_begin(page, TEXT_INVITATION_TITLE);
        page_link(page, STR("/login"), TEXT_TO_LOGIN);
        return OK;
    }
    if (page->is_sent) {
        error = make_account(call, page, token);
        if (!error)
            return OK;
        page_refuse(page, error);
    }
    page_begin(page, is_setup ? TEXT_SETUP_TITLE : TEXT_INVITATION_TITLE);
    page_paragraph(page, is_setup ? TEXT_SETUP_INTRO : TEXT_INVITATION_INTRO);
    ask_account(page, is_setup ? STR("/setup") : STR("/invitation"), token, email);
    return OK;
}

/* ---- a forgotten password */

static int ask_link(struct call *call, struct page *page)
{
    struct str who = page_field(page, "emailOrPhone");
    if (page->is_sent) {
        int error = registration_mail_reset(call, who, api_from(call, page->request).address);
        if (error)
            page_refuse(page, error);
    }
    page_begin(page, TEXT_RESET_TITLE);
    if (!smtp_is_set_up()) {
        page_paragraph(page, TEXT_RESET_NO_MAIL);
    } else if (page->is_sent && !page->problem.len) {
        page_notice(page, TEXT_RESET_SENT);
    } else {
        page_paragraph(page, TEXT_RESET_INTRO);
        page_form_begin(page, STR("/reset"));
        page_input(page, &(const struct page_input){.name = "emailOrPhone",
                                                    .label = TEXT_EMAIL_OR_PHONE,
                                                    .autocomplete = "username",
                                                    .value = who,
                                                    .is_first = true});
        page_form_end(page, TEXT_RESET_SEND);
    }
    page_link(page, STR("/login"), TEXT_TO_LOGIN);
    return OK;
}

static int set_password(struct call *call, struct page *page, struct str token)
{
    int64_t id;
    if (page->is_sent) {
        int error = users_reset_password(call, token, page_field(page, "password"), &id);
        if (!error) {
            cookie_set(call, page->exchange, COOKIE_DEVICE, device_make(call, id));
            return page_redirect(page, STR("/login?done=reset"));
        }
        page_refuse(page, error);
    }
    page_begin(page, TEXT_RESET_NEW_TITLE);
    page_form_begin(page, STR("/reset"));
    page_hidden(page, "token", token);
    page_input(page, &(const struct page_input){.name = "password",
                                                .type = "password",
                                                .label = TEXT_NEW_PASSWORD,
                                                .help = TEXT_PASSWORD_HELP,
                                                .autocomplete = "new-password",
                                                .is_first = true});
    page_form_end(page, TEXT_RESET_SET);
    page_link(page, STR("/reset"), TEXT_FORGOT);
    return OK;
}

int page_reset(struct call *call, struct page *page)
{
    struct str token = page_field(page, "token");
    return token.len ? set_password(call, page, token) : ask_link(call, page);
}

/* ---- confirming an address */

/* With a button: programs that look at the links of mails must not use them up. */
int page_confirm_email(struct call *call, struct page *page)
{
    struct str token = page_field(page, "token");
    bool is_done = false;
    if (page->is_sent) {
        int error = registration_confirm_email(call, token);
        if (error)
            page_refuse(page, error);
        is_done = !error;
    }
    page_begin(page, TEXT_CONFIRM_TITLE);
    if (is_done) {
        page_notice(page, TEXT_CONFIRMED);
        page_link(page, STR("/"), TEXT_TO_DASHBOARD);
        return OK;
    }
    page_paragraph(page, TEXT_CONFIRM_INTRO);
    page_form_begin(page, STR("/confirm-email"));
    page_hidden(page, "token", token);
    page_form_end(page, TEXT_CONFIRM);
    return OK;
}
