/* The WhatsApp provider. */
#ifndef PROVIDERS_WHATSAPP_WHATSAPP_H
#define PROVIDERS_WHATSAPP_WHATSAPP_H

#include "providers/provider.h"

extern const struct provider provider_whatsapp;

#endif
