#include "rollout/small.h"

#include "support/sweep.h"

#include <math.h>
#include <string.h>

static enum err say(struct small *small, enum rollout_event event, struct why *why)
{
        return rollout_command(small->rollout, &(struct rollout_command){ .event = event, .now_ms = small->now_ms }, why);
}

static enum err override(struct small *small, const char *second)
{
        return rollout_command(small->rollout, &(struct rollout_command){ ROLLOUT_ON_OVERRIDE, small->now_ms, ROLLOUT_BECAUSE_NONE, "anna", second, "a power cut" }, NULL);
}

TEST(rollout_new, gives_back_all_it_took_when_memory_runs_out)
{
        const struct rollout_config config = { .policy = small_policy(), .fleet = 10, .blocks = 2, .strata = 3 };
        SWEEP_MEMORY {
                OWN(rollout) struct rollout *rollout = NULL;
                struct why why;
                enum err e = rollout_new(&config, &rollout, &why);
                CHECK(e ? e == ERR_NOMEM && !rollout : rollout != NULL);
        }
}

TEST(rollout_new, refuses_what_is_out_of_range_and_names_it)
{
        struct rollout_config good = { .policy = small_policy(), .fleet = 10, .blocks = 2 }, bad = good;
        struct rollout *rollout = NULL;
        struct why why;
        bad.policy.budget = 0;
        CHECK(rollout_new(&bad, &rollout, &why) == ERR_USAGE && strcmp(why.text, "policy: budget is from 1 to 1000000, not 0") == 0);
        bad = good;
        bad.policy.alpha_ppm = 600000;
        CHECK(rollout_new(&bad, &rollout, &why) == ERR_USAGE && strstr(why.text, "alpha_ppm"));
        bad = good;
        bad.fleet = 0;
        CHECK(rollout_new(&bad, &rollout, &why) == ERR_USAGE);
        bad = good;
        bad.blocks = 11;
        CHECK(rollout_new(&bad, &rollout, &why) == ERR_USAGE);
        bad = good;
        bad.strata = LIMIT_STRATA + 1;
        CHECK(rollout_new(&bad, &rollout, &why) == ERR_USAGE && !rollout);
}

TEST(rollout, goes_from_draft_to_watched)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 5);
        rollout_seen(small.rollout, small.now_ms, 5);
        CHECK(small_pick(&small) == 5);
        small_wait(&small, 8000);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING);      /* not before a lease's time */
        CHECK(small_wait(&small, 8000) && small_view(&small).state == ROLLOUT_COMPLETE && small_view(&small).completed_ms == small.now_ms);
        CHECK(!small_wait(&small, 99999) && small_wait(&small, 1) && small_view(&small).state == ROLLOUT_WATCHED);
        struct rollout_change changes[ROLLOUT_CHANGES];
        size_t count = rollout_take_changes(small.rollout, changes);
        CHECK(count == 5 && strcmp(changes[3].text, "exposing -> complete (complete): 5 exposed, 5 proven, 0 harmed, 0 dark") == 0);
        CHECK(rollout_take_changes(small.rollout, changes) == 0);
}

TEST(rollout, holds_at_once_when_the_budget_is_spent)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 4);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING);
        small.now_ms += 700;
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 1);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_HOLDING && view.reason == ROLLOUT_BECAUSE_BUDGET && view.stopped_by == ROLLOUT_BY_BUDGET);
        CHECK(view.stopped_ms == small.now_ms && view.fleet.hurt == 5 && view.fleet.window == 0 && view.limit == 5);
        CHECK(strstr(view.sentence, "The harm budget of 5 is spent: 5 hurt among 5 exposed."));
        CHECK(small_pick(&small) == 0);
}

TEST(rollout, goes_on_after_the_budget_only_by_two_people)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        struct why why;
        small_init(&small, &policy, 40);
        small_pick(&small);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 5);
        CHECK(say(&small, ROLLOUT_ON_RESUME, &why) == ERR_REFUSED && strstr(why.text, "`resume` takes room in the budget"));
        CHECK(override(&small, NULL) == ERR_REFUSED && override(&small, "") == ERR_REFUSED && override(&small, "anna") == ERR_REFUSED);
        CHECK(override(&small, " ") == ERR_REFUSED && override(&small, "Anna") == ERR_REFUSED && override(&small, "anna ") == ERR_REFUSED);
        CHECK(override(&small, "bert") == OK);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_EXPOSING && view.fleet.hurt == 5 && view.fleet.attributed <= 0 && !view.stopped_by);
        small_wait(&small, 1500);
        CHECK(small_pick(&small) == 5);
}

/* The first five crash, then the others prove it: what was nothing but harm is no more. */
TEST(rollout, may_be_resumed_once_somebody_has_it_proven)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 30;
        policy.controls = 0;
        small_init(&small, &policy, 60);
        CHECK(small_pick(&small) == 30);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 5);
        CHECK(small_view(&small).state == ROLLOUT_HOLDING && say(&small, ROLLOUT_ON_RESUME, NULL) == ERR_REFUSED);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 25);
        CHECK(say(&small, ROLLOUT_ON_RESUME, NULL) == OK && small_view(&small).state == ROLLOUT_EXPOSING);
}

/* Five were dark and accepted, then they answer: the next five harmed are five too many. */
TEST(rollout, lets_no_harm_hide_behind_accepted_harm_that_was_none)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 40);
        rollout_seen(small.rollout, small.now_ms, 40);
        CHECK(small_pick(&small) == 5);
        small_wait(&small, 16000);
        CHECK(small_view(&small).state == ROLLOUT_HOLDING && override(&small, "bert") == OK);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        CHECK(small_view(&small).fleet.hurt == 0 && small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_HARMED, 5);
        CHECK(small_view(&small).state == ROLLOUT_HOLDING && small_view(&small).reason == ROLLOUT_BECAUSE_BUDGET);
}

TEST(rollout, counts_silence_as_harm_without_any_report)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        CHECK(!small_wait(&small, 15999) && small_view(&small).fleet.unanswered == 5 && small_pick(&small) == 0);
        CHECK(small_wait(&small, 1));
        struct rollout_view view = small_view(&small);
        CHECK(view.fleet.dark == 5 && view.fleet.hurt == 5 && view.state == ROLLOUT_HOLDING && view.reason == ROLLOUT_BECAUSE_BUDGET);
}

TEST(a_late_report, mends_labels_and_room_but_not_the_bound)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 40);
        small_pick(&small);
        uint32_t handle = 0;
        while (small.picks[handle].kind != ROLLOUT_EXPOSE)
                handle++;
        handle = small.picks[handle].handle;
        small_wait(&small, 16000);
        uint32_t upper = small_view(&small).fleet.excess_upper_ppm;
        small_report(&small, handle, ROLLOUT_PROVEN);
        struct rollout_view view = small_view(&small);
        CHECK(view.fleet.dark == 4 && view.fleet.proven == 1 && view.fleet.attributed < 4.5 && view.fleet.excess_upper_ppm == upper);
        small_report(&small, handle, ROLLOUT_PROVEN);
        CHECK(small_view(&small).fleet.proven == 1);
        small_report(&small, handle, ROLLOUT_HARMED);      /* proven, and broken later */
        small_report(&small, handle, ROLLOUT_PROVEN);      /* harm is never taken back */
        view = small_view(&small);
        CHECK(view.fleet.proven == 0 && view.fleet.harmed == 1 && view.fleet.by_kind[ROLLOUT_CRASH] == 1);
}

TEST(a_late_report, leaves_the_evidence_as_it_was)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        small_pick(&small);
        uint32_t first = UINT32_MAX;
        for (uint32_t i = 0; i < small.count; i++)
                if (small.picks[i].kind == ROLLOUT_EXPOSE && first == UINT32_MAX)
                        first = small.picks[i].handle;
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 99);
        small_wait(&small, 16000);
        small_wait(&small, 1000);
        double evidence = small_view(&small).evidence;
        CHECK(evidence > 1);
        small_report(&small, first, ROLLOUT_PROVEN);
        small_wait(&small, 5000);
        CHECK(fabs(small_view(&small).evidence - evidence) < 1e-12);
}

/* All within the slot of their deadline: what was dark on time stays in the evidence. */
TEST(a_late_report, of_having_declined_takes_no_evidence_back)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        small_pick(&small);
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 99);
        small_wait(&small, 16000);
        CHECK(small_view(&small).fleet.dark == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_DECLINED, 5);
        small_wait(&small, 1000);
        CHECK(small_view(&small).evidence > 1);
}

/* A shadow lease went dark, its device got another lease, then the answer to the first one comes. */
TEST(a_late_report, does_not_free_a_device_that_has_a_newer_lease)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        uint32_t old = UINT32_MAX;
        policy.budget = 2;
        policy.controls = policy.cap_per_bake = 1;
        small_init(&small, &policy, 2);
        rollout_seen(small.rollout, small.now_ms, 2);
        CHECK(small_pick(&small) == 1);
        for (uint32_t i = 0; i < small.count; i++)
                if (small.picks[i].kind == ROLLOUT_SHADOW)
                        old = small.picks[i].handle;
        CHECK(old != UINT32_MAX);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 1);
        small_wait(&small, 16000);
        CHECK(small_view(&small).fleet.control_dark == 1 && small_pick(&small) == 1);
        small_wait(&small, 9000);
        small_report(&small, old, ROLLOUT_PROVEN);
        CHECK(small_pick(&small) == 0 && small_view(&small).fleet.exposed == 2 && small_view(&small).fleet.unanswered == 1);
}

TEST(a_declined_lease, is_censored_and_may_be_had_again)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 5);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_DECLINED, 5);
        struct rollout_view view = small_view(&small);
        CHECK(view.fleet.declined == 5 && !view.fleet.hurt && !view.fleet.unanswered && view.fleet.excess_upper_ppm == 1000000);
        for (unsigned again = 0; again < 2; again++) {
                small_wait(&small, 500);
                CHECK(small_pick(&small) == 5);
                small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_DECLINED, 5);
        }
        small_wait(&small, 500);
        CHECK(small_pick(&small) == 0);      /* three times is enough */
}

/* What devices say when the server takes a release back from them, on trial or out of the dark: who was dark has not said how it was. */
TEST(a_declined_lease, of_a_release_that_was_stopped_is_an_exposure_all_the_same)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_DECLINED, 1);
        CHECK(small_view(&small).fleet.exposed == 4);
        CHECK(say(&small, ROLLOUT_ON_WITHDRAW, NULL) == OK);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_DECLINED, 1);
        CHECK(small_view(&small).fleet.exposed == 4 && small_view(&small).fleet.declined == 2);
        small_wait(&small, 16000);
        CHECK(small_view(&small).fleet.dark == 3);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_DECLINED, 3);
        CHECK(small_view(&small).fleet.exposed == 4 && small_view(&small).fleet.declined == 2 && small_view(&small).fleet.hurt == 3);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_DECLINED, 3);
        CHECK(small_view(&small).fleet.hurt == 3);
}

/* Each time four controls go with each of them: they must not use up the leases of those who try again. */
TEST(declined_leases, leave_room_for_everybody_and_do_not_delay_the_end)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        uint32_t tries[SMALL_MAX] = { 0 };
        policy.complete_ppm = 1000000;
        small_init(&small, &policy, 60);
        rollout_seen(small.rollout, small.now_ms, 60);
        for (unsigned round = 0; round < 200 && small_view(&small).state == ROLLOUT_EXPOSING; round++) {
                (void)small_pick(&small);
                for (uint32_t i = 0; i < small.count; i++)
                        if (small.picks[i].kind == ROLLOUT_EXPOSE)
                                small_report(&small, small.picks[i].handle, ++tries[i] < 3 ? ROLLOUT_DECLINED : ROLLOUT_PROVEN);
                small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 99);
                small_wait(&small, 16000);
        }
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_COMPLETE && view.fleet.proven == view.fleet.exposed && view.fleet.declined == 2 * view.fleet.exposed);
}

TEST(a_reservation, occupies_the_window_and_lapses_without_being_dark)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        int64_t deadline_ms;
        struct why why;
        small_init(&small, &policy, 40);
        struct rollout_line line = { small.now_ms, small.devices, small.count, small.picks, 0 };
        CHECK(rollout_pick(small.rollout, &line, NULL) == OK && line.picked == 25);
        CHECK(small_view(&small).fleet.unanswered == 5 && small_pick(&small) == 0);
        CHECK(rollout_report(small.rollout, &(struct rollout_report){ .now_ms = small.now_ms }, &why) == ERR_NOT_FOUND);
        CHECK(small_wait(&small, 16000));
        struct rollout_view view = small_view(&small);
        CHECK(!view.fleet.dark && !view.fleet.exposed && !view.fleet.control && view.verdict == ROLLOUT_GO);
        CHECK(rollout_granted(small.rollout, 0, small.now_ms, &deadline_ms, &why) == ERR_EXPIRED);
        CHECK(rollout_granted(small.rollout, 999, small.now_ms, &deadline_ms, &why) == ERR_NOT_FOUND);
        CHECK(small_pick(&small) == 5);
}

TEST(a_reservation, is_not_granted_once_the_rollout_stopped)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        int64_t deadline_ms;
        struct why why;
        small_init(&small, &policy, 40);
        struct rollout_line line = { small.now_ms, small.devices, small.count, small.picks, 0 };
        CHECK(rollout_pick(small.rollout, &line, NULL) == OK && say(&small, ROLLOUT_ON_HALT, NULL) == OK);
        for (uint32_t handle = 0; handle < line.picked; handle++)
                CHECK(rollout_granted(small.rollout, handle, small.now_ms, &deadline_ms, &why) == ERR_REFUSED);
        CHECK(strstr(why.text, "halted"));
}

TEST(a_command, follows_the_table)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        struct why why;
        small_init(&small, &policy, 40);
        CHECK(say(&small, ROLLOUT_ON_BUDGET, &why) == ERR_REFUSED);
        CHECK(say(&small, ROLLOUT_ON_HOLD, NULL) == OK && small_view(&small).reason == ROLLOUT_BECAUSE_OPERATOR && small_pick(&small) == 0);
        CHECK(say(&small, ROLLOUT_ON_RESUME, NULL) == OK && small_pick(&small) == 5);
        CHECK(say(&small, ROLLOUT_ON_CANCEL, &why) == ERR_REFUSED && strstr(why.text, "withdraw it instead"));
        CHECK(say(&small, ROLLOUT_ON_WITHDRAW, NULL) == OK);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_ROLLING_BACK && view.stopped_by == ROLLOUT_BY_OPERATOR && view.verdict == ROLLOUT_HALT);
        CHECK(say(&small, ROLLOUT_ON_ROLLED_BACK, NULL) == OK && say(&small, ROLLOUT_ON_OVERRIDE, &why) == ERR_REFUSED && small_pick(&small) == 0);
        CHECK(say(&small, ROLLOUT_ON_WITHDRAW, &why) == ERR_REFUSED && strstr(why.text, "takes no `withdraw`"));
}

TEST(time, passes_only_in_ticks)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        int64_t deadline_ms;
        small_init(&small, &policy, 40);
        small_pick(&small);
        small.now_ms += 16000;
        CHECK(say(&small, ROLLOUT_ON_HOLD, NULL) == ERR_BUSY && small_pick(&small) == 0);
        CHECK(rollout_granted(small.rollout, 0, small.now_ms, &deadline_ms, NULL) == ERR_BUSY);
        CHECK(rollout_tick(small.rollout, small.now_ms) && !rollout_tick(small.rollout, small.now_ms) && !rollout_tick(small.rollout, 5));
        CHECK(say(&small, ROLLOUT_ON_HALT, NULL) == OK);
}

TEST(time, that_went_back_opens_no_cap)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        policy.cap_per_bake = 1;
        small_init(&small, &policy, 10);
        CHECK(small_pick(&small) == 1);
        struct rollout_line nobody = { small.now_ms + 9000, small.devices, 0, small.picks, 0 };
        CHECK(rollout_pick(small.rollout, &nobody, NULL) == OK && !nobody.picked);      /* as if it had not been said */
        CHECK(small_pick(&small) == 0);
}

/* Four silent controls of the last eight; a probe of control that answers clears it. */
TEST(rollout, holds_as_unknown_while_control_is_silent_and_never_widens)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        small_wait(&small, 16000);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_HOLDING && view.reason == ROLLOUT_BECAUSE_UNKNOWN && view.verdict == ROLLOUT_UNKNOWN);
        CHECK(view.fleet.attributed <= 0 && view.fleet.dark == 5 && view.fleet.control_dark == 20);      /* the baseline explains it */
        for (unsigned round = 0; round < 2; round++) {
                CHECK(small_pick(&small) == 0);
                small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 4);
                small_wait(&small, 16000);
        }
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING && small_view(&small).verdict == ROLLOUT_GO);
}

/* Five of forty were up when it started; what is true of five is not believed of all. */
TEST(rollout, that_is_complete_paces_and_counts_those_who_come_later)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 40);
        rollout_seen(small.rollout, small.now_ms, 5);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        small_wait(&small, 16000);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_COMPLETE && view.fleet.window >= 5 && view.fleet.window < 35);
        for (uint32_t left = view.fleet.window; left; small_wait(&small, 500))
                left -= small_pick(&small);
        CHECK(small_view(&small).fleet.window == 0);
        for (uint32_t handle = 5; handle < 10; handle++)
                small_report(&small, handle, ROLLOUT_HARMED);
        CHECK(small_view(&small).state == ROLLOUT_HALTED && small_view(&small).fleet.hurt == 5);
}

/* Nobody new while control is silent; probes find out when it is back. */
TEST(rollout, that_is_complete_waits_while_control_is_silent)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        rollout_seen(small.rollout, small.now_ms, 5);
        CHECK(small_pick(&small) == 5);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 99);
        small_wait(&small, 16000);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_pick(&small) >= 5);
        small_wait(&small, 16000);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_view(&small).verdict == ROLLOUT_UNKNOWN && small_view(&small).fleet.window == 0);
        for (unsigned round = 0; round < 2; round++) {
                CHECK(small_pick(&small) == 0);
                small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 4);
                small_wait(&small, 16000);
        }
        CHECK(small_view(&small).verdict == ROLLOUT_GO);
}

TEST(rollout, halts_on_harm_that_shows_in_the_watch)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 5);
        rollout_seen(small.rollout, small.now_ms, 5);
        small_pick(&small);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 5);
        small_wait(&small, 16000);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE);
        for (uint32_t handle = 0; handle < 5; handle++)
                small_report(&small, handle, ROLLOUT_HARMED);
        CHECK(small_view(&small).state == ROLLOUT_HALTED && small_view(&small).stopped_by == ROLLOUT_BY_BUDGET);
}
