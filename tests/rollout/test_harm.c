#include "rollout/harm.h"

#include "rollout/arms.h"

TEST(attributed, is_what_the_baseline_does_not_explain)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        set(&small.rollout->groups[0].control, 3960, 0, 40);
        set(&small.rollout->groups[0].treated, 970, 0, 30);
        explain(&small.rollout->groups[0], ROLLOUT_DARK, 1000, 4000, 40);
        CHECK(is_near(attributed(&small), by_hand(30, 1000, 10, 12.5)));
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
                set(&both[i]->rollout->groups[0].treated, 99300, 0, 700);
                explain(&both[i]->rollout->groups[0], ROLLOUT_DARK, 100000, 20000, 100);
        }
        CHECK(is_near(attributed(&bounded), by_hand(700, 100000, 500, 3000)) && attributed(&bounded) > 5 && attributed(&seen) <= 0);
        set(&seen.rollout->groups[0].treated, 99000, 0, 1000);
        CHECK(attributed(&seen) > 5);
        small_done(&seen);
}

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

/* Of 1,000 treated 40 were silent at their deadline, and 30 of them have told of a crash since. `silent` of 4,000 of control were silent, and `late` of them told of one. */
static double told_late(int64_t bound_silence, uint32_t silent, uint32_t late)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.bound_silence = bound_silence;
        small_init(&small, &policy, 10);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 4000 - silent, late, silent - late);
        set(&fleet->treated, 960, 30, 10);
        fleet->control.silent = silent;
        fleet->control.late[ROLLOUT_CRASH] = late;
        fleet->control.silent_for = weighed(silent, .25);
        fleet->control.late_for = weighed(late, .25);
        fleet->treated.late[ROLLOUT_CRASH] = 30;
        fleet->treated.silent = 40;
        if (silent)
                explain(fleet, ROLLOUT_DARK, 1000, 4000, silent);
        return attributed(&small);
}

TEST(attributed, compares_what_the_silent_tell_later_with_what_the_silent_of_control_do)
{
        for (int64_t bound_silence = 0; bound_silence < 2; bound_silence++) {
                CHECK(told_late(bound_silence, 0, 0) > 30);
                CHECK(told_late(bound_silence, 160, 120) <= 0);
                CHECK(told_late(bound_silence, 160, 0) > 20);      /* as many were silent, but none of control had crashed */
        }
}

/* Control of the first hour stood for a quarter of an exposure each, and went dark without a word; then came a power cut, when each stood for eight: all who were dark tell of a crash, in both arms. */
TEST(attributed, weighs_what_the_silent_of_control_tell_as_their_silence)
{
        enum { EARLY = 160, IN_THE_CUT = 20 };
        for (int64_t bound_silence = 0; bound_silence < 2; bound_silence++) {
                OWN(small) struct small small;
                struct rollout_policy policy = small_policy();
                policy.bound_silence = bound_silence;
                small_init(&small, &policy, 10);
                struct group *fleet = &small.rollout->groups[0];
                struct weighed early = weighed(EARLY, .25), cut = weighed(IN_THE_CUT, 8);
                set(&fleet->control, 4000, IN_THE_CUT, EARLY);
                set(&fleet->treated, 2000, 160, 40);
                fleet->control.silent = EARLY + IN_THE_CUT;
                fleet->control.late[ROLLOUT_CRASH] = IN_THE_CUT;
                fleet->treated.silent = 200;
                fleet->treated.late[ROLLOUT_CRASH] = 160;
                fleet->explained[ROLLOUT_DARK] = (struct explained){ 200, early.squares + cut.squares, weighed(EARLY + IN_THE_CUT, 1), weighed(EARLY + IN_THE_CUT, 1) };
                fleet->control.silent_for = weighed_sum(early, cut);
                fleet->control.late_for = cut;
                CHECK(attributed(&small) <= 0);
                fleet->control.late_for = weighed(IN_THE_CUT, .25);      /* it was the early ones that told: then nothing explains those of the cut */
                CHECK(attributed(&small) > 20);
        }
}

/* Of the dark that spoke again nothing is left but what they tell when they are watched: that counts once. */
TEST(attributed, counts_no_silence_that_is_over)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 20, 0, 0);
        set(&fleet->treated, 20, 20, 0);
        fleet->treated.silent = 20;
        fleet->treated.later[ROLLOUT_CRASH] = 20;
        CHECK(is_near(attributed(&small), 20));
}

TEST(attributed, knows_who_told_of_harm_after_the_dark)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 1);
        small_wait(&small, 16000);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 2);
        const struct arm *treated = &small.rollout->groups[0].treated;
        CHECK(treated->by_kind[ROLLOUT_CRASH] == 3 && treated->late[ROLLOUT_CRASH] == 2 && treated->silent == 4 && treated->by_status[LEASE_DARK] == 2);
}

/* Four of control for each exposure: each stands for a quarter of one. */
TEST(attributed, knows_what_each_of_control_stands_for)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 12);
        small_wait(&small, 16000);
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_HARMED, 3);
        const struct arm *control = &small.rollout->groups[0].control;
        CHECK(control->silent == 8 && is_near(control->silent_for.count, 8) && is_near(control->silent_for.sum, 8 * .25) && is_near(control->silent_for.squares, 8 * .0625));
        CHECK(control->late[ROLLOUT_CRASH] == 3 && is_near(control->late_for.sum, 3 * .25) && is_near(control->late_for.squares, 3 * .0625));
        CHECK(is_near(small.rollout->groups[0].treated.silent_for.sum, 0));
        small_wait(&small, 1000);      /* the slot is over */
        const struct explained *explained = &small.rollout->groups[0].explained[ROLLOUT_DARK];
        CHECK(is_near(explained->seen_control.count, 8) && is_near(explained->seen_control.sum, 8 * .25) && is_near(explained->at_control.sum, 8 * .25));
}

/* Held out: a share of what would be exposed is control besides. A byte keeps it within 5 %. */
TEST(attributed, keeps_what_one_of_control_stands_for_in_a_byte)
{
        const struct { int64_t controls, holdout_ppm; double exposures; } rows[] = { { 4, 0, .25 }, { 4, 20000, .98 / 4.02 }, { 1, 0, 1 }, { 1, 500000, .5 / 1.5 }, { 6, 20000, .98 / 6.02 } };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                OWN(small) struct small small;
                struct rollout_policy policy = small_policy();
                policy.controls = rows[i].controls;
                policy.holdout_ppm = rows[i].holdout_ppm;
                small_init(&small, &policy, 40);
                (void)small_pick(&small);
                const struct lease *leases = small.rollout->leases;
                for (uint32_t at = 0; at < small.rollout->lease_count; at++)
                        CHECK(fabs(weight_of_byte(leases[at].stands_for) / rows[i].exposures - 1) < .05);
        }
}

TEST(attributed, is_no_more_silence_than_is_still_there)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 1600, 0, 400);
        set(&fleet->treated, 130, 0, 70);
        explain(fleet, ROLLOUT_DARK, 200, 2000, 400);
        CHECK(is_near(attributed(&small), by_hand(70, 200, 40, 44)));
        fleet->treated.by_status[LEASE_DARK] = 5;
        fleet->treated.by_status[LEASE_PROVEN] = 195;
        CHECK(is_near(attributed(&small), 5));
}

TEST(attributed, knows_a_stratum_that_was_always_worse_than_its_neighbours)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *stratum = &small.rollout->groups[1];
        set(&stratum->control, 900, 0, 100);
        set(&stratum->treated, 90, 0, 10);
        stratum->explained[ROLLOUT_DARK] = (struct explained){ .at_treated = 1, .spread = 0.1, .at_control = weighed(10, 1), .seen_control = weighed(100, 1) };
        refresh(&small, 1);
        CHECK(stratum->attributed <= 0);
        stratum->explained[ROLLOUT_DARK].seen_control = weighed(10, 1);
        refresh(&small, 1);
        CHECK(is_near(stratum->attributed, by_hand(10, 100, 1, 1 + 0.1 + 1.0 / 11)));
}

/* In the first hours each of its control stood for a quarter of an exposure, and was harmed as its neighbours; in an hour of its own six times as often, when each stood for eight. */
TEST(attributed, weighs_the_hour_of_a_stratum_as_what_its_control_stood_for)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *stratum = &small.rollout->groups[1];
        set(&stratum->control, 4000, 0, 160);
        set(&stratum->treated, 1500, 0, 500);
        struct weighed early = weighed(100, .25), at_hour = weighed(10, 8), seen_in_hour = weighed(60, 8);
        stratum->explained[ROLLOUT_DARK] = (struct explained){ .at_treated = 105, .spread = 700, .at_control = weighed_sum(early, at_hour), .seen_control = weighed_sum(early, seen_in_hour) };
        refresh(&small, 1);
        CHECK(stratum->attributed <= 0);
        stratum->explained[ROLLOUT_DARK].at_control = weighed(110, 1);
        stratum->explained[ROLLOUT_DARK].seen_control = weighed(160, 1);
        refresh(&small, 1);
        CHECK(stratum->attributed > 100);      /* as if there had been as much control all the time */
}

/* One control stood for eight, and of those beside these 2,000 none fell silent, as two in a thousand do. */
TEST(attributed, knows_that_few_of_control_may_by_chance_have_explained_too_little)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 3;
        small_init(&small, &policy, 60);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 998, 0, 2);
        set(&fleet->treated, 1992, 0, 8);
        CHECK(harm_of(small.rollout, fleet).certain > 3);
        small.rollout->silence_spread = 8 * 2000;
        CHECK(harm_of(small.rollout, fleet).certain == 0);
        fleet->control.by_status[LEASE_DARK] = fleet->control.silent = 0;      /* where control never is, nothing is explained */
        CHECK(harm_of(small.rollout, fleet).certain > 3);
}

TEST(harm_of_one_event, is_none_while_control_is_as_many_or_too_few_to_say_anything)
{
        CHECK(harm_of_one_event(8, 8) == 0 && harm_of_one_event(5, 8) == 0 && is_near(harm_of_one_event(16, 8), 3) && is_near(harm_of_one_event(500, 10), 2499));
        CHECK(harm_of_one_event(16, 7) == 0 && harm_of_one_event(5, 1) == 0 && harm_of_one_event(5, 0) == 0);
}

/* 950 of it watched, 20 of control, of whom one was harmed where the neighbours' rate gives 0.2: it may well be one that crashes ten times as often. */
TEST(attributed, leaves_it_open_that_a_stratum_is_flaky_while_few_are_watched_as_control)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 30;
        small_init(&small, &policy, 60);
        struct group *group = &small.rollout->groups[1];
        group->explained[EXPLAINS_LATER] = (struct explained){ 10, 0, weighed(.2, 1), weighed(1, 1) };
        group->treated.by_status[LEASE_PROVEN] = 850;
        group->treated.by_status[LEASE_HARMED] = group->treated.by_kind[0] = group->treated.later[0] = 100;
        struct harm harm = harm_of(small.rollout, group);
        CHECK(harm.likely == 0 && harm.certain == 0);
        group->explained[EXPLAINS_LATER] = (struct explained){ 10, 0, weighed(10, 1), weighed(10, 1) };      /* many watched, and harmed as their neighbours: it is not flaky */
        harm = harm_of(small.rollout, group);
        CHECK(harm.likely > 50 && harm.certain > 30);
}

TEST(attributed, asks_control_elsewhere_for_those_that_had_none)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 90, 10, 0);
        set(&fleet->treated, 40, 10, 0);
        fleet->uncompared = 60;
        CHECK(attributed(&small) <= 0);
        fleet->uncompared = 10;
        CHECK(is_near(attributed(&small), by_hand(10, 50, 1, 1.1)));
}

TEST(attributed, is_all_of_it_without_control)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        set(&small.rollout->groups[0].treated, 10, 2, 1);
        CHECK(is_near(attributed(&small), 3));
}

/* 400 silent are expected of 10,000, give or take 22: 470 are too many to go on as before, and too few to stop a rollout with a budget of 5 for good. 600 are not. */
TEST(harm, that_may_be_chance_leaves_little_room_but_stops_nothing)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 60);
        struct group *fleet = &small.rollout->groups[0];
        set(&fleet->control, 38400, 0, 1600);
        set(&fleet->treated, 9530, 0, 470);
        explain(fleet, ROLLOUT_DARK, 10000, 40000, 1600);
        CHECK(attributed(&small) > 5 && fleet->certain <= 0 && !pacer_is_spent(small.rollout) && !pacer_is_stuck(small.rollout));
        CHECK(pacer_window(small.rollout, fleet) == 2);      /* half the budget at a time: or nothing would be learned any more */
        set(&fleet->treated, 9400, 0, 600);
        CHECK(attributed(&small) > 5 && fleet->certain > 5 && pacer_is_spent(small.rollout));
}

/* Were all of them harmed, chance has added little: 5 of 5, though 1 of 20 controls was silent, too. It may have added all when 19 of 20 were. */
TEST(harm, of_all_of_them_is_hardly_chance)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 60);
        set(&small.rollout->groups[0].control, 19, 0, 1);
        set(&small.rollout->groups[0].treated, 0, 0, 5);
        explain(&small.rollout->groups[0], ROLLOUT_DARK, 5, 20, 1);
        CHECK(is_near(attributed(&small), (5 - 0.25 - deviations() * sqrt(0.3125 * 0.05)) / 0.95) && attributed(&small) > 4.6);
        set(&small.rollout->groups[0].control, 1, 0, 19);
        explain(&small.rollout->groups[0], ROLLOUT_DARK, 5, 20, 19);
        CHECK(attributed(&small) <= 0);
}
