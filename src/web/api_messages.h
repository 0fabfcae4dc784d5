/* Conversations of a connection, for its owner: what came, what went out and what became of it, who wants nothing more. */
#ifndef WEB_API_MESSAGES_H
#define WEB_API_MESSAGES_H

#include "web/api.h"

extern const struct api_operation api_messages_chats, api_messages_of_chat, api_messages_templates, api_messages_sends,
    api_messages_optouts, api_messages_opt_out, api_messages_opt_in, api_messages_person, api_messages_erase_person;

#endif
