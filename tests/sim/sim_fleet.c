#include "sim/sim_fleet.h"

#include "support/test.h"

#include <string.h>

enum { STEP_MS = 100 };
static const int64_t start_ms = 1784432200000;

struct rollout_policy sim_policy(void)
{
        struct rollout_policy policy = rollout_policy_default();
        policy.budget = 5;
        policy.bake_s = 2;
        policy.gap_s = 3;
        policy.gather_s = 0;
        policy.holdout_ppm = 0;
        policy.complete_ppm = 1000000;
        return policy;
}

static bool happens(struct sim_fleet *fleet, unsigned ppm)
{
        return sim_random_below(&fleet->random, 1000000) < ppm;
}

struct rollout *sim_rollout(const struct rollout_policy *policy, uint32_t bad_devices)
{
        const uint32_t sizes[STRATA] = { bad_devices, FLEET - bad_devices, 20, 20, 20, 20, 20, 20, FLEET };
        const struct rollout_config config = { .policy = *policy, .fleet = FLEET, .blocks = 3, .strata = STRATA, .stratum_sizes = sizes };
        struct rollout *rollout = NULL;
        CHECK(rollout_new(&config, &rollout, NULL) == OK);
        return rollout;
}

void sim_fleet_init(struct sim_fleet *fleet, const struct sim_release *release, uint64_t seed)
{
        fleet->release = *release;
        fleet->now_ms = start_ms;
        sim_random_init(&fleet->random, seed);
        if (!fleet->policy.budget)
                fleet->policy = sim_policy();
        for (uint32_t i = 0; i < FLEET; i++) {
                uint16_t group = (uint16_t)(i % 3), locale = (uint16_t)(i / 3 % 3), os = i % (FLEET / release->bad_devices) != 0;
                fleet->devices[i] = (struct sim_device){ .facts = { .device = i, .bucket = sim_random_next(&fleet->random), .block = group, .strata_count = 4,
                                                                    .strata = { os, (uint16_t)(2 + locale), (uint16_t)(5 + group), 8 }, .ring = ROLLOUT_RING_ALL } };
        }
        fleet->rollout = sim_rollout(&fleet->policy, release->bad_devices);
        CHECK(rollout_start(fleet->rollout, fleet->now_ms, NULL) == OK);
}

void sim_fleet_done(struct sim_fleet *fleet)
{
        rollout_free(fleet->rollout);
        *fleet = (struct sim_fleet){ 0 };
}

uint32_t sim_fleet_on_bad(const struct sim_fleet *fleet)
{
        struct rollout_counts counts;
        rollout_view_stratum(fleet->rollout, 0, &counts);
        return counts.exposed;
}

static struct told *tell(struct sim_fleet *fleet)
{
        static struct told nobody;
        CHECK(fleet->told_count < TOLD_MAX);
        struct told *told = fleet->told ? &fleet->told[fleet->told_count++] : &nobody;
        told->now_ms = fleet->now_ms;
        return told;
}

static void tick(struct sim_fleet *fleet)
{
        if (rollout_tick(fleet->rollout, fleet->now_ms))
                tell(fleet)->what = TOLD_TICK;
}

static void plan_lease(struct sim_fleet *fleet, uint32_t at, const struct rollout_pick *pick)
{
        struct sim_device *device = &fleet->devices[at];
        device->handle = pick->handle;
        device->is_control = pick->kind == ROLLOUT_SHADOW;
        device->comes_ms = fleet->now_ms + 1 + (int64_t)sim_random_below(&fleet->random, 300);
        device->is_exposed |= !device->is_control;
}

static bool is_idle(const struct sim_device *device)
{
        return !device->is_done && !device->comes_ms && !device->answers_ms && !device->back_ms;
}

static void line_up(struct sim_fleet *fleet)
{
        struct rollout_device devices[FLEET];
        struct rollout_pick picks[FLEET];
        uint32_t from[FLEET], count = 0;
        struct rollout_view before;
        rollout_view(fleet->rollout, &before);
        for (uint32_t i = 0; i < FLEET; i++)
                if (is_idle(&fleet->devices[i])) {
                        from[count] = i;
                        devices[count++] = fleet->devices[i].facts;
                }
        struct rollout_line line = { fleet->now_ms, devices, count, picks, 0 };
        CHECK(rollout_pick(fleet->rollout, &line, NULL) == OK);
        if (!line.picked)
                return;
        struct told *told = tell(fleet);
        told->what = TOLD_LINE;
        told->count = count;
        memcpy(told->line, from, sizeof(from));
        for (uint32_t i = 0; i < count; i++)
                if (picks[i].kind != ROLLOUT_WAIT) {
                        fleet->exposed_while_stopped += picks[i].kind == ROLLOUT_EXPOSE && before.state != ROLLOUT_EXPOSING;
                        plan_lease(fleet, from[i], &picks[i]);
                }
}

/* When it will answer, and what. */
static void plan_answer(struct sim_fleet *fleet, struct sim_device *device, int64_t deadline_ms)
{
        bool is_hit = !device->is_control && device->facts.strata[0] == 0;
        device->outcome = ROLLOUT_PROVEN;
        device->answers_ms = fleet->now_ms + fleet->policy.bake_s * 1000 + (int64_t)sim_random_below(&fleet->random, 400);
        if (happens(fleet, fleet->release.late_ppm))
                device->answers_ms = deadline_ms + 500 + (int64_t)sim_random_below(&fleet->random, 2000);
        if (is_hit && happens(fleet, fleet->release.crash_ppm)) {
                device->outcome = ROLLOUT_HARMED;
                device->answers_ms = fleet->now_ms + 1 + (int64_t)sim_random_below(&fleet->random, 500);
        }
        if (happens(fleet, fleet->release.dark_anyway_ppm) || (is_hit && happens(fleet, fleet->release.dark_ppm))) {
                device->answers_ms = 0;
                device->back_ms = device->is_control ? deadline_ms + 1000 : 0;
                device->is_done = !device->is_control;
        }
}

static void come(struct sim_fleet *fleet, struct sim_device *device)
{
        int64_t deadline_ms = 0;
        enum err e = rollout_granted(fleet->rollout, device->handle, fleet->now_ms, &deadline_ms, NULL);
        device->comes_ms = 0;
        if (e)
                return;
        struct told *told = tell(fleet);
        told->what = TOLD_GRANT;
        told->handle = device->handle;
        plan_answer(fleet, device, deadline_ms);
}

static void answer(struct sim_fleet *fleet, struct sim_device *device)
{
        struct told *told = tell(fleet);
        told->what = TOLD_REPORT;
        told->report = (struct rollout_report){ fleet->now_ms, device->handle, device->outcome, ROLLOUT_CRASH };
        CHECK(rollout_report(fleet->rollout, &told->report, NULL) == OK);
        device->answers_ms = 0;
        device->is_done = !device->is_control;
}

static void step(struct sim_fleet *fleet)
{
        struct rollout_view view;
        tick(fleet);
        for (uint32_t i = 0; i < FLEET; i++) {
                struct sim_device *device = &fleet->devices[i];
                if (device->comes_ms && device->comes_ms <= fleet->now_ms)
                        come(fleet, device);
                if (device->back_ms <= fleet->now_ms)
                        device->back_ms = 0;
                if (device->answers_ms && device->answers_ms <= fleet->now_ms)
                        answer(fleet, device);
        }
        line_up(fleet);
        rollout_view(fleet->rollout, &view);
        if (view.fleet.unanswered > fleet->most_unanswered)
                fleet->most_unanswered = view.fleet.unanswered;
}

void sim_fleet_run(struct sim_fleet *fleet, int64_t for_ms)
{
        struct told *told = tell(fleet);
        told->what = TOLD_SEEN;
        rollout_seen(fleet->rollout, fleet->now_ms, FLEET);
        for (int64_t until_ms = fleet->now_ms + for_ms; fleet->now_ms < until_ms; fleet->now_ms += STEP_MS)
                step(fleet);
}
