#include "platform/random.h"

#include "support/sim_random.h"
#include "support/test.h"

#include <string.h>

TEST(random_system, fills_all_of_it_and_differently_each_time)
{
        struct random_source *source = random_system();
        unsigned char first[64] = { 0 }, second[64] = { 0 };
        source->ops->fill(source, first, sizeof(first));
        source->ops->fill(source, second, sizeof(second));
        CHECK(memcmp(first, second, 16) != 0 && memcmp(first + 48, second + 48, 16) != 0);
        source->ops->fill(source, first, 0);
}

TEST(sim_random, repeats_itself_for_the_same_seed)
{
        struct sim_random one, two, other;
        sim_random_init(&one, 7);
        sim_random_init(&two, 7);
        sim_random_init(&other, 8);
        unsigned char a[13], b[13], c[13];
        one.source.ops->fill(&one.source, a, sizeof(a));
        two.source.ops->fill(&two.source, b, sizeof(b));
        other.source.ops->fill(&other.source, c, sizeof(c));
        CHECK(memcmp(a, b, sizeof(a)) == 0 && memcmp(a, c, sizeof(a)) != 0);
        CHECK(sim_random_below(&one, 0) == 0);
        for (int i = 0; i < 100; i++)
                CHECK(sim_random_below(&one, 3) < 3);
}
