#include "rollout/watch.h"

#include "rollout/small.h"

#include <math.h>
#include <string.h>

enum { FLEET = 64, LEASE_MS = 16000 };

/* All who may have it have it, proven and past their deadline; of 64 some 20 are held out, and control. */
static void open_watched(struct small *small, int64_t budget)
{
        struct rollout_policy policy = small_policy();
        policy.budget = budget;
        policy.holdout_ppm = 300000;
        policy.watch_s = 100000;
        policy.bake_s = policy.gap_s = 8;
        small_init(small, &policy, FLEET);
        while (small_pick(small)) {
                struct rollout_pick picks[SMALL_MAX];
                memcpy(picks, small->picks, sizeof(picks));
                for (uint32_t i = 0; i < FLEET; i++)
                        if (picks[i].kind != ROLLOUT_WAIT)
                                small_report(small, picks[i].handle, ROLLOUT_PROVEN);
                small_wait(small, LEASE_MS + 1000);
        }
}

/* All of one arm are heard, but for the first `silent`. */
static void hear(struct small *small, bool is_held_out, uint32_t silent)
{
        struct rollout_listened listened[2 * FLEET];
        size_t count = rollout_listens(small->rollout, listened, 2 * FLEET);
        for (size_t i = 0; i < count; i++)
                if (rollout_is_held_out(small->rollout, listened[i].device) == is_held_out && silent-- - 1 >= UINT32_MAX / 2)
                        CHECK(rollout_heard(small->rollout, small->now_ms, &listened[i].handle, 1, NULL) == OK);
}

static void pass_round(struct small *small)
{
        int64_t round_ms = watch_round_ms(small->rollout);
        small->now_ms = round_ms;
        CHECK(rollout_tick(small->rollout, small->now_ms));
}

static void tell_harm(struct small *small, uint32_t device)
{
        uint32_t handle;
        CHECK(rollout_minds(small->rollout, device, true, &handle) && !rollout_minds(small->rollout, device, false, &handle));
        small_report(small, handle, ROLLOUT_HARMED);
}

/* The first `count` devices of an arm. */
static uint32_t some_of(const struct small *small, bool is_held_out, uint32_t *devices, uint32_t count)
{
        uint32_t found = 0;
        for (uint32_t i = 0; i < FLEET && found < count; i++)
                if (rollout_is_held_out(small->rollout, i) == is_held_out)
                        devices[found++] = i;
        return found;
}

/* 16,384 of each arm at most, four treated to each that is held out; which ones depends on the bucket alone. */
TEST(watch, listens_to_a_random_sample_of_each_arm)
{
        const struct { uint32_t fleet; int64_t holdout_ppm; double treated, control; } fleets[] = { { 5000, 20000, .0816, 1 }, { 100, 500000, 1, 1 }, { 8500000, 20000, .001844, .0904 }, { 5000, 0, 0, 1 } };
        for (size_t i = 0; i < sizeof(fleets) / sizeof(fleets[0]); i++) {
                struct rollout rollout = { .fleet = fleets[i].fleet, .policy = { .holdout_ppm = fleets[i].holdout_ppm } };
                enum { BUCKETS = 200000 };
                double sampled[2] = { 0 };
                watch_open(&rollout);
                for (uint64_t bucket = 0; bucket < BUCKETS; bucket++)
                        for (unsigned is_control = 0; is_control < 2; is_control++)
                                sampled[is_control] += watch_samples(&rollout, bucket, is_control);
                CHECK(fabs(sampled[0] / BUCKETS - fleets[i].treated) < .002 && fabs(sampled[1] / BUCKETS - fleets[i].control) < .004);
        }
}

TEST(watch, begins_at_the_deadline_for_the_proven_and_for_control_that_is_held_out)
{
        OWN(small) struct small small;
        open_watched(&small, 60);
        struct rollout_view view = small_view(&small);
        uint32_t held_out = 0;
        for (uint32_t i = 0; i < FLEET; i++)
                held_out += rollout_is_held_out(small.rollout, i);
        CHECK(view.state == ROLLOUT_COMPLETE && view.fleet.watched == FLEET - held_out && view.fleet.listened > 40);
        CHECK(small.rollout->groups[0].control.watched == held_out && held_out > 10);
}

TEST(watch, puts_late_harm_down_to_the_release_if_control_has_none)
{
        OWN(small) struct small small;
        uint32_t devices[FLEET];
        open_watched(&small, 20);
        uint32_t count = some_of(&small, false, devices, 40);
        for (uint32_t i = 0; i < count; i++)
                tell_harm(&small, devices[i]);
        small_wait(&small, 2000);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_HALTED && view.fleet.harmed == 40 && view.fleet.attributed > 20 && view.fleet.watched < 10);
}

TEST(watch, asks_control_of_late_harm)
{
        OWN(small) struct small small;
        uint32_t treated[FLEET], control[FLEET];
        open_watched(&small, 5);
        uint32_t count = some_of(&small, false, treated, 12), controls = some_of(&small, true, control, 6);
        for (uint32_t i = 0; i < count || i < controls; i++) {
                if (i < controls)
                        tell_harm(&small, control[i]);
                if (i < count)
                        tell_harm(&small, treated[i]);
                small_wait(&small, 1000);
        }
        small_wait(&small, 2000);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_view(&small).fleet.attributed < 5 && small_view(&small).evidence < 10);
}

/* One that everybody's engine has in common: half of both arms at once. */
TEST(watch, asks_control_of_harm_that_comes_to_all_at_once)
{
        OWN(small) struct small small;
        uint32_t treated[FLEET], control[FLEET];
        open_watched(&small, 5);
        uint32_t count = some_of(&small, false, treated, 22), controls = some_of(&small, true, control, 9);
        for (uint32_t i = 0; i < controls; i++)
                tell_harm(&small, control[i]);
        for (uint32_t i = 0; i < count; i++)
                tell_harm(&small, treated[i]);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_view(&small).fleet.attributed < 1);
        small_wait(&small, 2000);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_view(&small).fleet.attributed < 1);
}

TEST(watch, does_not_think_worse_of_harm_because_others_leave)
{
        OWN(small) struct small small;
        uint32_t treated[FLEET], control[FLEET];
        open_watched(&small, 5);
        uint32_t count = some_of(&small, false, treated, FLEET), controls = some_of(&small, true, control, FLEET);
        for (uint32_t i = 0; i < 5; i++) {
                tell_harm(&small, treated[i]);
                small_wait(&small, 2000);
        }
        double before = small_view(&small).fleet.attributed;
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE);
        CHECK(rollout_left(small.rollout, small.now_ms, control, controls, NULL) == OK && rollout_left(small.rollout, small.now_ms, treated + 5, count - 5, NULL) == OK);
        small_wait(&small, 2000);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_view(&small).fleet.attributed <= before);
}

TEST(watch, hears_nothing_of_those_who_moved_on)
{
        OWN(small) struct small small;
        uint32_t treated[FLEET], handle;
        open_watched(&small, 5);
        (void)some_of(&small, false, treated, FLEET);
        CHECK(rollout_minds(small.rollout, treated[0], true, &handle) && rollout_left(small.rollout, small.now_ms, treated, 1, NULL) == OK);
        small_report(&small, handle, ROLLOUT_HARMED);
        CHECK(small_view(&small).fleet.harmed == 0 && small_view(&small).fleet.attributed == 0);
}

TEST(watch, counts_what_is_heard_as_a_round_ends)
{
        OWN(small) struct small small;
        open_watched(&small, 60);
        pass_round(&small);
        small.now_ms = watch_round_ms(small.rollout);
        hear(&small, false, 0);
        hear(&small, true, 0);
        CHECK(small_view(&small).fleet.lost == 0);
        CHECK(!rollout_tick(small.rollout, small.now_ms) && small_view(&small).fleet.lost == 0);
}

TEST(watch, takes_it_for_a_night_if_control_is_silent_too)
{
        OWN(small) struct small small;
        open_watched(&small, 5);
        pass_round(&small);
        for (int round = 0; round < 20; round++) {
                uint32_t silent = round % 4 * 4;
                hear(&small, false, 2 * silent);
                hear(&small, true, silent);
                pass_round(&small);
                CHECK(small_view(&small).state == ROLLOUT_COMPLETE);
        }
        CHECK(small_view(&small).fleet.lost && small_view(&small).fleet.control_lost && small_view(&small).fleet.dark == 0);
}

TEST(watch, stops_it_if_only_those_who_have_it_fall_silent)
{
        OWN(small) struct small small;
        open_watched(&small, 20);
        pass_round(&small);
        hear(&small, true, 0);
        hear(&small, false, 16);
        pass_round(&small);
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_COMPLETE && view.fleet.lost == 16 && view.fleet.control_lost == 0 && view.fleet.attributed > 0);
        hear(&small, true, 0);
        pass_round(&small);
        view = small_view(&small);
        CHECK(view.state == ROLLOUT_HALTED && view.stopped_by != ROLLOUT_BY_NOBODY && view.fleet.lost == view.fleet.listened && view.fleet.hurt == 0);
}

TEST(watch, gives_back_who_is_heard_of_again)
{
        OWN(small) struct small small;
        open_watched(&small, 60);
        pass_round(&small);
        hear(&small, true, 0);
        hear(&small, false, 12);
        pass_round(&small);
        CHECK(small_view(&small).fleet.lost == 12);
        hear(&small, false, 4);
        CHECK(small_view(&small).fleet.lost == 4 || small_view(&small).fleet.lost == 0);
        hear(&small, false, 0);
        CHECK(small_view(&small).fleet.lost == 0 && small_view(&small).fleet.attributed == 0);
}

TEST(watch, says_nothing_of_a_round_in_which_no_control_is_left_to_ask)
{
        OWN(small) struct small small;
        open_watched(&small, 5);
        pass_round(&small);
        pass_round(&small);      /* the server itself was deaf */
        struct rollout_view view = small_view(&small);
        CHECK(view.state == ROLLOUT_COMPLETE && view.fleet.lost > 40 && view.fleet.control_lost > 15 && view.fleet.attributed < 5);
        pass_round(&small);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE);
}

TEST(watch, is_over_for_those_who_moved_on)
{
        OWN(small) struct small small;
        uint32_t devices[FLEET], handle, out[] = { FLEET };
        open_watched(&small, 5);
        uint32_t count = some_of(&small, false, devices, FLEET);
        CHECK(rollout_left(small.rollout, small.now_ms, devices, count, NULL) == OK);
        CHECK(small_view(&small).fleet.watched == 0 && small_view(&small).fleet.proven == count && !rollout_minds(small.rollout, devices[0], true, &handle));
        pass_round(&small);
        hear(&small, true, 0);
        pass_round(&small);
        CHECK(small_view(&small).fleet.lost == 0 && small_view(&small).fleet.listened == 0 && small_view(&small).state == ROLLOUT_COMPLETE);
        CHECK(rollout_left(small.rollout, small.now_ms, out, 1, NULL) == ERR_NOT_FOUND);
        CHECK(rollout_heard(small.rollout, small.now_ms, &(uint32_t){ 100000 }, 1, NULL) == ERR_NOT_FOUND);
}

TEST(watch, listens_to_nobody_without_control_and_when_it_is_over)
{
        OWN(small) struct small small;
        struct rollout_listened listened[2 * FLEET];
        struct rollout_policy policy = small_policy();
        policy.budget = 60;
        policy.controls = 0;
        small_init(&small, &policy, FLEET);
        CHECK(small_pick(&small) == 60);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 99);
        small_wait(&small, 3 * LEASE_MS);
        CHECK(small_view(&small).fleet.watched == 60 && small_view(&small).fleet.listened == 0 && watch_round_ms(small.rollout) == NEVER);
        small_done(&small);
        open_watched(&small, 60);
        pass_round(&small);
        CHECK(rollout_listens(small.rollout, listened, 2 * FLEET) > 60);
        small.now_ms += 100000000;
        CHECK(rollout_tick(small.rollout, small.now_ms) && small_view(&small).state == ROLLOUT_WATCHED);
        CHECK(rollout_listens(small.rollout, listened, 2 * FLEET) == 0 && !rollout_tick(small.rollout, small.now_ms + 1000000));
}

TEST(watch, hears_nothing_from_control_that_is_not_watched)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        uint32_t handle = 0;
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        for (uint32_t i = 0; i < 40; i++)
                if (small.picks[i].kind == ROLLOUT_SHADOW)
                        handle = small.picks[i].handle;
        small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 99);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 99);
        small_wait(&small, LEASE_MS + 1000);
        small_report(&small, handle, ROLLOUT_HARMED);
        CHECK(small_view(&small).fleet.control_harmed == 0 && small_view(&small).fleet.watched == 5);
}
