#include "rollout/evalue.h"

#include <assert.h>
#include <math.h>

/* Closer together where one event tells little, and weighed so that the worst of 2 <= r <= 1000 is nearest to the limit: found by
 * search over weights with the mean number of hurt at each r computed exactly, for 100 and for 1,000 controls a treated device
 * (docs/decisions/006). The logs are written out: what a compiler folds must be what the library computes. */
static const struct { double ratio, log_ratio, weight; } grid[EVALUE_RATIOS] = {
        { 1.1, 0.095310179804324860, 0.01 }, { 1.5, 0.405465108108164382, 0.02 }, { 2, 0.693147180559945309, 0.12 },
        { 4, 1.386294361119890619, 0.19 },   { 10, 2.302585092994045684, 0.15 },  { 30, 3.401197381662155375, 0.17 },
        { 100, 4.605170185988091368, 0.25 }, { 1000, 6.907755278982137052, 0.09 },
};

double evalue_ratio(unsigned i)
{
        assert(i < EVALUE_RATIOS);
        return grid[i].ratio;
}

double evalue_weight(unsigned i)
{
        assert(i < EVALUE_RATIOS);
        return grid[i].weight;
}

/* The sum of Fisher's terms on one side of what was observed (up: more of d treated; down: fewer), relative to the term observed. They rise to
 * one peak and fall: the rest is left out when it cannot matter. What grows too large is kept smaller by exp(offset). */
struct tail { double sum, offset; };
static void add_tail(const struct evalue_risk *risk, double ratio, bool up, struct tail *tail)
{
        static const double large = 0x1p600, log_large = 415.88830833596718565, negligible = 0x1p-60;
        double t = risk->treated, c = risk->control, d = risk->treated_events + (double)risk->control_events, j = risk->treated_events;
        double least = d > c ? d - c : 0, most = d < t ? d : t, term = tail->offset != 0 ? 0 : 1;
        while (up ? j < most : j > least) {
                double step = up ? ratio * (t - j) * (d - j) / ((j + 1) * (c - d + j + 1)) : j * (c - d + j) / (ratio * (t - j + 1) * (d - j + 1));
                j += up ? 1 : -1;
                term *= step;
                tail->sum += term;
                if (step < 1 && term < tail->sum * negligible)
                        return;
                if (tail->sum > large) {
                        term /= large;
                        tail->sum /= large;
                        tail->offset += log_large;
                }
        }
}

/* Minus the log of the probability of what was observed, at this ratio. */
static double surprise(const struct evalue_risk *risk, double ratio)
{
        struct tail tail = { 1, 0 };
        add_tail(risk, ratio, true, &tail);
        add_tail(risk, ratio, false, &tail);
        return tail.offset + log(tail.sum);
}

static void factors_of_one(const struct evalue_risk *risk, double log_factors[EVALUE_RATIOS])
{
        double all = risk->treated + (double)risk->control;
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                log_factors[i] = (risk->treated_events ? grid[i].log_ratio : 0) + log(all / (risk->treated * grid[i].ratio + risk->control));
}

static void factors_of_many(const struct evalue_risk *risk, double log_factors[EVALUE_RATIOS])
{
        double harmless = surprise(risk, 1);
        for (unsigned i = 0; i < EVALUE_RATIOS; i++)
                log_factors[i] = harmless - surprise(risk, grid[i].ratio);
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
                sum += grid[i].weight * exp(evalue->log_wealth[i] - highest);
        evalue->log_mean = highest + log(sum);
        evalue->is_touched = true;
}
