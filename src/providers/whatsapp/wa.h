/*
 * One WhatsApp number behind one of two services: Evolution API v2 or Meta's Cloud API. What differs between them is one table of
 * operations each (evolution.c, cloud.c); the tools know only this.
 */
#ifndef PROVIDERS_WHATSAPP_WA_H
#define PROVIDERS_WHATSAPP_WA_H

#include "json/json_write.h"
#include "providers/site.h"
#include "providers/whatsapp/problem.h"

enum {
    WA_TEXT_MAX = 4096,       /* bytes of a text */
    WA_CAPTION_MAX = 1024,    /* and of the text around buttons and lists */
    WA_SHORT_MAX = 60,        /* header, footer */
    WA_BUTTONS_MAX = 3,       /* that answer */
    WA_BUTTON_TITLE_MAX = 20, /* characters */
    WA_ROWS_MAX = 10,         /* of a list */
    WA_ROW_TITLE_MAX = 24,
    WA_ROW_DESCRIPTION_MAX = 72,
    WA_PARAMS_MAX = 20, /* of a template's body */
    WA_BODY_MAX_BYTES = 512 * 1024,
    WA_ITEMS_MAX = 200,                   /* of what a service lists, in one answer of ours */
    WA_MEDIA_MAX_BYTES = 5 * 1024 * 1024, /* of a file that came and is shown */
};

struct wa_backend;
struct wa_media;

struct wa {
    const struct site *site;
    const struct wa_backend *backend;
    const struct json *config;
    struct str base;                            /* "https://evo.example.com", without a slash at its end */
    struct str instance;                        /* Evolution: percent-encoded for a path */
    struct str number_id, business_id, version; /* Cloud */
    struct messages *messages;
    bool *answered; /* set when the service has answered anything at all; may be NULL */
};

/* The connection as its config has it. E_INVALID: what the backend needs is missing. Does not wait. */
MUST_CHECK int wa_open(struct call *call, const struct site *site, struct messages *messages, struct wa *ret);

struct wa_answer {
    int status;
    const struct json *json; /* JSON_MISSING when it is none */
    struct str body;
    struct problem problem; /* set whenever wa_request() fails at or behind the service */
};

struct wa_request {
    const char *method;
    struct str path;               /* behind the base, with its query */
    struct str body, content_type; /* content_type empty: JSON */
    size_t max_body_bytes;
    struct str elsewhere;               /* instead of base and path: an address that the service named */
    const char *const *elsewhere_hosts; /* where that may be, ended by NULL: see struct site_request */
    bool is_file;                       /* the answer is not to be judged by its JSON */
};

/* OK: the service says it is done. Otherwise ret->problem says what is known, and the call's text is for people. Waits. */
MUST_CHECK int wa_request(struct call *call, const struct wa *wa, const struct wa_request *request,
                          struct wa_answer *ret);

/* ---- what is sent */

enum wa_kind {
    WA_TEXT,
    WA_MEDIA,
    WA_LOCATION,
    WA_CONTACT,
    WA_REACTION,
    WA_TEMPLATE,
    WA_BUTTONS,
    WA_LIST,
    WA_KINDS,
};

struct wa_option {
    struct str id, title, description;
};

struct wa_message {
    enum wa_kind kind;
    struct str to; /* a number, or an id with '@' */
    struct str text;
    struct str reply_to; /* id of a message; empty: none */
    /* media */
    struct str media_kind; /* image, video, audio, document, sticker */
    struct str media_url, media_base64, media_id, media_type, file_name;
    /* location: as JSON numbers; contact */
    struct str latitude, longitude, name, address, phone;
    /* reaction */
    struct str message_id, emoji;
    bool message_is_mine;
    /* template */
    struct str language;
    const struct json *params;     /* texts of its body, in order */
    const struct json *components; /* instead: as the service has them */
    /* buttons, list */
    struct str header, footer, button;
    struct wa_option options[WA_ROWS_MAX];
    size_t n_options;
    struct str send_id; /* handed along where the service hands it back */
};

const char *wa_kind_name(enum wa_kind kind);
/* What a person reads of it. */
struct str wa_message_shown(struct call *call, const struct wa_message *message);

/* ---- the two services */

struct wa_operation {
    struct str name;  /* "POST chat/sendPresence" */
    struct str what;  /* one line */
    struct str args;  /* JSON Schema of its arguments, shortly */
    unsigned needs;   /* enum right */
    bool is_for_good; /* is confirmed */
    /* Somebody gets something by it, as by a message: it goes out as one does (wa_send_other()). Empty: nobody does. */
    struct str kind;        /* as the log of sends names it */
    struct str to;          /* the argument that names who gets it: one, or an array */
    struct str only_action; /* only when the argument `action` is this; empty: always */
    struct str to_all;      /* who gets it when `to` names nobody; empty: then it is refused */
};

struct wa_backend {
    struct str name; /* the choice of the form */
    struct problem (*judge)(struct arena *arena, int status, const struct json *json);
    struct site_credential credential;
    /* Fills in what `wa` needs of the config. */
    int (*open)(struct call *call, struct wa *wa);
    int (*check)(struct call *call, struct wa *wa, struct site_check *ret);
    int (*state)(struct call *call, const struct wa *wa, bool pair, struct connection_state *ret);
    /* The request of one message. *ret_request's body is set. */
    int (*write_message)(struct call *call, const struct wa *wa, const struct wa_message *message,
                         struct wa_request *ret_request);
    /* The message's id in an answer of success; empty when there is none. */
    struct str (*message_id)(const struct json *json);
    /* NULL: media goes along in the message. */
    int (*upload)(struct call *call, const struct wa *wa, const struct wa_message *message, struct str bytes,
                  struct str *ret_media_id);
    /* The file of a message that came; ret->type may be empty. */
    int (*media)(struct call *call, const struct wa *wa, struct str id, struct wa_media *ret);
    /* NULL: we keep them ourselves (struct messages). What list() says of delivery is the service's word: wa_list_messages(). */
    int (*chats)(struct call *call, const struct wa *wa, const struct chat_query *query, struct chat_list *ret);
    int (*list)(struct call *call, const struct wa *wa, const struct message_query *query, struct message_list *ret);
    int (*contacts)(struct call *call, const struct wa *wa, struct str search, size_t limit, struct buf *out);
    /* Are these numbers on WhatsApp? NULL: it cannot tell. */
    int (*numbers)(struct call *call, const struct wa *wa, const struct str *numbers, size_t n, struct buf *out);
    int (*mark_read)(struct call *call, const struct wa *wa, struct str chat, struct str message_id);
    int (*archive)(struct call *call, const struct wa *wa, struct str chat, struct str message_id, bool archived);
    int (*templates)(struct call *call, const struct wa *wa, struct message_template *ret, size_t *ret_count);
    int (*template_create)(struct call *call, const struct wa *wa, const struct json *template, struct str *ret_status);
    int (*template_delete)(struct call *call, const struct wa *wa, struct str name);
    int (*groups)(struct call *call, const struct wa *wa, struct str group, struct buf *out);
    int (*webhook)(struct call *call, const struct wa *wa, const struct webhook *webhook, struct webhook_answer *ret);
    int (*webhook_register)(struct call *call, const struct wa *wa, const struct webhook_place *place);
    /* Did a message like this go out since then? For sends whose end nobody knows. NULL: only its webhook tells. */
    int (*find_sent)(struct call *call, const struct wa *wa, const struct wa_message *message, const struct send *send,
                     int64_t since_ms, struct str *ret_message_id);
    const struct wa_operation *operations;
    size_t n_operations;
    /* Its path behind the base, with what stands for {instance}, {number} and {account}. */
    struct str (*operation_path)(struct call *call, const struct wa *wa, struct str name);
    struct send_rules rules; /* unless the connection has its own */
    bool has_window;         /* the 24 hours hold for every number of it */
};

extern const struct wa_backend wa_evolution, wa_cloud;

/* media.c: the file of a message that came, by the id that wa_read shows. E_LIMIT: larger than WA_MEDIA_MAX_BYTES. Waits. */
struct wa_media {
    struct str type; /* "image/jpeg"; never empty */
    struct str name; /* as its sender says; may be empty */
    struct str base64;
};
MUST_CHECK int wa_media_get(struct call *call, const struct wa *wa, struct str id, struct wa_media *ret);
/* As a service declares it. E_LIMIT. */
MUST_CHECK int wa_media_check_size(struct call *call, int64_t bytes);
struct str wa_media_encode(struct call *call, struct str bytes);

/* Of the connection, with the backend's where it has none. */
struct send_rules wa_rules(const struct wa *wa);

/* "22:00-08:00 -03:00", or empty */
bool wa_quiet_is_right(struct str text);

/* May one write freely? By what we have kept, and by what the service knows. */
MUST_CHECK int wa_window(struct call *call, const struct wa *wa, struct str chat, int64_t *ret_until_ms);

/* send.c: claims, paces, sends, records. *ret_text: what came of it, in words. */
struct wa_sent {
    struct str message_id; /* empty: it was not sent */
    bool was_before;       /* the same send was done before */
    bool is_unknown;       /* nobody can say */
    struct problem problem;
};
MUST_CHECK int wa_send(struct call *call, const struct wa *wa, struct wa_message *message, struct str key,
                       struct wa_sent *ret);

/* Another operation by which people get something: the same log, pace, quiet hours, caps and opt-outs hold, for each of them. */
struct wa_outgoing {
    struct str kind, digest;
    const struct str *to; /* as chats are named, each once */
    size_t n_to;
};
MUST_CHECK int wa_send_other(struct call *call, const struct wa *wa, const struct wa_outgoing *outgoing,
                             const struct wa_request *request, struct wa_answer *ret);

/* Percent-encoded, for a path or a query. */
struct str wa_encode(struct call *call, struct str text);

/* "YYYY-MM-DD HH:MM" in UTC */
struct str wa_time(struct call *call, int64_t at_ms);
/* Where a page ended, for the argument `before`: a time, and behind it an id unless that is empty. */
struct str wa_cursor(struct call *call, int64_t at_ms, struct str id);
/* That, or a time as people write it. Empty: *ret_at_ms 0. E_INVALID. */
MUST_CHECK int wa_cursor_read(struct call *call, struct str text, int64_t *ret_at_ms, struct str *ret_id);

/* Of a webhook: tells listeners. */
void wa_tell_changed(struct call *call, const struct webhook *webhook, struct str chat);
/* Keeps one, and when it is new tells everybody, and takes a "stop" as it is meant. */
MUST_CHECK int wa_take(struct call *call, const struct webhook *webhook, const struct message *message);

#define WA_CHAT_URI "wa://chats/"
#define WA_MEDIA_URI "wa://media/"

#endif
