#include "rollout/view.h"

#include "rollout/arms.h"

static bool says(const struct small *small, const char *words)
{
        struct rollout_view view = small_view(small);
        bool is_said = strstr(view.sentence, words) != NULL;
        if (!is_said)
                printf("# says: %s\n", view.sentence);
        return is_said;
}

/* 1,000 exposed of whom `harmed` fell silent, beside 4,000 of control of whom 40 did. */
static void open_hurt(struct small *small, int64_t budget, uint32_t harmed)
{
        struct rollout_policy policy = small_policy();
        policy.budget = budget;
        small_init(small, &policy, 10);
        set(&small->rollout->groups[0].control, 3960, 0, 40);
        set(&small->rollout->groups[0].treated, 1000 - harmed, 0, harmed);
        explain(&small->rollout->groups[0], ROLLOUT_DARK, 1000, 4000, 40);
        refresh(small, 0);
}

TEST(view, says_what_of_the_harm_counts_against_the_budget)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(says(&small, "Waiting for devices that have it prepared; the first cohort is at most 5.") && small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 1);
        CHECK(says(&small, "1 of 5 exposed have proven it, nobody was hurt; 4 unanswered."));
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 2);
        CHECK(says(&small, "2 hurt among 5 exposed, which counts as 2 of a budget of 5; 2 unanswered."));
        CHECK(small_view(&small).spent.attributed == 2 && small_view(&small).spent.certain == 2);
}

TEST(view, does_not_count_what_control_explains)
{
        OWN(small) struct small small;
        open_hurt(&small, 30, 12);
        CHECK(small_view(&small).spent.attributed == 0 && says(&small, "12 hurt among 1000 exposed, which counts as 0 of a budget of 30; 0 unanswered."));
}

TEST(view, tells_what_is_certain_from_what_may_be_chance)
{
        OWN(small) struct small small;
        open_hurt(&small, 8, 26);
        CHECK(small_view(&small).spent.attributed == 8 && small_view(&small).spent.certain == 5);
        CHECK(says(&small, "26 hurt among 1000 exposed, which counts as 8 of a budget of 8, 5 towards the stop; 0 unanswered."));
}

/* What is certain stops it: of two, that counts before what is likely. */
TEST(view, counts_the_group_that_is_nearest_to_the_budget)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(small_view(&small).spent.stratum == ROLLOUT_OF_FLEET);
        small.rollout->groups[2].attributed = 3.2;
        small.rollout->groups[0].attributed = 1;
        struct rollout_spent spent = small_view(&small).spent;
        CHECK(spent.stratum == 1 && spent.attributed == 4 && spent.certain == 0);
        small.rollout->groups[1].attributed = small.rollout->groups[1].certain = 2;
        spent = small_view(&small).spent;
        CHECK(spent.stratum == 0 && spent.attributed == 2 && spent.certain == 2);
}

TEST(view, calls_no_budget_spent_that_is_not)
{
        for (uint32_t harmed = 20; harmed < 40; harmed++) {
                OWN(small) struct small small;
                open_hurt(&small, 9, harmed);
                CHECK((small_view(&small).spent.certain >= 9) == pacer_is_spent(small.rollout));
        }
}

TEST(view, counts_nothing_that_two_people_accepted)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 5);
        CHECK(says(&small, "The harm budget of 5 is spent: 5 hurt among 5 exposed. Withdraw it,") && small_view(&small).spent.certain == 5);
        CHECK(rollout_command(small.rollout, &(struct rollout_command){ ROLLOUT_ON_OVERRIDE, small.now_ms, ROLLOUT_BECAUSE_NONE, "anna", "bert", "known" }, NULL) == OK);
        CHECK(small_view(&small).spent.attributed == 0 && says(&small, "5 hurt among 5 exposed, which counts as 0 of a budget of 5"));
}

TEST(view, says_of_a_spent_budget_what_control_explains)
{
        OWN(small) struct small small;
        open_hurt(&small, 9, 60);
        CHECK(rollout_tick(small.rollout, small.now_ms + 1000) && says(&small, "The harm budget of 9 is spent: 60 hurt among 1000 exposed, which counts as "));
        CHECK(small_view(&small).limit <= 1000);
}

TEST(view, hides_no_evidence_that_comes_after_the_watch)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        small.rollout->state = ROLLOUT_WATCHED;
        CHECK(says(&small, "It is complete, and the watch is over.") && small_view(&small).verdict == ROLLOUT_GO);
        small.rollout->log_evidence = 12;
        CHECK(says(&small, "since then the evidence of harm against control has passed the line. Halt it") && small_view(&small).verdict == ROLLOUT_HALT);
        small.rollout->log_evidence = 0;
        set(&small.rollout->groups[0].treated, 0, 0, 5);
        refresh(&small, 0);
        CHECK(says(&small, "since then harm has passed the budget. Halt it"));
}
