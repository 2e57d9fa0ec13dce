#include "rollout/rollout.h"

#include "base/mem.h"
#include "base/text.h"
#include "rollout/due.h"
#include "rollout/gate.h"
#include "rollout/harm.h"
#include "rollout/pacer.h"
#include "rollout/watch.h"

#include <assert.h>
#include <stdio.h>

struct rollout_policy rollout_policy_default(void)
{
        return (struct rollout_policy){ .budget = 30, .bake_s = 600, .gap_s = 120, .gather_s = 60, .alpha_ppm = 100, .controls = 4,
                                        .holdout_ppm = 20000, .cap_per_bake = 1000000, .watch_s = 259200, .complete_ppm = 950000, .bound_silence = 1 };
}

enum { YEAR_S = 31536000 };

static enum err check_policy(const struct rollout_policy *policy, struct why *why)
{
        const struct { const char *name; int64_t value, least, most; } rows[] = {
                { "budget", policy->budget, 1, 1000000 },           { "bake_s", policy->bake_s, 1, YEAR_S },
                { "gap_s", policy->gap_s, 1, YEAR_S },              { "gather_s", policy->gather_s, 0, YEAR_S },
                { "alpha_ppm", policy->alpha_ppm, 1, 500000 },      { "controls", policy->controls, 0, 10000 },
                { "holdout_ppm", policy->holdout_ppm, 0, 500000 },  { "cap_per_bake", policy->cap_per_bake, 1, 1000000000 },
                { "watch_s", policy->watch_s, 0, YEAR_S },          { "complete_ppm", policy->complete_ppm, 1, 1000000 },
                { "bound_silence", policy->bound_silence, 0, 1 },
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (rows[i].value < rows[i].least || rows[i].value > rows[i].most)
                        return FAIL(why, ERR_USAGE, "policy: %s is from %lld to %lld, not %lld", rows[i].name, (long long)rows[i].least,
                                    (long long)rows[i].most, (long long)rows[i].value);
        return OK;
}

static enum err check_config(const struct rollout_config *config, struct why *why)
{
        static const uint32_t fleet_max = 50000000;      /* six times the largest fleet we know of; handles stay in 32 bits */
        if (!config->fleet || config->fleet > fleet_max || !config->blocks || config->blocks > config->fleet)
                return FAIL(why, ERR_USAGE, "a fleet has 1 to %u devices in no more blocks, not %u in %u", fleet_max, config->fleet, config->blocks);
        if (config->strata > LIMIT_STRATA)
                return FAIL(why, ERR_USAGE, "a rollout has at most %d strata, not %u", LIMIT_STRATA, config->strata);
        return check_policy(&config->policy, why);
}

/* Enough for every exposure that may be tried; beside them controls: of a large fleet a few for each exposure at first, one for eight later. */
static uint32_t leases_for(const struct rollout_config *config)
{
        static const uint32_t spare = 64, large = 1000000;      /* spare: in small fleets, for controls that lapse or are declined */
        uint64_t each = (uint64_t)config->fleet * (uint64_t)config->policy.controls, most = book_tries_max(config->fleet) + spare;
        most += each < config->fleet + large ? each : config->fleet + large;
        if (config->leases_max)
                return config->leases_max;
        return most < NO_LEASE ? (uint32_t)most : NO_LEASE - 1;
}

/* A cell takes no new leases after its slot, and each of them is due within two leases' time. Beside them there are those of cohorts. */
static uint32_t cells_for(const struct rollout *rollout)
{
        enum { SLOTS_ALIVE = 2 * SLOTS_PER_LEASE + 3 };
        uint64_t blocks = rollout->blocks + (uint64_t)BLOCKS_BESIDE, most = blocks * (SLOTS_ALIVE + COHORTS_MAX);
        return most < 2 * (uint64_t)rollout->leases_max ? (uint32_t)most : 2 * rollout->leases_max;
}

static uint32_t shares_for(const struct rollout *rollout)
{
        static const uint32_t shares_max = 1 << 22;      /* 8.5 million devices in 1,000 blocks and 50 strata have a million at once */
        uint64_t each = 1 + LIMIT_ATTRIBUTES, cohorts = (uint64_t)rollout->blocks * COHORTS_MAX * rollout->group_count, most = rollout->leases_max * each;
        most += cohorts < rollout->fleet * each ? cohorts : rollout->fleet * each;
        return most < shares_max ? (uint32_t)most : shares_max;
}

static enum err allocate(struct rollout *rollout)
{
        rollout->groups = mem_new(rollout->group_count, sizeof(*rollout->groups));
        rollout->suspicions = mem_new(rollout->group_count, sizeof(*rollout->suspicions));
        rollout->gains = mem_new(rollout->group_count, sizeof(*rollout->gains));
        rollout->leases = mem_new(rollout->leases_max, sizeof(*rollout->leases));
        rollout->cells = mem_new(rollout->cells_max, sizeof(*rollout->cells));
        rollout->due = mem_new(rollout->leases_max, sizeof(*rollout->due));
        rollout->dirty = mem_new(rollout->group_count, sizeof(*rollout->dirty));
        rollout->newest_cell = mem_new(rollout->blocks + BLOCKS_BESIDE, sizeof(*rollout->newest_cell));
        rollout->cohorts = mem_new(rollout->blocks + BLOCKS_BESIDE, sizeof(*rollout->cohorts));
        rollout->listened = mem_new(watch_listened_max(rollout), sizeof(*rollout->listened));
        rollout->fates = mem_new(rollout->fleet, sizeof(*rollout->fates));
        rollout->newest = mem_new(rollout->fleet, sizeof(*rollout->newest));
        rollout->members = mem_new((size_t)rollout->policy.controls + 1, sizeof(*rollout->members));
        rollout->queue.items = mem_new(rollout->fleet, sizeof(*rollout->queue.items));
        rollout->queue.blocks = mem_new(rollout->blocks, sizeof(*rollout->queue.blocks));
        rollout->queue.front = mem_new(rollout->blocks, sizeof(*rollout->queue.front));
        bool has_all = rollout->groups && rollout->suspicions && rollout->gains && rollout->dirty && rollout->leases && rollout->due && rollout->cells &&
                       rollout->newest_cell && rollout->cohorts && rollout->listened && rollout->fates && rollout->newest && rollout->members && rollout->queue.items &&
                       rollout->queue.blocks && rollout->queue.front;
        return has_all ? shares_open(&rollout->shares, shares_for(rollout), NULL) : ERR_NOMEM;
}

enum err rollout_new(const struct rollout_config *config, struct rollout **ret_rollout, struct why *why)
{
        enum err e = check_config(config, why);
        if (e)
                return e;
        OWN(rollout) struct rollout *rollout = mem_new(1, sizeof(*rollout));
        if (!rollout)
                return FAIL(why, ERR_NOMEM, "out of memory for a rollout");
        rollout->policy = config->policy;
        rollout->fleet = config->fleet;
        rollout->blocks = config->blocks;
        rollout->group_count = 1u + config->strata;
        rollout->leases_max = leases_for(config);
        rollout->cells_max = cells_for(rollout);
        rollout->deviations = harm_deviations(rollout->group_count);
        rollout->next_due_ms = rollout->round_ms = NEVER;
        rollout->free_cell = NO_CELL;
        rollout->draw.slot[TIER_ALL] = rollout->draw.slot[TIER_SUSPECT] = NEVER;
        if (allocate(rollout))
                return FAIL(why, ERR_NOMEM, "out of memory for a rollout to %u devices with %u leases", rollout->fleet, rollout->leases_max);
        for (uint32_t i = 0; i < rollout->blocks + BLOCKS_BESIDE; i++)
                rollout->newest_cell[i] = rollout->cohorts[i].newest = NO_CELL;
        for (uint32_t i = 0; i < rollout->fleet; i++)
                rollout->newest[i] = NO_LEASE;
        watch_open(rollout);
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                rollout->groups[i].is_excess_stale = true;
                book_dirty(rollout, &rollout->groups[i]);
                rollout->groups[i].is_rare = i && config->stratum_sizes && config->stratum_sizes[i - 1] < config->policy.budget;
        }
        pacer_refresh(rollout);
        *ret_rollout = GIVE(rollout);
        return OK;
}

void rollout_free(struct rollout *rollout)
{
        if (!rollout)
                return;
        mem_free(rollout->groups);
        mem_free(rollout->suspicions);
        mem_free(rollout->gains);
        mem_free(rollout->dirty);
        shares_close(&rollout->shares);
        mem_free(rollout->leases);
        mem_free(rollout->due);
        mem_free(rollout->cells);
        mem_free(rollout->newest_cell);
        mem_free(rollout->cohorts);
        mem_free(rollout->listened);
        mem_free(rollout->newest);
        mem_free(rollout->fates);
        mem_free(rollout->members);
        mem_free(rollout->queue.items);
        mem_free(rollout->queue.blocks);
        mem_free(rollout->queue.front);
        mem_free(rollout);
}

static bool has_text(const char *text)
{
        return text && !text_is_same_name(text, "");
}

/* Holding, and it will go on by itself. */
static bool holds_for_a_while(const struct rollout *rollout)
{
        return rollout->reason == ROLLOUT_BECAUSE_UNKNOWN || rollout->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW || rollout->reason == ROLLOUT_BECAUSE_CEILING;
}

static struct rollout_facts facts_of(const struct rollout *rollout, const struct rollout_command *command)
{
        struct rollout_facts facts = { .holds[ROLLOUT_NEEDS_ALWAYS] = true };
        facts.holds[ROLLOUT_NEEDS_TWO_PEOPLE] = command && has_text(command->who) && has_text(command->second) &&
                                                has_text(command->because) && !text_is_same_name(command->who, command->second);
        facts.holds[ROLLOUT_NEEDS_ROOM] = !pacer_is_spent(rollout) && !pacer_is_stuck(rollout) && !gate_is_unknown(rollout) && !gate_says_halt(rollout);
        facts.holds[ROLLOUT_NEEDS_NOBODY_EXPOSED] = !arm_exposed(&rollout->groups[0].treated);
        facts.holds[ROLLOUT_NEEDS_HOLDS_FOR_A_WHILE] = holds_for_a_while(rollout);
        return facts;
}

static void note_change(struct rollout *rollout, enum rollout_state from, enum rollout_event event)
{
        struct rollout_change *change = &rollout->changes[rollout->change_count++ % ROLLOUT_CHANGES];
        const struct arm *treated = &rollout->groups[0].treated;
        change->at_ms = rollout->now_ms;
        snprintf(change->text, sizeof(change->text), "%s -> %s (%s): %u exposed, %u proven, %u harmed, %u dark", rollout_state_word(from),
                 rollout_state_word(rollout->state), rollout_event_word(event), arm_exposed(treated), treated->by_status[LEASE_PROVEN], treated->by_status[LEASE_HARMED],
                 treated->by_status[LEASE_DARK]);
}

static void mark_stop(struct rollout *rollout, enum rollout_event event)
{
        static const enum rollout_stopper stoppers[ROLLOUT_EVENTS] = {
                [ROLLOUT_ON_EVIDENCE] = ROLLOUT_BY_GATE, [ROLLOUT_ON_BUDGET] = ROLLOUT_BY_BUDGET, [ROLLOUT_ON_HALT] = ROLLOUT_BY_OPERATOR,
        };
        if (rollout->state == ROLLOUT_EXPOSING) {
                rollout->stopped_by = ROLLOUT_BY_NOBODY;
                rollout->stopped_ms = 0;
        } else if (stoppers[event] && !rollout->stopped_by) {
                rollout->stopped_by = stoppers[event];
                rollout->stopped_ms = rollout->now_ms;
        }
}

static void enter(struct rollout *rollout, enum rollout_state to, enum rollout_event event)
{
        enum rollout_state from = rollout->state;
        bool thaws = to == ROLLOUT_EXPOSING && rollout->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW;
        if (event == ROLLOUT_ON_START || (thaws && !arm_exposed(&rollout->groups[0].treated)))
                rollout->gathers_ms = rollout->now_ms;
        rollout->state = to;
        if (from == ROLLOUT_HALTED && to == ROLLOUT_EXPOSING)
                watch_resume(rollout);
        if (to != ROLLOUT_HOLDING)
                rollout->reason = ROLLOUT_BECAUSE_NONE;
        if (event == ROLLOUT_ON_START)
                rollout->started_ms = rollout->now_ms;
        if (to == ROLLOUT_COMPLETE)
                rollout->completed_ms = rollout->now_ms;
        mark_stop(rollout, event);
        note_change(rollout, from, event);
}

/* What the rules themselves say; without a row nothing happens. */
static bool move(struct rollout *rollout, enum rollout_event event, enum rollout_reason reason)
{
        struct rollout_facts facts = facts_of(rollout, NULL);
        enum rollout_state to;
        if (rollout_next(rollout->state, event, &facts, &to, NULL))
                return false;
        if (to == ROLLOUT_HOLDING)
                rollout->reason = reason;
        enter(rollout, to, event);
        return true;
}

/* Not while control is silent. Not before a lease's time has passed, or three early birds would complete a fleet of sixty. */
static bool is_complete(const struct rollout *rollout)
{
        const struct arm *treated = &rollout->groups[0].treated;
        uint32_t exposed = arm_exposed(treated) - treated->by_status[LEASE_PREFLIGHT_FAILED], proven = treated->by_status[LEASE_PROVEN];
        uint64_t whole = rollout->seen > exposed ? rollout->seen : exposed;
        int64_t least_ms = rollout->policy.gather_s * 1000 + rollout_lease_ms(rollout);
        if (rollout->reason == ROLLOUT_BECAUSE_UNKNOWN)
                return false;
        return proven && rollout->now_ms >= rollout->started_ms + least_ms && proven * UINT64_C(1000000) >= whole * (uint64_t)rollout->policy.complete_ppm;
}

bool rollout_is_frozen(const struct rollout *rollout) { return rollout->is_frozen && !rollout->is_thawed; }

bool rollout_may_expose(const struct rollout *rollout)
{
        return (rollout->state == ROLLOUT_EXPOSING || rollout->state == ROLLOUT_COMPLETE) && !gate_is_unknown(rollout) && !rollout_is_frozen(rollout);
}

/* Harm counts at once, what control says of the same time when its slot is over: before the budget is called spent, control is asked. */
static bool is_spent(struct rollout *rollout)
{
        if (!pacer_is_spent(rollout) || !rollout->event_count)
                return pacer_is_spent(rollout);
        bool has_looked = gate_look_ahead(rollout);
        pacer_refresh(rollout);
        return has_looked && pacer_is_spent(rollout);
}

/* Complete and silent is no reason to halt: it may be the network. */
static bool must_hold(struct rollout *rollout)
{
        if (rollout->state == ROLLOUT_COMPLETE)
                return !gate_is_unknown(rollout) && is_spent(rollout);
        if (rollout->state == ROLLOUT_HOLDING && rollout->reason == ROLLOUT_BECAUSE_BUDGET)
                return false;
        return is_spent(rollout) || (rollout->state == ROLLOUT_EXPOSING && pacer_is_stuck(rollout));
}

/* Whoever was picked below it may still come: then it does not hold yet. Nor where there is nobody left for it to keep away. */
static bool is_at_ceiling(const struct rollout *rollout)
{
        const struct arm *treated = &rollout->groups[0].treated;
        return !pacer_ceiling(rollout, rollout->now_ms).left && !treated->by_status[LEASE_RESERVED] && arm_exposed(treated) < rollout->fleet;
}

/* What makes it hold for a while, if anything does. In a freeze nobody is asked whether control answers again. */
static enum rollout_reason passing_reason(const struct rollout *rollout)
{
        if (rollout_is_frozen(rollout))
                return ROLLOUT_BECAUSE_FREEZE_WINDOW;
        if (gate_is_unknown(rollout))
                return ROLLOUT_BECAUSE_UNKNOWN;
        return is_at_ceiling(rollout) ? ROLLOUT_BECAUSE_CEILING : ROLLOUT_BECAUSE_NONE;
}

static bool hold_or_clear(struct rollout *rollout)
{
        static const enum rollout_event events[ROLLOUT_REASONS] = {
                [ROLLOUT_BECAUSE_NONE] = ROLLOUT_ON_CLEAR, [ROLLOUT_BECAUSE_UNKNOWN] = ROLLOUT_ON_UNKNOWN, [ROLLOUT_BECAUSE_FREEZE_WINDOW] = ROLLOUT_ON_FREEZE,
                [ROLLOUT_BECAUSE_CEILING] = ROLLOUT_ON_CEILING,
        };
        enum rollout_reason reason = passing_reason(rollout);
        bool is_so = rollout->state == ROLLOUT_HOLDING && rollout->reason == reason;
        return !is_so && move(rollout, events[reason], reason);
}

/* Looks at everything that was learned, and moves. */
static bool judge(struct rollout *rollout)
{
        pacer_refresh(rollout);
        bool moved = gate_says_halt(rollout) && move(rollout, ROLLOUT_ON_EVIDENCE, ROLLOUT_BECAUSE_NONE);
        if (must_hold(rollout))
                moved |= move(rollout, ROLLOUT_ON_BUDGET, ROLLOUT_BECAUSE_BUDGET);
        moved |= hold_or_clear(rollout);
        if (is_complete(rollout))
                moved |= move(rollout, ROLLOUT_ON_COMPLETE, ROLLOUT_BECAUSE_NONE);
        if (rollout->state == ROLLOUT_COMPLETE && rollout->now_ms >= rollout->completed_ms + rollout->policy.watch_s * 1000)
                moved |= move(rollout, ROLLOUT_ON_WATCH_OVER, ROLLOUT_BECAUSE_NONE);
        return moved;
}

static void reach_deadline(struct rollout *rollout, struct lease *lease, int64_t slot)
{
        if (lease->status == LEASE_RESERVED)
                book_label(rollout, lease, LEASE_LAPSED, ROLLOUT_SIGNALS);
        if (lease->status == LEASE_OPEN)
                book_label(rollout, lease, LEASE_DARK, ROLLOUT_SIGNALS);
        gate_due(rollout, lease, slot);
        if (lease->is_control && lease->status != LEASE_LAPSED && lease->status != LEASE_DECLINED)
                gate_silence(rollout, lease->status == LEASE_DARK);
        book_due(rollout, lease);
}

/* All deadlines up to this time; finds the next one. */
static void reach_deadlines(struct rollout *rollout, int64_t until_ms, int64_t slot)
{
        uint32_t count = 0;
        const uint32_t *handles = due_take(rollout, until_ms, &count);
        for (uint32_t i = 0; i < count; i++)
                reach_deadline(rollout, &rollout->leases[handles[i]], slot);
        for (int is_control = 1; is_control >= 0; is_control--)      /* treated ones are listened to beside control */
                for (uint32_t i = 0; i < count; i++)
                        if (rollout->leases[handles[i]].is_control == is_control)
                                watch_begin(rollout, handles[i], slot);
        rollout->next_due_ms = due_next_ms(rollout);
}

bool rollout_is_due(const struct rollout *rollout, int64_t now_ms)
{
        return rollout->next_due_ms <= now_ms || watch_round_ms(rollout) <= now_ms || gate_can_close(rollout, now_ms);
}

static int64_t earlier(int64_t a_ms, int64_t b_ms) { return a_ms < b_ms ? a_ms : b_ms; }

/* Slot by slot, so that it does not matter how often anybody looks. */
static bool advance(struct rollout *rollout, int64_t now_ms)
{
        bool changed = false;
        if (now_ms < rollout->now_ms)
                now_ms = rollout->now_ms;
        while (rollout_is_due(rollout, now_ms)) {
                int64_t round_ms = watch_round_ms(rollout), due_ms = earlier(now_ms, earlier(rollout->next_due_ms, round_ms)), slot = book_slot(rollout, due_ms);
                int64_t until_ms = earlier(book_slot_ms(rollout, slot + 1) - 1, now_ms);
                if (gate_can_close(rollout, due_ms))
                        gate_close(rollout);
                if (round_ms == due_ms)
                        watch_round(rollout, slot);
                if (rollout->next_due_ms <= until_ms)
                        reach_deadlines(rollout, until_ms, slot);
                changed = true;
        }
        return changed;
}

bool rollout_tick(struct rollout *rollout, int64_t now_ms)
{
        int64_t before_ms = rollout->now_ms;
        bool changed = advance(rollout, now_ms);
        rollout->now_ms = now_ms > rollout->now_ms ? now_ms : rollout->now_ms;
        changed |= judge(rollout);
        if (!changed)
                rollout->now_ms = before_ms;
        return changed;
}

static void pass(struct rollout *rollout, int64_t now_ms)
{
        (void)advance(rollout, now_ms);
        rollout->now_ms = now_ms > rollout->now_ms ? now_ms : rollout->now_ms;
}

static enum err need_tick(const struct rollout *rollout, int64_t now_ms, struct why *why)
{
        return rollout_is_due(rollout, now_ms) ? FAIL(why, ERR_BUSY, "deadlines have come; tick the rollout first") : OK;
}

/* To pass over a freeze is not to accept harm. */
static void override(struct rollout *rollout)
{
        if (rollout->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW) {
                rollout->is_thawed = true;
                return;
        }
        pacer_accept(rollout);
        gate_restart(rollout);
}

static enum err command(struct rollout *rollout, const struct rollout_command *command, struct why *why)
{
        struct rollout_facts facts = facts_of(rollout, command);
        enum rollout_state to;
        enum err e = rollout_next(rollout->state, command->event, &facts, &to, why);
        if (e)
                return e;
        rollout->now_ms = command->now_ms > rollout->now_ms ? command->now_ms : rollout->now_ms;
        if (to == ROLLOUT_HOLDING)
                rollout->reason = command->reason ? command->reason : ROLLOUT_BECAUSE_OPERATOR;
        if (command->event == ROLLOUT_ON_OVERRIDE)
                override(rollout);
        enter(rollout, to, command->event);
        return OK;
}

enum err rollout_command(struct rollout *rollout, const struct rollout_command *order, struct why *why)
{
        enum err e = need_tick(rollout, order->now_ms, why);
        if (e)
                return e;
        if (!rollout_event_is_callers(order->event))
                return FAIL(why, ERR_REFUSED, "`%s` is for the rules to say", rollout_event_word(order->event));
        if (order->event == ROLLOUT_ON_RESUME && rollout->state == ROLLOUT_HOLDING && rollout->reason == ROLLOUT_BECAUSE_FREEZE_WINDOW)
                return FAIL(why, ERR_REFUSED, "a freeze window is open; it goes on by itself when that is over, or before by an override of two people");
        if (rollout->state == ROLLOUT_HOLDING && rollout->reason == ROLLOUT_BECAUSE_CEILING && (order->event == ROLLOUT_ON_RESUME || order->event == ROLLOUT_ON_OVERRIDE))
                return FAIL(why, ERR_REFUSED, "the ceiling of its ramp is signed offline: devices go no faster, whoever asks; `rollout show` says when its next step is");
        bool must_halt = order->event == ROLLOUT_ON_WITHDRAW && rollout_halts_first(rollout->state);
        struct rollout_command halt = *order;
        halt.event = ROLLOUT_ON_HALT;
        if (must_halt && (e = command(rollout, &halt, why)))
                return e;
        e = command(rollout, order, why);
        if (!e)
                (void)judge(rollout);
        return e;
}

static bool is_ramp(const struct rollout_step *steps, size_t count)
{
        bool is = true;
        for (size_t i = 1; i < count; i++)
                is &= steps[i].from_ms > steps[i - 1].from_ms && steps[i].exposed_max >= steps[i - 1].exposed_max;
        return is;
}

enum err rollout_ceiling(struct rollout *rollout, const struct rollout_step *steps, size_t count, struct why *why)
{
        if (count > ROLLOUT_STEPS_MAX)
                return FAIL(why, ERR_LIMIT, "a ceiling has at most %d steps, not %zu", ROLLOUT_STEPS_MAX, count);
        if (!is_ramp(steps, count))
                return FAIL(why, ERR_USAGE, "the steps of a ceiling ascend");
        if (rollout->state != ROLLOUT_DRAFT)
                return FAIL(why, ERR_REFUSED, "the rollout is %s; its ceiling stays", rollout_state_word(rollout->state));
        for (size_t i = 0; i < count; i++)
                rollout->steps[i] = steps[i];
        rollout->step_count = count;
        return OK;
}

enum err rollout_start(struct rollout *rollout, int64_t now_ms, struct why *why)
{
        static const enum rollout_event way[] = { ROLLOUT_ON_PROVE, ROLLOUT_ON_PASS, ROLLOUT_ON_START };
        unsigned at = rollout->state == ROLLOUT_PROVING ? 1 : rollout->state == ROLLOUT_DRAFT ? 0 : 2;
        enum err e = OK;
        for (; at < sizeof(way) / sizeof(way[0]) && !e; at++) {
                struct rollout_command order = { .event = way[at], .now_ms = now_ms };
                e = rollout_command(rollout, &order, why);
        }
        return e;
}

static enum err find_lease(const struct rollout *rollout, uint32_t handle, struct lease **ret_lease, struct why *why)
{
        if (handle >= rollout->lease_count)
                return FAIL(why, ERR_NOT_FOUND, "the rollout has no lease %u", handle);
        *ret_lease = &rollout->leases[handle];
        return OK;
}

enum err rollout_granted(struct rollout *rollout, uint32_t handle, int64_t now_ms, int64_t *ret_deadline_ms, struct why *why)
{
        struct lease *lease = NULL;
        enum err e = find_lease(rollout, handle, &lease, why);
        if (!e)
                e = need_tick(rollout, now_ms, why);
        if (e)
                return e;
        bool may_start = rollout_may_expose(rollout) ||
                         (lease->is_control && !rollout_is_frozen(rollout) && (rollout->state == ROLLOUT_HOLDING || rollout->state == ROLLOUT_COMPLETE));
        if (lease->status == LEASE_LAPSED)
                return FAIL(why, ERR_EXPIRED, "nobody came for lease %u in time; ask again", handle);
        if (lease->status != LEASE_RESERVED)
                return FAIL(why, ERR_REFUSED, "lease %u was granted before", handle);
        if (!may_start)
                return FAIL(why, ERR_REFUSED, "the rollout is %s; nothing starts now", rollout_state_word(rollout->state));
        assert(lease->is_control || rollout_may_expose(rollout));
        rollout->now_ms = now_ms > rollout->now_ms ? now_ms : rollout->now_ms;
        book_label(rollout, lease, LEASE_OPEN, ROLLOUT_SIGNALS);
        gate_begins(rollout, lease);
        lease->due_ms = rollout->now_ms + rollout_lease_ms(rollout);
        due_moved(rollout, handle);
        pacer_refresh(rollout);
        *ret_deadline_ms = lease->due_ms;
        return OK;
}

/* What a report makes of a label; LAPSED: nothing. Harm is never taken back; an open lease takes any answer. Who declines after the deadline did not
 * decline in time, and may have had it taken away: that says nothing of what it did there. */
static enum lease_status relabel(enum lease_status was, enum rollout_outcome outcome)
{
        static const enum lease_status labels[ROLLOUT_OUTCOMES] = { LEASE_PROVEN, LEASE_HARMED, LEASE_DECLINED, LEASE_PREFLIGHT_FAILED };
        bool is_mended = was == LEASE_DARK && outcome != ROLLOUT_DECLINED;
        bool is_news = was == LEASE_OPEN || is_mended || (outcome == ROLLOUT_HARMED && was != LEASE_HARMED);
        return is_news ? labels[outcome] : LEASE_LAPSED;
}

static enum rollout_signal signal_of(const struct rollout_report *report)
{
        if (report->outcome == ROLLOUT_HARMED)
                return report->kind;
        return report->outcome == ROLLOUT_PREFLIGHT_FAILED ? ROLLOUT_PREFLIGHT : ROLLOUT_SIGNALS;
}

static enum err check_report(const struct rollout *rollout, const struct rollout_report *report, struct lease **ret_lease, struct why *why)
{
        enum err e = find_lease(rollout, report->handle, ret_lease, why);
        if (e)
                return e;
        if ((*ret_lease)->status == LEASE_RESERVED || (*ret_lease)->status == LEASE_LAPSED)
                return FAIL(why, ERR_NOT_FOUND, "lease %u was never granted", report->handle);
        if (report->outcome >= ROLLOUT_OUTCOMES || (report->outcome == ROLLOUT_HARMED && report->kind >= ROLLOUT_KINDS))
                return FAIL(why, ERR_USAGE, "outcome %d with kind %d is none", (int)report->outcome, (int)report->kind);
        return OK;
}

/* What control tells after its deadline is compared with nothing, unless it is watched; nor what anybody tells of a release that it has left. */
static bool is_beside_the_point(const struct rollout *rollout, const struct lease *lease)
{
        bool has_left = rollout->newest[lease->device] != (uint32_t)(lease - rollout->leases);
        return lease->is_due && lease->status == LEASE_PROVEN && !lease->is_watched && (lease->is_control || has_left);
}

bool rollout_is_on_offer(const struct rollout *rollout)
{
        return rollout->state == ROLLOUT_EXPOSING || rollout->state == ROLLOUT_HOLDING || rollout->state == ROLLOUT_COMPLETE;
}

enum err rollout_report(struct rollout *rollout, const struct rollout_report *report, struct why *why)
{
        struct lease *lease = NULL;
        enum err e = check_report(rollout, report, &lease, why);
        if (e)
                return e;
        pass(rollout, report->now_ms);
        enum lease_status to = is_beside_the_point(rollout, lease) ? LEASE_LAPSED : relabel((enum lease_status)lease->status, report->outcome);
        bool is_first = lease->status == LEASE_OPEN;
        if (to != LEASE_LAPSED)
                book_label(rollout, lease, to, report->outcome == ROLLOUT_HARMED ? report->kind : ROLLOUT_SIGNALS);
        if (lease->is_due && to == LEASE_PROVEN)
                watch_begin(rollout, report->handle, book_slot(rollout, rollout->now_ms));
        if (is_first && to == LEASE_DECLINED) {
                if (rollout_is_on_offer(rollout))
                        book_never_began(rollout, lease);
                gate_declined(rollout, lease);
        }
        if (to == LEASE_HARMED || to == LEASE_PREFLIGHT_FAILED)
                gate_harmed(rollout, lease, signal_of(report), book_slot(rollout, rollout->now_ms));
        if (to == LEASE_HARMED)
                watch_end(rollout, report->handle);
        (void)judge(rollout);
        return OK;
}

size_t rollout_listens(const struct rollout *rollout, struct rollout_listened *into, size_t max)
{
        size_t count = 0;
        uint32_t listened = watch_round_ms(rollout) == NEVER ? 0 : rollout->listened_count;
        for (uint32_t i = 0; i < listened && count < max; i++) {
                const struct lease *lease = &rollout->leases[rollout->listened[i]];
                if (lease->ear == EAR_WAITING || lease->ear == EAR_LOST)
                        into[count++] = (struct rollout_listened){ rollout->listened[i], lease->device };
        }
        return count;
}

int64_t rollout_round_ends_ms(const struct rollout *rollout) { return watch_round_ms(rollout); }

enum err rollout_heard(struct rollout *rollout, int64_t now_ms, const uint32_t *handles, size_t count, struct why *why)
{
        for (size_t i = 0; i < count; i++)
                if (handles[i] >= rollout->lease_count)
                        return FAIL(why, ERR_NOT_FOUND, "the rollout has no lease %u", handles[i]);
        for (size_t i = 0; i < count; i++)
                watch_hears(rollout, handles[i]);      /* before the round that may end with this is over */
        pass(rollout, now_ms);
        (void)judge(rollout);
        return OK;
}

enum err rollout_left(struct rollout *rollout, int64_t now_ms, const uint32_t *devices, size_t count, struct why *why)
{
        for (size_t i = 0; i < count; i++)
                if (devices[i] >= rollout->fleet)
                        return FAIL(why, ERR_NOT_FOUND, "the fleet has no device %u", devices[i]);
        pass(rollout, now_ms);
        for (size_t i = 0; i < count; i++) {
                watch_leave(rollout, devices[i]);
                rollout->newest[devices[i]] = NO_LEASE;
        }
        (void)judge(rollout);
        return OK;
}

bool rollout_minds(const struct rollout *rollout, uint32_t device, bool is_same_stream, uint32_t *ret_handle)
{
        uint32_t handle = device < rollout->fleet ? rollout->newest[device] : NO_LEASE;
        if (handle == NO_LEASE)
                return false;
        const struct lease *lease = &rollout->leases[handle];
        *ret_handle = handle;
        return lease->is_due ? lease->is_watched && is_same_stream : lease->status == LEASE_OPEN || lease->status == LEASE_PROVEN;
}

void rollout_seen(struct rollout *rollout, int64_t now_ms, uint32_t devices)
{
        pass(rollout, now_ms);
        rollout->seen = devices < rollout->fleet ? devices : rollout->fleet;
        (void)judge(rollout);
}

void rollout_freeze(struct rollout *rollout, int64_t now_ms, bool is_frozen, int64_t until_ms)
{
        pass(rollout, now_ms);
        rollout->is_thawed = rollout->is_thawed && is_frozen;
        rollout->is_frozen = is_frozen;
        rollout->frozen_until_ms = is_frozen ? until_ms : 0;
        (void)judge(rollout);
}

size_t rollout_take_changes(struct rollout *rollout, struct rollout_change changes[ROLLOUT_CHANGES])
{
        size_t count = 0;
        if (rollout->change_count - rollout->change_taken > ROLLOUT_CHANGES)
                rollout->change_taken = rollout->change_count - ROLLOUT_CHANGES;
        while (rollout->change_taken < rollout->change_count)
                changes[count++] = rollout->changes[rollout->change_taken++ % ROLLOUT_CHANGES];
        return count;
}
