/* survey.h - the fleet that a release would meet if it started now, counted: who may get it, and what they have in common.
 *
 * A profile is a combination of block and strata, with counts. Numbers of strata and blocks are those that a census would give.
 * Devices whose group is kept back from it are left out, though a census has them. One pass over the devices; nothing is written.
 * Memory is bounded: a profile that is first met when LIMIT_PROFILES_COUNTED others were is counted with the merged ones.
 *
 * Of the profiles the LIMIT_PROFILES most common are kept. The devices of the others are counted with the most common one of their block, or
 * else of their ring's order, so that the sum stays; `merged` says how many. The sizes of strata and blocks are the true ones. */
#pragma once

#include "server/rollouts/resident.h"
#include "server/rollouts/tally.h"
#include "server/store/db.h"

struct survey_profile {
        uint32_t block, devices, seen_7d, seen_1d;
        uint16_t strata[LIMIT_ATTRIBUTES];
        size_t strata_count;
};

struct survey {
        struct tally *strata, *blocks;           /* keys: names; counts[0]: devices */
        struct survey_profile *profiles;         /* the most common first */
        size_t profile_count;
        int64_t devices, seen_1h, seen_1d, seen_7d;
        int64_t seen_median_s;                   /* how long ago, of those seen within the hour; -1: nobody */
        int64_t enrolled_later, other_platform, kept_back;      /* not revoked, and not of this fleet; later: on its platforms; kept back: with their group */
        int64_t no_stratum;                      /* devices with a value past LIMIT_STRATA */
        int64_t merged_profiles, merged_devices;
};

MUST_CHECK enum err survey_take(struct db *db, int64_t release, int64_t now_s, struct survey *ret_survey, struct why *why);
void survey_done(struct survey *survey);
static inline void survey_release(struct survey *survey) { survey_done(survey); }      /* OWN(survey) struct survey s = { 0 }; */
