#include "rollout/gate.h"

#include "rollout/small.h"

#include <math.h>
#include <string.h>

static double mixed(double treated, double control, unsigned power)
{
        double sum = 0;
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                sum += pow(evalue_ratio(i) * (treated + control) / (evalue_ratio(i) * treated + control), power) / EVALUE_RATIOS;
        return sum;
}

/* One crash among 1 treated and 4 control of one block: the fleet's crash process is r 5 / (r + 4); in the crashed one's stratum
 * are c of the controls. Weights: 1/18 for each signal of the fleet, 1/36 for each of the two strata. */
TEST(the_gate, has_the_hand_computed_evidence)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 2;
        small_init(&small, &policy, 20);
        small.count = 6;
        CHECK(small_pick(&small) == 2);
        struct rollout_counts even;
        rollout_view_stratum(small.rollout, 0, &even);
        CHECK(even.exposed == 1 && small_view(&small).fleet.control == 4);
        small_report(&small, small.picks[0].handle, ROLLOUT_HARMED);
        CHECK(small_view(&small).evidence <= 1);      /* its second is not over: others may belong to it */
        CHECK(small_wait(&small, 1000));
        double fleet = mixed(2, 4, 1), stratum = mixed(1, even.control, 1);
        CHECK(fabs(small_view(&small).evidence - ((fleet + 8) / 18 + (stratum + 8) / 36 + 9.0 / 36)) < 1e-9);
}

TEST(the_gate, takes_a_site_that_goes_down_for_one_event)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 20;
        small_init(&small, &policy, 60);
        CHECK(small_pick(&small) == 20);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 99);
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_HARMED, 99);
        small_wait(&small, 1000);
        CHECK(fabs(small_view(&small).evidence - 1) < 1e-9);
}

TEST(the_gate, halts_when_treated_crash_and_control_does_not)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 12;
        small_init(&small, &policy, 60);
        CHECK(small_pick(&small) == 12);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 11);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING);
        small_wait(&small, 1000);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_HALTED && view.stopped_by == ROLLOUT_BY_GATE && view.verdict == ROLLOUT_HALT && view.evidence >= view.evidence_needed);
}

TEST(the_gate, compares_silence_at_the_deadline_with_all_who_had_one)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 25);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 99);
        small_wait(&small, 16000);
        small_wait(&small, 1000);
        /* 5 dark of 5 treated and none of 20: the tied factor, about 1 / C(25,5) at 1000. */
        struct evalue expected = { 0 };
        evalue_multiply(&expected, &(struct evalue_risk){ 5, 20, 5, 0 });
        CHECK(fabs(evalue_log(&small.rollout->groups[0].evalues[ROLLOUT_DARK]) - evalue_log(&expected)) < 1e-9);
        CHECK(evalue_log(&expected) > log(1000));
}

TEST(the_gate, warns_and_does_not_test_without_control)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 25);
        small_pick(&small);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 3);
        small_wait(&small, 5000);
        CHECK(small_view(&small).evidence <= 1 + 1e-9);
        CHECK(strstr(small_view(&small).sentence, "There is no control: the gate cannot test"));
}

TEST(the_gate, takes_a_failed_preflight_for_a_sign_but_not_for_harm)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 60);
        small_pick(&small);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PREFLIGHT_FAILED, 5);
        small_wait(&small, 1000);
        struct rollout_view view = small_view(&small);
        CHECK(view.evidence > 10 && view.fleet.hurt == 0 && view.fleet.preflight_failed == 5 && view.state == ROLLOUT_EXPOSING);
}
