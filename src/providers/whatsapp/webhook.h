/* What the two services send by themselves: proved, taken apart, kept once. */
#ifndef PROVIDERS_WHATSAPP_WEBHOOK_H
#define PROVIDERS_WHATSAPP_WEBHOOK_H

#include "providers/whatsapp/wa.h"

/* E_UNAUTHENTICATED, E_INVALID; OK also for what came before. Waits. */
int cloud_webhook(struct call *call, const struct wa *wa, const struct webhook *webhook, struct webhook_answer *ret);

/* One of value.messages[]. */
struct message cloud_message(struct call *call, const struct json *value, const struct json *item);

#endif
