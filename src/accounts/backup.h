/*
 * Backups: all of our tables in one file of lines, out of SQLite or PostgreSQL, and into either.
 *
 *     {"porteiro_backup":1,"made_at":...,"program":"0.1.0","engine":"sqlite","keys":[...],"tables":[{"name","next","columns":[...]}]}
 *     [0,"1","Ana","ana@example.com",null,...]       table 0, its cells as text
 *     ...
 *     {"rows":[7,...],"sha256":"...","signature":"..."}
 *
 * It is one consistent snapshot, taken while servers go on writing. Passwords in it are sealed as in the database, and the master
 * key is not in it; names, addresses and the audit log are plain. The wrapped keys stand in front, so that a restore knows before
 * anything else whether it has the right master key; the last line is signed, so a file that was changed or cut is refused.
 *
 * Why not the engines' own tools: pg_dump refuses servers that are newer than itself, is not everywhere, and says nothing of keys
 * and chains; sqlite3_backup copies a file byte by byte. One form for both is one thing to test, and the way from one to the other.
 */
#ifndef ACCOUNTS_BACKUP_H
#define ACCOUNTS_BACKUP_H

#include "crypto/keyring.h"
#include "store/dump.h"

enum { BACKUP_LINE_BYTES_MAX = 16 * 1024 * 1024 };

struct backup_counts {
    int64_t tables, rows, bytes;
};

/* `file` is written to, not closed. The keyring must be open. Waits long. */
MUST_CHECK int backup_write(struct call *call, int file, struct backup_counts *ret);

/*
 * Reads the file to its end, touching nothing else: its form, the master key of `keys`, the signature. The keyring is open
 * afterwards, as that of the backup. E_CRYPTO: another master key; E_INVALID: no backup, cut off or changed.
 */
MUST_CHECK int backup_check(struct call *call, const char *path, const struct keyring_source *keys,
                            struct backup_counts *ret);

/*
 * After backup_check(), into the migrated database of store_init(), which must be empty: one transaction. E_CONFLICT: it is not, or
 * the backup has what this program does not know.
 */
MUST_CHECK int backup_load(struct call *call, const char *path, struct backup_counts *ret);

/* What was loaded, tried: every data key, every connection's secret. The audit chains are audit_verify()'s. */
struct backup_trial {
    int64_t keys, secrets;
};
MUST_CHECK int backup_try(struct call *call, struct backup_trial *ret);

#endif
