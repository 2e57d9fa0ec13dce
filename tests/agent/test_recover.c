/* On a disk in memory, which loses power and fails on demand; what is said of it: test_command.c. */
#include "agent/recover.h"

#include "agent/content.h"
#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>

enum { NOW_S = 1784432200 };

static const char *const names[] = { "rules", "lists" };

static void run_release(struct slots *slots, size_t stream, uint64_t counter)
{
        enum slot_id slot;
        const struct slot_release release = { .counter = counter };
        CHECK(slots_clear(slots, stream, &slot, NULL) == OK && slots_staged(slots, stream, slot, &release, NULL) == OK);
        const struct slot_trial trial = { .lease = SLOT_LEASE_EXPOSURE, .slot = (uint8_t)slot, .boots_max = 1, .crashes_max = 2 };
        CHECK(slots_arm(slots, stream, &trial, NULL) == OK);
}

static enum slot_id current_of(struct disk *disk, size_t stream)
{
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open_all(disk, &slots, NULL) == OK);
        return (enum slot_id)slots_stream(slots, stream)->current;
}

static void settle_all(struct disk *disk, const struct slots *slots)
{
        for (size_t i = 0; i < 2; i++)
                CHECK(content_settle(disk, slots, i, NULL) == OK);
}

/* rules: 6 is good in a, 7 on trial in b. lists: 3 is good in a. */
static void prepare(struct disk *disk)
{
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open(disk, names, 2, &slots, NULL) == OK);
        for (size_t i = 0; i < 2; i++) {
                CHECK(content_prepare(disk, names[i], NULL, NULL) == OK);
                run_release(slots, i, i ? 3 : 6);
                CHECK(slots_prove(slots, i, NOW_S, NULL) == OK);
        }
        run_release(slots, 0, 7);
        settle_all(disk, slots);
}

static struct recovery run(struct disk *disk, const struct recover_wish *wish)
{
        struct recovery recovery;
        CHECK(recover_run(disk, wish, NOW_S, &recovery, NULL) == OK);
        return recovery;
}

TEST(recover_run, gives_up_the_trial_and_takes_others_one_level_down)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        struct recovery recovery = run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD });
        CHECK(recovery.count == 2 && strcmp(recovery.before, "slots.before-recover") == 0 && !recovery.damage.text[0]);
        const struct recovered *rules = &recovery.streams[0], *lists = &recovery.streams[1];
        CHECK(strcmp(rules->name, "rules") == 0 && rules->counter == 7 && rules->found.trial.lease && strcmp(rules->link, "b") == 0);
        CHECK(rules->step == RECOVER_GAVE_UP && rules->slot == SLOT_A && rules->now == 6 && strcmp(sim_disk_link(&sim, "streams/rules/current"), "a") == 0);
        CHECK(lists->step == RECOVER_WENT_DOWN && lists->slot == SLOT_FACTORY && lists->counter == 3);
        recovery = run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD });
        CHECK(recovery.streams[0].step == RECOVER_WENT_DOWN && recovery.streams[0].slot == SLOT_FACTORY && recovery.streams[1].step == RECOVER_NOTHING);
        CHECK(strcmp(recovery.before, "slots.before-recover.2") == 0);
        recovery = run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD });
        CHECK(!recovery.before[0] && recovery.streams[0].step == RECOVER_NOTHING);
}

TEST(recover_run, goes_as_far_as_it_is_told_and_only_in_the_stream_that_is_named)
{
        static const struct { enum recover_to to; enum slot_id slot; enum recover_step step; } cases[] = {
                { RECOVER_GOOD, SLOT_A, RECOVER_GAVE_UP }, { RECOVER_FACTORY, SLOT_FACTORY, RECOVER_GAVE_UP }, { RECOVER_SAFE, SLOT_NONE, RECOVER_GAVE_UP },
        };
        for (size_t i = 0; i < 3; i++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                prepare(&sim.disk);
                struct recovery recovery = run(&sim.disk, &(struct recover_wish){ .stream = "rules", .to = cases[i].to });
                CHECK(recovery.count == 1 && recovery.streams[0].slot == cases[i].slot && recovery.streams[0].step == cases[i].step);
                CHECK(current_of(&sim.disk, 0) == cases[i].slot && current_of(&sim.disk, 1) == SLOT_A);
                CHECK(strcmp(sim_disk_link(&sim, "streams/rules/current"), slot_name(cases[i].slot)) == 0);
        }
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        struct recovery recovery;
        struct why why;
        CHECK(recover_run(&sim.disk, &(struct recover_wish){ .stream = "rule" }, NOW_S, &recovery, &why) == ERR_NOT_FOUND && strstr(why.text, "no stream rule"));
        CHECK(current_of(&sim.disk, 0) == SLOT_B && recover_undo(&sim.disk, false, &recovery, NULL) == ERR_NOT_FOUND);
}

TEST(recover_run, dry_says_what_it_would_do_and_changes_nothing)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        const unsigned changes = sim.changes;
        struct recovery dry = run(&sim.disk, &(struct recover_wish){ .to = RECOVER_SAFE, .is_dry = true });
        CHECK(sim.changes == changes && dry.streams[0].slot == SLOT_NONE && dry.streams[1].slot == SLOT_NONE);
        CHECK(disk_path_check("slots", NULL) == OK && sim.disk.ops->replace(&sim.disk, "slots", "garbage", 7, NULL) == OK);
        const unsigned damaged = sim.changes;
        dry = run(&sim.disk, &(struct recover_wish){ .is_dry = true });
        CHECK(sim.changes == damaged && dry.damage.text[0] && dry.count == 2 && dry.streams[0].step == RECOVER_RESET && dry.streams[0].slot == SLOT_FACTORY);
}

TEST(recover_run, mends_a_link_that_the_record_contradicts)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        CHECK(run(&sim.disk, &(struct recover_wish){ .to = RECOVER_FACTORY }).count == 2);
        CHECK(sim.disk.ops->point(&sim.disk, "streams/rules/current", "b", NULL) == OK);
        struct recovery recovery = run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD });
        CHECK(recovery.streams[0].step == RECOVER_NOTHING && strcmp(recovery.streams[0].link, "b") == 0);
        CHECK(strcmp(sim_disk_link(&sim, "streams/rules/current"), "factory") == 0);
}

TEST(recover_undo, puts_back_one_after_the_other)
{
        struct recovery recovery;
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        for (int i = 0; i < 2; i++)
                CHECK(run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD }).before[0]);
        CHECK(current_of(&sim.disk, 0) == SLOT_FACTORY);
        const unsigned changes = sim.changes;
        CHECK(recover_undo(&sim.disk, true, &recovery, NULL) == OK && sim.changes == changes && strcmp(recovery.before, "slots.before-recover.2") == 0);
        CHECK(recover_undo(&sim.disk, false, &recovery, NULL) == OK && current_of(&sim.disk, 0) == SLOT_A);
        CHECK(recovery.streams[0].slot == SLOT_A && strcmp(sim_disk_link(&sim, "streams/rules/current"), "a") == 0);
        CHECK(recover_undo(&sim.disk, false, &recovery, NULL) == OK && current_of(&sim.disk, 0) == SLOT_B && current_of(&sim.disk, 1) == SLOT_A);
        CHECK(strcmp(sim_disk_link(&sim, "streams/rules/current"), "b") == 0);
        CHECK(recover_undo(&sim.disk, false, &recovery, NULL) == ERR_NOT_FOUND);
}

/* It would forget what happened since. */
TEST(recover_undo, refuses_once_the_device_has_run)
{
        struct recovery recovery;
        struct why why;
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(slots) struct slots *slots = NULL;
        sim_disk_init(&sim);
        prepare(&sim.disk);
        CHECK(run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD }).before[0]);
        CHECK(slots_open(&sim.disk, names, 2, &slots, NULL) == OK && slots_count_start(slots, 0, NULL) == OK);
        CHECK(recover_undo(&sim.disk, false, &recovery, &why) == ERR_REFUSED && strstr(why.text, "has run since") && current_of(&sim.disk, 0) == SLOT_A);
}

/* Also when it is the one before that is to be undone. */
TEST(recover_undo, refuses_the_one_before_once_the_device_has_run_between)
{
        struct recovery recovery;
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(slots) struct slots *slots = NULL;
        sim_disk_init(&sim);
        prepare(&sim.disk);
        CHECK(run(&sim.disk, &(struct recover_wish){ .to = RECOVER_FACTORY }).before[0]);
        CHECK(slots_open(&sim.disk, names, 2, &slots, NULL) == OK);
        run_release(slots, 0, 8);
        CHECK(slots_prove(slots, 0, NOW_S, NULL) == OK && run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD }).before[0]);
        CHECK(recover_undo(&sim.disk, false, &recovery, NULL) == OK && recovery.streams[0].now == 8);
        CHECK(recover_undo(&sim.disk, false, &recovery, NULL) == ERR_REFUSED);
        OWN(slots) struct slots *after = NULL;
        CHECK(slots_open_all(&sim.disk, &after, NULL) == OK && slots_in(after, 0, (enum slot_id)slots_stream(after, 0)->current)->counter == 8);
}

TEST(recover_undo, puts_back_nothing_but_what_was_kept)
{
        struct recovery recovery;
        struct why why;
        static const char *const spoilt[] = { "garbage", "" };
        for (size_t i = 0; i < 2; i++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                prepare(&sim.disk);
                CHECK(run(&sim.disk, &(struct recover_wish){ .to = RECOVER_FACTORY }).before[0]);
                CHECK(sim.disk.ops->replace(&sim.disk, "slots.before-recover.9", spoilt[i], strlen(spoilt[i]), NULL) == OK);    /* not ours: passed over */
                CHECK(recover_undo(&sim.disk, true, &recovery, NULL) == OK && strcmp(recovery.before, "slots.before-recover") == 0);
                CHECK(sim.disk.ops->replace(&sim.disk, "slots.before-recover", spoilt[i], strlen(spoilt[i]), NULL) == OK);
                for (int is_dry = 0; is_dry < 2; is_dry++)
                        CHECK(recover_undo(&sim.disk, is_dry, &recovery, &why) == ERR_SYNTAX && strstr(why.text, "is not what was kept there"));
                CHECK(sim.disk.ops->replace(&sim.disk, "slots.after-recover", spoilt[i], strlen(spoilt[i]), NULL) == OK);
                CHECK(recover_undo(&sim.disk, false, &recovery, &why) == ERR_SYNTAX && current_of(&sim.disk, 0) == SLOT_FACTORY);
        }
}

TEST(recover_run, with_a_damaged_record_goes_as_far_as_it_is_told_and_for_all_streams)
{
        struct recovery recovery;
        struct why why;
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        prepare(&sim.disk);
        CHECK(sim.disk.ops->replace(&sim.disk, "slots", "garbage", 7, NULL) == OK);
        CHECK(recover_run(&sim.disk, &(struct recover_wish){ .stream = "rules" }, NOW_S, &recovery, &why) == ERR_REFUSED && strstr(why.text, "leave out --stream"));
        recovery = run(&sim.disk, &(struct recover_wish){ .to = RECOVER_SAFE });
        CHECK(recovery.count == 2 && recovery.streams[0].slot == SLOT_NONE && current_of(&sim.disk, 1) == SLOT_NONE);
        CHECK(strcmp(sim_disk_link(&sim, "streams/rules/current"), "none") == 0);
}

static void prepare_recovered(struct disk *disk)
{
        prepare(disk);
        CHECK(run(disk, &(struct recover_wish){ .to = RECOVER_GOOD }).before[0]);
}

static void check_startable(struct sim_disk *sim)
{
        for (size_t i = 0; i < 2; i++) {
                OWN(slots) struct slots *slots = NULL;
                char path[64];
                CHECK(slots_open_all(&sim->disk, &slots, NULL) == OK && slots_count(slots) == 2 && content_settle(&sim->disk, slots, i, NULL) == OK);
                snprintf(path, sizeof(path), "streams/%s/current", names[i]);
                CHECK(strcmp(sim_disk_link(sim, path), slot_name((enum slot_id)slots_stream(slots, i)->current)) == 0);
        }
}

static void read_record(struct disk *disk, struct buf *bytes)
{
        buf_init(bytes, sizeof(struct slot_record));
        CHECK(disk->ops->read(disk, "slots", bytes, NULL) == OK);
}

static void check_undone(struct sim_disk *sim, const struct buf *before)
{
        struct recovery recovery;
        OWN(buf) struct buf now;
        CHECK(recover_undo(&sim->disk, false, &recovery, NULL) == OK);
        read_record(&sim->disk, &now);
        CHECK(now.length == before->length && memcmp(now.bytes, before->bytes, now.length) == 0);
        CHECK(strcmp(sim_disk_link(sim, "streams/rules/current"), "b") == 0 && strcmp(sim_disk_link(sim, "streams/lists/current"), "a") == 0);
        CHECK(recover_undo(&sim->disk, false, &recovery, NULL) == ERR_NOT_FOUND);
}

/* Wherever the power goes: a record that is whole; done again it ends as if it had not been cut short, not a level further, and it can be undone. */
TEST(recover, cut_short_is_finished_when_it_is_done_again)
{
        OWN(sim_disk) struct sim_disk sim = { 0 }, other = { 0 };
        OWN(buf) struct buf before;
        sim_disk_init(&other);
        prepare(&other.disk);
        read_record(&other.disk, &before);
        SWEEP_POWER_AFTER(&sim, prepare) {
                struct recovery recovery;
                (void)!recover_run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD }, NOW_S, &recovery, NULL);
                bool is_cut = sim.is_dark;
                sim_disk_power_on(&sim);
                check_startable(&sim);
                if (is_cut && sim.changes % 2)
                        CHECK(recover_run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD, .is_dry = true }, NOW_S + 1, &recovery, NULL) == OK);
                if (is_cut)
                        CHECK(recover_run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD }, NOW_S + 1, &recovery, NULL) == OK);
                CHECK(current_of(&sim.disk, 0) == SLOT_A && current_of(&sim.disk, 1) == SLOT_FACTORY && recovery.count == 2);
                check_undone(&sim, &before);
        }
}

TEST(recover_undo, of_what_was_cut_short_puts_back_what_was_before)
{
        OWN(sim_disk) struct sim_disk sim = { 0 }, other = { 0 };
        OWN(buf) struct buf before;
        sim_disk_init(&other);
        prepare(&other.disk);
        read_record(&other.disk, &before);
        SWEEP_POWER_AFTER(&sim, prepare) {
                struct recovery recovery;
                (void)!recover_run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD }, NOW_S, &recovery, NULL);
                sim_disk_power_on(&sim);
                enum err e = recover_undo(&sim.disk, false, &recovery, NULL);
                OWN(buf) struct buf now;
                read_record(&sim.disk, &now);
                CHECK((e == OK || e == ERR_NOT_FOUND) && now.length == before.length && memcmp(now.bytes, before.bytes, now.length) == 0);
        }
        SWEEP_POWER_AFTER(&sim, prepare_recovered) {
                struct recovery recovery;
                (void)!recover_undo(&sim.disk, false, &recovery, NULL);
                sim_disk_power_on(&sim);
                check_startable(&sim);
                enum err e = recover_undo(&sim.disk, false, &recovery, NULL);
                CHECK((e == OK || e == ERR_NOT_FOUND) && current_of(&sim.disk, 0) == SLOT_B && current_of(&sim.disk, 1) == SLOT_A);
        }
}

/* Its plan is about another record by then. */
TEST(recover_run, cut_short_is_forgotten_once_the_device_has_run)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER_AFTER(&sim, prepare) {
                struct recovery recovery;
                OWN(slots) struct slots *slots = NULL;
                (void)!recover_run(&sim.disk, &(struct recover_wish){ .to = RECOVER_FACTORY }, NOW_S, &recovery, NULL);
                sim_disk_power_on(&sim);
                CHECK(slots_open(&sim.disk, names, 2, &slots, NULL) == OK && slots_count_start(slots, 0, NULL) == OK);
                recovery = run(&sim.disk, &(struct recover_wish){ .stream = "rules", .to = RECOVER_SAFE });
                CHECK(recovery.count == 1 && current_of(&sim.disk, 0) == SLOT_NONE && current_of(&sim.disk, 1) == slots_stream(slots, 1)->current);
        }
}

/* Two undoings then. */
TEST(recover_run, finishes_what_was_cut_short_before_it_does_something_else)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf before;
        sim_disk_init(&sim);
        prepare(&sim.disk);
        read_record(&sim.disk, &before);
        SWEEP_POWER_AFTER(&sim, prepare) {
                struct recovery recovery;
                (void)!recover_run(&sim.disk, &(struct recover_wish){ .to = RECOVER_FACTORY }, NOW_S, &recovery, NULL);
                sim_disk_power_on(&sim);
                recovery = run(&sim.disk, &(struct recover_wish){ .to = RECOVER_SAFE });
                CHECK(current_of(&sim.disk, 0) == SLOT_NONE && current_of(&sim.disk, 1) == SLOT_NONE);
                while (recover_undo(&sim.disk, false, &recovery, NULL) == OK)
                        ;
                OWN(buf) struct buf now;
                read_record(&sim.disk, &now);
                CHECK(now.length == before.length && memcmp(now.bytes, before.bytes, now.length) == 0);
        }
}

/* A disk that fails says so, and what it says was done was done. */
TEST(recover, on_a_disk_that_fails_says_so)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_DISK_FAULT(&sim, prepare, ERR_IO) {
                struct recovery recovery;
                enum err e = recover_run(&sim.disk, &(struct recover_wish){ .to = RECOVER_GOOD }, NOW_S, &recovery, NULL);
                sim_disk_power_on(&sim);
                check_startable(&sim);
                CHECK(e || current_of(&sim.disk, 0) != SLOT_B);
        }
}

TEST(recover_to_read, knows_its_three_words)
{
        enum recover_to to = RECOVER_GOOD;
        struct why why;
        for (enum recover_to each = 0; each < RECOVER_LEVELS; each++)
                CHECK(recover_to_read(recover_to_name(each), &to, NULL) == OK && to == each);
        CHECK(recover_to_read("last", &to, &why) == ERR_USAGE && strstr(why.text, "good, factory and safe"));
}
