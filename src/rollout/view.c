#include "rollout/view.h"

#include "base/utc.h"
#include "rollout/gate.h"
#include "rollout/pacer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *rollout_verdict_word(enum rollout_verdict verdict)
{
        static const char *const words[] = { "GO", "HALT", "UNKNOWN" };
        assert(verdict <= ROLLOUT_UNKNOWN);
        return words[verdict];
}

const char *rollout_stopper_word(enum rollout_stopper stopper)
{
        static const char *const words[] = { NULL, "gate", "budget", "operator" };
        assert(stopper <= ROLLOUT_BY_OPERATOR);
        return words[stopper];
}

const char *rollout_signal_word(enum rollout_signal signal)
{
        static const char *const words[ROLLOUT_SIGNALS] = {
                "crash", "boot_loop", "rolled_back", "probe_failed", "action_storm", "resource", "human", "dark", "preflight_failed",
        };
        assert(signal < ROLLOUT_SIGNALS);
        return words[signal];
}

static void view_group(const struct rollout *rollout, const struct group *group, struct rollout_counts *view)
{
        const struct arm *treated = &group->treated, *control = &group->control;
        double excess = pacer_excess(group);
        *view = (struct rollout_counts){
                .exposed = arm_exposed(treated), .unanswered = arm_open(treated), .proven = treated->by_status[LEASE_PROVEN],
                .harmed = treated->by_status[LEASE_HARMED], .dark = treated->by_status[LEASE_DARK], .declined = treated->by_status[LEASE_DECLINED],
                .preflight_failed = treated->by_status[LEASE_PREFLIGHT_FAILED], .hurt = arm_hurt(treated), .control = arm_exposed(control),
                .control_proven = control->by_status[LEASE_PROVEN], .control_harmed = control->by_status[LEASE_HARMED],
                .control_dark = control->by_status[LEASE_DARK], .excess_upper_ppm = (uint32_t)ceil(excess * 1e6),
                .watched = treated->watched, .listened = treated->listened, .lost = treated->lost, .control_lost = control->lost,
                .window = rollout_may_expose(rollout) ? pacer_window_at(rollout, group, excess) : 0, .attributed = group->attributed,
        };
        memcpy(view->by_kind, treated->by_kind, sizeof(view->by_kind));
}

void rollout_view_stratum(const struct rollout *rollout, uint16_t stratum, struct rollout_counts *ret_counts)
{
        assert(stratum + 1u < rollout->group_count);
        view_group(rollout, &rollout->groups[1u + stratum], ret_counts);
}

bool rollout_has_seen_stratum(const struct rollout *rollout, uint16_t stratum)
{
        assert(stratum + 1u < rollout->group_count);
        return arm_exposed(&rollout->groups[1u + stratum].treated) > 0;
}

static enum rollout_verdict verdict_of(const struct rollout *rollout)
{
        bool is_stopped = rollout->state == ROLLOUT_HALTED || rollout->state == ROLLOUT_ROLLING_BACK || rollout->state == ROLLOUT_WITHDRAWN;
        if (is_stopped || gate_says_halt(rollout))
                return ROLLOUT_HALT;
        return gate_is_unknown(rollout) ? ROLLOUT_UNKNOWN : ROLLOUT_GO;
}

#define SAY(view, ...) snprintf((view)->sentence, sizeof((view)->sentence), __VA_ARGS__)

static void say_until(struct rollout_view *view, const char *what)
{
        char text[21];
        utc_text_s(view->until_ms / 1000, text);
        if (view->until_ms)
                SAY(view, "%s before %.10s %.5s UTC.", what, text, text + 11);
        else
                SAY(view, "%s until it is over.", what);
}

static void say_ceiling(struct rollout_view *view)
{
        char what[120];
        snprintf(what, sizeof(what), "The signed ceiling of its ramp is reached with %u exposed: nobody more starts", view->fleet.exposed);
        if (view->until_ms)
                say_until(view, what);
        else
                SAY(view, "%s; it has no further step.", what);
}

static void say_budget(const struct rollout *rollout, struct rollout_view *view)
{
        static const char *const starts[] = { "The harm budget of %lld is spent", "Whoever answered was harmed, if only in one stratum", "Proven devices fell silent, beyond control", "The harm budget of %lld has no room left" };
        const struct rollout_counts *fleet = &view->fleet;
        char start[64], lost[64] = "";
        enum pacer_stop stop = pacer_stop(rollout);
        snprintf(start, sizeof(start), starts[stop], (long long)rollout->policy.budget);
        if (stop == PACER_LOST)
                snprintf(lost, sizeof(lost), " %u of %u that are listened to,", fleet->lost, fleet->listened);
        SAY(view, "%s:%s %u hurt among %u exposed. Withdraw it, or override with two people and a reason.", start, lost, fleet->hurt, fleet->exposed);
}

static void say_holding(const struct rollout *rollout, struct rollout_view *view)
{
        static const char *const others[ROLLOUT_REASONS] = {
                [ROLLOUT_BECAUSE_PARTNER_HOLD] = "a partner holds it",
                [ROLLOUT_BECAUSE_OPERATOR] = "an operator holds it",
        };
        if (rollout->reason == ROLLOUT_BECAUSE_BUDGET)
                say_budget(rollout, view);
        else if (rollout->reason == ROLLOUT_BECAUSE_UNKNOWN)
                SAY(view, "Control devices fell silent, too, so nothing can be told from silence: no new exposures until control answers.");
        else if (rollout->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW)
                say_until(view, "A freeze window is open: what runs it, runs on; nothing new starts");
        else if (rollout->reason == ROLLOUT_BECAUSE_CEILING)
                say_ceiling(view);
        else
                SAY(view, "Nothing new starts: %s.", others[rollout->reason] ? others[rollout->reason] : "it holds");
}

/* Harm that control explains is none of the budget's. */
static void say_hurt(const struct rollout *rollout, struct rollout_view *view, const char *warning)
{
        char certain[32] = "";
        if (view->certain != view->attributed)
                snprintf(certain, sizeof(certain), ", %u for certain", view->certain);
        SAY(view, "%u hurt among %u exposed, which counts as %u of a budget of %lld%s; %u unanswered.%s", view->fleet.hurt, view->fleet.exposed, view->attributed,
            (long long)rollout->policy.budget, certain, view->fleet.unanswered, warning);
}

static void say_exposing(const struct rollout *rollout, struct rollout_view *view)
{
        const char *warning = view->fleet.exposed && !view->fleet.control ? " There is no control: the gate cannot test, only the budget stops it." : "";
        if (!view->fleet.exposed)
                SAY(view, "Waiting for devices that have it prepared; the first cohort is at most %lld.", (long long)rollout->policy.budget);
        else if (view->fleet.hurt)
                say_hurt(rollout, view, warning);
        else
                SAY(view, "%u of %u exposed have proven it, nobody was hurt; %u unanswered.%s", view->fleet.proven, view->fleet.exposed,
                    view->fleet.unanswered, warning);
}

static void say_halted(const struct rollout *rollout, struct rollout_view *view)
{
        static const char *const stoppers[] = { "It", "The evidence of harm against control", "The harm budget", "An operator" };
        SAY(view, "%s stopped it: %u hurt among %u exposed.%s", stoppers[view->stopped_by], view->fleet.hurt, view->fleet.exposed,
            rollout->state == ROLLOUT_ROLLING_BACK ? " Devices are going back to what worked before." :
            rollout->state == ROLLOUT_WITHDRAWN    ? " Devices are back on what worked before." : " It goes on only by an override of two people.");
}

static void say(const struct rollout *rollout, struct rollout_view *view)
{
        static const char *const plain[ROLLOUT_STATES] = {
                [ROLLOUT_DRAFT] = "It was not proven in the lab yet.", [ROLLOUT_PROVING] = "The lab is at work.", [ROLLOUT_READY] = "It may be started.",
                [ROLLOUT_COMPLETE] = "It is complete; the rest follow under watch.", [ROLLOUT_WATCHED] = "It is complete, and the watch is over.",
                [ROLLOUT_SUPERSEDED] = "A newer release of the stream took its place.", [ROLLOUT_CANCELLED] = "It was cancelled.",
        };
        if (rollout->state == ROLLOUT_WATCHED && gate_says_halt(rollout))
                SAY(view, "It is complete, and the watch is over; since then the evidence of harm against control has passed the line. Halt it, unless you know better.");
        else if (plain[rollout->state])
                SAY(view, "%s", plain[rollout->state]);
        else if (rollout->state == ROLLOUT_HOLDING)
                say_holding(rollout, view);
        else if (rollout->state == ROLLOUT_EXPOSING)
                say_exposing(rollout, view);
        else
                say_halted(rollout, view);
}

static int64_t until_ms(const struct rollout *rollout)
{
        int64_t next_ms = pacer_ceiling(rollout, rollout->now_ms).next_ms;
        if (rollout->state != ROLLOUT_HOLDING)
                return 0;
        if (rollout->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW)
                return rollout->frozen_until_ms;
        return rollout->reason == ROLLOUT_BECAUSE_CEILING && next_ms != NEVER ? next_ms : 0;
}

static void view_budget(const struct rollout *rollout, struct rollout_view *view)
{
        const double slack = 1e-6;
        double attributed = 0, certain = 0;
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                attributed = fmax(attributed, rollout->groups[i].attributed);
                certain = fmax(certain, rollout->groups[i].certain);
        }
        view->attributed = (uint32_t)ceil(fmax(0, attributed - slack));
        view->certain = (uint32_t)ceil(fmax(0, certain - slack));
}

void rollout_view(const struct rollout *rollout, struct rollout_view *ret_view)
{
        *ret_view = (struct rollout_view){
                .state = rollout->state, .reason = rollout->reason, .verdict = verdict_of(rollout), .stopped_by = rollout->stopped_by,
                .started_ms = rollout->started_ms, .stopped_ms = rollout->stopped_ms, .completed_ms = rollout->completed_ms, .seen = rollout->seen,
                .is_frozen = rollout_is_frozen(rollout),
                .evidence = exp(rollout->log_evidence), .evidence_needed = 1e6 / (double)rollout->policy.alpha_ppm,
        };
        ret_view->until_ms = until_ms(rollout);
        view_group(rollout, &rollout->groups[0], &ret_view->fleet);
        view_budget(rollout, ret_view);
        ret_view->limit = ret_view->fleet.exposed + ret_view->fleet.window;
        say(rollout, ret_view);
}
