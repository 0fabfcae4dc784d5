/* The keys of this process. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "crypto/keyring.h"

#include "crypto/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_BYTES_MAX = 4096, FIRST_KID = 1 };

static const struct str check_text = STR_INIT("porteiro");

/* In memory of its own with guard pages, locked and not dumped (sodium_malloc). */
static struct keyring {
    bool has_master, is_open;
    int64_t kid;
    unsigned char master[KEY_BYTES];
    unsigned char server[KEY_BYTES];
    /* HMAC-SHA-256 after its key: saves two of five compressions for each token. */
    crypto_auth_hmacsha256_state mac[KEYRING_PURPOSES];
} * ring;

static const char *const derive_context[KEYRING_PURPOSES] = {[KEYRING_PEPPER] = "pepper__",
                                                             [KEYRING_TOKEN_MAC] = "tokenmac",
                                                             [KEYRING_AUDIT] = "audit___",
                                                             [KEYRING_MCP] = "mcpstate"};

struct wipe {
    void *ptr;
    size_t size;
};

static void wipe_now(void *object)
{
    struct wipe *wipe = object;
    sodium_memzero(wipe->ptr, wipe->size);
}

void keyring_wipe_later(struct call *call, void *ptr, size_t size)
{
    struct wipe *wipe = arena_new_of(call->arena, struct wipe);
    *wipe = (struct wipe){ptr, size};
    arena_defer(call->arena, wipe_now, wipe);
}

static int ring_init(struct call *call)
{
    if (ring)
        return OK;
    if (sodium_init() < 0)
        return fail(call, E_UNAVAILABLE, "The system gives no random numbers.");
    ring = sodium_malloc(sizeof *ring);
    if (!ring)
        return fail(call, E_UNAVAILABLE, "There is no memory for the keys.");
    sodium_memzero(ring, sizeof *ring);
    return OK;
}

void keyring_done(void)
{
    if (ring)
        sodium_free(ring); /* wipes */
    ring = NULL;
}

bool keyring_is_open(void)
{
    return ring && ring->is_open;
}

int64_t keyring_kid(void)
{
    return ring ? ring->kid : 0;
}

/* 64 hex digits, or base64 with or without padding, in either alphabet. */
static bool decode_key(struct str text, unsigned char key[KEY_BYTES])
{
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                   sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    size_t size;
    if (text.len == 2 * KEY_BYTES && sodium_hex2bin(key, KEY_BYTES, text.ptr, text.len, NULL, &size, NULL) == 0 &&
        size == KEY_BYTES)
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(variants); i++)
        if (sodium_base642bin(key, KEY_BYTES, text.ptr, text.len, NULL, &size, NULL, variants[i]) == 0 &&
            size == KEY_BYTES)
            return true;
    return false;
}

static int use_master(struct call *call, struct str text, const char *where)
{
    int error = ring_init(call);
    if (error)
        return error;
    ring->is_open = false;
    ring->has_master = decode_key(str_trim(text), ring->master);
    if (!ring->has_master)
        return fail(call, E_INVALID,
                    "%s does not hold a master key: 32 bytes as base64 (44 characters) or as 64 hex digits. "
                    "`openssl rand -base64 32` makes one; a database with data needs the one it was made with.",
                    where);
    return OK;
}

/* E_NOT_FOUND when it is not there, without a text. */
static int read_key_file(struct call *call, const char *path, bool only_owner, struct str *ret_text)
{
    char *text = arena_alloc(call->arena, KEY_FILE_BYTES_MAX);
    keyring_wipe_later(call, text, KEY_FILE_BYTES_MAX);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return errno == ENOENT
                   ? E_NOT_FOUND
                   : fail(call, E_INVALID, "The master key in %s cannot be read: %s.", path, strerror(errno));
    struct stat status;
    bool is_open_to_others = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077);
    ssize_t size = is_open_to_others && only_owner ? 0 : read(file, text, KEY_FILE_BYTES_MAX);
    int error_number = errno;
    close(file);
    if (is_open_to_others && only_owner)
        return fail(call, E_INVALID,
                    "Others on this machine may read the master key: run `chmod 600 %s`, and think of who has read it.",
                    path);
    if (size < 0)
        return fail(call, E_INVALID, "The master key in %s cannot be read: %s.", path, strerror(error_number));
    *ret_text = str_of(text, (size_t)size);
    return OK;
}

static const char *master_path(struct call *call, const struct keyring_source *source)
{
    return call_format(call, "%.*s/master.key", STR_ARG(source->data_dir)).ptr;
}

int keyring_load_master(struct call *call, const struct keyring_source *source)
{
    struct str text;
    if (source->key_text.len)
        return use_master(call, source->key_text, "PORTEIRO_SECRET_KEY");
    bool is_named = source->key_file.len > 0;
    const char *path = is_named ? str_copy_cstr(call->arena, source->key_file) : master_path(call, source);
    /* A named file is often a mounted secret that is readable to its group. */
    int error = read_key_file(call, path, !is_named, &text);
    if (error == E_NOT_FOUND && is_named)
        return fail(call, E_INVALID, "PORTEIRO_SECRET_KEY_FILE names %s, which is not there.", path);
    if (error == E_NOT_FOUND)
        return fail(call, E_NOT_FOUND, "There is no master key: neither PORTEIRO_SECRET_KEY nor %s.", path);
    return error ? error : use_master(call, text, path);
}

static int write_key_file(struct call *call, const struct keyring_source *source, struct str text)
{
    const char *path = master_path(call, source);
    const char *folder = str_copy_cstr(call->arena, source->data_dir);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return errno == EEXIST ? E_CONFLICT
                               : fail(call, E_UNAVAILABLE, "%s cannot be made: %s.", path, strerror(errno));
    bool is_written = write(file, text.ptr, text.len) == (ssize_t)text.len && fsync(file) == 0;
    int error_number = errno;
    is_written = close(file) == 0 && is_written;
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        fsync(directory);
        close(directory);
    }
    if (!is_written) {
        unlink(path);
        return fail(call, E_UNAVAILABLE, "%s cannot be written: %s.", path, strerror(error_number));
    }
    return OK;
}

int keyring_make_master(struct call *call, const struct keyring_source *source, bool *ret_made)
{
    *ret_made = false;
    int error = keyring_load_master(call, source);
    if (error != E_NOT_FOUND)
        return error;
    call_clear_error(call);
    error = ring_init(call);
    if (error)
        return error;
    enum { TEXT_BYTES = sodium_base64_ENCODED_LEN(KEY_BYTES, sodium_base64_VARIANT_ORIGINAL) + 1 };
    unsigned char *key = arena_alloc(call->arena, KEY_BYTES + TEXT_BYTES);
    keyring_wipe_later(call, key, KEY_BYTES + TEXT_BYTES);
    char *text = (char *)key + KEY_BYTES;
    randombytes_buf(key, KEY_BYTES);
    sodium_bin2base64(text, TEXT_BYTES - 1, key, KEY_BYTES, sodium_base64_VARIANT_ORIGINAL);
    size_t length = strlen(text);
    text[length++] = '\n';
    error = write_key_file(call, source, str_of(text, length));
    if (error == E_CONFLICT) /* another process of this host was first */
        return keyring_load_master(call, source);
    if (error)
        return error;
    *ret_made = true;
    return use_master(call, str_of(text, length), "master.key");
}

/* ---- what the master key wraps */

static struct seal_place key_place(struct call *call, int64_t user_id, const char *row)
{
    return (struct seal_place){
        .owner = user_id,
        .table = STR("mcp_data_keys"),
        .row = row ? str_from(row) : call_format(call, "user:%lld", (long long)user_id),
        .column = STR("wrapped"),
    };
}

static void derive(void)
{
    unsigned char key[KEY_BYTES];
    for (size_t i = 0; i < KEYRING_PURPOSES; i++) {
        crypto_kdf_derive_from_key(key, sizeof key, i + 1, derive_context[i], ring->server);
        crypto_auth_hmacsha256_init(&ring->mac[i], key, sizeof key);
    }
    sodium_memzero(key, sizeof key);
    ring->is_open = true;
}

int keyring_create(struct call *call, struct str *ret_check, struct str *ret_server)
{
    if (!ring || !ring->has_master)
        return fail(call, E_INTERNAL, "The master key is not loaded.");
    struct seal_place check_place = key_place(call, 0, "check"), server_place = key_place(call, 0, "server");
    randombytes_buf(ring->server, KEY_BYTES);
    ring->kid = FIRST_KID;
    int error = seal_box(call, &check_place, ring->kid, ring->master, check_text, ret_check);
    if (!error)
        error = seal_box(call, &server_place, ring->kid, ring->master, str_of((const char *)ring->server, KEY_BYTES),
                         ret_server);
    if (!error)
        derive();
    return error;
}

int keyring_open(struct call *call, int64_t kid, struct str check, struct str server)
{
    if (!ring || !ring->has_master)
        return fail(call, E_INTERNAL, "The master key is not loaded.");
    struct seal_place check_place = key_place(call, 0, "check"), server_place = key_place(call, 0, "server");
    struct str plain;
    ring->is_open = false;
    if (seal_unbox(call, &check_place, ring->master, check, &plain) || !str_eq(plain, check_text))
        return fail(call, E_CRYPTO,
                    "This database belongs to another master key. Give the program the key the database was made with: "
                    "PORTEIRO_SECRET_KEY, PORTEIRO_SECRET_KEY_FILE, or master.key in the data directory "
                    "(from your backup of the key). Without it the stored passwords cannot be read.");
    if (seal_unbox(call, &server_place, ring->master, server, &plain) || plain.len != KEY_BYTES)
        return fail(call, E_CRYPTO,
                    "The server's secret in mcp_data_keys does not open: the row was changed. Restore the database "
                    "from a backup.");
    memcpy(ring->server, plain.ptr, KEY_BYTES);
    ring->kid = kid;
    derive();
    return OK;
}

int keyring_new_data_key(struct call *call, int64_t user_id, struct str *ret_wrapped)
{
    if (!keyring_is_open())
        return fail(call, E_INTERNAL, "The keyring is not open.");
    struct seal_place place = key_place(call, user_id, NULL);
    unsigned char *key = arena_alloc(call->arena, KEY_BYTES);
    keyring_wipe_later(call, key, KEY_BYTES);
    randombytes_buf(key, KEY_BYTES);
    return seal_box(call, &place, ring->kid, ring->master, str_of((const char *)key, KEY_BYTES), ret_wrapped);
}

int keyring_data_key(struct call *call, int64_t user_id, struct str wrapped, unsigned char ret_key[KEY_BYTES])
{
    if (!keyring_is_open())
        return fail(call, E_INTERNAL, "The keyring is not open.");
    struct seal_place place = key_place(call, user_id, NULL);
    struct str plain;
    if (seal_unbox(call, &place, ring->master, wrapped, &plain) || plain.len != KEY_BYTES)
        return fail(call, E_CRYPTO,
                    "The key of this account does not open with this server's master key. Restore the database from a "
                    "backup, or remove the account's connections and enter their passwords again.");
    memcpy(ret_key, plain.ptr, KEY_BYTES);
    return OK;
}

void keyring_mac_raw(enum keyring_purpose purpose, struct str message, unsigned char out[KEY_BYTES])
{
    /* Without its keys the program must not go on: every token would be hashed alike on every server. */
    if (!keyring_is_open())
        abort();
    crypto_auth_hmacsha256_state state = ring->mac[purpose];
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)message.ptr, message.len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void keyring_mac(enum keyring_purpose purpose, struct str message, char out[MAC_HEX_BYTES])
{
    unsigned char mac[KEY_BYTES];
    keyring_mac_raw(purpose, message, mac);
    sodium_bin2hex(out, MAC_HEX_BYTES, mac, sizeof mac);
}
