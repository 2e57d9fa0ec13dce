#include "rollout/book.h"

#include "rollout/due.h"
#include "rollout/gate.h"
#include "rollout/harm.h"
#include "rollout/watch.h"

#include <assert.h>
#include <math.h>
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

static int64_t slot_ms(const struct rollout *rollout) { return rollout_lease_ms(rollout) / SLOTS_PER_LEASE; }
int64_t book_slot(const struct rollout *rollout, int64_t at_ms) { return at_ms / slot_ms(rollout); }
int64_t book_slot_ms(const struct rollout *rollout, int64_t slot) { return slot * slot_ms(rollout); }

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

void book_harm(struct rollout *rollout, struct group *group)
{
        group->is_harm_stale = true;
        book_dirty(rollout, group);
}

struct arm *book_arm(struct rollout *rollout, const struct lease *lease, unsigned i, struct group **ret_group)
{
        struct group *group = *ret_group = &rollout->groups[lease_group(lease, i)];
        return lease->is_control ? &group->control : &group->treated;
}

static bool is_harm(unsigned status) { return status == LEASE_HARMED || status == LEASE_DARK; }

/* A late answer about an old lease says nothing of a newer one, which keeps the device busy. */
static void remember_fate(struct rollout *rollout, const struct lease *lease, bool was_open)
{
        struct fate *fate = &rollout->fates[lease->device];
        bool was_its_turn = !lease->is_control || lease->is_stand_in, is_open = lease->status <= LEASE_OPEN;
        if (was_open)
                fate->is_busy = is_open;
        fate->is_over |= !is_open && ((was_its_turn && lease->status < LEASE_DECLINED) || fate->tries >= TRIES_MAX);
}

/* Of control those that are apart are probes: beside no exposure. */
static void add_weight(struct weighed *sum, const struct lease *lease)
{
        if (lease->is_control && !lease->is_apart)
                weighed_add(sum, 1, weight_of_byte(lease->stands_for));
}

void book_label(struct rollout *rollout, struct lease *lease, enum lease_status status, enum rollout_signal kind)
{
        const struct lease was = *lease;
        lease->status = status & 15u;
        lease->kind = kind & 15u;
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group;
                struct arm *arm = book_arm(rollout, lease, i, &group);
                arm->by_status[was.status]--;
                arm->by_status[status]++;
                if (was.status == LEASE_HARMED)
                        arm->by_kind[was.kind]--;
                if (status == LEASE_HARMED) {
                        arm->by_kind[kind]++;
                        arm->later[kind] += lease->is_watched;
                        arm->late[kind] += was.status == LEASE_DARK;
                        if (was.status == LEASE_DARK)
                                add_weight(&arm->late_for, lease);
                }
                if (was.is_unbegun)
                        arm->unbegun = arm->unbegun - (was.status == LEASE_DECLINED) + (status == LEASE_DECLINED);
                group->young = group->young - is_young(&was) + is_young(lease);
                if (is_harm(status) && !is_harm(was.status) && !lease->is_control)
                        group->bake_event = fmax(group->bake_event, harm_of_one_event(arm_exposed(arm), arm_exposed(&rollout->groups[0].control)));
                if (is_harm(was.status) || is_harm(status))
                        book_harm(rollout, group);
                else
                        book_dirty(rollout, group);
        }
        remember_fate(rollout, lease, was.status <= LEASE_OPEN);
}

/* There is always one: a cell of leases lives for two leases' time, and cells_max is more than the slots of that for each block, and one that stands. */
static uint32_t new_cell(struct rollout *rollout, uint32_t block, int64_t slot)
{
        uint32_t at = rollout->free_cell;
        if (at == NO_CELL) {
                assert(rollout->cell_count < rollout->cells_max);
                at = rollout->cell_count++;
        } else {
                rollout->free_cell = rollout->cells[at].next_free;
        }
        rollout->cells[at] = (struct cell){ .slot = slot, .block = block, .first_share = NO_SHARE, .next_free = NO_CELL };
        return at;
}

void book_never_began(struct rollout *rollout, struct lease *lease)
{
        assert(lease->status == LEASE_DECLINED && !lease->is_unbegun);
        lease->is_unbegun = true;
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group;
                book_arm(rollout, lease, i, &group)->unbegun++;
        }
}

static uint32_t find_cohort(struct rollout *rollout, uint32_t block, int64_t slot)
{
        struct cohorts *cohorts = &rollout->cohorts[block];
        int64_t mark = -1 - slot / SLOTS_PER_LEASE;
        if (cohorts->newest == NO_CELL || (rollout->cells[cohorts->newest].slot != mark && cohorts->count < COHORTS_MAX)) {
                cohorts->newest = new_cell(rollout, block, mark);
                rollout->cells[cohorts->newest].leases = 1;      /* for good */
                cohorts->count++;
        }
        return cohorts->newest;
}

static uint32_t find_cell(struct rollout *rollout, uint32_t block)
{
        int64_t slot = book_slot(rollout, rollout->now_ms);
        uint32_t newest = rollout->newest_cell[block];
        if (newest == NO_CELL || rollout->cells[newest].slot != slot) {
                uint32_t cohort = find_cohort(rollout, block, slot);
                newest = rollout->newest_cell[block] = new_cell(rollout, block, slot);
                rollout->cells[newest].cohort = cohort;
        }
        return newest;
}

uint32_t book_reserve(struct rollout *rollout, const struct rollout_device *device, uint32_t block, bool is_control)
{
        assert(rollout->lease_count < rollout->leases_max && !rollout->fates[device->device].is_busy);
        uint32_t handle = rollout->lease_count++, cell = find_cell(rollout, block);
        if (!watch_has(rollout, device->device))
                rollout->newest[device->device] = handle;
        struct lease *lease = &rollout->leases[handle];
        *lease = (struct lease){
                .due_ms = rollout->now_ms + rollout_lease_ms(rollout), .device = device->device, .cell = cell, .strata_count = device->strata_count & 15u,
                .is_control = is_control, .is_sampled = watch_samples(rollout, device->bucket, is_control),
        };
        memcpy(lease->strata, device->strata, sizeof(lease->strata));
        rollout->cells[cell].leases++;
        rollout->fates[device->device].is_busy = true;
        due_add(rollout, handle);
        if (lease->due_ms < rollout->next_due_ms)
                rollout->next_due_ms = lease->due_ms;
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group;
                book_arm(rollout, lease, i, &group)->by_status[LEASE_RESERVED]++;
                group->young += is_young(lease);
                book_dirty(rollout, group);
        }
        return handle;
}

/* Ended in time or silent: it counts in the bound, and in what is compared at the deadline. */
static void settle(const struct rollout *rollout, const struct lease *lease, struct group *group, struct arm *arm)
{
        bool is_silent = lease->status == LEASE_DARK, has_control = lease->is_compared && rollout->cells[lease->cell].controls;
        arm->silent += is_silent;
        if (is_silent)
                add_weight(&arm->silent_for, lease);
        group->uncompared += !lease->is_control && !has_control;
        group->unmatched += !lease->is_control && !lease->is_compared;
        if (is_silent && !rollout->policy.bound_silence)
                return;
        arm->bound.trials++;
        arm->bound.harmed += is_harm(lease->status);
        group->is_excess_stale = true;
}

void book_due(struct rollout *rollout, struct lease *lease)
{
        bool was_young = is_young(lease), has_ended = lease->status == LEASE_PROVEN || is_harm(lease->status);
        lease->is_due = true;
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group;
                struct arm *arm = book_arm(rollout, lease, i, &group);
                group->young -= was_young;
                if (has_ended)
                        settle(rollout, lease, group, arm);
                book_dirty(rollout, group);
        }
        uint32_t left = lease->cell;
        lease->cell = rollout->cells[left].cohort;
        gate_leaves_cell(rollout, left);
}
