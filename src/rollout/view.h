/* view.h - what a rollout says of itself, for people and for the record. Reading it changes nothing.
 *
 * `hurt` is harmed + dark. `window`: how many more may be exposed now. */
#pragma once

#include "rollout/rollout.h"

enum rollout_verdict { ROLLOUT_GO, ROLLOUT_HALT, ROLLOUT_UNKNOWN };
enum rollout_stopper { ROLLOUT_BY_NOBODY, ROLLOUT_BY_GATE, ROLLOUT_BY_BUDGET, ROLLOUT_BY_OPERATOR };

/* The fleet, or one stratum. */
struct rollout_counts {
        uint32_t exposed, unanswered, proven, harmed, dark, declined, preflight_failed, hurt;
        uint32_t control, control_proven, control_harmed, control_dark;      /* control_harmed without the dark */
        uint32_t watched, listened, lost, control_lost;      /* after their deadline; of these so many are listened to; of those, silent now */
        uint32_t by_kind[ROLLOUT_KINDS];
        uint32_t excess_upper_ppm, window;
        double attributed;
};

/* Of the group that stands nearest to the budget, what is compared with it (harm.h): before anybody new starts, likely harm that control does not explain, rounded up; for a
 * stop the same less what chance may add, rounded down: when that is the budget, it is spent. */
enum { ROLLOUT_OF_FLEET = -1, ROLLOUT_SENTENCE_BYTES = 256 };
struct rollout_spent { int32_t stratum; uint32_t attributed, certain; };     /* stratum: ROLLOUT_OF_FLEET, or its number */

/* Its state alone: cheaper than the view. */
struct rollout_standing { enum rollout_state state; enum rollout_reason reason; enum rollout_verdict verdict; bool is_frozen; };
struct rollout_standing rollout_standing(const struct rollout *rollout);

struct rollout_view {
        enum rollout_state state;
        enum rollout_reason reason;
        enum rollout_verdict verdict;
        enum rollout_stopper stopped_by;
        int64_t started_ms, stopped_ms, completed_ms;                        /* 0: not */
        int64_t until_ms;                                                    /* when it goes on by itself; 0: not, or not known */
        bool is_frozen;                                                      /* in force: a freeze that people passed over is not */
        struct rollout_counts fleet;
        uint32_t seen, limit;                                                /* limit: exposed + window, and no more than the fleet */
        struct rollout_spent spent;
        double evidence, evidence_needed;
        char sentence[ROLLOUT_SENTENCE_BYTES];
};

void rollout_view(const struct rollout *rollout, struct rollout_view *ret_view);
void rollout_view_stratum(const struct rollout *rollout, uint16_t stratum, struct rollout_counts *ret_counts);
bool rollout_has_seen_stratum(const struct rollout *rollout, uint16_t stratum);      /* exposed any of it: what this canary could see */

const char *rollout_verdict_word(enum rollout_verdict verdict);              /* "GO" */
const char *rollout_stopper_word(enum rollout_stopper stopper);              /* NULL for NOBODY */
const char *rollout_signal_word(enum rollout_signal signal);                 /* those of a report, "dark", "preflight_failed" */

/* What changed since this was last asked, oldest first; returns how many were written. At most ROLLOUT_CHANGES are kept. */
enum { ROLLOUT_CHANGES = 32 };
struct rollout_change { int64_t at_ms; char text[160]; };
size_t rollout_take_changes(struct rollout *rollout, struct rollout_change changes[ROLLOUT_CHANGES]);
