/* study.h - many replays: every scenario under every policy with every budget, a run a seed, and what they come to.
 *
 * A row is a scenario, a policy and a budget. Of its runs only the typical one, in the middle by hurt, keeps its series: memory
 * grows with the rows, not with the seeds. A policy that knows no budget has one row, whatever the budgets. */
#pragma once

#include "replay/run.h"

#include <stddef.h>

struct study_plan {                              /* everything is borrowed */
        const struct scenario *scenarios;
        size_t scenario_count;
        const struct director_ops *const *directors;
        size_t director_count;
        struct rollout_policy policy;            /* its budget is not looked at */
        int64_t rollback_s;                      /* of firebreak; under other practices devices go back as soon as they hear of it */
        const int64_t *budgets;                  /* in ascending order, each once */
        size_t budget_count;
        uint64_t seed;                           /* of the first run; the others' count up from it */
        uint32_t seeds;
        uint32_t fleet;                          /* 0: each scenario's own */
        uint32_t points;                         /* of each series; 0: none */
        int64_t tail_s;                          /* of each run, see run.h */
};

/* Over the runs of a row; of an even number the median is the larger middle one. -1: not, which counts as later than anything. */
struct study_spread { int64_t median, worst; };

struct study_row {
        const struct scenario *scenario;
        const struct director_ops *director;
        struct rollout_policy policy;            /* with the row's budget */
        uint64_t seed;
        struct replay_result *runs;              /* runs[i] has the seed `seed + i` */
        size_t run_count, typical;               /* runs[typical] is in the middle by hurt */
        struct study_spread hurt, exposed, stop_s, complete_s, reached_s;
        uint32_t stopped[ROLLOUT_BY_OPERATOR + 1];      /* how many were stopped by whom */
};

struct study {
        struct study_plan plan;
        struct study_row *rows;                  /* in the plan's order: scenario, policy, budget */
        size_t row_count;
};

struct study_watch {
        /* How far all of it is, 0 to 1, and what runs now. NULL: nobody asks. */
        void (*progress)(void *user, double done, const struct study_row *row, uint64_t seed);
        /* A run is over; the row's spreads are not there yet. NULL: nobody asks. */
        enum err (*ran)(void *user, const struct study_row *row, size_t run, struct why *why);
        void *user;
};

/* How many replays the plan means. */
size_t study_runs(const struct study_plan *plan);
/* ERR_LIMIT: more than LIMIT_REPLAY_RUNS. */
MUST_CHECK enum err study_run(const struct study_plan *plan, const struct study_watch *watch, struct study *ret_study, struct why *why);
void study_done(struct study *study);
static inline void study_release(struct study *study) { study_done(study); }     /* OWN(study) struct study s = { 0 }; */

bool study_knows_budget(const struct director_ops *director);
/* Where one row must speak for its policy: that of the budget in the middle. */
bool study_is_main(const struct study *study, const struct study_row *row);
/* Counts up what the row's runs say, and lets go of all series but the typical run's. ERR_NOMEM. */
MUST_CHECK enum err study_sum_up(struct study_row *row, struct why *why);
