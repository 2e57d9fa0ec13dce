/* goodbye.h - tells the server that this machine is about to be silent: once, in a bounded time, and never as a condition for anything.
 *
 * Said by a process of its own that whoever takes the machine down starts and waits for, with the device's identity; the supervisor need not run. */
#pragma once

#include "agent/caller.h"
#include "wire/device.h"

/* Sends it, and waits for the answer until `until_ms` of `clock`; a server that says that our date is off is asked once more. ERR_TIMEOUT: nobody answered in
 * time; any other error: it was not heard, either. */
struct goodbye { const struct wire_goodbye *body; struct caller *caller; struct clock *clock; int64_t until_ms; };
MUST_CHECK enum err goodbye_say(const struct goodbye *goodbye, struct why *why);

/* What `systemctl show` of the targets of goodbye_targets says of the machine: whether it goes down now, and as what. ERR_SYNTAX: it says nothing of them. */
#define GOODBYE_PROPERTIES "--property=Id,Job"
extern const char *const goodbye_targets[];      /* ends with NULL */
struct goodbye_stop { bool is_stopping; enum wire_goodbye_kind kind; };
MUST_CHECK enum err goodbye_stop_read(const char *text, struct goodbye_stop *ret_stop, struct why *why);
