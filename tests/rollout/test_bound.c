#include "rollout/bound.h"

#include "support/sim_random.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>

#define COUNTS(trials, harmed) ((struct bound_counts){ trials, harmed })

TEST(bound, knows_nothing_without_trials)
{
        CHECK(bound_upper(COUNTS(0, 0), 0.05) >= 1 && bound_lower(COUNTS(0, 0), 0.05) <= 0);
        CHECK(bound_excess(COUNTS(0, 0), COUNTS(1000, 0)) >= 1);
}

/* Five clean: the mixture says 1/2 + 1/2 x (1 3 5 7 9)/(2 4 6 8 10) = 0.623046875; (1-p)^5 = 0.04 x that. */
TEST(bound, of_clean_trials_is_the_hand_computed_one)
{
        double upper = bound_upper(COUNTS(5, 0), 0.04);
        CHECK(fabs(pow(1 - upper, 5) - 0.04 * 0.623046875) < 1e-9);
        CHECK(fabs(bound_excess(COUNTS(5, 0), COUNTS(0, 0)) - upper) < 1e-12);
}

TEST(bound, shrinks_about_as_three_by_n)
{
        CHECK(bound_upper(COUNTS(100, 0), 0.04) < 0.04 && bound_upper(COUNTS(1000, 0), 0.04) < 0.004);
        CHECK(bound_upper(COUNTS(1000, 10), 0.04) < 0.03 && bound_lower(COUNTS(1000, 10), 0.01) > 0.001);
        CHECK(bound_upper(COUNTS(7, 7), 0.04) >= 1 && bound_lower(COUNTS(7, 7), 0.01) > 0.3);
}

TEST(bound, takes_off_what_control_suffers_too)
{
        CHECK(bound_excess(COUNTS(4000, 40), COUNTS(16000, 160)) < 0.8 * bound_upper(COUNTS(4000, 40), 0.04));
        CHECK(bound_excess(COUNTS(10, 0), COUNTS(1000, 900)) <= 0);
}

/* Looked at after each of 2,000 trials, 400 times: it may miss in 4 % of them, 16; binomial, 1e-4 beyond 32. */
TEST(bound, holds_at_every_time_at_once)
{
        struct sim_random random;
        sim_random_init(&random, 7);
        unsigned missed = 0;
        for (unsigned run = 0; run < 400; run++) {
                struct bound_counts counts = { 0, 0 };
                bool is_out = false;
                for (unsigned i = 0; i < 2000; i++) {
                        counts.trials++;
                        counts.harmed += sim_random_below(&random, 100) < 3;
                        if ((counts.trials & (counts.trials - 1)) == 0 || counts.trials % 50 == 0)
                                is_out |= bound_upper(counts, 0.04) < 0.03;
                }
                missed += is_out;
        }
        CHECK(missed <= 32);
}
