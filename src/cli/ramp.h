/* ramp.h - the steps of a ramp as people write them: `0:0.1%`, `1h:5%`. */
#pragma once

#include "base/err.h"
#include "trust/ceiling.h"

/* At least one. `what` is its name in complaints: "ceiling". ERR_USAGE, ERR_LIMIT. Its start is 0. */
struct ramp_texts { const char *const *items; size_t count; };
MUST_CHECK enum err ramp_read(const char *what, const struct ramp_texts *texts, struct ceiling *ret_ceiling, struct why *why);
