#include "rollout/gate.h"

#include <assert.h>
#include <math.h>

static enum arm_name arm_of(const struct lease *lease) { return lease->is_control ? ARM_CONTROL : ARM_TREATED; }

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

void gate_begins(struct rollout *rollout, struct lease *lease)
{
        struct cell *cell = &rollout->cells[lease->cell];
        if (shares_left(&rollout->shares) < lease_groups(lease))
                return;
        lease->is_compared = true;
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

static void end_in(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal)
{
        share->left[arm_of(lease)]++;
        if (signal != ROLLOUT_SIGNALS) {
                share->events[signal][arm_of(lease)]++;
                rollout->event_count++;
        }
        touch(rollout, share);
}

void gate_ended(struct rollout *rollout, struct lease *lease, enum rollout_signal signal, int64_t slot)
{
        enter_slot(rollout, slot);
        each_share(rollout, lease, end_in, signal);
}

static void withdraw_from(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal)
{
        (void)rollout, (void)signal;
        share->at_risk[arm_of(lease)]--;
}

void gate_declined(struct rollout *rollout, struct lease *lease)
{
        each_share(rollout, lease, withdraw_from, ROLLOUT_SIGNALS);
        lease->is_compared = false;
}

static void be_due_in(struct rollout *rollout, struct share *share, const struct lease *lease, enum rollout_signal signal)
{
        (void)signal;
        share->due[arm_of(lease)]++;
        touch(rollout, share);
}

void gate_due(struct rollout *rollout, struct lease *lease, int64_t slot)
{
        enter_slot(rollout, slot);
        each_share(rollout, lease, be_due_in, ROLLOUT_DARK);
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

static void multiply(struct rollout *rollout, const struct share *share)
{
        for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++) {
                const uint32_t *events = share->events[signal], *at_risk = signal == ROLLOUT_DARK ? share->due : share->at_risk;
                const struct evalue_risk risk = { at_risk[ARM_TREATED], at_risk[ARM_CONTROL], events[ARM_TREATED], events[ARM_CONTROL] };
                if (risk.treated_events + risk.control_events)
                        evalue_multiply(&rollout->groups[share->group].evalues[signal], &risk);
        }
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
                for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++)
                        share->events[signal][arm] = 0;
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
        for (uint32_t at = rollout->shares.touched; at != NO_SHARE; at = rollout->shares.items[at].next_touched) {
                struct share *share = &rollout->shares.items[at];
                struct cell *cell = &rollout->cells[share->cell];
                if (rollout->event_count)
                        multiply(rollout, share);
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
        if (rollout->event_count)
                rollout->log_evidence = average(rollout);
        rollout->event_count = 0;
}

/* The fleet's share of a cell is touched by every lease that is compared: then the cell goes when the slot is over. */
void gate_leaves_cell(struct rollout *rollout, struct lease *lease)
{
        struct cell *cell = &rollout->cells[lease->cell];
        uint32_t fleet = share_find(&rollout->shares, lease->cell, 0);
        assert(cell->leases);
        if (--cell->leases == 0 && (fleet == NO_SHARE || !rollout->shares.items[fleet].is_touched))
                free_cell(rollout, lease->cell);
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
