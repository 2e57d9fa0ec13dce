/* words.h - what a study came to, in words and figures for people: the same on a terminal and in the report.
 *
 * No number depends on a locale; no text is escaped here. */
#pragma once

#include "base/buf.h"
#include "replay/study.h"

void words_count(struct buf *into, int64_t count);               /* "1,234,567"; "-" below 0: not known */
void words_value(struct buf *into, double value);                /* the same for evidence and the like: "0.3", "1,234,567", "2.4e13" */
void words_span(struct buf *into, int64_t seconds);              /* "47 s", "12 min", "3 h 20 min", "5 d 2 h"; "-" below 0: not */
void words_ppm(struct buf *into, int64_t ppm);                   /* "2%", "0.01%" */
void words_stopped(struct buf *into, const struct study_row *row);       /* "gate"; "gate 3, budget 1 of 5"; "-" */

/* The policy, and the budget where the study has several. */
void words_row(struct buf *into, const struct study *study, const struct study_row *row);

/* What happened to this scenario, in a sentence or two; nothing when the study has no row of it. */
void words_headline(struct buf *into, const struct study *study, const struct scenario *scenario);

/* What a plot of this scenario rests on, in one paragraph: whoever cuts it out has it, too. */
void words_assumed(struct buf *into, const struct study *study, const struct scenario *scenario);

/* What the marks in its source and guesses mean ("V: ..."), where there are any. */
void words_marks(struct buf *into, const struct scenario *scenario);

/* The same for all scenarios together. */
void words_overview(struct buf *into, const struct study *study);
