/*
 * A counter that all processes of this host share (a file in the data directory, mapped): whoever changes what a token may do
 * moves it after his commit, and every cached answer from before is looked up anew. So a revocation at the command line is
 * seen by the server's next request, without asking the database for each one.
 */
#ifndef ACCOUNTS_GENERATION_H
#define ACCOUNTS_GENERATION_H

#include "call/call.h"

/* data_dir empty: the counter is this process's own. E_UNAVAILABLE. */
MUST_CHECK int generation_open(struct call *call, struct str data_dir);
void generation_close(void);

uint64_t generation_now(void);
void generation_move(void);

/*
 * Moves it, and tells other hosts on this database (store/notices.h): after a commit that took rights from somebody. Cannot
 * fail. May wait.
 */
void generation_tell(struct call *call);
#define GENERATION_NOTICE "rights"

#endif
