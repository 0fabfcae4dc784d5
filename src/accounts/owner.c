/* A person as the owner of things. */
#include "accounts/owner.h"

#include "accounts/key_rotation.h"
#include "crypto/keyring.h"
#include "store/keys.h"
#include "store/users.h"

/* When the master key was rotated meanwhile, ours is not the one to wrap with any more. */
static int make_key(struct call *call, int64_t user_id)
{
    struct str made;
    int error = keyring_new_data_key(call, user_id, &made);
    if (!error)
        error = store_keys_insert_user(call, user_id, keyring_kid(), made);
    if (error != E_CONFLICT)
        return error;
    call_clear_error(call);
    error = key_rotation_refresh(call);
    if (!error)
        error = keyring_new_data_key(call, user_id, &made);
    return error ? error : store_keys_insert_user(call, user_id, keyring_kid(), made);
}

int owner_lock(struct call *call, int64_t user_id, struct str *ret_wrapped)
{
    int error = store_keys_of_user(call, user_id, ret_wrapped);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        error = make_key(call, user_id);
        if (error == E_NOT_FOUND)
            return fail(call, E_NOT_FOUND, "There is no such user.");
        if (!error) /* another one's may have come first */
            error = store_keys_of_user(call, user_id, ret_wrapped);
    }
    return error ? error : store_keys_lock(call, user_id);
}

int owner_lock_proved(struct call *call, int64_t user_id, struct str password_hash)
{
    struct user_row user = {.password_hash = STR_EMPTY};
    struct str wrapped;
    int error = owner_lock(call, user_id, &wrapped);
    if (!error && password_hash.len)
        error = store_users_by_id(call, user_id, &user);
    if (!error && password_hash.len && !str_eq(user.password_hash, password_hash))
        return fail(call, E_UNAUTHENTICATED, "The password was changed meanwhile. Log in again.");
    return error;
}
