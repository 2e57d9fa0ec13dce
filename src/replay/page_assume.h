/* page_assume.h - everything that a report's figures rest on: the policy's values, the fleet, the faults, the weather, the seeds. */
#pragma once

#include "replay/study.h"

struct buf;

void page_assume_scenario(const struct scenario *scenario, struct buf *into);
void page_assume_study(const struct study *study, const char *command, struct buf *into);
