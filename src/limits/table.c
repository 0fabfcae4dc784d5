/* The memory that the processes of one host share. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "limits/table.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUCKETS = 4096,
    LOOKED_AT = 64,                 /* entries, to find one to forget */
    FORGOTTEN_AFTER_MS = 60 * 1000, /* such a one is taken without looking further */
};

/* Dense, so that pages behind n_entries are never touched. */
struct memory {
    pthread_mutex_t lock;
    unsigned char secret[crypto_shorthash_KEYBYTES];
    pthread_mutex_t alive[TABLE_PROCESSES]; /* locked by their process as long as it lives */
    uint32_t n_processes;                   /* columns that were ever used */
    uint32_t n_entries, cursor;
    uint32_t buckets[BUCKETS]; /* index + 1 */
    struct table_entry entries[TABLE_ENTRIES];
};

static struct {
    struct memory *memory; /* NULL: not open */
    struct limits_settings settings;
    size_t self;
} table;

/* --- making and opening -------------------------------------------------------------------------------------------------- */

static bool prepare(struct memory *memory)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes))
        return false;
    bool good = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
                pthread_mutex_init(&memory->lock, &attributes) == 0;
    for (size_t i = 0; good && i < TABLE_PROCESSES; i++)
        good = pthread_mutex_init(&memory->alive[i], &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    randombytes_buf(memory->secret, sizeof memory->secret);
    return good;
}

static struct memory *map(int file)
{
    int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *mapping = mmap(NULL, sizeof(struct memory), PROT_READ | PROT_WRITE, flags, file, 0);
    return mapping == MAP_FAILED ? NULL : mapping;
}

int limits_file(void)
{
    int file = memfd_create("porteiro-limits", MFD_CLOEXEC);
    struct memory *memory = NULL;
    if (file >= 0 && ftruncate(file, sizeof *memory) == 0)
        memory = map(file);
    bool good = memory && prepare(memory);
    if (memory)
        munmap(memory, sizeof *memory);
    if (!good && file >= 0)
        close(file);
    return good ? file : -1;
}

bool limits_file_fits(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 && status.st_size == (off_t)sizeof(struct memory);
}

static void lock(void)
{
    if (pthread_mutex_lock(&table.memory->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&table.memory->lock); /* each change in there is complete or counts for little */
}

static void give_back_all(size_t process)
{
    for (size_t i = 0; i < table.memory->n_entries; i++) {
        table.memory->entries[i].held[process] = 0;
        table.memory->entries[i].waiting[process] = 0;
    }
}

/* Finds a column for this process, and gives back what dead ones held. */
static bool claim(void)
{
    struct memory *memory = table.memory;
    bool found = false;
    lock();
    for (size_t i = 0; i < TABLE_PROCESSES && (!found || i < memory->n_processes); i++) {
        int error = pthread_mutex_trylock(&memory->alive[i]);
        if (error == EBUSY)
            continue;
        if (error == EOWNERDEAD)
            pthread_mutex_consistent(&memory->alive[i]);
        else if (error)
            continue;
        give_back_all(i);
        if (found) {
            pthread_mutex_unlock(&memory->alive[i]);
            continue;
        }
        found = true;
        table.self = i;
        if (i >= memory->n_processes)
            memory->n_processes = (uint32_t)i + 1;
    }
    pthread_mutex_unlock(&memory->lock);
    return found;
}

bool limits_open(int file, const struct limits_settings *settings)
{
    limits_close();
    table.settings = *settings;
    table.memory = map(file);
    if (!table.memory)
        return false;
    if ((file < 0 && !prepare(table.memory)) || !claim()) {
        munmap(table.memory, sizeof *table.memory);
        table.memory = NULL;
    }
    return table.memory != NULL;
}

void limits_close(void)
{
    if (!table.memory)
        return;
    lock();
    give_back_all(table.self);
    pthread_mutex_unlock(&table.memory->alive[table.self]); /* before its memory goes */
    pthread_mutex_unlock(&table.memory->lock);
    munmap(table.memory, sizeof *table.memory);
    table.memory = NULL;
}

const struct limits_settings *limits_settings(void)
{
    return table.memory ? &table.settings : NULL;
}

/* --- using it ------------------------------------------------------------------------------------------------------------ */

uint64_t table_key(const char *kind, int64_t id, struct str name)
{
    unsigned char text[512], hash[crypto_shorthash_BYTES];
    uint64_t key;
    struct str kind_name = str_from(kind);
    size_t len = kind_name.len + sizeof id;
    if (!table.memory)
        return 0;
    memcpy(text, kind_name.ptr, kind_name.len);
    memcpy(text + kind_name.len, &id, sizeof id);
    struct str rest = str_sub(name, 0, sizeof text - len);
    if (rest.len)
        memcpy(text + len, rest.ptr, rest.len);
    crypto_shorthash(hash, text, len + rest.len, table.memory->secret);
    memcpy(&key, hash, sizeof key);
    return key;
}

bool table_lock(void)
{
    if (!table.memory)
        return false;
    lock();
    return true;
}

void table_unlock(void)
{
    pthread_mutex_unlock(&table.memory->lock);
}

size_t table_self(void)
{
    return table.self;
}

struct table_use table_use(const struct table_entry *entry)
{
    struct table_use use = {0};
    for (size_t i = 0; i < table.memory->n_processes; i++) {
        use.held += entry->held[i];
        use.waiting += entry->waiting[i];
        use.processes += entry->held[i] || entry->waiting[i];
        use.others_wait |= i != table.self && entry->waiting[i];
    }
    return use;
}

static uint32_t *bucket_of(uint64_t key)
{
    return &table.memory->buckets[key % BUCKETS];
}

static void unlink_entry(const struct table_entry *entry)
{
    uint32_t number = (uint32_t)(entry - table.memory->entries) + 1, *at = bucket_of(entry->key);
    while (*at && *at != number)
        at = &table.memory->entries[*at - 1].next;
    if (*at)
        *at = entry->next;
}

/*
 * Until when it still keeps something from somebody; 0: it does not. A site that fails stays before all others: it is what makes
 * requests wait for nothing, and nobody makes sites up by the thousand.
 */
static int64_t holds_back_until(const struct table_entry *entry, int64_t now_ns)
{
    const struct breaker *site = &entry->breaker;
    int64_t now_ms = now_ns / (1000 * 1000), calls_ns = entry->calls.full_at_ns, writes_ns = entry->writes.full_at_ns;
    int64_t until_ns = calls_ns > writes_ns ? calls_ns : writes_ns;
    if (site->open_until_ms > now_ms || (site->failures_in_a_row && now_ms - entry->touched_ms < BREAKER_WINDOW_MS))
        return INT64_MAX;
    return until_ns > now_ns ? until_ns : 0;
}

/*
 * One that nobody uses: the first that was not touched for a minute, or of a few the longest untouched, or else the one that
 * holds back least: who makes new names without end must not get rid of the limit of the one that he is after.
 */
static struct table_entry *forget_one(void)
{
    struct memory *memory = table.memory;
    struct table_entry *best = NULL;
    int64_t now_ns = clock_monotonic_ns(), now_ms = now_ns / (1000 * 1000), best_until_ns = 0;
    for (size_t i = 0; i < LOOKED_AT; i++) {
        struct table_entry *entry = &memory->entries[memory->cursor++ % TABLE_ENTRIES];
        struct table_use use = table_use(entry);
        if (use.held || use.waiting)
            continue;
        int64_t until_ns = holds_back_until(entry, now_ns);
        if (best && (until_ns > best_until_ns || (until_ns == best_until_ns && entry->touched_ms >= best->touched_ms)))
            continue;
        best = entry;
        best_until_ns = until_ns;
        if (!until_ns && now_ms - entry->touched_ms > FORGOTTEN_AFTER_MS)
            break;
    }
    if (!best) /* all in use: two things share an entry, and so their limits */
        best = &memory->entries[memory->cursor++ % TABLE_ENTRIES];
    unlink_entry(best);
    return best;
}

struct table_entry *table_entry(uint64_t key)
{
    struct memory *memory = table.memory;
    int64_t now_ms = clock_monotonic_ms();
    for (uint32_t number = *bucket_of(key); number; number = memory->entries[number - 1].next)
        if (memory->entries[number - 1].key == key) {
            memory->entries[number - 1].touched_ms = now_ms;
            return &memory->entries[number - 1];
        }
    struct table_entry *entry =
        memory->n_entries < TABLE_ENTRIES ? &memory->entries[memory->n_entries++] : forget_one();
    *entry = (struct table_entry){.key = key, .next = *bucket_of(key), .touched_ms = now_ms};
    *bucket_of(key) = (uint32_t)(entry - memory->entries) + 1;
    return entry;
}
