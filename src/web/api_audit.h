/* /api/audit and /api/usage: who did what with a person's connections, and how often. */
#ifndef WEB_API_AUDIT_H
#define WEB_API_AUDIT_H

#include "web/api.h"

extern const struct api_operation api_audit_list, api_audit_export, api_usage_show;

#endif
