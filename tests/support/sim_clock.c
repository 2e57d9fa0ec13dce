#include "support/sim_clock.h"

static int64_t sim_wall_ms(struct clock *clock) { return ((struct sim_clock *)clock)->wall; }
static int64_t sim_wall_s(struct clock *clock) { return ((struct sim_clock *)clock)->wall / 1000; }
static int64_t sim_steady_ms(struct clock *clock) { return ((struct sim_clock *)clock)->steady; }

static void sim_sleep_ms(struct clock *clock, int64_t ms)
{
        if (ms > 0)
                sim_clock_pass((struct sim_clock *)clock, ms);
}

void sim_clock_pass(struct sim_clock *sim, int64_t ms)
{
        sim->wall += ms;
        sim->steady += ms;
}

void sim_clock_init(struct sim_clock *sim, int64_t wall_s)
{
        static const struct clock_ops ops = {
                .wall_s = sim_wall_s, .wall_ms = sim_wall_ms, .steady_ms = sim_steady_ms, .sleep_ms = sim_sleep_ms,
        };
        *sim = (struct sim_clock){ .clock.ops = &ops, .wall = wall_s * 1000 };
}
