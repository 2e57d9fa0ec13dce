#include "rollout/small.h"

#include <string.h>

static uint32_t count_of(const struct small *small, enum rollout_lease_kind kind)
{
        uint32_t count = 0;
        for (uint32_t i = 0; i < small->count; i++)
                count += small->picks[i].kind == kind;
        return count;
}

TEST(rollout_pick, covers_strata_before_buckets)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 2;
        policy.controls = 0;
        small_init(&small, &policy, 20);
        for (uint32_t i = 0; i < 20; i++)
                small.devices[i].strata[0] = i == 19;      /* the last by bucket is alone in its stratum */
        CHECK(small_pick(&small) == 2 && small.picks[0].kind == ROLLOUT_EXPOSE && small.picks[19].kind == ROLLOUT_EXPOSE);
        CHECK(rollout_has_seen_stratum(small.rollout, 0) && rollout_has_seen_stratum(small.rollout, 1));
}

TEST(rollout_pick, draws_controls_from_the_block_of_the_exposed)
{
        struct rollout_policy policy = small_policy();
        policy.budget = 1;
        const struct rollout_config config = { .policy = policy, .fleet = 20, .blocks = 2 };
        OWN(small) struct small small = { .count = 20 };
        CHECK(rollout_new(&config, &small.rollout, NULL) == OK && rollout_start(small.rollout, 0, NULL) == OK);
        for (uint32_t i = 0; i < 20; i++)
                small.devices[i] = (struct rollout_device){ .device = i, .bucket = i * UINT64_C(0x9E3779B97F4A7C15), .block = i % 2 };
        CHECK(small_pick(&small) == 1 && count_of(&small, ROLLOUT_SHADOW) == 4);
        for (uint32_t i = 1; i < 20; i++)      /* bucket 0 is first in line */
                CHECK(small.picks[i].kind == ROLLOUT_WAIT || i % 2 == 0);
}

TEST(rollout_pick, gives_a_block_its_controls_though_another_has_too_few)
{
        struct rollout_policy policy = small_policy();
        policy.budget = 2;
        const struct rollout_config config = { .policy = policy, .fleet = 20, .blocks = 2, .strata = 2 };
        OWN(small) struct small small = { .count = 20 };
        CHECK(rollout_new(&config, &small.rollout, NULL) == OK && rollout_start(small.rollout, 0, NULL) == OK);
        for (uint32_t i = 0; i < 20; i++)      /* block 1: the one to be exposed, and two more */
                small.devices[i] = (struct rollout_device){ .device = i, .bucket = i, .block = i < 3, .strata_count = 1, .strata = { i < 3 } };
        CHECK(small_pick(&small) == 2 && count_of(&small, ROLLOUT_SHADOW) == 2 + 4);
        for (uint32_t i = 0; i < 3; i++)
                CHECK(small.picks[i].kind != ROLLOUT_WAIT);
}

TEST(rollout_pick, draws_other_controls_each_time)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 1;
        small_init(&small, &policy, 60);
        uint64_t drawn[2] = { 0, 0 };
        for (unsigned round = 0; round < 2; round++) {
                CHECK(small_pick(&small) == 1);
                for (uint32_t i = 0; i < small.count; i++)
                        drawn[round] |= (uint64_t)(small.picks[i].kind == ROLLOUT_SHADOW) << i;
                small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 1);
                small_answer(&small, ROLLOUT_SHADOW, ROLLOUT_PROVEN, 4);
                small_wait(&small, 500);
        }
        CHECK(drawn[0] != drawn[1]);
}

TEST(rollout_pick, takes_volunteers_first_and_stragglers_last)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 20);
        for (uint32_t i = 0; i < 20; i++) {
                small.devices[i].ring = i < 8 ? ROLLOUT_RING_LATE : i < 16 ? ROLLOUT_RING_ALL : ROLLOUT_RING_EARLY;
                small.devices[i].strata_count = 0;
        }
        CHECK(small_pick(&small) == 5);
        for (uint32_t i = 0; i < 20; i++)
                CHECK((small.picks[i].kind == ROLLOUT_EXPOSE) == (i >= 16 || i == 8));
}

TEST(rollout_pick, serves_strata_that_are_too_rare_to_test_last)
{
        OWN(small) struct small small;
        const struct rollout_config config = { .policy = small_policy(), .fleet = 20, .blocks = 1, .strata = 2, .stratum_sizes = (const uint32_t[]){ 4, 16 } };
        small_init(&small, &config.policy, 20);
        rollout_free(small.rollout);
        CHECK(rollout_new(&config, &small.rollout, NULL) == OK && rollout_start(small.rollout, small.now_ms, NULL) == OK);
        for (uint32_t i = 0; i < 20; i++)
                small.devices[i].strata[0] = i >= 4;
        CHECK(small_pick(&small) == 5);
        for (uint32_t i = 0; i < 4; i++)
                CHECK(small.picks[i].kind != ROLLOUT_EXPOSE);
}

TEST(rollout_pick, goes_after_the_stratum_that_was_harmed)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        for (uint32_t i = 0, harmed = 0; i < 40; i++)
                if (small.picks[i].kind == ROLLOUT_EXPOSE) {
                        bool is_harmed = i % 2 == 1 && !harmed;
                        small_report(&small, small.picks[i].handle, is_harmed ? ROLLOUT_HARMED : ROLLOUT_PROVEN);
                        harmed += is_harmed;
                }
        small_wait(&small, 500);
        CHECK(small_pick(&small) == 4);
        for (uint32_t i = 0; i < 40; i++)
                CHECK(small.picks[i].kind == ROLLOUT_WAIT || i % 2 == 1);
}

/* In line: everybody who is held out, and five others. Those who are left while others go are control for one in eight only. */
TEST(rollout_pick, never_exposes_who_is_held_out_but_has_them_as_control)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.holdout_ppm = 500000;
        small_init(&small, &policy, 60);
        uint32_t held = 0, others = 0;
        for (uint32_t i = 0; i < 60; i++)
                if (rollout_is_held_out(small.rollout, i) || others++ < 5)
                        small.devices[held++] = small.devices[i];
        small.count = held;
        CHECK(held > 20 && held < 50 && small_pick(&small) == 5);
        uint32_t controls = 0;
        for (uint32_t i = 0; i < held; i++) {
                bool is_held_out = rollout_is_held_out(small.rollout, small.devices[i].bucket);
                CHECK(small.picks[i].kind != ROLLOUT_EXPOSE || !is_held_out);
                controls += small.picks[i].kind == ROLLOUT_SHADOW && is_held_out;
        }
        CHECK(controls == held - 5);      /* all their neighbours were exposed */
}

TEST(rollout_pick, keeps_to_the_cap_of_a_bake_however_green_all_is)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.cap_per_bake = 3;
        policy.controls = 0;
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 3);
        small_answer(&small, ROLLOUT_EXPOSE, ROLLOUT_PROVEN, 3);
        CHECK(small_pick(&small) == 0);
        small_wait(&small, 7999);
        CHECK(small_pick(&small) == 0);
        small_wait(&small, 501);      /* counted in sixteenths of a bake, the running one in full */
        CHECK(small_pick(&small) == 3);
}

TEST(rollout_pick, gathers_a_line_before_it_chooses)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.gather_s = 10;
        small_init(&small, &policy, 40);
        small.count = 39;
        CHECK(small_pick(&small) == 0);
        small.count = 40;
        CHECK(small_pick(&small) == 5);      /* all are there: what for? */
}

TEST(rollout_pick, refuses_devices_that_it_does_not_know)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        struct rollout_device bad[3] = { small.devices[0], small.devices[0], small.devices[0] };
        bad[0].device = 10;
        bad[1].block = 1;
        bad[2].strata[0] = 2;
        for (unsigned i = 0; i < 3; i++) {
                struct rollout_line line = { small.now_ms, &bad[i], 1, small.picks, 7 };
                CHECK(rollout_pick(small.rollout, &line, NULL) == ERR_NOT_FOUND && line.picked == 0);
        }
        struct rollout_line line = { small.now_ms, small.devices, 11, small.picks, 0 };
        CHECK(rollout_pick(small.rollout, &line, NULL) == ERR_LIMIT);
}

TEST(rollout_pick, takes_one_that_stands_in_line_twice_once)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 10);
        for (uint32_t i = 1; i < 10; i++)
                small.devices[i] = small.devices[0];
        CHECK(small_pick(&small) == 1 && count_of(&small, ROLLOUT_WAIT) == 9);
}
