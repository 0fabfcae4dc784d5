/* The service's side of a connection: is it up, logging in there, where its webhook goes. */
#ifndef WEB_API_SERVICE_H
#define WEB_API_SERVICE_H

#include "web/api.h"

extern const struct api_operation api_service_state, api_service_pair, api_service_webhook;

#endif
