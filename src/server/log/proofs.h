/* proofs.h - for each release, that it is in the log: made when a head is sufficient, kept as a row, and given out as a file.
 *
 * Invariant: a proof that was given out stays as it is for as long as it is sufficient by the policy in force. The row is there
 * before the file, so that what is killed in between is given out later, the same. */
#pragma once

#include "log/tile.h"
#include "server/log/heads.h"

/* Borrowed. */
struct proofs {
        struct db *db;
        struct disk *disk;                       /* DATA/log */
        const struct tile_store *tiles;
        const struct heads_policy *policy;
};

/* Of at most LIMIT_LOG_PROOFS releases, from entry `from` on, whose proof is none by this policy. One that holds all the same stays; others
 * are made anew by `head`, if that covers them (size 0: none does). A transaction of its own. */
struct proofs_round { const struct signed_head *head; uint64_t from; bool is_done; };     /* from: goes on; is_done: there are no more */
MUST_CHECK enum err proofs_make(const struct proofs *proofs, struct proofs_round *round, struct why *why);

/* Write the files of rows that were not given out yet, LIMIT_LOG_PROOFS at most. */
MUST_CHECK enum err proofs_give_out(const struct proofs *proofs, bool *ret_is_done, struct why *why);
/* At start: those whose files are gone are to be given out again. */
MUST_CHECK enum err proofs_check_files(const struct proofs *proofs, struct why *why);

/* Can devices have the proof of this release? */
MUST_CHECK enum err proofs_find(struct db *db, const uint8_t target[32], bool *ret_is_out, struct why *why);
/* Releases in the log, below entry `end`, without a proof that is sufficient by this policy. */
MUST_CHECK enum err proofs_missing(struct db *db, const struct heads_policy *policy, uint64_t end, int64_t *ret_count, struct why *why);
