/* Sends one mail at a time by SMTP. */
#include "net/smtp.h"

#include "net/helper.h"

#include <curl/curl.h>

static struct smtp_settings settings;
static struct helper *thread;

void smtp_init(const struct smtp_settings *the_settings)
{
    settings = *the_settings;
}

bool smtp_is_set_up(void)
{
    return settings.url != NULL;
}

struct str smtp_from(void)
{
    return str_from(settings.from);
}

void smtp_done(void)
{
    helper_free(thread);
    thread = NULL;
}

struct sending {
    const char *to;
    struct str mail;
    size_t sent;
    CURLcode result;
    long status;
    char problem[CURL_ERROR_SIZE];
};

static size_t give(char *buffer, size_t size, size_t count, void *context)
{
    struct sending *sending = context;
    struct str piece = str_sub(sending->mail, sending->sent, size * count);
    if (piece.len)
        memcpy(buffer, piece.ptr, piece.len);
    sending->sent += piece.len;
    return piece.len;
}

/* Mail to a relay on this machine passes no network. */
static bool is_local(const char *url)
{
    struct str rest = str_from(url), host = str_from_offset(rest, str_find(rest, STR("://")) + 3);
    size_t at = str_find_last_char(host, '@');
    host = at == STR_NOT_FOUND ? host : str_from_offset(host, at + 1);
    return str_starts_with(host, STR("localhost")) || str_starts_with(host, STR("127.")) ||
           str_starts_with(host, STR("[::1]"));
}

static void set_options(CURL *curl, struct sending *sending, struct curl_slist *to)
{
    curl_easy_setopt(curl, CURLOPT_URL, settings.url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(is_local(settings.url) ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (settings.ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, settings.from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, sending);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sending->mail.len);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SMTP_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, sending->problem);
}

static void work(void *context)
{
    struct sending *sending = context;
    CURL *curl = curl_easy_init();
    struct curl_slist *to = curl_slist_append(NULL, sending->to);
    sending->result = CURLE_OUT_OF_MEMORY;
    if (curl && to) {
        set_options(curl, sending, to);
        sending->result = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &sending->status);
    }
    curl_slist_free_all(to);
    curl_easy_cleanup(curl);
}

static bool is_one_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7F || text.ptr[i] == '<' || text.ptr[i] == '>')
            return false;
    return text.len > 0;
}

int smtp_send(struct call *call, struct str to, struct str mail)
{
    if (!smtp_is_set_up())
        return fail(call, E_UNAVAILABLE, "No mail can be sent: set PORTEIRO_SMTP_URL.");
    if (!is_one_line(to) || mail.len > SMTP_MAIL_BYTES_MAX)
        return fail(call, E_INVALID, "This cannot be mailed: the address or the mail is not right.");
    if (!thread)
        thread = helper_new(1);
    if (!thread)
        return fail(call, E_UNAVAILABLE, "No thread can be made to send mail. Try again later.");
    struct sending sending = {.to = str_copy_cstr(call->arena, to), .mail = mail};
    helper_run(call, thread, work, &sending);
    if (sending.result == CURLE_OK)
        return OK;
    return fail(call, E_UPSTREAM, "The mail server did not take the mail: %s%s (answer %ld).",
                curl_easy_strerror(sending.result), sending.problem[0] ? "; see the log" : "", sending.status);
}
