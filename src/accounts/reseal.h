/*
 * New data keys for all users, and everything sealed anew under them, while everything runs (`porteiro key rotate --deep`). Part of
 * the rotation of the master key (accounts/key_rotation.h), whose number the new data keys get.
 *
 *   renew   each user's row wraps a new data key, which seals from then on, and the previous one, which still opens. Who holds the
 *           row as it was goes on sealing under the previous key; who meets a value under the new key reads the row again.
 *   values  all sealed values under the new keys, column by column (store/sealed.h). A value that somebody changed meanwhile is left
 *           to the next pass.
 *   drop    the previous keys go, at `key retire`: when every process that may hold a row from before has ended, and nothing is
 *           sealed under a previous key any more. That they ended is known from mcp_key_holders: users' rows are renewed only
 *           while no process was given the new master key, and an old one is retired only when none is left that was given that.
 *
 * Each step, killed anywhere, is begun again and does what is left; every value opens at every moment.
 */
#ifndef ACCOUNTS_RESEAL_H
#define ACCOUNTS_RESEAL_H

#include "store/keys.h"

/* E_CONFLICT: a process was given the new master key already; the text says what to do. */
MUST_CHECK int reseal_renew(struct call *call, int64_t *ret_renewed);

struct resealed {
    int64_t values;     /* sealed anew */
    int64_t unreadable; /* under a previous key, and do not open: damaged or moved */
    struct str example; /* one of those: table, column and row */
};
MUST_CHECK int reseal_values(struct call *call, struct resealed *ret);

/* Only when nothing needs them any more: see above. */
MUST_CHECK int reseal_drop(struct call *call, int64_t *ret_dropped);

/* How many users have a current data key of each number, and how many of them a previous one. */
struct data_key_count {
    int64_t kid, users, with_previous;
};
struct data_key_counts {
    size_t count;
    struct data_key_count *items;
    int64_t with_previous; /* in all */
};
MUST_CHECK int reseal_count(struct call *call, struct data_key_counts *ret);

#endif
