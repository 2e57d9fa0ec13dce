#include "rollout/pacer.h"

#include "rollout/harm.h"

#include <assert.h>
#include <math.h>

/* Sums of eighths and the like must not lose a device to rounding. */
static const double slack = 1e-9;

static double at_most(double value, double most) { return value < most ? value : most; }

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

static bool has_room(const struct rollout *rollout, const struct group *group, double harm)
{
        double young = group->young + 1, open = arm_open(&group->treated) + 1, budget = (double)rollout->policy.budget + slack;
        return open + harm <= budget || young * pacer_excess(group) + harm <= budget;
}

/* Harm that is likely, but may be chance, would close the window for good, for nothing would be learned any more: as many as half of what is certainly left go on at a time. */
static double few(const struct rollout *rollout, const struct group *group)
{
        double left = (double)rollout->policy.budget - group->certain + slack;
        return group->attributed > 0 && left >= 1 ? fmax(1, floor(left / 2)) : 0;
}

/* Harm of so many, and nobody has it proven: whoever came next would be harmed, too. Before that no more are let in than would make it so; one at a time, if
 * it may all be chance. */
static double some(const struct rollout *rollout) { return at_most(5, (double)rollout->policy.budget) + slack; }

static double without_good_news(const struct rollout *rollout, const struct group *group)
{
        bool has_only_harm = group->attributed > 0 && !group->treated.by_status[LEASE_PROVEN];
        double left = floor(some(rollout) - group->attributed), least = group->certain > 0 ? 0 : 1;
        return has_only_harm ? fmax(left, least) - arm_open(&group->treated) : rollout->fleet;
}

static bool admits(const struct rollout *rollout, const struct group *group)
{
        if (without_good_news(rollout, group) < 1)
                return false;
        return has_room(rollout, group, group->attributed) || arm_open(&group->treated) + 1 <= few(rollout, group);
}

static void set_flag(bool *flag, bool value, uint32_t *count)
{
        *count += (uint32_t)value - (uint32_t)*flag;
        *flag = value;
}

static double unrelieved_harm(const struct rollout *rollout, const struct group *group)
{
        return group->treated.by_status[LEASE_PROVEN] || group->certain <= 0 ? 0 : fmax(0, harm_unrelieved(rollout, group, some(rollout)) - group->accepted) + group->lost;
}

static bool is_nothing_but_harm(const struct rollout *rollout, const struct group *group)
{
        return group->unrelieved + 2 * slack >= some(rollout) && !group->treated.by_status[LEASE_PROVEN];
}

/* Spent: no budget left, or nothing to spend it on. Stuck: harm, no room, and nothing under way that could make any. What may be chance only makes it wait. */
static void judge_group(struct rollout *rollout, struct group *group)
{
        bool is_spent = group->certain + slack >= (double)rollout->policy.budget || is_nothing_but_harm(rollout, group);
        bool is_stuck = group->certain > 0 && !group->young && !admits(rollout, group);
        set_flag(&group->is_spent, is_spent, &rollout->spent_count);
        set_flag(&group->is_stuck, is_stuck, &rollout->stuck_count);
}

/* Accepted harm that turns out to be none leaves no room for other harm in its place. */
void pacer_refresh(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->dirty_count; i++) {
                struct group *group = &rollout->groups[rollout->dirty[i]];
                if (group->is_harm_stale) {
                        struct harm harm = harm_of(rollout, group);
                        group->accepted = fmin(group->accepted, harm.likely);
                        group->accepted_lost = fmin(group->accepted_lost, harm.lost);
                        group->lost = harm.lost - group->accepted_lost;
                        group->attributed = harm.likely - group->accepted + group->lost;
                        group->certain = fmax(0, harm.certain - group->accepted) + group->lost;
                        group->silence = harm.silence;
                        group->unrelieved = unrelieved_harm(rollout, group);
                }
                group->is_dirty = group->is_harm_stale = false;
                judge_group(rollout, group);
        }
        rollout->dirty_count = 0;
}

enum pacer_stop pacer_stop(const struct rollout *rollout)
{
        enum pacer_stop stop = PACER_NO_ROOM;
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                const struct group *group = &rollout->groups[i];
                if (group->certain + slack >= (double)rollout->policy.budget)
                        return group->lost > 0 ? PACER_LOST : PACER_SPENT;
                if (group->is_spent || (group->is_stuck && !group->treated.by_status[LEASE_PROVEN]))
                        stop = PACER_NOTHING_BUT_HARM;
        }
        return stop;
}

void pacer_refresh_bounds(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                struct group *group = &rollout->groups[i];
                group->excess = bounded_excess(group);
                group->is_excess_stale = false;
        }
}

void pacer_close(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++)
                rollout->groups[i].is_closed = !admits(rollout, &rollout->groups[i]);
}

void pacer_accept(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                struct group *group = &rollout->groups[i];
                group->accepted_lost += group->lost;
                group->accepted += group->attributed - group->lost;
                group->lost = group->attributed = group->certain = group->unrelieved = 0;
                judge_group(rollout, group);
        }
}

bool pacer_admits(const struct rollout *rollout, const struct rollout_device *device)
{
        bool is_admitted = admits(rollout, &rollout->groups[0]);
        for (unsigned i = 0; i < device->strata_count && is_admitted; i++)
                is_admitted = admits(rollout, &rollout->groups[1 + device->strata[i]]);
        return is_admitted;
}

bool pacer_is_spent(const struct rollout *rollout) { return rollout->spent_count > 0; }

/* What is certain stops it, what is likely slows it down. */
struct rollout_spent pacer_spent(const struct rollout *rollout)
{
        const struct group *nearest = &rollout->groups[0];
        for (const struct group *group = nearest + 1; group < rollout->groups + rollout->group_count; group++)
                if (group->certain > nearest->certain || (group->certain >= nearest->certain && group->attributed > nearest->attributed))
                        nearest = group;
        return (struct rollout_spent){ (int32_t)(nearest - rollout->groups) - 1, (uint32_t)ceil(fmax(0, nearest->attributed - slack)), (uint32_t)floor(nearest->certain + slack) };
}
bool pacer_is_stuck(const struct rollout *rollout) { return rollout->stuck_count > 0; }

uint32_t pacer_window(const struct rollout *rollout, const struct group *group)
{
        return pacer_window_at(rollout, group, pacer_excess(group));
}

/* admits(), solved for the number of new ones. */
uint32_t pacer_window_at(const struct rollout *rollout, const struct group *group, double excess)
{
        double left = fmax(0, (double)rollout->policy.budget - group->attributed + slack);
        double by_open = fmax(floor(left), few(rollout, group)) - arm_open(&group->treated), by_young = rollout->fleet;
        if (excess > 0)
                by_young = floor(left / excess) - group->young;
        double window = at_most(by_open > by_young ? by_open : by_young, rollout->leases_max - rollout->lease_count);
        window = at_most(window, without_good_news(rollout, group));
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
static uint32_t cap_left(const struct rollout *rollout, int64_t now_ms)
{
        int64_t newest = cap_slot(rollout, now_ms);
        uint64_t recent = 0;
        for (unsigned i = 0; i < CAP_SLOTS; i++)
                if (rollout->cap[i].slot > newest - CAP_SLOTS)
                        recent += rollout->cap[i].exposed;
        return recent >= (uint64_t)rollout->policy.cap_per_bake ? 0 : (uint32_t)((uint64_t)rollout->policy.cap_per_bake - recent);
}

struct ceiling_room pacer_ceiling(const struct rollout *rollout, int64_t now_ms)
{
        uint32_t most = rollout->step_count ? 0 : UINT32_MAX, exposed = arm_exposed(&rollout->groups[0].treated);
        struct ceiling_room room = { 0, NEVER };
        for (size_t i = 0; i < rollout->step_count && room.next_ms == NEVER; i++) {
                const struct rollout_step *step = &rollout->steps[i];
                if (step->from_ms <= now_ms)
                        most = step->exposed_max;
                else if (step->exposed_max > exposed)
                        room.next_ms = step->from_ms;
        }
        room.left = most > exposed ? most - exposed : 0;
        return room;
}

/* What shows at once should not meet the whole window at once: beyond the budget it is handed out over half a bake, an eighth in each sixteenth. */
static uint32_t spread_left(const struct rollout *rollout, int64_t now_ms)
{
        enum { PARTS = 8 };
        const struct group *fleet = &rollout->groups[0];
        const struct cap *cap = &rollout->cap[cap_slot(rollout, now_ms) % CAP_SLOTS];
        uint32_t taken = cap->slot == cap_slot(rollout, now_ms) ? cap->exposed : 0;
        uint64_t part = ((uint64_t)fleet->young + pacer_window(rollout, fleet)) / PARTS, least = (uint64_t)rollout->policy.budget;
        part = part > least ? part : least;
        return part > taken ? (uint32_t)(part - taken) : 0;
}

bool pacer_is_capped(const struct rollout *rollout, int64_t now_ms)
{
        return !cap_left(rollout, now_ms) || !pacer_ceiling(rollout, now_ms).left;
}

uint32_t pacer_left(const struct rollout *rollout, int64_t now_ms)
{
        uint32_t cap = cap_left(rollout, now_ms), spread = spread_left(rollout, now_ms), room = pacer_ceiling(rollout, now_ms).left;
        uint32_t left = cap < spread ? cap : spread;
        return left < room ? left : room;
}
