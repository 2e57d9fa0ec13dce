/* program.h - one program run to its end, with what it said. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* Until it ends or `timeout_ms` is over, when it is killed: ERR_TIMEOUT. What it writes, on standard output and standard error alike, goes to
 * `into`. ERR_CONTENT: it ended with anything but 0; the text has the line of what it wrote that tells most. ERR_UNAVAILABLE: it is not installed. */
MUST_CHECK enum err program_run(const char *const *argv, int64_t timeout_ms, struct buf *into, struct why *why);
