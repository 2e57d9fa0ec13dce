/* sim_random.h - a random source that repeats itself: the same seed, the same bytes. */
#pragma once

#include "platform/random.h"

#include <stdint.h>

struct sim_random {
        struct random_source source;
        uint64_t state;
};

void sim_random_init(struct sim_random *sim, uint64_t seed);
uint64_t sim_random_next(struct sim_random *sim);
uint64_t sim_random_below(struct sim_random *sim, uint64_t bound);      /* 0 when the bound is 0 */
