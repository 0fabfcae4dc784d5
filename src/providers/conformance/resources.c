/* The suite's resources. */
#include "providers/conformance/conformance.h"

#include "json/json_write.h"

static const struct fixture {
    struct resource resource;
    struct str text, blob;
} fixtures[] = {
    {.resource = {.uri = STR_INIT("test://static-text"),
                  .name = STR_INIT("static-text"),
                  .title = STR_INIT("Static text"),
                  .description = STR_INIT("A text that never changes"),
                  .mime_type = STR_INIT("text/plain")},
     .text = STR_INIT("This is the content of the static text resource.")},
    {.resource = {.uri = STR_INIT("test://static-binary"),
                  .name = STR_INIT("static-binary"),
                  .title = STR_INIT("Static image"),
                  .description = STR_INIT("An image that never changes"),
                  .mime_type = STR_INIT("image/png")},
     .blob = STR_INIT(CONFORMANCE_PNG)},
    {.resource = {.uri = STR_INIT("test://watched-resource"),
                  .name = STR_INIT("watched-resource"),
                  .title = STR_INIT("Watched"),
                  .description = STR_INIT("For subscriptions"),
                  .mime_type = STR_INIT("text/plain")},
     .text = STR_INIT("Watched resource content")},
};

static int list(struct call *call, const struct tool_context *context, struct str cursor, struct resource_page *ret)
{
    (void)context;
    if (cursor.len)
        return fail(call, E_INVALID, "There is no page with this cursor.");
    for (size_t i = 0; i < ARRAY_LENGTH(fixtures); i++)
        ret->items[ret->n_items++] = fixtures[i].resource;
    return OK;
}

#define TEMPLATE_BEGIN STR("test://template/")
#define TEMPLATE_END STR("/data")

static int read_resource(struct call *call, const struct tool_context *context, struct str uri,
                         struct resource_result *result)
{
    (void)context;
    for (size_t i = 0; i < ARRAY_LENGTH(fixtures); i++) {
        const struct fixture *fixture = &fixtures[i];
        if (!str_eq(uri, fixture->resource.uri))
            continue;
        if (fixture->blob.len)
            resource_blob(result, uri, fixture->resource.mime_type, fixture->blob);
        else
            resource_text(result, uri, fixture->resource.mime_type, fixture->text);
        return OK;
    }
    if (str_starts_with(uri, TEMPLATE_BEGIN) && str_ends_with(uri, TEMPLATE_END) &&
        uri.len > TEMPLATE_BEGIN.len + TEMPLATE_END.len) {
        struct str id = str_sub(uri, TEMPLATE_BEGIN.len, uri.len - TEMPLATE_BEGIN.len - TEMPLATE_END.len);
        struct str quoted = json_quote(call->arena, id);
        resource_text(result, uri, STR("application/json"),
                      call_format(call, "{\"id\":%.*s,\"templateTest\":true,\"data\":\"Data for ID: %.*s\"}",
                                  STR_ARG(quoted), STR_ARG(str_sub(quoted, 1, quoted.len - 2))));
        return OK;
    }
    return fail(call, E_NOT_FOUND, "There is no resource with this URI.");
}

static const struct resource_template templates[] = {
    {.uri_template = STR_INIT("test://template/{id}/data"),
     .name = STR_INIT("template"),
     .title = STR_INIT("Template"),
     .description = STR_INIT("Says its id"),
     .mime_type = STR_INIT("application/json")},
};

const struct resources conformance_resources = {
    .list = list,
    .read = read_resource,
    .templates = templates,
    .n_templates = ARRAY_LENGTH(templates),
};
