/* Who listens hears of what was written. */
#include "providers/wordpress/resource_notice.h"

#include "providers/wordpress/resource_uri.h"

/* Is what the list shows of the item as it was? Unless the answer says so, it is not. */
static bool keeps_its_place(const struct wp_item *before, const struct json *after)
{
    return before && str_eq(json_str(json_path(after, "title.raw")), before->title) &&
           str_eq(json_str(json_get(after, STR("status"))), before->status) &&
           str_eq(json_str(json_get(after, STR("slug"))), before->slug);
}

static void tell_item(struct call *call, struct host *host, struct str collection, int64_t id)
{
    struct str uri = wp_uri_format(call->arena, collection, id);
    if (uri.len)
        host_changed(host, HOST_RESOURCE_UPDATED, uri);
}

static void tell_list(struct host *host)
{
    host_changed(host, HOST_RESOURCES_CHANGED, STR_EMPTY);
}

/* "wp/v2/posts/12" is an item, "wp/v2/posts" a new one; what other operations do is not known, so nothing is said. */
static void tell_route(struct call *call, struct host *host, struct str route)
{
    int64_t id;
    struct str last = wp_uri_collection(route);
    struct str front = str_sub(route, 0, route.len - last.len);
    if (str_eq(route, STR("wp/v2/settings"))) {
        host_changed(host, HOST_RESOURCE_UPDATED, STR(WP_URI_SITE));
        return;
    }
    if (front.len > 1 && str_to_i64(last, &id)) {
        tell_item(call, host, wp_uri_collection(str_sub(front, 0, front.len - 1)), id);
        tell_list(host);
    } else if (str_eq(front, STR("wp/v2/"))) {
        tell_list(host);
    }
}

void wp_tell_written(struct call *call, struct host *host, const struct wp_write *write, const struct wp_answer *answer)
{
    if (!host)
        return;
    if (write->kind == WP_WRITE_CALL || !write->type) {
        tell_route(call, host, write->route);
        return;
    }
    if (write->before)
        tell_item(call, host, wp_uri_collection(write->type->route), write->before->id);
    if (write->kind != WP_WRITE_CHANGE || !keeps_its_place(write->before, answer->json))
        tell_list(host);
}
