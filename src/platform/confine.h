/* confine.h - a process gives up what it does not need, for good. */
#pragma once

#include "base/err.h"

/* From here on: read, write and wait for files that are open, memory, time. No new file, socket, process or program.
 * ERR_UNAVAILABLE: this system does not let us; the network may be gone all the same. */
MUST_CHECK enum err confine_to_open_files(struct why *why);
