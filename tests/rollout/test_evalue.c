#include "rollout/evalue.h"

#include "support/test.h"

#include <math.h>
#include <stdbool.h>

static bool is_near(double a, double b)
{
        return fabs(a - b) < 1e-9;
}

TEST(evalue_factor, of_one_event_is_the_textbooks)
{
        const struct evalue_risk treated = { 3, 12, 1, 0 }, control = { 3, 12, 0, 1 };
        for (unsigned i = 0; i < EVALUE_RATIOS; i++) {
                double r = evalue_ratio(i);
                CHECK(is_near(exp(evalue_log_factor(&treated, r)), r * 15 / (3 * r + 12)));
                CHECK(is_near(exp(evalue_log_factor(&control, r)), 15 / (3 * r + 12)));
        }
}

/* C(2,j) C(3,2-j) is 3, 6, 1: both events of 2 treated and 3 controls among the treated is 1/10 at r = 1, and at r = 10
 * 100 of 3 + 60 + 100. */
TEST(evalue_factor, of_tied_events_is_noncentral_hypergeometric)
{
        const struct evalue_risk both = { 2, 3, 2, 0 }, none = { 2, 3, 0, 2 };
        CHECK(is_near(exp(evalue_log_factor(&both, 10)), 100.0 / 163 * 10));
        CHECK(is_near(exp(evalue_log_factor(&none, 10)), 3.0 / 163 / 0.3));
}

TEST(evalue_factor, says_nothing_without_control_or_when_all_have_it)
{
        const struct evalue_risk alone = { 5, 0, 3, 0 }, all = { 5, 4, 5, 4 }, nothing = { 5, 4, 0, 0 };
        CHECK(is_near(evalue_log_factor(&alone, 100), 0));
        CHECK(is_near(evalue_log_factor(&all, 100), 0));
        CHECK(is_near(evalue_log_factor(&nothing, 100), 0));
}

/* What makes it a test: its mean over a harmless release is 1. */
TEST(evalue_factor, has_mean_one_when_the_release_is_harmless)
{
        const uint32_t ways[] = { 6, 12, 3 };      /* C(3,j) C(4,2-j), of C(7,2) = 21 */
        for (unsigned i = 0; i < EVALUE_RATIOS; i++) {
                double mean = 0;
                for (uint32_t j = 0; j < 3; j++) {
                        const struct evalue_risk risk = { 3, 4, j, 2 - j };
                        mean += ways[j] / 21.0 * exp(evalue_log_factor(&risk, evalue_ratio(i)));
                }
                CHECK(is_near(mean, 1));
        }
}

TEST(evalue, mixes_ratios_from_1_1_to_1000_with_equal_weights)
{
        struct evalue evalue = { 0 };
        const struct evalue_risk risk = { 1, 4, 1, 0 };
        double mean = 0;
        CHECK(is_near(evalue_ratio(0), 1.1) && fabs(evalue_ratio(EVALUE_RATIOS - 1) - 1000) < 1e-6 && is_near(evalue_log(&evalue), 0));
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                mean += exp(2 * evalue_log_factor(&risk, evalue_ratio(i))) / EVALUE_RATIOS;
        evalue_multiply(&evalue, &risk);
        evalue_multiply(&evalue, &risk);
        CHECK(is_near(exp(evalue_log(&evalue)), mean));
}
