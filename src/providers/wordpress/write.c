/* The one way by which tools change a site. */
#include "providers/wordpress/write.h"

int wp_write(struct call *call, const struct wp *wp, const struct wp_write *write, struct wp_answer *ret)
{
    return wp_send(call, wp, write->method, write->route, write->query, write->body, ret);
}
