/* libcurl's memory. */
#include <curl/curl.h> /* before base/banned.h */

#include "net/http_memory.h"

#include <malloc.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define KEEPS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS false
#endif
#endif
#ifndef KEEPS
#define KEEPS true
#endif

enum {
    STEP_BYTES = 512,      /* sizes are rounded up to it */
    SMALLEST_BYTES = 1032, /* up to here malloc is quick by itself */
    LARGEST_BYTES = 28 * 1024,
    CLASSES = LARGEST_BYTES / STEP_BYTES + 1,
};

struct block {
    struct block *next;
};

static _Thread_local struct {
    bool keeps; /* on the loop's thread only */
    size_t bytes;
    struct block *classes[CLASSES]; /* of blocks with room for at least so many steps */
} kept;

static void *take(size_t size)
{
    if (!kept.keeps || size <= SMALLEST_BYTES || size > LARGEST_BYTES)
        return malloc(size);
    size_t class = (size + STEP_BYTES - 1) / STEP_BYTES;
    struct block *block = kept.classes[class];
    if (!block)
        return malloc(class * STEP_BYTES);
    kept.classes[class] = block->next;
    kept.bytes -= class * STEP_BYTES;
    return block;
}

static void *take_zeroed(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        return calloc(1, 1);
    if (!kept.keeps || count > LARGEST_BYTES / size || count * size <= SMALLEST_BYTES)
        return calloc(count, size);
    void *block = take(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

static void give_back(void *memory)
{
    size_t size = memory ? malloc_usable_size(memory) : 0, class = size / STEP_BYTES;
    if (!kept.keeps || size <= SMALLEST_BYTES || class >= CLASSES ||
        kept.bytes + class * STEP_BYTES > HTTP_MEMORY_KEPT_BYTES) {
        free(memory);
        return;
    }
    struct block *block = memory;
    block->next = kept.classes[class];
    kept.classes[class] = block;
    kept.bytes += class * STEP_BYTES;
}

static void *resize(void *memory, size_t size)
{
    return realloc(memory, size);
}

static char *copy(const char *text)
{
    return strdup(text);
}

bool http_memory_init(void)
{
    kept.keeps = KEEPS;
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, take, give_back, resize, copy, take_zeroed) == CURLE_OK;
}

void http_memory_done(void)
{
    curl_global_cleanup();
    for (size_t class = 0; class < CLASSES; class ++)
        for (struct block *block = kept.classes[class], *next; block; block = next) {
            next = block->next;
            free(block);
        }
    memset(&kept, 0, sizeof kept);
}
