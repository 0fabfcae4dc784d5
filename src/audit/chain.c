/* The links of the audit chains. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "audit/chain.h"

#include "base/buf.h"
#include "crypto/sha256.h"
#include "json/json_write.h"

enum {
    LINK_BYTES_MAX = 1024,
    TEXT_BYTES_MAX = 4 * AUDIT_DATA_BYTES_MAX + LINK_BYTES_MAX,
    HASH_CHARS = 64,
    HASH_MEMBER_BYTES = HASH_CHARS + sizeof ",\"hash\":\"\"",
};

#define CHAIN STR("chain")

static void write_plain(struct json_writer *w, const struct json *value);

static void write_member(struct json_writer *w, struct json_member member)
{
    json_key(w, member.name);
    write_plain(w, member.value);
}

/*
 * Only strings, integers, booleans and null: what reads back from every database as it was written. jsonb has no U+0000, and
 * refuses numbers with large exponents. Members sorted: canonical bytes.
 */
static void write_plain(struct json_writer *w, const struct json *value)
{
    int64_t integer;
    if (json_is(value, JSON_STRING)) {
        json_string(w, json_str(value));
    } else if (json_is(value, JSON_NUMBER)) {
        if (json_to_i64(value, &integer))
            json_i64(w, integer);
        else
            json_string(w, json_raw(value));
    } else if (json_is(value, JSON_OBJECT)) {
        uint32_t room[JSON_SMALL_OBJECT] UNSET;
        const uint32_t *order = json_sorted(value, room);
        json_object(w);
        for (size_t i = 0; i < json_count(value); i++)
            write_member(w, json_member_at(value, order[i])); /* AUDIT_DEPTH_MAX */
        json_end(w);
    } else if (json_is(value, JSON_ARRAY)) {
        json_array(w);
        for (size_t i = 0; i < json_count(value); i++)
            write_plain(w, json_at(value, i));
        json_end(w);
    } else {
        json_value(w, value);
    }
}

static void write_id(struct json_writer *w, const char *key, int64_t id)
{
    if (id)
        json_member_i64(w, key, id);
    else
        json_member_null(w, key);
}

/* Its hash belongs behind the first *ret_before_hash bytes. */
static void write_chain(struct json_writer *w, const struct chain_link *link, size_t *ret_before_hash)
{
    json_key(w, CHAIN);
    json_object(w);
    json_member_str(w, "action", link->action);
    json_member_i64(w, "at", link->at_ms);
    write_id(w, "connection", link->connection_id);
    *ret_before_hash = w->buf->len;
    json_member_str(w, "prev", link->prev);
    json_member_i64(w, "seq", link->seq);
    write_id(w, "token", link->token_id);
    write_id(w, "user", link->user_id);
    json_member_i64(w, "v", 1);
    json_member_str(w, "writer", link->writer);
    json_end(w);
}

/*
 * The row without its hash, in its canonical bytes, so that they need not be made of it. Room for the hash is reserved. False:
 * it is too large.
 */
static bool write_row(struct arena *arena, const struct json *data, const struct chain_link *link, struct buf *text,
                      size_t *ret_before_hash)
{
    struct json_writer w;
    uint32_t room[JSON_SMALL_OBJECT] UNSET;
    const uint32_t *order = json_sorted(data, room);
    size_t i = 0, count = json_count(data);
    buf_init(text, arena, TEXT_BYTES_MAX);
    json_write_init(&w, text);
    json_object(&w);
    for (; i < count && str_compare(json_member_at(data, order[i]).name, CHAIN) < 0; i++)
        write_member(&w, json_member_at(data, order[i]));
    write_chain(&w, link, ret_before_hash);
    for (; i < count; i++)
        if (!str_eq(json_member_at(data, order[i]).name, CHAIN))
            write_member(&w, json_member_at(data, order[i]));
    json_end(&w);
    return buf_reserve(text, HASH_MEMBER_BYTES) != NULL;
}

static const struct json *parse_data(struct arena *arena, struct str text)
{
    const struct json_limits limits = {AUDIT_DEPTH_MAX, TEXT_BYTES_MAX, true};
    const struct json *data;
    if (json_parse(arena, text, &limits, &data, NULL) < 0 || !json_is(data, JSON_OBJECT))
        return NULL;
    return data;
}

struct str chain_seal(struct arena *arena, struct str data_json, struct chain_link *link)
{
    const struct json *data = NULL;
    struct buf text;
    size_t before_hash;
    char member[HASH_MEMBER_BYTES] = ",\"hash\":\"";
    if (data_json.len == 0)
        data_json = STR("{}");
    if (data_json.len <= AUDIT_DATA_BYTES_MAX)
        data = parse_data(arena, str_replace(arena, data_json, STR("\\u0000"), STR("\\ufffd")));
    if (!data || !write_row(arena, data, link, &text, &before_hash)) {
        data = parse_data(arena, str_format(arena, "{\"left_out_bytes\":%zu}", data_json.len));
        if (!write_row(arena, data, link, &text, &before_hash))
            return STR_EMPTY; /* no writer or action is so long */
    }
    char *hash = arena_alloc_unset(arena, SHA256_HEX_BYTES);
    sha256_hex(buf_str(&text), hash);
    link->hash = str_of(hash, HASH_CHARS);
    size_t front = strlen(member), size = front + HASH_CHARS + 1;
    memcpy(member + front, hash, HASH_CHARS);
    member[size - 1] = '"';
    memmove(text.ptr + before_hash + size, text.ptr + before_hash, text.len - before_hash);
    memcpy(text.ptr + before_hash, member, size);
    text.len += size;
    return buf_str(&text);
}

bool chain_read(struct arena *arena, struct str data_json, const struct json **ret_data, struct chain_link *ret)
{
    const struct json *data = parse_data(arena, data_json);
    if (!data)
        return false;
    const struct json *chain = json_get(data, STR("chain"));
    *ret_data = data;
    *ret = (struct chain_link){
        .writer = json_str(json_get(chain, STR("writer"))),
        .seq = json_i64_or(json_get(chain, STR("seq")), 0),
        .prev = json_str(json_get(chain, STR("prev"))),
        .hash = json_str(json_get(chain, STR("hash"))),
        .user_id = json_i64_or(json_get(chain, STR("user")), 0),
        .connection_id = json_i64_or(json_get(chain, STR("connection")), 0),
        .token_id = json_i64_or(json_get(chain, STR("token")), 0),
        .action = json_str(json_get(chain, STR("action"))),
        .at_ms = json_i64_or(json_get(chain, STR("at")), 0),
    };
    return json_is(chain, JSON_OBJECT);
}

/*
 * The canonical bytes with the hash in them, then without: taking the member out of the text is as good as never having written
 * it, for no other place can hold a hash of what it is part of. A million rows pass here.
 */
bool chain_hash_is_right(struct arena *arena, const struct json *data, const struct chain_link *link)
{
    struct buf text;
    char member[HASH_MEMBER_BYTES + 1], hex[SHA256_HEX_BYTES];
    if (link->hash.len != HASH_CHARS)
        return false;
    snprintf(member, sizeof member, "\"hash\":\"%.*s\",", STR_ARG(link->hash));
    buf_init(&text, arena, TEXT_BYTES_MAX);
    json_canonical(&text, data);
    struct str canonical = buf_str(&text);
    size_t at = buf_failed(&text) ? STR_NOT_FOUND : str_find(canonical, str_from(member));
    if (at == STR_NOT_FOUND)
        return false;
    size_t after = at + strlen(member);
    memmove(text.ptr + at, text.ptr + after, canonical.len - after);
    sha256_hex(str_sub(canonical, 0, canonical.len - (after - at)), hex);
    return str_eq(str_from(hex), link->hash);
}

struct str chain_strip(struct arena *arena, const struct json *data)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, arena, TEXT_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    for (size_t i = 0; i < json_count(data); i++)
        if (!str_eq(json_member_at(data, i).name, CHAIN))
            write_member(&w, json_member_at(data, i));
    json_end(&w);
    return buf_failed(&text) ? STR("{}") : buf_str(&text);
}

static void head_mac(struct arena *arena, struct str writer, int64_t seq, struct str hash, char out[MAC_HEX_BYTES])
{
    keyring_mac(KEYRING_AUDIT,
                str_format(arena, "head|v1|%.*s|%lld|%.*s", STR_ARG(writer), (long long)seq, STR_ARG(hash)), out);
}

struct str chain_head_make(struct arena *arena, struct str writer, int64_t seq, struct str hash)
{
    char mac[MAC_HEX_BYTES];
    head_mac(arena, writer, seq, hash, mac);
    return str_format(arena, "%.*s.%s", STR_ARG(hash), mac);
}

bool chain_head_read(struct arena *arena, const struct audit_head *head, struct str *ret_hash)
{
    struct str mac = head->hash, hash;
    char right[MAC_HEX_BYTES];
    *ret_hash = STR_EMPTY;
    if (head->seq == 0)
        return head->hash.len == 0;
    if (!str_next(&mac, '.', &hash) || hash.len != HASH_CHARS || !mac.ptr || mac.len != MAC_HEX_BYTES - 1)
        return false;
    head_mac(arena, head->writer, head->seq, hash, right);
    *ret_hash = hash;
    return sodium_memcmp(right, mac.ptr, mac.len) == 0;
}
