/* GET /api/settings */
#include "web/api_settings.h"

static const struct config *current;

void api_settings_init(const struct config *config)
{
    current = config;
}

static int list(struct call *call, struct api *api)
{
    if (!current)
        return fail(call, E_UNAVAILABLE, "The settings are not known here.");
    api_list_begin(api);
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting_row *row = &setting_table[i];
        json_object(&api->out);
        json_member_str(&api->out, "name", str_from(row->name));
        api_member_text(&api->out, "value", config_shown(call->arena, current, (enum setting)i));
        json_member_bool(&api->out, "default", current->values[i].source == SOURCE_DEFAULT);
        json_member_str(&api->out, "environment", str_from(row->environment));
        json_member_str(&api->out, "meaning", str_from(row->meaning));
        api_member_text(&api->out, "unit", str_from(row->unit));
        json_end(&api->out);
    }
    api_list_end(api);
    return OK;
}

const struct api_operation api_settings_list = {
    .id = "settingsList",
    .summary = "How this server is set up. Secrets are not shown. They are changed in "
               "its file or environment, not here.",
    .answer = API_LIST_SCHEMA("{\"type\":\"object\",\"properties\":{\"name\":" API_TEXT ",\"value\":" API_TEXT_OR_NULL
                              ",\"default\":" API_BOOLEAN ",\"environment\":" API_TEXT ",\"meaning\":" API_TEXT
                              ",\"unit\":" API_TEXT_OR_NULL "},\"required\":[\"name\",\"value\",\"default\"]}"),
    .status = 200,
    .run = list,
};
