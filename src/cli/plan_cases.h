/* plan_cases.h - what may be wrong with a release, as scenarios for a fleet that is there, and what its past says of the weather.
 *
 * Each case has the same fleet and weather; the harmful ones harm so many devices, drawn whatever their attributes, half-way through the bake. */
#pragma once

#include "cli/plan_fleet.h"

/* What the simulated devices do of themselves. Assumed: the past says too little, and the default of docs/guide/scenarios.md stands for it. */
struct plan_weather {
        int64_t crash_ppm_per_day, dark_ppm, dark_for_s, switch_s;
        bool is_crash_assumed, is_dark_assumed, is_return_assumed, is_switch_assumed;
};

struct plan_case { int64_t share_ppm; bool is_told; };     /* share 0: harmless */

enum { PLAN_CASES = 9, PLAN_LEASES_FEWEST = 100 };         /* fewer leases say nothing of the weather */

struct plan_cases {
        struct plan_weather weather;
        struct plan_case cases[PLAN_CASES];      /* the harmless one first */
        struct scenario scenarios[PLAN_CASES];   /* each of its case; they borrow what follows, so that this does not move */
        size_t count, left_out_count;
        int64_t left_out_ppm[PLAN_CASES];        /* shares that would harm nobody in so small a fleet, the largest first */
        int64_t shows_after_s;                   /* a fault, after the release runs */
        int64_t tail_s;                          /* over when nobody new came for so long: in days of watch nothing happens */
        struct scenario_fault faults[PLAN_CASES];
        char start[16], names[PLAN_CASES][48];
};

void plan_cases_make(const struct plan_fleet *fleet, const struct rollout_policy *policy, struct plan_cases *cases);
