/* The WordPress provider, for the registry. */
#ifndef PROVIDERS_WORDPRESS_WORDPRESS_H
#define PROVIDERS_WORDPRESS_WORDPRESS_H

#include "providers/provider.h"

extern const struct provider provider_wordpress;

#endif
