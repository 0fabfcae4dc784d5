/* /api/connections: a person's connections to services, looking at them, their tokens. */
#ifndef WEB_API_CONNECTIONS_H
#define WEB_API_CONNECTIONS_H

#include "web/api.h"

extern const struct api_operation api_connections_list, api_connections_add, api_connections_show,
    api_connections_change, api_connections_delete, api_connections_rotate_token, api_connections_pause,
    api_connections_resume, api_connections_revoke, api_connections_test, api_connections_import,
    api_connections_authorize, api_connections_finish, api_connections_doctor;

#endif
