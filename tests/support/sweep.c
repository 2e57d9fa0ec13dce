#include "support/sweep.h"

#include "base/mem.h"

#include <stdlib.h>

static unsigned allocations_left;
static bool failed, fails_once;

static void *failing_calloc(size_t count, size_t size)
{
        if (!allocations_left && !(failed && fails_once)) {
                failed = true;
                return NULL;
        }
        allocations_left -= !failed;
        return calloc(count, size);
}

bool sweep_memory_next(struct sweep *sweep)
{
        if (sweep->started && !failed) {
                mem_hook = calloc;
                return false;
        }
        sweep->started = true;
        failed = false;
        fails_once = sweep->once;
        allocations_left = sweep->step++;
        mem_hook = failing_calloc;
        return true;
}
