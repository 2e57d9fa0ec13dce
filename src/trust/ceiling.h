/* ceiling.h - the ramp ceiling: how much of the fleet may run a release how long after its start.
 *
 * Part of the release note and therefore signed offline: a speed limit that a thief of the server cannot exceed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CEILING_STEPS_MAX = 16, CEILING_ALL_PPM = 1000000 };      /* steps: a ramp that people can still read */
#define CEILING_AFTER_S_MAX (INT64_C(3653) * 86400)              /* ten years: who wants to wait longer means never */

struct ceiling_step {
        int64_t after_s;             /* since the release's start */
        uint32_t ppm;                /* of devices; 1,000,000 is all */
};

struct ceiling {
        int64_t start;               /* unix seconds */
        size_t count;
        struct ceiling_step steps[CEILING_STEPS_MAX];
};

/* Steps ascend in time and share; neither is beyond its most. */
bool ceiling_is_valid(const struct ceiling *ceiling);
bool ceiling_equal(const struct ceiling *a, const struct ceiling *b);
/* 0 before the first step. */
uint32_t ceiling_ppm(const struct ceiling *ceiling, int64_t now);
/* `bucket` as in cohort.h. Ring "early", which only a device's own administrator sets, is part of the first step. */
bool ceiling_admits(const struct ceiling *ceiling, int64_t now, uint64_t bucket, const char *ring);
