/*
 * A copy of the audit log as lines of JSON in a file, for where the database does not stay (`porteiro stdio` without one):
 * {"at":"...","action":"tool.wp_edit.intent","data":{...}}. One per process; without journal_open() there is none.
 */
#ifndef AUDIT_JOURNAL_H
#define AUDIT_JOURNAL_H

#include "call/call.h"

enum { JOURNAL_MAX_BYTES = 16 * 1024 * 1024 /* a larger one is put aside as PATH.1 at the next start */ };

/* `folder` is made (0700) with its parents, the file in it is audit.jsonl (0600). E_UNAVAILABLE. */
MUST_CHECK int journal_open(struct call *call, struct str folder);
void journal_close(void);

bool journal_is_open(void);

/* `durable`: on disk when it returns. E_UNAVAILABLE. OK when there is no journal. */
MUST_CHECK int journal_write(struct call *call, struct str action, struct str data_json, int64_t at_ms, bool durable);

#endif
