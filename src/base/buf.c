/* A growing buffer with a maximum. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, struct arena *arena, size_t max_bytes)
{
    *buf = (struct buf){.arena = arena, .max = max_bytes};
}

void buf_init_heap(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max = max_bytes};
}

void buf_done(struct buf *buf)
{
    if (!buf->arena)
        free(buf->ptr);
    *buf = (struct buf){.arena = buf->arena, .max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

static bool grow(struct buf *buf, size_t needed)
{
    size_t capacity = buf->capacity < 128 ? 256 : buf->capacity * 2;
    if (capacity < needed)
        capacity = needed;
    if (capacity > buf->max)
        capacity = buf->max;
    char *grown;
    if (buf->arena) {
        grown = buf->ptr;
        if (!grown || !arena_extend(buf->arena, grown, buf->capacity, capacity)) {
            grown = arena_alloc_unset(buf->arena, capacity);
            if (buf->ptr)
                memcpy(grown, buf->ptr, buf->len);
        }
    } else {
        grown = realloc(buf->ptr, capacity);
        if (!grown)
            return false;
    }
    buf->ptr = grown;
    buf->capacity = capacity;
    return true;
}

char *buf_reserve(struct buf *buf, size_t size)
{
    if (buf->failed || size > buf->max - buf->len) {
        buf->failed = true;
        return NULL;
    }
    if (size > buf->capacity - buf->len && !grow(buf, buf->len + size)) {
        buf->failed = true;
        return NULL;
    }
    return buf->ptr + buf->len;
}

void buf_add(struct buf *buf, struct str s)
{
    if (s.len == 0)
        return;
    char *room = s.len <= buf->capacity - buf->len && !buf->failed ? buf->ptr + buf->len : buf_reserve(buf, s.len);
    if (!room)
        return;
    memcpy(room, s.ptr, s.len);
    buf->len += s.len;
}

void buf_add_format(struct buf *buf, const char *format, ...)
{
    va_list list;
    char small[256] UNSET;
    va_start(list, format);
    int length = vsnprintf(small, sizeof small, format, list);
    va_end(list);
    if (length < 0) {
        buf->failed = true;
        return;
    }
    if ((size_t)length < sizeof small) {
        buf_add(buf, str_of(small, (size_t)length));
        return;
    }
    char *room = buf_reserve(buf, (size_t)length + 1); /* vsnprintf writes its NUL, too */
    if (!room)
        return;
    va_start(list, format);
    vsnprintf(room, (size_t)length + 1, format, list);
    va_end(list);
    buf->len += (size_t)length;
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_add(buf, str_of(digits + at, sizeof digits - at));
}

void buf_add_i64(struct buf *buf, int64_t value)
{
    if (value < 0)
        buf_add_char(buf, '-');
    buf_add_u64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}
