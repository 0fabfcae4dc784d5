/* Events of this process, and the way to others. */
#include "mcp/bus.h"

static const char *const names[BUS_TOPICS] = {
    "tools_changed", "prompts_changed", "resources_changed", "resource_updated", "rights_changed",
    "answer",        "cancelled",       "session_ended",     "session_level",    "job",
    "account",
};

static struct bus_listener *first;
/* The listener that bus_deliver() goes to next, so that deliver() may end listeners, itself included. */
static struct bus_listener *upcoming;
static struct bus_carrier carrier;

const char *bus_topic_name(enum bus_topic topic)
{
    return (unsigned)topic < BUS_TOPICS ? names[topic] : "unknown";
}

bool bus_topic_parse(struct str name, enum bus_topic *ret)
{
    for (int i = 0; i < BUS_TOPICS; i++)
        if (str_eq(name, str_from(names[i]))) {
            *ret = (enum bus_topic)i;
            return true;
        }
    return false;
}

void bus_listen(struct bus_listener *listener)
{
    listener->previous = NULL;
    listener->next = first;
    if (first)
        first->previous = listener;
    first = listener;
    if (carrier.wanted && !listener->local)
        carrier.wanted(carrier.context);
}

void bus_unlisten(struct bus_listener *listener)
{
    if (upcoming == listener)
        upcoming = listener->next;
    if (listener->next)
        listener->next->previous = listener->previous;
    if (listener->previous)
        listener->previous->next = listener->next;
    else if (first == listener)
        first = listener->next;
    listener->next = listener->previous = NULL;
}

void bus_inject(const struct bus_event *event)
{
    struct bus_listener *outer = upcoming;
    for (struct bus_listener *listener = first; listener; listener = upcoming) {
        upcoming = listener->next;
        if (!(listener->topics & (1U << event->topic)))
            continue;
        if (event->connection_id && listener->connection_id && event->connection_id != listener->connection_id)
            continue;
        listener->deliver(listener, event);
    }
    upcoming = outer;
}

void bus_publish(const struct bus_event *event)
{
    if (event->key.len > BUS_KEY_MAX_BYTES || event->payload.len > BUS_PAYLOAD_MAX_BYTES)
        return;
    bus_inject(event);
    if (carrier.carry)
        carrier.carry(carrier.context, event);
}

void bus_set_carrier(const struct bus_carrier *the_carrier)
{
    carrier = the_carrier ? *the_carrier : (struct bus_carrier){0};
}
