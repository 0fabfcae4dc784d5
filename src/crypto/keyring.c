/* The keys of this process. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "crypto/keyring.h"

#include "crypto/seal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEY_FILE_BYTES_MAX = 4096,
    FIRST_KID = 1,
    SIGNING_NUMBER = 1000, /* apart from the purposes, which grow */
};

static const struct str check_text = STR_INIT("porteiro");

/* In memory of its own with guard pages, locked and not dumped (sodium_malloc). */
static struct keyring {
    bool has_given, is_open;
    unsigned char given[KEY_BYTES]; /* what the operator gave us */
    int64_t given_kid;              /* its number, once it is known */
    int64_t kid;                    /* the current one */
    struct master {
        int64_t kid;
        unsigned char key[KEY_BYTES];
    } masters[KEYRING_MASTERS_MAX];
    size_t n_masters;
    unsigned char server[KEY_BYTES];
    unsigned char sign_secret[crypto_sign_SECRETKEYBYTES], sign_public[crypto_sign_PUBLICKEYBYTES];
    /* HMAC-SHA-256 after its key: saves two of five compressions for each token. */
    crypto_auth_hmacsha256_state mac[KEYRING_PURPOSES];
} * ring;

static int (*refresh)(struct call *call);

static const char *const derive_context[KEYRING_PURPOSES] = {[KEYRING_PEPPER] = "pepper__",
                                                             [KEYRING_TOKEN_MAC] = "tokenmac",
                                                             [KEYRING_AUDIT] = "audit___",
                                                             [KEYRING_MCP] = "mcpstate",
                                                             [KEYRING_PAGES] = "webpages"};

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

int64_t keyring_given_kid(void)
{
    return ring ? ring->given_kid : 0;
}

void keyring_set_refresh(int (*function)(struct call *call))
{
    refresh = function;
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
    ring->n_masters = 0;
    ring->has_given = decode_key(str_trim(text), ring->given);
    if (!ring->has_given)
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

static const char *master_path(struct call *call, struct str folder)
{
    return call_format(call, "%.*s/master.key", STR_ARG(folder)).ptr;
}

/* A file that is named is often a mounted secret, and readable to its group. */
static int load_file(struct call *call, const char *path, bool only_owner)
{
    struct str text;
    int error = read_key_file(call, path, only_owner, &text);
    return error ? error : use_master(call, text, path);
}

bool keyring_is_in_data_dir(const struct keyring_source *source)
{
    struct str folder = source->credentials_dir;
    if (source->key_text.len || source->key_file.len)
        return false;
    if (!folder.len)
        return true;
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%.*s/master.key", STR_ARG(folder)) >= (int)sizeof path ||
           access(path, F_OK) != 0;
}

int keyring_load_master(struct call *call, const struct keyring_source *source)
{
    if (source->credentials_dir.len) {
        int error = load_file(call, master_path(call, source->credentials_dir), false);
        if (error != E_NOT_FOUND)
            return error;
    }
    if (source->key_text.len)
        return use_master(call, source->key_text, "PORTEIRO_SECRET_KEY");
    bool is_named = source->key_file.len > 0;
    const char *path = is_named ? str_copy_cstr(call->arena, source->key_file) : master_path(call, source->data_dir);
    int error = load_file(call, path, !is_named);
    if (error == E_NOT_FOUND && is_named)
        return fail(call, E_INVALID, "PORTEIRO_SECRET_KEY_FILE names %s, which is not there.", path);
    if (error == E_NOT_FOUND)
        return fail(call, E_NOT_FOUND, "There is no master key: neither PORTEIRO_SECRET_KEY nor %s.", path);
    return error;
}

/* On disk with its folder's entry when this returns. E_CONFLICT: there is one. */
static int write_key_file(struct call *call, const char *path, struct str text)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? str_copy_cstr(call->arena, str_of(path, (size_t)(slash - path) + 1)) : ".";
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

static int make_key_file(struct call *call, const char *path, struct str *ret_text)
{
    enum { TEXT_BYTES = sodium_base64_ENCODED_LEN(KEY_BYTES, sodium_base64_VARIANT_ORIGINAL) + 1 };
    unsigned char *key = arena_alloc(call->arena, KEY_BYTES + TEXT_BYTES);
    keyring_wipe_later(call, key, KEY_BYTES + TEXT_BYTES);
    char *text = (char *)key + KEY_BYTES;
    randombytes_buf(key, KEY_BYTES);
    sodium_bin2base64(text, TEXT_BYTES - 1, key, KEY_BYTES, sodium_base64_VARIANT_ORIGINAL);
    size_t length = strlen(text);
    text[length++] = '\n';
    *ret_text = str_of(text, length);
    return write_key_file(call, path, *ret_text);
}

int keyring_read_file(struct call *call, const char *path, struct str *ret_text)
{
    unsigned char key[KEY_BYTES];
    int error = read_key_file(call, path, false, ret_text);
    if (error == E_NOT_FOUND)
        return fail(call, E_INVALID, "There is no file %s.", path);
    if (!error && !decode_key(str_trim(*ret_text), key))
        error = fail(call, E_INVALID, "%s does not hold a master key: 32 bytes as base64 or as 64 hex digits.", path);
    sodium_memzero(key, sizeof key);
    return error;
}

int keyring_make_file(struct call *call, const char *path, struct str *ret_text)
{
    int error = make_key_file(call, path, ret_text);
    return error == E_CONFLICT ? keyring_read_file(call, path, ret_text) : error;
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
    struct str text;
    error = make_key_file(call, master_path(call, source->data_dir), &text);
    if (error == E_CONFLICT) /* another process of this host was first */
        return keyring_load_master(call, source);
    if (error)
        return error;
    *ret_made = true;
    return use_master(call, text, "master.key");
}

/* ---- what the master key wraps */

struct str keyring_user_row(struct call *call, int64_t user_id)
{
    return call_format(call, "user:%lld", (long long)user_id);
}

int64_t keyring_row_user(struct str id)
{
    static const struct str prefix = STR_INIT("user:");
    int64_t user_id;
    return str_starts_with(id, prefix) && str_to_i64(str_from_offset(id, prefix.len), &user_id) ? user_id : 0;
}

/* The place of a row by its id. */
static struct seal_place place_of(struct str id)
{
    return (struct seal_place){
        .owner = keyring_row_user(id), .table = STR("mcp_data_keys"), .row = id, .column = STR("wrapped")};
}

static const struct master *find_master(int64_t kid)
{
    for (size_t i = 0; i < ring->n_masters; i++)
        if (ring->masters[i].kid == kid)
            return &ring->masters[i];
    return NULL;
}

/* Of an open keyring, which always has it. */
static const struct master *current_master(void)
{
    const struct master *master = find_master(ring->kid);
    assert(master);
    return master;
}

static void add_master(int64_t kid, const unsigned char key[KEY_BYTES])
{
    if (find_master(kid) || ring->n_masters == KEYRING_MASTERS_MAX)
        return;
    struct master *master = &ring->masters[ring->n_masters++];
    master->kid = kid;
    memcpy(master->key, key, KEY_BYTES);
}

static int wrap(struct call *call, const struct seal_place *place, const struct master *master, struct str plain,
                struct str *ret)
{
    return seal_box(call, place, master->kid, master->key, plain, ret);
}

static struct str key_bytes(const unsigned char key[KEY_BYTES])
{
    return str_of((const char *)key, KEY_BYTES);
}

static void derive(void)
{
    unsigned char key[KEY_BYTES];
    for (size_t i = 0; i < KEYRING_PURPOSES; i++) {
        crypto_kdf_derive_from_key(key, sizeof key, i + 1, derive_context[i], ring->server);
        crypto_auth_hmacsha256_init(&ring->mac[i], key, sizeof key);
    }
    crypto_kdf_derive_from_key(key, sizeof key, SIGNING_NUMBER, "signing_", ring->server);
    crypto_sign_seed_keypair(ring->sign_public, ring->sign_secret, key);
    sodium_memzero(key, sizeof key);
    ring->is_open = true;
}

int keyring_create(struct call *call, struct str *ret_check, struct str *ret_server)
{
    if (!ring || !ring->has_given)
        return fail(call, E_INTERNAL, "The master key is not loaded.");
    struct seal_place check = place_of(STR("check")), server = place_of(STR("server"));
    randombytes_buf(ring->server, KEY_BYTES);
    ring->n_masters = 0;
    add_master(FIRST_KID, ring->given);
    ring->kid = ring->given_kid = FIRST_KID;
    int error = wrap(call, &check, &ring->masters[0], check_text, ret_check);
    if (!error)
        error = wrap(call, &server, &ring->masters[0], key_bytes(ring->server), ret_server);
    if (!error)
        derive();
    return error;
}

static const struct keyring_row *find_row(const struct keyring_row *rows, size_t count, struct str id)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(rows[i].id, id))
            return &rows[i];
    return NULL;
}

static bool opens(struct call *call, const struct keyring_row *row, const unsigned char key[KEY_BYTES],
                  struct str *ret_plain)
{
    struct seal_place place = place_of(row->id);
    return seal_unbox(call, &place, key, row->wrapped, ret_plain) == OK;
}

/* "master:2": the number of the key in it; 0 when it is another row. */
static int64_t wrapped_master(const struct keyring_row *row)
{
    int64_t kid;
    return str_starts_with(row->id, STR("master:")) && str_to_i64(str_from_offset(row->id, 7), &kid) && kid > 0 ? kid
                                                                                                                : 0;
}

/* Whatever a known master key opens is known too. */
static void learn_masters(struct call *call, const struct keyring_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str plain;
        int64_t kid = wrapped_master(&rows[i]);
        const struct master *by = kid && !find_master(kid) ? find_master(rows[i].master_kid) : NULL;
        if (by && opens(call, &rows[i], by->key, &plain) && plain.len == KEY_BYTES)
            add_master(kid, (const unsigned char *)plain.ptr);
    }
}

/* Which of the database's master keys is the one we were given? 0: none. */
static int64_t recognise(struct call *call, const struct keyring_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str plain;
        if ((str_eq(rows[i].id, STR("check")) || wrapped_master(&rows[i])) &&
            opens(call, &rows[i], ring->given, &plain))
            return rows[i].master_kid;
    }
    return 0;
}

static int another_key(struct call *call, int64_t kid)
{
    return fail(
        call, E_CRYPTO,
        "This database belongs to another master key (its number %lld). Give the program that key: "
        "PORTEIRO_SECRET_KEY, PORTEIRO_SECRET_KEY_FILE, or master.key in the data directory (from your backup of "
        "the key); a key that was retired is good for nothing any more. Without the key the stored passwords "
        "cannot be read.",
        (long long)kid);
}

int keyring_learn(struct call *call, const struct keyring_row *rows, size_t count)
{
    const struct keyring_row *check = find_row(rows, count, STR("check"));
    struct str plain;
    learn_masters(call, rows, count);
    const struct master *current = check ? find_master(check->master_kid) : NULL;
    if (!current || !opens(call, check, current->key, &plain) || !str_eq(plain, check_text))
        return another_key(call, check ? check->master_kid : 0);
    ring->kid = current->kid;
    return OK;
}

int keyring_open(struct call *call, const struct keyring_row *rows, size_t count)
{
    if (!ring || !ring->has_given)
        return fail(call, E_INTERNAL, "The master key is not loaded.");
    const struct keyring_row *server = find_row(rows, count, STR("server"));
    struct str plain;
    ring->is_open = false;
    ring->n_masters = 0;
    ring->given_kid = recognise(call, rows, count);
    if (ring->given_kid)
        add_master(ring->given_kid, ring->given);
    int error = keyring_learn(call, rows, count);
    if (error)
        return error;
    const struct master *by = server ? find_master(server->master_kid) : NULL;
    if (!by || !opens(call, server, by->key, &plain) || plain.len != KEY_BYTES)
        return fail(call, E_CRYPTO,
                    "The server's secret in mcp_data_keys does not open: the row was changed. Restore the database "
                    "from a backup.");
    memcpy(ring->server, plain.ptr, KEY_BYTES);
    derive();
    return OK;
}

/* ---- rotation */

bool keyring_is_current(struct str text)
{
    unsigned char key[KEY_BYTES];
    const struct master *current = keyring_is_open() ? find_master(ring->kid) : NULL;
    bool is_same = current && decode_key(str_trim(text), key) && sodium_memcmp(key, current->key, KEY_BYTES) == 0;
    sodium_memzero(key, sizeof key);
    return is_same;
}

int keyring_rotate(struct call *call, struct str text, struct keyring_row ret_rows[KEYRING_ROTATION_ROWS])
{
    unsigned char *key = arena_alloc(call->arena, KEY_BYTES);
    keyring_wipe_later(call, key, KEY_BYTES);
    if (!keyring_is_open())
        return fail(call, E_INTERNAL, "The keyring is not open.");
    if (!decode_key(str_trim(text), key))
        return fail(call, E_INVALID, "That is no master key: 32 bytes as base64 or as 64 hex digits.");
    const struct master old = *current_master();
    if (sodium_memcmp(key, old.key, KEY_BYTES) == 0)
        return fail(call, E_INVALID, "That is the master key which is used already.");
    struct master new = {.kid = old.kid + 1};
    memcpy(new.key, key, KEY_BYTES);
    add_master(new.kid, key);
    ret_rows[0] = (struct keyring_row){.id = STR("check"), .master_kid = new.kid};
    ret_rows[1] = (struct keyring_row){.id = STR("server"), .master_kid = new.kid};
    ret_rows[2] =
        (struct keyring_row){.id = call_format(call, "master:%lld", (long long)new.kid), .master_kid = old.kid};
    ret_rows[3] =
        (struct keyring_row){.id = call_format(call, "master:%lld", (long long)old.kid), .master_kid = new.kid};
    const struct str plain[] = {check_text, key_bytes(ring->server), key_bytes(new.key), key_bytes(old.key)};
    int error = OK;
    for (size_t i = 0; !error && i < KEYRING_ROTATION_ROWS; i++) {
        struct seal_place place = place_of(ret_rows[i].id);
        error = wrap(call, &place, ret_rows[i].master_kid == new.kid ? &new : &old, plain[i], &ret_rows[i].wrapped);
    }
    sodium_memzero(&new, sizeof new);
    sodium_memzero((void *)(uintptr_t)&old, sizeof old);
    if (!error)
        ring->kid = ret_rows[0].master_kid;
    return error;
}

int keyring_unwrap(struct call *call, struct str id, struct str wrapped, struct str *ret_plain)
{
    struct seal_place place = place_of(id);
    int64_t kid = seal_kid(wrapped);
    const struct master *master = find_master(kid);
    if (!master && kid > 0 && refresh) {
        int error = refresh(call);
        if (error && error != E_CRYPTO)
            return error;
        master = find_master(kid);
    }
    return master ? seal_unbox(call, &place, master->key, wrapped, ret_plain) : E_CRYPTO;
}

int keyring_wrap(struct call *call, struct str id, struct str plain, struct str *ret_wrapped)
{
    struct seal_place place = place_of(id);
    return wrap(call, &place, current_master(), plain, ret_wrapped);
}

int keyring_rewrap(struct call *call, const struct keyring_row *row, struct str *ret_wrapped)
{
    struct seal_place place = place_of(row->id);
    struct str plain;
    if (!keyring_is_open())
        return fail(call, E_INTERNAL, "The keyring is not open.");
    int error = keyring_unwrap(call, row->id, row->wrapped, &plain);
    if (error == E_CRYPTO)
        return fail(call, E_CRYPTO, "The row %.*s of mcp_data_keys does not open: it was changed or moved.",
                    STR_ARG(row->id));
    return error ? error : wrap(call, &place, current_master(), plain, ret_wrapped);
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

/* ---- signatures */

void keyring_sign(struct str message, char out[SIGNATURE_HEX_BYTES])
{
    unsigned char signature[crypto_sign_BYTES];
    crypto_sign_detached(signature, NULL, (const unsigned char *)message.ptr, message.len, ring->sign_secret);
    sodium_bin2hex(out, SIGNATURE_HEX_BYTES, signature, sizeof signature);
}

bool keyring_signed(struct str message, struct str signature)
{
    unsigned char bytes[crypto_sign_BYTES];
    size_t size;
    return signature.len == SIGNATURE_HEX_BYTES - 1 &&
           sodium_hex2bin(bytes, sizeof bytes, signature.ptr, signature.len, NULL, &size, NULL) == 0 &&
           size == sizeof bytes &&
           crypto_sign_verify_detached(bytes, (const unsigned char *)message.ptr, message.len, ring->sign_public) == 0;
}

void keyring_public(char out[MAC_HEX_BYTES])
{
    sodium_bin2hex(out, MAC_HEX_BYTES, ring->sign_public, sizeof ring->sign_public);
}
