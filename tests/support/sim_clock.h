/* sim_clock.h - a clock that moves only when told, or when someone sleeps. */
#pragma once

#include "platform/clock.h"

struct sim_clock {
        struct clock clock;
        int64_t wall, steady;        /* ms; set them at will: only `wall` may jump back */
};

void sim_clock_init(struct sim_clock *sim, int64_t wall_s);
void sim_clock_pass(struct sim_clock *sim, int64_t ms);
