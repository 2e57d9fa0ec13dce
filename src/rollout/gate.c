#include "rollout/gate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void add_pending(struct rollout *rollout, uint32_t cell, enum rollout_signal signal)
{
        if (!rollout->cells[cell].pending)
                rollout->pending[rollout->pending_count++] = cell;
        rollout->cells[cell].pending |= (uint16_t)(1u << signal);
}

void gate_ended(struct rollout *rollout, struct lease *lease, enum rollout_signal signal, int64_t slot)
{
        assert(lease->ended_slot == NEVER && (!rollout->pending_count || rollout->pending_slot == slot));
        lease->ended_slot = slot;
        lease->ended_as = (uint8_t)signal;
        if (signal == ROLLOUT_SIGNALS)
                return;
        rollout->pending_slot = slot;
        add_pending(rollout, lease->cell, signal);
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
        return rollout->pending_count && rollout->pending_slot < book_slot(rollout, now_ms);
}

static bool is_at_risk(const struct lease *lease, enum rollout_signal signal, int64_t slot)
{
        bool has_declined = lease->status == LEASE_DECLINED && lease->ended_as == ROLLOUT_SIGNALS;      /* a dark one that says so late was at risk */
        if (lease->status == LEASE_RESERVED || lease->status == LEASE_LAPSED || has_declined)
                return false;
        return signal == ROLLOUT_DARK ? lease->due_slot == slot : lease->ended_slot >= slot;
}

static void tally(const struct lease *lease, bool had_event, struct evalue_risk *risk)
{
        risk->treated += !lease->is_control;
        risk->control += lease->is_control;
        risk->treated_events += had_event && !lease->is_control;
        risk->control_events += had_event && lease->is_control;
}

/* A stratum that is named twice is one. */
static bool is_named_before(const struct lease *lease, unsigned i)
{
        for (unsigned before = 0; before < i; before++)
                if (lease_group(lease, before) == lease_group(lease, i))
                        return true;
        return false;
}

/* What was at risk in the cell, for all groups in one pass: a cell may hold a tenth of the fleet. */
static void tally_cell(struct rollout *rollout, const struct cell *cell, enum rollout_signal signal)
{
        int64_t slot = rollout->pending_slot;
        memset(rollout->risks, 0, rollout->group_count * sizeof(*rollout->risks));
        for (uint32_t at = cell->first; at != NO_LEASE; at = rollout->leases[at].next_in_cell) {
                const struct lease *lease = &rollout->leases[at];
                bool had_event = lease->ended_slot == slot && lease->ended_as == signal;
                for (unsigned i = 0; i < lease_groups(lease) && is_at_risk(lease, signal, slot); i++)
                        if (!is_named_before(lease, i))
                                tally(lease, had_event, &rollout->risks[lease_group(lease, i)]);
        }
}

/* Only groups that an event touches change: without events a factor is 1. */
static void multiply(struct rollout *rollout, const struct cell *cell, enum rollout_signal signal)
{
        tally_cell(rollout, cell, signal);
        for (uint32_t group = 0; group < rollout->group_count; group++) {
                const struct evalue_risk *risk = &rollout->risks[group];
                if (risk->treated_events + risk->control_events)
                        evalue_multiply(&rollout->groups[group].evalues[signal], risk);
        }
}

/* Half the weight on the fleet, half on the strata; an average of e-values is an e-value. */
static double average(const struct rollout *rollout)
{
        uint32_t strata = rollout->group_count - 1;
        double log_fleet = log((strata ? 0.5 : 1) / ROLLOUT_SIGNALS), log_stratum = strata ? log(0.5 / ROLLOUT_SIGNALS / strata) : 0;
        double sum = -INFINITY;
        for (uint32_t i = 0; i < rollout->group_count; i++)
                for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++)
                        sum = evalue_log_add(sum, (i ? log_stratum : log_fleet) + evalue_log(&rollout->groups[i].evalues[signal]));
        return sum;
}

void gate_close(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->pending_count; i++) {
                struct cell *cell = &rollout->cells[rollout->pending[i]];
                for (unsigned signal = 0; signal < ROLLOUT_SIGNALS; signal++)
                        if (cell->pending & 1u << signal)
                                multiply(rollout, cell, (enum rollout_signal)signal);
                cell->pending = 0;
        }
        rollout->pending_count = 0;
        rollout->log_evidence = average(rollout);
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
