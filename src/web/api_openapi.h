/* /api/openapi.json: the REST API, as OpenAPI 3.1 says it: made from the table of routes, so that the two cannot differ. */
#ifndef WEB_API_OPENAPI_H
#define WEB_API_OPENAPI_H

#include "web/api.h"

extern const struct api_operation api_openapi;

#endif
