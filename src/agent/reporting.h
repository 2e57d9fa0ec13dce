/* reporting.h - what the slot record has to say, told to the server one by one, oldest first.
 *
 * A report is kept until the server has it, across restarts; whoever sends it twice is told that it was known. */
#pragma once

#include "agent/agent.h"

/* Sends the oldest that is due. True: the caller, which was free, is used. */
bool reporting_call(struct agent *agent, int64_t now_ms);
