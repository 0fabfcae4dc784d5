/*
 * A growing buffer with a mandatory maximum and a sticky failure mark: write everything, then ask once with buf_failed().
 *
 *   ptr[0 .. len)   what was written          len <= capacity <= max
 *
 * In an arena (buf_init) it is released with the arena; growing may leave the old piece behind, so the arena's budget should be
 * about twice the maximum. On the heap (buf_init_heap) the owner calls buf_done(). After a failure the content is cut, and
 * further writes do nothing.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

struct buf {
    char *ptr;
    size_t len;
    size_t capacity;
    size_t max;
    struct arena *arena; /* NULL: heap */
    bool failed;
};

void buf_init(struct buf *buf, struct arena *arena, size_t max_bytes);
void buf_init_heap(struct buf *buf, size_t max_bytes);
void buf_done(struct buf *buf);  /* heap only; wipes nothing */
void buf_clear(struct buf *buf); /* empty again, failure mark gone, memory kept */

void buf_add(struct buf *buf, struct str s);
/* Text is often written so, character by character. */
static inline void buf_add_char(struct buf *buf, char c)
{
    if (!buf->failed && buf->len < buf->capacity)
        buf->ptr[buf->len++] = c;
    else
        buf_add(buf, str_of(&c, 1));
}
void buf_add_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_add_u64(struct buf *buf, uint64_t value);
void buf_add_i64(struct buf *buf, int64_t value);

/* Makes room for `size` more bytes and returns where they go (then add to len yourself), or NULL when that is too many. */
char *buf_reserve(struct buf *buf, size_t size);

static inline bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->ptr ? buf->ptr : "", buf->len};
}

#endif
