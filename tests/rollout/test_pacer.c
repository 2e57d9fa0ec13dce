#include "rollout/arms.h"

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

/* Ten crashed where no control was; elsewhere 1 in 10 of control did. */
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

TEST(pacer, stops_where_there_is_nothing_but_harm)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 30;
        small_init(&small, &policy, 60);
        struct group *stratum = &small.rollout->groups[2];
        const struct rollout_device of_it = { .strata = { 1 }, .strata_count = 1 };
        set(&small.rollout->groups[0].treated, 10, 4, 0);
        set(&stratum->treated, 0, 4, 0);
        refresh(&small, 0), refresh(&small, 2);
        CHECK(!pacer_is_spent(small.rollout) && pacer_admits(small.rollout, &of_it));
        CHECK(pacer_window(small.rollout, stratum) == 1);
        stratum->young = stratum->treated.by_status[LEASE_OPEN] = 1;      /* its word is awaited first */
        CHECK(!pacer_admits(small.rollout, &of_it) && !pacer_window(small.rollout, stratum));
        set(&stratum->treated, 0, 5, 0);
        refresh(&small, 2);
        CHECK(pacer_is_spent(small.rollout) && pacer_stop(small.rollout) == PACER_NOTHING_BUT_HARM);
        set(&stratum->treated, 1, 5, 0);
        refresh(&small, 2);
        CHECK(!pacer_is_spent(small.rollout) && pacer_admits(small.rollout, &of_it));
}

/* Of 3,000 exposed at once; of as many of control two were. */
TEST(pacer, takes_few_harmed_for_chance_however_wide_the_budget_is)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 3000;
        small_init(&small, &policy, 60);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->treated, 0, 12, 0);
        fleet->treated.by_status[LEASE_OPEN] = 2988;
        explain(fleet, ROLLOUT_CRASH, 3000, 3000, 2);
        refresh(&small, 0);
        CHECK(fleet->certain > 5 && !pacer_is_spent(small.rollout));
        explain(fleet, ROLLOUT_CRASH, 3000, 3000, 0);
        refresh(&small, 0);
        CHECK(pacer_is_spent(small.rollout) && pacer_stop(small.rollout) == PACER_NOTHING_BUT_HARM);
}

TEST(pacer, lets_one_in_at_a_time_where_all_harm_may_be_chance)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 30;
        small_init(&small, &policy, 60);
        struct group *fleet = &small.rollout->groups[0];
        fleet->attributed = 6;
        fleet->certain = 0;
        CHECK(pacer_window(small.rollout, fleet) == 1);
        fleet->treated.by_status[LEASE_OPEN] = fleet->young = 1;
        CHECK(pacer_window(small.rollout, fleet) == 0);
        fleet->certain = 1;
        fleet->treated.by_status[LEASE_OPEN] = fleet->young = 0;
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

/* Likely harm of more than B, of which two are certain: half of what is left may be under way. None is, and none can be: it holds. */
TEST(pacer, decides_in_the_end_though_harm_is_likely_and_not_certain)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 30;
        small_init(&small, &policy, 60);
        struct group *stratum = &small.rollout->groups[2];
        const struct rollout_device of_it = { .strata = { 1 }, .strata_count = 1 };
        stratum->treated.by_status[LEASE_PROVEN] = 1000;
        stratum->attributed = 90;
        stratum->certain = 2;
        CHECK(pacer_admits(small.rollout, &of_it) && pacer_window(small.rollout, stratum) == 14);
        stratum->certain = 28.5;
        CHECK(pacer_admits(small.rollout, &of_it) && pacer_window(small.rollout, stratum) == 1);
        stratum->certain = 29.3;
        CHECK(!pacer_admits(small.rollout, &of_it));
        book_dirty(small.rollout, stratum);
        pacer_refresh(small.rollout);
        CHECK(pacer_is_stuck(small.rollout));
}
