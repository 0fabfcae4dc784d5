/*
 * A file on its way: what comes from one side is kept until all of it has come, was looked at and measured, and then goes to the
 * other side. In the data directory's tmp/, without a name (O_TMPFILE), so that nothing is left behind whatever happens; 64 KiB
 * of it lie in memory at a time. Reading and writing happen on helper threads.
 *
 * Why not straight through: see ARCHITECTURE.md, "Files on their way".
 */
#ifndef NET_SPOOL_H
#define NET_SPOOL_H

#include "net/http_client.h"

enum {
    SPOOL_HEAD_BYTES = 4096,
    SPOOL_SHA256_CHARS = 64,
    SPOOL_MD5_CHARS = 32,
    SPOOLS_AT_ONCE = 64, /* of a process */
};

/* Where, how large one may be, and how much all of this process together. Before the first use; copies the path. */
void spool_init(struct str data_dir, int64_t max_bytes, int64_t max_all_bytes);
void spool_done(void);
int64_t spool_max_bytes(void);

struct spool {
    int fd;
    int64_t size_bytes;
    char head[SPOOL_HEAD_BYTES]; /* the first bytes */
    size_t head_len;
    char sha256[SPOOL_SHA256_CHARS + 1];
    char md5[SPOOL_MD5_CHARS + 1]; /* empty where the machine's policy has no MD5 */
    int64_t reserved_bytes, at;
};

/* Looks at the first bytes, and at what of the file there is to say; an error ends the spooling. May be NULL. */
typedef int spool_look(struct call *call, void *context, struct str head);

/*
 * Reads `source` to its end. The room is counted before anything is written: E_LIMIT when it is larger than spool_max_bytes(),
 * E_UNAVAILABLE when there is no room for it now. Other errors are the source's or look()'s. Released when the call ends. Waits.
 */
MUST_CHECK int spool_fill(struct call *call, const struct http_source *source, spool_look *look, void *context,
                          struct spool **ret);

/* The same for bytes in memory. */
MUST_CHECK int spool_bytes(struct call *call, struct str bytes, spool_look *look, void *context, struct spool **ret);

/* From its beginning; one at a time. */
struct http_source spool_source(struct spool *spool);

/* Closes it now. */
void spool_close(struct spool *spool);

struct spool_counts {
    size_t open;
    int64_t reserved_bytes;
};
struct spool_counts spool_counts(void);

#endif
