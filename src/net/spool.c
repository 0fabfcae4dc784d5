/* A file on its way. */
#include <openssl/evp.h> /* before base/banned.h */
#include <sodium.h>

#include "net/spool.h"

#include "net/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = HTTP_FETCH_PIECE_BYTES, THREADS = 2, PATH_BYTES = 4096 };

static struct {
    char directory[PATH_BYTES]; /* tmp/ of the data directory */
    int64_t max_bytes, max_all_bytes;
    struct helper *helper;
    struct spool_counts counts;
} spools;

void spool_init(struct str data_dir, int64_t max_bytes, int64_t max_all_bytes)
{
    spools.max_bytes = max_bytes;
    spools.max_all_bytes = max_all_bytes;
    snprintf(spools.directory, sizeof spools.directory, "%.*s/tmp", (int)data_dir.len, data_dir.ptr);
}

void spool_done(void)
{
    helper_free(spools.helper);
    spools.helper = NULL;
}

int64_t spool_max_bytes(void)
{
    return spools.max_bytes;
}

struct spool_counts spool_counts(void)
{
    return spools.counts;
}

/* --- the file ---------------------------------------------------------------------------------------------------------- */

/* A file without a name; where the file system has none such, one that loses its name at once. */
static int open_nameless(void)
{
    char path[PATH_BYTES + 16];
    if (mkdir(spools.directory, 0700) && errno != EEXIST)
        return -1;
    int fd = open(spools.directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    snprintf(path, sizeof path, "%s/spool-XXXXXX", spools.directory);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

struct opening {
    int fd, error;
};

static void open_it(void *context)
{
    struct opening *opening = context;
    opening->fd = open_nameless();
    opening->error = errno;
}

void spool_close(struct spool *spool)
{
    if (spool->fd < 0)
        return;
    close(spool->fd);
    spool->fd = -1;
    spools.counts.open--;
    spools.counts.reserved_bytes -= spool->reserved_bytes;
}

static void release(void *object)
{
    spool_close(object);
}

static int no_room(struct call *call)
{
    return fail(call, E_UNAVAILABLE, "This server has no room for more files at the moment. Try again in a minute.");
}

static int reserve(struct call *call, struct spool *spool, int64_t bytes)
{
    if (bytes > spools.max_bytes)
        return fail(call, E_LIMIT, "The file is larger than the %lld MiB that are taken here.",
                    (long long)(spools.max_bytes >> 20));
    if (bytes <= spool->reserved_bytes)
        return OK;
    int64_t more = bytes - spool->reserved_bytes;
    if (spools.counts.reserved_bytes + more > spools.max_all_bytes)
        return no_room(call);
    spool->reserved_bytes += more;
    spools.counts.reserved_bytes += more;
    return OK;
}

static int open_spool(struct call *call, struct spool *spool)
{
    if (spools.counts.open >= SPOOLS_AT_ONCE)
        return no_room(call);
    if (!spools.helper && !(spools.helper = helper_new(THREADS)))
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    struct opening opening = {-1, 0};
    spools.counts.open++; /* now: who waits below has his place */
    helper_run(call, spools.helper, open_it, &opening);
    spool->fd = opening.fd;
    if (spool->fd >= 0) {
        arena_defer(call->arena, release, spool);
        return OK;
    }
    spools.counts.open--;
    fail_detail(call, "%s: %s", spools.directory, strerror(opening.error));
    return fail(call, E_UNAVAILABLE, "This server cannot keep files on their way; its operator finds why in the log.");
}

/* --- filling ----------------------------------------------------------------------------------------------------------- */

struct writing {
    int fd, error;
    const char *bytes;
    size_t len;
    int64_t at;
    EVP_MD_CTX *sha256, *md5; /* OpenSSL's, which uses the processor's own instructions */
};

static void write_piece(void *context)
{
    struct writing *writing = context;
    if (writing->sha256)
        EVP_DigestUpdate(writing->sha256, writing->bytes, writing->len);
    if (writing->md5)
        EVP_DigestUpdate(writing->md5, writing->bytes, writing->len);
    for (size_t done = 0; done < writing->len;) {
        ssize_t count = pwrite(writing->fd, writing->bytes + done, writing->len - done, writing->at + (off_t)done);
        if (count < 0 && errno != EINTR) {
            writing->error = errno;
            return;
        }
        done += count > 0 ? (size_t)count : 0;
    }
}

static void release_digest(void *object)
{
    EVP_MD_CTX_free(object);
}

/* NULL where there is no memory, or the machine's policy has no such digest: then it is left out. */
static EVP_MD_CTX *begin_digest(struct call *call, const EVP_MD *digest)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    arena_defer(call->arena, release_digest, context);
    return context && EVP_DigestInit_ex(context, digest, NULL) == 1 ? context : NULL;
}

static void end_digest(EVP_MD_CTX *context, char *out, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (context && EVP_DigestFinal_ex(context, digest, &len) == 1)
        sodium_bin2hex(out, size, digest, len);
}

static int add_piece(struct call *call, struct spool *spool, struct writing *writing, size_t len)
{
    int error = reserve(call, spool, spool->size_bytes + (int64_t)len);
    if (error)
        return error;
    size_t more = SPOOL_HEAD_BYTES - spool->head_len;
    more = len < more ? len : more;
    memcpy(spool->head + spool->head_len, writing->bytes, more);
    spool->head_len += more;
    writing->len = len;
    writing->at = spool->size_bytes;
    helper_run(call, spools.helper, write_piece, writing);
    spool->size_bytes += (int64_t)len;
    if (!writing->error)
        return OK;
    fail_detail(call, "%s: %s", spools.directory, strerror(writing->error));
    return no_room(call);
}

static int fill_from(struct call *call, struct spool *spool, const struct http_source *source, struct writing *writing,
                     spool_look *look, void *context)
{
    char *room = arena_alloc(call->arena, PIECE_BYTES);
    bool has_looked = !look;
    writing->bytes = room;
    for (;;) {
        size_t count;
        int error = source->read(call, source->context, room, PIECE_BYTES, &count);
        if (!error && count)
            error = add_piece(call, spool, writing, count);
        if (!error && !has_looked && (spool->head_len == SPOOL_HEAD_BYTES || !count)) {
            has_looked = true;
            error = look(call, context, str_of(spool->head, spool->head_len));
        }
        if (error || !count)
            return error;
    }
}

int spool_fill(struct call *call, const struct http_source *source, spool_look *look, void *context, struct spool **ret)
{
    struct spool *spool = arena_new_of(call->arena, struct spool);
    spool->fd = -1;
    *ret = spool;
    int error = open_spool(call, spool);
    if (!error && source->size_bytes > 0)
        error = reserve(call, spool, source->size_bytes);
    if (error) {
        spool_close(spool);
        return error;
    }
    struct writing writing = {.fd = spool->fd};
    writing.sha256 = begin_digest(call, EVP_sha256());
    writing.md5 = begin_digest(call, EVP_md5());
    error = fill_from(call, spool, source, &writing, look, context);
    if (error) {
        spool_close(spool);
        return error;
    }
    end_digest(writing.sha256, spool->sha256, sizeof spool->sha256);
    end_digest(writing.md5, spool->md5, sizeof spool->md5);
    return OK;
}

struct memory {
    struct str rest;
};

static int read_memory(struct call *call, void *context, char *room, size_t size, size_t *ret_read)
{
    struct memory *memory = context;
    struct str piece = str_sub(memory->rest, 0, size);
    (void)call;
    if (piece.len)
        memcpy(room, piece.ptr, piece.len);
    memory->rest = str_from_offset(memory->rest, piece.len);
    *ret_read = piece.len;
    return OK;
}

int spool_bytes(struct call *call, struct str bytes, spool_look *look, void *context, struct spool **ret)
{
    struct memory memory = {bytes};
    struct http_source source = {read_memory, &memory, (int64_t)bytes.len};
    return spool_fill(call, &source, look, context, ret);
}

/* --- reading it again -------------------------------------------------------------------------------------------------- */

struct reading {
    int fd, error;
    char *room;
    size_t size, count;
    int64_t at;
};

static void read_piece(void *context)
{
    struct reading *reading = context;
    ssize_t count;
    do
        count = pread(reading->fd, reading->room, reading->size, reading->at);
    while (count < 0 && errno == EINTR);
    reading->error = count < 0 ? errno : 0;
    reading->count = count < 0 ? 0 : (size_t)count;
}

static int read_spool(struct call *call, void *context, char *room, size_t size, size_t *ret_read)
{
    struct spool *spool = context;
    struct reading reading = {.fd = spool->fd, .room = room, .size = size, .at = spool->at};
    helper_run(call, spools.helper, read_piece, &reading);
    spool->at += (int64_t)reading.count;
    *ret_read = reading.count;
    if (!reading.error)
        return OK;
    fail_detail(call, "%s: %s", spools.directory, strerror(reading.error));
    return fail(call, E_UNAVAILABLE, "This server could not read back the file on its way. Try again.");
}

struct http_source spool_source(struct spool *spool)
{
    spool->at = 0;
    return (struct http_source){read_spool, spool, spool->size_bytes};
}
