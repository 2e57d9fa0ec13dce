/* page_plot.h - one plot as an SVG element that stands in a page: lines over an axis of time or count, and marks where something ended.
 *
 * The colours come from the page's style sheet: line N has the class lN. All text is escaped here. What is no number, or below 0,
 * is drawn as 0; what is too large, at the edge. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLOT_STYLES = 8 };                        /* l0 to l7, then again from l0 */
enum plot_unit { PLOT_COUNT, PLOT_SECONDS };
enum plot_sign { PLOT_STOP, PLOT_COMPLETE, PLOT_DOT };

struct plot_axis {
        const char *title;
        enum plot_unit unit;
        bool is_log;                             /* of 1 + value, for seconds of 1 + minutes: 0 has a place */
        double max;                              /* 0: of the data */
        const int64_t *ticks;                    /* NULL: chosen */
        size_t tick_count;
};

struct plot_xy { double x, y; };
struct plot_line { unsigned style; const struct plot_xy *points; size_t count; };
struct plot_mark { enum plot_sign sign; unsigned style; struct plot_xy at; const char *text; };      /* text: for who points at it; NULL: none */

struct plot {
        const char *id, *title, *about;          /* id: a name, unique in the page; about: what a blind reader is told */
        struct plot_axis x, y;
        const struct plot_line *lines;
        size_t line_count;
        const struct plot_mark *marks;
        size_t mark_count;
        double rule;                             /* a level that is drawn across; 0: none */
        const char *rule_text;
};

void plot_write(const struct plot *plot, struct buf *into);
void plot_sample(enum plot_sign sign, unsigned style, struct buf *into);      /* a mark alone, for a legend */
void plot_line_sample(unsigned style, struct buf *into);
