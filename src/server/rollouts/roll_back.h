/* roll_back.h - a rollout's way back: since when, over how long, and how many have gone.
 *
 * A row of its own, written in the transaction of the withdrawal. It is no input of the rollout, whose decisions do not depend on it: devices
 * decide by themselves when it is their turn (trust/withdrawal.h), from what the director says of it. */
#pragma once

#include "server/rollouts/rollouts.h"
#include "trust/withdrawal.h"

struct db;
struct json;

/* `devices`: those that have said that they run it, until it was withdrawn or later; so it only grows. `since_ms`: when the first
 * went; after a change of the pace, when they would have gone at the new one. `over_s` 0: at once, as all that was withdrawn before
 * there were rows of this, which have no `since_ms` either. */
struct roll_back { int64_t since_ms, over_s, devices; };

/* The rollout was just withdrawn; `over_s` as its policy has it, or 0. Among its events stands how fast devices go back. */
MUST_CHECK enum err roll_back_begin(struct db *db, const struct run *run, const struct run_word *word, int64_t over_s, struct why *why);
/* "devices go back over 600 s" */
void roll_back_write_pace(int64_t over_s, struct buf *into);
/* The device came to run this release: counted, if that is withdrawn. */
MUST_CHECK enum err roll_back_add(struct db *db, const char *stream, int64_t counter, int64_t device, struct why *why);
/* From now on over word->rollback_s: nobody whose turn is over gets another one, and no turn is skipped but by 0. ERR_REFUSED: nobody
 * waits any more. */
MUST_CHECK enum err roll_back_pace(struct db *db, const struct run *run, const struct run_word *word, struct why *why);
MUST_CHECK enum err roll_back_find(struct db *db, const struct run *run, struct roll_back *ret_roll_back, struct why *why);
/* When nobody has to wait any more; unix milliseconds. */
int64_t roll_back_until_ms(const struct roll_back *roll_back);

/* What the director says of a stream: the newest WITHDRAWALS_MAX, ascending. */
MUST_CHECK enum err roll_back_list(struct db *db, const char *stream, struct withdrawal withdrawals[WITHDRAWALS_MAX], size_t *ret_count, struct why *why);
/* formats.md 5, "Rollout": null before the withdrawal. */
MUST_CHECK enum err roll_back_view(struct db *db, const struct run *run, struct json **ret_json, struct why *why);
