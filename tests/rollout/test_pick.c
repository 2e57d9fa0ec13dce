#include "rollout/book.h"
#include "rollout/small.h"

#include <math.h>
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

/* Nobody else of block 1 is left: two of its set are of block 0. */
TEST(rollout_pick, tops_a_set_up_from_anywhere)
{
        struct rollout_policy policy = small_policy();
        policy.budget = 2;
        const struct rollout_config config = { .policy = policy, .fleet = 20, .blocks = 2, .strata = 2 };
        OWN(small) struct small small = { .count = 20 };
        CHECK(rollout_new(&config, &small.rollout, NULL) == OK && rollout_start(small.rollout, 0, NULL) == OK);
        for (uint32_t i = 0; i < 20; i++)      /* block 1: the one to be exposed, and two more */
                small.devices[i] = (struct rollout_device){ .device = i, .bucket = i, .block = i < 3, .strata_count = 1, .strata = { i < 3 } };
        CHECK(small_pick(&small) == 2 && count_of(&small, ROLLOUT_SHADOW) == 2 * 4);
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

static void harm_an_odd_one(struct small *small)
{
        uint32_t harmed = 0;
        for (uint32_t i = 0; i < small->count; i++)
                if (small->picks[i].kind == ROLLOUT_EXPOSE) {
                        bool is_harmed = i % 2 == 1 && !harmed;
                        small_report(small, small->picks[i].handle, is_harmed ? ROLLOUT_HARMED : ROLLOUT_PROVEN);
                        harmed += is_harmed;
                }
}

TEST(rollout_pick, goes_after_the_stratum_that_was_harmed)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.controls = 0;
        small_init(&small, &policy, 40);
        CHECK(small_pick(&small) == 5);
        harm_an_odd_one(&small);
        small_wait(&small, 500);
        CHECK(small_pick(&small) == 4);
        for (uint32_t i = 0; i < 40; i++)
                CHECK(small.picks[i].kind == ROLLOUT_WAIT || i % 2 == 1);
}

/* Whoever is exposed was drawn among those who come first, and the others are control: both arms are of the stratum that was harmed. */
TEST(rollout_pick, has_control_of_the_stratum_that_it_goes_after)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 60);
        CHECK(small_pick(&small) == 5);
        harm_an_odd_one(&small);
        small_wait(&small, 500);
        CHECK(small_pick(&small) == 4);
        uint32_t of_it[3] = { 0 }, others[3] = { 0 };
        for (uint32_t i = 0; i < 60; i++)
                (i % 2 == 1 ? of_it : others)[small.picks[i].kind]++;
        CHECK(of_it[ROLLOUT_EXPOSE] == 4 && of_it[ROLLOUT_SHADOW] && !others[ROLLOUT_SHADOW]);
}

/* The leases that are left are for exposures: held-out devices at the front of the line must not use up what may be exposed. */
TEST(rollout_pick, passes_by_held_out_ones_when_there_is_no_room_for_control)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 1;
        policy.holdout_ppm = 500000;
        small_init(&small, &policy, 20);
        for (uint64_t i = 0, bucket = 0; i < small.count; i++, bucket++) {
                while (rollout_is_held_out(small.rollout, bucket) != (i < small.count / 2))
                        bucket++;
                small.devices[i].bucket = bucket;
        }
        small.rollout->leases_max = (uint32_t)book_tries_max(small.count);
        CHECK(small_pick(&small) == 1);
}

/* Room ends within the slot: the last are exposed by themselves, which says nothing of the control that the others have. */
TEST(rollout_pick, leaves_control_its_weight_when_there_is_no_more_room_for_it)
{
        enum { ROOM = 9 };
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        small_init(&small, &policy, 40);
        small.rollout->leases_max = (uint32_t)book_tries_max(small.count) + ROOM;
        CHECK(small_pick(&small) == 5);
        uint32_t controls = 0, apart = 0;
        for (uint32_t i = 0; i < small.rollout->lease_count; i++) {
                const struct lease *lease = &small.rollout->leases[i];
                controls += lease->is_control;
                apart += lease->is_apart;
                CHECK(!lease->is_control || small.rollout->cells[lease->cell].stands_for == weight_to_byte(.25));
        }
        CHECK(controls == ROOM && apart > 0);
}

enum { MANY = 4000 };
struct many { struct rollout *rollout; struct rollout_device devices[MANY]; struct rollout_pick picks[MANY]; };

static uint32_t held_out_controls(struct many *many, int64_t controls)
{
        struct rollout_policy policy = small_policy();
        policy.budget = 200;
        policy.controls = controls;
        policy.holdout_ppm = 200000;
        const struct rollout_config config = { .policy = policy, .fleet = MANY, .blocks = 1 };
        CHECK(rollout_new(&config, &many->rollout, NULL) == OK && rollout_start(many->rollout, 0, NULL) == OK);
        for (uint32_t i = 0; i < MANY; i++)
                many->devices[i] = (struct rollout_device){ .device = i, .bucket = i * UINT64_C(0x9E3779B97F4A7C15), .ring = ROLLOUT_RING_ALL };
        struct rollout_line line = { 0, many->devices, MANY, many->picks, 0 };
        CHECK(rollout_pick(many->rollout, &line, NULL) == OK);
        uint32_t exposed = 0, held_out = 0;
        for (uint32_t i = 0; i < MANY; i++) {
                bool is_held_out = rollout_is_held_out(many->rollout, many->devices[i].bucket);
                exposed += many->picks[i].kind == ROLLOUT_EXPOSE;
                held_out += many->picks[i].is_stand_in;
                CHECK(!many->picks[i].is_stand_in || (is_held_out && many->picks[i].kind == ROLLOUT_SHADOW));
                CHECK(many->picks[i].kind != ROLLOUT_EXPOSE || !is_held_out);
        }
        CHECK(exposed + held_out == 200);         /* a set for each */
        rollout_free(many->rollout);
        return held_out;
}

/* A fifth is held out: one for four exposures, however much control there is beside them. */
TEST(rollout_pick, takes_held_out_ones_as_often_as_others_are_exposed)
{
        static struct many many;
        for (int64_t controls = 1; controls <= 8; controls *= 2) {
                uint32_t held_out = held_out_controls(&many, controls);
                CHECK(held_out > 25 && held_out < 80);
        }
}

/* A sixth of the devices are alone in their block, and every tenth is of the stratum that is harmed. In each sort of cell treated and control are of the same kinds. */
enum { SORT_OF_BLOCK, SORT_OF_BESIDE, SORTS = SORT_OF_BESIDE + BLOCKS_BESIDE, KIND_SUSPECT = 1, KIND_BY_ITSELF = 2, KINDS = 4 };
struct tally { double arms[SORTS][ARMS][KINDS]; };

static unsigned kind_of(const struct rollout_device *device) { return (device->strata[0] ? KIND_SUSPECT : 0) | (device->block >= 20 ? KIND_BY_ITSELF : 0); }

/* in_line: so many of them stand in line at a time. */
struct trial { int64_t controls, budget; uint32_t in_line; bool is_harmless; };

static void tally_pick(struct many *many, const struct trial *trial, int64_t now_ms, uint32_t first, struct tally *tally)
{
        struct rollout_line line = { now_ms, many->devices + first, trial->in_line, many->picks + first, 0 };
        CHECK(rollout_pick(many->rollout, &line, NULL) == OK);
        for (uint32_t i = first; i < first + trial->in_line; i++) {
                int64_t deadline_ms;
                if (many->picks[i].kind == ROLLOUT_WAIT)
                        continue;
                const struct lease *lease = &many->rollout->leases[many->picks[i].handle];
                uint32_t block = many->rollout->cells[lease->cell].block, beside = block - many->rollout->blocks;
                unsigned sort = block < many->rollout->blocks ? SORT_OF_BLOCK : SORT_OF_BESIDE + beside;
                if (!lease->is_apart)
                        tally->arms[sort][lease->is_control][kind_of(&many->devices[i])]++;
                CHECK(rollout_granted(many->rollout, many->picks[i].handle, now_ms, &deadline_ms, NULL) == OK);
                bool is_hurt = !trial->is_harmless && !lease->is_control && many->devices[i].strata[0] && i % 3 == 0;
                const struct rollout_report report = { now_ms, many->picks[i].handle, is_hurt ? ROLLOUT_HARMED : ROLLOUT_PROVEN, ROLLOUT_CRASH };
                CHECK(rollout_report(many->rollout, &report, NULL) == OK);
        }
}

static void tally_rollout(struct many *many, const struct trial *trial, uint64_t salt, struct tally *tally)
{
        struct rollout_policy policy = small_policy();
        policy.budget = trial->budget;
        policy.alpha_ppm = 1;
        policy.controls = trial->controls;
        const struct rollout_config config = { .policy = policy, .fleet = MANY, .blocks = 20 + MANY / 6, .strata = 2 };
        CHECK(rollout_new(&config, &many->rollout, NULL) == OK && rollout_start(many->rollout, 0, NULL) == OK);
        for (uint32_t i = 0; i < MANY; i++)
                many->devices[i] = (struct rollout_device){ .device = i, .bucket = bucket_mix(salt << 32 | i), .ring = ROLLOUT_RING_ALL, .strata_count = 1, .strata = { i % 10 == 7 },
                                                            .block = i < MANY / 6 ? 20 + i : i % 20 };
        uint32_t first = 0;
        for (int64_t now_ms = 0; now_ms < 60000; now_ms += 700, first = (first + trial->in_line) % MANY) {
                bool has_changed = rollout_tick(many->rollout, now_ms);
                CHECK(has_changed || many->rollout->now_ms <= now_ms);
                tally_pick(many, trial, now_ms, first, tally);
        }
        rollout_free(many->rollout);
}

static double sum_of(const double *counts)
{
        double sum = 0;
        for (unsigned kind = 0; kind < KINDS; kind++)
                sum += counts[kind];
        return sum;
}

static void compare_arms(const double arms[ARMS][KINDS])
{
        double treated = sum_of(arms[ARM_TREATED]), control = sum_of(arms[ARM_CONTROL]);
        for (unsigned kind = 0; kind < KINDS && treated > 0 && control > 0; kind++) {
                double share = (arms[ARM_TREATED][kind] + arms[ARM_CONTROL][kind]) / (treated + control), deviation = sqrt(share * (1 - share) * (1 / treated + 1 / control));
                CHECK(fabs(arms[ARM_TREATED][kind] / treated - arms[ARM_CONTROL][kind] / control) < 4 * deviation + .005);
        }
}

TEST(rollout_pick, has_treated_and_control_of_the_same_kinds_in_every_cell)
{
        static struct many many;
        const struct trial trials[] = { { 1, 400, MANY, false }, { 4, 400, MANY, false }, { 4, 3000, MANY, false }, { 4, 3000, 80, true } };      /* the last two: one control for several exposures */
        for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
                struct tally tally = { 0 };
                for (uint64_t salt = 0; salt < 4; salt++)
                        tally_rollout(&many, &trials[i], salt, &tally);
                for (unsigned sort = 0; sort < SORTS; sort++)
                        compare_arms(tally.arms[sort]);
                CHECK(sum_of(tally.arms[SORT_OF_BESIDE + BLOCK_ANYWHERE][ARM_CONTROL]) > 100 && sum_of(tally.arms[SORT_OF_BLOCK][ARM_CONTROL]) > 100);
        }
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

/* One device, and leases for its three tries alone: nobody can be control, by no toss. */
TEST(rollout_pick, lets_nobody_wait_for_ever_once_there_is_no_room_for_control)
{
        for (uint64_t bucket = 0; bucket < 64; bucket++) {
                struct rollout_policy policy = small_policy();
                policy.controls = 4;
                const uint32_t sizes[] = { 1 };
                const struct rollout_config config = { .policy = policy, .fleet = 1, .blocks = 1, .strata = 1, .stratum_sizes = sizes, .leases_max = 3 };
                const struct rollout_device device = { .bucket = bucket_mix(bucket), .ring = ROLLOUT_RING_ALL, .strata_count = 1 };
                struct rollout *rollout;
                struct rollout_pick pick;
                CHECK(rollout_new(&config, &rollout, NULL) == OK && rollout_start(rollout, 1000000, NULL) == OK);
                struct rollout_line line = { 1000000, &device, 1, &pick, 0 };
                CHECK(rollout_pick(rollout, &line, NULL) == OK && pick.kind == ROLLOUT_EXPOSE);
                rollout_free(rollout);
        }
}
