/* /api/me/approver: the person's own telephone number, from which a yes to what a model wants to do is taken (mcp/approve.h). */
#ifndef WEB_API_APPROVER_H
#define WEB_API_APPROVER_H

#include "web/api.h"

extern const struct api_operation api_approver_show, api_approver_set, api_approver_confirm, api_approver_end;

#endif
