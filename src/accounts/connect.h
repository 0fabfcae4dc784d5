/*
 * Looking at a service before a connection to it is made or changed, and again whenever its owner wants to know. Nothing that was
 * not proved is stored; what was found is kept with the connection. All of these may wait, for the service too.
 *
 * Whatever the service said is in *ret_check. Where it does not accept what was given: E_UPSTREAM, with its provider's sentence
 * (cause and fix) as the call's text, and its code in ret_check->error_code.
 */
#ifndef ACCOUNTS_CONNECT_H
#define ACCOUNTS_CONNECT_H

#include "accounts/connections.h"
#include "json/json.h"

/*
 * What was given for a provider's form, as config and secret: objects of text whose members are its fields. Config and secret
 * may come as one object or as two. `before` (may be NULL) has values for what was not given. E_INVALID names the field.
 */
MUST_CHECK int connect_fields(struct call *call, const struct provider *provider, const struct json *given,
                              const struct json *given_secrets, const struct json *before, struct str *ret_config,
                              struct str *ret_secret);

/* new->config_json and new->secret_json as given; the config is replaced by what the look at the service made of it. */
MUST_CHECK int connect_add(struct call *call, struct connection_new *new, struct site_check *ret_check,
                           struct token_made *ret_made);

/* Of a connection that is there, with its stored password. OK whenever it came to a verdict: look at ret_check->ok. */
MUST_CHECK int connect_test(struct call *call, int64_t user_id, int64_t id, struct site_check *ret_check);

/* Another config, another password. */
MUST_CHECK int connect_set_secret(struct call *call, int64_t user_id, int64_t id, struct str config_json,
                                  struct str secret_json, struct site_check *ret_check);

/* E_INVALID: this program has no such provider; the text names those it has. */
MUST_CHECK int connect_provider(struct call *call, struct str key, const struct provider **ret);

/* The address in a connection's config: its first field of kind FIELD_URL. ptr NULL: none. */
struct str connect_address(struct arena *arena, const struct provider *provider, struct str config_json);

#endif
