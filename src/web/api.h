/*
 * The REST API under /api: one way to know who asks, to read what was sent, to answer and to fail, for every operation.
 *
 * An operation is a const table beside its handler: what /api/openapi.json says of it is what requests are checked against. Who may
 * call it stands in the table of routes. Errors are {"error":{"code","message"}} with the codes of error_name().
 *
 * A browser is known by its session cookie and must show that a page of ours asks (Origin or Sec-Fetch-Site, a JSON body, and
 * the header X-Porteiro): a page of somebody else can do none of that. A program has an API token, "Authorization: Bearer
 * prt_api_...". Whose things an operation may touch is in its queries, by person.user_id.
 */
#ifndef WEB_API_H
#define WEB_API_H

#include "accounts/sessions.h"
#include "json/json_write.h"
#include "net/http_server.h"

enum { API_ANSWER_BYTES_MAX = 8 * 1024 * 1024, API_DEPTH_MAX = 16, API_SEGMENTS_MAX = 2 };

struct api {
    struct http_exchange *exchange;
    const struct http_request *request;
    struct person person;    /* user_id 0: nobody, in operations that are open to anyone */
    struct str segment;      /* what stands for the first {} of the path, decoded */
    struct str segment2;     /* and for the second */
    const struct json *body; /* an object that fits the operation's schema; without members when none is taken */
    struct buf answer;
    struct json_writer out; /* the answer: one value */
    int status;             /* of success: the operation's; may be changed */
    struct str content_type;
    const char *error_code; /* instead of error_name()'s, when a handler fails */
    struct str error_steps; /* of a look at a service that fails: JSON of what was looked at; empty: nothing to tell */
};

/* Of the query string; each at most once, others are refused. */
struct api_parameter {
    const char *name;
    const char *schema; /* JSON Schema of its text: type integer, boolean or string */
    const char *meaning;
};

struct api_operation {
    const char *id; /* operationId: "connectionsList" */
    const char *summary;
    const char *body;   /* JSON Schema of an object; NULL: none is taken */
    const char *answer; /* JSON Schema of the answer of success; NULL: there is no JSON (then content_type says what) */
    const struct api_parameter *parameters;
    size_t n_parameters;
    int status;            /* of success */
    bool is_grave;         /* the person's password must have been given within ten minutes; API tokens cannot */
    bool is_grave_by_hand; /* the same in a browser; API tokens can: they were made with the password */
    int (*run)(struct call *call, struct api *api);
};

/* ---- for handlers */

/* The segment as a number. E_NOT_FOUND: it is none. */
MUST_CHECK int api_id(struct call *call, const struct api *api, int64_t *ret_id);
MUST_CHECK int api_second_id(struct call *call, const struct api *api, int64_t *ret_id);
/* ptr NULL: not given. */
struct str api_query(struct call *call, const struct api *api, const char *name);
/* The same as a number; 0: not given. */
int64_t api_query_number(struct call *call, const struct api *api, const char *name);
/* ptr NULL: not there, or not a string. */
struct str api_text(const struct api *api, const char *member);
struct session_from api_from(struct call *call, const struct http_request *request);
/* This browser is logged in now, and will be known for one in which this person was. */
void api_enter(struct call *call, struct http_exchange *exchange, int64_t user_id, struct str token);

/* {"ok":true} */
void api_ok(struct api *api);
/* {"items":[...]}: the items are written in between. */
void api_list_begin(struct api *api);
void api_list_end(struct api *api);
void api_member_time(struct call *call, struct json_writer *w, const char *key, int64_t unix_ms); /* null for 0 */
void api_member_number(struct json_writer *w, const char *key, int64_t number);                   /* null for 0 */
void api_member_text(struct json_writer *w, const char *key, struct str text);                    /* null when empty */
void api_member_words(struct json_writer *w, const char *key, struct str comma_list);

/* One of our sentences in the language of who asks, where it is known (web/problem.h); programs get the English one. */
struct str api_sentence(struct call *call, const struct api *api, struct str english);

/* The HTTP status of a failure. */
int api_status_of(int error);

/* Who is logged in with a browser: for what is no operation. E_UNAUTHENTICATED. Waits. */
MUST_CHECK int api_browser(struct call *call, const struct http_request *request, struct person *ret);

/* ---- for the table of routes */

enum api_who { API_ANYONE, API_PERSON, API_ADMIN };

void api_serve(struct call *call, struct http_exchange *exchange, const struct api_operation *operation,
               enum api_who who, const struct str segments[API_SEGMENTS_MAX]);

/* pieces of schemas */
#define API_OK_SCHEMA "{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"}},\"required\":[\"ok\"]}"
#define API_LIST_SCHEMA(item)                                                                                          \
    "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":" item "}},\"required\":[\"items\"]" \
    "}"
#define API_BODY(properties, required)                                                                                 \
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" properties "},\"required\":[" required "]}"
#define API_SHORT_TEXT "{\"type\":\"string\",\"maxLength\":300}"
#define API_PASSWORD "{\"type\":\"string\",\"maxLength\":512}"
#define API_TEXT "{\"type\":\"string\"}"
#define API_TEXT_OR_NULL "{\"type\":[\"string\",\"null\"]}"
#define API_TIME_OR_NULL "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}"
#define API_INTEGER "{\"type\":\"integer\"}"
#define API_BOOLEAN "{\"type\":\"boolean\"}"

#endif
