/* The newest rows of our own chain, read again. */
#include "audit/watch.h"

#include "audit/chain.h"
#include "base/log.h"

enum {
    WRITER_BYTES = 160,
    ROWS_AT_ONCE = 200,
    TEXT_BYTES = 400,
    /* Some engines hand each connection numbers in advance: a later row may have a smaller one. */
    ID_MARGIN = 1000,
    PIECE_BYTES = 16 * 1024 * 1024,
};

static struct {
    void (*found)(struct str text);
    bool has_begun, is_broken;
    char writer[WRITER_BYTES];
    int64_t seq;      /* of the last row that was right */
    int64_t after_id; /* where to look for the next */
    char hash[MAC_HEX_BYTES];
} watch;

void watch_init(void (*found)(struct str text))
{
    watch.found = found;
    watch.has_begun = watch.is_broken = false;
}

bool watch_is_on(void)
{
    return watch.found != NULL;
}

bool watch_has_begun(struct str writer)
{
    return !watch.found || (watch.has_begun && str_eq(writer, str_from(watch.writer)));
}

int watch_begin(struct call *call, struct str writer, int64_t seq, struct str hash)
{
    int64_t newest;
    if (watch_has_begun(writer))
        return OK;
    int error = store_audit_newest(call, &newest);
    if (error)
        return error;
    watch.has_begun =
        str_to_cstr(writer, watch.writer, sizeof watch.writer) && str_to_cstr(hash, watch.hash, sizeof watch.hash);
    watch.is_broken = false;
    watch.seq = seq;
    watch.after_id = newest - ID_MARGIN;
    return OK;
}

static void tell(const char *format, ...) PRINTF_LIKE(1, 2);
static void tell(const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (!watch.is_broken)
        watch.found(str_from(text));
    watch.is_broken = true;
}

void watch_head_changed(struct str writer)
{
    watch.has_begun = false;
    if (watch.found)
        tell("The audit log was changed by others: the head of the chain \"%.*s\" is not ours. `porteiro audit verify` "
             "says what is left of it.",
             STR_ARG(str_sub(writer, 0, 100)));
    watch.is_broken = false;
}

/* ---- a look: the rows of our chain, in the order of their numbers, whatever that of their ids */

struct seen {
    int64_t id, seq;
    struct str prev, hash;
    bool is_right;
};

struct look {
    struct call *call;
    struct str writer;
    int64_t base;      /* the number before them */
    struct seen *rows; /* by number, from base + 1 */
    size_t count;      /* how many there should be */
};

static void see(struct look *look, struct call *piece, const struct audit_row *row)
{
    const struct json *data;
    struct chain_link link;
    if (!chain_read(piece->arena, row->data_json, &data, &link) || !str_eq(link.writer, look->writer) ||
        link.seq <= look->base || link.seq > look->base + (int64_t)look->count)
        return;
    bool is_right = chain_hash_is_right(piece->arena, data, &link) && str_eq(link.action, row->action) &&
                    link.at_ms == row->created_at_ms && (!row->user_id || row->user_id == link.user_id) &&
                    (!row->connection_id || row->connection_id == link.connection_id);
    look->rows[link.seq - look->base - 1] = (struct seen){.id = row->id,
                                                          .seq = link.seq,
                                                          .prev = str_copy(look->call->arena, link.prev),
                                                          .hash = str_copy(look->call->arena, link.hash),
                                                          .is_right = is_right};
}

static int read_rows(struct look *look)
{
    struct call piece;
    struct audit_rows rows = {.count = ROWS_AT_ONCE};
    int64_t after = watch.after_id;
    call_init_piece(&piece, look->call, PIECE_BYTES);
    while (rows.count == ROWS_AT_ONCE) {
        arena_reset(piece.arena);
        int error = store_audit_after(&piece, after, ROWS_AT_ONCE, &rows);
        if (error)
            return fail(look->call, (enum error)error, "%.*s", STR_ARG(piece.error_text));
        for (size_t i = 0; i < rows.count; i++)
            see(look, &piece, &rows.items[i]);
        if (rows.count)
            after = rows.items[rows.count - 1].id;
    }
    return OK;
}

/* Goes on to the last row that is right. */
static void judge(const struct look *look)
{
    int64_t last_id = watch.after_id;
    for (size_t i = 0; i < look->count && !watch.is_broken; i++) {
        const struct seen *row = &look->rows[i];
        if (!row->id)
            tell(
                "The audit log was changed by others: row %lld of the chain \"%s\" is missing. `porteiro audit verify` "
                "says more.",
                (long long)watch.seq + 1, watch.writer);
        else if (!row->is_right || !str_eq(row->prev, str_from(watch.hash)))
            tell("The audit log was changed by others: the row with the id %lld is not as it was written. `porteiro "
                 "audit verify` says more.",
                 (long long)row->id);
        else if (str_to_cstr(row->hash, watch.hash, sizeof watch.hash))
            watch.seq = row->seq;
        last_id = row->id > last_id + ID_MARGIN ? row->id - ID_MARGIN : last_id;
    }
    watch.after_id = last_id;
}

int watch_look(struct call *call, struct str writer, int64_t seq)
{
    if (!watch.has_begun || watch.is_broken || !str_eq(writer, str_from(watch.writer)) || seq <= watch.seq)
        return OK;
    if (seq - watch.seq > WATCH_ROWS_MAX) {
        watch.has_begun = false;
        return OK;
    }
    struct look look = {
        .call = call, .writer = str_copy(call->arena, writer), .base = watch.seq, .count = (size_t)(seq - watch.seq)};
    look.rows = arena_array_of(call->arena, struct seen, look.count);
    memset(look.rows, 0, look.count * sizeof *look.rows);
    int error = read_rows(&look);
    /* Of two that look at once, as after an outage, the first has judged what the second has read. */
    if (!error && watch.has_begun && watch.seq == look.base && str_eq(look.writer, str_from(watch.writer)))
        judge(&look);
    return error;
}
