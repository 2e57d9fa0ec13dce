#include "rollout/gate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A stratum that is named twice is one. */
static bool is_named_before(const struct lease *lease, unsigned i)
{
        for (unsigned before = 0; before < i; before++)
                if (lease_group(lease, before) == lease_group(lease, i))
                        return true;
        return false;
}

/* Calls `step` with each share of the lease. */
typedef void share_step(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal);
static void each_share(struct rollout *rollout, const struct lease *lease, share_step *step, enum rollout_signal signal)
{
        for (unsigned i = 0; i < lease_groups(lease) && lease->is_compared; i++)
                share_expect(&rollout->shares, lease->cell, lease_group(lease, i));
        for (unsigned i = 0; i < lease_groups(lease) && lease->is_compared; i++)
                share_expect_item(&rollout->shares, lease->cell, lease_group(lease, i));
        for (unsigned i = 0; i < lease_groups(lease) && lease->is_compared; i++)
                if (!is_named_before(lease, i)) {
                        uint32_t at = share_find(&rollout->shares, lease->cell, lease_group(lease, i));
                        assert(at != NO_SHARE);
                        step(rollout, &rollout->shares.items[at], lease, signal);
                }
}

/* Whatever came to pass in slots before this one is over. */
static void enter_slot(struct rollout *rollout, int64_t slot)
{
        if (rollout->open_slot != slot) {
                assert(!rollout->event_count);
                gate_close(rollout);
        }
        rollout->open_slot = slot;
}

static bool is_cohort(const struct cell *cell) { return cell->slot < 0; }

void gate_begins(struct rollout *rollout, struct lease *lease)
{
        struct cell *cell = &rollout->cells[lease->cell];
        if ((lease->is_apart && !is_cohort(cell)) || shares_left(&rollout->shares) < lease_groups(lease))
                return;
        lease->is_compared = true;
        cell->controls += lease->is_control;
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                uint32_t group = lease_group(lease, i), at = share_find(&rollout->shares, lease->cell, group);
                if (is_named_before(lease, i))
                        continue;
                if (at == NO_SHARE)
                        at = share_add(&rollout->shares, lease->cell, group, &cell->first_share);
                rollout->shares.items[at].at_risk[arm_of(lease)]++;
        }
}

static void touch(struct rollout *rollout, struct share *share)
{
        share_touch(&rollout->shares, (uint32_t)(share - rollout->shares.items));
}

static void harm_in(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal)
{
        share->left[arm_of(lease)]++;
        rollout->shares.events[share - rollout->shares.items].counts[signal][arm_of(lease)]++;
        rollout->event_count++;
        share->has_events = true;
        touch(rollout, share);
}

void gate_watches(struct rollout *rollout, struct lease *lease)
{
        assert(is_cohort(&rollout->cells[lease->cell]));
        lease->is_compared = lease->has_left = false;
        gate_begins(rollout, lease);
}

static void leave_in(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal)
{
        (void)signal;
        share->left[arm_of(lease)]++;
        touch(rollout, share);
}

void gate_watched_no_more(struct rollout *rollout, struct lease *lease, int64_t slot)
{
        if (!lease->has_left) {
                enter_slot(rollout, slot);
                each_share(rollout, lease, leave_in, ROLLOUT_SIGNALS);
        }
        rollout->cells[lease->cell].controls -= lease->is_control;
        lease->is_compared = false;
}

void gate_harmed(struct rollout *rollout, struct lease *lease, enum rollout_signal signal, int64_t slot)
{
        if ((lease->is_due && !lease->is_watched) || lease->has_left || !lease->is_compared)
                return;
        enter_slot(rollout, slot);
        each_share(rollout, lease, harm_in, signal);
        lease->has_left = true;
}

static void withdraw_from(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal)
{
        (void)rollout, (void)signal;
        share->at_risk[arm_of(lease)]--;
}

void gate_declined(struct rollout *rollout, struct lease *lease)
{
        each_share(rollout, lease, withdraw_from, ROLLOUT_SIGNALS);
        rollout->cells[lease->cell].controls -= lease->is_compared && lease->is_control;
        lease->is_compared = false;
}

static void be_due_in(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal)
{
        share->due[arm_of(lease)]++;
        if (signal == ROLLOUT_DARK)
                harm_in(rollout, share, lease, signal);
        else
                share->left[arm_of(lease)] += !lease->has_left;
        touch(rollout, share);
}

void gate_due(struct rollout *rollout, struct lease *lease, int64_t slot)
{
        enter_slot(rollout, slot);
        each_share(rollout, lease, be_due_in, lease->status == LEASE_DARK ? ROLLOUT_DARK : ROLLOUT_SIGNALS);
}

void gate_silence(struct rollout *rollout, bool was_silent)
{
        rollout->recent_controls = (uint8_t)(rollout->recent_controls << 1 | was_silent);
}

bool gate_is_unknown(const struct rollout *rollout)
{
        return __builtin_popcount(rollout->recent_controls) >= RECENT_CONTROLS / 2;
}

bool gate_can_close(const struct rollout *rollout, int64_t now_ms)
{
        return rollout->event_count && rollout->open_slot < book_slot(rollout, now_ms);
}

/* Of this many control devices, this share was harmed. */
struct rate { double control, of_each; };

static struct evalue_risk risk_of(const struct rollout *rollout, const struct share *share, unsigned signal)
{
        const uint32_t *events = rollout->shares.events[share - rollout->shares.items].counts[signal];
        const uint32_t *at_risk = signal == ROLLOUT_DARK ? share->due : share->at_risk;
        return (struct evalue_risk){ at_risk[ARM_TREATED], at_risk[ARM_CONTROL], events[ARM_TREATED], events[ARM_CONTROL] };
}

static struct explained *explained_of(struct rollout *rollout, uint32_t group, const struct cell *cell, unsigned signal, bool is_over)
{
        struct group *of = &rollout->groups[group];
        unsigned what = is_cohort(cell) ? EXPLAINS_LATER + signal : signal;
        book_harm(rollout, of);
        return is_over ? &of->explained[what] : &of->running[what];
}

/* What this rate explains in each group of the cell. */
static void explain_cell(struct rollout *rollout, const struct cell *cell, unsigned signal, const struct rate *rate, bool is_over)
{
        double each = weight_of_byte(cell->stands_for);
        for (uint32_t at = cell->first_share; at != NO_SHARE; at = rollout->shares.items[at].next_in_cell) {
                const struct share *share = &rollout->shares.items[at];
                const uint32_t *at_risk = signal == ROLLOUT_DARK ? share->due : share->at_risk;
                if (!at_risk[ARM_TREATED] && !at_risk[ARM_CONTROL])
                        continue;
                struct explained *explained = explained_of(rollout, share->group, cell, signal, is_over);
                explained->at_treated += at_risk[ARM_TREATED] * rate->of_each;
                weighed_add(&explained->at_control, at_risk[ARM_CONTROL] * rate->of_each, each);
                weighed_add(&explained->seen_control, risk_of(rollout, share, signal).control_events, each);
                explained->spread += at_risk[ARM_TREATED] * (double)at_risk[ARM_TREATED] * rate->of_each / rate->control;
        }
}

/* What happened everywhere in this slot: the silence of leases, for blocks that have no control; and the harm of those who are watched. Of these control is a random sample of all, a few in each
 * cohort, where one event more or less would be a hundred. */
struct everywhere { struct rate silence, later[ROLLOUT_KINDS]; };

static void add_events(struct rate *rate, double control, double events)
{
        rate->control += control;
        rate->of_each += events;
}

static void divide(struct rate *rate) { rate->of_each = rate->control > 0 ? rate->of_each / rate->control : 0; }

static void look_everywhere(const struct rollout *rollout, struct everywhere *everywhere)
{
        *everywhere = (struct everywhere){ 0 };
        for (uint32_t at = rollout->shares.touched; at != NO_SHARE; at = rollout->shares.items[at].next_touched) {
                const struct share *share = &rollout->shares.items[at];
                bool is_watched = is_cohort(&rollout->cells[share->cell]);
                if (share->group)
                        continue;
                if (!is_watched)
                        add_events(&everywhere->silence, share->due[ARM_CONTROL], risk_of(rollout, share, ROLLOUT_DARK).control_events);
                for (unsigned kind = 0; kind < ROLLOUT_KINDS && is_watched && share->has_events; kind++)
                        add_events(&everywhere->later[kind], 0, risk_of(rollout, share, kind).control_events);
        }
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++) {
                everywhere->later[kind].control = rollout->groups[0].control.watched + rollout->groups[0].control.fallen;
                divide(&everywhere->later[kind]);
        }
        divide(&everywhere->silence);
}

/* Those whose silence control could say nothing of; of the others, how much one of control stands for. */
static void count_deadlines(struct rollout *rollout, const struct share *share, const struct everywhere *everywhere)
{
        double treated = share->due[ARM_TREATED], control = share->due[ARM_CONTROL] ? share->due[ARM_CONTROL] : everywhere->silence.control;
        if (everywhere->silence.control <= 0)
                rollout->groups[share->group].unmatched += share->due[ARM_TREATED];
        else if (!share->group)
                rollout->silence_spread += treated * treated / control;
}

static void explain_share(struct rollout *rollout, const struct share *share, const struct everywhere *everywhere, bool is_over)
{
        const struct cell *cell = &rollout->cells[share->cell];
        bool is_watched = is_cohort(cell);
        for (unsigned signal = 0; signal < ROLLOUT_KINDS && is_watched && share->has_events; signal++)      /* of their silence: watch.c */
                weighed_add(&explained_of(rollout, share->group, cell, signal, is_over)->seen_control, risk_of(rollout, share, signal).control_events, 1);
        for (unsigned signal = 0; signal < ROLLOUT_SIGNALS && !share->group && !is_watched; signal++) {
                struct evalue_risk risk = risk_of(rollout, share, signal);
                struct rate rate = { risk.control, risk.control ? (double)risk.control_events / risk.control : 0 };
                if (signal == ROLLOUT_DARK && !risk.control)
                        rate = everywhere->silence;
                if (rate.of_each > 0)
                        explain_cell(rollout, cell, signal, &rate, is_over);
        }
        if (is_over && !is_watched)
                count_deadlines(rollout, share, everywhere);
}

static void explain_later(struct rollout *rollout, unsigned kind, const struct rate *rate, bool is_over)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                struct group *group = &rollout->groups[i];
                struct explained *explained = is_over ? &group->explained[EXPLAINS_LATER + kind] : &group->running[EXPLAINS_LATER + kind];
                double treated = group->treated.watched + group->treated.fallen, control = group->control.watched + group->control.fallen;
                explained->at_treated += treated * rate->of_each;
                weighed_add(&explained->at_control, control * rate->of_each, 1);
                explained->spread += treated * treated * rate->of_each / rate->control;
                book_harm(rollout, group);
        }
}

static void explain_slot(struct rollout *rollout, bool is_over)
{
        struct everywhere everywhere;
        look_everywhere(rollout, &everywhere);
        for (uint32_t at = rollout->shares.touched; at != NO_SHARE; at = rollout->shares.items[at].next_touched)
                explain_share(rollout, &rollout->shares.items[at], &everywhere, is_over);
        for (unsigned kind = 0; kind < ROLLOUT_KINDS; kind++)
                if (everywhere.later[kind].of_each > 0)
                        explain_later(rollout, kind, &everywhere.later[kind], is_over);
}

static void weigh(struct rollout *rollout, struct share *share)
{
        struct group *group = &rollout->groups[share->group];
        for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++) {
                struct evalue_risk risk = risk_of(rollout, share, signal);
                if (risk.treated_events || risk.control_events)
                        evalue_multiply(&group->evalues[signal], &risk);
        }
        rollout->shares.events[share - rollout->shares.items] = (struct share_events){ 0 };
        share->has_events = false;
}

static void forget_running(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count && rollout->looked_at; i++) {
                memset(rollout->groups[i].running, 0, sizeof(rollout->groups[i].running));
                book_harm(rollout, &rollout->groups[i]);
        }
        rollout->looked_at = 0;
}

bool gate_look_ahead(struct rollout *rollout)
{
        enum { A_PART = 32 };
        if (!rollout->event_count || (rollout->looked_at && rollout->event_count <= rollout->looked_at + rollout->looked_at / A_PART))
                return false;
        forget_running(rollout);
        explain_slot(rollout, false);
        rollout->looked_at = rollout->event_count;
        return true;
}

/* Half the weight on the fleet, half on the strata; an average of e-values is an e-value. Relative to the highest of all. */
static double average(const struct rollout *rollout)
{
        uint32_t strata = rollout->group_count - 1;
        double of_fleet = (strata ? 0.5 : 1) / ROLLOUT_SIGNALS, of_stratum = strata ? 0.5 / ROLLOUT_SIGNALS / strata : 0, highest = 0, sum = 0;
        for (uint32_t i = 0; i < rollout->group_count; i++)
                for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++)
                        highest = fmax(highest, rollout->groups[i].evalues[signal].log_mean);
        double untouched = exp(-highest);
        for (uint32_t i = 0; i < rollout->group_count; i++)
                for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++) {
                        const struct evalue *evalue = &rollout->groups[i].evalues[signal];
                        sum += (i ? of_stratum : of_fleet) * (evalue->is_touched ? exp(evalue->log_mean - highest) : untouched);
                }
        return highest + log(sum);
}

/* The slot is over for this share. */
static void fold(struct share *share)
{
        for (unsigned arm = 0; arm < ARMS; arm++) {
                assert(share->left[arm] <= share->at_risk[arm]);
                share->at_risk[arm] -= share->left[arm];
                share->left[arm] = share->due[arm] = 0;
        }
        share->is_touched = false;
}

static void free_cell(struct rollout *rollout, uint32_t at)
{
        struct cell *cell = &rollout->cells[at];
        shares_drop(&rollout->shares, cell->first_share);
        if (rollout->newest_cell[cell->block] == at)
                rollout->newest_cell[cell->block] = NO_CELL;
        cell->next_free = rollout->free_cell;
        rollout->free_cell = at;
}

void gate_close(struct rollout *rollout)
{
        uint32_t over = NO_CELL;
        forget_running(rollout);
        explain_slot(rollout, true);
        for (uint32_t at = rollout->shares.touched; at != NO_SHARE; at = rollout->shares.items[at].next_touched) {
                struct share *share = &rollout->shares.items[at];
                struct cell *cell = &rollout->cells[share->cell];
                if (share->has_events)
                        weigh(rollout, share);
                fold(share);
                if (!cell->leases && share->group == 0) {
                        cell->next_free = over;
                        over = share->cell;
                }
        }
        rollout->shares.touched = NO_SHARE;
        for (uint32_t at = over, next; at != NO_CELL; at = next) {
                next = rollout->cells[at].next_free;
                free_cell(rollout, at);
        }
        for (uint32_t i = 0; i < rollout->group_count && rollout->event_count; i++)
                rollout->groups[i].treated.fallen = rollout->groups[i].control.fallen = 0;
        if (rollout->event_count)
                rollout->log_evidence = average(rollout);
        rollout->event_count = 0;
}

/* The fleet's share of a cell is touched by every lease that is compared: then the cell goes when the slot is over. */
void gate_leaves_cell(struct rollout *rollout, uint32_t at)
{
        struct cell *cell = &rollout->cells[at];
        uint32_t fleet = share_find(&rollout->shares, at, 0);
        assert(cell->leases);
        if (--cell->leases == 0 && (fleet == NO_SHARE || !rollout->shares.items[fleet].is_touched))
                free_cell(rollout, at);
}

void gate_restart(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++)
                for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++)
                        rollout->groups[i].evalues[signal] = (struct evalue){ 0 };
        rollout->log_evidence = 0;
        rollout->recent_controls = 0;
}

bool gate_says_halt(const struct rollout *rollout)
{
        return rollout->log_evidence >= -log((double)rollout->policy.alpha_ppm / 1e6);
}
