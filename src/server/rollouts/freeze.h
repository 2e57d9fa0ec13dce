/* freeze.h - a rollout's freeze windows at work: who may start nothing now.
 *
 * Windows of a named zone freeze everybody; those in each device's own zone freeze the devices of the zones where it is time.
 * Looked at once a minute; what the zones add to UTC is read once a day. A zone that cannot be read any more freezes: better late
 * than in the week end. A device that tells no zone, or one that nobody knows, is in UTC. */
#pragma once

#include "format/calendar.h"

struct freeze;

/* Copies the calendar. */
MUST_CHECK enum err freeze_open(const struct calendar *calendar, struct freeze **ret_freeze, struct why *why);
void freeze_close(struct freeze *freeze);
OWN_DEFINE(freeze, struct freeze *, freeze_close)

const struct calendar *freeze_calendar(const struct freeze *freeze);
/* Every zone that a window names exists here. ERR_USAGE says which does not. */
MUST_CHECK enum err freeze_check(const struct calendar *calendar, struct why *why);

/* One device more, with what it says of its zone (NULL: nothing); the number of its zone. */
MUST_CHECK enum err freeze_add_device(struct freeze *freeze, const char *zone, uint16_t *ret_zone, struct why *why);

/* Is everybody frozen, and until when? 0: nobody knows. */
struct freeze_answer { bool is_frozen; int64_t until_ms; };
struct freeze_answer freeze_look(struct freeze *freeze, int64_t now_ms);
bool freeze_holds(const struct freeze *freeze, uint16_t zone);               /* devices of this zone, at the last look */
int64_t freeze_count(const struct freeze *freeze);                           /* how many are frozen, at the last look */
/* Now, a device that was not added, with what it says of its zone. */
bool freeze_holds_in(struct freeze *freeze, const char *zone, int64_t now_ms);
