#include "rollout/harm.h"

#include <math.h>

/* How often chance may stop a harmless rollout, by any kind of harm in any group; half of it for the fleet. */
static const double error_of_all = 1e-3;

/* Where a sum of this variance may be at any time at once; surprise: -2 ln of the error that is allowed. The normal mixture's boundary (Robbins 1970; Howard et al., arXiv 1810.08240, eq. 14). It
 * is the budget where the variance is none, so that the first to be hurt count in full. */
static double line_for_all_time(double variance, double budget, double surprise)
{
        double about = budget * budget / surprise;
        return sqrt((variance + about) * (surprise + log1p(variance / about)));
}

double harm_deviations(uint32_t groups)
{
        return sqrt(4 + 2 * log(groups));
}

/* Of the treated of a group, so many would have been harmed anyway, give or take. */
struct anyway { double expected, variance; };

/* One question about a group: what is more than chance? So many standard deviations are likely to be. budget: what the first of a kind may cost before anything else is asked;
 * one_more: the variance of one event of control more. */
struct question { double budget, deviations, surprise, one_more; uint32_t settled; };

/* k - E less what chance adds: a binomial's variance, which is small when nearly all were harmed, and nearly none would have been anyway. Some of those who would have been harmed anyway
 * were harmed by the release as well (Abbott 1925: the share (p - p0) / (1 - p0)), so that a brick's harm is all its own. */
static struct harm beyond(const struct question *question, uint32_t harmed, const struct anyway *anyway)
{
        if (harmed <= anyway->expected)
                return (struct harm){ 0 };
        double n = question->settled, share = n > harmed ? 1 - harmed / n : 0, share_anyway = n > anyway->expected ? anyway->expected / n : 1;
        double variance = anyway->variance * fmax(share, share_anyway);
        double chance = question->deviations * sqrt(variance), seldom = fmax(chance, line_for_all_time(variance, question->budget, question->surprise) - question->budget);
        double excess = harmed - anyway->expected, whole = share_anyway < 1 ? 1 / (1 - share_anyway) : 1;
        return (struct harm){ fmin(harmed, fmax(0, excess - chance) * whole), fmin(harmed, fmax(0, excess - seldom) * whole), 0, 0 };
}

static struct harm less(struct harm a, struct harm b) { return (struct harm){ fmax(0, a.likely - b.likely), fmax(0, a.certain - b.certain), 0, 0 }; }
static struct harm plus(struct harm a, struct harm b) { return (struct harm){ a.likely + b.likely, a.certain + b.certain, 0, 0 }; }
static struct harm larger(struct harm a, struct harm b) { return (struct harm){ fmax(a.likely, b.likely), fmax(a.certain, b.certain), 0, 0 }; }
static struct harm at_most(struct harm a, double most) { return (struct harm){ fmin(a.likely, most), fmin(a.certain, most), 0, 0 }; }

static struct explained sum_of(const struct explained *over, const struct explained *running)
{
        return (struct explained){ over->at_treated + running->at_treated, over->spread + running->spread, weighed_sum(over->at_control, running->at_control),
                                    weighed_sum(over->seen_control, running->seen_control) };
}

/* What one event of control more would stand for: as much as all do on average. */
static double of_one(const struct weighed *all) { return all->count > 0 ? all->sum / all->count : 1; }

/* At so many times what befalls its neighbours; the fleet is its own neighbour. */
static struct anyway at_share(const struct explained *explained, double own, bool is_fleet)
{
        const struct weighed *seen = &explained->seen_control;
        double expected = explained->at_treated * own, one = of_one(&explained->at_control), sum = seen->sum + one;
        return (struct anyway){ expected, expected + own * own * explained->spread + (is_fleet ? 0 : expected * expected * (seen->squares + one * one) / (sum * sum)) };
}

/* The group's own share beside its neighbours', drawn to theirs while it has few. */
static double own_share(const struct explained *explained)
{
        double one = of_one(&explained->at_control);
        return (explained->seen_control.sum + one) / (explained->at_control.sum + one);
}

static struct anyway standardise(const struct explained *over, const struct explained *running, bool is_fleet)
{
        const struct explained sum = sum_of(over, running);
        return at_share(&sum, is_fleet ? 1 : own_share(&sum), is_fleet);
}

/* The few that are watched as control of a stratum may have had luck: what befalls fewer of them than of their neighbours is no sign that it does, and an old model may be as flaky as the 95 %
 * bound (Anscombe 1948) of what befell its own control leaves open. */
static double share_of_watched(const struct explained *explained)
{
        double root = sqrt(explained->seen_control.count + 1) + .82, bound = explained->at_control.count > 0 ? root * root / explained->at_control.count : HARM_FLAKY;
        return fmax(1, fmax(own_share(explained), fmin(HARM_FLAKY, bound)));
}

static struct anyway standardise_watched(const struct explained *over, const struct explained *running, bool is_fleet)
{
        const struct explained sum = sum_of(over, running);
        return at_share(&sum, is_fleet ? 1 : share_of_watched(&sum), is_fleet);
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

/* Where one of control stands for many, and by chance none of them fell silent, no variance is seen there. So it is reckoned from the rate of all control. */
static double spread_of_silence(const struct rollout *rollout, const struct group *group)
{
        const struct arm *treated = &rollout->groups[0].treated, *control = &rollout->groups[0].control;
        double settled = arm_settled(treated), share = settled > 0 ? arm_settled(&group->treated) / settled : 0;
        double rate = arm_settled(control) ? (double)control->silent / arm_settled(control) : 0;
        return share * share * rollout->silence_spread * rate;
}

static uint32_t in_time(const struct arm *arm, unsigned kind) { return arm->by_kind[kind] - arm->later[kind] - arm->late[kind]; }

static struct anyway anyway_of(const struct rollout *rollout, const struct group *group, unsigned signal)
{
        const struct arm *control = &group->control;
        struct anyway anyway = standardise(&group->explained[signal], &group->running[signal], group == rollout->groups);
        if (signal == ROLLOUT_DARK) {
                anyway.variance = fmax(anyway.variance, anyway.expected + spread_of_silence(rollout, group));
                add_elsewhere(&anyway, group->unmatched, control->silent, control);
        } else {
                add_elsewhere(&anyway, group->uncompared, in_time(control, signal), control);
        }
        return anyway;
}

/* While control had none, nothing would be explained, and all be certain; so one is reckoned with where control is few beside many: eight treated for each, or fifty, when
 * the held-out alone are left. So few as CONTROL_LEAST say nothing: then all counts. */
double harm_of_one_event(double treated, double control)
{
        enum { CONTROL_LEAST = 8 };
        return control >= CONTROL_LEAST && treated > control ? treated * treated / (control * control) - 1 : 0;
}

/* Told by those who are watched. */
static struct harm later_of(const struct rollout *rollout, const struct group *group, const struct question *question)
{
        const struct arm *treated = &group->treated;
        struct harm later = { 0 };
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++) {
                unsigned as = EXPLAINS_LATER + kind;
                struct anyway anyway = standardise_watched(&group->explained[as], &group->running[as], group == rollout->groups);
                anyway.variance += group->late_event;
                if (treated->later[kind])
                        later = plus(later, beyond(question, treated->later[kind], &anyway));
        }
        return later;
}

/* Of a sample of the watched ones, those that are silent now beyond control: for all of them. A few of a sample are a few hundred of a fleet, so that it is asked as a fleet of its
 * size would be, but not for less than ten: below that, one arm may well have lost all of them by chance. */
static double loss_of(const struct rollout *rollout, const struct group *group, const struct question *question)
{
        static const struct explained none;
        static const double few = 10;
        const struct arm *treated = &group->treated;
        if (!treated->lost)
                return 0;
        double scale = (double)treated->watched / treated->listened, of_sample = question->budget / scale;
        struct anyway anyway = standardise_watched(&group->explained[EXPLAINS_LOSS], &none, group == rollout->groups);
        double variance = anyway.variance - anyway.expected;      /* the spread is all of it */
        double line = line_for_all_time(variance, fmax(of_sample, fmin(question->budget, few)), question->surprise);
        return fmax(0, treated->lost - anyway.expected - line + of_sample) * scale;
}

static void add(struct anyway *sum, const struct anyway *other)
{
        sum->expected += other->expected;
        sum->variance += other->variance;
}

/* Of the silence that control explains so much would tell of harm later: the share of control's silence that did, at its 95 % bound, for few of them say little. Each counts as the exposures that it
 * stands for, as its silence does; the next one to tell as the silent do on average. Where all stand for as many it is Anscombe's bound (1948). */
static struct anyway late_of(const struct arm *control, const struct anyway *silent)
{
        static const double deviations = 1.64, square = .82 * .82;
        const struct weighed *told = &control->late_for, *all = &control->silent_for;
        double share = 1;
        if (all->sum > 0) {
                double next = of_one(all);
                share = fmin(1, (told->sum + (1 + square) * next + deviations * sqrt(told->squares + next * next)) / all->sum);
        }
        return (struct anyway){ silent->expected * share, silent->variance * share };
}

/* Signal by signal, so that a fleet where many go dark anyway hides no crash; never less than for all of them at once. Silence is compared at the
 * deadline, where both arms are of one age; of what was too much then, no more can be harm than is still silent, or has told of harm since. That is told, but is no event of a cell, whose time is
 * over: it is compared with the silence, and with what the silent of control told (decision 013). */
static struct harm in_time_of(const struct rollout *rollout, const struct group *group, const struct question *question)
{
        const struct arm *treated = &group->treated;
        struct anyway all = { 0 };
        struct harm told = { 0 };
        uint32_t harmed = 0, late = 0;
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++) {
                struct anyway anyway = anyway_of(rollout, group, kind), with_one_more = { anyway.expected, anyway.variance + question->one_more };
                told = plus(told, beyond(question, in_time(treated, kind), &with_one_more));
                harmed += in_time(treated, kind);
                late += treated->late[kind];
                add(&all, &anyway);
        }
        all.variance += question->one_more;
        struct anyway silent = anyway_of(rollout, group, ROLLOUT_DARK);
        struct harm silence = beyond(question, treated->silent, &silent), sum;
        struct anyway late_anyway = late_of(&group->control, &silent);
        struct harm told_late = larger(at_most(silence, late), beyond(question, late, &late_anyway));
        silence = at_most(less(silence, told_late), treated->by_status[LEASE_DARK]);
        if (rollout->policy.bound_silence) {
                add(&all, &silent);
                return larger(plus(plus(told, told_late), silence), at_most(beyond(question, harmed + treated->silent, &all), harmed + late + treated->by_status[LEASE_DARK]));
        }
        silence.likely = silence.certain;
        sum = plus(plus(silence, told_late), larger(told, beyond(question, harmed, &all)));
        sum.silence = silence.certain;
        return sum;
}

static struct question question_of(const struct rollout *rollout, const struct group *group, double budget)
{
        uint32_t groups = group == rollout->groups ? 1 : rollout->group_count - 1;
        return (struct question){ .budget = budget, .deviations = rollout->deviations, .surprise = -2 * log(error_of_all / 2 / groups / (EXPLAINED + 1)) };
}

static struct harm ask(const struct rollout *rollout, const struct group *group, const struct question *question)
{
        struct harm harm = { 0 };
        if (arm_hurt(&group->treated)) {
                struct harm later = later_of(rollout, group, question);
                harm = in_time_of(rollout, group, question);
                harm.likely += later.likely;
                harm.certain += later.certain;
        }
        harm.lost = loss_of(rollout, group, question);
        return harm;
}

struct harm harm_of(const struct rollout *rollout, const struct group *group)
{
        struct question question = question_of(rollout, group, (double)rollout->policy.budget);
        question.settled = arm_settled(&group->treated);
        question.one_more = group->treated.by_status[LEASE_PROVEN] ? group->bake_event : 0;      /* where there is nothing but harm, none of it is chance */
        return ask(rollout, group, &question);
}

double harm_unrelieved(const struct rollout *rollout, const struct group *group, double few)
{
        struct question question = question_of(rollout, group, few);
        question.settled = arm_exposed(&group->treated);
        question.one_more = group->bake_event;
        return ask(rollout, group, &question).certain;
}
