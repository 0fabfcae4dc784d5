/* Whose tries a login uses up. */
#include "accounts/login_tries.h"

#include "accounts/siege.h"
#include "limits/tries.h"
#include "store/sessions.h"

enum { NAME_BYTES_MAX = 190 };

static struct tries_rule of_address = {"login address", 30, 6 * 1000}, of_account = {"login account", 10, 60 * 1000};

void login_tries_init(int64_t per_address, int64_t per_account)
{
    of_address.at_once = per_address;
    of_account.at_once = per_account;
}

static struct str name_of(struct call *call, const struct login_proof *proof)
{
    return str_lower(call->arena, str_sub(str_trim(proof->who), 0, NAME_BYTES_MAX));
}

/* where: "in" that browser, "at" that address, "" anywhere. */
static int take(struct call *call, int64_t user_id, struct str name, const char *where, struct str place)
{
    if (user_id)
        name = call_format(call, "%lld %s %.*s", (long long)user_id, where, STR_ARG(place));
    return tries_take(call, &of_account, name);
}

static int take_of_address(struct call *call, const struct login_proof *proof)
{
    return proof->address.len ? tries_take_address(call, &of_address, proof->address) : OK;
}

int login_tries_begin(struct call *call, const struct login_proof *proof, struct login_tries *ret)
{
    int64_t user_id;
    *ret = (struct login_tries){.device = device_read(call, proof->device), .is_stranger = proof->address.len > 0};
    if (ret->device.user_id) /* counted when it is known whether it is this account's */
        return OK;
    int error = take_of_address(call, proof);
    struct str name = name_of(call, proof);
    if (error || !siege_holds(name, proof->address, &user_id))
        return error;
    ret->is_taken = true;
    return take(call, user_id, name, "", STR_EMPTY);
}

/* Without a cookie of this account. */
static int take_by_address(struct call *call, const struct login_proof *proof, int64_t user_id,
                           struct login_tries *tries)
{
    struct str *addresses = NULL, name = name_of(call, proof);
    size_t count = 0;
    int error = user_id && proof->address.len ? store_sessions_addresses(call, user_id, &addresses, &count) : OK;
    if (error)
        return error;
    for (size_t i = 0; i < count; i++)
        if (str_eq(addresses[i], proof->address)) {
            tries->is_stranger = false;
            return take(call, user_id, name, "at", proof->address);
        }
    error = take(call, user_id, name, "", STR_EMPTY);
    if (error == E_LIMIT && proof->address.len)
        siege_begin(name, user_id, addresses, count);
    return error;
}

int login_tries_take(struct call *call, const struct login_proof *proof, int64_t user_id, struct login_tries *tries)
{
    if (tries->is_taken)
        return OK;
    if (tries->device.user_id && tries->device.user_id == user_id) {
        tries->is_stranger = false;
        return take(call, user_id, STR_EMPTY, "in", tries->device.name);
    }
    int error = tries->device.user_id ? take_of_address(call, proof) : OK; /* somebody else's cookie is worth nothing */
    return error ? error : take_by_address(call, proof, user_id, tries);
}
