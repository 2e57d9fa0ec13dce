#include "rollout/bound.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

static const double pi = 3.14159265358979323846;

/* lgamma_r: lgamma() writes to a global. */
static double log_gamma(double x)
{
        int sign;
        return lgamma_r(x, &sign);
}

/* The mixture's probability of just these trials, in this order. */
static double log_mixture(struct bound_counts counts)
{
        double n = counts.trials, k = counts.harmed;
        double learned = log_gamma(k + 0.5) + log_gamma(n - k + 0.5) - log_gamma(n + 1) - log(pi);
        return counts.harmed ? log(0.5) + learned : log(0.5 + 0.5 * exp(learned));
}

static double log_likelihood(struct bound_counts counts, double p)
{
        double k = counts.harmed, clean = counts.trials - counts.harmed;
        return (k > 0 ? k * log(p) : 0) + (clean > 0 ? clean * log1p(-p) : 0);
}

static double slope(struct bound_counts counts, double p)
{
        return counts.harmed / p - (counts.trials - counts.harmed) / (1 - p);
}

/* The end of the interval between `inside` (the most likely share) and `outside`: halved some times, then by Newton's method, which from outside never
 * steps over the root, for the logarithm of the likelihood is concave. */
static double edge(struct bound_counts counts, double error, double outside)
{
        enum { HALVINGS = 6, STEPS = 50 };
        const double end = outside;
        double inside = (double)counts.harmed / counts.trials, least = log_mixture(counts) + log(error);
        for (int i = 0; i < STEPS && (i < HALVINGS || outside == end); i++) {
                double middle = (inside + outside) / 2;
                if (log_likelihood(counts, middle) > least)
                        inside = middle;
                else
                        outside = middle;
        }
        for (int i = 0; i < STEPS && outside != end; i++) {
                double next = outside - (log_likelihood(counts, outside) - least) / slope(counts, outside);
                bool is_nearer = end > inside ? next < outside && next >= inside : next > outside && next <= inside;
                if (!is_nearer)
                        break;
                outside = next;
        }
        return outside;
}

double bound_upper(struct bound_counts counts, double error)
{
        assert(counts.harmed <= counts.trials);
        return counts.harmed == counts.trials ? 1 : edge(counts, error, 1);
}

double bound_lower(struct bound_counts counts, double error)
{
        assert(counts.harmed <= counts.trials);
        return counts.harmed == 0 ? 0 : edge(counts, error, 0);
}

double bound_excess(struct bound_counts treated, struct bound_counts control)
{
        static const double treated_error = 0.04, control_error = 0.01;
        if (!treated.trials)
                return 1;
        double excess = bound_upper(treated, treated_error) - bound_lower(control, control_error);
        return excess > 0 ? excess : 0;
}
