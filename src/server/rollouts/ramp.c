/* The ceiling of a release's ramp, signed offline: each device holds itself to it, and the server goes no faster. */
#include "server/rollouts/inputs.h"

#include <string.h>

bool run_ceiling_admits(const struct run *run, const struct member *member, int64_t now_ms)
{
        const char *ring = member->facts.ring == ROLLOUT_RING_EARLY ? "early" : "all";
        return !run->ceiling.count || ceiling_admits(&run->ceiling, now_ms / 1000, member->facts.bucket, ring);
}

struct reach { uint32_t early, admitted; };
static struct reach reach_of(const struct run *run, int64_t at_s)
{
        struct reach reach = { 0, 0 };
        for (size_t i = 0; i < run->member_count; i++) {
                const struct member *member = &run->members[i];
                bool is_held_out = rollout_is_held_out(run->pure, member->facts.bucket);
                reach.early += !is_held_out && member->facts.ring == ROLLOUT_RING_EARLY;
                reach.admitted += !is_held_out && run_ceiling_admits(run, member, at_s * 1000);
        }
        return reach;
}

/* The step's share of the fleet, rounded down; ring `early`, which is part of the first step whatever its size, may be more. Nor more than devices
 * admit themselves: else it would seem to wait for devices that will not come. */
static uint32_t most_exposed(const struct run *run, const struct ceiling_step *step)
{
        struct reach reach = reach_of(run, run->ceiling.start + step->after_s);
        uint64_t share = (uint64_t)run->member_count * step->ppm / CEILING_ALL_PPM;
        if (step->ppm && share < reach.early)
                share = reach.early;
        return share < reach.admitted ? (uint32_t)share : reach.admitted;
}

enum err run_set_ceiling(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        uint32_t list[3 * CEILING_STEPS_MAX];
        struct input input = { .what = INPUT_CEILING, .at_ms = now_ms, .number = run->ceiling.start, .list = list };
        for (size_t i = 0; i < run->ceiling.count; i++) {
                const struct ceiling_step *step = &run->ceiling.steps[i];
                if (step->after_s > UINT32_MAX)          /* 136 years */
                        break;
                list[input.list_count++] = (uint32_t)step->after_s;
                list[input.list_count++] = step->ppm;
                /* All is no bound: exposures are leases, and a device may have a second one. */
                list[input.list_count++] = step->ppm == CEILING_ALL_PPM ? UINT32_MAX : most_exposed(run, step);
        }
        return run_input(rollouts, run, &input, NULL, why);
}
