/* The memory of one unit of work. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_APART 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_APART 1
#endif
#endif
#ifndef ARENA_APART
#define ARENA_APART 0
#endif

enum {
    CHUNK_BYTES =
        4 * 1024 -
        64, /* the first chunk: enough for small calls and for those that wait, of which there may be thousands */
    CHUNK_MAX_BYTES = 256 * 1024,
    CHUNK_KEPT_MAX_BYTES = 128 * 1024,
    ALIGNMENT = 16,
};

struct chunk {
    struct chunk *next;
    size_t size; /* usable bytes behind the header */
    size_t used;
    _Alignas(ALIGNMENT) char bytes[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *object);
    void *object;
};

struct arena {
    struct chunk *chunks; /* newest first */
    struct deferred *deferred;
    size_t used;
    size_t budget;
    arena_exhausted_fn *exhausted;
    void *exhausted_context;
};

static void exhausted_default(struct arena *arena, size_t size, void *context)
{
    (void)context;
    fprintf(stderr, "porteiro: out of memory: %zu bytes more than the %zu of %zu in use\n", size, arena->used,
            arena->budget);
    abort();
}

struct arena *arena_new(size_t budget_bytes)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        return NULL;
    arena->budget = budget_bytes;
    arena->exhausted = exhausted_default;
    return arena;
}

void arena_on_exhausted(struct arena *arena, arena_exhausted_fn *handler, void *context)
{
    arena->exhausted = handler;
    arena->exhausted_context = context;
}

void arena_give_up(struct arena *arena)
{
    (void)arena_alloc(arena, SIZE_MAX / 2);
    abort();
}

static void exhaust_whole(struct arena *arena, size_t size, void *whole)
{
    (void)arena;
    (void)size;
    arena_give_up(whole);
}

void arena_exhaust_with(struct arena *arena, struct arena *whole)
{
    arena_on_exhausted(arena, exhaust_whole, whole);
}

void arena_run_deferred(struct arena *arena)
{
    while (arena->deferred) {
        struct deferred *last = arena->deferred;
        arena->deferred = last->next;
        last->release(last->object);
    }
}

static void free_chunks(struct arena *arena, struct chunk *keep)
{
    for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        if (chunk != keep)
            free(chunk);
    }
    arena->chunks = keep;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    arena_run_deferred(arena);
    free_chunks(arena, NULL);
    free(arena);
}

void arena_empty(struct arena *arena)
{
    arena_run_deferred(arena);
    free_chunks(arena, NULL);
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    arena_run_deferred(arena);
    /* The largest of moderate size: so a call like the last one needs no malloc, and a pool of arenas stays small. */
    struct chunk *keep = NULL;
    for (struct chunk *chunk = arena->chunks; chunk && !ARENA_APART; chunk = chunk->next)
        if (chunk->size <= CHUNK_KEPT_MAX_BYTES && (!keep || chunk->size > keep->size))
            keep = chunk;
    free_chunks(arena, keep);
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    arena->used = 0;
}

/* NULL when the machine has no memory left. */
static struct chunk *add_chunk(struct arena *arena, size_t at_least)
{
    size_t size = at_least;
    if (!ARENA_APART) {
        /* Doubling keeps the number of mallocs low for large answers without making small calls large. */
        size_t wish = arena->chunks ? arena->chunks->size * 2 : CHUNK_BYTES;
        if (wish > CHUNK_MAX_BYTES)
            wish = CHUNK_MAX_BYTES;
        if (size < wish)
            size = wish;
    }
    struct chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->size = size;
    chunk->used = 0;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

static inline size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

void *arena_alloc_unset(struct arena *arena, size_t size)
{
    size_t rounded = round_up(size);
    struct chunk *chunk = arena->chunks;
    if (rounded < size || rounded > arena->budget - arena->used) {
        arena->exhausted(arena, size, arena->exhausted_context);
        abort();
    }
    if (ARENA_APART || !chunk || rounded > chunk->size - chunk->used) {
        chunk = add_chunk(arena, rounded);
        if (!chunk) {
            arena->exhausted(arena, size, arena->exhausted_context);
            abort();
        }
    }
    void *piece = chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return piece;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc_unset(arena, size), 0, size);
}

bool arena_extend(struct arena *arena, void *piece, size_t old_size, size_t new_size)
{
    struct chunk *chunk = arena->chunks;
    size_t old_rounded = round_up(old_size), more = round_up(new_size) - old_rounded;
    if (ARENA_APART || new_size < old_size || !chunk || (char *)piece + old_rounded != chunk->bytes + chunk->used ||
        more > chunk->size - chunk->used || more > arena->budget - arena->used)
        return false;
    chunk->used += more;
    arena->used += more;
    return true;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        total = SIZE_MAX; /* refused by arena_alloc */
    return arena_alloc(arena, total);
}

void arena_defer(struct arena *arena, void (*release)(void *object), void *object)
{
    /* Not simply arena_alloc(): should there be no room, the object must be released before the call is abandoned. */
    struct deferred *deferred = NULL;
    if (sizeof *deferred <= arena->budget - arena->used) {
        struct chunk *chunk = arena->chunks;
        if (!ARENA_APART && chunk && sizeof *deferred <= chunk->size - chunk->used) {
            deferred = arena_alloc(arena, sizeof *deferred);
        } else if (add_chunk(arena, sizeof *deferred + ALIGNMENT)) {
            chunk = arena->chunks;
            deferred = (struct deferred *)(void *)chunk->bytes;
            chunk->used = (sizeof *deferred + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
            arena->used += chunk->used;
        }
    }
    if (!deferred) {
        release(object);
        arena->exhausted(arena, sizeof *deferred, arena->exhausted_context);
        abort();
    }
    *deferred = (struct deferred){arena->deferred, release, object};
    arena->deferred = deferred;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

size_t arena_budget(const struct arena *arena)
{
    return arena->budget;
}

struct str str_copy(struct arena *arena, struct str s)
{
    char *copy = arena_alloc_unset(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct str){copy, s.len};
}

const char *str_copy_cstr(struct arena *arena, struct str s)
{
    return str_copy(arena, s).ptr;
}

struct str str_format_list(struct arena *arena, const char *format, va_list list)
{
    char small[256] UNSET;
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(small, sizeof small, format, again);
    va_end(again);
    if (length < 0)
        return STR_EMPTY;
    if ((size_t)length < sizeof small)
        return str_copy(arena, str_of(small, (size_t)length));
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, list);
    return str_of(text, (size_t)length);
}

struct str str_format(struct arena *arena, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    struct str text = str_format_list(arena, format, list);
    va_end(list);
    return text;
}

struct str str_concat(struct arena *arena, struct str a, struct str b)
{
    char *joined = arena_alloc(arena, a.len + b.len + 1);
    if (a.len)
        memcpy(joined, a.ptr, a.len);
    if (b.len)
        memcpy(joined + a.len, b.ptr, b.len);
    return str_of(joined, a.len + b.len);
}

struct str str_lower(struct arena *arena, struct str s)
{
    char *lower = arena_alloc(arena, s.len + 1);
    for (size_t i = 0; i < s.len; i++)
        lower[i] = ascii_lower(s.ptr[i]);
    return str_of(lower, s.len);
}

struct str str_replace(struct arena *arena, struct str s, struct str from, struct str to)
{
    size_t count = 0;
    for (struct str rest = s; from.len && rest.len;) {
        size_t at = str_find(rest, from);
        if (at == STR_NOT_FOUND)
            break;
        count++;
        rest = str_from_offset(rest, at + from.len);
    }
    if (count == 0)
        return s;
    size_t length = s.len - count * from.len + count * to.len;
    char *text = arena_alloc(arena, length + 1), *out = text;
    for (struct str rest = s; rest.len;) {
        size_t at = str_find(rest, from);
        struct str before = str_sub(rest, 0, at);
        if (before.len)
            memcpy(out, before.ptr, before.len);
        out += before.len;
        if (at == STR_NOT_FOUND)
            break;
        if (to.len)
            memcpy(out, to.ptr, to.len);
        out += to.len;
        rest = str_from_offset(rest, at + from.len);
    }
    return str_of(text, length);
}
