/* small.h - a rollout to a few devices of one block, steered by hand. */
#pragma once

#include "rollout/rollout.h"
#include "rollout/view.h"
#include "support/test.h"

enum { SMALL_MAX = 64 };

struct small {
        struct rollout *rollout;
        struct rollout_device devices[SMALL_MAX];
        uint32_t count;
        int64_t now_ms;
        struct rollout_pick picks[SMALL_MAX];
};

/* Budget 5, bake 8 s, gap 8 s (slots are whole seconds), nobody held out, two strata: even and odd devices. */
static inline struct rollout_policy small_policy(void)
{
        struct rollout_policy policy = rollout_policy_default();
        policy.budget = 5;
        policy.bake_s = policy.gap_s = 8;
        policy.gather_s = 0;
        policy.holdout_ppm = 0;
        policy.watch_s = 100;
        return policy;
}

static inline void small_init(struct small *small, const struct rollout_policy *policy, uint32_t count)
{
        const uint32_t sizes[] = { count / 2, count - count / 2 };
        const struct rollout_config config = { .policy = *policy, .fleet = count, .blocks = 1, .strata = 2, .stratum_sizes = sizes };
        *small = (struct small){ .count = count, .now_ms = 1000000 };
        for (uint32_t i = 0; i < count; i++)
                small->devices[i] = (struct rollout_device){ .device = i, .bucket = i, .strata = { i % 2 }, .strata_count = 1, .ring = ROLLOUT_RING_ALL };
        CHECK(rollout_new(&config, &small->rollout, NULL) == OK);
        CHECK(rollout_start(small->rollout, small->now_ms, NULL) == OK);
}

static inline void small_done(struct small *small)
{
        rollout_free(small->rollout);
        small->rollout = NULL;
}
static inline void small_release(struct small *small) { small_done(small); }

/* The whole fleet stands in line; who is picked is granted at once. Returns how many were exposed. */
static inline uint32_t small_pick(struct small *small)
{
        struct rollout_line line = { small->now_ms, small->devices, small->count, small->picks, 0 };
        uint32_t exposed = 0;
        int64_t deadline_ms;
        CHECK(rollout_pick(small->rollout, &line, NULL) == OK);
        for (uint32_t i = 0; i < small->count; i++) {
                if (small->picks[i].kind != ROLLOUT_WAIT)
                        CHECK(rollout_granted(small->rollout, small->picks[i].handle, small->now_ms, &deadline_ms, NULL) == OK);
                exposed += small->picks[i].kind == ROLLOUT_EXPOSE;
        }
        return exposed;
}

static inline void small_report(struct small *small, uint32_t handle, enum rollout_outcome outcome)
{
        CHECK(rollout_report(small->rollout, &(struct rollout_report){ small->now_ms, handle, outcome, ROLLOUT_CRASH }, NULL) == OK);
}

/* Everybody of this kind in the last line gives this answer; at most `most`. */
static inline void small_answer(struct small *small, enum rollout_lease_kind kind, enum rollout_outcome outcome, uint32_t most)
{
        for (uint32_t i = 0; i < small->count && most; i++)
                if (small->picks[i].kind == kind) {
                        small_report(small, small->picks[i].handle, outcome);
                        small->picks[i].kind = ROLLOUT_WAIT;
                        most--;
                }
}

static inline bool small_wait(struct small *small, int64_t ms)
{
        small->now_ms += ms;
        return rollout_tick(small->rollout, small->now_ms);
}

static inline struct rollout_view small_view(const struct small *small)
{
        struct rollout_view view;
        rollout_view(small->rollout, &view);
        return view;
}
