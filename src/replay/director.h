/* director.h - who decides in a replay: Firebreak's rollout library, or one of the practices it is compared with.
 *
 * All are asked the same questions about the same devices and get the same answers. A director knows what a server would:
 * who waits, what was reported, what time it is. */
#pragma once

#include "rollout/rollout.h"
#include "rollout/view.h"

struct director_fleet {
        uint32_t devices, blocks;
        uint16_t strata;
        const uint32_t *stratum_sizes;           /* borrowed while it is opened */
        int64_t start_ms;
};

/* What people would see, and what the plots show. */
struct director_view {
        bool is_stopped, is_complete;            /* stopped: nothing new starts until people say so */
        enum rollout_stopper stopped_by;
        int64_t stopped_ms, completed_ms;        /* 0: not */
        uint32_t exposed, seen_hurt, window, limit;
        uint32_t unanswered, control, control_hurt;      /* control: that answered or fell silent; all 0: counts no such thing */
        double evidence, evidence_needed;        /* 0: knows no such thing */
        const char *sentence;                    /* borrowed until the next call */
};

struct director;
struct director_ops {
        const char *name, *what;                 /* "rings"; a line for people: the practice and its numbers */
        MUST_CHECK enum err (*open)(const struct director_fleet *fleet, const struct rollout_policy *policy, struct director **ret_director, struct why *why);
        void (*close)(struct director *director);
        MUST_CHECK enum err (*tick)(struct director *director, int64_t now_ms, struct why *why);
        MUST_CHECK enum err (*pick)(struct director *director, struct rollout_line *line, struct why *why);
        MUST_CHECK enum err (*granted)(struct director *director, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why);
        MUST_CHECK enum err (*report)(struct director *director, const struct rollout_report *report, struct why *why);
        void (*seen)(struct director *director, int64_t now_ms, uint32_t devices);
        MUST_CHECK enum err (*withdraw)(struct director *director, int64_t now_ms, struct why *why);
        void (*view)(const struct director *director, struct director_view *ret_view);
        size_t (*listens)(const struct director *director, struct rollout_listened *into, size_t max);      /* to whom, now; NULL: to nobody */
        MUST_CHECK enum err (*heard)(struct director *director, int64_t now_ms, const uint32_t *handles, size_t count, struct why *why);
        bool (*may_pick)(const struct director *director);      /* false: nobody would be picked now, whoever waits; saves building the line */
        bool (*is_held_out)(const struct director *director, uint64_t bucket);      /* never exposed, so not counted in seen(); NULL: nobody is */
};

/* "firebreak", "all-at-once", "rings", "error-threshold", "steps", "peeking"; in this order. */
size_t director_count(void);
const struct director_ops *director_at(size_t at);
const struct director_ops *director_find(const char *name);      /* NULL: none */

extern const struct director_ops director_firebreak;             /* director_firebreak.c */
extern const struct director_ops director_all_at_once, director_rings, director_error_threshold, director_steps, director_peeking;
