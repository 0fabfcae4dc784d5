/* What evolution.c and its webhook share. */
#ifndef PROVIDERS_WHATSAPP_EVOLUTION_H
#define PROVIDERS_WHATSAPP_EVOLUTION_H

#include "providers/whatsapp/wa.h"

/* A record as findMessages and webhooks have it. */
struct message evolution_message(struct call *call, const struct json *record);
struct str evolution_text(struct call *call, const struct json *content);
/* "DELIVERY_ACK" is "delivered"; empty: none of the words we know. */
struct str evolution_status(struct str word);

int evolution_webhook(struct call *call, const struct wa *wa, const struct webhook *webhook,
                      struct webhook_answer *ret);

/* The components of a template message: as given, or made of its params. */
struct str wa_components(struct call *call, const struct wa_message *m);
/* {data:[{name,language,status,category,components}]} or the list alone; WA_ITEMS_MAX at most. */
size_t wa_read_templates(struct call *call, const struct json *json, struct message_template *ret);

#endif
