/* plan_fleet.h - whom a release would meet, as the server tells it: formats.md 5, "Fleet". */
#pragma once

#include "base/arena.h"
#include "replay/scenario.h"

struct json;

struct plan_named { const char *name; int64_t devices; };      /* a stratum, a block */

struct plan_past {                               /* both arms together, where it does not say control or treated */
        int64_t rollouts, control, treated, leases, dark, late, harmed, lease_ms;
        int64_t answer_median_ms, answer_p99_ms, late_median_ms;      /* -1: nobody */
        struct { int64_t leases, dark; } hours[24];
};

struct plan_fleet {                              /* texts are borrowed from the answer; seen_median_s: -1: nobody */
        const char *stream, *state;
        int64_t counter, now, pace_ms, devices, seen_1h, seen_1d, seen_7d, seen_median_s, enrolled_later, other_platform, kept_back, no_stratum, block_count, block_single, merged_profiles,
                merged_devices;
        struct plan_named *strata, *blocks;
        size_t stratum_count, named_blocks;      /* named: those of which there is a profile */
        struct plan_past past;
        /* Who checked in within a week, ready to be simulated; whoever did not within a day comes by fits. */
        struct scenario_profiles profiles;
        int64_t present;                         /* devices of these */
};

/* ERR_CONTENT: the answer is none. Lives in the arena, borrows the answer. */
MUST_CHECK enum err plan_fleet_read(struct arena *arena, const struct json *answer, struct plan_fleet *ret_fleet, struct why *why);
