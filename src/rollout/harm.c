#include "rollout/harm.h"

#include <math.h>

/* How often chance may stop a harmless rollout, by any kind of harm in any group; half of it for the fleet. */
static const double error_of_all = 1e-3;

/* Where a sum of this variance may be at any time at once: the normal mixture's boundary (Robbins 1970; Howard et al., arXiv 1810.08240, eq. 14). It
 * is the budget where the variance is none, so that the first to be hurt count in full. */
static double line_for_all_time(double variance, double budget, double error)
{
        double surprise = -2 * log(error), about = budget * budget / surprise;
        return sqrt((variance + about) * (surprise + log1p(variance / about)));
}

double harm_deviations(uint32_t groups)
{
        return sqrt(4 + 2 * log(groups));
}

/* Of the treated of a group, so many would have been harmed anyway, give or take. */
struct anyway { double expected, variance; };

/* One question about a group: what is more than chance? So many standard deviations are likely to be. */
struct question { double budget, deviations, error; uint32_t settled; };

/* k - E less what chance adds: a binomial's variance, which is small when nearly all were harmed, and nearly none would have been anyway. Some of those who would have been harmed anyway
 * were harmed by the release as well (Abbott 1925: the share (p - p0) / (1 - p0)), so that a brick's harm is all its own. */
static struct harm beyond(const struct question *question, uint32_t harmed, const struct anyway *anyway)
{
        double n = question->settled, share = n > harmed ? 1 - harmed / n : 0, share_anyway = n > anyway->expected ? anyway->expected / n : 1;
        double variance = anyway->variance * fmax(share, share_anyway);
        double chance = question->deviations * sqrt(variance), seldom = fmax(chance, line_for_all_time(variance, question->budget, question->error) - question->budget);
        double excess = harmed - anyway->expected, whole = share_anyway < 1 ? 1 / (1 - share_anyway) : 1;
        return (struct harm){ fmin(harmed, fmax(0, excess - chance) * whole), fmin(harmed, fmax(0, excess - seldom) * whole), 0 };
}

static struct harm plus(struct harm a, struct harm b) { return (struct harm){ a.likely + b.likely, a.certain + b.certain, 0 }; }
static struct harm larger(struct harm a, struct harm b) { return (struct harm){ fmax(a.likely, b.likely), fmax(a.certain, b.certain), 0 }; }
static struct harm at_most(struct harm a, double most) { return (struct harm){ fmin(a.likely, most), fmin(a.certain, most), 0 }; }

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
struct harm harm_of(const struct rollout *rollout, const struct group *group)
{
        const struct arm *treated = &group->treated;
        bool is_fleet = group == rollout->groups, is_bounded = rollout->policy.bound_silence;
        const struct question question = { (double)rollout->policy.budget, rollout->deviations,
                                           error_of_all / 2 / (is_fleet ? 1 : rollout->group_count - 1) / (ROLLOUT_SIGNALS + 1), arm_settled(treated) };
        struct anyway all = { 0 };
        struct harm told = { 0 };
        if (!arm_hurt(treated))
                return told;
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++) {
                struct anyway anyway = anyway_of(rollout, group, kind);
                told = plus(told, beyond(&question, treated->by_kind[kind], &anyway));
                add(&all, &anyway);
        }
        struct anyway silent = anyway_of(rollout, group, ROLLOUT_DARK);
        struct harm silence = at_most(beyond(&question, treated->silent, &silent), treated->by_status[LEASE_DARK]), sum;
        if (is_bounded) {
                add(&all, &silent);
                sum = larger(plus(told, silence), at_most(beyond(&question, treated->by_status[LEASE_HARMED] + treated->silent, &all), arm_hurt(treated)));
        } else {
                silence.likely = silence.certain;
                sum = plus(silence, larger(told, beyond(&question, treated->by_status[LEASE_HARMED], &all)));
                sum.silence = silence.certain;
        }
        return sum;
}
