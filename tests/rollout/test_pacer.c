#include "rollout/pacer.h"

#include "rollout/small.h"

#include <math.h>

static bool is_near(double a, double b)
{
        return fabs(a - b) < 1e-9;
}

static void set(struct arm *arm, uint32_t proven, uint32_t crashed, uint32_t dark)
{
        arm->by_status[LEASE_PROVEN] = proven;
        arm->by_status[LEASE_HARMED] = arm->by_kind[ROLLOUT_CRASH] = crashed;
        arm->by_status[LEASE_DARK] = arm->silent = dark;
}

/* What the gate makes of `n` treated beside `n_control`, all at one time. */
static void explain(struct group *group, unsigned signal, double n, double n_control, double control_harmed)
{
        double rate = control_harmed / n_control;
        group->explained[signal] = (struct explained){ n * rate, n_control * rate, control_harmed, n * n * rate / n_control };
}

static void refresh(struct small *small, unsigned group)
{
        book_harm(small->rollout, &small->rollout->groups[group]);
        pacer_refresh(small->rollout);
}

static double attributed(struct small *small)
{
        refresh(small, 0);
        return small->rollout->groups[0].attributed;
}

/* 1,000 treated, 4,000 control, both with 1 % dark: 10 expected, and 2 sqrt(10 x 1.25) of noise. */
TEST(attributed, is_what_the_baseline_does_not_explain)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        set(&small.rollout->groups[0].control, 3960, 0, 40);
        set(&small.rollout->groups[0].treated, 970, 0, 30);
        explain(&small.rollout->groups[0], ROLLOUT_DARK, 1000, 4000, 40);
        CHECK(is_near(attributed(&small), 30 - 10 - 2 * sqrt(12.5)));
        set(&small.rollout->groups[0].treated, 990, 0, 10);
        CHECK(attributed(&small) <= 0);
}

TEST(attributed, lets_no_dark_baseline_hide_a_crash)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        set(&small.rollout->groups[0].control, 3960, 0, 40);
        set(&small.rollout->groups[0].treated, 986, 4, 10);
        explain(&small.rollout->groups[0], ROLLOUT_DARK, 1000, 4000, 40);
        CHECK(is_near(attributed(&small), 4));      /* all in all 14 of 1,000 would be within the noise */
}

/* 100,000 treated with 20 controls in 100: 500 are dark anyway, give or take 55; two such steps hold no harmless rollout that one only looks at silence of. */
TEST(attributed, takes_more_silence_to_stop_when_silence_is_not_bounded)
{
        OWN(small) struct small bounded, seen;
        struct rollout_policy policy = small_policy();
        small_init(&bounded, &policy, 10);
        policy.bound_silence = 0;
        small_init(&seen, &policy, 10);
        struct small *both[] = { &bounded, &seen };
        for (unsigned i = 0; i < 2; i++) {
                set(&both[i]->rollout->groups[0].control, 19900, 0, 100);
                set(&both[i]->rollout->groups[0].treated, 99380, 0, 620);
                explain(&both[i]->rollout->groups[0], ROLLOUT_DARK, 100000, 20000, 100);
        }
        CHECK(is_near(attributed(&bounded), 120 - 2 * sqrt(3000)) && attributed(&bounded) > 5 && attributed(&seen) <= 0);
        set(&seen.rollout->groups[0].treated, 99000, 0, 1000);
        CHECK(attributed(&seen) > 5);
        small_done(&seen);
}

/* Of the first ones all harm is attributed, told or not: a brick that stays silent finds no more room. */
TEST(attributed, counts_the_first_silent_ones_in_full_though_silence_is_not_bounded)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.bound_silence = 0;
        small_init(&small, &policy, 10);
        set(&small.rollout->groups[0].control, 20, 0, 0);
        set(&small.rollout->groups[0].treated, 0, 0, 5);
        CHECK(is_near(attributed(&small), 5) && pacer_is_spent(small.rollout));
}

/* What was seen of a silence goes on at its rate: 4 of 40, and one more for each ten that are let in. */
TEST(pacer, takes_the_silence_seen_for_the_silence_to_come)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.bound_silence = 0;
        policy.budget = 8;
        small_init(&small, &policy, 60);
        struct group *group = &small.rollout->groups[0];
        set(&group->control, 160, 0, 0);
        set(&group->treated, 36, 0, 4);
        refresh(&small, 0);
        group->excess = 0;
        group->is_excess_stale = false;
        CHECK(is_near(pacer_excess(group), 0.1) && pacer_window(small.rollout, group) == 40);
}

/* 70 silent at the deadline where control explains 40; by morning all but 5 were heard of. */
TEST(attributed, is_no_more_silence_than_is_still_there)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 1600, 0, 400);
        set(&fleet->treated, 130, 0, 70);
        explain(fleet, ROLLOUT_DARK, 200, 2000, 400);
        CHECK(is_near(attributed(&small), 30 - 2 * sqrt(44)));
        fleet->treated.by_status[LEASE_DARK] = 5;
        fleet->treated.by_status[LEASE_PROVEN] = 195;
        CHECK(is_near(attributed(&small), 5));
}

/* Ten times as many of this stratum fall silent as of their neighbours, control as well as treated. */
TEST(attributed, knows_a_stratum_that_was_always_worse_than_its_neighbours)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *stratum = &small.rollout->groups[1];
        set(&stratum->control, 900, 0, 100);
        set(&stratum->treated, 90, 0, 10);
        stratum->explained[ROLLOUT_DARK] = (struct explained){ .at_treated = 1, .at_control = 10, .seen_control = 100, .spread = 0.1 };
        refresh(&small, 1);
        CHECK(stratum->attributed <= 0);
        stratum->explained[ROLLOUT_DARK].seen_control = 10;
        refresh(&small, 1);
        CHECK(is_near(stratum->attributed, 10 - 1 - 2 * sqrt(1 + 0.1 + 1.0 / 11)));
}

/* Ten crashed where no control was; elsewhere 1 in 10 of control did. */
TEST(attributed, asks_control_elsewhere_for_those_that_had_none)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 90, 10, 0);
        set(&fleet->treated, 40, 10, 0);
        fleet->uncompared = 50;
        CHECK(attributed(&small) <= 0);
        fleet->uncompared = 10;
        CHECK(is_near(attributed(&small), 10 - 1 - 2 * sqrt(1.1)));
}

TEST(attributed, is_all_of_it_without_control)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        set(&small.rollout->groups[0].treated, 10, 2, 1);
        CHECK(is_near(attributed(&small), 3));
}

TEST(pacer_window, is_the_wider_of_certain_harm_and_likely_harm)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 64);
        struct group *fleet = &small.rollout->groups[0];
        CHECK(pacer_window(small.rollout, fleet) == 5);
        fleet->is_excess_stale = false, fleet->excess = 0.1;
        CHECK(pacer_window(small.rollout, fleet) == 50);
        fleet->young = 47;
        fleet->treated.by_status[LEASE_OPEN] = 3;
        CHECK(pacer_window(small.rollout, fleet) == 3);
        fleet->young = 60;
        CHECK(pacer_window(small.rollout, fleet) == 2);
        fleet->attributed = 2.5;
        CHECK(pacer_window(small.rollout, fleet) == 0);
}

/* Whatever pacer_window() says, so many are admitted, and no more. */
TEST(pacer_window, agrees_with_who_is_admitted)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 64);
        struct group *fleet = &small.rollout->groups[0];
        const struct rollout_device nobody = { .strata_count = 0 };
        for (unsigned tenths = 1; tenths <= 10; tenths++)
                for (unsigned harm = 0; harm <= 50; harm += 7) {
                        fleet->young = fleet->treated.by_status[LEASE_OPEN] = 0;
                        fleet->is_excess_stale = false, fleet->excess = tenths / 10.0;
                        fleet->attributed = harm / 10.0;
                        for (uint32_t left = pacer_window(small.rollout, fleet); left; left--) {
                                CHECK(pacer_admits(small.rollout, &nobody));
                                fleet->young++;
                                fleet->treated.by_status[LEASE_OPEN]++;
                        }
                        CHECK(!pacer_admits(small.rollout, &nobody) && pacer_window(small.rollout, fleet) == 0);
                }
}

TEST(pacer, says_when_nothing_under_way_could_make_room)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *stratum = &small.rollout->groups[2];
        set(&stratum->control, 998, 2, 0);
        set(&stratum->treated, 1, 5, 0);          /* all but about 0.2 of 5 */
        explain(stratum, ROLLOUT_CRASH, 6, 1000, 2);
        refresh(&small, 2);
        CHECK(pacer_is_stuck(small.rollout) && !pacer_is_spent(small.rollout));
        stratum->young = 1;
        refresh(&small, 2);
        CHECK(!pacer_is_stuck(small.rollout) && !pacer_is_spent(small.rollout));
        set(&stratum->treated, 1, 6, 0);
        refresh(&small, 2);
        CHECK(pacer_is_spent(small.rollout));
}
