/*
 * The data keys of users. Wrapped are 32 bytes, which are data key 1, or one or two entries of a number (4 bytes, big endian) and
 * a key: the current one first.
 */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "crypto/keyring.h"

enum {
    DATA_KEYS_MAX = 2, /* current and previous */
    FIRST_KID = 1,
    KID_BYTES = 4,
    ENTRY_BYTES = KID_BYTES + KEY_BYTES,
};

static int (*reread)(struct call *call, int64_t user_id, struct str *ret_wrapped);

void keyring_set_reread(int (*function)(struct call *call, int64_t user_id, struct str *ret_wrapped))
{
    reread = function;
}

struct data_keys {
    size_t count;
    int64_t kids[DATA_KEYS_MAX];
    const unsigned char *keys[DATA_KEYS_MAX];
};

static bool parse_data_keys(struct str plain, struct data_keys *ret)
{
    const unsigned char *at = (const unsigned char *)plain.ptr;
    size_t count = plain.len / ENTRY_BYTES;
    *ret = (struct data_keys){.count = 0};
    if (plain.len == KEY_BYTES) {
        *ret = (struct data_keys){.count = 1, .kids = {FIRST_KID}, .keys = {at}};
        return true;
    }
    if (count == 0 || count > DATA_KEYS_MAX || plain.len % ENTRY_BYTES)
        return false;
    for (size_t i = 0; i < count; i++, at += ENTRY_BYTES) {
        ret->kids[i] = (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
        ret->keys[i] = at + KID_BYTES;
    }
    ret->count = count;
    return true;
}

static int wrap_data_keys(struct call *call, int64_t user_id, const struct data_keys *keys, struct str *ret_wrapped)
{
    struct str row = keyring_user_row(call, user_id);
    /* As every version wrote it: so they read it, until the first deep rotation. */
    if (keys->count == 1 && keys->kids[0] == FIRST_KID)
        return keyring_wrap(call, row, str_of((const char *)keys->keys[0], KEY_BYTES), ret_wrapped);
    unsigned char *plain = arena_alloc(call->arena, DATA_KEYS_MAX * ENTRY_BYTES), *at = plain;
    keyring_wipe_later(call, plain, DATA_KEYS_MAX * ENTRY_BYTES);
    for (size_t i = 0; i < keys->count; i++, at += ENTRY_BYTES) {
        for (int byte = 0; byte < KID_BYTES; byte++)
            at[byte] = (unsigned char)(keys->kids[i] >> (24 - 8 * byte));
        memcpy(at + KID_BYTES, keys->keys[i], KEY_BYTES);
    }
    return keyring_wrap(call, row, str_of((const char *)plain, keys->count * ENTRY_BYTES), ret_wrapped);
}

static const unsigned char *make_data_key(struct call *call)
{
    unsigned char *key = arena_alloc(call->arena, KEY_BYTES);
    keyring_wipe_later(call, key, KEY_BYTES);
    randombytes_buf(key, KEY_BYTES);
    return key;
}

/* Into memory that is wiped when the call ends. */
static int unwrap_data_keys(struct call *call, int64_t user_id, struct str wrapped, struct data_keys *ret)
{
    struct str plain = STR_EMPTY;
    *ret = (struct data_keys){.count = 0};
    if (!keyring_is_open())
        return fail(call, E_INTERNAL, "The keyring is not open.");
    int error = keyring_unwrap(call, keyring_user_row(call, user_id), wrapped, &plain);
    if (error && error != E_CRYPTO)
        return error;
    if (error || !parse_data_keys(plain, ret))
        return fail(call, E_CRYPTO,
                    "The key of this account does not open with this server's master key. Restore the database from a "
                    "backup, or remove the account's connections and enter their passwords again.");
    return OK;
}

int keyring_new_data_key(struct call *call, int64_t user_id, struct str *ret_wrapped)
{
    if (!keyring_is_open())
        return fail(call, E_INTERNAL, "The keyring is not open.");
    const struct data_keys keys = {.count = 1, .kids = {FIRST_KID}, .keys = {make_data_key(call)}};
    return wrap_data_keys(call, user_id, &keys, ret_wrapped);
}

int keyring_data_key(struct call *call, int64_t user_id, struct str wrapped, int64_t *kid,
                     unsigned char ret_key[KEY_BYTES])
{
    struct data_keys keys;
    int error = unwrap_data_keys(call, user_id, wrapped, &keys);
    if (error)
        return error;
    for (size_t i = 0; i < keys.count; i++) {
        if (*kid && *kid != keys.kids[i])
            continue;
        *kid = keys.kids[i];
        memcpy(ret_key, keys.keys[i], KEY_BYTES);
        return OK;
    }
    return E_NOT_FOUND;
}

int keyring_reread(struct call *call, int64_t user_id, struct str *ret_wrapped)
{
    return reread ? reread(call, user_id, ret_wrapped) : E_NOT_FOUND;
}

int keyring_data_kids(struct call *call, int64_t user_id, struct str wrapped, int64_t *ret_kid, int64_t *ret_previous)
{
    struct data_keys keys;
    int error = unwrap_data_keys(call, user_id, wrapped, &keys);
    if (error)
        return error;
    *ret_kid = keys.kids[0];
    *ret_previous = keys.count > 1 ? keys.kids[1] : 0;
    return OK;
}

int keyring_renew_data_key(struct call *call, int64_t user_id, struct str wrapped, struct str *ret_wrapped)
{
    struct data_keys keys;
    int error = unwrap_data_keys(call, user_id, wrapped, &keys);
    if (error)
        return error;
    if (keys.count > 1 || keys.kids[0] >= keyring_kid())
        return fail(call, E_CONFLICT,
                    "This account's data key is as new as the master key, or has not replaced the one before.");
    const struct data_keys renewed = {
        .count = 2, .kids = {keyring_kid(), keys.kids[0]}, .keys = {make_data_key(call), keys.keys[0]}};
    return wrap_data_keys(call, user_id, &renewed, ret_wrapped);
}

int keyring_drop_previous(struct call *call, int64_t user_id, struct str wrapped, struct str *ret_wrapped)
{
    struct data_keys keys;
    int error = unwrap_data_keys(call, user_id, wrapped, &keys);
    if (error)
        return error;
    keys.count = 1;
    return wrap_data_keys(call, user_id, &keys, ret_wrapped);
}
