/* The bus's way to other processes. */
#include "mcp/carrier.h"

#include "accounts/generation.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/packet.h"
#include "net/task.h"
#include "net/worker.h"
#include "store/notices.h"
#include "store/store.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD_BYTES_MAX = 128,
    TEXT_BYTES_MAX = HEAD_BYTES_MAX + BUS_KEY_MAX_BYTES + BUS_PAYLOAD_MAX_BYTES,
    NOTICE_TIMEOUT_MS = 5 * 1000,
    NOTICE_MEMORY_BYTES = 4 * 1024 * 1024,
    NOTICES_MAX_BYTES = 8 * 1024 * 1024, /* of all that are under way */
    PIECE_HEAD_BYTES = 48,
    PIECE_MAX_BYTES = NOTICE_MAX_BYTES - NOTICES_ORIGIN_BYTES - PIECE_HEAD_BYTES,
    START_LOOK_MS = 10,
};

/* ---- an event as text */

void carrier_write(const struct bus_event *event, struct buf *out)
{
    buf_add(out, str_from(bus_topic_name(event->topic)));
    buf_add_char(out, ' ');
    buf_add_i64(out, event->connection_id);
    buf_add_char(out, ' ');
    buf_add_i64(out, event->number);
    buf_add_char(out, ' ');
    buf_add_u64(out, event->key.len);
    buf_add_char(out, '\n');
    buf_add(out, event->key);
    buf_add(out, event->payload);
}

bool carrier_read(struct str text, struct bus_event *ret)
{
    size_t end = str_find_char(text, '\n');
    if (end == STR_NOT_FOUND || end > HEAD_BYTES_MAX)
        return false;
    struct str head = str_sub(text, 0, end), rest = str_from_offset(text, end + 1), part[4];
    for (size_t i = 0; i < ARRAY_LENGTH(part); i++)
        if (!str_next(&head, ' ', &part[i]))
            return false;
    uint64_t key_len;
    if (!bus_topic_parse(part[0], &ret->topic) || !str_to_i64(part[1], &ret->connection_id) ||
        !str_to_i64(part[2], &ret->number) || !str_to_u64(part[3], &key_len) || key_len > rest.len)
        return false;
    ret->key = str_sub(rest, 0, (size_t)key_len);
    ret->payload = str_from_offset(rest, (size_t)key_len);
    return true;
}

/* ---- in */

static void bring(struct str text)
{
    struct bus_event event = {0};
    if (carrier_read(text, &event))
        bus_inject(&event);
    else
        log_warning("another process told something that is no event");
}

void carrier_told(struct str bytes, int file)
{
    struct stat status;
    char *text = NULL;
    if (file < 0) {
        bring(bytes);
        return;
    }
    if (fstat(file, &status) == 0 && status.st_size <= TEXT_BYTES_MAX && (text = malloc((size_t)status.st_size + 1)) &&
        pread(file, text, (size_t)status.st_size, 0) == status.st_size)
        bring(str_of(text, (size_t)status.st_size));
    free(text);
    close(file);
}

/* ---- what is too large for one notice: "+TOTAL OFFSET\n" and that part of the text, all in one transaction */

size_t carrier_cut(struct arena *arena, struct str text, size_t offset, struct str *ret_notice)
{
    size_t end = offset + PIECE_MAX_BYTES < text.len ? offset + PIECE_MAX_BYTES : text.len;
    while (end < text.len && ((unsigned char)text.ptr[end] & 0xc0) == 0x80) /* PostgreSQL takes whole characters only */
        end--;
    *ret_notice = str_format(arena, "+%zu %zu\n%.*s", text.len, offset, STR_ARG(str_sub(text, offset, end - offset)));
    return end;
}

/* The database delivers the pieces of one transaction in their order, with nothing between: one text at most is unfinished. */
bool carrier_join(struct str notice, struct buf *unfinished)
{
    size_t end = str_find_char(notice, '\n');
    if (end == STR_NOT_FOUND || end > PIECE_HEAD_BYTES)
        return false;
    struct str head = str_sub(notice, 1, end - 1), piece = str_from_offset(notice, end + 1), total_text, offset_text;
    uint64_t total, offset;
    if (!str_next(&head, ' ', &total_text) || !str_next(&head, ' ', &offset_text) || !str_to_u64(total_text, &total) ||
        !str_to_u64(offset_text, &offset) || total > TEXT_BYTES_MAX || piece.len > total)
        return false;
    if (offset == 0)
        buf_clear(unfinished);
    if (offset != unfinished->len || offset > total - piece.len)
        return false; /* its beginning was missed */
    buf_add(unfinished, piece);
    return !buf_failed(unfinished) && unfinished->len == total;
}

static void bring_piece(struct str notice)
{
    static struct buf unfinished;
    if (!unfinished.max)
        buf_init_heap(&unfinished, TEXT_BYTES_MAX);
    if (!carrier_join(notice, &unfinished))
        return;
    bring(buf_str(&unfinished));
    buf_done(&unfinished);
    unfinished = (struct buf){0};
}

/* Somebody's rights changed on another node, or we may not have heard of it. */
static void bring_rights(void)
{
    generation_move(); /* first: whoever is woken now asks the database */
    bus_inject(&(struct bus_event){.topic = BUS_RIGHTS_CHANGED});
}

static void heard(struct str text)
{
    if (text.len == 0 || str_eq(text, STR(GENERATION_NOTICE)))
        bring_rights();
    else if (text.ptr[0] == '+')
        bring_piece(text);
    else
        bring(text);
}

/* ---- out */

struct notice {
    struct call call;
    struct arena *arena;
    struct str text;
};
static size_t n_notices, notices_bytes;

static void send_pieces(struct call *call, struct str text)
{
    bool mine;
    int error = store_begin(call, &mine);
    for (size_t offset = 0; !error && offset < text.len;) {
        struct str piece;
        offset = carrier_cut(call->arena, text, offset, &piece);
        notices_send(call, piece);
    }
    if (store_end(call, mine, error))
        log_warning("other nodes could not be told of a change: %.*s", STR_ARG(call->error_text));
}

static void send_notice(struct call *call, void *context)
{
    const struct notice *notice = context;
    if (notice->text.len < NOTICE_MAX_BYTES - NOTICES_ORIGIN_BYTES)
        notices_send(call, notice->text);
    else
        send_pieces(call, notice->text);
}

static void notice_done(struct call *call, void *context)
{
    struct notice *notice = context;
    (void)call;
    n_notices--;
    notices_bytes -= notice->text.len;
    arena_free(notice->arena); /* the notice lies in it */
}

static void tell_nodes(struct str text)
{
    bool room = n_notices < CARRIER_NOTICES_MAX && notices_bytes + text.len <= NOTICES_MAX_BYTES;
    struct arena *arena = room ? arena_new(NOTICE_MEMORY_BYTES) : NULL;
    if (!arena) {
        log_warning("other nodes are not told of a change: too much to tell");
        return;
    }
    struct notice *notice = arena_new_of(arena, struct notice);
    *notice = (struct notice){.arena = arena, .text = str_copy(arena, text)};
    call_init(&notice->call, arena, NOTICE_TIMEOUT_MS);
    n_notices++;
    notices_bytes += text.len;
    if (task_spawn(&notice->call, send_notice, notice_done, notice)) {
        log_warning("other nodes are not told of a change: too many tasks");
        notice_done(&notice->call, notice);
    }
}

static void tell_workers(struct str text)
{
    if (text.len < PACKET_MAX_BYTES) {
        (void)!worker_tell(text, -1); /* the supervisor says when a worker does not keep up */
        return;
    }
    int file = packet_file("porteiro-event", text);
    if (file < 0 || !worker_tell(STR_EMPTY, file))
        log_warning("other workers cannot be told of an event of %zu bytes", text.len);
    if (file >= 0)
        close(file);
}

static void carry(void *context, const struct bus_event *event)
{
    struct buf text;
    (void)context;
    buf_init_heap(&text, TEXT_BYTES_MAX);
    carrier_write(event, &text);
    if (buf_failed(&text)) {
        log_warning("an event is not passed on: no memory");
    } else {
        tell_workers(buf_str(&text));
        if (db_kind(store_db()) == DB_POSTGRES)
            tell_nodes(buf_str(&text));
    }
    buf_done(&text);
}

static void wanted(void *context)
{
    (void)context;
    notices_listen(heard);
}

int carrier_await(struct call *call)
{
    int64_t end_ms = clock_monotonic_ms() + CARRIER_AWAIT_MS;
    int error = OK;
    while (!error && notices_are_starting() && clock_monotonic_ms() < end_ms)
        error = task_sleep(call, START_LOOK_MS);
    return error;
}

void carrier_start(void)
{
    bus_set_carrier(&(struct bus_carrier){.carry = carry, .wanted = wanted});
}

void carrier_end(void)
{
    bus_set_carrier(NULL);
    while (n_notices) /* each has its deadline */
        loop_turn();
}
