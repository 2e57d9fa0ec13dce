/* Progressive delivery as Argo Rollouts and Flagger do it for services: 5, 10, 25, 50, 100 % of the fleet, and an analysis at each step.
 *
 * Argo Rollouts (9f8d111, docs/features/analysis.md): success rate >= 0.95, every 5 minutes, failureLimit 3, which is the fourth bad measurement
 * (analysis.go: failed > failureLimit; its default is 0), count 5; an inconclusive one pauses the step. First weight 5 as in its getting-started
 * examples and in Flagger's (15bd6ad, how-it-works.md: stepWeight 5, maxWeight 50). Flagger asks for 99 % every minute; neither is a default.
 * The rate is that of the answers given since the step began: who is silent is no failure. No answer at all is inconclusive, and the step waits until
 * there are some. (In Argo people have to resume it; in Flagger it is a failed check. Waiting is the kinder of the two.)
 * A device answers well only after its bake, not as soon as a request does, so the first measurement waits for a bake (initialDelay).
 * With the last analysis it ends: after full promotion nothing is aborted any more (argoproj/argo-rollouts#4461). */
#include "replay/staged.h"

#include <stdio.h>

enum { SUCCESS_MIN_PERCENT = 95, FAILURE_LIMIT = 3 };

static bool is_promoted(const struct director *director)
{
        return staged_is_last(director) && director->look.done >= RAMP_LOOKS;
}

static void measure(struct director *director, uint64_t good, uint64_t bad)
{
        director->look.done++;
        director->look.failed += good * 100 < (good + bad) * SUCCESS_MIN_PERCENT;
        if (director->look.failed > FAILURE_LIMIT)
                staged_stop(director, "The analysis at step %u of %d aborted it: %llu of %llu answers were good, and %d %% are asked for.", director->open + 1,
                            RAMP_STAGES, (unsigned long long)good, (unsigned long long)(good + bad), SUCCESS_MIN_PERCENT);
        else if (director->look.done == RAMP_LOOKS && !staged_is_last(director))
                staged_open_next(director);
}

static void judge(struct director *director)
{
        uint64_t good = director->heard.proven, bad = director->heard.failed;
        if (!director->look.next_ms)
                director->look.next_ms = director->opened_ms + director->bake_ms + RAMP_LOOK_MS;
        if (director->now_ms < director->look.next_ms || is_promoted(director))
                return;
        director->look.next_ms += RAMP_LOOK_MS;
        director->look.is_waiting = !good && !bad;
        if (!director->look.is_waiting)
                measure(director, good, bad);
}

static void say(const struct director *director, char *text, size_t size)
{
        uint32_t percent = staged_ramp_ppm[director->open] / 10000;
        if (is_promoted(director))
                snprintf(text, size, "It is fully promoted, and no analysis looks at it any more.");
        else if (director->look.is_waiting)
                snprintf(text, size, "Step %u of %d, %u %%: the analysis is inconclusive, because nobody answered; the step waits.", director->open + 1,
                         RAMP_STAGES, percent);
        else
                snprintf(text, size, "Step %u of %d, %u %%: %u of %d measurements done, %u of them bad; up to %d may be.", director->open + 1, RAMP_STAGES,
                         percent, director->look.done, RAMP_LOOKS, director->look.failed, FAILURE_LIMIT);
}

static const struct practice practice = { .stages = RAMP_STAGES, .ends_ppm = staged_ramp_ppm, .judge = judge, .say = say };

static enum err open(const struct director_fleet *fleet, const struct rollout_policy *policy, struct director **ret_director, struct why *why)
{
        return staged_open(&practice, fleet, policy, ret_director, why);
}

const struct director_ops director_steps = {
        .name = "steps", .what = "Argo Rollouts: 5, 10, 25, 50, 100 %; stops when 4 of a step's 5 measurements find under 95 % good answers",
        .open = open, .close = staged_close, .tick = staged_tick, .pick = staged_pick, .granted = staged_granted, .report = staged_report,
        .seen = staged_seen, .withdraw = staged_withdraw, .view = staged_view, .may_pick = staged_may_pick,
};
