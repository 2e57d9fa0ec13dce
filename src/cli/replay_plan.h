/* replay_plan.h - what `firebreak replay` was asked for: which scenarios, policies, budgets and seeds. */
#pragma once

#include "base/arena.h"
#include "cli/budgets.h"
#include "cli/options.h"
#include "replay/study.h"

enum { REPLAY_POLICIES = 16, REPLAY_ALL_FLEET = 200000 };

struct replay_plan {
        struct study_plan study;                 /* borrows from what follows */
        struct arena *arena;
        const struct director_ops *directors[REPLAY_POLICIES];
        struct budgets budgets;
};

/* ERR_NOT_FOUND: no such scenario; ERR_USAGE: no such policy. Both name the nearest one. */
MUST_CHECK enum err replay_plan_read(const struct args *args, struct replay_plan *ret_plan, struct why *why);
void replay_plan_done(struct replay_plan *plan);
static inline void replay_plan_release(struct replay_plan *plan) { replay_plan_done(plan); }     /* OWN(replay_plan) struct replay_plan p = { 0 }; */

/* The catalogue, read into the arena. */
MUST_CHECK enum err replay_read_all(struct arena *arena, struct scenario **ret_scenarios, size_t *ret_count, struct why *why);
