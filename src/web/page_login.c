/* /login and /logout. */
#include "web/page_login.h"

#include "accounts/registration.h"
#include "net/smtp.h"
#include "web/api.h"
#include "web/cookie.h"

/* A session begins: the cookie the forms before it were bound to has done its work. */
static int enter(struct page *page, int64_t user_id, struct str token)
{
    api_enter(page->call, page->exchange, user_id, token);
    cookie_set(page->call, page->exchange, COOKIE_FORM, STR_EMPTY);
    struct str next = page_next(page);
    if (!str_starts_with(next, STR("/oauth/authorize?")))
        return page_redirect(page, next);
    /*
     * From there it may go on to the app without another page. Browsers hold all redirects behind a form against the policy
     * of the page the form is on, which does not name the app; so that chain ends here, and the browser begins another.
     */
    http_answer_header(page->exchange, STR("Refresh"), call_format(page->call, "0; url=%.*s", STR_ARG(next)));
    page_begin(page, TEXT_LOGGED_IN_TITLE);
    page_link(page, next, TEXT_GO_ON);
    return OK;
}

static void ask_code(struct page *page, struct str half)
{
    page_begin(page, TEXT_CODE_TITLE);
    page_form_begin(page, STR("/login/code"));
    page_hidden(page, "half", half);
    page_hidden(page, "next", page_next(page));
    page_input(page, &(const struct page_input){.name = "code",
                                                .label = TEXT_CODE,
                                                .help = TEXT_CODE_HELP,
                                                .autocomplete = "one-time-code",
                                                .is_first = true});
    page_form_end(page, TEXT_CODE_SEND);
    page_link(page, STR("/login"), TEXT_BEGIN_AGAIN);
}

static void ask_password(struct page *page, int refused)
{
    page_begin(page, TEXT_LOGIN_TITLE);
    if (refused == E_LIMIT && smtp_is_set_up())
        page_paragraph(page, TEXT_TRIES_NOT_YOURS);
    if (str_eq(page_field(page, "done"), STR("reset")))
        page_notice(page, TEXT_RESET_DONE);
    if (str_eq(page_field(page, "done"), STR("logout")))
        page_notice(page, TEXT_LOGGED_OUT);
    page_form_begin(page, STR("/login"));
    page_hidden(page, "next", page_next(page));
    page_input(page, &(const struct page_input){.name = "emailOrPhone",
                                                .label = TEXT_EMAIL_OR_PHONE,
                                                .autocomplete = "username",
                                                .value = page_field(page, "emailOrPhone"),
                                                .is_first = true});
    page_input(page,
               &(const struct page_input){
                   .name = "password", .type = "password", .label = TEXT_PASSWORD, .autocomplete = "current-password"});
    page_form_end(page, TEXT_LOGIN);
    page_link(page, STR("/reset"), TEXT_FORGOT);
    if (registration_mode() == REGISTRATION_OPEN)
        page_link(page, STR("/register"), TEXT_REGISTER_LINK);
}

int page_login(struct call *call, struct page *page)
{
    struct str token;
    int64_t id;
    int refused = OK;
    if (page->person.user_id)
        return page_redirect(page, page_next(page));
    if (page->is_sent) {
        const struct session_from from = api_from(call, page->request);
        int error = sessions_login_password(call, page_field(page, "emailOrPhone"), page_field(page, "password"), &from,
                                            &token, &id);
        if (!error)
            return enter(page, id, token);
        if (error == E_WAITING) {
            ask_code(page, token);
            return OK;
        }
        page_refuse(page, error);
        refused = error;
    }
    ask_password(page, refused);
    return OK;
}

int page_login_code(struct call *call, struct page *page)
{
    struct str token, half = page_field(page, "half");
    int64_t id;
    if (page->person.user_id)
        return page_redirect(page, page_next(page));
    if (!half.len)
        return page_redirect(page, STR("/login"));
    if (page->is_sent) {
        const struct session_from from = api_from(call, page->request);
        int error = sessions_login_code(call, half, page_field(page, "code"), &from, &token, &id);
        if (!error)
            return enter(page, id, token);
        page_refuse(page, error);
        if (error == E_DENIED) {
            ask_password(page, OK);
            return OK;
        }
        page->problem_field = "code";
    }
    ask_code(page, half);
    return OK;
}

int page_logout(struct call *call, struct page *page)
{
    if (!page->person.user_id)
        return page_redirect(page, STR("/login"));
    if (page->is_sent) {
        int error = sessions_end(call, page->person.user_id, page->person.session_id);
        if (error)
            return error;
        cookie_set(call, page->exchange, COOKIE_SESSION, STR_EMPTY);
        return page_redirect(page, STR("/login?done=logout"));
    }
    page_begin(page, TEXT_LOGOUT_TITLE);
    markup_element(&page->markup, "p", page_text_with(page, TEXT_HERE_FOR, page->person.email));
    page_paragraph(page, TEXT_LOGOUT_ASK);
    page_form_begin(page, STR("/logout"));
    page_form_end(page, TEXT_LOGOUT);
    page_link(page, STR("/"), TEXT_TO_DASHBOARD);
    return OK;
}
