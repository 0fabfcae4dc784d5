/* /api/connections/{id}/changes: what was changed at a service, and taking it back. */
#ifndef WEB_API_CHANGES_H
#define WEB_API_CHANGES_H

#include "web/api.h"

extern const struct api_operation api_changes_list, api_changes_show, api_changes_undo;

#endif
