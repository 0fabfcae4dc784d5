/* /api/me: what a person says of themselves, their logins, API tokens and second factor. */
#ifndef WEB_API_ME_H
#define WEB_API_ME_H

#include "web/api.h"

extern const struct api_operation api_me_show, api_me_change, api_me_change_email, api_me_change_password,
    api_me_delete, api_me_stop, api_me_resume, api_me_sessions, api_me_end_session, api_me_end_others,
    api_me_api_tokens, api_me_add_api_token, api_me_end_api_token, api_me_begin_totp, api_me_confirm_totp,
    api_me_end_totp;

#endif
