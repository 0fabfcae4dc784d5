/* What a WordPress site's refusals mean, in words that name cause and fix. */
#ifndef PROVIDERS_WORDPRESS_REFUSAL_H
#define PROVIDERS_WORDPRESS_REFUSAL_H

#include "call/call.h"
#include "json/json.h"
#include "net/http_client.h"

/* For an answer that is no 2xx: fails the call and returns the error. `json` is the parsed body or JSON_MISSING. */
int refusal_of_status(struct call *call, struct str rest_root, const struct http_fetched *http,
                      const struct json *json);

/* For a 2xx without JSON in it. */
int refusal_of_no_json(struct call *call, const struct http_fetched *http);

/* The firewall or host that wrote this page, by its marks ("Cloudflare"); empty when it is not known. */
struct str refusal_vendor(const struct http_fetched *http);

/* True when the body is a web page. */
bool refusal_is_page(const struct http_fetched *http);

#endif
