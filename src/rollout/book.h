/* book.h - what a rollout remembers: its leases, and the counts that the rules read. Inside rollout/ only.
 *
 * A group is the fleet (number 0) or a stratum (1 + its number): every rule holds for each of them. A cell is what may be
 * compared: leases of one block, picked in one slot of time. Labels (`status`, `kind`) are mended by late reports; what
 * went into evidence and bounds (`ended_slot`, `ended_as`, `bound`) is never taken back. */
#pragma once

#include "rollout/bound.h"
#include "rollout/evalue.h"
#include "rollout/rollout.h"
#include "rollout/view.h"

enum lease_status {
        LEASE_RESERVED, LEASE_OPEN,              /* unanswered */
        LEASE_PROVEN, LEASE_HARMED, LEASE_DARK, LEASE_DECLINED, LEASE_PREFLIGHT_FAILED,
        LEASE_LAPSED,                            /* reserved, and nobody came: as if it had not been */
        LEASE_STATUSES,
};

enum { NO_LEASE = UINT32_MAX, TRIES_MAX = 3, RECENT_CONTROLS = 8, SLOTS_PER_LEASE = 16 };
#define NEVER INT64_MAX

struct lease {
        int64_t picked_ms, due_ms;               /* due: the reservation's end, then the lease's deadline */
        int64_t ended_slot, due_slot;            /* NEVER: not yet */
        uint32_t device, cell, next_in_cell, due_place;
        uint16_t strata[LIMIT_ATTRIBUTES];
        uint8_t strata_count, status, kind, ended_as;
        bool is_control, is_due;
};

/* pending: a bit for each signal with events; offered: control devices in this line, 0 outside of a pick. */
struct cell { int64_t slot; uint32_t first, wanted, offered; uint16_t pending; };

struct arm {
        uint32_t by_status[LEASE_STATUSES], by_kind[ROLLOUT_KINDS];
        struct bound_counts bound;               /* those at the age of their deadline */
};

struct group {
        struct arm treated, control;
        uint32_t young;                          /* exposures before their deadline that are not known to be harmed */
        double excess, attributed, accepted;     /* d(s); accepted: harm that an override took upon itself */
        struct evalue evalues[ROLLOUT_SIGNALS];
        bool is_dirty, is_rare;
};

/* What of a device's past forbids to pick it. */
struct fate { uint8_t is_busy : 1, is_over : 1, tries : 6; };

struct candidate { uint32_t at, class; double suspicion, excess; uint64_t key; };

struct rollout {
        struct rollout_policy policy;
        uint32_t fleet, blocks, group_count, leases_max;

        enum rollout_state state;
        enum rollout_reason reason;
        enum rollout_stopper stopped_by;
        int64_t now_ms, started_ms, stopped_ms, completed_ms;
        uint32_t seen;

        struct group *groups;
        struct lease *leases;
        uint32_t lease_count, cap_from;
        uint32_t *due, due_count;                /* handles; due.h */
        int64_t next_due_ms;                     /* of all leases that are not due; NEVER: none */

        struct cell *cells;
        uint32_t cell_count, *newest_cell;       /* of each block */
        uint32_t *pending, pending_count;        /* cells with events in pending_slot */
        int64_t pending_slot;
        struct evalue_risk *risks;               /* of each group, in one cell */
        double log_evidence;
        uint8_t recent_controls;                 /* a bit each of the last deadlines of control: silent? */

        struct fate *fates;
        struct candidate *candidates;            /* room to order a line */
        double *suspicions, *gains;              /* of each group; gains: for the cover */
        uint64_t picks;                          /* rounds so far: each draws other controls */

        struct rollout_change changes[ROLLOUT_CHANGES];
        uint64_t change_count, change_taken;
};

static inline uint32_t lease_group(const struct lease *lease, unsigned i) { return i ? 1u + lease->strata[i - 1] : 0; }
static inline unsigned lease_groups(const struct lease *lease) { return 1u + lease->strata_count; }
static inline uint32_t arm_open(const struct arm *arm) { return arm->by_status[LEASE_RESERVED] + arm->by_status[LEASE_OPEN]; }
static inline uint32_t arm_hurt(const struct arm *arm) { return arm->by_status[LEASE_HARMED] + arm->by_status[LEASE_DARK]; }
static inline uint32_t arm_settled(const struct arm *arm) { return arm->by_status[LEASE_PROVEN] + arm_hurt(arm); }
uint32_t arm_granted(const struct arm *arm);                                 /* all but the lapsed */

/* A new lease, reserved. The caller has seen that there is room. */
uint32_t book_reserve(struct rollout *rollout, const struct rollout_device *device, bool is_control);
void book_label(struct rollout *rollout, struct lease *lease, enum lease_status status, enum rollout_signal kind);
/* Its deadline is here: from now on it counts in the bounds. */
void book_due(struct rollout *rollout, struct lease *lease);
int64_t book_slot(const struct rollout *rollout, int64_t at_ms);
bool rollout_may_expose(const struct rollout *rollout);                      /* in this state, if there is room */
bool rollout_is_due(const struct rollout *rollout, int64_t now_ms);         /* a tick at this time has deadlines or evidence to see to */
