#include "rollout/book.h"

#include "rollout/due.h"
#include "rollout/gate.h"

#include <assert.h>
#include <string.h>

uint32_t arm_exposed(const struct arm *arm)
{
        uint32_t sum = 0;
        for (unsigned status = 0; status < LEASE_LAPSED; status++)
                sum += arm->by_status[status];
        return sum - arm->unbegun;
}

int64_t rollout_lease_ms(const struct rollout *rollout)
{
        return (rollout->policy.bake_s + rollout->policy.gap_s) * 1000;
}

uint64_t book_tries_max(uint32_t fleet)
{
        static const uint64_t small_fleet = 1000000;
        uint64_t each = (uint64_t)fleet * TRIES_MAX, most = fleet + (uint64_t)fleet / 2 + small_fleet;
        return each < most ? each : most;
}

int64_t book_slot(const struct rollout *rollout, int64_t at_ms)
{
        return at_ms / (rollout_lease_ms(rollout) / SLOTS_PER_LEASE);
}

static bool is_young(const struct lease *lease)
{
        return !lease->is_control && !lease->is_due && lease->status <= LEASE_PROVEN;
}

void book_dirty(struct rollout *rollout, struct group *group)
{
        if (!group->is_dirty)
                rollout->dirty[rollout->dirty_count++] = (uint32_t)(group - rollout->groups);
        group->is_dirty = true;
}

/* Puts what a lease adds to the counts in, or takes it out again (by = -1). */
static void count(struct rollout *rollout, const struct lease *lease, int by)
{
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group = &rollout->groups[lease_group(lease, i)];
                struct arm *arm = lease->is_control ? &group->control : &group->treated;
                arm->by_status[lease->status] += (unsigned)by;
                if (lease->status == LEASE_DECLINED && lease->is_unbegun)
                        arm->unbegun += (unsigned)by;
                if (lease->status == LEASE_HARMED)
                        arm->by_kind[lease->kind] += (unsigned)by;
                if (is_young(lease))
                        group->young += (unsigned)by;
                book_dirty(rollout, group);
        }
}

/* A late answer about an old lease says nothing of a newer one, which keeps the device busy. */
static void remember_fate(struct rollout *rollout, const struct lease *lease, bool was_open)
{
        struct fate *fate = &rollout->fates[lease->device];
        bool may_come_again = lease->is_control || lease->status >= LEASE_DECLINED, is_open = lease->status <= LEASE_OPEN;
        if (was_open)
                fate->is_busy = is_open;
        fate->is_over |= !is_open && (!may_come_again || fate->tries >= TRIES_MAX);
}

void book_label(struct rollout *rollout, struct lease *lease, enum lease_status status, enum rollout_signal kind)
{
        bool was_open = lease->status <= LEASE_OPEN;
        count(rollout, lease, -1);
        lease->status = (uint8_t)status;
        lease->kind = (uint8_t)kind;
        count(rollout, lease, 1);
        remember_fate(rollout, lease, was_open);
}

/* There is always one: a cell lives for two leases' time, and cells_max is more than the slots of that for each block. */
static uint32_t new_cell(struct rollout *rollout)
{
        uint32_t at = rollout->free_cell;
        if (at == NO_CELL) {
                assert(rollout->cell_count < rollout->cells_max);
                return rollout->cell_count++;
        }
        rollout->free_cell = rollout->cells[at].next_free;
        return at;
}

void book_never_began(struct rollout *rollout, struct lease *lease)
{
        count(rollout, lease, -1);
        lease->is_unbegun = true;
        count(rollout, lease, 1);
}

static uint32_t find_cell(struct rollout *rollout, uint32_t block)
{
        int64_t slot = book_slot(rollout, rollout->now_ms);
        uint32_t newest = rollout->newest_cell[block];
        if (newest == NO_CELL || rollout->cells[newest].slot != slot) {
                newest = rollout->newest_cell[block] = new_cell(rollout);
                rollout->cells[newest] = (struct cell){ .slot = slot, .block = block, .first_share = NO_SHARE, .next_free = NO_CELL };
        }
        return newest;
}

uint32_t book_reserve(struct rollout *rollout, const struct rollout_device *device, bool is_control)
{
        assert(rollout->lease_count < rollout->leases_max && !rollout->fates[device->device].is_busy);
        uint32_t handle = rollout->lease_count++, cell = find_cell(rollout, device->block);
        struct lease *lease = &rollout->leases[handle];
        *lease = (struct lease){
                .due_ms = rollout->now_ms + rollout_lease_ms(rollout), .device = device->device, .cell = cell, .strata_count = device->strata_count,
                .is_control = is_control,
        };
        memcpy(lease->strata, device->strata, sizeof(lease->strata));
        rollout->cells[cell].leases++;
        rollout->fates[device->device].is_busy = true;
        due_add(rollout, handle);
        if (lease->due_ms < rollout->next_due_ms)
                rollout->next_due_ms = lease->due_ms;
        count(rollout, lease, 1);
        return handle;
}

static void count_due(struct rollout *rollout, const struct lease *lease)
{
        bool is_silent = lease->status == LEASE_DARK, is_hurt = is_silent || lease->status == LEASE_HARMED;
        bool has_control = lease->is_control || (lease->is_compared && rollout->cells[lease->cell].controls);
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group = &rollout->groups[lease_group(lease, i)];
                struct arm *arm = lease->is_control ? &group->control : &group->treated;
                arm->silent += is_silent;
                group->uncompared += !has_control;
                group->unmatched += !lease->is_control && !lease->is_compared;
                if (is_silent && !rollout->policy.bound_silence)
                        continue;
                arm->bound.trials++;
                arm->bound.harmed += is_hurt;
                group->is_excess_stale = true;
        }
}

void book_due(struct rollout *rollout, struct lease *lease)
{
        count(rollout, lease, -1);
        lease->is_due = true;
        count(rollout, lease, 1);
        if (lease->status == LEASE_PROVEN || lease->status == LEASE_HARMED || lease->status == LEASE_DARK)
                count_due(rollout, lease);
        gate_leaves_cell(rollout, lease);
}
