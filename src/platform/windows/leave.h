/* leave.h - what an order of the service manager means for a service, and the words that are said before the machine is silent.
 * Used by the other sources of this folder, nobody else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* HEARS: an order that is taken and changes nothing; STAYS: one that is not known. */
enum leave { LEAVE_STAYS, LEAVE_HEARS, LEAVE_ENDS, LEAVE_SHUTS_DOWN, LEAVE_SLEEPS };
/* `order` and `event` as a handler of the manager's gets them. The manager does not say whether a machine that is shut down starts again. */
enum leave leave_of(uint32_t order, uint32_t event);

/* Runs this program with these words, NULL-ended, at most so long, and ends it then. NULL runs nothing. What it says goes where we say ours; false, and a
 * line there, when it could not be run, or was ended. May be called from any thread. */
bool leave_say(const char *const *words, uint32_t most_ms);
