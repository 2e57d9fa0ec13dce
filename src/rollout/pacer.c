#include "rollout/pacer.h"

#include <assert.h>
#include <math.h>

/* Sums of eighths and the like must not lose a device to rounding. */
static const double slack = 1e-9;

/* Harm beyond what the baseline explains: k - n p0 - 2 sqrt(n p0 (1 + n / n_control)), p0 from control. */
static double beyond_baseline(uint32_t harmed, uint32_t settled, uint32_t control_harmed, uint32_t control_settled)
{
        double explained = 0;
        if (control_settled) {
                double expected = settled * ((double)control_harmed / control_settled);
                explained = expected + 2 * sqrt(expected * (1 + (double)settled / control_settled));
        }
        return harmed > explained ? harmed - explained : 0;
}

/* Signal by signal, so that a fleet where many go dark anyway hides no crash; never less than for all of them at once. */
static double attribute(const struct group *group)
{
        const struct arm *treated = &group->treated, *control = &group->control;
        uint32_t n = arm_settled(treated), n_control = arm_settled(control);
        double all = beyond_baseline(arm_hurt(treated), n, arm_hurt(control), n_control);
        double sum = beyond_baseline(treated->by_status[LEASE_DARK], n, control->by_status[LEASE_DARK], n_control);
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++)
                sum += beyond_baseline(treated->by_kind[kind], n, control->by_kind[kind], n_control);
        return sum > all ? sum : all;
}

/* Accepted harm that turns out to be none leaves no room for other harm in its place. */
void pacer_refresh(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                struct group *group = &rollout->groups[i];
                if (!group->is_dirty)
                        continue;
                double harm = attribute(group);
                group->accepted = fmin(group->accepted, harm);
                group->attributed = harm - group->accepted;
                group->excess = bound_excess(group->treated.bound, group->control.bound);
                group->is_dirty = false;
        }
}

void pacer_accept(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                rollout->groups[i].accepted += rollout->groups[i].attributed;
                rollout->groups[i].attributed = 0;
        }
}

static bool has_room(const struct rollout *rollout, const struct group *group)
{
        double young = (group->young + 1) * group->excess, open = arm_open(&group->treated) + 1;
        return (young < open ? young : open) + group->attributed <= (double)rollout->policy.budget + slack;
}

bool pacer_admits(const struct rollout *rollout, const struct rollout_device *device)
{
        bool admits = has_room(rollout, &rollout->groups[0]);
        for (unsigned i = 0; i < device->strata_count && admits; i++)
                admits = has_room(rollout, &rollout->groups[1 + device->strata[i]]);
        return admits;
}

bool pacer_is_spent(const struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++)
                if (rollout->groups[i].attributed + slack >= (double)rollout->policy.budget)
                        return true;
        return false;
}

bool pacer_is_stuck(const struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                const struct group *group = &rollout->groups[i];
                if (group->attributed > 0 && !group->young && !has_room(rollout, group))
                        return true;
        }
        return false;
}

/* Both bounds of has_room(), solved for the number of new ones. */
uint32_t pacer_window(const struct rollout *rollout, const struct group *group)
{
        double left = (double)rollout->policy.budget - group->attributed + slack;
        if (left < 0)
                return 0;
        double by_open = floor(left) - arm_open(&group->treated), by_young = rollout->fleet;
        if (group->excess > 0)
                by_young = floor(left / group->excess) - group->young;
        double window = by_open > by_young ? by_open : by_young;
        return window <= 0 ? 0 : window > rollout->fleet ? rollout->fleet : (uint32_t)window;
}

/* Where it starts to look follows the time of inputs alone: a line of which nobody was picked is not replayed. */
uint32_t pacer_cap_left(struct rollout *rollout, int64_t now_ms)
{
        int64_t bake_ms = rollout->policy.bake_s * 1000;
        uint32_t recent = 0;
        while (rollout->cap_from < rollout->lease_count && rollout->leases[rollout->cap_from].picked_ms <= rollout->now_ms - bake_ms)
                rollout->cap_from++;
        for (uint32_t i = rollout->cap_from; i < rollout->lease_count; i++) {
                const struct lease *lease = &rollout->leases[i];
                recent += lease->picked_ms > now_ms - bake_ms && !lease->is_control && lease->status != LEASE_LAPSED;
        }
        return recent >= rollout->policy.cap_per_bake ? 0 : (uint32_t)(rollout->policy.cap_per_bake - recent);
}
