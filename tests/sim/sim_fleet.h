/* sim_fleet.h - sixty devices that get a release from the real rollout code, deterministic by seed.
 *
 * Strata: os_version 0-1, locale 2-4, group 5-7, agent 8; blocks are groups. Devices ask for leases without pause, come for a
 * picked one a little later, and answer as the release says. Everything that the library is told is kept, to be told again. */
#pragma once

#include "rollout/rollout.h"
#include "rollout/view.h"
#include "support/sim_random.h"

enum { FLEET = 60, STRATA = 9, TOLD_MAX = 6000 };

struct sim_release {
        uint32_t bad_devices;                    /* on the bad os_version (0); the others have 1 */
        unsigned crash_ppm, dark_ppm;            /* for exposures on the bad os_version: dies at load, or falls silent */
        unsigned dark_anyway_ppm, late_ppm;      /* of every lease, control too: silent for good, or answers after the deadline */
};

/* One thing that the library was told. `count` devices in line: those of `line`. */
struct told {
        enum { TOLD_TICK, TOLD_LINE, TOLD_GRANT, TOLD_REPORT, TOLD_SEEN } what;
        int64_t now_ms;
        uint32_t handle, count, line[FLEET];
        struct rollout_report report;
};

struct sim_device {
        struct rollout_device facts;
        uint32_t handle;                         /* of its lease */
        int64_t comes_ms, answers_ms, back_ms;   /* 0: not. back: a silent control device that stands in line again */
        bool is_exposed, is_done, is_control;
        enum rollout_outcome outcome;
};

struct sim_fleet {
        struct rollout *rollout;
        struct rollout_policy policy;
        struct sim_release release;
        struct sim_random random;
        struct sim_device devices[FLEET];
        int64_t now_ms;
        uint32_t most_unanswered, told_count, exposed_while_stopped;
        struct told *told;                       /* NULL: nobody writes it down */
};

struct rollout_policy sim_policy(void);
void sim_fleet_init(struct sim_fleet *fleet, const struct sim_release *release, uint64_t seed);
void sim_fleet_run(struct sim_fleet *fleet, int64_t for_ms);
void sim_fleet_done(struct sim_fleet *fleet);
struct rollout *sim_rollout(const struct rollout_policy *policy, uint32_t bad_devices);
uint32_t sim_fleet_on_bad(const struct sim_fleet *fleet);
