/*
 * Pages that the server renders, without a script: logging in, setting up, links of mails, consent, errors.
 *
 * A page is a handler in the table of routes, for GET and for POST. page_serve() finds out who asks and in which
 * language, reads and checks the form that was sent, runs the handler, and answers with what it wrote into
 * page->markup, or with the error page of what it returned. Every answer has a policy that allows no script and no
 * other origin, is kept by nobody, and tells no other page where it was (Referrer-Policy), since addresses of some
 * pages hold a token that is good once.
 *
 * A form is bound to the browser it was made for: to its session, or to a cookie of its own when nobody is logged in.
 * One that comes from elsewhere never reaches the handler as sent: it is shown again, with what was typed and why.
 *
 *     if (page->is_sent) {
 *         error = users_do_it(call, page_field(page, "name"));
 *         if (!error)
 *             return page_redirect(page, STR("/"));
 *         page_refuse(page, error);
 *     }
 *     page_begin(page, TEXT_TITLE);
 *     page_form_begin(page, STR("/address"));
 *     page_input(page, &(const struct page_input){.name = "name", .label = TEXT_NAME});
 *     page_form_end(page, TEXT_SEND);
 *     return OK;
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "accounts/sessions.h"
#include "net/http_server.h"
#include "web/markup.h"
#include "web/text.h"

enum {
    PAGE_BYTES_MAX = 512 * 1024,
    PAGE_FORM_BYTES_MAX = 64 * 1024,
    PAGE_FORM_FIELDS_MAX = 256,
    PAGE_NEXT_BYTES_MAX = 8 * 1024,
};

struct page {
    struct call *call;
    struct http_exchange *exchange;
    const struct http_request *request;
    struct person person; /* user_id 0: nobody is logged in */
    enum language language;
    bool is_sent;     /* a form was sent, it is ours, and the handler may act on it */
    int status;       /* of the answer; 200 */
    struct str title; /* shown and spoken; set by page_begin() */
    struct markup markup;
    /* Further origins that sending a form may lead to, for the policy: "https://client.example". Empty: only ours. */
    struct str form_action;
    struct str problem;        /* why what was sent did not work: shown above the form; empty: nothing is wrong */
    const char *problem_field; /* the field it is about; may be NULL */
    int64_t retry_after_s;     /* with status 429 */
    struct str form_cookie;    /* made for this answer; empty: none was */
    struct str self; /* the address that shows this page again, for the other language; page_serve() sets it */
};

/* Waits as its work does. An error that is returned becomes an error page. */
typedef int page_handler(struct call *call, struct page *page);

/* For the table of routes. */
void page_serve(struct call *call, struct http_exchange *exchange, page_handler *handler);
/* A page for what failed before any handler: 404, 405, ... */
void page_serve_error(struct call *call, struct http_exchange *exchange, int status);
/* Is it a browser that wants to show something to a person? */
bool page_is_wanted(const struct http_request *request);

/* ---- what was sent */

/* Of the form that was sent, else of the address; the first of that name. Empty: not there. */
struct str page_field(const struct page *page, const char *name);
/* The field "next", when it is a path of ours that one may be sent on to; else "/". */
struct str page_next(const struct page *page);
bool page_is_next(struct str path);

/* ---- answering without showing anything */

/* 303. `path`: one of ours. Returns OK. */
int page_redirect(struct page *page, struct str path);
/* To the login page, which leads back here. Returns OK. */
int page_ask_login(struct page *page);
/* What the last call failed with becomes the page's problem and status; it is handled with that. */
void page_refuse(struct page *page, int error);

/* ---- writing */

struct str page_text(const struct page *page, enum text text);
struct str page_text_with(const struct page *page, enum text text, struct str value);

/*
 * The head, the header, and the page's headline; page->problem is shown below it. What is open at the end is closed by
 * itself.
 */
void page_begin(struct page *page, enum text title);
void page_paragraph(struct page *page, enum text text);
/* A paragraph that tells of a success. */
void page_notice(struct page *page, enum text text);
void page_link(struct page *page, struct str address, enum text text);

struct page_input {
    const char *name;
    const char *type;         /* NULL: text */
    const char *autocomplete; /* NULL: off */
    const char *mode;         /* inputmode; may be NULL */
    struct str value;         /* never of a password */
    enum text label;
    enum text help; /* TEXT_NONE: none */
    bool is_optional;
    bool is_first; /* the focus begins here, when nothing is wrong */
};

/* POST to a path of ours; the hidden field that binds it to the browser is in it. */
void page_form_begin(struct page *page, struct str action);
void page_hidden(struct page *page, const char *name, struct str value);
void page_input(struct page *page, const struct page_input *input);
void page_button(struct page *page, enum text text);
void page_form_end(struct page *page, enum text button);

/* What is to be copied, with a label; help TEXT_NONE: none. */
void page_output(struct page *page, enum text label, struct str value, enum text help);

#endif
