/* verify.h - the verifier as a process of its own: a bundle on standard input, until it ends; then one answer on standard output. */
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
/* In the child. */
MUST_CHECK enum err verify_main(struct why *why);
