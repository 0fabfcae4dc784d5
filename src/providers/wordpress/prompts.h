/* Ready jobs that a person picks in the client: the site's real names complete their arguments. */
#ifndef PROVIDERS_WORDPRESS_PROMPTS_H
#define PROVIDERS_WORDPRESS_PROMPTS_H

#include "providers/provider.h"

enum { WORDPRESS_PROMPTS = 5 };
extern const struct prompt wordpress_prompts[WORDPRESS_PROMPTS];

#endif
