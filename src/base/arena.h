/*
 * The memory of one unit of work: allocate freely, release all at once.
 *
 * arena_alloc() never returns NULL. When the arena's budget or the machine's memory is used up, the arena's `exhausted`
 * handler runs and must not return: in a server task it abandons the call (longjmp to the task's entry, where what was
 * deferred is released and the client gets a 503), in a command it ends the program with a message. So code reads straight
 * on, and running out of memory costs one call, never the process. The price: between acquiring something that is not
 * arena memory and arena_defer()ing it there must be no allocation. arena_defer() itself may exhaust the arena, in which
 * case it runs the release function before it gives up.
 *
 * Callbacks on the loop's own stack (curl, libpq, libevent) must not allocate from a call's arena: nobody there could abandon
 * the call. They collect in heap buffers and hand them over.
 *
 * In AddressSanitizer builds every piece is its own malloc, so that overruns are seen.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#include <stdarg.h>

struct arena;

/* Called when the arena cannot give `size` more bytes; must not return. */
typedef void arena_exhausted_fn(struct arena *arena, size_t size, void *context);

/* budget_bytes counts what was asked for, not malloc's own overhead. Returns NULL only when there is no memory at all. */
struct arena *arena_new(size_t budget_bytes);

/* Runs what was deferred, newest first, then frees everything. NULL is fine. */
void arena_free(struct arena *arena);

/* Runs what was deferred and forgets all pieces, but keeps one chunk for the next unit of work. */
void arena_reset(struct arena *arena);

/* The same, and keeps nothing: for one that is not needed again soon. */
void arena_empty(struct arena *arena);

void arena_on_exhausted(struct arena *arena, arena_exhausted_fn *handler, void *context);

/* As when the arena is exhausted. */
__attribute__((noreturn)) void arena_give_up(struct arena *arena);

/* When `arena` is exhausted, whoever works in `whole` gives up as if that were: for an arena that works for a call's. */
void arena_exhaust_with(struct arena *arena, struct arena *whole);

/* Zeroed, aligned for any type. Never NULL. */
__attribute__((returns_nonnull, malloc, alloc_size(2))) void *arena_alloc(struct arena *arena, size_t size);
/* The same, but not zeroed: for what is written at once. */
__attribute__((returns_nonnull, malloc, alloc_size(2))) void *arena_alloc_unset(struct arena *arena, size_t size);
/* Whether the piece could be made larger where it is: only the last one can, when there is room behind it. */
MUST_CHECK bool arena_extend(struct arena *arena, void *piece, size_t old_size, size_t new_size);
__attribute__((returns_nonnull, alloc_size(2, 3))) void *arena_alloc_array(struct arena *arena, size_t count,
                                                                           size_t size);

#define arena_new_of(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array_of(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

/* Runs release(object) when the arena is reset or freed. */
void arena_defer(struct arena *arena, void (*release)(void *object), void *object);

/* Runs what was deferred now, newest first; the memory stays. */
void arena_run_deferred(struct arena *arena);

size_t arena_used(const struct arena *arena);
size_t arena_budget(const struct arena *arena);

/* Copies; the copy is NUL-terminated behind its length, so that .ptr may be handed to C functions when it holds no NUL. */
struct str str_copy(struct arena *arena, struct str s);
const char *str_copy_cstr(struct arena *arena, struct str s);
struct str str_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
struct str str_format_list(struct arena *arena, const char *format, va_list list) PRINTF_LIKE(2, 0);
struct str str_concat(struct arena *arena, struct str a, struct str b);
struct str str_lower(struct arena *arena, struct str s); /* ASCII */
/* Every `from` replaced by `to`; the same slice back when there is none. */
struct str str_replace(struct arena *arena, struct str s, struct str from, struct str to);

#endif
