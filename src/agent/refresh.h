/* refresh.h - from "the server has something new" to what it means for each stream.
 *
 * Runs the verifier, brings it the file that it asks for, runs it again, until it accepts or refuses; one stream after the
 * other. Keeps the files that the verifier says are trusted now (trust/), so that nothing older is accepted later. A verdict is
 * taken once the anchors have followed a new root (follow.h). */
#pragma once

#include "agent/agent.h"
#include "agent/stream.h"

struct refresh;

MUST_CHECK enum err refresh_open(struct agent *agent, struct refresh **ret_refresh, struct why *why);
void refresh_close(struct refresh *refresh);
OWN_DEFINE(refresh, struct refresh *, refresh_close)

/* All streams are to be looked at again. */
void refresh_want(struct refresh *refresh);
/* The same, and of both anchors there may be a newer one. */
void refresh_want_anchors(struct refresh *refresh);
/* One step further; true when it used the caller, which was free. */
bool refresh_call(struct refresh *refresh);
/* When there is something to do next; also notices an offer that is about to expire. INT64_MAX: nothing. */
int64_t refresh_wake_ms(struct refresh *refresh);
