#include "agent/allowance.h"

#include <assert.h>

static const int64_t debt_max = (int64_t)1 << 40;        /* keeps every sum below in 64 bits, and is more than any device fetches unasked */

static int64_t most(const struct allowance *allowance)
{
        return allowance->bytes_per_s * ALLOWANCE_BURST_S;
}

void allowance_init(struct allowance *allowance, int64_t bytes_per_s, int64_t now_ms)
{
        assert(bytes_per_s >= 0);
        *allowance = (struct allowance){ .bytes_per_s = bytes_per_s, .at_ms = now_ms };
}

/* Rounded up: at that moment it is there. */
static int64_t ms_for(const struct allowance *allowance, int64_t bytes)
{
        return bytes / allowance->bytes_per_s * 1000 + (bytes % allowance->bytes_per_s * 1000 + allowance->bytes_per_s - 1) / allowance->bytes_per_s;
}

static void fill(struct allowance *allowance, int64_t now_ms)
{
        const int64_t passed_ms = now_ms - allowance->at_ms;
        if (passed_ms <= 0)
                return;
        if (passed_ms >= ms_for(allowance, most(allowance) - allowance->left))
                allowance->left = most(allowance);
        else
                allowance->left += passed_ms / 1000 * allowance->bytes_per_s + passed_ms % 1000 * allowance->bytes_per_s / 1000;
        allowance->at_ms = now_ms;
}

/* Nobody waits for more than the bucket can hold, nor for nothing. */
static int64_t needed(const struct allowance *allowance, uint64_t wanted)
{
        if (!wanted)
                return 1;
        return wanted < (uint64_t)most(allowance) ? (int64_t)wanted : most(allowance);
}

uint64_t allowance_slice(struct allowance *allowance, uint64_t wanted, int64_t now_ms)
{
        if (!allowance->bytes_per_s)
                return UINT64_MAX;
        fill(allowance, now_ms);
        return allowance->left >= needed(allowance, wanted) ? (uint64_t)allowance->left : 0;
}

int64_t allowance_ready_ms(struct allowance *allowance, uint64_t wanted, int64_t now_ms)
{
        if (allowance_slice(allowance, wanted, now_ms))
                return now_ms;
        return now_ms + ms_for(allowance, needed(allowance, wanted) - allowance->left);
}

void allowance_spend(struct allowance *allowance, uint64_t bytes, int64_t now_ms)
{
        if (!allowance->bytes_per_s)
                return;
        fill(allowance, now_ms);
        allowance->left -= bytes < (uint64_t)debt_max ? (int64_t)bytes : debt_max;
        if (allowance->left < -debt_max)
                allowance->left = -debt_max;
}
