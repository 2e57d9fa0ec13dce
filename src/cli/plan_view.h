/* plan_view.h - a plan for people: what it was made of, two tables, and what the rollout could not see. */
#pragma once

#include "cli/cli.h"
#include "cli/plan.h"

struct buf;

MUST_CHECK enum err plan_view(struct cli *cli, const struct plan *plan, struct buf *into, struct why *why);
