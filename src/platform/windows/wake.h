/* wake.h - what wakes a supervisor: a child that ended, somebody who asks it to end. Used by the other sources of this folder, nobody else.
 *
 * Windows has no signals. A process is asked to end by an event that has its number in its name, `Local\firebreak-stop-NUMBER`, which who starts a child
 * makes before it runs; by a console that closes; or by the service manager. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The event that is set when there is something to look at; made by the first who asks. NULL: out of handles. */
void *wake_event(void);
/* May be called from any thread. */
void wake_up(void);
void wake_to_end(void);
/* Takes back the event; true when an end was asked for since, or ever before. */
bool wake_take(void);

/* Asked to end by the event of this process' own number, and by the console. */
MUST_CHECK enum err wake_listen(struct why *why);

/* The event of another process, to be kept open while it runs. NULL: out of handles. */
void *wake_stop_event(uint32_t pid);
