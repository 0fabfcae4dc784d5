/* Confirmation */
#include "mcp/host.h"
int confirm_action(struct call *call, struct host *base, struct str what)
{
    (void)base;
    return fail(call, E_DENIED, "%.*s", STR_ARG(what));
}
