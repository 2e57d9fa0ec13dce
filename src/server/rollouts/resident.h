/* resident.h - what a device is to a rollout: may it be of its fleet, which block, which strata; all by name.
 *
 * Strata are values of attributes ("os_version=11"), `site` and `timezone` excepted; blocks are ring x site, or ring x group without a site. */
#pragma once

#include "rollout/rollout.h"
#include "server/device/attributes.h"

enum { RESIDENT_NAME_BYTES = 2 * LIMIT_NAME_BYTES + 2, RESIDENT_STRATA = LIMIT_ATTRIBUTES + 1 };

/* Of SQL, for a device `d` and a release `r`: nobody can invent devices to sway a release that is on its way; it must run on them. */
#define RESIDENT_IN_TIME "(d.enrolled_at <= r.published_at)"
#define RESIDENT_RUNS_IT "(instr(' ' || r.platforms || ' ', ' any ') OR instr(' ' || r.platforms || ' ', ' ' || d.platform || ' '))"

struct resident { const char *ring, *group, *agent; struct attributes attributes; };

void resident_block(const struct resident *resident, char name[RESIDENT_NAME_BYTES]);
/* How many; at most RESIDENT_STRATA. */
size_t resident_strata(const struct resident *resident, char names[RESIDENT_STRATA][RESIDENT_NAME_BYTES]);
/* Ring names are the administrators'; three have a meaning for the order. */
enum rollout_ring resident_ring(const char *name);
