/* book.h - what a rollout remembers: its leases, and the counts that the rules read. Inside rollout/ only.
 *
 * A group is the fleet (number 0) or a stratum (1 + its number): every rule holds for each of them. A cell is what may be
 * compared: leases of one block, picked in one slot of time. Labels (`status`, `kind`) are mended by late reports; what
 * went into evidence (shares) and bounds (`bound`) is never taken back. */
#pragma once

#include "rollout/bound.h"
#include "rollout/evalue.h"
#include "rollout/lease.h"
#include "rollout/queue.h"
#include "rollout/rollout.h"
#include "rollout/view.h"
#include "rollout/weight.h"

struct arm {
        uint32_t by_status[LEASE_STATUSES], by_kind[ROLLOUT_KINDS];
        uint32_t unbegun;                        /* of the declined */
        uint32_t silent;                         /* at their deadline, whatever was heard of them later */
        uint32_t later[ROLLOUT_KINDS];           /* of by_kind: while they were watched */
        uint32_t late[ROLLOUT_KINDS];            /* of by_kind: when they had been dark */
        struct weighed silent_for, late_for;     /* of control: those of `silent`, and of `late` */
        uint32_t watched, fallen, listened, lost;      /* watch.h: now; fallen: harmed in the slot that is not over, watched when it began */
        struct bound_counts bound;               /* those at the age of their deadline */
};

/* How much of one kind of harm control explains. In each cell and slot, control of all strata has a rate, here and now; at these rates so many of a group's treated
 * and control devices would be harmed. Of its control so many were: a group that is harmed more often than its neighbours stays so when treated.
 * Where one of control stands for many exposures, it weighs as much in that: a group that goes its own way for an hour does so beside the control of that hour. spread: the variance of at_treated that comes
 * of the rates being estimates. */
struct explained { double at_treated, spread; struct weighed at_control, seen_control; };
/* What befalls those who are watched is apart: EXPLAINS_LATER + kind, and, as it was at the end of the last round, silence. */
enum { EXPLAINS_LOSS = ROLLOUT_SIGNALS, EXPLAINS_LATER, EXPLAINED = EXPLAINS_LATER + ROLLOUT_KINDS };

struct group {
        struct arm treated, control;
        struct explained explained[EXPLAINED], running[EXPLAINED];      /* running: of the slot that is not over, when gate_look_ahead() was asked */
        uint32_t uncompared, unmatched;          /* treated ones, past their deadline, whose cell had no control; when no control at all had its deadline */
        uint32_t young;                          /* exposures before their deadline that are not known to be harmed */
        double excess, silence;                  /* d(s): what is not ruled out; silence that has no bound: attributed so far */
        double bake_event, late_event;           /* the variance of one event of control more, at the worst time when one was harmed */
        double attributed, certain, lost, accepted, accepted_lost;      /* harm.h, less what was accepted: what an override took upon itself; lost: of both */
        double unrelieved;                       /* certain harm, asked as some few would be, while nobody has it proven */
        struct evalue evalues[ROLLOUT_SIGNALS];
        bool is_dirty, is_harm_stale, is_excess_stale, is_rare;      /* since the rules last looked counts changed, and harm, or the bound's counts */
        bool is_spent, is_stuck, is_closed;      /* closed: when this line was begun, nobody more of it was let in */
};

/* Beside the blocks, as blocks + so much: devices from anywhere that are like each other, for want of such in their block; and the most
 * suspect, of whom there is less control to spare. */
enum { BLOCK_ANYWHERE, BLOCK_OF_SUSPECTS, BLOCKS_BESIDE };
enum tier { TIER_ALL, TIER_SUSPECT, TIERS };

/* What of its past forbids to pick a device. Over: it had its turn, or, held out, stood in for one; tries: turns, also those that came to nothing. */
struct fate { uint8_t is_busy : 1, is_over : 1, tries : 6; };

struct rollout {
        struct rollout_policy policy;
        uint32_t fleet, blocks, group_count, leases_max;
        double deviations;                       /* harm.h */

        enum rollout_state state;
        enum rollout_reason reason;
        enum rollout_stopper stopped_by;
        int64_t now_ms, started_ms, stopped_ms, completed_ms;
        int64_t gathers_ms;                      /* since when devices line up for the first cohort */
        int64_t frozen_until_ms;                 /* 0: not known */
        struct rollout_step steps[ROLLOUT_STEPS_MAX];
        size_t step_count;                       /* 0: no ceiling */
        bool is_frozen, is_thawed;               /* thawed: people passed over the window that is open */
        uint32_t seen;
        struct group *groups;
        struct lease *leases;
        uint32_t lease_count, tries;             /* tries: exposures picked so far, whatever came of them */
        struct draw { uint32_t each[TIERS]; int64_t slot[TIERS]; } draw;      /* control for each exposure in this slot, in 256ths */
        uint32_t *due, due_count;                /* handles; due.h */
        int64_t next_due_ms;                     /* of all leases that are not due; NEVER: none */

        uint32_t *dirty, dirty_count;            /* groups */
        uint32_t spent_count, stuck_count;       /* groups */
        struct cap { int64_t slot; uint32_t exposed; } cap[CAP_SLOTS];      /* by slot of the bake, over and over */

        struct shares shares;
        struct cell *cells;
        uint32_t cells_max, cell_count, free_cell, *newest_cell;       /* newest: of each block, and of those beside them */
        struct cohorts { uint32_t newest, count; } *cohorts;           /* of each block; newest: a cell */
        int64_t open_slot;                       /* what came to pass in it is not folded in yet */
        uint32_t event_count;                    /* in it */
        uint32_t looked_at;                      /* event_count at the last look ahead */
        double log_evidence;
        double silence_spread;                   /* of all deadlines asked about silence: treated ones squared by control ones; times the rate of silence, the variance of what control explains */
        uint8_t recent_controls;                 /* a bit each of the last deadlines of control: silent? */

        uint32_t *listened, listened_count;      /* handles; watch.h */
        int64_t round_ms;                        /* the end of the round; NEVER: nobody was listened to yet */
        uint32_t listened_ppm[ARMS];             /* of those who are watched */

        struct fate *fates;
        uint32_t *newest;                        /* of each device: the lease under which it is watched, or its newest */
        struct queue queue;                      /* the line that is picked from */
        uint32_t *members;                       /* pick.c: of one set */
        double *suspicions, *gains;              /* of each group; gains: for the cover */

        struct rollout_change changes[ROLLOUT_CHANGES];
        uint64_t change_count, change_taken;
};

static inline uint32_t arm_open(const struct arm *arm) { return arm->by_status[LEASE_RESERVED] + arm->by_status[LEASE_OPEN]; }
static inline uint32_t arm_hurt(const struct arm *arm) { return arm->by_status[LEASE_HARMED] + arm->by_status[LEASE_DARK]; }
static inline uint32_t arm_settled(const struct arm *arm) { return arm->by_status[LEASE_PROVEN] + arm_hurt(arm); }
uint32_t arm_exposed(const struct arm *arm);                                 /* all but those who never began */

/* splitmix64's finaliser: another order of the same buckets. */
static inline uint64_t bucket_mix(uint64_t z)
{
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
}

/* The lease's arm in its i-th group. */
struct arm *book_arm(struct rollout *rollout, const struct lease *lease, unsigned i, struct group **ret_group);
/* Exposures that leases are kept for: each device as often as it may try, in a large fleet half of them once more. */
uint64_t book_tries_max(uint32_t fleet);
/* A new lease, reserved, to be compared with those of this block, or of one beside them. The caller has seen that there is room. */
uint32_t book_reserve(struct rollout *rollout, const struct rollout_device *device, uint32_t block, bool is_control);
void book_dirty(struct rollout *rollout, struct group *group);               /* the rules have to look at it */
void book_harm(struct rollout *rollout, struct group *group);                /* and there is other harm, or control explains more of it */
void book_label(struct rollout *rollout, struct lease *lease, enum lease_status status, enum rollout_signal kind);
/* A device that declined while the release was on offer did not begin it; one that says so later gave it up. */
void book_never_began(struct rollout *rollout, struct lease *lease);
/* Its deadline is here: from now on it counts in the bounds. */
void book_due(struct rollout *rollout, struct lease *lease);
int64_t book_slot(const struct rollout *rollout, int64_t at_ms);
int64_t book_slot_ms(const struct rollout *rollout, int64_t slot);           /* when it begins */
bool rollout_is_frozen(const struct rollout *rollout);
bool rollout_is_on_offer(const struct rollout *rollout);                     /* exposing, holding or complete: also those who have it are watched */
bool rollout_may_expose(const struct rollout *rollout);                      /* in this state, if there is room */
bool rollout_is_due(const struct rollout *rollout, int64_t now_ms);         /* a tick at this time has deadlines or evidence to see to */
