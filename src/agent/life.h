/* life.h - what follows when something happens to a release on this device.
 *
 * A table, no I/O: the supervisor feeds it events and carries out the actions (stream.h). Only ARMED, PROBATION and SHADOW
 * are durable (slot.h); after a restart the rest begins again from IDLE, which costs nothing but time. */
#pragma once

#include "base/err.h"

enum life_state { LIFE_IDLE, LIFE_FETCHING, LIFE_UNPACKING, LIFE_PREFLIGHT, LIFE_WAITING, LIFE_ARMED, LIFE_PROBATION, LIFE_SHADOW, LIFE_STATES };

enum life_event {
        LIFE_OFFERED,        /* a release that we may and should have */
        LIFE_FETCHED, LIFE_UNPACKED, LIFE_PASSED,
        LIFE_FAILED,         /* something of ours or of the network: try again later */
        LIFE_UNFIT,          /* the release itself: never again */
        LIFE_CANCELLED,      /* another one is offered, or none */
        LIFE_GRANTED, LIFE_SHADOWED,
        LIFE_SWITCHED, LIFE_BAKED, LIFE_HARMED,
        LIFE_WITHDRAWN,      /* the server withdrew what runs here */
        LIFE_DAMAGED,        /* what is on trial is not what was installed any more */
        LIFE_EVENTS,
};

enum life_action {
        LIFE_FETCH, LIFE_UNPACK, LIFE_DO_PREFLIGHT, LIFE_ASK, LIFE_ARM, LIFE_DO_SHADOW, LIFE_RELOAD, LIFE_PROVE,
        LIFE_FALL_BACK, LIFE_ROLL_BACK, LIFE_GO_DOWN, LIFE_REFUSE, LIFE_RETRY, LIFE_DROP, LIFE_ACTIONS,
};

struct life_step { enum life_state to; enum life_action action; };

/* ERR_REFUSED when the table has no such move. */
MUST_CHECK enum err life_next(enum life_state now, enum life_event event, struct life_step *ret_step, struct why *why);
const char *life_state_name(enum life_state state);
const char *life_event_name(enum life_event event);
/* A release is on trial: the server is asked often, and nothing else of this device starts. */
bool life_is_busy(enum life_state state);
