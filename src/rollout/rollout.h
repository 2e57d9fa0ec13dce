/* rollout.h - who gets a release next, how many at once, and when to stop.
 *
 * Pure: no clock, no I/O, no threads, no allocation after rollout_new(). The caller keeps a durable log of the inputs; fed
 * again in the same order, they make the same decisions, byte for byte. A tick that returns false and a line of which nobody
 * was picked changed nothing and need no place in that log; a refused call changed nothing either.
 *
 * Time passes in rollout_tick(): call it before commands, picks and grants at the same time. With a deadline due and no tick
 * they say ERR_BUSY, and rollout_pick() lets everybody wait. Reports need no tick.
 *
 * Leases: rollout_pick() reserves, which occupies the window; rollout_granted() is said when the signed lease is durable and
 * starts its deadline. A reservation that is not granted within a lease's time is censored, never booked dark.
 *
 * Invariants: unanswered exposures never pass what the budget allows, for the fleet and for each stratum; nobody is
 * exposed but in EXPOSING and COMPLETE; UNKNOWN and a freeze expose nobody; never more are exposed than the ceiling has at that time; late outcomes mend labels and counts, never the evidence of a lease.
 * Words and rules: docs/guide/rollout.md. */
#pragma once

#include "base/err.h"
#include "base/limits.h"
#include "base/own.h"
#include "rollout/states.h"

#include <stddef.h>
#include <stdint.h>

/* formats.md 5, "Policy". */
struct rollout_policy {
        int64_t budget, bake_s, gap_s, gather_s, alpha_ppm, controls, holdout_ppm, cap_per_bake, watch_s, complete_ppm;
        int64_t bound_silence;                   /* 1: silence is harm that is not ruled out, as a crash is; 0: only what is seen beyond control's */
};
struct rollout_policy rollout_policy_default(void);

struct rollout_config {
        struct rollout_policy policy;
        uint32_t fleet;                          /* devices are 0 .. fleet - 1 */
        uint32_t blocks;                         /* blocks are 0 .. blocks - 1: ring x site */
        uint16_t strata;                         /* 0 .. strata - 1; at most LIMIT_STRATA */
        const uint32_t *stratum_sizes;           /* devices in each; copied */
        uint32_t leases_max;                     /* exposures and controls in all; 0: enough */
};

enum rollout_ring { ROLLOUT_RING_EARLY, ROLLOUT_RING_ALL, ROLLOUT_RING_LATE };

struct rollout_device {
        uint64_t bucket;                         /* of this release's salt (formats.md 2.1) */
        uint32_t device, block;
        uint16_t strata[LIMIT_ATTRIBUTES];
        uint8_t strata_count;
        enum rollout_ring ring;
};

struct rollout;

/* In DRAFT. ERR_USAGE names a value out of range. */
MUST_CHECK enum err rollout_new(const struct rollout_config *config, struct rollout **ret_rollout, struct why *why);
void rollout_free(struct rollout *rollout);
OWN_DEFINE(rollout, struct rollout *, rollout_free)

/* Inputs: `now_ms` is unix time; one that is older than the last input counts as that one. */

/* Steer it. PROVE, PASS and START lead from DRAFT to EXPOSING. WITHDRAW halts first where it must. OVERRIDE accepts the harm
 * so far: budget and evidence count anew from here; of a freeze it passes over the window that is open, and nothing else changes. ERR_REFUSED names the guard. */
struct rollout_command {
        enum rollout_event event;
        int64_t now_ms;
        enum rollout_reason reason;              /* of HOLD; NONE: OPERATOR */
        const char *who, *second, *because;      /* for OVERRIDE; NULL: not said */
};
MUST_CHECK enum err rollout_command(struct rollout *rollout, const struct rollout_command *command, struct why *why);

/* The signed ceiling of the release's ramp: from each of these moments on so many may have been exposed, nobody before the first. Said once, before
 * the start; both ascend. ERR_LIMIT, ERR_USAGE; ERR_REFUSED: it has begun. */
enum { ROLLOUT_STEPS_MAX = 16 };
struct rollout_step { int64_t from_ms; uint32_t exposed_max; };
MUST_CHECK enum err rollout_ceiling(struct rollout *rollout, const struct rollout_step *steps, size_t count, struct why *why);

/* From DRAFT, PROVING or READY to EXPOSING. */
MUST_CHECK enum err rollout_start(struct rollout *rollout, int64_t now_ms, struct why *why);

/* The devices that wait now with the release prepared, each once. picks[i] answers devices[i]. */
enum rollout_lease_kind { ROLLOUT_WAIT, ROLLOUT_EXPOSE, ROLLOUT_SHADOW };
struct rollout_pick { enum rollout_lease_kind kind; uint32_t handle; bool is_stand_in; };      /* handles count up from 0; of no meaning in WAIT. Stand-in: drawn, but held out; it will be watched */
struct rollout_line {
        int64_t now_ms;
        const struct rollout_device *devices;
        size_t count;
        struct rollout_pick *picks;
        size_t picked;                           /* out: how many do not wait */
};
/* ERR_LIMIT: more than the fleet; ERR_NOT_FOUND: a number past its count. */
MUST_CHECK enum err rollout_pick(struct rollout *rollout, struct rollout_line *line, struct why *why);

/* The lease is durable. ERR_EXPIRED: it came too late and was censored; ERR_REFUSED: nothing may start in this state. */
MUST_CHECK enum err rollout_granted(struct rollout *rollout, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why);
/* False: nobody in a line would be picked now, whoever stands in it. Cheaper than a line, and changes nothing. */
bool rollout_wants_line(const struct rollout *rollout);
int64_t rollout_lease_ms(const struct rollout *rollout);                     /* bake + gap */

/* DARK is no report: rollout_tick() finds it. */
enum rollout_outcome { ROLLOUT_PROVEN, ROLLOUT_HARMED, ROLLOUT_DECLINED, ROLLOUT_PREFLIGHT_FAILED, ROLLOUT_OUTCOMES };
enum rollout_signal {
        ROLLOUT_CRASH, ROLLOUT_BOOT_LOOP, ROLLOUT_ROLLED_BACK, ROLLOUT_PROBE_FAILED, ROLLOUT_ACTION_STORM, ROLLOUT_RESOURCE, ROLLOUT_HUMAN,
        ROLLOUT_DARK, ROLLOUT_PREFLIGHT, ROLLOUT_SIGNALS, ROLLOUT_KINDS = ROLLOUT_DARK,
};
struct rollout_report { int64_t now_ms; uint32_t handle; enum rollout_outcome outcome; enum rollout_signal kind; };      /* kind: of HARMED, below KINDS */
/* Repeated and late ones are welcome. Who declines after the deadline stays dark. ERR_NOT_FOUND: no such lease, or it was never granted. */
MUST_CHECK enum err rollout_report(struct rollout *rollout, const struct rollout_report *report, struct why *why);

/* A proven device is watched from its deadline on until the rollout's watch is over: whatever it reports counts, in both arms. Of a sample one listens whether they
 * are heard of at all, in rounds of a lease's time. */
struct rollout_listened { uint32_t handle, device; };
/* Whose word is awaited now; into `into`, as far as there is room. */
size_t rollout_listens(const struct rollout *rollout, struct rollout_listened *into, size_t max);
int64_t rollout_round_ends_ms(const struct rollout *rollout);                /* INT64_MAX: nobody is listened to */
enum { ROLLOUT_LISTENED_MAX = 32768 };
/* These were heard of, by whatever they asked or said, before `now_ms`: also in a round that ends with it. Handles of whom no word is awaited change nothing. ERR_NOT_FOUND: no such lease. */
MUST_CHECK enum err rollout_heard(struct rollout *rollout, int64_t now_ms, const uint32_t *handles, size_t count, struct why *why);
/* These run another release by now, or are no more: what becomes of them says nothing about this one. ERR_NOT_FOUND: a number past the fleet. */
MUST_CHECK enum err rollout_left(struct rollout *rollout, int64_t now_ms, const uint32_t *devices, size_t count, struct why *why);
/* The lease that this device's harm counts for now, whatever the device tells it of: under way, before its deadline, or (is_same_stream) watched. False: none. */
bool rollout_minds(const struct rollout *rollout, uint32_t device, bool is_same_stream, uint32_t *ret_handle);

/* How many devices of the fleet, held-out ones left out, checked in since the start: what *complete* is measured against. */
void rollout_seen(struct rollout *rollout, int64_t now_ms, uint32_t devices);
bool rollout_is_held_out(const struct rollout *rollout, uint64_t bucket);

/* A freeze window is open for every device, until so and so, as far as one knows (0: nobody does); or no more is. As long as one is open nothing
 * new starts and no control is asked; what runs, runs on. Told again it may tell another end. */
void rollout_freeze(struct rollout *rollout, int64_t now_ms, bool is_frozen, int64_t until_ms);

/* Deadlines, evidence, states. True when anything changed. */
MUST_CHECK bool rollout_tick(struct rollout *rollout, int64_t now_ms);
