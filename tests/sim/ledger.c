#include "sim/ledger.h"

#include "base/mem.h"
#include "rollout/bound.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS_PER_LEASE = 16 };
static const double slack = 1e-6;

void ledger_break(struct ledger *ledger, const char *format, ...)
{
        va_list arguments;
        if (ledger->broken[0])
                return;
        va_start(arguments, format);
        vsnprintf(ledger->broken, sizeof(ledger->broken), format, arguments);
        va_end(arguments);
}

void ledger_close(struct ledger *ledger)
{
        if (!ledger)
                return;
        mem_free(ledger->groups);
        mem_free(ledger->leases);
        mem_free(ledger->alive);
        mem_free(ledger->newest);
        mem_free(ledger->newest_exposure);
        mem_free(ledger->tries);
        mem_free(ledger->current);
        mem_free(ledger->watched);
        mem_free(ledger->is_held_out);
        mem_free(ledger->windows);
        mem_free(ledger->picked);
        mem_free(ledger);
}

static enum err make_room(struct ledger *ledger)
{
        uint32_t room = ledger->lease_room * 2 + 256;
        struct ledger_lease *leases = mem_resize(ledger->leases, room * sizeof(*leases));
        if (leases)
                ledger->leases = leases;
        uint32_t *alive = mem_resize(ledger->alive, room * sizeof(*alive));
        if (alive)
                ledger->alive = alive;
        if (!leases || !alive)
                return ERR_NOMEM;
        ledger->lease_room = room;
        return OK;
}

enum err ledger_open(const struct ledger_config *config, struct ledger **ret_ledger, struct why *why)
{
        OWN(ledger) struct ledger *ledger = mem_new(1, sizeof(*ledger));
        if (!ledger)
                return FAIL(why, ERR_NOMEM, "out of memory for a ledger");
        ledger->config = *config;
        ledger->group_count = 1u + config->strata;
        ledger->lease_ms = (config->policy.bake_s + config->policy.gap_s) * 1000;
        ledger->next_due_ms = INT64_MAX;
        ledger->spent_slot = -1;
        ledger->groups = mem_new(ledger->group_count, sizeof(*ledger->groups));
        ledger->windows = mem_new(ledger->group_count, sizeof(*ledger->windows));
        ledger->picked = mem_new(ledger->group_count, sizeof(*ledger->picked));
        ledger->newest = mem_new(config->device_count, sizeof(*ledger->newest));
        ledger->newest_exposure = mem_new(config->device_count, sizeof(*ledger->newest_exposure));
        ledger->tries = mem_new(config->device_count, sizeof(*ledger->tries));
        ledger->current = mem_new(config->device_count, sizeof(*ledger->current));
        ledger->watched = mem_new(config->device_count, sizeof(*ledger->watched));
        ledger->is_held_out = mem_new(config->device_count, sizeof(*ledger->is_held_out));
        if (!ledger->groups || !ledger->windows || !ledger->picked || !ledger->newest || !ledger->newest_exposure || !ledger->tries || !ledger->current || !ledger->watched || !ledger->is_held_out || make_room(ledger))
                return FAIL(why, ERR_NOMEM, "out of memory for a ledger");
        for (uint32_t i = 0; i < config->device_count; i++)
                ledger->newest[i] = ledger->newest_exposure[i] = ledger->current[i] = ledger->watched[i] = LEDGER_NOBODY;
        *ret_ledger = GIVE(ledger);
        return OK;
}

void ledger_hold_out(struct ledger *ledger, uint32_t device) { ledger->is_held_out[device] = true; }

/* Counts. */

static unsigned groups_of(const struct ledger *ledger, const struct ledger_lease *lease) { return 1u + ledger->config.devices[lease->device].strata_count; }

static struct ledger_group *group_of(struct ledger *ledger, const struct ledger_lease *lease, unsigned i)
{
        return &ledger->groups[i ? 1u + ledger->config.devices[lease->device].strata[i - 1] : 0];
}

static void count(struct ledger *ledger, const struct ledger_lease *lease, unsigned by)
{
        for (unsigned i = 0; i < groups_of(ledger, lease); i++) {
                struct ledger_group *group = group_of(ledger, lease, i);
                struct ledger_arm *arm = &group->arms[lease->is_control];
                arm->by_status[lease->status] += by;
                if (lease->status == LEDGER_DECLINED && lease->never_began)
                        arm->never_began += by;
                if (!lease->is_control && !lease->is_due && lease->status <= LEDGER_PROVEN)
                        group->young += by;
        }
}

static bool is_hurt(const struct ledger_lease *lease) { return lease->status == LEDGER_HARMED || lease->status == LEDGER_DARK; }

static uint32_t hurt_of(const struct ledger_arm *arm) { return arm->by_status[LEDGER_HARMED] + arm->by_status[LEDGER_DARK]; }

static uint32_t exposed_of(const struct ledger_arm *arm)
{
        uint32_t sum = 0;
        for (unsigned status = 0; status < LEDGER_LAPSED; status++)
                sum += arm->by_status[status];
        return sum - arm->never_began;
}

static bool is_control_the_fewer(const struct ledger *ledger)
{
        uint32_t treated = exposed_of(&ledger->groups[0].arms[LEDGER_TREATED]), control = exposed_of(&ledger->groups[0].arms[LEDGER_CONTROL]);
        return control && treated > control;
}

/* All harm is the release's. */
static bool is_exact(const struct ledger *ledger) { return !ledger->is_inexact && !ledger->is_loose; }

static void label(struct ledger *ledger, struct ledger_lease *lease, enum ledger_status status)
{
        bool clears = !lease->is_control && (status == LEDGER_PROVEN || status == LEDGER_DECLINED || status == LEDGER_PREFLIGHT_FAILED);
        count(ledger, lease, -1u);
        lease->status = (uint8_t)status;
        count(ledger, lease, 1);
        for (unsigned i = 0; i < groups_of(ledger, lease) && clears; i++)
                group_of(ledger, lease, i)->was_cleared = true;
        ledger->is_inexact |= lease->is_control && is_hurt(lease);
        ledger->is_loose |= is_hurt(lease) && is_control_the_fewer(ledger);
}

static uint32_t open_of(const struct ledger_arm *arm) { return arm->by_status[LEDGER_RESERVED] + arm->by_status[LEDGER_OPEN]; }
/* Harm that turns out to be none was not accepted. */
static void settle(struct ledger *ledger)
{
        for (uint32_t i = 0; i < ledger->group_count; i++) {
                struct ledger_group *group = &ledger->groups[i];
                uint32_t hurt = hurt_of(&group->arms[LEDGER_TREATED]);
                group->accepted = group->accepted < hurt ? group->accepted : hurt;
        }
}

/* Deadlines. */

static void count_trial(struct ledger *ledger, const struct ledger_lease *lease)
{
        bool is_silent = lease->status == LEDGER_DARK;
        for (unsigned i = 0; i < groups_of(ledger, lease); i++) {
                struct ledger_arm *arm = &group_of(ledger, lease, i)->arms[lease->is_control];
                arm->silent += is_silent;
                arm->trials += !is_silent || ledger->config.policy.bound_silence;
                arm->harmed += is_hurt(lease) && (!is_silent || ledger->config.policy.bound_silence);
        }
}

/* Proven, and past its deadline. */
static void watch(struct ledger *ledger, const struct ledger_lease *lease)
{
        uint32_t handle = (uint32_t)(lease - ledger->leases);
        if (lease->status == LEDGER_PROVEN && ledger->current[lease->device] == handle && (!lease->is_control || lease->is_stand_in))
                ledger->watched[lease->device] = handle;
}

static void reach(struct ledger *ledger, struct ledger_lease *lease)
{
        if (lease->status == LEDGER_RESERVED)
                label(ledger, lease, LEDGER_LAPSED);
        if (lease->status == LEDGER_OPEN)
                label(ledger, lease, LEDGER_DARK);
        count(ledger, lease, -1u);
        lease->is_due = true;
        count(ledger, lease, 1);
        if (lease->status == LEDGER_PROVEN || is_hurt(lease))
                count_trial(ledger, lease);
        watch(ledger, lease);
        if (lease->is_control && lease->status != LEDGER_LAPSED && lease->status != LEDGER_DECLINED) {
                memmove(ledger->recent, ledger->recent + 1, sizeof(ledger->recent) - sizeof(ledger->recent[0]));
                ledger->recent[LEDGER_RECENT - 1] = lease->status == LEDGER_DARK;
        }
}

/* Those of one slot in the order of their handles. */
static void reach_until(struct ledger *ledger, int64_t until_ms)
{
        uint32_t kept = 0;
        ledger->next_due_ms = INT64_MAX;
        for (uint32_t i = 0; i < ledger->alive_count; i++) {
                struct ledger_lease *lease = &ledger->leases[ledger->alive[i]];
                if (lease->due_ms <= until_ms) {
                        reach(ledger, lease);
                        continue;
                }
                ledger->alive[kept++] = ledger->alive[i];
                ledger->next_due_ms = lease->due_ms < ledger->next_due_ms ? lease->due_ms : ledger->next_due_ms;
        }
        ledger->alive_count = kept;
}

static int64_t slot_of(const struct ledger *ledger, int64_t at_ms) { return at_ms / (ledger->lease_ms / SLOTS_PER_LEASE); }

static int64_t set_now(struct ledger *ledger, int64_t now_ms) { return ledger->now_ms = now_ms > ledger->now_ms ? now_ms : ledger->now_ms; }

void ledger_pass(struct ledger *ledger, int64_t now_ms)
{
        now_ms = set_now(ledger, now_ms);
        while (ledger->next_due_ms <= now_ms) {
                int64_t slot_end_ms = (slot_of(ledger, ledger->next_due_ms) + 1) * (ledger->lease_ms / SLOTS_PER_LEASE) - 1;
                reach_until(ledger, slot_end_ms < now_ms ? slot_end_ms : now_ms);
        }
        settle(ledger);
}

void ledger_passed_by(struct ledger *ledger, int64_t now_ms)
{
        for (uint32_t i = 0; i < ledger->alive_count && ledger->next_due_ms <= now_ms; i++)
                if (ledger->leases[ledger->alive[i]].due_ms <= now_ms)
                        ledger_break(ledger, "1: lease %u has reached its deadline, and the tick says that nothing changed", ledger->alive[i]);
}

bool ledger_is_unknown(const struct ledger *ledger)
{
        unsigned silent = 0;
        for (unsigned i = 0; i < LEDGER_RECENT; i++)
                silent += ledger->recent[i];
        return silent >= LEDGER_RECENT / 2;
}

/* Who may get it. */

static bool is_frozen(const struct ledger *ledger) { return ledger->is_frozen && !ledger->is_thawed; }

static void check_may_expose(struct ledger *ledger, const char *what, uint32_t handle)
{
        if (ledger->is_over || ledger->is_halted)
                ledger_break(ledger, "2: exposure %u was %s by a release that is %s", handle, what, ledger->is_over ? "withdrawn" : "halted");
        else if (ledger_is_unknown(ledger))
                ledger_break(ledger, "6: exposure %u was %s while control is silent", handle, what);
        else if (is_frozen(ledger))
                ledger_break(ledger, "2: exposure %u was %s in a freeze", handle, what);
        else if (ledger->state != ROLLOUT_EXPOSING && ledger->state != ROLLOUT_COMPLETE)
                ledger_break(ledger, "2: exposure %u was %s in the state %s", handle, what, rollout_state_word(ledger->state));
}

/* unanswered * d + attributed <= B, by what these books know of d and of the harm. */
static void check_room(struct ledger *ledger, uint32_t at)
{
        const struct ledger_group *group = &ledger->groups[at];
        const struct ledger_arm *treated = &group->arms[LEDGER_TREATED], *control = &group->arms[LEDGER_CONTROL];
        uint32_t hurt = hurt_of(treated), silent = treated->silent < treated->by_status[LEDGER_DARK] ? treated->silent : treated->by_status[LEDGER_DARK];
        double harm = is_exact(ledger) ? hurt - group->accepted : 0;
        double excess = bound_excess((struct bound_counts){ treated->trials, treated->harmed }, (struct bound_counts){ control->trials, control->harmed });
        if (!ledger->config.policy.bound_silence && hurt && is_exact(ledger))
                excess = fmin(1, excess + (double)silent / (treated->by_status[LEDGER_PROVEN] + hurt));
        double by_open = open_of(treated), by_young = group->young * excess;
        if (fmin(by_open, by_young) + harm > (double)ledger->config.policy.budget + slack)
                ledger_break(ledger, "1: group %u has %u unanswered, %u young at d = %.6f and %.0f harmed, with a budget of %lld", at, open_of(treated), group->young,
                             excess, harm, (long long)ledger->config.policy.budget);
}

/* However it came to be: with nothing proven, no more can be hurt than the budget. */
static void check_promise(struct ledger *ledger, uint32_t at)
{
        const struct ledger_group *group = &ledger->groups[at];
        const struct ledger_arm *treated = &group->arms[LEDGER_TREATED];
        uint32_t out = open_of(treated) + hurt_of(treated) - group->accepted;
        if (!group->was_cleared && !ledger->is_inexact && out > ledger->config.policy.budget)
                ledger_break(ledger, "1: group %u has %u unanswered or hurt while nothing is proven, with a budget of %lld", at, out,
                             (long long)ledger->config.policy.budget);
}

static void check_cap(struct ledger *ledger)
{
        int64_t recent = 0;
        for (uint32_t i = ledger->lease_count; i-- > 0 && ledger->leases[i].picked_ms > ledger->now_ms - ledger->config.policy.bake_s * 1000;)
                recent += !ledger->leases[i].is_control;
        if (recent > ledger->config.policy.cap_per_bake)
                ledger_break(ledger, "1: %lld exposures in a bake, with a cap of %lld", (long long)recent, (long long)ledger->config.policy.cap_per_bake);
}

/* Whoever has it, or was hurt by it, does not get it again; whoever declines is left alone after some tries. */
static void check_tries(struct ledger *ledger, uint32_t device, uint32_t handle)
{
        enum { TRIES_MAX = 3 };
        uint32_t before = ledger->newest_exposure[device];
        unsigned status = before == LEDGER_NOBODY ? LEDGER_LAPSED : ledger->leases[before].status;
        if (status < LEDGER_DECLINED || ++ledger->tries[device] > TRIES_MAX)
                ledger_break(ledger, "1: device %u is exposed for the %u. time, by lease %u after %u", device, ledger->tries[device], handle, before);
        ledger->newest_exposure[device] = handle;
}

/* The picked of a line have the handles that follow, in any order. */
static void add_lease(struct ledger *ledger, const struct ledger_asker *asker, const struct rollout_pick *pick)
{
        uint32_t before = ledger->newest[asker->device];
        struct ledger_lease *lease = &ledger->leases[pick->handle];
        if (before != LEDGER_NOBODY && ledger->leases[before].status <= LEDGER_OPEN)
                ledger_break(ledger, "1: device %u has lease %u and gets lease %u", asker->device, before, pick->handle);
        *lease = (struct ledger_lease){ .picked_ms = ledger->now_ms, .due_ms = ledger->now_ms + ledger->lease_ms, .device = asker->device, .nonce = asker->nonce,
                                        .is_control = pick->kind == ROLLOUT_SHADOW, .is_stand_in = pick->is_stand_in };
        if (lease->is_stand_in && !(lease->is_control && ledger->is_held_out[asker->device]))
                ledger_break(ledger, "1: device %u stands in, and is not held out", asker->device);
        ledger->newest[asker->device] = pick->handle;
        if (ledger->watched[asker->device] == LEDGER_NOBODY)
                ledger->current[asker->device] = pick->handle;
        if (!lease->is_control && ledger->is_held_out[asker->device])
                ledger_break(ledger, "1: device %u is exposed, and held out", asker->device);
        if (!lease->is_control)
                check_tries(ledger, asker->device, pick->handle);
        ledger->next_due_ms = lease->due_ms < ledger->next_due_ms ? lease->due_ms : ledger->next_due_ms;
        count(ledger, lease, 1);
        for (unsigned i = 0; i < groups_of(ledger, lease) && !lease->is_control; i++)
                ledger->picked[group_of(ledger, lease, i) - ledger->groups]++;
}

static void add_leases(struct ledger *ledger, const struct ledger_asker *line, const struct rollout_pick *picks, uint32_t count)
{
        uint32_t first = ledger->lease_count, picked = 0;
        for (uint32_t i = 0; i < count; i++)
                picked += picks[i].kind != ROLLOUT_WAIT;
        while (first + picked > ledger->lease_room && !ledger->broken[0])
                if (make_room(ledger))
                        ledger_break(ledger, "out of memory for %u leases", first + picked);
        if (ledger->config.leases_max && first + picked > ledger->config.leases_max)
                ledger_break(ledger, "1: %u leases, with a limit of %u", first + picked, ledger->config.leases_max);
        for (uint32_t i = 0; i < count && !ledger->broken[0]; i++) {
                if (picks[i].kind == ROLLOUT_WAIT)
                        continue;
                if (picks[i].handle - first >= picked)
                        ledger_break(ledger, "1: lease %u among %u from %u on", picks[i].handle, picked, first);
                else
                        add_lease(ledger, &line[i], &picks[i]);
        }
        for (uint32_t i = 0; i < picked && !ledger->broken[0]; i++)
                ledger->alive[ledger->alive_count++] = ledger->lease_count++;
}

void ledger_look_at_windows(struct ledger *ledger, const struct rollout *rollout)
{
        struct rollout_view view;
        struct rollout_counts counts;
        memset(ledger->windows, 0, ledger->group_count * sizeof(*ledger->windows));
        if (!rollout_wants_line(rollout))
                return;
        rollout_view(rollout, &view);
        ledger->windows[0] = view.fleet.window;
        for (uint32_t i = 1; i < ledger->group_count; i++) {
                rollout_view_stratum(rollout, (uint16_t)(i - 1), &counts);
                ledger->windows[i] = counts.window;
        }
}

void ledger_picked(struct ledger *ledger, int64_t now_ms, const struct ledger_asker *line, const struct rollout_pick *picks, uint32_t count)
{
        memset(ledger->picked, 0, ledger->group_count * sizeof(*ledger->picked));
        set_now(ledger, now_ms);
        for (uint32_t i = 0; i < count; i++)
                if (picks[i].kind == ROLLOUT_EXPOSE)
                        check_may_expose(ledger, "picked", picks[i].handle);
        add_leases(ledger, line, picks, count);
        if (!ledger->picked[0])
                return;
        for (uint32_t i = 0; i < ledger->group_count; i++) {
                if (ledger->picked[i])
                        check_room(ledger, i);
                check_promise(ledger, i);
                if (ledger->picked[i] > ledger->windows[i])
                        ledger_break(ledger, "6: %u of group %u were picked, its window was %u", ledger->picked[i], i, ledger->windows[i]);
        }
        check_cap(ledger);
}

void ledger_granted(struct ledger *ledger, uint32_t handle, int64_t now_ms, int64_t deadline_ms)
{
        struct ledger_lease *lease = &ledger->leases[handle];
        now_ms = set_now(ledger, now_ms);
        if (handle >= ledger->lease_count || lease->status != LEDGER_RESERVED || deadline_ms != now_ms + ledger->lease_ms) {
                ledger_break(ledger, "1: lease %u was granted until %lld, and is not reserved", handle, (long long)deadline_ms);
                return;
        }
        if (!lease->is_control)
                check_may_expose(ledger, "granted", handle);
        if (ledger->is_over || is_frozen(ledger))
                ledger_break(ledger, "2: lease %u was granted by a release that is %s", handle, ledger->is_over ? "withdrawn" : "frozen");
        label(ledger, lease, LEDGER_OPEN);
        lease->due_ms = deadline_ms;             /* next_due_ms may be too early now: nothing is found then */
}

void ledger_reported(struct ledger *ledger, const struct rollout_report *report)
{
        static const enum ledger_status labels[ROLLOUT_OUTCOMES] = { LEDGER_PROVEN, LEDGER_HARMED, LEDGER_DECLINED, LEDGER_PREFLIGHT_FAILED };
        struct ledger_lease *lease = &ledger->leases[report->handle];
        bool is_on_offer = ledger->state == ROLLOUT_EXPOSING || ledger->state == ROLLOUT_HOLDING || ledger->state == ROLLOUT_COMPLETE;
        if (report->handle >= ledger->lease_count || lease->status == LEDGER_RESERVED || lease->status == LEDGER_LAPSED) {
                ledger_break(ledger, "1: a report of lease %u was taken, which was never granted", report->handle);
                return;
        }
        bool is_first = lease->status == LEDGER_OPEN, is_harm = report->outcome == ROLLOUT_HARMED && lease->status != LEDGER_HARMED;
        bool is_watched = ledger->watched[lease->device] == report->handle;
        bool has_left = ledger->current[lease->device] != report->handle;
        bool is_beside_the_point = lease->is_due && lease->status == LEDGER_PROVEN && !is_watched && (lease->is_control || has_left);
        bool is_taken_away = !is_first && report->outcome == ROLLOUT_DECLINED;
        if ((!is_first && lease->status != LEDGER_DARK && !is_harm) || is_beside_the_point || is_taken_away)
                return;
        label(ledger, lease, labels[report->outcome]);
        if (is_first && report->outcome == ROLLOUT_DECLINED && is_on_offer) {
                count(ledger, lease, -1u);
                lease->never_began = true;
                count(ledger, lease, 1);
        }
        if (lease->is_due)
                watch(ledger, lease);
        if (is_watched && lease->status == LEDGER_HARMED) {
                ledger->watched[lease->device] = LEDGER_NOBODY;
                ledger->is_inexact = true;
        }
        settle(ledger);
}

void ledger_left(struct ledger *ledger, const struct ledger_asker *left, uint32_t count)
{
        for (uint32_t i = 0; i < count; i++)
                ledger->watched[left[i].device] = ledger->current[left[i].device] = LEDGER_NOBODY;
}

void ledger_commanded(struct ledger *ledger, int64_t now_ms, enum rollout_event event, bool by_two)
{
        set_now(ledger, now_ms);
        ledger->is_over |= event == ROLLOUT_ON_WITHDRAW || event == ROLLOUT_ON_SUPERSEDE || event == ROLLOUT_ON_CANCEL;
        ledger->is_halted |= event == ROLLOUT_ON_HALT;
        if (event != ROLLOUT_ON_OVERRIDE)
                return;
        if (!by_two || ledger->is_over)
                ledger_break(ledger, "2: an override %s was taken", by_two ? "of a release that is withdrawn" : "without two people and a reason");
        if (ledger->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW) {
                ledger->is_thawed = ledger->is_frozen;
                return;
        }
        ledger->is_halted = false;
        memset(ledger->recent, 0, sizeof(ledger->recent));
        for (uint32_t i = 0; i < ledger->group_count; i++)
                ledger->groups[i].accepted = hurt_of(&ledger->groups[i].arms[LEDGER_TREATED]);
}

void ledger_froze(struct ledger *ledger, int64_t now_ms, bool is_frozen)
{
        ledger_pass(ledger, now_ms);
        ledger->is_thawed &= is_frozen;
        ledger->is_frozen = is_frozen;
}

/* What the library says. */

static bool is_spent(const struct ledger *ledger)
{
        for (uint32_t i = 0; i < ledger->group_count && is_exact(ledger); i++)
                if (hurt_of(&ledger->groups[i].arms[LEDGER_TREATED]) - ledger->groups[i].accepted >= ledger->config.policy.budget)
                        return true;
        return false;
}

/* Before it calls the budget spent the library may wait for what control says of the same slot. */
static void check_holds(struct ledger *ledger, enum rollout_state state)
{
        bool may_be = state != ROLLOUT_EXPOSING && (state != ROLLOUT_COMPLETE || ledger_is_unknown(ledger));
        int64_t slot = slot_of(ledger, ledger->now_ms);
        if (may_be || !is_spent(ledger))
                ledger->spent_slot = -1;
        else if (ledger->spent_slot < 0)
                ledger->spent_slot = slot;
        else if (slot > ledger->spent_slot)
                ledger_break(ledger, "1: the budget is spent, and the rollout is %s", rollout_state_word(state));
}

static void check_counts(struct ledger *ledger, uint32_t at, const struct rollout_counts *counts)
{
        const struct ledger_arm *treated = &ledger->groups[at].arms[LEDGER_TREATED], *control = &ledger->groups[at].arms[LEDGER_CONTROL];
        const struct { const char *what; uint32_t said, is; } rows[] = {
                { "unanswered", counts->unanswered, open_of(treated) },
                { "proven", counts->proven, treated->by_status[LEDGER_PROVEN] },
                { "harmed", counts->harmed, treated->by_status[LEDGER_HARMED] },
                { "dark", counts->dark, treated->by_status[LEDGER_DARK] },
                { "declined", counts->declined, treated->by_status[LEDGER_DECLINED] },
                { "preflight_failed", counts->preflight_failed, treated->by_status[LEDGER_PREFLIGHT_FAILED] },
                { "hurt", counts->hurt, hurt_of(treated) },
                { "exposed", counts->exposed, exposed_of(treated) },
                { "control", counts->control, exposed_of(control) },
                { "control_proven", counts->control_proven, control->by_status[LEDGER_PROVEN] },
                { "control_harmed", counts->control_harmed, control->by_status[LEDGER_HARMED] },
                { "control_dark", counts->control_dark, control->by_status[LEDGER_DARK] },
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (rows[i].said != rows[i].is)
                        ledger_break(ledger, "1: group %u has %u %s, not %u", at, rows[i].is, rows[i].what, rows[i].said);
        double harm = hurt_of(treated) - ledger->groups[at].accepted;
        bool is_off = counts->lost ? counts->attributed < harm - slack : fabs(counts->attributed - harm) > slack;
        if (is_exact(ledger) && is_off)
                ledger_break(ledger, "1: %.6f harmed are put down to the release in group %u, not %.0f", counts->attributed, at, harm);
        if (counts->window && ledger_is_unknown(ledger))
                ledger_break(ledger, "6: group %u has a window of %u while control is silent", at, counts->window);
        if (counts->window && is_frozen(ledger))
                ledger_break(ledger, "2: group %u has a window of %u in a freeze", at, counts->window);
        check_promise(ledger, at);
}

static bool is_final(enum rollout_state state) { return state == ROLLOUT_WITHDRAWN || state == ROLLOUT_SUPERSEDED || state == ROLLOUT_CANCELLED; }

static void check_state(struct ledger *ledger, enum rollout_state state)
{
        bool goes_back = ledger->state == ROLLOUT_ROLLING_BACK && state != ROLLOUT_ROLLING_BACK && state != ROLLOUT_WITHDRAWN;
        bool was_halted = ledger->is_halted && !ledger->is_over && state != ROLLOUT_HALTED;
        if (goes_back || was_halted || (is_final(ledger->state) && state != ledger->state) || (ledger->is_over && state == ROLLOUT_EXPOSING))
                ledger_break(ledger, "2: from %s to %s", rollout_state_word(ledger->state), rollout_state_word(state));
        ledger->is_halted |= state == ROLLOUT_HALTED;
        ledger->state = state;
        check_holds(ledger, state);
}

void ledger_look(struct ledger *ledger, const struct rollout *rollout)
{
        struct rollout_view view;
        rollout_view(rollout, &view);
        check_state(ledger, view.state);
        ledger->reason = view.reason;
        check_counts(ledger, 0, &view.fleet);
        if (ledger_is_unknown(ledger) && view.verdict == ROLLOUT_GO)
                ledger_break(ledger, "6: the verdict is GO while control is silent");
        if (is_frozen(ledger) && view.state == ROLLOUT_EXPOSING)
                ledger_break(ledger, "2: the rollout exposes in a freeze");
        if (ledger_is_unknown(ledger) && view.state == ROLLOUT_EXPOSING)
                ledger_break(ledger, "6: the rollout exposes while control is silent");
}

void ledger_look_at_strata(struct ledger *ledger, const struct rollout *rollout)
{
        struct rollout_counts counts;
        for (uint32_t i = 1; i < ledger->group_count; i++) {
                rollout_view_stratum(rollout, (uint16_t)(i - 1), &counts);
                check_counts(ledger, i, &counts);
        }
}
