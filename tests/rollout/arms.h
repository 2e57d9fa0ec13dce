/* arms.h - a group's counts, set by hand. */
#pragma once

#include "rollout/harm.h"
#include "rollout/pacer.h"
#include "rollout/small.h"

#include <math.h>

static inline bool is_near(double a, double b)
{
        return fabs(a - b) < 1e-9;
}

/* Of the three groups of small.h. */
static inline double deviations(void) { return harm_deviations(3); }

/* Of n, k were harmed, E of them anyway, give or take sqrt(V). */
static inline double by_hand(double k, double n, double expected, double variance)
{
        return (k - expected - deviations() * sqrt(variance * (1 - k / n))) / (1 - expected / n);
}

static inline void set(struct arm *arm, uint32_t proven, uint32_t crashed, uint32_t dark)
{
        arm->by_status[LEASE_PROVEN] = proven;
        arm->by_status[LEASE_HARMED] = arm->by_kind[ROLLOUT_CRASH] = crashed;
        arm->by_status[LEASE_DARK] = arm->silent = dark;
}

/* What the gate makes of `n` treated beside `n_control`, all at one time. */
static inline void explain(struct group *group, unsigned signal, double n, double n_control, double control_harmed)
{
        double rate = control_harmed / n_control;
        group->explained[signal] = (struct explained){ n * rate, n * n * rate / n_control, weighed(n_control * rate, 1), weighed(control_harmed, 1) };
}

static inline void refresh(struct small *small, unsigned group)
{
        book_harm(small->rollout, &small->rollout->groups[group]);
        pacer_refresh(small->rollout);
}

static inline double attributed(struct small *small)
{
        refresh(small, 0);
        return small->rollout->groups[0].attributed;
}
