/* page_scenario.h - what a report says of one scenario: what happened, the plots, what is known of it and what is assumed. */
#pragma once

#include "replay/study.h"

struct buf;

/* A section of the page, with the name of the scenario as its id. */
MUST_CHECK enum err page_scenario(const struct study *study, const struct scenario *scenario, struct buf *into, struct why *why);
