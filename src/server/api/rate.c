#include "server/api/rate.h"

#include <string.h>

void rate_init(struct rate *rate, uint32_t burst, uint32_t per_s, uint64_t seed)
{
        *rate = (struct rate){ .burst = burst, .per_s = per_s, .seed = seed };
}

static uint64_t mix(uint64_t x)
{
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;      /* the finaliser of splitmix64 */
        x = (x ^ x >> 27) * 0x94D049BB133111EBu;
        return x ^ x >> 31;
}

static unsigned place_of(const struct rate *rate, const uint8_t address[16])
{
        static const uint8_t v4[12] = { [10] = 0xFF, [11] = 0xFF };
        uint64_t network = 0;
        uint32_t host = 0;
        memcpy(&network, address, sizeof(network));
        if (memcmp(address, v4, sizeof(v4)) == 0)
                memcpy(&host, address + 12, sizeof(host));
        return (unsigned)(mix(mix(network ^ rate->seed) + host) % RATE_PLACES);
}

bool rate_take(struct rate *rate, const uint8_t address[16], int64_t now_ms)
{
        unsigned place = place_of(rate, address);
        int64_t full = (int64_t)rate->burst * 1000;
        int64_t since = now_ms - rate->places[place].at_ms;
        int64_t milli = rate->places[place].milli;
        /* A place that nobody used is full. `milli` counts what was taken, so that zero means that. */
        if (since > 0)
                milli -= since * rate->per_s;
        if (milli < 0)
                milli = 0;
        rate->places[place].at_ms = now_ms;
        bool is_given = milli + 1000 <= full;
        rate->places[place].milli = is_given ? milli + 1000 : milli;
        return is_given;
}
