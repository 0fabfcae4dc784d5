/* resources/read. */
#include "providers/wordpress/resources.h"

#include "json/json_write.h"
#include "providers/wordpress/tools.h"

enum { TEXT_MAX_BYTES = 4 * 1024 * 1024 };

static const struct json *arguments_of(struct call *call, const struct wp_uri *uri, int max_chars)
{
    const struct json *arguments;
    struct str text = uri->id
                          ? call_format(call, "{\"id\":\"%lld\",\"type\":%.*s,\"max_chars\":%d}", (long long)uri->id,
                                        STR_ARG(json_quote(call->arena, uri->collection)), max_chars)
                          : STR("{}");
    int error = json_parse(call->arena, text, NULL, &arguments, NULL);
    return error ? NULL : arguments;
}

int wp_resource_text(struct call *call, const struct tool_context *context, const struct wp_uri *uri, int max_chars,
                     struct str *ret)
{
    struct tool_result result = {0};
    const struct json *arguments = arguments_of(call, uri, max_chars);
    if (!arguments)
        return fail(call, E_INTERNAL, "The resource cannot be read.");
    buf_init(&result.text, call->arena, TEXT_MAX_BYTES);
    buf_init(&result.blocks, call->arena, 1);
    int error = uri->id ? tool_read(call, context, arguments, &result) : tool_site(call, context, arguments, &result);
    if (!error && buf_failed(&result.text))
        error = fail(call, E_LIMIT, "The resource is too large to be read at once.");
    *ret = buf_str(&result.text);
    return error;
}

static int read_text(struct call *call, const struct tool_context *context, struct str uri, const struct wp_uri *parsed,
                     struct resource_result *result)
{
    struct str text;
    int error = wp_resource_text(call, context, parsed, RESOURCE_TEXT_CHARS_MAX, &text);
    if (!error)
        resource_text(result, uri, parsed->id ? STR("text/markdown") : STR("text/plain"), text);
    return error;
}

/* Only what has an id of its own, and by the one name of its collection. */
static int check_collection(struct call *call, const struct wp *wp, const struct wp_uri *uri)
{
    struct wp_type type;
    int error = uri->id ? wp_type_find(call, wp, uri->collection, &type) : OK;
    if (!error && uri->id && (type.kind->id != WP_ID_NUMBER || !str_eq(wp_uri_collection(type.route), uri->collection)))
        error = fail(call, E_NOT_FOUND, "There is no such collection.");
    return error;
}

int wp_resources_read(struct call *call, const struct tool_context *context, struct str uri,
                      struct resource_result *result)
{
    struct wp_uri parsed;
    struct wp wp;
    if (!wp_uri_parse(uri, &parsed))
        return fail(call, E_NOT_FOUND,
                    "There is no resource with this URI. They are " WP_URI_SITE
                    ", wp://posts/ID, wp://pages/ID, wp://media/ID and the like.");
    int error = wp_open(call, context->site, context->rights, &wp);
    if (!error)
        error = check_collection(call, &wp, &parsed);
    if (!error)
        error = str_eq(parsed.collection, STR("media")) ? wp_resource_read_media(call, &wp, uri, parsed.id, result)
                                                        : read_text(call, context, uri, &parsed, result);
    if (error == E_DENIED || error == E_INVALID || error == E_NOT_FOUND) {
        call_clear_error(call);
        return fail(call, E_NOT_FOUND,
                    "There is no resource with this URI that the connected WordPress user may read.");
    }
    return error;
}
