/* /api/providers: what can be connected, and what its form asks for. */
#ifndef WEB_API_PROVIDERS_H
#define WEB_API_PROVIDERS_H

#include "web/api.h"

extern const struct api_operation api_providers_list, api_providers_change;

#endif
