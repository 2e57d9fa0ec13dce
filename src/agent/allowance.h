/* allowance.h - how many bytes may be fetched now, where the owner of a device has set a limit.
 *
 * A token bucket: it fills with time, up to ALLOWANCE_BURST_S seconds' worth, and starts empty, so that a restart gives no more than
 * the limit. What was fetched all the same (metadata, which waits for nobody) is a debt, and is waited for later. Pure: time is given. */
#pragma once

#include <stdint.h>

enum { ALLOWANCE_BURST_S = 4 };          /* long enough that an ask for a part costs little beside it, short enough that no other ask waits long */

struct allowance {
        int64_t bytes_per_s;             /* 0: no limit */
        int64_t left, at_ms;             /* left: below 0 is a debt */
};

void allowance_init(struct allowance *allowance, int64_t bytes_per_s, int64_t now_ms);
/* What one ask for (a part of) `wanted` bytes may bring; 0: not yet; UINT64_MAX: there is no limit. */
uint64_t allowance_slice(struct allowance *allowance, uint64_t wanted, int64_t now_ms);
/* When that will not be 0, if nothing is fetched meanwhile; now_ms at the earliest. */
int64_t allowance_ready_ms(struct allowance *allowance, uint64_t wanted, int64_t now_ms);
void allowance_spend(struct allowance *allowance, uint64_t bytes, int64_t now_ms);
