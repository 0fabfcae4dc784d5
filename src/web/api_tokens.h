/* /api/tokens and /api/connections/{id}/tokens: the bearer tokens of connections. */
#ifndef WEB_API_TOKENS_H
#define WEB_API_TOKENS_H

#include "web/api.h"

extern const struct api_operation api_tokens_list, api_tokens_of_connection, api_tokens_add, api_tokens_revoke,
    api_tokens_rotate;

#endif
