/* clock.h - the time, twice: what people call it, and what never goes back. */
#pragma once

#include <stdint.h>

struct clock {
        const struct clock_ops *ops;
};

struct clock_ops {
        int64_t (*wall_s)(struct clock *clock);              /* unix seconds; may jump */
        int64_t (*wall_ms)(struct clock *clock);
        int64_t (*steady_ms)(struct clock *clock);           /* since some start; includes suspend */
        void (*sleep_ms)(struct clock *clock, int64_t ms);   /* less when a signal arrives */
};

struct clock *clock_system(void);
