/* cohort.h - the director's word on one stream: which release, in which state, for whom. Format: docs/guide/formats.md, 2.1.
 *
 * The outer bound only; a device also needs a lease. The formula of a bucket is public, with vectors in tests/data/vectors/. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cohort_state { COHORT_GO, COHORT_HOLD, COHORT_WITHDRAW };
enum { COHORT_RULES_MAX = 64, COHORT_BYTES_MAX = 16384 };      /* rings times platforms of one fleet; 200 bytes each */
enum { COHORT_WITHDRAWN_MAX = 32 };          /* a device that missed so many withdrawals gets the release after them */
enum { COHORT_OLDER_MAX = 16 };              /* people keep few versions alive at once */

struct cohort_rule {
        char ring[LIMIT_NAME_BYTES + 1], platform[LIMIT_NAME_BYTES + 1];     /* "all" and "any" take each */
        uint64_t hi;                 /* bucket < hi is admitted */
        bool is_all;                 /* hi is 2^64 */
};

struct cohort_older { uint64_t counter, length; uint8_t sha256[32]; };

struct cohort {
        enum cohort_state state;
        char stream[LIMIT_NAME_BYTES + 1], tenant[LIMIT_NAME_BYTES + 1];
        uint64_t seq, counter, fallback, length;     /* counter 0: nothing offered; length: of the release note */
        uint8_t prev[32], salt[32], sha256[32];      /* of the document before; the target, twice */
        int64_t expires;
        size_t withdrawn_count;
        uint64_t withdrawn[COHORT_WITHDRAWN_MAX];    /* ascending: other releases of the stream that nobody may run */
        size_t older_count;
        struct cohort_older older[COHORT_OLDER_MAX]; /* ascending, below `counter`: for devices that are kept back from it */
        size_t rule_count;
        struct cohort_rule rules[COHORT_RULES_MAX];
};

const char *cohort_state_name(enum cohort_state state);

MUST_CHECK enum err cohort_parse(const void *bytes, size_t length, struct cohort *ret_cohort, struct why *why);
/* Canonical JSON, appended. ERR_SYNTAX: what cohort_parse() would not take. */
MUST_CHECK enum err cohort_write(const struct cohort *cohort, struct buf *into, struct why *why);

/* Where a device stands in the order of a release, from 0 to 2^64 - 1; salt and device as hex. */
uint64_t cohort_bucket(const char *salt, const char *device);

/* The first rule that fits decides; none: not admitted. */
bool cohort_admits(const struct cohort *cohort, const char *device, const char *ring, const char *platform);
/* What the document says to a device that is to have the older release of this counter; as it is when it does not name it. A withdrawal
 * of the newest is still heard. */
void cohort_turn_to(struct cohort *cohort, uint64_t counter);
/* Sets hi and is_all for a share of the fleet. */
void cohort_rule_share(struct cohort_rule *rule, uint32_t ppm);
