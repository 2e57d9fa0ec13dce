#include "trust/ceiling.h"

#include "support/test.h"

static const struct ceiling ramp = { 1000, 3, { { 0, 1000 }, { 3600, 10000 }, { 14400, CEILING_ALL_PPM } } };

TEST(ceiling, rises_by_its_steps_from_the_start)
{
        CHECK(ceiling_ppm(&ramp, 999) == 0 && ceiling_ppm(&ramp, 1000) == 1000 && ceiling_ppm(&ramp, 4599) == 1000);
        CHECK(ceiling_ppm(&ramp, 4600) == 10000 && ceiling_ppm(&ramp, 15400) == CEILING_ALL_PPM && ceiling_ppm(&ramp, INT64_MAX) == CEILING_ALL_PPM);
        CHECK(ceiling_ppm(&ramp, -1) == 0 && ceiling_ppm(&ramp, INT64_MIN) == 0);
}

TEST(ceiling, admits_buckets_below_its_share)
{
        uint64_t bound = (uint64_t)(((unsigned __int128)1000 << 64) / CEILING_ALL_PPM);
        CHECK(ceiling_admits(&ramp, 1000, 0, "all") && ceiling_admits(&ramp, 1000, bound - 1, "all"));
        CHECK(!ceiling_admits(&ramp, 1000, bound, "all") && !ceiling_admits(&ramp, 999, 0, "all"));
        CHECK(ceiling_admits(&ramp, 4600, bound, "all") && !ceiling_admits(&ramp, 4600, UINT64_MAX, "all"));
        CHECK(ceiling_admits(&ramp, 15400, UINT64_MAX, "all"));
}

TEST(ceiling, admits_the_early_ring_with_the_first_step_and_not_before)
{
        CHECK(ceiling_admits(&ramp, 1000, UINT64_MAX, "early") && !ceiling_admits(&ramp, 999, 0, "early"));
        CHECK(!ceiling_admits(&ramp, 1000, UINT64_MAX, "earl") && !ceiling_admits(&ramp, 1000, UINT64_MAX, ""));
}

/* Whoever says when it starts: there is no time at which a late one looks long past. */
TEST(ceiling, of_a_far_start_has_not_begun)
{
        static const int64_t starts[] = { INT64_MAX, INT64_MAX - 1, INT64_MAX - CEILING_AFTER_S_MAX, INT64_MAX / 2 };
        for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
                const struct ceiling far = { starts[i], 2, { { 0, 1 }, { CEILING_AFTER_S_MAX, CEILING_ALL_PPM } } };
                CHECK(ceiling_is_valid(&far) && ceiling_ppm(&far, 1000) == 0 && !ceiling_admits(&far, 1000, 0, "early"));
        }
        CHECK(ceiling_ppm(&(struct ceiling){ INT64_MAX, 1, { { 0, 7 } } }, INT64_MAX) == 7);
}

TEST(ceiling, is_none_unless_it_ascends)
{
        static const struct ceiling bad[] = {
                { 1000, 0, { { 0, 0 } } }, { -1, 1, { { 0, 1 } } }, { 1000, 1, { { -1, 1 } } }, { 1000, 1, { { 0, CEILING_ALL_PPM + 1 } } },
                { 1000, 2, { { 5, 1 }, { 5, 2 } } }, { 1000, 2, { { 5, 1 }, { 4, 2 } } }, { 1000, 2, { { 5, 2 }, { 6, 2 } } },
                { 1000, 2, { { 5, 2 }, { 6, 1 } } }, { 1000, 1, { { CEILING_AFTER_S_MAX + 1, 1 } } }, { 1000, 1, { { INT64_MAX, 1 } } }, { 1000, CEILING_STEPS_MAX + 1, { { 0, 1 } } },
        };
        CHECK(ceiling_is_valid(&ramp));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!ceiling_is_valid(&bad[i]));
}
