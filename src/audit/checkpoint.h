/*
 * Signed statements about the audit chains.
 *
 * A checkpoint says "the row with this number of this writer has this hash"; it is a row of mcp_audit_checkpoints, a line of a
 * file and a line of the log, so that somebody who rules over the database, and even over the master key, cannot change what
 * came before it without contradicting a copy that is out of his reach:
 *
 *     {"v":1,"writer":"host/worker-1","seq":1200,"hash":"...","at":1763897007693,"key":"<public key>","signature":"..."}
 *
 * Made a minute after a row was written, or after 1,000 rows, and at the end of a process; nothing is written while nothing
 * happens. What is newer than the last copy out of reach can be cut off unseen by who can also restore an older head.
 *
 * A tombstone says the same of the last row that retention removed (audit/retention.h).
 */
#ifndef AUDIT_CHECKPOINT_H
#define AUDIT_CHECKPOINT_H

#include "store/audit_marks.h"

enum {
    CHECKPOINT_MS = 60 * 1000,
    CHECKPOINT_ROWS = 1000,
    CHECKPOINT_FILE_BYTES_MAX = 512 * 1024 * 1024, /* that is read */
};

enum mark_kind { MARK_CHECKPOINT, MARK_TOMBSTONE };

/* Sets mark->signature, in the arena. */
void mark_sign(struct arena *arena, enum mark_kind kind, struct audit_mark *mark);
MUST_CHECK bool mark_is_signed(struct arena *arena, enum mark_kind kind, const struct audit_mark *mark);

/*
 * Where checkpoints also go; made with mode 0600. Empty: only into database and log; ptr NULL: none are made, for a database that
 * lives no longer than its process. E_UNAVAILABLE.
 */
MUST_CHECK int checkpoint_open(struct call *call, struct str path);
void checkpoint_close(void);
/* Whether each is a line of the log as well, for servers, whose log somebody keeps; a command's would only stand in its person's way. */
void checkpoint_log(bool on);

/* Of the chain's head as it is committed now, unless it is that of the last one. Waits. */
MUST_CHECK int checkpoint_write(struct call *call, struct str writer);

/* What a file has besides them. */
struct checkpoint_file {
    int64_t n_foreign; /* of another server: its key is another */
    int64_t
        bad_line; /* the first that is none, or whose signature is wrong; 0: none. A last line without its end does not count */
};
/* One after the other, as they stand there; the texts are gone when it returns. */
typedef void checkpoint_fn(void *context, const struct audit_mark *mark);
/* E_NOT_FOUND: it is not there. E_LIMIT. */
MUST_CHECK int checkpoint_read(struct call *call, const char *path, checkpoint_fn *take, void *context,
                               struct checkpoint_file *ret);

#endif
