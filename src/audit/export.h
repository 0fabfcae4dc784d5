/*
 * The audit log as text, oldest first, for other programs: lines of JSON with the row's data as it stands, chain included, so
 * that a copy can be checked; or CSV (RFC 4180) without the chain, whose cells no spreadsheet takes for a formula.
 */
#ifndef AUDIT_EXPORT_H
#define AUDIT_EXPORT_H

#include "audit/audit.h"

enum export_format { EXPORT_JSONL, EXPORT_CSV };

struct export_query {
    enum export_format format;
    int64_t user_id, connection_id; /* 0: all */
    struct str action_prefix;
    int64_t since_ms, until_ms; /* 0: open */
};

/* `write` gets whole lines; what it returns but OK ends the export. Waits long: the rows pass through in batches. */
MUST_CHECK int audit_export(struct call *call, const struct export_query *query,
                            int (*write)(struct call *call, struct str text, void *context), void *context,
                            int64_t *ret_events);

#endif
