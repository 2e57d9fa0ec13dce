/* evalue.h - how much an event speaks against a release: the anytime-valid log-rank test.
 *
 * Of Y_T treated and Y_C control devices at risk, d had an event at one time, d_T of them treated. If the hazard of the
 * treated is r times that of control, d_T has Fisher's noncentral hypergeometric distribution; a factor is its probability at r
 * over that at 1. The product of factors is an e-process: a harmless release brings it past 1/alpha with probability at most
 * alpha, however often one looks (ter Schure, Perez-Ortiz, Ly, Grunwald, arXiv 2011.06931; Ville's inequality). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { EVALUE_RATIOS = 8 };

struct evalue_risk { uint32_t treated, control, treated_events, control_events; };

/* Of one hypothesis: the log of the wealth at each ratio, and of their mean; zeroed is 1. */
struct evalue { double log_wealth[EVALUE_RATIOS], log_mean; bool is_touched; };

double evalue_ratio(unsigned i);                              /* 1.1 to 1000 */
double evalue_weight(unsigned i);                             /* of this ratio in the mixture; they add up to 1 */
void evalue_log_factors(const struct evalue_risk *risk, double log_factors[EVALUE_RATIOS]);      /* at each ratio */
void evalue_multiply(struct evalue *evalue, const struct evalue_risk *risk);
