#include "rollout/evalue.h"

#include "support/test.h"

#include <math.h>
#include <stdbool.h>

static bool is_near(double a, double b)
{
        return fabs(a - b) < 1e-9;
}

static double factor(const struct evalue_risk *risk, unsigned i)
{
        double log_factors[EVALUE_RATIOS];
        evalue_log_factors(risk, log_factors);
        return exp(log_factors[i]);
}

TEST(evalue_factor, of_one_event_is_the_textbooks)
{
        const struct evalue_risk treated = { 3, 12, 1, 0 }, control = { 3, 12, 0, 1 };
        for (unsigned i = 0; i < EVALUE_RATIOS; i++) {
                double r = evalue_ratio(i);
                CHECK(is_near(factor(&treated, i), r * 15 / (3 * r + 12)));
                CHECK(is_near(factor(&control, i), 15 / (3 * r + 12)));
        }
}

/* C(2,j) C(3,2-j) is 3, 6, 1: both events of 2 treated and 3 controls among the treated is 1/10 at 1, and at r it is r r of
 * 3 + 6 r + r r. */
TEST(evalue_factor, of_tied_events_is_noncentral_hypergeometric)
{
        const struct evalue_risk both = { 2, 3, 2, 0 }, none = { 2, 3, 0, 2 };
        for (unsigned i = 0; i < EVALUE_RATIOS; i++) {
                double r = evalue_ratio(i), all = 3 + 6 * r + r * r;
                CHECK(is_near(factor(&both, i), r * r / all * 10) && is_near(factor(&none, i), 3 / all / 0.3));
        }
}

TEST(evalue_factor, says_nothing_without_control_or_when_all_have_it)
{
        const struct evalue_risk alone = { 5, 0, 3, 0 }, all = { 5, 4, 5, 4 }, nothing = { 5, 4, 0, 0 };
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                CHECK(is_near(factor(&alone, i), 1) && is_near(factor(&all, i), 1) && is_near(factor(&nothing, i), 1));
}

/* What makes it a test: its mean over a harmless release is 1. */
TEST(evalue_factor, has_mean_one_when_the_release_is_harmless)
{
        const uint32_t ways[] = { 6, 12, 3 };      /* C(3,j) C(4,2-j), of C(7,2) = 21 */
        for (unsigned i = 0; i < EVALUE_RATIOS; i++) {
                double mean = 0;
                for (uint32_t j = 0; j < 3; j++) {
                        const struct evalue_risk risk = { 3, 4, j, 2 - j };
                        mean += ways[j] / 21.0 * factor(&risk, i);
                }
                CHECK(is_near(mean, 1));
        }
}

TEST(evalue, mixes_ratios_from_1_1_to_1000_by_their_weights)
{
        struct evalue evalue = { 0 };
        const struct evalue_risk risk = { 1, 4, 1, 0 };
        double mean = 0, weights = 0;
        CHECK(is_near(evalue_ratio(0), 1.1) && fabs(evalue_ratio(EVALUE_RATIOS - 1) - 1000) < 1e-6 && !evalue.is_touched);
        for (unsigned i = 0; i < EVALUE_RATIOS; i++) {
                mean += pow(factor(&risk, i), 2) * evalue_weight(i);
                weights += evalue_weight(i);
        }
        CHECK(is_near(weights, 1));
        evalue_multiply(&evalue, &risk);
        evalue_multiply(&evalue, &risk);
        CHECK(is_near(exp(evalue.log_mean), mean));
}
