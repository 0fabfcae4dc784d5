/*
 * Telephone numbers as digits in E.164 without the plus, in one form for each: what people type, what services call them.
 *
 *   Brazil 55     mobiles have nine digits behind the area code; WhatsApp's own ids leave the 9 out for areas from 31 on
 *   Mexico 52     no 1 behind the 52, since 2019; WhatsApp's own ids have it
 *   Argentina 54  mobiles have a 9 before the area code, where people at home write 15 behind it; fixed lines have neither. Written
 *                 without 9 and 15 it is a fixed line, as it would be when dialled; Evolution leaves the 9 out of its ids
 */
#ifndef PROVIDERS_WHATSAPP_PHONE_H
#define PROVIDERS_WHATSAPP_PHONE_H

#include "call/call.h"

enum { PHONE_DIGITS_MIN = 8, PHONE_DIGITS_MAX = 15 };

/* A number with its country code, however it is written. E_INVALID: it is none; the text says what is wrong. */
MUST_CHECK int phone_parse(struct call *call, struct str typed, struct str *ret);

/* The same for a service's digits, which are taken as they are when they fit no rule. */
struct str phone_of_digits(struct arena *arena, struct str digits);

/*
 * What conversations are named by, from a service's id: "5511987654321@s.whatsapp.net" is the number; groups ("...@g.us"), hidden
 * numbers ("...@lid") and others keep theirs.
 */
struct str phone_of_jid(struct arena *arena, struct str jid);

/* A recipient as people and tools name it: a number, or an id as wa_inbox shows it. E_INVALID. */
MUST_CHECK int phone_recipient(struct call *call, struct str typed, struct str *ret);

/* The other way to write an Argentine number, with or without its 9, by which a service may know the same line; else empty. */
struct str phone_twin(struct arena *arena, struct str chat);

bool phone_is_group(struct str chat);

#endif
