/* /api/users and /api/invitations: people, for administrators. */
#ifndef WEB_API_PEOPLE_H
#define WEB_API_PEOPLE_H

#include "web/api.h"

extern const struct api_operation api_users_list, api_users_change, api_users_delete, api_invitations_list,
    api_invitations_add, api_invitations_delete;

#endif
