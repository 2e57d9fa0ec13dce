#include "rollout/book.h"

#include "rollout/due.h"

#include <assert.h>
#include <string.h>

uint32_t arm_granted(const struct arm *arm)
{
        uint32_t sum = 0;
        for (unsigned status = 0; status < LEASE_LAPSED; status++)
                sum += arm->by_status[status];
        return sum;
}

int64_t rollout_lease_ms(const struct rollout *rollout)
{
        return (rollout->policy.bake_s + rollout->policy.gap_s) * 1000;
}

int64_t book_slot(const struct rollout *rollout, int64_t at_ms)
{
        return at_ms / (rollout_lease_ms(rollout) / SLOTS_PER_LEASE);
}

static bool is_young(const struct lease *lease)
{
        return !lease->is_control && !lease->is_due && lease->status <= LEASE_PROVEN;
}

/* Puts what a lease adds to the counts in, or takes it out again (by = -1). */
static void count(struct rollout *rollout, const struct lease *lease, int by)
{
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group = &rollout->groups[lease_group(lease, i)];
                struct arm *arm = lease->is_control ? &group->control : &group->treated;
                arm->by_status[lease->status] += (unsigned)by;
                if (lease->status == LEASE_HARMED)
                        arm->by_kind[lease->kind] += (unsigned)by;
                if (is_young(lease))
                        group->young += (unsigned)by;
                group->is_dirty = true;
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

static uint32_t find_cell(struct rollout *rollout, uint32_t block)
{
        int64_t slot = book_slot(rollout, rollout->now_ms);
        uint32_t *newest = &rollout->newest_cell[block];
        if (*newest == NO_LEASE || rollout->cells[*newest].slot != slot) {
                *newest = rollout->cell_count++;
                rollout->cells[*newest] = (struct cell){ .slot = slot, .first = NO_LEASE };
        }
        return *newest;
}

uint32_t book_reserve(struct rollout *rollout, const struct rollout_device *device, bool is_control)
{
        assert(rollout->lease_count < rollout->leases_max && !rollout->fates[device->device].is_busy);
        uint32_t handle = rollout->lease_count++, cell = find_cell(rollout, device->block);
        struct lease *lease = &rollout->leases[handle];
        *lease = (struct lease){
                .picked_ms = rollout->now_ms, .due_ms = rollout->now_ms + rollout_lease_ms(rollout), .ended_slot = NEVER, .due_slot = NEVER,
                .device = device->device, .cell = cell, .next_in_cell = rollout->cells[cell].first, .strata_count = device->strata_count,
                .ended_as = ROLLOUT_SIGNALS, .is_control = is_control,
        };
        memcpy(lease->strata, device->strata, sizeof(lease->strata));
        rollout->cells[cell].first = handle;
        rollout->fates[device->device].is_busy = true;
        due_add(rollout, handle);
        if (lease->due_ms < rollout->next_due_ms)
                rollout->next_due_ms = lease->due_ms;
        count(rollout, lease, 1);
        return handle;
}

void book_due(struct rollout *rollout, struct lease *lease)
{
        bool is_hurt = lease->status == LEASE_HARMED || lease->status == LEASE_DARK;
        count(rollout, lease, -1);
        lease->is_due = true;
        lease->due_slot = book_slot(rollout, lease->due_ms);
        count(rollout, lease, 1);
        if (!is_hurt && lease->status != LEASE_PROVEN)
                return;
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group = &rollout->groups[lease_group(lease, i)];
                struct bound_counts *bound = lease->is_control ? &group->control.bound : &group->treated.bound;
                bound->trials++;
                bound->harmed += is_hurt;
        }
}
