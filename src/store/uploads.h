/* The rows of mcp_uploads: links that take one file each. */
#ifndef STORE_UPLOADS_H
#define STORE_UPLOADS_H

#include "store/store.h"

#define UPLOAD_OPEN "open"
#define UPLOAD_USED "used" /* somebody sends, or sent and nothing more was heard */
#define UPLOAD_DONE "done"
#define UPLOAD_FAILED "failed"

struct upload_row {
    struct str id;
    int64_t user_id, connection_id, token_id;
    struct str link_hash;
    struct str arguments; /* JSON: the tool's name and arguments */
    struct str mac;
    struct str state;
    int64_t created_at_ms, expires_at_ms;
};

/* Forgets rows of this token that ended before `forget_ms`. */
MUST_CHECK int store_uploads_insert(struct call *call, const struct upload_row *row, int64_t forget_ms);
/* Of this token, open and not expired. */
MUST_CHECK int store_uploads_count_open(struct call *call, int64_t token_id, int64_t now_ms, int64_t *ret);
/* E_NOT_FOUND. */
MUST_CHECK int store_uploads_find(struct call *call, struct str link_hash, struct upload_row *ret);
/* An open one becomes used; *ret_done: it was this call that took it. */
MUST_CHECK int store_uploads_take(struct call *call, struct str id, int64_t now_ms, bool *ret_done);
/* state, and the attachment's id or 0. */
MUST_CHECK int store_uploads_end(struct call *call, struct str id, struct str state, int64_t item_id, int64_t now_ms);

#endif
