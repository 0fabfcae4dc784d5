/* The table of the site's resources. */
#include "providers/wordpress/resources.h"

#include "providers/wordpress/complete.h"

/* {id} of a template whose collection is fixed, or stands in the other variable. */
static int complete_id(struct call *call, const struct tool_context *context, struct str collection, struct str typed,
                       struct completion *ret)
{
    struct wp wp;
    int error = wp_open(call, context->site, context->rights, &wp);
    return error ? error : wp_complete_ids(call, &wp, collection, typed, ret);
}

static int complete_post_id(struct call *call, const struct tool_context *context, struct str variable,
                            struct str typed, const struct json *others, struct completion *ret)
{
    (void)others;
    return str_eq(variable, STR("id")) ? complete_id(call, context, STR("posts"), typed, ret) : OK;
}

static int complete_page_id(struct call *call, const struct tool_context *context, struct str variable,
                            struct str typed, const struct json *others, struct completion *ret)
{
    (void)others;
    return str_eq(variable, STR("id")) ? complete_id(call, context, STR("pages"), typed, ret) : OK;
}

static int complete_media_id(struct call *call, const struct tool_context *context, struct str variable,
                             struct str typed, const struct json *others, struct completion *ret)
{
    (void)others;
    return str_eq(variable, STR("id")) ? complete_id(call, context, STR("media"), typed, ret) : OK;
}

static int complete_any(struct call *call, const struct tool_context *context, struct str variable, struct str typed,
                        const struct json *others, struct completion *ret)
{
    struct wp wp;
    struct str collection = json_str(json_get(others, STR("collection")));
    if (str_eq(variable, STR("id")))
        return collection.len ? complete_id(call, context, collection, typed, ret) : OK;
    if (!str_eq(variable, STR("collection")))
        return OK;
    int error = wp_open(call, context->site, context->rights, &wp);
    return error ? error : wp_complete_collections(call, &wp, typed, ret);
}

static const struct resource_template templates[] = {
    {.uri_template = STR_INIT("wp://posts/{id}"),
     .name = STR_INIT("post"),
     .title = STR_INIT("A post"),
     .description = STR_INIT("A post's fields and its text as Markdown"),
     .mime_type = STR_INIT("text/markdown"),
     .complete = complete_post_id},
    {.uri_template = STR_INIT("wp://pages/{id}"),
     .name = STR_INIT("page"),
     .title = STR_INIT("A page"),
     .description = STR_INIT("A page's fields and its text as Markdown"),
     .mime_type = STR_INIT("text/markdown"),
     .complete = complete_page_id},
    {.uri_template = STR_INIT("wp://media/{id}"),
     .name = STR_INIT("media"),
     .title = STR_INIT("A file of the media library"),
     .description = STR_INIT("What WordPress knows of the file, and the file itself when it is small"),
     .complete = complete_media_id},
    {.uri_template = STR_INIT("wp://{collection}/{id}"),
     .name = STR_INIT("item"),
     .title = STR_INIT("An item of any type"),
     .description = STR_INIT("The collection is the last part of the type's REST route"),
     .mime_type = STR_INIT("text/markdown"),
     .complete = complete_any},
};

const struct resources wordpress_resources = {
    .list = wp_resources_list,
    .read = wp_resources_read,
    .templates = templates,
    .n_templates = ARRAY_LENGTH(templates),
};
