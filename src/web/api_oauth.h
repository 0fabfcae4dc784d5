/* /api/oauth: the apps a person let in, and the clients that administrators made. */
#ifndef WEB_API_OAUTH_H
#define WEB_API_OAUTH_H

#include "web/api.h"

extern const struct api_operation api_oauth_grants, api_oauth_end_grant, api_oauth_clients, api_oauth_add_client,
    api_oauth_delete_client;

#endif
