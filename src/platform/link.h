/* link.h - a byte stream between two of our processes, for those who wait for several things at once: nothing here blocks
 * but link_wait(). Whole messages: see channel.h. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two ends, closed on exec. */
MUST_CHECK enum err link_open(int ret_ends[2], struct why *why);
void link_close(int end);                                              /* -1 is fine */

/* Appends what is there, up to `most` bytes; nothing is fine. ERR_UNAVAILABLE: the other side is gone. */
MUST_CHECK enum err link_read(int end, struct buf *into, size_t most, struct why *why);
/* Sends what can be sent now, and takes it out of `from`. ERR_UNAVAILABLE: the other side is gone. */
MUST_CHECK enum err link_write(int end, struct buf *from, struct why *why);

/* Until there is something to read (or the other side is gone), room to write if that is wanted, or the time is up.
 * `timeout_ms` below 0: no limit. */
MUST_CHECK enum err link_wait(int end, bool wants_room, int64_t timeout_ms, struct why *why);
