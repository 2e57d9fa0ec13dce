#include "rollout/rollout.h"

#include "rollout/small.h"

#include <string.h>

enum { FLEET = 40 };

static void open_small(struct small *small)
{
        struct rollout_policy policy = small_policy();
        small_init(small, &policy, FLEET);
}

static bool is_held_by(const struct small *small, enum rollout_reason reason)
{
        struct rollout_view view = small_view(small);
        return view.state == ROLLOUT_HOLDING && view.reason == reason;
}

static void freeze(struct small *small, bool is_frozen) { rollout_freeze(small->rollout, small->now_ms, is_frozen, is_frozen ? small->now_ms + 3600000 : 0); }

static enum err tell(struct small *small, enum rollout_event event, struct why *why)
{
        small_wait(small, 0);
        return rollout_command(small->rollout, &(struct rollout_command){ .event = event, .now_ms = small->now_ms, .who = "anna", .second = "bert", .because = "it must" }, why);
}

TEST(rollout_freeze, starts_nothing_while_it_lasts_and_goes_on_by_itself)
{
        struct small small;
        open_small(&small);
        freeze(&small, true);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_FREEZE_WINDOW) && small_pick(&small) == 0 && small_view(&small).until_ms == small.now_ms + 3600000);
        CHECK(strcmp(small_view(&small).sentence, "A freeze window is open: what runs it, runs on; nothing new starts before 1970-01-01 01:16 UTC.") == 0);
        small_wait(&small, 1000);
        freeze(&small, false);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING && !small_view(&small).until_ms && small_pick(&small) == 5);
        small_done(&small);
}

TEST(rollout_freeze, lets_what_runs_run_on_and_hears_its_answers)
{
        struct small small;
        open_small(&small);
        CHECK(small_pick(&small) == 5);
        freeze(&small, true);
        small_wait(&small, 8000);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        CHECK(small_view(&small).fleet.proven == 5 && is_held_by(&small, ROLLOUT_BECAUSE_FREEZE_WINDOW));
        small_done(&small);
}

TEST(rollout_freeze, lets_nobody_start_who_was_picked_before_it)
{
        struct small small;
        int64_t deadline_ms;
        open_small(&small);
        struct rollout_line line = { small.now_ms, small.devices, small.count, small.picks, 0 };
        CHECK(rollout_pick(small.rollout, &line, NULL) == OK && line.picked == 5 + 20);
        freeze(&small, true);
        for (uint32_t i = 0; i < small.count; i++)
                if (small.picks[i].kind != ROLLOUT_WAIT)
                        CHECK(rollout_granted(small.rollout, small.picks[i].handle, small.now_ms, &deadline_ms, NULL) == ERR_REFUSED);
        small_wait(&small, 16000);
        CHECK(small_view(&small).fleet.exposed == 0 && small_view(&small).fleet.dark == 0);
        small_done(&small);
}

TEST(rollout_freeze, does_not_hide_harm)
{
        struct small small;
        open_small(&small);
        CHECK(small_pick(&small) == 5);
        freeze(&small, true);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 5);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_BUDGET));
        freeze(&small, false);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_BUDGET));
        small_done(&small);
}

TEST(rollout_freeze, leaves_the_hold_of_a_person_alone)
{
        struct small small;
        open_small(&small);
        freeze(&small, true);
        CHECK(tell(&small, ROLLOUT_ON_HOLD, NULL) == OK && is_held_by(&small, ROLLOUT_BECAUSE_OPERATOR));
        freeze(&small, false);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_OPERATOR));
        freeze(&small, true);
        CHECK(tell(&small, ROLLOUT_ON_RESUME, NULL) == OK && is_held_by(&small, ROLLOUT_BECAUSE_FREEZE_WINDOW));
        small_done(&small);
}

TEST(rollout_freeze, is_passed_over_by_two_people_until_the_next_one)
{
        struct small small;
        struct why why = { 0 };
        open_small(&small);
        freeze(&small, true);
        CHECK(tell(&small, ROLLOUT_ON_RESUME, &why) == ERR_REFUSED && strstr(why.text, "a freeze window is open; it goes on by itself"));
        CHECK(tell(&small, ROLLOUT_ON_OVERRIDE, NULL) == OK && small_view(&small).state == ROLLOUT_EXPOSING && small_pick(&small) == 5);
        freeze(&small, true);                            /* its end is another one now */
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING);
        freeze(&small, false);
        freeze(&small, true);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_FREEZE_WINDOW));
        small_done(&small);
}

/* An override of a freeze accepts no harm: what was spent stays spent. */
TEST(rollout_freeze, that_is_passed_over_leaves_the_budget_as_it_was)
{
        struct small small;
        open_small(&small);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 3);
        freeze(&small, true);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_FREEZE_WINDOW) && tell(&small, ROLLOUT_ON_OVERRIDE, NULL) == OK);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING && small_view(&small).fleet.attributed > 0);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 2);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_BUDGET));
        small_done(&small);
}

TEST(rollout_freeze, can_be_cancelled_and_halted_in)
{
        struct small small;
        open_small(&small);
        freeze(&small, true);
        CHECK(tell(&small, ROLLOUT_ON_CANCEL, NULL) == OK && small_view(&small).state == ROLLOUT_CANCELLED);
        small_done(&small);
        open_small(&small);
        CHECK(small_pick(&small) == 5);
        freeze(&small, true);
        CHECK(tell(&small, ROLLOUT_ON_WITHDRAW, NULL) == OK && small_view(&small).state == ROLLOUT_ROLLING_BACK);
        freeze(&small, false);
        CHECK(small_view(&small).state == ROLLOUT_ROLLING_BACK);
        small_done(&small);
}

/* Control fell silent during the freeze: nobody is asked before it is over, and then control alone. */
TEST(rollout_freeze, asks_control_for_a_sign_only_when_it_is_over)
{
        struct small small;
        open_small(&small);
        CHECK(small_pick(&small) == 5);
        freeze(&small, true);
        small_wait(&small, 16000);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_FREEZE_WINDOW));
        CHECK(small_pick(&small) == 0 && small_view(&small).fleet.control == 20);
        freeze(&small, false);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_UNKNOWN) && small_pick(&small) == 0 && small_view(&small).fleet.control == 21);      /* one, as long as it is silent */
        freeze(&small, true);
        CHECK(is_held_by(&small, ROLLOUT_BECAUSE_FREEZE_WINDOW));
        small_done(&small);
}

/* Complete ones expose, too; there they wait without a state of their own. */
TEST(rollout_freeze, holds_for_who_comes_later_too)
{
        struct rollout_policy policy = small_policy();
        struct small small;
        policy.controls = 0;
        policy.complete_ppm = 100000;
        small_init(&small, &policy, FLEET);
        CHECK(small_pick(&small) == 5);
        rollout_seen(small.rollout, small.now_ms, FLEET);
        small_wait(&small, 8000);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        small_wait(&small, 16000);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE);
        freeze(&small, true);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_pick(&small) == 0 && !rollout_wants_line(small.rollout));
        freeze(&small, false);
        CHECK(rollout_wants_line(small.rollout) && small_pick(&small) > 0);
        small_done(&small);
}

TEST(rollout_freeze, gathers_the_first_cohort_anew_when_it_is_over)
{
        struct rollout_policy policy = small_policy();
        struct small small;
        policy.gather_s = 10;
        small_init(&small, &policy, FLEET);
        freeze(&small, true);
        small_wait(&small, 60000);
        freeze(&small, false);
        small.count = FLEET / 2;
        CHECK(small_pick(&small) == 0);
        small_wait(&small, 10000);
        CHECK(small_pick(&small) == 5);
        small_done(&small);
}
