/* What the mails say. */
#include "accounts/mail_text.h"

#include "accounts/contact.h"
#include "base/buf.h"

#include <time.h>

enum { MESSAGE_BYTES_MAX = 64 * 1024, LINE_CHARS_MAX = 72 };

enum language { ENGLISH, PORTUGUESE, LANGUAGES };

struct text {
    const char *subject;
    const char *body;   /* paragraphs, with an empty line between */
    const char *button; /* of the link; NULL: there is none */
};

static const struct text texts[MAIL_KINDS][LANGUAGES] = {
    [MAIL_RESET] = {{"A new password for porteiro",
                     "Somebody, most likely you, asked for a new password. The link is good for 30 minutes, once.\n\n"
                     "If it was not you, do nothing: your password stays as it is.",
                     "Choose a new password"},
                    {"Uma nova senha para o porteiro",
                     "Alguém, provavelmente você, pediu uma nova senha. O link vale por 30 minutos, uma única vez.\n\n"
                     "Se não foi você, não faça nada: sua senha continua a mesma.",
                     "Escolher uma nova senha"}},
    [MAIL_CONFIRM] = {{"Confirm your e-mail address",
                       "Please confirm that this address is yours. The link is good for two days, once.",
                       "Confirm the address"},
                      {"Confirme seu endereço de e-mail",
                       "Confirme que este endereço é seu. O link vale por dois dias, uma única vez.",
                       "Confirmar o endereço"}},
    [MAIL_INVITATION] = {{"You are invited to porteiro",
                          "You are invited to make an account, so that AI assistants can work on your sites within the "
                          "rights you give them. The link is good for a week, once.",
                          "Make an account"},
                         {"Você recebeu um convite para o porteiro",
                          "Você foi convidado a criar uma conta, para que assistentes de IA trabalhem nos seus sites "
                          "dentro das permissões que você der. O link vale por uma semana, uma única vez.",
                          "Criar uma conta"}},
    [MAIL_PASSWORD_CHANGED] = {{"Your password was changed",
                                "The password of your account was changed, and all other logins were ended.\n\n"
                                "If it was not you, ask for a new password at once, and tell whoever runs this server.",
                                NULL},
                               {"Sua senha foi alterada",
                                "A senha da sua conta foi alterada e todas as outras sessões foram encerradas.\n\n"
                                "Se não foi você, peça uma nova senha imediatamente e avise quem administra este "
                                "servidor.",
                                NULL}},
    [MAIL_EMAIL_CHANGED] = {{"Your e-mail address was changed",
                             "Your account now has another e-mail address; this one is no longer used.\n\n"
                             "If it was not you, tell whoever runs this server at once.",
                             NULL},
                            {"Seu endereço de e-mail foi alterado",
                             "Sua conta agora tem outro endereço de e-mail; este não é mais usado.\n\n"
                             "Se não foi você, avise imediatamente quem administra este servidor.",
                             NULL}},
    [MAIL_APP_ENDED] = {{"An app was logged out",
                         "A login of an AI app to your account came from two places at once, which may mean that "
                         "somebody has copied it. It was ended; nothing can be done with it any more.\n\n"
                         "If you use the app, log in again there. The audit log says which app it was.",
                         NULL},
                        {"Um aplicativo foi desconectado",
                         "O acesso de um aplicativo de IA à sua conta foi usado em dois lugares ao mesmo tempo, o que "
                         "pode indicar que alguém o copiou. Ele foi encerrado e não vale mais para nada.\n\n"
                         "Se você usa o aplicativo, entre nele de novo. O registro de auditoria diz qual foi.",
                         NULL}},
    [MAIL_SITE_REFUSED] = {{"A site does not take its password any more",
                            "One of your connected sites refuses the password that is stored for it. AI apps get no "
                            "answer from it, and nothing more is sent to it, so that its host does not lock us out.\n\n"
                            "If you did not revoke the password there, look who did. Make a new application password "
                            "at the site and enter it in the dashboard, at this connection.",
                            NULL},
                           {"Um site não aceita mais a senha",
                            "Um dos seus sites conectados recusa a senha guardada para ele. Os aplicativos de IA não "
                            "recebem resposta dele e nada mais é enviado, para que a hospedagem não nos bloqueie.\n\n"
                            "Se não foi você quem revogou a senha, veja quem foi. Crie uma nova senha de aplicativo no "
                            "site e informe-a no painel, nesta conexão.",
                            NULL}},
    [MAIL_ALERT] = {{"An alert of porteiro", "Something needs to be looked at on this server.", NULL},
                    {"Um alerta do porteiro", "Algo neste servidor precisa de atenção.", NULL}},
    [MAIL_TEST] = {{"A test mail of porteiro", "Mail works.", NULL},
                   {"Um e-mail de teste do porteiro", "O e-mail funciona.", NULL}},
};

/* ---- pieces of MIME */

/* RFC 2047 words of at most 75 characters, so that any text fits a header. */
static void add_header_text(struct buf *buf, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    enum { WORD_BYTES_MAX = 15 };
    for (size_t at = 0; at < text.len;) {
        size_t end = at + WORD_BYTES_MAX < text.len ? at + WORD_BYTES_MAX : text.len;
        while (end < text.len && end > at + 1 && ((unsigned char)text.ptr[end] & 0xC0) == 0x80)
            end--; /* not within a character */
        buf_add(buf, at ? STR("\r\n =?utf-8?q?") : STR("=?utf-8?q?"));
        for (; at < end; at++) {
            unsigned char c = (unsigned char)text.ptr[at];
            if (ascii_is_alnum((char)c))
                buf_add_char(buf, (char)c);
            else {
                buf_add_char(buf, '=');
                buf_add_char(buf, hex[c >> 4]);
                buf_add_char(buf, hex[c & 15]);
            }
        }
        buf_add(buf, STR("?="));
    }
}

/* RFC 2045 section 6.7. */
static void add_quoted_printable(struct buf *buf, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\n') {
            buf_add(buf, STR("\r\n"));
            column = 0;
            continue;
        }
        if (column >= LINE_CHARS_MAX) {
            buf_add(buf, STR("=\r\n"));
            column = 0;
        }
        bool is_last = i + 1 == text.len || text.ptr[i + 1] == '\n';
        if ((c > ' ' && c < 0x7F && c != '=' && !(c == '.' && column == 0)) || (c == ' ' && !is_last)) {
            buf_add_char(buf, (char)c);
            column++;
        } else {
            buf_add_char(buf, '=');
            buf_add_char(buf, hex[c >> 4]);
            buf_add_char(buf, hex[c & 15]);
            column += 3;
        }
    }
    buf_add(buf, STR("\r\n"));
}

static void add_escaped(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '&')
            buf_add(buf, STR("&amp;"));
        else if (c == '<')
            buf_add(buf, STR("&lt;"));
        else if (c == '>')
            buf_add(buf, STR("&gt;"));
        else if (c == '"')
            buf_add(buf, STR("&quot;"));
        else
            buf_add_char(buf, c);
    }
}

/* ---- the two forms */

static struct str greeting(struct call *call, const struct mail *mail, enum language language)
{
    const char *hello = language == PORTUGUESE ? "Olá" : "Hello";
    /* Whose address these go to, nobody may have proved yet: no words of whoever typed it. Older accounts may have any name. */
    bool may_name = mail->kind != MAIL_CONFIRM && mail->kind != MAIL_RESET && !contact_is_address(mail->name);
    return mail->name.len && may_name ? call_format(call, "%s, %.*s", hello, STR_ARG(mail->name)) : str_from(hello);
}

static struct str as_text(struct call *call, const struct mail *mail, const struct text *text, enum language language)
{
    struct str link = text->button ? call_format(call, "\n%s:\n%.*s\n", text->button, STR_ARG(mail->link)) : STR_EMPTY;
    struct str details = mail->details.len ? call_format(call, "\n%.*s\n", STR_ARG(mail->details)) : STR_EMPTY;
    return call_format(call, "%.*s,\n\n%s\n%.*s%.*s", STR_ARG(greeting(call, mail, language)), text->body,
                       STR_ARG(details), STR_ARG(link));
}

static struct str as_html(struct call *call, const struct mail *mail, const struct text *text, enum language language)
{
    struct buf html;
    struct str body = str_from(text->body), paragraph;
    buf_init(&html, call->arena, MESSAGE_BYTES_MAX);
    buf_add(&html, language == PORTUGUESE ? STR("<!doctype html><html lang=\"pt-BR\">")
                                          : STR("<!doctype html><html lang=\"en\">"));
    buf_add(&html, STR("<body style=\"font-family:sans-serif;font-size:16px;line-height:1.5\">\n<p>"));
    add_escaped(&html, greeting(call, mail, language));
    buf_add(&html, STR(",</p>\n"));
    while (str_next(&body, '\n', &paragraph)) {
        if (paragraph.len == 0)
            continue;
        buf_add(&html, STR("<p>"));
        add_escaped(&html, paragraph);
        buf_add(&html, STR("</p>\n"));
    }
    if (mail->details.len) {
        buf_add(&html, STR("<p>"));
        add_escaped(&html, mail->details);
        buf_add(&html, STR("</p>\n"));
    }
    if (text->button) {
        buf_add(&html, STR("<p><a href=\""));
        add_escaped(&html, mail->link);
        buf_add(&html, STR("\">"));
        add_escaped(&html, str_from(text->button));
        buf_add(&html, STR("</a></p>\n"));
    }
    buf_add(&html, STR("</body></html>\n"));
    return buf_str(&html);
}

static void add_part(struct buf *buf, struct str boundary, const char *type, struct str text)
{
    buf_add_format(buf,
                   "--%.*s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
                   STR_ARG(boundary), type);
    add_quoted_printable(buf, text);
}

struct str mail_message(struct call *call, const struct mail *mail, struct str from, struct str boundary, int64_t at_ms)
{
    enum language language = str_eq(mail->language, STR("pt-BR")) ? PORTUGUESE : ENGLISH;
    const struct text *text = &texts[mail->kind][language];
    struct buf message;
    struct tm tm;
    char date[64];
    time_t at = (time_t)(at_ms / 1000);
    gmtime_r(&at, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm); /* the program runs in the C locale */
    buf_init(&message, call->arena, 2 * MESSAGE_BYTES_MAX);
    buf_add_format(&message,
                   "From: porteiro <%.*s>\r\nTo: <%.*s>\r\nDate: %s\r\nMessage-ID: <%.*s@porteiro>\r\nSubject: ",
                   STR_ARG(from), STR_ARG(mail->to), date, STR_ARG(boundary));
    add_header_text(&message, str_from(text->subject));
    buf_add_format(&message,
                   "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: multipart/alternative; boundary=\"%.*s\"\r\n\r\n",
                   STR_ARG(boundary));
    add_part(&message, boundary, "text/plain", as_text(call, mail, text, language));
    add_part(&message, boundary, "text/html", as_html(call, mail, text, language));
    buf_add_format(&message, "--%.*s--\r\n", STR_ARG(boundary));
    return buf_str(&message);
}
