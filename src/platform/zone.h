/* zone.h - time zones by their IANA names ("Europe/Berlin"), from the system's tzdata.
 *
 * For the moment it is asked the process's own zone is another: not for programs whose other threads speak of local time. */
#pragma once

#include "base/err.h"
#include "base/utc.h"

#include <stddef.h>

/* ERR_USAGE: no zone of this name; ERR_UNAVAILABLE: this machine has no zones at all. */
MUST_CHECK enum err zone_check(const char *name, struct why *why);

/* The offsets of a zone that exists, from `from_s` to `to_s`; at most `most` of them, the first is of `from_s`. */
MUST_CHECK enum err zone_shifts(const char *name, int64_t from_s, int64_t to_s, size_t most, struct utc_shift *shifts, size_t *ret_count,
                                struct why *why);
/* The same of this machine's own zone; UTC where it has none. */
void zone_local_shifts(int64_t from_s, int64_t to_s, size_t most, struct utc_shift *shifts, size_t *ret_count);
