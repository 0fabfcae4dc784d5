/* /api/providers */
#include "web/api_providers.h"

#include "accounts/connections.h"
#include "store/providers.h"

#define PROVIDER_SCHEMA                                                                                                \
    "{\"type\":\"object\",\"properties\":{\"key\":" API_TEXT ",\"name\":" API_TEXT ",\"version\":" API_TEXT_OR_NULL    \
    ",\"enabled\":" API_BOOLEAN ",\"known\":" API_BOOLEAN ",\"authorize\":" API_BOOLEAN                                \
    ",\"can\":{\"type\":\"array\",\"items\":" API_TEXT "}"                                                             \
    ",\"fields\":{\"type\":\"array\",\"items\":{\"type\":\"object\","                                                  \
    "\"properties\":{\"name\":" API_TEXT ",\"label\":" API_TEXT ",\"label_pt\":" API_TEXT                              \
    ",\"help\":" API_TEXT_OR_NULL ",\"help_pt\":" API_TEXT_OR_NULL ",\"kind\":" API_TEXT ",\"required\":" API_BOOLEAN  \
    ",\"secret\":" API_BOOLEAN ",\"choices\":{\"type\":\"array\",\"items\":" API_TEXT                                  \
    "},\"only_with\":" API_TEXT_OR_NULL "}}}},\"required\":[\"key\",\"name\",\"enabled\",\"fields\"]}"

static void write_choices(struct json_writer *w, const struct provider_field *field)
{
    struct str rest = str_from(field->choices), word;
    json_key(w, STR("choices"));
    json_array(w);
    while (field->kind == FIELD_CHOICE && str_next(&rest, ' ', &word))
        json_string(w, word);
    json_end(w);
}

static void write_field(struct json_writer *w, const struct provider_field *field)
{
    static const char *const kinds[] = {
        [FIELD_URL] = "url", [FIELD_TEXT] = "text", [FIELD_SECRET] = "secret", [FIELD_CHOICE] = "choice"};
    json_object(w);
    json_member_str(w, "name", str_from(field->name));
    json_member_str(w, "label", str_from(field->label));
    json_member_str(w, "label_pt", str_from(field->label_pt ? field->label_pt : field->label));
    api_member_text(w, "help", str_from(field->help));
    api_member_text(w, "help_pt", str_from(field->help_pt ? field->help_pt : field->help));
    json_member_str(w, "kind", str_from(kinds[field->kind]));
    json_member_bool(w, "required", field->required);
    json_member_bool(w, "secret", provider_field_is_secret(field));
    write_choices(w, field);
    api_member_text(w, "only_with", str_from(field->only_with));
    json_end(w);
}

/* What its table has besides tools: views are offered by these words, never by a provider's name. */
static void write_abilities(struct json_writer *w, const struct provider *provider)
{
    const struct conversations *talks = provider ? provider->conversations : NULL;
    const struct {
        const char *word;
        bool has;
    } abilities[] = {
        {"state", provider && provider->state},
        {"webhook", provider && provider->webhook},
        {"webhook_register", provider && provider->webhook_register},
        {"conversations", talks},
        {"templates", talks && talks->templates},
        {"notify", provider && provider->notify},
    };
    json_key(w, STR("can"));
    json_array(w);
    for (size_t i = 0; i < ARRAY_LENGTH(abilities); i++)
        if (abilities[i].has)
            json_string(w, str_from(abilities[i].word));
    json_end(w);
}

static void write_provider(struct json_writer *w, const struct provider_row *row)
{
    const struct provider *provider = provider_find(row->key);
    json_object(w);
    json_member_str(w, "key", row->key);
    json_member_str(w, "name", row->name);
    api_member_text(w, "version", row->version);
    json_member_bool(w, "enabled", row->enabled);
    json_member_bool(w, "known", provider != NULL);
    json_member_bool(w, "authorize", provider && provider->authorize_begin);
    write_abilities(w, provider);
    json_key(w, STR("fields"));
    json_array(w);
    for (size_t i = 0; provider && i < provider->n_fields; i++)
        write_field(w, &provider->fields[i]);
    json_end(w);
    json_end(w);
}

static int list(struct call *call, struct api *api)
{
    struct provider_rows rows;
    int error = store_providers_list(call, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_provider(&api->out, &rows.items[i]);
    api_list_end(api);
    return OK;
}

const struct api_operation api_providers_list = {
    .id = "providersList",
    .summary = "What can be connected here, the fields of its form, and whether a click at the service is enough "
               "(authorize). can: "
               "what there is besides tools: state, webhook, webhook_register, conversations, templates, notify.",
    .answer = API_LIST_SCHEMA(PROVIDER_SCHEMA),
    .status = 200,
    .run = list,
};

static int change(struct call *call, struct api *api)
{
    struct provider_row row;
    int error = providers_set_enabled(call, api->segment, json_bool_or(json_get(api->body, STR("enabled")), false));
    if (!error)
        error = store_providers_by_key(call, api->segment, &row);
    if (!error)
        write_provider(&api->out, &row);
    return error;
}

const struct api_operation api_providers_change = {
    .id = "providersChange",
    .summary = "Turns a provider on or off for everybody; its tokens rest meanwhile.",
    .body = API_BODY("\"enabled\":" API_BOOLEAN, "\"enabled\""),
    .answer = PROVIDER_SCHEMA,
    .status = 200,
    .run = change,
};
