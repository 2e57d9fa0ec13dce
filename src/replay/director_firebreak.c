#include "replay/director.h"

#include "base/mem.h"

enum { SENTENCE_BYTES = sizeof(((struct rollout_view *)NULL)->sentence) };
struct director { struct rollout *rollout; char *sentence; };

static void firebreak_close(struct director *director)
{
        rollout_free(director->rollout);
        mem_free(director->sentence);
        mem_free(director);
}

static enum err firebreak_open(const struct director_fleet *fleet, const struct rollout_policy *policy, struct director **ret_director, struct why *why)
{
        const struct rollout_config config = {
                .policy = *policy, .fleet = fleet->devices, .blocks = fleet->blocks, .strata = fleet->strata, .stratum_sizes = fleet->stratum_sizes,
        };
        struct director *director = mem_new(1, sizeof(*director));
        if (!director)
                return FAIL(why, ERR_NOMEM, "out of memory for a director");
        director->sentence = mem_new(1, SENTENCE_BYTES);
        enum err e = director->sentence ? rollout_new(&config, &director->rollout, why) : FAIL(why, ERR_NOMEM, "out of memory for a director");
        if (!e)
                e = rollout_start(director->rollout, fleet->start_ms, why);
        if (e)
                firebreak_close(director);
        else
                *ret_director = director;
        return e;
}

static enum err firebreak_tick(struct director *director, int64_t now_ms, struct why *why)
{
        bool is_changed = rollout_tick(director->rollout, now_ms);
        (void)why, (void)is_changed;
        return OK;
}

static enum err firebreak_pick(struct director *director, struct rollout_line *line, struct why *why)
{
        return rollout_pick(director->rollout, line, why);
}

static enum err firebreak_granted(struct director *director, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why)
{
        return rollout_granted(director->rollout, handle, now_ms, ret_deadline_ms, why);
}

static enum err firebreak_report(struct director *director, const struct rollout_report *report, struct why *why)
{
        return rollout_report(director->rollout, report, why);
}

static void firebreak_seen(struct director *director, int64_t now_ms, uint32_t devices)
{
        rollout_seen(director->rollout, now_ms, devices);
}

static enum err firebreak_withdraw(struct director *director, int64_t now_ms, struct why *why)
{
        const struct rollout_command withdraw = { .event = ROLLOUT_ON_WITHDRAW, .now_ms = now_ms };
        return rollout_command(director->rollout, &withdraw, why);
}

static size_t firebreak_listens(const struct director *director, struct rollout_listened *into, size_t max)
{
        return rollout_listens(director->rollout, into, max);
}

static enum err firebreak_heard(struct director *director, int64_t now_ms, const uint32_t *handles, size_t count, struct why *why)
{
        return rollout_heard(director->rollout, now_ms, handles, count, why);
}

static bool is_stopped(const struct rollout_view *view)
{
        bool is_halted = view->state == ROLLOUT_HALTED || view->state == ROLLOUT_ROLLING_BACK || view->state == ROLLOUT_WITHDRAWN;
        return is_halted || (view->state == ROLLOUT_HOLDING && view->reason == ROLLOUT_BECAUSE_BUDGET);
}

static void firebreak_view(const struct director *director, struct director_view *ret_view)
{
        struct rollout_view view;
        rollout_view(director->rollout, &view);
        uint32_t control_hurt = view.fleet.control_harmed + view.fleet.control_dark;
        snprintf(director->sentence, SENTENCE_BYTES, "%s", view.sentence);
        *ret_view = (struct director_view){
                .is_stopped = is_stopped(&view), .is_complete = view.completed_ms > 0, .stopped_by = view.stopped_by, .stopped_ms = view.stopped_ms,
                .completed_ms = view.completed_ms, .exposed = view.fleet.exposed, .seen_hurt = view.fleet.hurt, .window = view.fleet.window, .limit = view.limit,
                .unanswered = view.fleet.unanswered, .control = view.fleet.control_proven + control_hurt, .control_hurt = control_hurt,
                .evidence = view.evidence, .evidence_needed = view.evidence_needed, .sentence = director->sentence,
        };
}

static bool firebreak_may_pick(const struct director *director) { return rollout_wants_line(director->rollout); }
static bool firebreak_is_held_out(const struct director *director, uint64_t bucket) { return rollout_is_held_out(director->rollout, bucket); }

const struct director_ops director_firebreak = {
        .name = "firebreak", .what = "a harm budget, evidence against control, growth by answers",
        .open = firebreak_open, .close = firebreak_close, .tick = firebreak_tick, .pick = firebreak_pick, .granted = firebreak_granted, .report = firebreak_report,
        .seen = firebreak_seen, .withdraw = firebreak_withdraw, .view = firebreak_view, .may_pick = firebreak_may_pick, .listens = firebreak_listens, .heard = firebreak_heard, .is_held_out = firebreak_is_held_out,
};
