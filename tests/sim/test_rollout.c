/* What must hold for every seed, with the real rollout code and a small fleet. */
#include "sim/sim_fleet.h"

#include "base/mem.h"
#include "support/test.h"

#include <string.h>

enum { SEEDS = 200, MINUTE_MS = 60000 };
static const struct { uint32_t bad, exposed_max; } shares[] = { { 12, 12 }, { 20, 10 } };

static bool is_stopped(const struct rollout_view *view)
{
        return (view->state == ROLLOUT_HOLDING && view->reason == ROLLOUT_BECAUSE_BUDGET) || view->state == ROLLOUT_HALTED;
}

TEST(a_release_that_kills_one_os_version, hurts_five_at_most_of_ten_or_twelve_exposed_and_stops)
{
        for (unsigned share = 0; share < 2; share++)
                for (uint64_t seed = 0; seed < SEEDS; seed++) {
                        struct sim_fleet fleet = { 0 };
                        struct rollout_view view;
                        sim_fleet_init(&fleet, &(struct sim_release){ .bad_devices = shares[share].bad, .crash_ppm = 1000000 }, seed);
                        sim_fleet_run(&fleet, MINUTE_MS);
                        rollout_view(fleet.rollout, &view);
                        CHECK(view.fleet.hurt <= 5 && view.fleet.exposed <= shares[share].exposed_max);
                        CHECK(is_stopped(&view) && view.stopped_ms && !fleet.exposed_while_stopped);
                        sim_fleet_done(&fleet);
                }
}

TEST(a_release_that_darkens_whoever_gets_it, reaches_five_and_counts_them_without_a_report)
{
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
                struct sim_fleet fleet = { 0 };
                struct rollout_view view;
                sim_fleet_init(&fleet, &(struct sim_release){ .bad_devices = FLEET, .dark_ppm = 1000000 }, seed);
                sim_fleet_run(&fleet, MINUTE_MS);
                rollout_view(fleet.rollout, &view);
                CHECK(view.fleet.exposed <= 5 && view.fleet.dark == view.fleet.exposed && view.fleet.hurt == 5 && fleet.most_unanswered <= 5);
                CHECK(is_stopped(&view) && view.stopped_by == ROLLOUT_BY_BUDGET);
                sim_fleet_done(&fleet);
        }
}

TEST(a_good_release, is_proven_everywhere_within_seven_leases)
{
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
                struct sim_fleet fleet = { 0 };
                struct rollout_view view;
                sim_fleet_init(&fleet, &(struct sim_release){ .bad_devices = 12 }, seed);
                sim_fleet_run(&fleet, MINUTE_MS);
                rollout_view(fleet.rollout, &view);
                CHECK(view.state == ROLLOUT_COMPLETE && view.fleet.proven == FLEET && !view.fleet.hurt && view.verdict == ROLLOUT_GO);
                CHECK(view.completed_ms - view.started_ms <= 7 * rollout_lease_ms(fleet.rollout));
                sim_fleet_done(&fleet);
        }
}

TEST(a_good_release, completes_though_some_are_silent_or_late)
{
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
                struct sim_fleet fleet = { .policy = sim_policy() };
                struct rollout_view view;
                fleet.policy.complete_ppm = 900000;
                sim_fleet_init(&fleet, &(struct sim_release){ .bad_devices = 12, .dark_anyway_ppm = 10000, .late_ppm = 30000 }, seed);
                sim_fleet_run(&fleet, 3 * MINUTE_MS);
                rollout_view(fleet.rollout, &view);
                CHECK(view.state == ROLLOUT_COMPLETE);
                sim_fleet_done(&fleet);
        }
}

/* Both arms crash alike: with alpha 1 % in 100 of 10,000 at most; here the gate alone is asked, with a budget out of reach. */
TEST(a_harmless_release, is_halted_by_the_gate_no_more_often_than_alpha)
{
        unsigned halted = 0;
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
                struct sim_fleet fleet = { .policy = sim_policy() };
                struct rollout_view view;
                fleet.policy.alpha_ppm = 50000;
                fleet.policy.budget = 40;
                sim_fleet_init(&fleet, &(struct sim_release){ .bad_devices = 12, .dark_anyway_ppm = 200000 }, seed);
                sim_fleet_run(&fleet, MINUTE_MS);
                rollout_view(fleet.rollout, &view);
                halted += view.stopped_by == ROLLOUT_BY_GATE;
                sim_fleet_done(&fleet);
        }
        CHECK(halted <= 20);      /* 10 expected at the very most; binomial, 3e-3 beyond 20 */
}

/* Tells it all again, without the ticks and lines that changed nothing. */
static void replay(const struct sim_fleet *fleet, struct rollout *again)
{
        for (uint32_t i = 0; i < fleet->told_count; i++) {
                const struct told *told = &fleet->told[i];
                struct rollout_device devices[FLEET];
                struct rollout_pick picks[FLEET];
                struct rollout_line line = { told->now_ms, devices, told->count, picks, 0 };
                int64_t deadline_ms;
                for (uint32_t at = 0; at < told->count; at++)
                        devices[at] = fleet->devices[told->line[at]].facts;
                if (told->what == TOLD_TICK)
                        CHECK(rollout_tick(again, told->now_ms));
                if (told->what == TOLD_LINE)
                        CHECK(rollout_pick(again, &line, NULL) == OK && line.picked);
                if (told->what == TOLD_GRANT)
                        CHECK(rollout_granted(again, told->handle, told->now_ms, &deadline_ms, NULL) == OK);
                if (told->what == TOLD_REPORT)
                        CHECK(rollout_report(again, &told->report, NULL) == OK);
                if (told->what == TOLD_SEEN)
                        rollout_seen(again, told->now_ms, FLEET);
        }
}

/* All but the padding before the last member, which may hold anything. */
static bool are_equal(const struct rollout_counts *a, const struct rollout_counts *b)
{
        size_t length = offsetof(struct rollout_counts, window) + sizeof(a->window);
        return memcmp(a, b, length) == 0 && memcmp(&a->attributed, &b->attributed, sizeof(a->attributed)) == 0;
}

static void check_equal(const struct rollout *a, const struct rollout *b)
{
        struct rollout_view views[2];
        struct rollout_counts counts[2];
        memset(views, 0, sizeof(views));
        rollout_view(a, &views[0]);
        rollout_view(b, &views[1]);
        CHECK(are_equal(&views[0].fleet, &views[1].fleet));
        memcpy(&views[1].fleet, &views[0].fleet, sizeof(views[0].fleet));
        CHECK(memcmp(&views[0], &views[1], sizeof(views[0])) == 0);
        for (uint16_t i = 0; i < STRATA; i++) {
                rollout_view_stratum(a, i, &counts[0]);
                rollout_view_stratum(b, i, &counts[1]);
                CHECK(are_equal(&counts[0], &counts[1]));
        }
}

TEST(a_rollout, decides_the_same_when_it_is_told_the_same_again)
{
        struct told *told = mem_new(TOLD_MAX, sizeof(*told));
        CHECK(told);
        for (uint64_t seed = 0; seed < 20; seed++) {
                struct sim_fleet fleet = { .told = told };
                sim_fleet_init(&fleet, &(struct sim_release){ .bad_devices = 20, .crash_ppm = 300000, .dark_anyway_ppm = 50000, .late_ppm = 50000 }, seed);
                int64_t start_ms = fleet.now_ms;
                sim_fleet_run(&fleet, MINUTE_MS);
                OWN(rollout) struct rollout *again = sim_rollout(&fleet.policy, 20);
                CHECK(rollout_start(again, start_ms, NULL) == OK);
                replay(&fleet, again);
                check_equal(fleet.rollout, again);
                rollout_free(fleet.rollout);
        }
        mem_free(told);
}
