/* bar.h - how far something is, for those who wait: one line on a terminal's standard error, redrawn so rarely that it costs nothing. */
#pragma once

#include "cli/cli.h"

#include <stdint.h>

struct bar { struct cli *cli; int64_t drawn_ms; };      /* drawn_ms, steady: when it was drawn; 0: it is not there */

/* done: 0 to 1; `what` is cut where the terminal ends. Nothing happens when standard error is no terminal. */
void bar_draw(struct bar *bar, double done, const char *what);
void bar_wipe(struct bar *bar);
