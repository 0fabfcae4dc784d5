/* Sessions that are their own record. */
#include <sodium.h> /* before base/banned.h */

#include "mcp/session.h"

#include "mcp/bus.h"
#include "providers/host.h"

enum {
    VERSION = 1,
    RANDOM_BYTES = 16,
    SIGNED_BYTES = 2 + 8 + 8 + RANDOM_BYTES,
    MAC_BYTES = 16,
    ID_BYTES = SIGNED_BYTES + MAC_BYTES,
};

/* ---- what is remembered of sessions */

struct note {
    char id[SESSION_ID_CHARS];
    bool used, ended;
    int8_t level;
};
static struct note notes[SESSION_NOTES_MAX];
static size_t next_note;

static struct note *find_note(struct str id)
{
    for (size_t i = 0; i < SESSION_NOTES_MAX && notes[i].used; i++)
        if (str_eq(str_of(notes[i].id, SESSION_ID_CHARS), id))
            return &notes[i];
    return NULL;
}

static struct note *note_of(struct str id)
{
    struct note *note = find_note(id);
    if (note)
        return note;
    note = &notes[next_note++ % SESSION_NOTES_MAX];
    *note = (struct note){.used = true, .level = HOST_INFO};
    memcpy(note->id, id.ptr, SESSION_ID_CHARS);
    return note;
}

static void hear(struct bus_listener *listener, const struct bus_event *event)
{
    (void)listener;
    if (event->key.len != SESSION_ID_CHARS)
        return;
    if (event->topic == BUS_SESSION_ENDED)
        note_of(event->key)->ended = true;
    else if (event->number >= HOST_DEBUG && event->number <= HOST_EMERGENCY)
        note_of(event->key)->level = (int8_t)event->number;
}

static void listen_once(void)
{
    static struct bus_listener listener = {.topics = 1 << BUS_SESSION_ENDED | 1 << BUS_SESSION_LEVEL, .deliver = hear};
    static bool listening;
    if (!listening)
        bus_listen(&listener);
    listening = true;
}

/* ---- the id */

static void put_i64(unsigned char *at, int64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
}

static int64_t get_i64(const unsigned char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

static void sign(const unsigned char *bytes, unsigned char mac[KEY_BYTES])
{
    unsigned char text[8 + SIGNED_BYTES] = "session:";
    memcpy(text + 8, bytes, SIGNED_BYTES);
    keyring_mac_raw(KEYRING_MCP, str_of((const char *)text, sizeof text), mac);
}

void session_make(const struct principal *who, unsigned abilities, struct mcp_session *ret)
{
    unsigned char bytes[ID_BYTES], mac[KEY_BYTES];
    listen_once();
    bytes[0] = VERSION;
    bytes[1] = (unsigned char)abilities;
    put_i64(bytes + 2, principal_holder(who));
    put_i64(bytes + 10, clock_now_ms());
    randombytes_buf(bytes + 18, RANDOM_BYTES);
    sign(bytes, mac);
    memcpy(bytes + SIGNED_BYTES, mac, MAC_BYTES);
    *ret = (struct mcp_session){.abilities = abilities};
    sodium_bin2base64(ret->id, sizeof ret->id, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool session_open(struct str id, const struct principal *who, struct mcp_session *ret)
{
    unsigned char bytes[ID_BYTES], mac[KEY_BYTES];
    size_t size;
    listen_once();
    if (id.len != SESSION_ID_CHARS ||
        sodium_base642bin(bytes, sizeof bytes, id.ptr, id.len, NULL, &size, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        size != sizeof bytes)
        return false;
    sign(bytes, mac);
    int64_t age_ms = clock_now_ms() - get_i64(bytes + 10);
    if (sodium_memcmp(mac, bytes + SIGNED_BYTES, MAC_BYTES) != 0 || bytes[0] != VERSION ||
        get_i64(bytes + 2) != principal_holder(who) || age_ms > SESSION_LIFE_MS)
        return false;
    const struct note *note = find_note(id);
    if (note && note->ended)
        return false;
    *ret = (struct mcp_session){.abilities = bytes[1]};
    memcpy(ret->id, id.ptr, id.len);
    return true;
}

static void tell(const struct mcp_session *session, enum bus_topic topic, int64_t number)
{
    listen_once();
    bus_publish(&(struct bus_event){.topic = topic, .key = str_from(session->id), .number = number});
}

void session_end(const struct mcp_session *session)
{
    tell(session, BUS_SESSION_ENDED, 0);
}

void session_set_level(const struct mcp_session *session, int level)
{
    tell(session, BUS_SESSION_LEVEL, level);
}

int session_level(const struct mcp_session *session)
{
    const struct note *note = find_note(str_from(session->id));
    return note ? note->level : HOST_INFO;
}
