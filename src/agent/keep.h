/* keep.h - how this program becomes the supervisor: by itself, or as the one that a keeper starts (handover.h).
 *
 * A keeper is there where the agent is content of its own and the system cannot replace a process: Windows. It is this program, the package's, and does nothing but
 * start the supervisor, watch it where it asks for that, and start the next one. The slot record is read by who is started, never by the keeper. */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct agent_config;

/* How long a supervisor may take to end: the longest of its engines, which are asked to end at the same time, and what is under way beside them. */
uint32_t keep_stop_ms(const struct agent_config *config);
/* Runs until it is told to end. `units` may be NULL. */
MUST_CHECK enum err keep_run(const char *config_path, const char *units, struct why *why);
