#include "rollout/evalue.h"

#include <assert.h>
#include <math.h>

static double log_ratio(unsigned i)
{
        static const double log_first = 0.095310179804324860, log_last = 6.907755278982137;      /* of 1.1 and 1000 */
        return log_first + (log_last - log_first) * i / (EVALUE_RATIOS - 1.0);
}

double evalue_ratio(unsigned i)
{
        assert(i < EVALUE_RATIOS);
        return exp(log_ratio(i));
}

double evalue_log_add(double a, double b)
{
        double high = a > b ? a : b, low = a > b ? b : a;
        return isinf(low) && low < 0 ? high : high + log1p(exp(low - high));
}

/* The weight of one more event among the treated, given that j of d were: C(T, j+1) C(C, d-j-1) over C(T, j) C(C, d-j). */
static double log_step(const struct evalue_risk *risk, uint32_t j)
{
        double d = risk->treated_events + risk->control_events;
        return log((risk->treated - (double)j) * (d - j)) - log((j + 1.0) * (risk->control - d + j + 1));
}

static void factors_of_one(const struct evalue_risk *risk, double log_factors[EVALUE_RATIOS])
{
        double all = risk->treated + (double)risk->control;
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                log_factors[i] = (risk->treated_events ? log_ratio(i) : 0) + log(all / (risk->treated * evalue_ratio(i) + risk->control));
}

/* The sums of Fisher's distribution at r and at 1 from the least to the most of d that may be treated, as logs; the weight of the
 * least is set to 1. */
static void factors_of_many(const struct evalue_risk *risk, double log_factors[EVALUE_RATIOS])
{
        uint32_t d = risk->treated_events + risk->control_events;
        uint32_t least = d > risk->control ? d - risk->control : 0, most = d < risk->treated ? d : risk->treated;
        double weight = 0, sum = 0, tilted[EVALUE_RATIOS];
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                tilted[i] = least * log_ratio(i);
        for (uint32_t j = least; j < most; j++) {
                weight += log_step(risk, j);
                sum = evalue_log_add(sum, weight);
                for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                        tilted[i] = evalue_log_add(tilted[i], weight + (j + 1) * log_ratio(i));
        }
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                log_factors[i] = risk->treated_events * log_ratio(i) + sum - tilted[i];
}

void evalue_log_factors(const struct evalue_risk *risk, double log_factors[EVALUE_RATIOS])
{
        assert(risk->treated_events <= risk->treated && risk->control_events <= risk->control);
        if (risk->treated_events + risk->control_events == 1)
                factors_of_one(risk, log_factors);
        else
                factors_of_many(risk, log_factors);
}

void evalue_multiply(struct evalue *evalue, const struct evalue_risk *risk)
{
        double log_factors[EVALUE_RATIOS];
        if (!risk->treated || !risk->control)      /* nobody to compare with */
                return;
        evalue_log_factors(risk, log_factors);
        double highest = -INFINITY, sum = 0;
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                highest = fmax(highest, evalue->log_wealth[i] += log_factors[i]);
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                sum += exp(evalue->log_wealth[i] - highest);
        evalue->log_mean = highest + log(sum / EVALUE_RATIOS);
        evalue->is_touched = true;
}
