#include "rollout/watch.h"

#include "rollout/gate.h"
#include "rollout/harm.h"

#include <assert.h>
#include <math.h>

uint32_t watch_listened_max(const struct rollout *rollout)
{
        return 2 * (rollout->fleet < LISTENED_MAX ? rollout->fleet : LISTENED_MAX);
}

/* Of an arm of so many devices, in millionths. */
static uint32_t share_of(double devices, double most)
{
        return devices > most ? (uint32_t)(most / devices * 1e6) : 1000000;
}

void watch_open(struct rollout *rollout)
{
        double held_out = (double)rollout->policy.holdout_ppm / 1e6 * rollout->fleet, others = rollout->fleet - held_out, most = (double)LISTENED_MAX / 16 * 15;      /* more may be drawn than are expected */
        rollout->listened_ppm[ARM_CONTROL] = share_of(held_out, most);
        rollout->listened_ppm[ARM_TREATED] = share_of(others, fmin(most, LISTENED_PER_CONTROL * held_out));
}

bool watch_samples(const struct rollout *rollout, uint64_t bucket, bool is_control)
{
        static const uint64_t salt = 0x6C697374656E;
        return bucket_mix(bucket ^ salt) % 1000000 < rollout->listened_ppm[is_control ? ARM_CONTROL : ARM_TREATED];
}

static void count(struct rollout *rollout, const struct lease *lease, int watched, int listened, int lost)
{
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group;
                struct arm *arm = book_arm(rollout, lease, i, &group);
                arm->watched += (uint32_t)watched;
                arm->listened += (uint32_t)listened;
                arm->lost += (uint32_t)lost;
                if (lost)
                        book_harm(rollout, group);
        }
}

static void listen(struct rollout *rollout, uint32_t handle, int64_t slot)
{
        struct lease *lease = &rollout->leases[handle];
        if (rollout->round_ms == NEVER)
                rollout->round_ms = book_slot_ms(rollout, (slot / SLOTS_PER_LEASE + 1) * SLOTS_PER_LEASE);
        lease->ear = EAR_SOON;
        lease->due_place = rollout->listened_count;
        rollout->listened[rollout->listened_count++] = handle;
        count(rollout, lease, 0, 1, 0);
}

static void listen_no_more(struct rollout *rollout, struct lease *lease)
{
        uint32_t last = rollout->listened[--rollout->listened_count];
        rollout->listened[lease->due_place] = last;
        rollout->leases[last].due_place = lease->due_place;
        count(rollout, lease, 0, -1, lease->ear == EAR_LOST ? -1 : 0);
        lease->ear = EAR_NONE;
}

void watch_begin(struct rollout *rollout, uint32_t handle, int64_t slot)
{
        struct lease *lease = &rollout->leases[handle];
        assert(lease->is_due && !lease->is_watched);
        if (lease->status != LEASE_PROVEN || rollout->newest[lease->device] != handle || (lease->is_control && !lease->is_stand_in))
                return;
        gate_watches(rollout, lease);
        if (!lease->is_compared)
                return;
        lease->is_watched = true;
        count(rollout, lease, 1, 0, 0);
        if (lease->is_sampled && rollout->listened_count < watch_listened_max(rollout))
                listen(rollout, handle, slot);
}

/* Whoever is picked, or tells of harm, was heard of: it counts in this round as those do who stay, or only the silent would be left in it. */
static void leave(struct rollout *rollout, struct lease *lease)
{
        if (lease->ear == EAR_WAITING || lease->ear == EAR_HEARD)
                lease->ear = EAR_LEAVING;
        else if (lease->ear)
                listen_no_more(rollout, lease);
        lease->is_watched = false;
        count(rollout, lease, -1, 0, 0);
}

/* At risk until the slot is over, as those are who are not harmed. What one event of control more would explain is asked now: who leaves later does not make
 * this one more certain. */
static void fall(struct rollout *rollout, const struct lease *lease)
{
        uint32_t control = rollout->groups[0].control.watched;
        for (unsigned i = 0; i < lease_groups(lease); i++) {
                struct group *group;
                book_arm(rollout, lease, i, &group)->fallen++;
                if (!lease->is_control)
                        group->late_event = fmax(group->late_event, harm_of_one_event((i ? HARM_FLAKY : 1.0) * group->treated.watched, control));
        }
}

void watch_end(struct rollout *rollout, uint32_t handle)
{
        struct lease *lease = &rollout->leases[handle];
        if (!lease->is_watched)
                return;
        assert(lease->has_left);
        fall(rollout, lease);
        gate_watched_no_more(rollout, lease, book_slot(rollout, rollout->now_ms));
        leave(rollout, lease);
}

bool watch_has(const struct rollout *rollout, uint32_t device)
{
        uint32_t handle = rollout->newest[device];
        return handle != NO_LEASE && rollout->leases[handle].is_watched;
}

void watch_leave(struct rollout *rollout, uint32_t device)
{
        if (!watch_has(rollout, device))
                return;
        struct lease *lease = &rollout->leases[rollout->newest[device]];
        gate_watched_no_more(rollout, lease, book_slot(rollout, rollout->now_ms));
        leave(rollout, lease);
}

void watch_hears(struct rollout *rollout, uint32_t handle)
{
        struct lease *lease = &rollout->leases[handle];
        if (lease->ear == EAR_LOST) {
                count(rollout, lease, 0, 0, -1);
                lease->ear = EAR_SOON;
        } else if (lease->ear == EAR_WAITING) {
                lease->ear = EAR_HEARD;
        }
}

int64_t watch_round_ms(const struct rollout *rollout)
{
        return rollout_is_on_offer(rollout) ? rollout->round_ms : NEVER;
}

static void begin_round(struct rollout *rollout, int64_t slot)
{
        rollout->round_ms = book_slot_ms(rollout, (slot / SLOTS_PER_LEASE + 1) * SLOTS_PER_LEASE);
        for (uint32_t i = rollout->listened_count; i-- > 0;) {      /* from the end: what takes the place of one who leaves was looked at */
                struct lease *lease = &rollout->leases[rollout->listened[i]];
                if (lease->ear == EAR_LEAVING)
                        listen_no_more(rollout, lease);
                else if (lease->ear != EAR_LOST)
                        lease->ear = EAR_WAITING;
        }
}

static bool is_asked_of(const struct lease *lease) { return lease->ear != EAR_SOON && lease->ear != EAR_LOST; }

static void forget_losses(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                rollout->groups[i].explained[EXPLAINS_LOSS] = (struct explained){ 0 };
                if (rollout->groups[i].treated.lost)
                        book_harm(rollout, &rollout->groups[i]);
        }
}

/* Who is silent now, not who fell silent since: what bricks falls silent once, what sleeps does every night. At control's rate treated ones would be, wherever and since when they are watched: the
 * draw made both arms alike, and whatever befalls a site meets both. spread: p (1 - p) for each treated one, and for each of control as often as it stands for one, p of both arms: if the release is
 * harmless they are one. */
static void explain_losses(struct rollout *rollout)
{
        const struct arm *treated = &rollout->groups[0].treated, *control = &rollout->groups[0].control;
        forget_losses(rollout);
        if (!control->listened)
                return;
        double rate = (double)control->lost / control->listened, each = (double)treated->listened / control->listened;
        double share = (treated->lost + control->lost + 1.0) / (treated->listened + control->listened + 2.0), spread = (1 + each) * share * (1 - share);
        for (uint32_t i = 0; i < rollout->group_count; i++) {
                struct group *group = &rollout->groups[i];
                uint32_t listened = group->treated.listened;
                group->explained[EXPLAINS_LOSS] = (struct explained){ listened * rate, listened * spread, weighed(group->control.listened * rate, 1), weighed(group->control.lost, 1) };
        }
}

static bool is_control_asked(const struct rollout *rollout)
{
        bool is_asked = false;
        for (uint32_t i = 0; i < rollout->listened_count && !is_asked; i++) {
                const struct lease *lease = &rollout->leases[rollout->listened[i]];
                is_asked = lease->is_control && is_asked_of(lease);
        }
        return is_asked;
}

static void end_round_for(struct rollout *rollout, struct lease *lease)
{
        if (lease->ear != EAR_WAITING)
                return;
        count(rollout, lease, 0, 0, 1);
        lease->ear = EAR_LOST;
}

/* With no control to ask, a round says nothing. */
void watch_round(struct rollout *rollout, int64_t slot)
{
        bool is_asked = is_control_asked(rollout);
        for (uint32_t i = 0; i < rollout->listened_count && is_asked; i++)
                end_round_for(rollout, &rollout->leases[rollout->listened[i]]);
        explain_losses(rollout);
        begin_round(rollout, slot);
}

void watch_resume(struct rollout *rollout)
{
        for (uint32_t i = 0; i < rollout->listened_count; i++) {
                struct lease *lease = &rollout->leases[rollout->listened[i]];
                if (lease->ear == EAR_WAITING)
                        lease->ear = EAR_SOON;
        }
        if (rollout->round_ms != NEVER)
                rollout->round_ms = book_slot_ms(rollout, (book_slot(rollout, rollout->now_ms) / SLOTS_PER_LEASE + 1) * SLOTS_PER_LEASE);
}
