/* log_pump.h - standard output and standard error of a process that has none, and of its children: a pipe that a thread empties into a file of bounded size.
 * Used by the other sources of this folder, nobody else. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* From here on, for as long as the process lives; once. At `bytes_max` the file becomes PATH.1, and the one of that name goes. Where that cannot be done,
 * because somebody has it open for himself, lines are lost and counted. */
MUST_CHECK enum err log_pump_start(const char *path, uint64_t bytes_max, struct why *why);
/* Waits, at most a second, until what was said stands in the file. */
void log_pump_drain(void);
