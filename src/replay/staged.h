/* staged.h - a release that goes to one part of the fleet after another: what all practices here but Firebreak's are at heart.
 *
 * A practice says how large the parts are, when the next one opens and when it stops; the rest is the same for all of them. Each is read
 * kindly: where the original is vague it gets what helps it, and a stop keeps the release also from the devices of an open part that
 * did not ask yet.
 *
 * Silence is counted by nobody but a practice with control. */
#pragma once

#include "base/own.h"
#include "replay/lease_table.h"

enum { STAGES_MAX = 10, STAGED_TEXT_MAX = 200 };

/* failed: reported harm and failed preflights; with control also the silent. */
struct tally { uint32_t exposed, proven, failed; };

enum staged_order { STAGED_BY_BUCKET, STAGED_BY_NUMBER };

struct practice {
        unsigned stages;                         /* at most STAGES_MAX */
        const uint32_t *ends_ppm;                /* of the fleet: each stage with those before it */
        enum staged_order order;
        bool is_first_answer_final;              /* what comes after it is not heard */
        bool has_control;                        /* one shadow lease for each exposure, as long as there is anybody left for it */
        void (*judge)(struct director *director);                                        /* time has passed; NULL: does not care */
        void (*hear)(struct director *director);                                         /* an answer was counted; NULL: waits for the next judge */
        void (*say)(const struct director *director, char *text, size_t size);           /* while it goes on */
};

struct director {
        const struct practice *practice;
        struct lease_table leases;
        struct tally stages[STAGES_MAX], all, control;
        struct tally heard;                      /* answers since the open stage opened, of whichever stage; none is taken back */
        unsigned open;                           /* stages 0 .. open may have it */
        uint32_t seen, controls_wanted;
        int64_t now_ms, opened_ms, bake_ms, complete_ppm;
        int64_t stopped_ms, completed_ms;        /* 0: not */
        enum rollout_stopper stopped_by;
        struct { int64_t next_ms; uint32_t done, failed, unread; bool is_waiting; } look;      /* of the open stage; for practices that take looks */
        double evidence, evidence_needed;
        char because[STAGED_TEXT_MAX];           /* why it stopped */
        char *sentence;                          /* of the view; STAGED_TEXT_MAX */
};

MUST_CHECK enum err staged_open(const struct practice *practice, const struct director_fleet *fleet, const struct rollout_policy *policy,
                                struct director **ret_director, struct why *why);
void staged_close(struct director *director);
OWN_DEFINE(staged, struct director *, staged_close)

/* As in struct director_ops. */
MUST_CHECK enum err staged_tick(struct director *director, int64_t now_ms, struct why *why);
MUST_CHECK enum err staged_pick(struct director *director, struct rollout_line *line, struct why *why);
MUST_CHECK enum err staged_granted(struct director *director, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why);
MUST_CHECK enum err staged_report(struct director *director, const struct rollout_report *report, struct why *why);
void staged_seen(struct director *director, int64_t now_ms, uint32_t devices);
MUST_CHECK enum err staged_withdraw(struct director *director, int64_t now_ms, struct why *why);
void staged_view(const struct director *director, struct director_view *ret_view);
bool staged_may_pick(const struct director *director);

/* For the practices. */
bool staged_is_last(const struct director *director);                      /* everybody may have it */
uint32_t staged_size(const struct director *director, unsigned stage);     /* devices of that stage, whether they ever ask or not */
void staged_open_next(struct director *director);
void staged_stop(struct director *director, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The ramp that `steps` and `peeking` share: director_steps.c says where it is from. */
enum { RAMP_STAGES = 5, RAMP_LOOKS = 5, RAMP_LOOK_MS = 300000 };
extern const uint32_t staged_ramp_ppm[RAMP_STAGES];
