/* page_curves.h - the plots of one scenario in a report, each with a table of the same figures. */
#pragma once

#include "replay/study.h"

struct buf;

/* The styles and marks that the plots use, one for each line. */
void page_legend(const struct study *study, const struct scenario *scenario, struct buf *into);

/* Exposed, hurt, window and evidence over time: a line a policy, or a line a budget when there is one policy. */
MUST_CHECK enum err page_curves(const struct study *study, const struct scenario *scenario, struct buf *into, struct why *why);

/* What a budget costs: time to completion, and hurt. Nothing when there is one budget, or no policy that knows it. */
MUST_CHECK enum err page_trade_off(const struct study *study, const struct scenario *scenario, struct buf *into, struct why *why);

/* Of a row in the plots of its scenario. */
unsigned page_line_of(const struct study *study, const struct study_row *row);
