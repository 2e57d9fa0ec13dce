#include "rollout/weight.h"

#include "support/test.h"

TEST(weight, of_a_byte_is_within_five_percent)
{
        for (double exposures = 1e-4; exposures < 1e4; exposures *= 1.01)
                CHECK(fabs(weight_of_byte(weight_to_byte(exposures)) / exposures - 1) < .05);
        CHECK(fabs(weight_of_byte(weight_to_byte(1)) - 1) < 1e-12 && fabs(weight_of_byte(weight_to_byte(.25)) - .25) < 1e-12);
}

TEST(weight, that_is_past_a_byte_is_the_last_of_it)
{
        CHECK(weight_to_byte(1e9) == INT8_MAX && weight_to_byte(1e-9) == INT8_MIN && weight_to_byte(0) == INT8_MIN);
}

TEST(weighed, adds_up_counts_sums_and_squares)
{
        struct weighed sum = weighed(4, .25);
        weighed_add(&sum, 2, 8);
        CHECK(fabs(sum.count - 6) < 1e-12 && fabs(sum.sum - 17) < 1e-12 && fabs(sum.squares - 128.25) < 1e-12);
}
