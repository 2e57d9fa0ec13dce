/* states.h - the life of a rollout, as a table: states.def.
 *
 * Knows nothing of devices: the guards are facts that rollout.c finds out. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

enum rollout_state {
#define STATE(name, word) ROLLOUT_##name,
#define EVENT(name, word, from)
#define REASON(name, word)
#define GUARD(name, text)
#define MOVE(from, event, guard, to)
#include "rollout/states.def"
#undef STATE
#undef EVENT
        ROLLOUT_STATES,
};

enum rollout_event {
#define STATE(name, word)
#define EVENT(name, word, from) ROLLOUT_ON_##name,
#include "rollout/states.def"
#undef EVENT
#undef REASON
        ROLLOUT_EVENTS,
};

/* Why it holds. */
enum rollout_reason {
#define EVENT(name, word, from)
#define REASON(name, word) ROLLOUT_BECAUSE_##name,
#include "rollout/states.def"
#undef REASON
#undef GUARD
        ROLLOUT_REASONS,
};

enum rollout_guard {
#define REASON(name, word)
#define GUARD(name, text) ROLLOUT_NEEDS_##name,
#include "rollout/states.def"
#undef STATE
#undef EVENT
#undef REASON
#undef GUARD
#undef MOVE
        ROLLOUT_GUARDS,
};

/* Which guards hold now, by enum rollout_guard. */
struct rollout_facts { bool holds[ROLLOUT_GUARDS]; };

/* What follows. ERR_REFUSED says that nothing does, or names the guard that is not met. */
MUST_CHECK enum err rollout_next(enum rollout_state from, enum rollout_event event, const struct rollout_facts *facts,
                                 enum rollout_state *ret_to, struct why *why);

/* To withdraw from here is to halt, then to withdraw. */
bool rollout_halts_first(enum rollout_state from);

const char *rollout_state_word(enum rollout_state state);
const char *rollout_event_word(enum rollout_event event);
const char *rollout_reason_word(enum rollout_reason reason);      /* "" for NONE */
bool rollout_event_is_callers(enum rollout_event event);          /* may be said in a command */

/* ERR_SYNTAX for a word that is none of these. */
MUST_CHECK enum err rollout_event_find(const char *word, enum rollout_event *ret_event, struct why *why);

/* The table as a Mermaid state diagram, for the manual. */
void rollout_states_print(struct buf *into);
