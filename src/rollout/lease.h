/* lease.h - one lease, and the cell of those that it may be compared with. Inside rollout/ only.
 *
 * A group is the fleet (number 0) or a stratum (1 + its number). */
#pragma once

#include "rollout/share.h"

enum lease_status {
        LEASE_RESERVED, LEASE_OPEN,              /* unanswered */
        LEASE_PROVEN, LEASE_HARMED, LEASE_DARK, LEASE_DECLINED, LEASE_PREFLIGHT_FAILED,
        LEASE_LAPSED,                            /* reserved, and nobody came: as if it had not been */
        LEASE_STATUSES,
};

/* Of who is listened to: from the next round on; silent in this one so far; heard of; heard of, and leaves with this round; silent since an earlier one. */
enum lease_ear { EAR_NONE, EAR_SOON, EAR_WAITING, EAR_HEARD, EAR_LEAVING, EAR_LOST };

enum { NO_LEASE = UINT32_MAX, NO_CELL = UINT32_MAX, TRIES_MAX = 3, RECENT_CONTROLS = 8, SLOTS_PER_LEASE = 16, CAP_SLOTS = 17 };
#define NEVER INT64_MAX

/* 40 bytes, one for each lease that was ever given. */
struct lease {
        int64_t due_ms;                          /* the reservation's end, then the lease's deadline */
        uint32_t device, cell, due_place;        /* once it is due: its cohort's cell, and its place among those who are listened to */
        uint16_t strata[LIMIT_ATTRIBUTES];
        uint8_t strata_count : 4, ear : 3, is_sampled : 1;     /* ear: enum lease_ear; sampled: if it is watched, it is listened to */
        uint8_t status : 4, kind : 4;
        int8_t stands_for;                       /* of control: for so many exposures; weight_to_byte() */
        bool is_control : 1, is_due : 1, is_unbegun : 1;       /* unbegun: declined in time */
        bool is_compared : 1, has_left : 1, is_watched : 1;    /* counted among those at risk; no more, for it was harmed; watch.h */
        bool is_stand_in : 1, is_apart : 1;      /* pick.c: would be exposed, but for being held out; compared with nobody: there was no room for control beside it, or it is a probe */
};
_Static_assert(LEASE_STATUSES <= 16 && ROLLOUT_SIGNALS < 16, "a label is half a byte");
_Static_assert(sizeof(struct lease) == 40, "a lease is small, for there are millions");

static inline uint32_t lease_group(const struct lease *lease, unsigned i) { return i ? 1u + lease->strata[i - 1] : 0; }
static inline unsigned lease_groups(const struct lease *lease) { return 1u + lease->strata_count; }
static inline enum arm_name arm_of(const struct lease *lease) { return lease->is_control ? ARM_CONTROL : ARM_TREATED; }

/* leases: before their deadline; controls: of these that began; stands_for: as of each lease that is not apart.
 * Watched leases are in a cell of their own, which stays: that of their block's cohort, those picked in one lease's time, for who lines up early is not like who
 * does late. Its slot is below 0, controls: those that are watched now. */
struct cell { int64_t slot; uint32_t block, cohort, leases, controls, first_share, next_free; int8_t stands_for; };
enum { COHORTS_MAX = 16 };                       /* of a block; whoever comes later is of the last */
