#include "rollout/rollout.h"

#include "rollout/small.h"

#include <string.h>

enum { FLEET = 40 };

/* Budget 40: only the ceiling is in the way. */
static void open_small(struct small *small, const struct rollout_step *steps, size_t count)
{
        struct rollout_policy policy = small_policy();
        struct rollout_config config = { .fleet = FLEET, .blocks = 1, .strata = 0 };
        policy.budget = FLEET;
        policy.controls = 0;
        config.policy = policy;
        *small = (struct small){ .count = FLEET, .now_ms = 1000000 };
        for (uint32_t i = 0; i < FLEET; i++)
                small->devices[i] = (struct rollout_device){ .device = i, .bucket = i };
        CHECK(rollout_new(&config, &small->rollout, NULL) == OK && rollout_ceiling(small->rollout, steps, count, NULL) == OK);
        CHECK(rollout_start(small->rollout, small->now_ms, NULL) == OK);
}

static bool is_at_ceiling(const struct small *small)
{
        struct rollout_view view = small_view(small);
        return view.state == ROLLOUT_HOLDING && view.reason == ROLLOUT_BECAUSE_CEILING;
}

static const struct rollout_step ramp[] = { { 1010000, 2 }, { 1060000, 10 }, { 1100000, FLEET } };

TEST(rollout_ceiling, is_never_passed_and_lets_it_go_on_by_itself)
{
        struct small small;
        open_small(&small, ramp, 3);
        CHECK(is_at_ceiling(&small) && small_view(&small).until_ms == 1010000 && small_pick(&small) == 0);
        small_wait(&small, 10000);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING && small_pick(&small) == 2);
        rollout_seen(small.rollout, small.now_ms, FLEET);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 2);
        CHECK(small_pick(&small) == 0);
        small_wait(&small, 1000);
        CHECK(is_at_ceiling(&small) && small_view(&small).until_ms == 1060000);
        CHECK(strcmp(small_view(&small).sentence, "The signed ceiling of its ramp is reached with 2 exposed: nobody more starts before 1970-01-01 00:17 UTC.") == 0);
        small_wait(&small, 48999);
        CHECK(is_at_ceiling(&small) && small_pick(&small) == 0);
        small_wait(&small, 1);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING && small_pick(&small) == 8);
        small_wait(&small, 40000);
        CHECK(small_view(&small).fleet.exposed == 10);
        small_done(&small);
}

/* Reserved ones may come for their leases still: not before then does it hold. */
TEST(rollout_ceiling, waits_for_those_who_were_picked_below_it)
{
        struct small small;
        int64_t deadline_ms;
        open_small(&small, ramp + 1, 2);
        small_wait(&small, 60000);
        struct rollout_line line = { small.now_ms, small.devices, small.count, small.picks, 0 };
        CHECK(rollout_pick(small.rollout, &line, NULL) == OK && line.picked == 10);
        small_wait(&small, 1000);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING && small_view(&small).until_ms == 0);
        uint32_t granted = 0;
        for (uint32_t i = 0; i < FLEET; i++)
                if (small.picks[i].kind == ROLLOUT_EXPOSE && granted++ < 9)
                        CHECK(rollout_granted(small.rollout, small.picks[i].handle, small.now_ms, &deadline_ms, NULL) == OK);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 1);
        small_wait(&small, 15000);                       /* the tenth did not come: there is room for another */
        small_wait(&small, 2000);
        CHECK(small_view(&small).state == ROLLOUT_EXPOSING && small_view(&small).fleet.exposed == 9);
        small_done(&small);
}

TEST(rollout_ceiling, cannot_be_lifted_by_people)
{
        struct small small;
        struct why why = { 0 };
        open_small(&small, ramp, 3);
        const enum rollout_event events[] = { ROLLOUT_ON_RESUME, ROLLOUT_ON_OVERRIDE };
        for (int i = 0; i < 2; i++) {
                struct rollout_command order = { .event = events[i], .now_ms = small.now_ms, .who = "anna", .second = "bert", .because = "now" };
                CHECK(rollout_command(small.rollout, &order, &why) == ERR_REFUSED && strstr(why.text, "signed offline"));
        }
        CHECK(rollout_ceiling(small.rollout, NULL, 0, &why) == ERR_REFUSED && is_at_ceiling(&small));
        struct rollout_command hold = { .event = ROLLOUT_ON_HOLD, .now_ms = small.now_ms, .who = "anna" }, resume = { .event = ROLLOUT_ON_RESUME, .now_ms = small.now_ms, .who = "anna" };
        CHECK(rollout_command(small.rollout, &hold, NULL) == OK && small_view(&small).reason == ROLLOUT_BECAUSE_OPERATOR);
        CHECK(rollout_command(small.rollout, &resume, NULL) == OK && is_at_ceiling(&small));
        small_done(&small);
}

TEST(rollout_ceiling, that_ends_below_all_says_so)
{
        struct small small;
        open_small(&small, (const struct rollout_step[]){ { 0, 4 } }, 1);
        CHECK(small_pick(&small) == 4);
        small_wait(&small, 1);
        CHECK(is_at_ceiling(&small) && !small_view(&small).until_ms);
        CHECK(strcmp(small_view(&small).sentence, "The signed ceiling of its ramp is reached with 4 exposed: nobody more starts; it has no further step.") == 0);
        small_done(&small);
}

/* 95 % of those who are there have it: it is complete, although the ceiling keeps others away. */
TEST(rollout_ceiling, does_not_keep_it_from_being_complete)
{
        struct small small;
        open_small(&small, ramp + 1, 2);
        small_wait(&small, 60000);
        rollout_seen(small.rollout, small.now_ms, 10);
        CHECK(small_pick(&small) == 10);
        small_wait(&small, 1);
        CHECK(is_at_ceiling(&small));
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 10);
        CHECK(small_view(&small).state == ROLLOUT_COMPLETE && small_pick(&small) == 0);
        small_wait(&small, 40000);
        CHECK(small_pick(&small) > 0);
        small_done(&small);
}

TEST(rollout_ceiling, gives_way_to_a_freeze_and_comes_back)
{
        struct small small;
        open_small(&small, ramp, 3);
        rollout_freeze(small.rollout, small.now_ms, true, 0);
        CHECK(small_view(&small).reason == ROLLOUT_BECAUSE_FREEZE_WINDOW);
        rollout_freeze(small.rollout, small.now_ms, false, 0);
        CHECK(is_at_ceiling(&small));
        small_done(&small);
}

TEST(rollout_ceiling, is_a_ramp)
{
        struct rollout_policy policy = small_policy();
        const struct rollout_config config = { .policy = policy, .fleet = FLEET, .blocks = 1 };
        static const struct rollout_step many[ROLLOUT_STEPS_MAX + 1];
        OWN(rollout) struct rollout *rollout = NULL;
        CHECK(rollout_new(&config, &rollout, NULL) == OK);
        CHECK(rollout_ceiling(rollout, (const struct rollout_step[]){ { 5, 1 }, { 5, 2 } }, 2, NULL) == ERR_USAGE);
        CHECK(rollout_ceiling(rollout, (const struct rollout_step[]){ { 5, 2 }, { 6, 1 } }, 2, NULL) == ERR_USAGE);
        CHECK(rollout_ceiling(rollout, many, ROLLOUT_STEPS_MAX + 1, NULL) == ERR_LIMIT);
}
