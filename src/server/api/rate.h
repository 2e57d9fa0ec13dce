/* rate.h - how often one address may do something dear: a bucket for each, which fills again with time.
 *
 * Fixed memory: addresses that share a place share a bucket. IPv6 counts by /64, for whoever has one address there has all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { RATE_PLACES = 4096 };

struct rate {
        uint32_t burst, per_s;
        uint64_t seed;                         /* so that nobody can choose whose bucket to empty */
        struct { int64_t at_ms; int64_t milli; } places[RATE_PLACES];
};

void rate_init(struct rate *rate, uint32_t burst, uint32_t per_s, uint64_t seed);
/* Takes one; false: there is none left. `address` of 16 bytes, IPv4 as ::ffff:a.b.c.d. */
bool rate_take(struct rate *rate, const uint8_t address[16], int64_t now_ms);
