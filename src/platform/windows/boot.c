#include "platform/boot.h"

#include <windows.h>

#include <winternl.h>

/* SYSTEM_TIMEOFDAY_INFORMATION, of which the header names no field: when the machine started by the clock of now, and how far that was set since. */
struct time_of_day { int64_t started, now, zone; uint32_t zone_id, reserved; uint64_t started_set, slept_set; };

uint32_t boot_number(void)
{
        struct time_of_day time = { 0 };
        ULONG length;
        if (NtQuerySystemInformation(SystemTimeOfDayInformation, &time, sizeof(time), &length) < 0)
                return 0;
        uint64_t started = (uint64_t)time.started - time.started_set;
        return (uint32_t)(started ^ started >> 32);
}
