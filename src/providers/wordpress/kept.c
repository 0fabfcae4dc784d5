/* Answers that are kept for a while. */
#include "providers/wordpress/kept.h"

#include <stdlib.h>

/* Newest first. */
struct kept {
    struct kept *next;
    int64_t connection_id;
    struct str key; /* it and the text lie behind the struct */
    struct kept_answer answer;
};
static struct kept *first;
static struct kept_sums sums;

static size_t bytes_of(const struct kept *entry)
{
    return sizeof *entry + entry->key.len + entry->answer.text.len;
}

static void drop(struct kept **at)
{
    struct kept *gone = *at;
    *at = gone->next;
    sums.entries--;
    sums.bytes -= bytes_of(gone);
    free(gone);
}

static bool is_at(const struct kept *entry, int64_t connection_id, struct str key)
{
    return entry->connection_id == connection_id && str_eq(entry->key, key);
}

bool kept_find(int64_t connection_id, struct str key, int64_t now_ms, struct kept_answer *ret)
{
    for (const struct kept *entry = first; entry; entry = entry->next)
        if (is_at(entry, connection_id, key) && entry->answer.until_ms > now_ms) {
            *ret = entry->answer;
            return true;
        }
    return false;
}

/* Those that are over, and an older answer to the same. */
static void make_room(int64_t connection_id, struct str key, int64_t now_ms)
{
    for (struct kept **at = &first; *at;) {
        if ((*at)->answer.until_ms <= now_ms || is_at(*at, connection_id, key))
            drop(at);
        else
            at = &(*at)->next;
    }
}

/* The newest of them stay. */
static void keep_within(void)
{
    size_t entries = 0, bytes = 0;
    struct kept **at = &first;
    while (*at && entries < KEPT_ENTRIES && bytes + bytes_of(*at) <= KEPT_ALL_MAX_BYTES) {
        entries++;
        bytes += bytes_of(*at);
        at = &(*at)->next;
    }
    while (*at)
        drop(at);
}

void kept_put(int64_t connection_id, struct str key, const struct kept_answer *answer, int64_t now_ms)
{
    struct str text = answer->text;
    make_room(connection_id, key, now_ms);
    if (text.len > KEPT_ONE_MAX_BYTES)
        return;
    struct kept *entry = malloc(sizeof *entry + key.len + text.len);
    if (!entry)
        return;
    char *behind = (char *)(entry + 1);
    memcpy(behind, key.ptr, key.len);
    memcpy(behind + key.len, text.ptr, text.len);
    *entry =
        (struct kept){.next = first, .connection_id = connection_id, .key = str_of(behind, key.len), .answer = *answer};
    entry->answer.text = str_of(behind + key.len, text.len);
    first = entry;
    sums.entries++;
    sums.bytes += bytes_of(entry);
    keep_within();
}

void kept_forget(int64_t connection_id, struct str route_prefix)
{
    for (struct kept **at = &first; *at;) {
        struct str route = str_from_offset((*at)->key, str_find_char((*at)->key, ' ') + 1);
        if ((*at)->connection_id == connection_id && str_starts_with(route, route_prefix))
            drop(at);
        else
            at = &(*at)->next;
    }
}

struct kept_sums kept_sums(void)
{
    return sums;
}
