/* harm.h - how much of the harm is the release's? Inside rollout/ only.
 *
 * Harm beyond what control explains (decision 007), less what chance may add. `likely`: less some standard deviations, which leaves little room
 * for new exposures while it lasts. `certain`: less a line that a harmless release crosses once in 1,000 rollouts, in any of its groups and however long one looks
 * (decision 008); it stops the rollout. While the budget is wider than chance the two are one. */
#pragma once

#include "rollout/book.h"

struct harm {
        double likely, certain;
        double silence;                          /* of these, silence that has no bound: it is expected to go on at its rate */
        double lost;                             /* beside these: proven, and never heard of since (watch.h) */
};

/* How many standard deviations are likely to be more than chance: 2 of one group, and of many as many more as it takes to ask them all. */
double harm_deviations(uint32_t groups);

/* Strata may differ so much with nothing being wrong: an old model crashes so much more often than the others. A few that are held out do not show it. */
enum { HARM_FLAKY = 10 };

/* One event of control more or less explains so many of the treated, with this variance. */
double harm_of_one_event(double treated, double control);
struct harm harm_of(const struct rollout *rollout, const struct group *group);

/* Certain harm of a group in which nobody has it proven, asked as a budget of `few` would be: a wide one takes few for certain that a narrow one would leave to
 * chance, and of thousands that were exposed at once some are harmed before any can have it proven. */
double harm_unrelieved(const struct rollout *rollout, const struct group *group, double few);
