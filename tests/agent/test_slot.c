#include "agent/slot.h"

#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static const char *const one[] = { "edr-rules" }, *const two[] = { "edr-rules", "config" };

static struct slots *open_one(struct sim_disk *sim)
{
        struct slots *slots = NULL;
        CHECK(slots_open(&sim->disk, one, 1, &slots, NULL) == OK);
        return slots;
}

static struct slot_release release_of(uint64_t counter)
{
        struct slot_release release = { .counter = counter, .floor = 1 };
        memset(release.target, (int)counter, sizeof(release.target));
        return release;
}

static enum err stage(struct slots *slots, uint64_t counter, enum slot_id *ret_slot)
{
        const struct slot_release release = release_of(counter);
        enum err e = slots_clear(slots, 0, ret_slot, NULL);
        return e ? e : slots_staged(slots, 0, *ret_slot, &release, NULL);
}

static struct slot_trial trial_in(enum slot_id slot, enum slot_lease lease)
{
        return (struct slot_trial){ .nonce = { 7 }, .granted = 100, .deadline = 200, .lease = (uint8_t)lease, .slot = (uint8_t)slot,
                                    .crashes_max = 2, .boots_max = 1 };
}

static enum err arm(struct slots *slots, uint64_t counter)
{
        enum slot_id slot;
        enum err e = stage(slots, counter, &slot);
        const struct slot_trial trial = trial_in(slot, SLOT_LEASE_EXPOSURE);
        return e ? e : slots_arm(slots, 0, &trial, NULL);
}

static enum err install(struct slots *slots, uint64_t counter)
{
        enum err e = arm(slots, counter);
        return e ? e : slots_prove(slots, 0, 300, NULL);
}

/* A boot as a step among others. */
static bool counts_boot(struct slots *slots, enum slot_start start, int64_t now_s)
{
        slots_boot(slots, start, now_s);
        return !slots_is_owed(slots);
}

static uint64_t running(const struct slots *slots)
{
        return slots_in(slots, 0, (enum slot_id)slots_stream(slots, 0)->current)->counter;
}

static const struct slot_harm crash = { SLOT_CRASH, "signal 11", 300 };

TEST(slots_open, puts_a_new_device_on_its_factory_copy)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(slots_count(slots) == 1 && slots_stream(slots, 0)->current == SLOT_FACTORY);
        CHECK(!slots_on_trial(slots, 0) && running(slots) == 0 && slots_report(slots) == NULL);
}

TEST(slots_open, survives_every_allocation_failure)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        {
                OWN(slots) struct slots *slots = open_one(&sim);
                CHECK(install(slots, 3) == OK);
        }
        SWEEP_MEMORY {
                OWN(slots) struct slots *slots = NULL;
                enum err e = slots_open(&sim.disk, one, 1, &slots, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                CHECK((e == OK) == (slots != NULL));
        }
}

TEST(slots_open, refuses_a_damaged_record_whichever_byte_it_is)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        {
                OWN(slots) struct slots *slots = open_one(&sim);
                CHECK(install(slots, 3) == OK);
        }
        OWN(buf) struct buf good;
        buf_init(&good, sizeof(struct slot_record));
        CHECK(sim.disk.ops->read(&sim.disk, "slots", &good, NULL) == OK && good.length == sizeof(struct slot_record));
        for (size_t at = 0; at < good.length; at += 97) {
                good.bytes[at] ^= 0x10;
                CHECK(sim.disk.ops->replace(&sim.disk, "slots", good.bytes, good.length, NULL) == OK);
                OWN(slots) struct slots *slots = NULL;
                CHECK(slots_open(&sim.disk, one, 1, &slots, NULL) == ERR_SYNTAX && !slots);
                good.bytes[at] ^= 0x10;
        }
        CHECK(sim.disk.ops->replace(&sim.disk, "slots", good.bytes, good.length - 1, NULL) == OK);
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open(&sim.disk, one, 1, &slots, NULL) == ERR_SYNTAX && !slots);
}

TEST(slots_open, reads_a_record_that_an_earlier_build_wrote)
{
        /* Header and the first stream's first bytes as version 1 has them; the rest is zeros. */
        static const uint8_t head[] = { 'F', 'B', 'S', 'R', 0xc2, 0x8f, 0xc3, 0xc5, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 'r', 'u', 'l', 'e', 's' };
        static uint8_t bytes[sizeof(struct slot_record)];
        memcpy(bytes, head, sizeof(head));
        bytes[24 + 72] = SLOT_B;                 /* current */
        bytes[24 + 73] = SLOT_B;                 /* last good */
        bytes[24 + 74] = SLOT_BAD;               /* state of a */
        bytes[24 + 75] = SLOT_GOOD;              /* state of b */
        bytes[24 + 80 + 64] = 42;                /* counter of b */
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        CHECK(sim.disk.ops->replace(&sim.disk, "slots", bytes, sizeof(bytes), NULL) == OK);
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open_all(&sim.disk, &slots, NULL) == OK);
        CHECK(slots_count(slots) == 1 && strcmp(slots_stream(slots, 0)->name, "rules") == 0 && running(slots) == 42);
}

TEST(slots_open, keeps_a_stream_whatever_the_order_and_forgets_one_that_left)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        {
                OWN(slots) struct slots *slots = open_one(&sim);
                CHECK(install(slots, 3) == OK);
        }
        const char *const turned[] = { "config", "edr-rules" };
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open(&sim.disk, turned, 2, &slots, NULL) == OK);
        CHECK(slots_stream(slots, 0)->current == SLOT_FACTORY && slots_stream(slots, 1)->current == SLOT_A);
}

TEST(slots_withdraw, goes_to_no_release_below_the_floor)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 4) == OK);
        enum slot_id slot;
        struct slot_release release = release_of(6);
        release.floor = 5;                       /* 4 has a hole that 5 closed */
        CHECK(slots_clear(slots, 0, &slot, NULL) == OK && slots_staged(slots, 0, slot, &release, NULL) == OK);
        const struct slot_trial trial = trial_in(slot, SLOT_LEASE_EXPOSURE);
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK && slots_prove(slots, 0, 300, NULL) == OK);
        CHECK(slots_withdraw(slots, 0, 6, 400, NULL) == OK && slots_stream(slots, 0)->current == SLOT_FACTORY);
}

static void put_garbage(struct disk *disk)
{
        CHECK(disk->ops->replace(disk, "slots", "garbage", 7, NULL) == OK);
}

/* A device that began again from report 1 would be heard no more: the server has seen those numbers. */
TEST(slots_reset, never_leaves_a_device_that_takes_itself_for_a_new_one)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER_AFTER(&sim, put_garbage) {
                OWN(slots) struct slots *reset = NULL;
                CHECK(slots_reset(&(struct slot_reset){ &sim.disk, one, 1, 1784432200 }, &reset, NULL) == OK);
                sim_disk_power_on(&sim);
                OWN(slots) struct slots *slots = NULL;
                enum err e = slots_open(&sim.disk, one, 1, &slots, NULL);
                CHECK(e == ERR_SYNTAX || (e == OK && slots_report(slots) && slots_report(slots)->seq == 1784432200));
        }
}

TEST(slots_reset, goes_to_the_factory_copies_with_report_numbers_above_all_before)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        CHECK(sim.disk.ops->replace(&sim.disk, "slots", "garbage", 7, NULL) == OK);
        OWN(slots) struct slots *reset = NULL;
        CHECK(slots_reset(&(struct slot_reset){ &sim.disk, two, 2, 1784432200 }, &reset, NULL) == OK && !slots_is_owed(reset));
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open(&sim.disk, two, 2, &slots, NULL) == OK);
        CHECK(slots_report(slots) && slots_report(slots)->seq == 1784432200);
        OWN(buf) struct buf kept;
        buf_init(&kept, 100);
        CHECK(sim.disk.ops->read(&sim.disk, "slots.damaged", &kept, NULL) == OK && kept.length == 7);
}

TEST(slots_prove, makes_the_release_last_good_and_reports_it)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && install(slots, 4) == OK);
        const struct slot_stream *now = slots_stream(slots, 0);
        CHECK(now->current == SLOT_B && now->last_good == SLOT_B && now->state[SLOT_A] == SLOT_GOOD && now->counters.proven == 2);
        const struct slot_report *report = slots_report(slots);
        CHECK(report->seq == 300 && report->counter == 3 && report->running == 3 && report->outcome == SLOT_PROVEN && report->nonce[0] == 7);
}

TEST(slots_give_up, returns_to_last_good_denies_the_release_and_reports_it_in_one_write)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && slots_acknowledge(slots, 300, NULL) == OK && arm(slots, 4) == OK);
        CHECK(running(slots) == 4);
        unsigned changes = sim.changes;
        CHECK(slots_give_up(slots, 0, &crash, NULL) == OK && sim.changes == changes + 1);
        CHECK(running(slots) == 3 && slots_is_denied(slots, 0, 4) && !slots_on_trial(slots, 0));
        const struct slot_report *report = slots_report(slots);
        CHECK(report->counter == 4 && report->running == 3 && report->kind == SLOT_CRASH && report->counters.fallbacks == 1);
        CHECK(strcmp(report->detail, "signal 11") == 0);
        CHECK(arm(slots, 4) == ERR_REFUSED && arm(slots, 5) == OK);
}

TEST(slots_give_up, leaves_a_control_device_where_it_is_and_its_release_allowed)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && slots_acknowledge(slots, 300, NULL) == OK);
        struct slot_trial trial = trial_in(SLOT_A, SLOT_LEASE_SHADOW);
        trial.nonce[0] = 9;
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK && slots_give_up(slots, 0, &crash, NULL) == OK);
        CHECK(running(slots) == 3 && !slots_is_denied(slots, 0, 3) && slots_stream(slots, 0)->counters.fallbacks == 0);
        CHECK(slots_report(slots)->nonce[0] == 9 && slots_report(slots)->outcome == SLOT_HARMED);
}

TEST(slots_arm, lets_the_waiting_candidate_of_a_control_device_have_another_nonce)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        enum slot_id slot;
        struct slot_release release = release_of(4);
        release.nonce[0] = 5;
        CHECK(install(slots, 3) == OK && slots_clear(slots, 0, &slot, NULL) == OK && slots_staged(slots, 0, slot, &release, NULL) == OK);
        const struct slot_trial trial = trial_in(SLOT_A, SLOT_LEASE_SHADOW);
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK && slots_in(slots, 0, slot)->nonce[0] == 0);
}

TEST(slots_renew, keeps_the_new_nonce_and_refuses_what_is_not_staged)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        static const uint8_t nonce[16] = { 9 };
        enum slot_id slot;
        CHECK(stage(slots, 4, &slot) == OK);
        CHECK(slots_renew(slots, 0, slot == SLOT_A ? SLOT_B : SLOT_A, nonce, NULL) == ERR_REFUSED && slots_renew(slots, 0, SLOT_FACTORY, nonce, NULL) == ERR_REFUSED);
        CHECK(slots_renew(slots, 0, slot, nonce, NULL) == OK);
        OWN(slots) struct slots *again = open_one(&sim);
        CHECK(memcmp(slots_in(again, 0, slot)->nonce, nonce, sizeof(nonce)) == 0 && slots_in(again, 0, slot)->counter == 4);
}

TEST(slots_arm, refuses_what_is_not_staged_and_a_second_trial)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        struct slot_trial trial = trial_in(SLOT_A, SLOT_LEASE_EXPOSURE);
        CHECK(slots_arm(slots, 0, &trial, NULL) == ERR_REFUSED);
        trial.slot = SLOT_FACTORY;
        CHECK(slots_arm(slots, 0, &trial, NULL) == ERR_REFUSED);
        CHECK(arm(slots, 3) == OK && slots_arm(slots, 0, &trial, NULL) == ERR_REFUSED);
        enum slot_id slot;
        CHECK(slots_clear(slots, 0, &slot, NULL) == ERR_REFUSED);
}

TEST(slots_boot, gives_up_a_trial_that_was_cut_short_and_counts_where_more_are_allowed)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(arm(slots, 3) == OK && counts_boot(slots, SLOT_START_SUPERVISOR, 300));
        CHECK(running(slots) == 0 && slots_report(slots)->kind == SLOT_BOOT_LOOP);

        enum slot_id slot;
        CHECK(stage(slots, 4, &slot) == OK);
        struct slot_trial trial = trial_in(slot, SLOT_LEASE_EXPOSURE);
        trial.boots_max = 3;
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK && counts_boot(slots, SLOT_START_SUPERVISOR, 300) && counts_boot(slots, SLOT_START_SUPERVISOR, 300));
        CHECK(running(slots) == 4);
        CHECK(counts_boot(slots, SLOT_START_SUPERVISOR, 300) && running(slots) == 0);
}

TEST(slots_report_after, finds_what_a_change_has_added)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(slots_report_newest(slots) == 0 && !slots_report_after(slots, 0) && slots_report_count(slots) == 0);
        CHECK(install(slots, 3) == OK);
        uint64_t seen = slots_report_newest(slots);
        CHECK(seen == 300 && !slots_report_after(slots, seen) && slots_report_after(slots, 0)->counter == 3);
        CHECK(arm(slots, 4) == OK && counts_boot(slots, SLOT_START_SUPERVISOR, 300));
        CHECK(slots_report_after(slots, seen)->counter == 4 && slots_report_count(slots) == 2);
        CHECK(slots_acknowledge(slots, 301, NULL) == OK && slots_report_newest(slots) == 301 && slots_report_count(slots) == 0);
}

TEST(slots_boot, counts_a_boot_once_when_the_guard_ran_before)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        enum slot_id slot;
        CHECK(stage(slots, 4, &slot) == OK);
        struct slot_trial trial = trial_in(slot, SLOT_LEASE_EXPOSURE);
        trial.boots_max = 2;
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK);
        CHECK(counts_boot(slots, SLOT_START_GUARD, 300) && counts_boot(slots, SLOT_START_SUPERVISOR, 300));
        CHECK(slots_on_trial(slots, 0) && slots_stream(slots, 0)->boots == 2);
        CHECK(counts_boot(slots, SLOT_START_GUARD, 300) && !slots_on_trial(slots, 0));
}

/* A trial with so many starts allowed, its first one under way. */
static struct slots *on_trial(struct sim_disk *sim, uint8_t boots_max)
{
        struct slots *slots = open_one(sim);
        enum slot_id slot;
        CHECK(stage(slots, 4, &slot) == OK);
        struct slot_trial trial = trial_in(slot, SLOT_LEASE_EXPOSURE);
        trial.boots_max = boots_max;
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK);
        return slots;
}

TEST(slots_hand_over, costs_nothing_when_the_heir_comes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = on_trial(&sim, 1);
        CHECK(slots_hand_over(slots, NULL) == OK && counts_boot(slots, SLOT_START_HANDED, 300));
        CHECK(slots_on_trial(slots, 0) && slots_stream(slots, 0)->boots == 1);
        CHECK(counts_boot(slots, SLOT_START_SUPERVISOR, 300) && !slots_on_trial(slots, 0));       /* it came, and died */
}

TEST(slots_hand_over, counts_where_the_heir_never_came)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = on_trial(&sim, 2);
        CHECK(slots_hand_over(slots, NULL) == OK && counts_boot(slots, SLOT_START_SUPERVISOR, 300));
        CHECK(slots_on_trial(slots, 0) && slots_stream(slots, 0)->boots == 2);
        CHECK(slots_hand_over(slots, NULL) == OK && counts_boot(slots, SLOT_START_SUPERVISOR, 300) && !slots_on_trial(slots, 0));
}

TEST(slots_hand_over, passes_on_what_the_guard_has_counted)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = on_trial(&sim, 2);
        CHECK(counts_boot(slots, SLOT_START_GUARD, 300) && counts_boot(slots, SLOT_START_SUPERVISOR, 300));
        CHECK(slots_hand_over(slots, NULL) == OK && counts_boot(slots, SLOT_START_HANDED, 300));
        CHECK(slots_on_trial(slots, 0) && slots_stream(slots, 0)->boots == 2);
}

TEST(slots_hand_over, writes_nothing_without_a_trial)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK);
        sim_disk_cut_at(&sim, 0, 0);
        CHECK(slots_hand_over(slots, NULL) == OK);
}

TEST(slots_stop, makes_a_planned_stop_cost_the_release_nothing)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(arm(slots, 3) == OK && slots_stop(slots, NULL) == OK && counts_boot(slots, SLOT_START_SUPERVISOR, 300));
        CHECK(slots_on_trial(slots, 0) && running(slots) == 3);
        CHECK(counts_boot(slots, SLOT_START_SUPERVISOR, 300) && !slots_on_trial(slots, 0));
}

TEST(slots_withdraw, goes_back_to_the_other_good_slot_then_to_the_factory)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && install(slots, 4) == OK);
        CHECK(slots_withdraw(slots, 0, 9, 300, NULL) == ERR_NOT_FOUND);
        CHECK(slots_acknowledge(slots, 301, NULL) == OK);
        CHECK(slots_withdraw(slots, 0, 4, 300, NULL) == OK && running(slots) == 3 && slots_is_denied(slots, 0, 4));
        CHECK(slots_report(slots)->outcome == SLOT_DECLINED && slots_report(slots)->nonce[0] == 0);
        CHECK(slots_withdraw(slots, 0, 3, 300, NULL) == OK && running(slots) == 0 && slots_stream(slots, 0)->last_good == SLOT_FACTORY);
}

TEST(slots_withdraw, ends_a_trial_of_that_release_without_calling_it_harm)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && slots_acknowledge(slots, 300, NULL) == OK && arm(slots, 4) == OK);
        CHECK(slots_withdraw(slots, 0, 4, 300, NULL) == OK && running(slots) == 3 && !slots_on_trial(slots, 0));
        CHECK(slots_report(slots)->outcome == SLOT_DECLINED && slots_report(slots)->running == 3 && slots_report(slots)->nonce[0] == 7);
}

TEST(slots_descend, goes_down_to_safe_mode_level_by_level)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && install(slots, 4) == OK);
        const uint8_t levels[] = { SLOT_A, SLOT_FACTORY, SLOT_NONE };
        for (size_t i = 0; i < sizeof(levels); i++) {
                CHECK(slots_descend(slots, 0, &crash, NULL) == OK);
                CHECK(slots_stream(slots, 0)->current == levels[i]);
        }
        CHECK(slots_descend(slots, 0, &crash, NULL) == ERR_REFUSED);
        CHECK(install(slots, 5) == OK && running(slots) == 5);
}

TEST(slots_is_denied, never_allows_again_what_it_has_no_room_to_remember)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        for (uint64_t counter = 10; counter < 10 + 2 * SLOT_DENIED_MAX; counter++)
                CHECK(arm(slots, counter) == OK && slots_give_up(slots, 0, &crash, NULL) == OK);
        for (uint64_t counter = 10; counter < 10 + 2 * SLOT_DENIED_MAX; counter++)
                CHECK(slots_is_denied(slots, 0, counter));
        CHECK(!slots_is_denied(slots, 0, 10 + 2 * SLOT_DENIED_MAX));
}

TEST(slots_report, keeps_the_newest_and_their_numbers_when_there_is_no_room)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        for (uint64_t counter = 1; counter <= SLOT_REPORTS_MAX + 3; counter++)
                CHECK(install(slots, counter) == OK);
        CHECK(slots_report(slots)->seq == 303 && slots_report(slots)->counters.proven == 4);
        CHECK(slots_acknowledge(slots, 304, NULL) == OK && slots_report(slots)->seq == 305);
        CHECK(slots_acknowledge(slots, 304, NULL) == OK && slots_report(slots)->seq == 305);
        CHECK(slots_acknowledge(slots, 1000, NULL) == OK && !slots_report(slots));
}

/* Two releases, a failing one, a planned stop and a withdrawal. */
static void whole_life(struct disk *disk)
{
        struct slots *slots = NULL;
        if (slots_open(disk, one, 1, &slots, NULL))
                return;
        enum err e = install(slots, 3);
        if (!e)
                e = install(slots, 4);
        if (!e)
                e = arm(slots, 5);
        if (!e)
                e = slots_count_crash(slots, 0, NULL);
        if (!e)
                e = slots_give_up(slots, 0, &crash, NULL);
        if (!e)
                e = arm(slots, 6);
        if (!e)
                e = slots_stop(slots, NULL);
        if (!e)
                (void)!slots_withdraw(slots, 0, 6, 400, NULL);
        slots_close(slots);
}

TEST(slots, always_name_something_good_whenever_the_power_goes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned cuts = 0;
        SWEEP_POWER(&sim) {
                whole_life(&sim.disk);
                cuts += sim.was_cut;
                sim_disk_power_on(&sim);
                OWN(slots) struct slots *slots = open_one(&sim);
                CHECK(counts_boot(slots, SLOT_START_GUARD, 500));
                const struct slot_stream *now = slots_stream(slots, 0);
                CHECK(now->last_good == SLOT_FACTORY || now->state[now->last_good] == SLOT_GOOD);
                CHECK(now->current == now->last_good || slots_on_trial(slots, 0));
                CHECK(running(slots) != 5);
        }
        CHECK(cuts >= 14 * 2);
}

TEST(slots, change_nothing_when_the_disk_is_full)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK);
        enum slot_id slot;
        sim.free_bytes = 0;
        CHECK(slots_clear(slots, 0, &slot, NULL) == ERR_FULL && running(slots) == 3);
        sim.free_bytes = 1 << 20;
        sim_disk_power_on(&sim);
        OWN(slots) struct slots *again = open_one(&sim);
        CHECK(running(again) == 3 && install(again, 4) == OK);
}

static bool is_there(struct sim_disk *sim, const char *path)
{
        int file;
        uint64_t length;
        if (sim->disk.ops->open(&sim->disk, path, &file, &length, NULL))
                return false;
        sim->disk.ops->file_close(&sim->disk, file);
        return length == sizeof(struct slot_record);
}

TEST(slots, have_room_put_aside_for_a_full_disk)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && arm(slots, 4) == OK && is_there(&sim, "slots.spare"));
        sim_disk_fail_at(&sim, 0, ERR_FULL);
        CHECK(slots_give_up(slots, 0, &crash, NULL) == OK && !slots_is_owed(slots) && !slots_take_trouble(slots));
        OWN(slots) struct slots *again = open_one(&sim);
        CHECK(running(again) == 3 && is_there(&sim, "slots.spare"));
}

static bool falls_back(struct slots *slots, unsigned way)
{
        switch (way) {
        case 0: return slots_give_up(slots, 0, &crash, NULL) == OK;
        case 1: return slots_withdraw(slots, 0, 4, 300, NULL) == OK;
        case 2: return slots_descend(slots, 0, &crash, NULL) == OK;
        default: slots_boot(slots, SLOT_START_SUPERVISOR, 300); return true;
        }
}

TEST(slots, fall_back_at_once_on_a_disk_that_takes_nothing_and_owe_it)
{
        for (unsigned way = 0; way < 4; way++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                OWN(slots) struct slots *slots = open_one(&sim);
                CHECK(install(slots, 3) == OK && arm(slots, 4) == OK);
                sim.is_readonly = true;
                CHECK(falls_back(slots, way) && running(slots) == 3 && !slots_on_trial(slots, 0) && slots_is_owed(slots));
                CHECK(slots_take_trouble(slots) && !slots_take_trouble(slots));
                CHECK(slots_save(slots, NULL) == ERR_IO && slots_is_owed(slots) && slots_report(slots)->counter == 3);
                OWN(slots) struct slots *before = open_one(&sim);
                CHECK(running(before) == 4 && slots_on_trial(before, 0));
                sim.is_readonly = false;
                CHECK(slots_save(slots, NULL) == OK && !slots_is_owed(slots));
                OWN(slots) struct slots *after = open_one(&sim);
                CHECK(running(after) == 3 && slots_is_denied(after, 0, 4));
        }
}

/* Also when the very next change brought it there. */
TEST(slots, say_that_a_fall_back_found_a_bad_disk)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 3) == OK && arm(slots, 4) == OK);
        sim_disk_fail_at(&sim, 0, ERR_IO);
        CHECK(slots_give_up(slots, 0, &crash, NULL) == OK && slots_is_owed(slots));
        CHECK(slots_count_start(slots, 0, NULL) == OK && !slots_is_owed(slots));
        const char *trouble = slots_take_trouble(slots);
        CHECK(trouble && strstr(trouble, "slot record") && !slots_take_trouble(slots));
}

TEST(slots_boot, starts_nothing_that_it_cannot_count)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        enum slot_id slot;
        CHECK(install(slots, 3) == OK && stage(slots, 4, &slot) == OK);
        struct slot_trial trial = trial_in(slot, SLOT_LEASE_EXPOSURE);
        trial.boots_max = 3;
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK);
        sim.is_readonly = true;
        slots_boot(slots, SLOT_START_SUPERVISOR, 300);
        CHECK(running(slots) == 3 && slots_is_owed(slots));
}

TEST(slots_open, takes_what_is_no_file_for_a_damaged_record_and_moves_it)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        struct disk *disk = &sim.disk;
        CHECK(disk->ops->make_folder(disk, "slots", NULL) == OK && disk->ops->replace(disk, "slots/inside", "x", 1, NULL) == OK);
        CHECK(disk->ops->replace(disk, "slots.damaged", "older", 5, NULL) == OK);
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open(disk, one, 1, &slots, NULL) == ERR_SYNTAX);
        CHECK(slots_reset(&(struct slot_reset){ disk, one, 1, 400 }, &slots, NULL) == OK && !slots_is_owed(slots));
        OWN(slots) struct slots *again = open_one(&sim);
        OWN(buf) struct buf kept;
        buf_init(&kept, 10);
        CHECK(running(again) == 0 && disk->ops->read(disk, "slots.damaged/inside", &kept, NULL) == OK);
}

TEST(slots_damaged, empties_the_slot_and_denies_nothing)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        const struct slot_damage damage = { "slot b damaged", 1 };
        struct why why;
        CHECK(slots_damaged(slots, 0, &damage, &why) == ERR_REFUSED && !slots_report(slots));
        CHECK(install(slots, 1) == OK && install(slots, 2) == OK);
        while (slots_report(slots))
                CHECK(slots_acknowledge(slots, slots_report(slots)->seq, NULL) == OK);
        const enum slot_id slot = (enum slot_id)slots_stream(slots, 0)->current;
        /* A shadow's lease is answered by it. */
        const struct slot_trial shadow = { .lease = SLOT_LEASE_SHADOW, .slot = (uint8_t)slot, .nonce = { 9 }, .boots_max = 1, .crashes_max = 1 };
        CHECK(slots_arm(slots, 0, &shadow, NULL) == OK && slots_damaged(slots, 0, &damage, NULL) == OK);
        const struct slot_report *report = slots_report(slots);
        CHECK(running(slots) == 1 && !slots_on_trial(slots, 0) && !slots_is_denied(slots, 0, 2) && slots_in(slots, 0, slot)->counter == 0);
        CHECK(slots_stream(slots, 0)->state[slot] == SLOT_EMPTY && slots_stream(slots, 0)->counters.fallbacks == 1);
        CHECK(report->counter == 2 && report->running == 1 && report->outcome == SLOT_DECLINED && report->kind == SLOT_KIND_NONE && report->nonce[0] == 9);
        CHECK(install(slots, 2) == OK && running(slots) == 2);
        CHECK(slots_damaged(slots, 0, &damage, NULL) == OK && slots_damaged(slots, 0, &damage, NULL) == OK && running(slots) == 0);
}

static unsigned reads, reads_refused;

static enum err read_sometimes(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        static const struct disk_ops *real;
        if (!real) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                real = sim.disk.ops;
        }
        return reads++ < reads_refused ? FAIL(why, ERR_IO, "a bad sector") : real->read(disk, path, into, why);
}

/* No engine at all would be worse than one on its factory content. */
TEST(slots_open, takes_a_record_that_the_disk_does_not_give_for_a_damaged_one_but_not_at_once)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(install(slots, 1) == OK);
        struct disk_ops ops = *sim.disk.ops;
        ops.read = read_sometimes;
        sim.disk.ops = &ops;
        OWN(slots) struct slots *again = NULL;
        reads = 0;
        reads_refused = 2;
        CHECK(slots_open(&sim.disk, one, 1, &again, NULL) == OK && running(again) == 1);
        struct slots *none = NULL;
        struct why why;
        reads = 0;
        reads_refused = UINT_MAX;
        CHECK(slots_open(&sim.disk, one, 1, &none, &why) == ERR_SYNTAX && !none && strstr(why.text, "a bad sector"));
}

TEST(slots_open, takes_a_lost_record_for_a_damaged_one_where_a_release_ran)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        struct disk *disk = &sim.disk;
        CHECK(disk->ops->make_folder(disk, "streams", NULL) == OK && disk->ops->make_folder(disk, "streams/edr-rules", NULL) == OK);
        CHECK(disk->ops->point(disk, "streams/edr-rules/current", "factory", NULL) == OK);
        slots_close(open_one(&sim));
        CHECK(disk->ops->point(disk, "streams/edr-rules/current", "b", NULL) == OK);
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open(disk, one, 1, &slots, NULL) == ERR_SYNTAX && slots_open_all(disk, &slots, NULL) == ERR_SYNTAX && !slots);
}

/* Whatever its record was before: the server knows the small numbers. */
TEST(slots_report, is_numbered_from_the_time_where_there_was_no_record)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = open_one(&sim);
        CHECK(slots_report_newest(slots) == 0 && arm(slots, 3) == OK);
        CHECK(slots_give_up(slots, 0, &(struct slot_harm){ SLOT_CRASH, "", 1784432200 }, NULL) == OK);
        CHECK(slots_report(slots)->seq == 1784432200 && slots_report_after(slots, 0)->seq == 1784432200);
}
