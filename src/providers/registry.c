/* The one list of providers: a new one is a folder and a line here. */
#include "providers/provider.h"

#ifdef PORTEIRO_CONFORMANCE
#include "providers/conformance/conformance.h"
#endif
#include "providers/whatsapp/whatsapp.h"
#include "providers/wordpress/wordpress.h"

static const struct provider *const providers[] = {
    &provider_wordpress, &provider_whatsapp,
#ifdef PORTEIRO_CONFORMANCE
    &provider_conformance, /* what the official test suite asks for; never in a release */
#endif
};

const struct provider *provider_find(struct str key)
{
    for (size_t i = 0; i < ARRAY_LENGTH(providers); i++)
        if (str_eq(providers[i]->key, key))
            return providers[i];
    return NULL;
}

size_t provider_count(void)
{
    return ARRAY_LENGTH(providers);
}

const struct provider *provider_at(size_t index)
{
    return index < ARRAY_LENGTH(providers) ? providers[index] : NULL;
}
