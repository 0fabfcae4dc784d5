/*
 * One change at a connected service, as a provider tells it and gets it shown again: what was there before, and what is there
 * now. It is told before the request goes out (host_change_begin(), then `after` is what was asked for), so that a change whose
 * answer never came is known too, and completed when the answer is there (host_change_end()). Who keeps it (src/audit/history.c) seals it and knows whose it is;
 * the provider knows what it means and how it is taken back.
 */
#ifndef PROVIDERS_HISTORY_H
#define PROVIDERS_HISTORY_H

#include "base/str.h"

enum {
    CHANGE_BYTES_MAX = 1024 * 1024, /* of before, and of after; what is larger is not kept */
    CHANGE_NOTE_BYTES_MAX = 8 * 1024,
    CHANGES_LISTED_MAX = 500,
};

enum change_state {
    CHANGE_BEGUN,   /* its outcome was never told: it is under way, or who made it ended meanwhile */
    CHANGE_DONE,    /* done, and after_json says what it is like now */
    CHANGE_UNKNOWN, /* ended without an answer that says whether it was done */
    CHANGE_FAILED,  /* nothing was done: such a change is forgotten */
};

struct site_change {
    int64_t number;                     /* of this connection, from 1: the name people use. 0: not kept */
    struct str kind;                    /* the provider's word: "edit", "create", "trash" */
    struct str item_type;               /* "post", or empty */
    int64_t item_id;                    /* 0: none, or not known yet */
    struct str note_json;               /* object: what lists show, and what taking it back needs; small */
    struct str before_json, after_json; /* objects, or empty */
    bool before_lost, after_lost;       /* larger than CHANGE_BYTES_MAX, so not kept */
    int64_t undo_of;                    /* the change that this one takes back; 0: none */
    int64_t part_of;                    /* the change over many items that this one belongs to; 0: none */
    struct str id;                      /* its keeper's */
    /* only when it is shown again */
    enum change_state state;
    bool
        is_sealed_shut; /* it cannot be opened: damaged, moved, or under another key. Only number, state, times are good */
    bool is_forgotten; /* too old: what it held is gone */
    int64_t begun_at_ms, ended_at_ms;
    int64_t undone_by; /* the change that took this one back; 0: none */
    struct str tool, token_name;
};

struct change_query {
    int64_t item_id; /* 0: of all */
    int64_t part_of; /* 0: none that is part of another, unless with item_id */
    int64_t below;   /* numbers lower than this; 0: from the newest */
    size_t limit;    /* CHANGES_LISTED_MAX at most */
};

/* Newest first; before and after are left out. */
struct change_list {
    struct site_change *items;
    size_t count;
    bool has_more;
};

#endif
