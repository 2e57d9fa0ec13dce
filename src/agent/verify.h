/* verify.h - the verifier as a process of its own: a question on standard input, until it ends; then one answer on standard output. */
#pragma once

#include "agent/worker.h"
#include "base/buf.h"
#include "trust/verdict.h"

struct verify_answer { struct confined confined; struct verdict verdict; };
_Static_assert(sizeof(struct verify_answer) == sizeof(struct confined) + sizeof(struct verdict), "between two programs");

/* In the supervisor: start it, give it the bundle, take its verdict. Waits; ERR_TIMEOUT after some seconds. */
struct verify_setup {
        const struct workers *workers;
        const struct buf *bundle;
        size_t records;                  /* in the bundle, to check what the verdict names */
        struct worker_state *state;      /* what it said of itself */
};
MUST_CHECK enum err verify_run(const struct verify_setup *setup, struct verdict *ret_verdict, struct why *why);
/* The same for other bytes that nobody is to look at in the supervisor: a question of any kind to a process of its own. What it says has
 * `least` bytes and at most the ceiling of `answer`. Whose confinement it was is the caller's to find in it: ret_state has nothing of that. */
struct verify_talk { const struct workers *workers; const struct buf *question; size_t least; struct buf *answer; };
MUST_CHECK enum err verify_ask(const struct verify_talk *talk, struct worker_state *ret_state, struct why *why);
/* In the child: judges a bundle, or expands a segment of a delta (expand.h). */
MUST_CHECK enum err verify_main(struct why *why);
