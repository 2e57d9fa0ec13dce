#include "support/sim_random.h"

#include <string.h>

/* splitmix64: a counter, mixed. Every seed is a good one. */
uint64_t sim_random_next(struct sim_random *sim)
{
        uint64_t z = sim->state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
}

uint64_t sim_random_below(struct sim_random *sim, uint64_t bound)
{
        return bound ? sim_random_next(sim) % bound : 0;
}

static void sim_fill(struct random_source *source, void *bytes, size_t length)
{
        for (size_t at = 0; at < length; at += 8) {
                uint64_t next = sim_random_next((struct sim_random *)source);
                memcpy((char *)bytes + at, &next, length - at < 8 ? length - at : 8);
        }
}

void sim_random_init(struct sim_random *sim, uint64_t seed)
{
        static const struct random_ops ops = { .fill = sim_fill };
        *sim = (struct sim_random){ .source.ops = &ops, .state = seed };
}
