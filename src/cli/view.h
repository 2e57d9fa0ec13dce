/* view.h - a rollout as a screen of text. Pure: a document in, text out, so that stored screens are tests.
 *
 * The bar is the fleet: `#` proven, `+` exposed and not yet answered, `!` hurt, `.` not reached. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json;

struct view {
        unsigned columns, rows;      /* no line is longer, not many more lines */
        bool is_colour;
        int64_t now;                 /* unix seconds */
        unsigned strata_max;         /* 0: as many as `rows` allow */
};

/* Each line ends with \n and fits: sentences are broken between words, bars grow short, tables lose columns, and no number is ever cut. */
void view_rollout(const struct view *view, const struct json *rollout, struct buf *into);

/* One line, for logs: the age of the rollout, and its facts. */
void view_facts(const struct json *rollout, struct buf *into);
void view_line(const struct view *view, const struct json *rollout, struct buf *into);
