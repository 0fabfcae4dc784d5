/* Signed statements about the audit chains. */
#include "audit/checkpoint.h"

#include "audit/chain.h"
#include "base/log.h"
#include "crypto/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 1024, WRITER_BYTES_MAX = 128 };

static int file = -1;
static bool is_off, is_logged;
static struct {
    char writer[WRITER_BYTES_MAX];
    int64_t seq;
} last;

static struct str statement(struct arena *arena, enum mark_kind kind, const struct audit_mark *mark)
{
    static const char *const names[] = {[MARK_CHECKPOINT] = "checkpoint", [MARK_TOMBSTONE] = "tombstone"};
    return str_format(arena, "porteiro %s v1|%.*s|%lld|%.*s|%lld", names[kind], STR_ARG(mark->writer),
                      (long long)mark->seq, STR_ARG(mark->hash), (long long)mark->at_ms);
}

void mark_sign(struct arena *arena, enum mark_kind kind, struct audit_mark *mark)
{
    char *signature = arena_alloc(arena, SIGNATURE_HEX_BYTES);
    keyring_sign(statement(arena, kind, mark), signature);
    mark->signature = str_from(signature);
}

bool mark_is_signed(struct arena *arena, enum mark_kind kind, const struct audit_mark *mark)
{
    return keyring_signed(statement(arena, kind, mark), mark->signature);
}

/* ---- writing */

int checkpoint_open(struct call *call, struct str path)
{
    checkpoint_close();
    is_off = !path.ptr;
    if (!path.len)
        return OK;
    const char *name = str_copy_cstr(call->arena, path);
    const int flags = O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
    file = open(name, O_RDWR | flags, 0600);
    if (file < 0 && errno == EACCES) /* a file that we may only write to */
        file = open(name, O_WRONLY | flags, 0600);
    if (file < 0)
        return fail(call, E_UNAVAILABLE, "The file for audit checkpoints, %s, cannot be opened: %s.", name,
                    strerror(errno));
    return OK;
}

void checkpoint_log(bool on)
{
    is_logged = on;
}

void checkpoint_close(void)
{
    if (file >= 0)
        close(file);
    file = -1;
    last.seq = 0;
    last.writer[0] = '\0';
}

static struct str as_line(struct arena *arena, const struct audit_mark *mark)
{
    struct buf line;
    struct json_writer w;
    char key[MAC_HEX_BYTES];
    keyring_public(key);
    buf_init(&line, arena, LINE_BYTES_MAX);
    json_write_init(&w, &line);
    json_object(&w);
    json_member_i64(&w, "v", 1);
    json_member_str(&w, "writer", mark->writer);
    json_member_i64(&w, "seq", mark->seq);
    json_member_str(&w, "hash", mark->hash);
    json_member_i64(&w, "at", mark->at_ms);
    json_member_str(&w, "key", str_from(key));
    json_member_str(&w, "signature", mark->signature);
    json_end(&w);
    buf_add_char(&line, '\n');
    return buf_str(&line);
}

static bool lock_file(short type)
{
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(file, F_SETLKW, &whole) == 0;
}

/* What a full disk or a power cut left of a line goes, or the next one would stand behind it, in a line that nobody signed. */
static void drop_piece(void)
{
    char end[LINE_BYTES_MAX];
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    off_t from = status.st_size > LINE_BYTES_MAX ? status.st_size - LINE_BYTES_MAX : 0;
    ssize_t n = pread(file, end, sizeof end, from);
    if (n <= 0 || end[n - 1] == '\n')
        return;
    while (n > 0 && end[n - 1] != '\n')
        n--;
    if ((n > 0 || from == 0) && ftruncate(file, from + n) == 0)
        log_warning("the file for audit checkpoints ended in a piece of a line, which was removed");
}

/* One write under a lock of processes. Not waited for until it is on disk: that would hold up the loop. */
static void append_line(struct str line)
{
    if (file < 0)
        return;
    bool is_locked = lock_file(F_WRLCK);
    if (is_locked)
        drop_piece();
    ssize_t written = write(file, line.ptr, line.len);
    if (written != (ssize_t)line.len) {
        log_error("the file for audit checkpoints cannot be written: %s", strerror(written < 0 ? errno : ENOSPC));
        if (is_locked)
            drop_piece();
    }
    if (is_locked && !lock_file(F_UNLCK))
        log_error("the file for audit checkpoints cannot be unlocked: %s", strerror(errno));
}

int checkpoint_write(struct call *call, struct str writer)
{
    struct audit_head head;
    struct audit_mark mark = {.writer = writer, .at_ms = clock_now_ms()};
    bool found;
    if (is_off)
        return OK;
    int error = store_audit_head(call, writer, &head, &found);
    if (error || !found || head.seq == 0 || (head.seq == last.seq && str_eq(writer, str_from(last.writer))))
        return error;
    if (!chain_head_read(call->arena, &head, &mark.hash))
        return OK; /* somebody else wrote it: nothing to vouch for */
    mark.seq = head.seq;
    mark_sign(call->arena, MARK_CHECKPOINT, &mark);
    struct str line = as_line(call->arena, &mark);
    append_line(line);
    log_line(is_logged ? LOG_INFO : LOG_DEBUG, "audit checkpoint %.*s", STR_ARG(str_trim(line)));
    error = store_checkpoint_add(call, &mark);
    if (!error && str_to_cstr(writer, last.writer, sizeof last.writer))
        last.seq = mark.seq;
    return error;
}

/* ---- reading */

static bool read_line(struct call *call, struct str line, struct audit_mark *ret, bool *ret_foreign)
{
    char key[MAC_HEX_BYTES];
    const struct json *value;
    keyring_public(key);
    *ret_foreign = false;
    if (json_parse(call->arena, line, NULL, &value, NULL) < 0)
        return false;
    *ret = (struct audit_mark){
        .writer = json_str(json_get(value, STR("writer"))),
        .seq = json_i64_or(json_get(value, STR("seq")), 0),
        .hash = json_str(json_get(value, STR("hash"))),
        .at_ms = json_i64_or(json_get(value, STR("at")), 0),
        .signature = json_str(json_get(value, STR("signature"))),
    };
    struct str signer = json_str(json_get(value, STR("key")));
    *ret_foreign = signer.len == MAC_HEX_BYTES - 1 && !str_eq(signer, str_from(key));
    return *ret_foreign || mark_is_signed(call->arena, MARK_CHECKPOINT, ret);
}

static void read_lines(struct call *call, FILE *from, checkpoint_fn *take, void *context, struct checkpoint_file *ret)
{
    char line[LINE_BYTES_MAX + 2];
    struct call piece;
    call_init_piece(&piece, call, 1024 * 1024);
    for (int64_t number = 1; fgets(line, sizeof line, from); number++) {
        struct str text = str_from(line);
        struct audit_mark mark;
        bool is_foreign;
        if (!str_ends_with(text, STR("\n")) && feof(from))
            break; /* cut off while it was written */
        arena_reset(piece.arena);
        if (read_line(&piece, str_trim(text), &mark, &is_foreign)) {
            ret->n_foreign += is_foreign;
            if (!is_foreign)
                take(context, &mark);
        } else if (!ret->bad_line)
            ret->bad_line = number;
    }
}

static void close_file(void *object)
{
    fclose(object);
}

int checkpoint_read(struct call *call, const char *path, checkpoint_fn *take, void *context,
                    struct checkpoint_file *ret)
{
    struct stat status;
    *ret = (struct checkpoint_file){0};
    FILE *from = fopen(path, "re");
    if (!from)
        return errno == ENOENT ? fail(call, E_NOT_FOUND, "There is no file %s.", path)
                               : fail(call, E_UNAVAILABLE, "%s cannot be read: %s.", path, strerror(errno));
    arena_defer(call->arena, close_file, from);
    if (fstat(fileno(from), &status) == 0 && status.st_size > CHECKPOINT_FILE_BYTES_MAX)
        return fail(call, E_LIMIT, "%s is larger than %d MiB: give a newer part of it.", path,
                    CHECKPOINT_FILE_BYTES_MAX >> 20);
    read_lines(call, from, take, context, ret);
    return OK;
}
