#include "rollout/view.h"

#include "base/utc.h"
#include "rollout/gate.h"
#include "rollout/pacer.h"

#include <assert.h>
#include <stdarg.h>
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

__attribute__((format(printf, 2, 3))) static void say_so(struct rollout_view *view, const char *format, ...)
{
        va_list values;
        va_start(values, format);
        int length = vsnprintf(view->sentence, sizeof(view->sentence), format, values);
        va_end(values);
        assert(length >= 0 && (size_t)length < sizeof(view->sentence));
        (void)length;
}

static void say_until(struct rollout_view *view, const char *what)
{
        char text[21];
        utc_text_s(view->until_ms / 1000, text);
        if (view->until_ms)
                say_so(view, "%s before %.10s %.5s UTC.", what, text, text + 11);
        else
                say_so(view, "%s until it is over.", what);
}

static void say_ceiling(struct rollout_view *view)
{
        char what[120];
        snprintf(what, sizeof(what), "The signed ceiling of its ramp is reached with %u exposed: nobody more starts", view->fleet.exposed);
        if (view->until_ms)
                say_until(view, what);
        else
                say_so(view, "%s; it has no further step.", what);
}

/* Harm that control explains is none of the budget's. */
struct counts_as { char text[96]; };
static struct counts_as counts_as(const struct rollout *rollout, const struct rollout_view *view)
{
        struct counts_as as;
        int used = snprintf(as.text, sizeof(as.text), ", which counts as %u of a budget of %lld", view->spent.attributed, (long long)rollout->policy.budget);
        if (view->spent.certain != view->spent.attributed)
                snprintf(as.text + used, sizeof(as.text) - (size_t)used, ", %u towards the stop", view->spent.certain);
        return as;
}

static struct counts_as counts_as_if_not_all(const struct rollout *rollout, const struct rollout_view *view)
{
        return view->spent.attributed == view->fleet.hurt ? (struct counts_as){ "" } : counts_as(rollout, view);
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
        say_so(view, "%s:%s %u hurt among %u exposed%s. Withdraw it, or override with two people and a reason.", start, lost, fleet->hurt, fleet->exposed, counts_as_if_not_all(rollout, view).text);
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
                say_so(view, "Control devices fell silent, too, so nothing can be told from silence: no new exposures until control answers.");
        else if (rollout->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW)
                say_until(view, "A freeze window is open: what runs it, runs on; nothing new starts");
        else if (rollout->reason == ROLLOUT_BECAUSE_CEILING)
                say_ceiling(view);
        else
                say_so(view, "Nothing new starts: %s.", others[rollout->reason] ? others[rollout->reason] : "it holds");
}

static void say_exposing(const struct rollout *rollout, struct rollout_view *view)
{
        const char *warning = view->fleet.exposed && !view->fleet.control ? " There is no control: the gate cannot test, only the budget stops it." : "";
        if (!view->fleet.exposed)
                say_so(view, "Waiting for devices that have it prepared; the first cohort is at most %lld.", (long long)rollout->policy.budget);
        else if (view->fleet.hurt)
                say_so(view, "%u hurt among %u exposed%s; %u unanswered.%s", view->fleet.hurt, view->fleet.exposed, counts_as(rollout, view).text, view->fleet.unanswered, warning);
        else
                say_so(view, "%u of %u exposed have proven it, nobody was hurt; %u unanswered.%s", view->fleet.proven, view->fleet.exposed, view->fleet.unanswered, warning);
}

static void say_halted(const struct rollout *rollout, struct rollout_view *view)
{
        static const char *const stoppers[] = { "It", "The evidence of harm against control", "The harm budget", "An operator" };
        const char *then = rollout->state == ROLLOUT_ROLLING_BACK ? "Devices are going back to what worked before." :
                           rollout->state == ROLLOUT_WITHDRAWN    ? "Devices are back on what worked before." :
                                                                    "It goes on only by an override of two people.";
        struct counts_as as = view->stopped_by == ROLLOUT_BY_BUDGET ? counts_as_if_not_all(rollout, view) : (struct counts_as){ "" };
        say_so(view, "%s stopped it: %u hurt among %u exposed%s. %s", stoppers[view->stopped_by], view->fleet.hurt, view->fleet.exposed, as.text, then);
}

static void say_watched(const struct rollout *rollout, struct rollout_view *view)
{
        const char *since = gate_says_halt(rollout)   ? "; since then the evidence of harm against control has passed the line. Halt it, unless you know better" :
                            pacer_is_spent(rollout) ? "; since then harm has passed the budget. Halt it, unless you know better" : "";
        say_so(view, "It is complete, and the watch is over%s.", since);
}

static void say(const struct rollout *rollout, struct rollout_view *view)
{
        static const char *const plain[ROLLOUT_STATES] = {
                [ROLLOUT_DRAFT] = "It was not proven in the lab yet.", [ROLLOUT_PROVING] = "The lab is at work.", [ROLLOUT_READY] = "It may be started.",
                [ROLLOUT_COMPLETE] = "It is complete; the rest follow under watch.",
                [ROLLOUT_SUPERSEDED] = "A newer release of the stream took its place.", [ROLLOUT_CANCELLED] = "It was cancelled.",
        };
        if (rollout->state == ROLLOUT_WATCHED)
                say_watched(rollout, view);
        else if (plain[rollout->state])
                say_so(view, "%s", plain[rollout->state]);
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

struct rollout_standing rollout_standing(const struct rollout *rollout)
{
        return (struct rollout_standing){ rollout->state, rollout->reason, verdict_of(rollout), rollout_is_frozen(rollout) };
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
        ret_view->spent = pacer_spent(rollout);
        uint32_t left = rollout->fleet - ret_view->fleet.exposed;
        ret_view->limit = ret_view->fleet.exposed + (ret_view->fleet.window < left ? ret_view->fleet.window : left);
        say(rollout, ret_view);
}
