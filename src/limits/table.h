/*
 * The memory that the processes of one host share. Everything in it is read and changed between table_lock() and
 * table_unlock(), for a microsecond and without waiting for anything else. A process that dies in between, or with places
 * taken, harms nobody: the lock tells the next one, and what the dead one held is given back when another process begins.
 */
#ifndef LIMITS_TABLE_H
#define LIMITS_TABLE_H

#include "limits/breaker.h"
#include "limits/limits.h"
#include "limits/rate.h"

enum {
    TABLE_PROCESSES = 128, /* workers, and those they replace */
    TABLE_ENTRIES =
        4096, /* sites, persons and tokens in use at the same time; beyond, one that is not needed is forgotten */
};

/* What is known of one site, person or token; each kind uses its part. */
struct table_entry {
    uint64_t key;
    uint32_t next; /* in its bucket: index + 1 */
    int64_t touched_ms;
    uint16_t held[TABLE_PROCESSES], waiting[TABLE_PROCESSES];
    struct breaker breaker;
    struct rate calls, writes;
};

/* The key of a thing; nobody outside can choose two that meet. */
uint64_t table_key(const char *kind, int64_t id, struct str name);

/* False: not open, so nothing is limited and nothing was locked. */
MUST_CHECK bool table_lock(void);
void table_unlock(void);

/* Between table_lock() and table_unlock(): */
struct table_entry *table_entry(uint64_t key);

struct table_use {
    size_t held, waiting; /* by all processes */
    size_t processes;     /* that hold or wait */
    bool others_wait;
};
struct table_use table_use(const struct table_entry *entry);
size_t table_self(void); /* this process's column in held[] and waiting[] */

#endif
