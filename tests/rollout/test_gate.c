#include "rollout/gate.h"

#include "rollout/small.h"
#include "support/sim_random.h"

#include <math.h>
#include <string.h>

static double mixed(double treated, double control, unsigned power)
{
        double sum = 0;
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                sum += evalue_weight(i) * pow(evalue_ratio(i) * (treated + control) / (evalue_ratio(i) * treated + control), power);
        return sum;
}

/* One crash among 1 treated and 4 control of one block: the fleet's crash process is r 5 / (r + 4); so is that of the crashed one's stratum, with those of it alone. Weights: 1/18 for each signal of
 * the fleet, 1/36 for each of the two strata. */
TEST(the_gate, has_the_hand_computed_evidence)
{
        OWN(small) struct small small;
        struct rollout_policy policy = small_policy();
        policy.budget = 1;
        small_init(&small, &policy, 20);
        small.count = 6;
        CHECK(small_pick(&small) == 1 && small_view(&small).fleet.control == 4);
        uint32_t crashed = 0;
        while (small.picks[crashed].kind != ROLLOUT_EXPOSE)
                crashed++;
        struct rollout_counts of_it;
        rollout_view_stratum(small.rollout, crashed % 2, &of_it);
        CHECK(of_it.control >= 1 && of_it.exposed == 1);
        small_report(&small, small.picks[crashed].handle, ROLLOUT_HARMED);
        CHECK(small_view(&small).evidence <= 1);      /* its second is not over: others may belong to it */
        CHECK(small_wait(&small, 1000));
        double fleet = mixed(1, 4, 1), stratum = mixed(1, of_it.control, 1);
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
        CHECK(small_pick(&small) > 10);
        bool has_proven[2] = { false, false };
        for (uint32_t i = 0; i < small.count; i++)
                if (small.picks[i].kind == ROLLOUT_EXPOSE) {      /* one of each stratum proves it */
                        small_report(&small, small.picks[i].handle, has_proven[i % 2] ? ROLLOUT_HARMED : ROLLOUT_PROVEN);
                        has_proven[i % 2] = true;
                }
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
        CHECK(fabs(small.rollout->groups[0].evalues[ROLLOUT_DARK].log_mean - expected.log_mean) < 1e-9);
        CHECK(expected.log_mean > log(1000));
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

/* What the gate would say if it looked at every lease again for every event. */
enum { STORM_FLEET = 60, STORM_STRATA = 5, STORM_LINE = 12, STORM_STEPS = 200, STORM_LEASES = 4000, STORM_GROUPS = 1 + STORM_STRATA };
struct seen { struct rollout_device device; uint32_t block; bool is_control, is_apart, has_begun, has_declined, is_proven; int64_t picked_slot, ended_slot, due_ms; enum rollout_signal signal; };
struct storm {
        struct small small;
        struct sim_random random;
        struct seen seen[STORM_LEASES];
        uint32_t count;
        struct evalue evalues[STORM_GROUPS][ROLLOUT_SIGNALS];
};

static int64_t slot_of(int64_t ms) { return ms / 1000; }
static bool is_of(const struct seen *seen, unsigned group)
{
        return !group || seen->device.strata[0] + 1u == group || seen->device.strata[1] + 1u == group;
}

static void add_risk(const struct seen *seen, enum rollout_signal signal, int64_t slot, struct evalue_risk *risk)
{
        bool is_at_risk = signal == ROLLOUT_DARK ? slot_of(seen->due_ms) == slot : seen->ended_slot >= slot;
        bool had_event = seen->ended_slot == slot && seen->signal == signal;
        if (!seen->has_begun || seen->has_declined || seen->is_apart || !is_at_risk)
                return;
        risk->treated += !seen->is_control;
        risk->control += seen->is_control;
        risk->treated_events += had_event && !seen->is_control;
        risk->control_events += had_event && seen->is_control;
}

static void weigh_slot(struct storm *storm, int64_t slot)
{
        for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++)
                for (unsigned group = 0; group < STORM_GROUPS; group++)
                        for (unsigned block = 0; block < 2 + BLOCKS_BESIDE; block++)
                                for (int64_t cell = slot - 40; cell <= slot; cell++) {
                                        struct evalue_risk risk = { 0 };
                                        for (uint32_t i = 0; i < storm->count; i++)
                                                if (storm->seen[i].block == block && storm->seen[i].picked_slot == cell && is_of(&storm->seen[i], group))
                                                        add_risk(&storm->seen[i], (enum rollout_signal)signal, slot, &risk);
                                        if (risk.treated_events + risk.control_events)
                                                evalue_multiply(&storm->evalues[group][signal], &risk);
                                }
}

static void storm_init(struct storm *storm, uint64_t seed)
{
        struct rollout_policy policy = small_policy();
        policy.budget = 1000;
        policy.cap_per_bake = 4;
        policy.alpha_ppm = 1;
        const struct rollout_config config = { .policy = policy, .fleet = STORM_FLEET, .blocks = 2, .strata = STORM_STRATA, .leases_max = STORM_LEASES };
        *storm = (struct storm){ .small = { .count = STORM_FLEET, .now_ms = 1000000 } };
        sim_random_init(&storm->random, seed);
        for (uint16_t i = 0; i < STORM_FLEET; i++)
                storm->small.devices[i] = (struct rollout_device){ .device = i, .bucket = i, .block = i % 2, .strata = { i % 3, 3 + i / 7 % 2 }, .strata_count = 2,
                                                                   .ring = ROLLOUT_RING_ALL };
        CHECK(rollout_new(&config, &storm->small.rollout, NULL) == OK && rollout_start(storm->small.rollout, storm->small.now_ms, NULL) == OK);
}

static void storm_pick(struct storm *storm)
{
        struct small *small = &storm->small;
        struct rollout_device line[STORM_LINE];
        struct rollout_line some = { small->now_ms, line, STORM_LINE, small->picks, 0 };
        for (unsigned i = 0; i < STORM_LINE; i++)
                line[i] = small->devices[sim_random_below(&storm->random, STORM_FLEET)];
        CHECK(rollout_pick(small->rollout, &some, NULL) == OK);
        for (unsigned i = 0; i < STORM_LINE; i++)
                if (small->picks[i].kind != ROLLOUT_WAIT) {
                        storm->count++;
                        const struct lease *lease = &small->rollout->leases[small->picks[i].handle];
                        storm->seen[small->picks[i].handle] = (struct seen){ .device = line[i], .block = small->rollout->cells[lease->cell].block,
                                                                     .is_control = small->picks[i].kind == ROLLOUT_SHADOW, .is_apart = lease->is_apart,
                                                                     .picked_slot = slot_of(small->now_ms), .ended_slot = NEVER, .due_ms = small->now_ms + 16000 };
                }
}

static void storm_report(struct storm *storm, uint32_t handle)
{
        static const struct { enum rollout_outcome outcome; enum rollout_signal kind, signal; } answers[] = {
                { ROLLOUT_PROVEN, 0, ROLLOUT_SIGNALS },        { ROLLOUT_HARMED, ROLLOUT_CRASH, ROLLOUT_CRASH },
                { ROLLOUT_HARMED, ROLLOUT_HUMAN, ROLLOUT_HUMAN }, { ROLLOUT_DECLINED, 0, ROLLOUT_SIGNALS },
                { ROLLOUT_PREFLIGHT_FAILED, 0, ROLLOUT_PREFLIGHT },
        };
        struct seen *seen = &storm->seen[handle];
        unsigned answer = (unsigned)sim_random_below(&storm->random, 5);
        bool is_news = !seen->is_proven || answers[answer].outcome == ROLLOUT_HARMED;
        if (!seen->has_begun || seen->ended_slot != NEVER || seen->has_declined || !is_news)
                return;
        CHECK(rollout_report(storm->small.rollout, &(struct rollout_report){ storm->small.now_ms, handle, answers[answer].outcome, answers[answer].kind }, NULL) == OK);
        seen->has_declined = answers[answer].outcome == ROLLOUT_DECLINED;
        seen->is_proven = answers[answer].outcome == ROLLOUT_PROVEN;
        if (seen->is_proven)                     /* it goes on running the release */
                return;
        seen->ended_slot = slot_of(storm->small.now_ms);
        seen->signal = answers[answer].signal;
}

/* Deadlines up to now, then whatever else happens in this slot. */
static void storm_step(struct storm *storm)
{
        struct small *small = &storm->small;
        small_wait(small, 0);
        for (uint32_t i = 0; i < storm->count; i++)
                if (storm->seen[i].has_begun && storm->seen[i].ended_slot == NEVER && storm->seen[i].due_ms <= small->now_ms) {
                        storm->seen[i].ended_slot = slot_of(small->now_ms);
                        storm->seen[i].signal = storm->seen[i].is_proven ? ROLLOUT_SIGNALS : ROLLOUT_DARK;
                }
        storm_pick(storm);
        for (uint32_t i = storm->count > 60 ? storm->count - 60 : 0; i < storm->count; i++) {
                struct seen *seen = &storm->seen[i];
                bool is_open = seen->has_begun || seen->due_ms <= small->now_ms;
                if (!is_open && sim_random_below(&storm->random, 3) == 0)
                        seen->has_begun = rollout_granted(small->rollout, i, small->now_ms, &seen->due_ms, NULL) == OK;
                else if (sim_random_below(&storm->random, 12) == 0)
                        storm_report(storm, i);
        }
}

TEST(the_gate, has_the_evidence_that_looking_at_every_lease_gives)
{
        static struct storm storm;
        uint32_t touched = 0;
        for (uint64_t seed = 0; seed < 5; seed++) {
                storm_init(&storm, seed);
                for (unsigned step = 0; step < STORM_STEPS && storm.count + STORM_LINE < STORM_LEASES; step++) {
                        storm_step(&storm);
                        weigh_slot(&storm, slot_of(storm.small.now_ms));
                        storm.small.now_ms += 1000;
                }
                small_wait(&storm.small, 0);
                for (unsigned group = 0; group < STORM_GROUPS; group++)
                        for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++) {
                                CHECK(fabs(storm.small.rollout->groups[group].evalues[signal].log_mean - storm.evalues[group][signal].log_mean) < 1e-9);
                                touched += storm.evalues[group][signal].is_touched;
                        }
                small_done(&storm.small);
        }
        CHECK(touched > 5 * STORM_GROUPS);
}
