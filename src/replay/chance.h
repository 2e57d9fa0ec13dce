/* chance.h - every draw of a replay: a hash of the seed, what is drawn, and for whom. No state, so the order of asking is of no matter.
 *
 * What was drawn for a device is drawn again instead of being remembered: that is why millions of them fit. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* What is drawn. Faults take a number each from CHANCE_OF_FAULTS on. */
enum chance_of {
        CHANCE_OF_BUCKET, CHANCE_OF_RING, CHANCE_OF_SITE, CHANCE_OF_PRESENCE, CHANCE_OF_MORNING, CHANCE_OF_EVENING, CHANCE_OF_FIT, CHANCE_OF_CRASH,
        CHANCE_OF_DROPPING, CHANCE_OF_RETURN, CHANCE_OF_PACE, CHANCE_OF_LOSS, CHANCE_OF_LATENESS, CHANCE_OF_DELAY, CHANCE_OF_REPEAT, CHANCE_OF_POWER_CUT,
        CHANCE_OF_OUTAGE, CHANCE_OF_LYING, CHANCE_OF_PLACE, CHANCE_OF_ATTRIBUTE = 64, CHANCE_OF_FAULTS = 128,
};

/* splitmix64's finaliser. */
static inline uint64_t chance_mix(uint64_t z)
{
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
}

static inline uint64_t chance_draw(uint64_t seed, unsigned of, uint64_t whom)
{
        return chance_mix(chance_mix(seed + (of + 1) * UINT64_C(0x9E3779B97F4A7C15)) + whom * UINT64_C(0xD1342543DE82EF95));
}

/* 0 to below `n`; n below 2^32. */
static inline uint64_t chance_below(uint64_t draw, uint64_t n) { return (draw >> 32) * n >> 32; }

static inline bool chance_is(uint64_t draw, int64_t ppm) { return (int64_t)chance_below(draw, 1000000) < ppm; }

/* In (0, 1], never 0: its logarithm is finite. */
static inline double chance_unit(uint64_t draw) { return (double)((draw >> 11) + 1) * 0x1p-53; }

static inline double chance_exponential(uint64_t draw, double mean) { return -log(chance_unit(draw)) * mean; }
