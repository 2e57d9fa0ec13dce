/* storm.h - one rollout in bad company: a simulated fleet (replay/world.h) gets a release from the real rollout code through a server
 * that crashes, forgets, stalls and has a clock that jumps, while reports come late, twice, in another order or never.
 *
 * All by one seed. What must never break (docs/guide/rollout.md) is looked at after every input, by books of the storm's own
 * (ledger.h), and by telling the log again. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* What came to pass, to see that a storm was one. */
struct storm_tally { uint64_t inputs, crashes, exposures, hurt, reports, answers_lost, overrides, unknown_rounds, completed, stopped, lapsed, withdrawn; };

/* When an assertion ends the program, say in which seed. */
void storm_name_its_seed(void);

/* ERR_CONTENT: a promise was not kept; `why` says which, and when. `tally` is added to. */
MUST_CHECK enum err storm_run(uint64_t seed, struct storm_tally *tally, struct why *why);
