/* events.h - what is going to happen, by rounds: a calendar queue.
 *
 * Events of a round come out in the order of their time, and those of the same time in the order in which they were put in. One
 * costs 20 bytes until it comes out. What lies beyond the last round never happens and takes no room. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>

/* at_ms: since the start. */
struct event { int64_t at_ms; uint32_t device, handle; uint8_t kind, detail; };

struct events;

MUST_CHECK enum err events_open(uint32_t rounds, int64_t round_ms, struct events **ret_events, struct why *why);
void events_close(struct events *events);
OWN_DEFINE(events, struct events *, events_close)

/* What should have been in a round that was taken comes with the next take. */
MUST_CHECK enum err events_put(struct events *events, const struct event *event, struct why *why);

/* Those of round `round`, that is with at_ms below (round + 1) * round_ms. Rounds are taken in order, each until it is empty: what is put into it
 * meanwhile comes with the next take of it. Borrowed until the next call of this. */
MUST_CHECK enum err events_take(struct events *events, uint32_t round, const struct event **ret_items, size_t *ret_count, struct why *why);

uint32_t events_waiting(const struct events *events);
