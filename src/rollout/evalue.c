#include "rollout/evalue.h"

#include <assert.h>
#include <math.h>

double evalue_ratio(unsigned i)
{
        assert(i < EVALUE_RATIOS);
        return 1.1 * pow(1000 / 1.1, i / (EVALUE_RATIOS - 1.0));
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

double evalue_log_factor(const struct evalue_risk *risk, double ratio)
{
        assert(risk->treated_events <= risk->treated && risk->control_events <= risk->control);
        uint32_t d = risk->treated_events + risk->control_events;
        uint32_t least = d > risk->control ? d - risk->control : 0, most = d < risk->treated ? d : risk->treated;
        double weight = 0, sum = 0, sum_tilted = least * log(ratio);      /* logs; the weight of `least` is set to 1 */
        for (uint32_t j = least; j < most; j++) {
                weight += log_step(risk, j);
                sum = evalue_log_add(sum, weight);
                sum_tilted = evalue_log_add(sum_tilted, weight + (j + 1) * log(ratio));
        }
        return risk->treated_events * log(ratio) + sum - sum_tilted;
}

void evalue_multiply(struct evalue *evalue, const struct evalue_risk *risk)
{
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                evalue->log_wealth[i] += evalue_log_factor(risk, evalue_ratio(i));
}

double evalue_log(const struct evalue *evalue)
{
        double sum = evalue->log_wealth[0];
        for (unsigned i = 1; i < EVALUE_RATIOS; i++)
                sum = evalue_log_add(sum, evalue->log_wealth[i]);
        return sum - log(EVALUE_RATIOS);
}
