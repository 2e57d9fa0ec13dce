/* sweep.h - run a block once for each allocation that could fail.
 *
 *      SWEEP_MEMORY { ... }       its 1st, 2nd, 3rd ... allocation fails, until it runs clean
 *      SWEEP_MEMORY_ONCE { ... }  the same, but those after the failing one are well: nothing stops what goes on without it
 *
 * The same for power: SWEEP_POWER in support/sim_disk.h. */
#pragma once

#include <stdbool.h>

struct sweep {
        unsigned step;
        bool started;
        bool once;
};

bool sweep_memory_next(struct sweep *sweep);

#define SWEEP_MEMORY for (struct sweep sweep_ = { 0 }; sweep_memory_next(&sweep_);)
#define SWEEP_MEMORY_ONCE for (struct sweep sweep_ = { .once = true }; sweep_memory_next(&sweep_);)
