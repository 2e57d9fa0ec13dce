#include "cli/plan.h"

int64_t plan_worst(const struct plan *plan, size_t budget, bool is_told)
{
        int64_t worst = -1;
        for (size_t i = 0; i < plan->cases.count; i++) {
                const struct plan_case *of = &plan->cases.cases[i];
                int64_t hurt = plan_row(plan, i, budget)->hurt.worst;
                if (of->share_ppm && of->is_told == is_told && hurt > worst)
                        worst = hurt;
        }
        return worst;
}

bool plan_is_rare(const struct plan *plan, size_t stratum)
{
        return plan->fleet.strata[stratum].devices < plan->policy.budget;
}

bool plan_is_alone(const struct plan *plan, size_t stratum)
{
        return plan->fleet.strata[stratum].devices == plan->fleet.devices;
}
