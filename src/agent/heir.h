/* heir.h - this agent goes on as another version of itself (self.h): when it starts, and when the record names another one.
 *
 * Invariant: before the other program begins, the start that it may not survive is on disk, and somebody watches it. */
#pragma once

#include <stdint.h>

struct agent;

/* Before any stream is open: counts a crash of the agent itself, goes on as the one that the record names. Returns when this is it, or when
 * it cannot be left: then agent->ends. */
void heir_start(struct agent *agent);
/* Says that this one lives, to whoever watches, and goes on as another if the record names another by now. */
void heir_tick(struct agent *agent);
int64_t heir_wake_ms(const struct agent *agent);         /* INT64_MAX: not for this */
/* The end was planned. */
void heir_stop(struct agent *agent);
void heir_done(struct agent *agent);
