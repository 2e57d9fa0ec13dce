/* plan.h - a plan that was made: the fleet, the cases, what the simulator did with them. For plan_view.h and plan_json.h. */
#pragma once

#include "cli/budgets.h"
#include "cli/plan_cases.h"
#include "replay/study.h"

struct json;

struct plan {
        struct plan_fleet fleet;
        struct plan_cases cases;
        struct rollout_policy policy;            /* as it would be started, with the budget that was said first */
        int64_t rollback_s;
        /* Steps, as the API has them, borrowed; NULL: nobody is kept from it by one. Not simulated, and freeze windows neither. */
        const struct json *ceiling;
        bool has_freeze;
        struct budgets budgets;
        struct study study;                      /* rows: case by case, of each budget by budget */
};

static inline const struct study_row *plan_row(const struct plan *plan, size_t at, size_t budget)
{
        return &plan->study.rows[at * plan->budgets.count + budget];
}

/* The place of the first budget among the others. */
static inline size_t plan_first(const struct plan *plan)
{
        size_t at = 0;
        while (plan->budgets.items[at] != plan->budgets.first)
                at++;
        return at;
}

/* The most that were hurt in any run of any harmful case of the kind; -1: there is no such case. */
int64_t plan_worst(const struct plan *plan, size_t budget, bool is_told);
/* Of the strata by their number: fewer devices than the budget; the only value of its attribute, all devices have it. */
bool plan_is_rare(const struct plan *plan, size_t stratum);
bool plan_is_alone(const struct plan *plan, size_t stratum);
