/* /api/jobs: work that goes on behind its request, and how far it is. */
#ifndef WEB_API_JOBS_H
#define WEB_API_JOBS_H

#include "web/api.h"

extern const struct api_operation api_jobs_list, api_jobs_stop;

#endif
