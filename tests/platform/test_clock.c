#include "platform/clock.h"

#include "support/sim_clock.h"
#include "support/test.h"

static void check(struct clock *clock)
{
        int64_t wall = clock->ops->wall_s(clock), wall_ms = clock->ops->wall_ms(clock), steady = clock->ops->steady_ms(clock);
        CHECK(wall > 1700000000 && wall_ms / 1000 >= wall);
        clock->ops->sleep_ms(clock, 2);
        CHECK(clock->ops->steady_ms(clock) >= steady + 1);      /* both are cut to whole milliseconds */
        clock->ops->sleep_ms(clock, 0);
        clock->ops->sleep_ms(clock, -5);
        CHECK(clock->ops->wall_ms(clock) >= wall_ms);
}

TEST(clock, tells_both_times_and_sleeps)
{
        check(clock_system());
        struct sim_clock sim;
        sim_clock_init(&sim, 1784432200);
        check(&sim.clock);
        CHECK(sim.wall == 1784432200002 && sim.steady == 2);
}

TEST(sim_clock, may_jump_on_the_wall_and_never_in_steady_time)
{
        struct sim_clock sim;
        sim_clock_init(&sim, 1784432200);
        sim_clock_pass(&sim, 1500);
        sim.wall = 1000;
        CHECK(sim.clock.ops->wall_s(&sim.clock) == 1 && sim.clock.ops->steady_ms(&sim.clock) == 1500);
}
