#include "platform/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
        struct timespec now;
        clock_gettime(id, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_ms(struct clock *clock) { (void)clock; return read_ms(CLOCK_REALTIME); }
static int64_t system_wall_s(struct clock *clock) { return system_wall_ms(clock) / 1000; }
static int64_t system_steady_ms(struct clock *clock) { (void)clock; return read_ms(CLOCK_BOOTTIME); }

static void system_sleep_ms(struct clock *clock, int64_t ms)
{
        (void)clock;
        if (ms <= 0)
                return;
        struct timespec length = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
        nanosleep(&length, NULL);
}

struct clock *clock_system(void)
{
        static const struct clock_ops ops = {
                .wall_s = system_wall_s, .wall_ms = system_wall_ms, .steady_ms = system_steady_ms, .sleep_ms = system_sleep_ms,
        };
        static const struct clock clock = { &ops };
        return (struct clock *)&clock;       /* the interface is for clocks with a state; this one has none to change */
}
