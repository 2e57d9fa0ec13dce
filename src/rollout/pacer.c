#include "rollout/pacer.h"

#include <assert.h>
#include <math.h>

/* Sums of eighths and the like must not lose a device to rounding. */
static const double slack = 1e-9;

/* How often a harmless silence that has no bound may spend the budget of any group, however long one looks. */
static const double silence_error = 1e-3;

/* Where a sum of this variance may be at any time at once: the normal mixture's boundary (Robbins 1970; Howard et al., arXiv 1810.08240, eq. 14). It
 * is the budget where the variance is none, so that the first to be hurt count in full. */
static double line_for_all_time(double variance, double budget, double error)
{
        double surprise = -2 * log(error), about = budget * budget / surprise;
        return sqrt((variance + about) * (surprise + log1p(variance / about)));
}

/* Of the treated of a group, so many would have been harmed anyway, give or take. */
struct anyway { double expected, variance; };

/* Harm beyond what control explains: k - E - 2 sqrt(V). */
static double beyond(uint32_t harmed, const struct anyway *anyway)
{
        double least = anyway->expected + 2 * sqrt(anyway->variance);
        return harmed > least ? harmed - least : 0;
}

/* The same, with room for noise so that it seldom reaches the budget by it, however long one looks. */
static double beyond_for_all_time(const struct rollout *rollout, const struct group *group, uint32_t harmed, const struct anyway *anyway)
{
        double budget = (double)rollout->policy.budget, error = silence_error / 2 / (group == rollout->groups ? 1 : rollout->group_count - 1);
        double least = anyway->expected + line_for_all_time(anyway->variance, budget, error) - budget, plain = beyond(harmed, anyway);
        return harmed > least ? fmin(plain, harmed - least) : 0;
}

/* The group's own share beside its neighbours', drawn to theirs while it has few: (seen + 1) / (expected + 1). The fleet is its own neighbour. */
static struct anyway standardise(const struct explained *over, const struct explained *running, bool is_fleet)
{
        double at_treated = over->at_treated + running->at_treated, at_control = over->at_control + running->at_control;
        double seen = over->seen_control + running->seen_control, spread = over->spread + running->spread;
        double own = is_fleet ? 1 : (seen + 1) / (at_control + 1), expected = at_treated * own;
        return (struct anyway){ expected, expected + own * own * spread + (is_fleet ? 0 : expected * expected / (seen + 1)) };
}

/* Of those whom no control was beside, control at other times has to say. */
static void add_elsewhere(struct anyway *anyway, uint32_t treated, uint32_t harmed, const struct arm *control)
{
        uint32_t settled = arm_settled(control);
        if (!treated || !settled)
                return;
        double expected = treated * ((double)harmed / settled);
        anyway->expected += expected;
        anyway->variance += expected * (1 + (double)treated / settled);
}

static struct anyway anyway_of(const struct rollout *rollout, const struct group *group, unsigned signal)
{
        const struct arm *control = &group->control;
        struct anyway anyway = standardise(&group->explained[signal], &group->running[signal], group == rollout->groups);
        if (signal == ROLLOUT_DARK)
                add_elsewhere(&anyway, group->unmatched, control->silent, control);
        else
                add_elsewhere(&anyway, group->uncompared, control->by_kind[signal], control);
        return anyway;
}

static void add(struct anyway *sum, const struct anyway *other)
{
        sum->expected += other->expected;
        sum->variance += other->variance;
}

/* Signal by signal, so that a fleet where many go dark anyway hides no crash; never less than for all of them at once. Silence is compared at the
 * deadline, where both arms are of one age; of what was too much then, no more can be harm than is still silent. */
static double attribute(const struct rollout *rollout, struct group *group)
{
        const struct arm *treated = &group->treated;
        uint32_t dark = treated->by_status[LEASE_DARK];
        struct anyway all = { 0 };
        double told = 0;
        if (!arm_hurt(treated))
                return group->silence = 0;
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++) {
                struct anyway anyway = anyway_of(rollout, group, kind);
                told += beyond(treated->by_kind[kind], &anyway);
                add(&all, &anyway);
        }
        struct anyway silent = anyway_of(rollout, group, ROLLOUT_DARK);
        if (!rollout->policy.bound_silence) {
                group->silence = fmin(beyond_for_all_time(rollout, group, treated->silent, &silent), dark);
                return group->silence + fmax(told, beyond(treated->by_status[LEASE_HARMED], &all));
        }
        add(&all, &silent);
        double at_once = fmin(beyond(treated->by_status[LEASE_HARMED] + treated->silent, &all), arm_hurt(treated));
        return fmax(told + fmin(beyond(treated->silent, &silent), dark), at_once);
}

/* Costly, and seldom asked for between two picks. */
static double bounded_excess(const struct group *group)
{
        return group->is_excess_stale ? bound_excess(group->treated.bound, group->control.bound) : group->excess;
}

double pacer_excess(const struct group *group)
{
        uint32_t settled = arm_settled(&group->treated);
        return fmin(1, bounded_excess(group) + (settled ? group->silence / settled : 0));
}

static bool has_room(const struct rollout *rollout, const struct group *group)
{
        double young = group->young + 1, open = arm_open(&group->treated) + 1, budget = (double)rollout->policy.budget + slack;
        return open + group->attributed <= budget || young * pacer_excess(group) + group->attributed <= budget;
}

static void set_flag(bool *flag, bool value, uint32_t *count)
{
        *count += (uint32_t)value - (uint32_t)*flag;
        *flag = value;
}

/* Spent: no budget left. Stuck: harm, no room, and nothing under way that could make any. */
static void judge_group(struct rollout *rollout, struct group *group)
{
        bool is_spent = group->attributed + slack >= (double)rollout->policy.budget;
        bool is_stuck = group->attributed > 0 && !group->young && !has_room(rollout, group);
        set_flag(&group->is_spent, is_spent, &rollout->spent_count);
        set_flag(&group->is_stuck, is_stuck, &rollout->stuck_count);
}

/* Accepted harm that turns out to be none leaves no room for other harm in its place. */
void pacer_refresh(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->dirty_count; i++) {
                struct group *group = &rollout->groups[rollout->dirty[i]];
                if (group->is_harm_stale) {
                        double harm = attribute(rollout, group);
                        group->accepted = fmin(group->accepted, harm);
                        group->attributed = harm - group->accepted;
                }
                group->is_dirty = group->is_harm_stale = false;
                judge_group(rollout, group);
        }
        rollout->dirty_count = 0;
}

void pacer_refresh_bounds(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                struct group *group = &rollout->groups[i];
                group->excess = bounded_excess(group);
                group->is_excess_stale = false;
        }
}

void pacer_accept(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                rollout->groups[i].accepted += rollout->groups[i].attributed;
                rollout->groups[i].attributed = 0;
                judge_group(rollout, &rollout->groups[i]);
        }
}

bool pacer_admits(const struct rollout *rollout, const struct rollout_device *device)
{
        bool admits = has_room(rollout, &rollout->groups[0]);
        for (unsigned i = 0; i < device->strata_count && admits; i++)
                admits = has_room(rollout, &rollout->groups[1 + device->strata[i]]);
        return admits;
}

bool pacer_is_spent(const struct rollout *rollout) { return rollout->spent_count > 0; }
bool pacer_is_stuck(const struct rollout *rollout) { return rollout->stuck_count > 0; }

static double at_most(double value, double most) { return value < most ? value : most; }

/* Both bounds of has_room(), solved for the number of new ones. */
uint32_t pacer_window(const struct rollout *rollout, const struct group *group)
{
        double left = (double)rollout->policy.budget - group->attributed + slack;
        if (left < 0)
                return 0;
        double by_open = floor(left) - arm_open(&group->treated), by_young = rollout->fleet, excess = pacer_excess(group);
        if (excess > 0)
                by_young = floor(left / excess) - group->young;
        double window = at_most(by_open > by_young ? by_open : by_young, rollout->leases_max - rollout->lease_count);
        return window <= 0 ? 0 : (uint32_t)at_most(window, rollout->fleet);
}

static int64_t cap_slot(const struct rollout *rollout, int64_t at_ms)
{
        return at_ms / (rollout->policy.bake_s * 1000 / (CAP_SLOTS - 1));
}

void pacer_count_exposed(struct rollout *rollout)
{
        int64_t slot = cap_slot(rollout, rollout->now_ms);
        struct cap *cap = &rollout->cap[slot % CAP_SLOTS];
        if (cap->slot != slot)
                *cap = (struct cap){ .slot = slot };
        cap->exposed++;
}

/* Whole sixteenths of a bake: up to one more than the last bake counts. */
uint32_t pacer_cap_left(const struct rollout *rollout, int64_t now_ms)
{
        int64_t newest = cap_slot(rollout, now_ms);
        uint64_t recent = 0;
        for (unsigned i = 0; i < CAP_SLOTS; i++)
                if (rollout->cap[i].slot > newest - CAP_SLOTS)
                        recent += rollout->cap[i].exposed;
        return recent >= (uint64_t)rollout->policy.cap_per_bake ? 0 : (uint32_t)((uint64_t)rollout->policy.cap_per_bake - recent);
}
