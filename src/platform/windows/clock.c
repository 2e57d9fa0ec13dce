#include "platform/clock.h"

#include <windows.h>

enum { PER_MS = 10000 };                         /* FILETIME counts 100 ns */
static const int64_t SINCE_1601_MS = 11644473600000;

static int64_t wall_ms(struct clock *clock)
{
        FILETIME now;
        (void)clock;
        GetSystemTimePreciseAsFileTime(&now);
        return ((int64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) / PER_MS - SINCE_1601_MS;
}

static int64_t wall_s(struct clock *clock)
{
        return wall_ms(clock) / 1000;
}

/* This one counts on while the machine is suspended, and knows a millisecond: GetTickCount64() has steps of 16. */
static int64_t steady_ms(struct clock *clock)
{
        LARGE_INTEGER count, per_s;
        (void)clock;
        QueryPerformanceCounter(&count);
        QueryPerformanceFrequency(&per_s);
        return count.QuadPart / per_s.QuadPart * 1000 + count.QuadPart % per_s.QuadPart * 1000 / per_s.QuadPart;
}

static void sleep_ms(struct clock *clock, int64_t ms)
{
        (void)clock;
        if (ms > 0)
                Sleep(ms < INT32_MAX ? (DWORD)ms : INT32_MAX);
}

struct clock *clock_system(void)
{
        static const struct clock_ops ops = { wall_s, wall_ms, steady_ms, sleep_ms };
        static const struct clock clock = { &ops };
        return (struct clock *)&clock;           /* has no state to change */
}
