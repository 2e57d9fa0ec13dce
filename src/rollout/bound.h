/* bound.h - what the harm rate may still be, at any time: confidence sequences for a share.
 *
 * The method of mixtures (Robbins 1970; Howard et al., arXiv 1810.08240): the shares p at which the mixture's likelihood is under
 * 1/error times that of p. The mixture is half "never", so that clean answers are worth what they are, and half
 * Krichevsky-Trofimov, Beta(1/2, 1/2), which learns any share. By Ville's inequality the true share is always inside, at every
 * time at once, with probability 1 - error. */
#pragma once

#include <stdint.h>

struct bound_counts { uint32_t trials, harmed; };

double bound_upper(struct bound_counts counts, double error);      /* 1 without trials */
double bound_lower(struct bound_counts counts, double error);      /* 0 without trials */

/* 95 %: the upper bound of treated at 4 %, less the lower bound of control at 1 %; from 0 to 1, and 1 without trials. */
double bound_excess(struct bound_counts treated, struct bound_counts control);
