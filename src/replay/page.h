/* page.h - the report of a study: one HTML file that needs nothing else, no script and no network.
 *
 * It is well-formed as XML, readable from a phone to a wide screen, in light and dark, on paper, and without its pictures: each
 * plot has its figures in a table. The same study gives the same bytes. */
#pragma once

#include "replay/study.h"

struct buf;

/* `command`: as it was typed, for who wants to repeat it; NULL: not said. `into` is given LIMIT_PAGE_BYTES. */
MUST_CHECK enum err page_write(const struct study *study, const char *command, struct buf *into, struct why *why);

extern const char page_style[];                  /* page_style.c: the style sheet */
