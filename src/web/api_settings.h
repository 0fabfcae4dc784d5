/*
 * GET /api/settings: how this server is set up, for administrators; what is secret is not shown, as by `porteiro config
 * show`.
 */
#ifndef WEB_API_SETTINGS_H
#define WEB_API_SETTINGS_H

#include "base/config.h"
#include "web/api.h"

extern const struct api_operation api_settings_list;

/* Once at start; `config` lives as long as the process. */
void api_settings_init(const struct config *config);

#endif
