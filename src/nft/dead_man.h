/* dead_man.h - the dead man's switch: brings back what stood when nobody takes the arming away in time.
 *
 * A process without a parent, in a session of its own, that needs nothing but nft(8) and the record on disk: not the network, not the agent,
 * not the process that changes the rules. When that one ends it does not wait for the time. */
#pragma once

#include "nft/record.h"

struct dead_man { int channel; };        /* -1: none */

/* Returns when it watches. */
MUST_CHECK enum err dead_man_start(const struct record *record, struct dead_man *ret_dead_man, struct why *why);
/* We say nothing more: it looks whether `armed` is still there, and ends. */
void dead_man_leave(struct dead_man *dead_man);

/* In that process. `channel` is its end, or -1 when nobody waits: then it looks at the clock and the disk alone. Returns when nothing is armed. */
MUST_CHECK enum err dead_man_watch(const struct record *record, int channel, struct why *why);
