/* serve.h - the engine at work: rules loaded, a folder watched, a status file kept, until SIGTERM.
 *
 * SIGHUP loads the rules anew (a link in their path is resolved again); a set that does not compile leaves the old one at work. */
#pragma once

#include "base/err.h"

struct serve {
        const char *rules, *watch, *status;      /* status NULL: no file */
        long interval_ms;
        const char *quarantine, *ask;            /* a folder; the agent's socket. NULL: nothing is put away; nobody is asked */
};

/* First thing, before anything takes its time: signals are kept until they are asked for. */
void serve_take_signals(void);

/* Returns OK after SIGTERM or SIGINT. Rules that do not load at the start are no error here: the status file says so. */
MUST_CHECK enum err serve_run(const struct serve *serve, struct why *why);
