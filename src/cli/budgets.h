/* budgets.h - one harm budget, or several to compare: --budget 3,10,30. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct args;

enum { BUDGETS_MOST = 16 };
struct budgets { int64_t items[BUDGETS_MOST], first; size_t count; };      /* items ascend, each once; first: as it was said */

/* `otherwise`: when none is said. ERR_USAGE: not a number in range, or too many. */
MUST_CHECK enum err budgets_read(const struct args *args, int64_t otherwise, struct budgets *ret_budgets, struct why *why);
/* A third of the first, itself, three and ten times it, as far as they are in range. */
void budgets_spread(struct budgets *budgets);
