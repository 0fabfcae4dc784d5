/* /api/auth: registering, logging in and out, a forgotten password. */
#ifndef WEB_API_AUTH_H
#define WEB_API_AUTH_H

#include "web/api.h"

extern const struct api_operation api_auth_register, api_auth_login, api_auth_neon, api_auth_logout, api_auth_prove,
    api_auth_request_reset, api_auth_reset, api_auth_confirm_email;

#endif
