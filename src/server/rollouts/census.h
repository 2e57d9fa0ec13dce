/* census.h - the fleet of a rollout: who may be exposed, and what each device has in common with others.
 *
 * Taken once, when the rollout starts, and kept: decisions speak of dense numbers, blocks and strata, and must mean the same
 * after a restart, whatever devices say of themselves later. Eligible is who was enrolled before the release was published,
 * is not revoked and runs one of its platforms: so nobody can invent devices to sway a release that is on its way. Strata and
 * blocks: resident.h. */
#pragma once

#include "server/rollouts/run.h"

MUST_CHECK enum err census_take(struct db *db, int64_t rollout, int64_t release, struct why *why);
/* Fills members and strata of a new run. */
MUST_CHECK enum err census_load(struct db *db, struct run *run, struct why *why);
