/* Accounts that are being guessed at just now. */
#include "accounts/siege.h"

#include "limits/table.h"

static struct siege {
    uint64_t key;
    int64_t until_ms, user_id;
    size_t n_addresses;
    uint64_t addresses[SIEGE_ADDRESSES];
} sieges[SIEGES];

static uint64_t key_of_name(struct str who)
{
    return table_key("login siege", 0, who);
}

static uint64_t key_of_address(int64_t user_id, struct str address)
{
    return table_key("login siege at", user_id, address);
}

bool siege_holds(struct str who, struct str address, int64_t *ret_user_id)
{
    uint64_t key = key_of_name(who);
    const struct siege *siege = &sieges[key % SIEGES];
    if (siege->key != key || siege->until_ms <= clock_monotonic_ms())
        return false;
    uint64_t here = key_of_address(siege->user_id, address);
    for (size_t i = 0; i < siege->n_addresses; i++)
        if (siege->addresses[i] == here)
            return false;
    *ret_user_id = siege->user_id;
    return true;
}

void siege_begin(struct str who, int64_t user_id, const struct str *addresses, size_t count)
{
    uint64_t key = key_of_name(who);
    struct siege *siege = &sieges[key % SIEGES];
    if (count > SIEGE_ADDRESSES)
        return;
    *siege = (struct siege){
        .key = key, .until_ms = clock_monotonic_ms() + SIEGE_MS, .user_id = user_id, .n_addresses = count};
    for (size_t i = 0; i < count; i++)
        siege->addresses[i] = key_of_address(user_id, addresses[i]);
}
