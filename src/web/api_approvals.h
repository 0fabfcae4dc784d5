/* /api/approvals: what models want to do and may not without a person's yes. */
#ifndef WEB_API_APPROVALS_H
#define WEB_API_APPROVALS_H

#include "web/api.h"

extern const struct api_operation api_approvals_list, api_approvals_approve, api_approvals_refuse;

#endif
