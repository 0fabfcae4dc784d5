/* Opens everything that stands on the database. */
#include "accounts/accounts.h"

#include "accounts/authenticate.h"
#include "accounts/generation.h"
#include "accounts/key_rotation.h"
#include "accounts/passwords.h"
#include "audit/audit.h"
#include "audit/checkpoint.h"
#include "base/log.h"
#include "store/keys.h"
#include "store/migrate.h"

static int missing_key(struct call *call)
{
    return fail(call, E_CRYPTO,
                "The database has data, but its master key is missing. Give the program the key the database was made "
                "with: PORTEIRO_SECRET_KEY, PORTEIRO_SECRET_KEY_FILE, or master.key in the data directory (from your "
                "backup of the key). No new one was made: it could not read what is stored.");
}

/* Under the migration lock: nobody else makes keys for this database now. */
static int make_keys(struct call *call, const struct keyring_source *source, bool *ret_made)
{
    struct key_rows rows;
    bool needed;
    int error = store_keys_read(call, &rows);
    if (error || rows.count) /* another process was first */
        return error;
    error = store_keys_needed(call, &needed);
    if (!error && needed)
        return fail(call, E_CRYPTO,
                    "The database has sealed data, but the server's keys (mcp_data_keys) are gone. Restore the "
                    "database from a backup.");
    struct keyring_row made[] = {{.id = STR("check")}, {.id = STR("server")}};
    if (!error)
        error = keyring_make_master(call, source, ret_made);
    if (!error)
        error = keyring_create(call, &made[0].wrapped, &made[1].wrapped);
    made[0].master_kid = made[1].master_kid = keyring_kid();
    return error ? error : store_keys_put(call, made, ARRAY_LENGTH(made));
}

/* A key file that was made stays, even when the rest failed: perhaps only the answer to the commit was lost. */
static int open_keys(struct call *call, const struct keyring_source *source, bool *ret_made)
{
    struct key_rows rows;
    int error = store_keys_read(call, &rows);
    if (error)
        return error;
    if (rows.count == 0) {
        error = migrate_lock(call, store_db());
        if (!error)
            error = store_end(call, true, make_keys(call, source, ret_made));
        if (!error)
            error = store_keys_read(call, &rows);
        if (error)
            return error;
    }
    keyring_set_refresh(key_rotation_refresh);
    keyring_set_reread(store_keys_of_user);
    error = keyring_load_master(call, source);
    if (error == E_NOT_FOUND)
        return missing_key(call);
    return error ? error : keyring_open(call, rows.items, rows.count);
}

/* A server that runs says which master key it was given: key_rotation_retire() looks there. */
static struct key_holder holder;
static char holder_name[256];

static int hold_key(struct call *call, struct str name)
{
    holder = (struct key_holder){0};
    if (name.len == 0 || !str_to_cstr(name, holder_name, sizeof holder_name))
        return OK;
    holder = (struct key_holder){str_from(holder_name), keyring_given_kid(), clock_now_ms()};
    /* With the current key locked: data keys are renewed only while nobody holds the new one (accounts/reseal.h). */
    int64_t current;
    bool mine;
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = store_keys_lock_current(call, &current);
    return store_end(call, mine, error ? error : store_keys_hold(call, &holder));
}

void accounts_let_go(struct call *call)
{
    if (holder.holder.len && store_keys_let_go(call, &holder))
        log_warning("that this process holds the master key no more could not be noted: %.*s",
                    STR_ARG(call->error_text));
    holder = (struct key_holder){0};
}

int accounts_open(struct call *call, struct db *db, const struct accounts_options *options, bool *ret_made_key)
{
    *ret_made_key = false;
    store_init(db);
    password_set_profile(options->small_host ? PASSWORD_SMALL : PASSWORD_NORMAL);
    int error = open_keys(call, &options->keys, ret_made_key);
    if (!error)
        error = generation_open(call, options->data_dir);
    if (!error)
        error = hold_key(call, options->key_holder);
    if (!error)
        error = audit_init(call, options->audit_writer);
    if (!error)
        error = checkpoint_open(call, options->checkpoints);
    if (error)
        accounts_close();
    return error;
}

void accounts_close(void)
{
    authenticate_done();
    passwords_done();
    audit_done();
    generation_close();
    keyring_done();
    store_init(NULL);
}
