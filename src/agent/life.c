#include "agent/life.h"

#include <assert.h>
#include <stddef.h>

static const struct move {
        enum life_state from, to;
        enum life_event event;
        enum life_action action;
} moves[] = {
#define MOVE(FROM, EVENT, TO, ACTION) { LIFE_##FROM, LIFE_##TO, LIFE_##EVENT, LIFE_##ACTION },
#include "agent/life.def"
#undef MOVE
};

const char *life_state_name(enum life_state state)
{
        static const char *const names[LIFE_STATES] = {
                "idle", "fetching", "unpacking", "preflight", "waiting", "armed", "probation", "shadow",
        };
        assert(state < LIFE_STATES);
        return names[state];
}

const char *life_event_name(enum life_event event)
{
        static const char *const names[LIFE_EVENTS] = {
                "offered", "fetched", "unpacked", "passed",   "failed", "unfit",  "cancelled",
                "granted", "shadowed", "switched", "baked", "harmed", "withdrawn", "damaged",
        };
        assert(event < LIFE_EVENTS);
        return names[event];
}

bool life_is_busy(enum life_state state)
{
        return state == LIFE_ARMED || state == LIFE_PROBATION || state == LIFE_SHADOW;
}

enum err life_next(enum life_state now, enum life_event event, struct life_step *ret_step, struct why *why)
{
        for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
                if (moves[i].from != now || moves[i].event != event)
                        continue;
                *ret_step = (struct life_step){ moves[i].to, moves[i].action };
                return OK;
        }
        return FAIL(why, ERR_REFUSED, "nothing follows from %s when %s", life_state_name(now), life_event_name(event));
}
