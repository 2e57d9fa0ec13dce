/* What is on the disk is looked at again before it runs: alone, and in the life of a stream with a stand-in for the network. */
#include "agent/content.h"
#include "agent/recheck.h"
#include "agent/world.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

enum { MANY = 200, LONG_BYTES = 3 << 20 };       /* files, and bytes of the last of them: several slices of either */

static struct release_file files[MANY];
static char names[MANY][16];

static const char *content_of(size_t i, size_t *ret_length)
{
        static char bytes[LONG_BYTES];
        memset(bytes, (int)i, sizeof(bytes));
        *ret_length = i == MANY - 1 ? sizeof(bytes) : i;
        return bytes;
}

static void install(struct disk *disk, struct slot_release *ret_release)
{
        CHECK(content_prepare(disk, "rules", NULL, NULL) == OK);
        struct release_note note = {
                .stream = "rules", .version = "1", .counter = 4, .floor = 1, .platform_count = 1, .platforms = { "any" }, .file_count = MANY, .files = files,
                .ceiling = { .start = 1, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        for (size_t i = 0; i < MANY; i++) {
                char path[64];
                size_t length;
                const char *bytes = content_of(i, &length);
                snprintf(names[i], sizeof(names[i]), "%03zu", i);
                files[i] = (struct release_file){ .length = length, .path = names[i] };
                sha256(bytes, length, files[i].sha256);
                snprintf(path, sizeof(path), "streams/rules/a/%s", names[i]);
                CHECK(disk->ops->replace(disk, path, bytes, length, NULL) == OK);
        }
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_NOTE_BYTES);
        CHECK(release_note_write(&note, &text, NULL) == OK && recheck_keep(disk, "rules", SLOT_A, &note, NULL) == OK);
        *ret_release = (struct slot_release){ .counter = 4 };
        sha256(text.bytes, text.length, ret_release->target);
}

static enum err look(struct disk *disk, const struct slot_release *release, unsigned *ret_steps, struct why *why)
{
        OWN(recheck) struct recheck *recheck = NULL;
        bool is_done = false;
        enum err e = recheck_open(&(struct recheck_of){ disk, "rules", SLOT_A, release }, &recheck, why);
        for (*ret_steps = 0; !e && !is_done; ++*ret_steps)
                e = recheck_step(recheck, &is_done, why);
        return e;
}

TEST(recheck, finds_the_file_that_is_not_what_was_installed)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct disk *disk = &sim.disk;
        struct slot_release release;
        struct why why;
        unsigned steps;
        sim_disk_init(&sim);
        install(disk, &release);
        CHECK(look(disk, &release, &steps, &why) == OK && steps >= 5);
        CHECK(disk->ops->replace(disk, "streams/rules/a/077", "x", 1, NULL) == OK);
        CHECK(look(disk, &release, &steps, &why) == ERR_CONTENT && strcmp(why.text, "077 has 1 bytes, installed were 77") == 0);
        CHECK(disk->ops->replace(disk, "streams/rules/a/001", "x", 1, NULL) == OK);
        CHECK(look(disk, &release, &steps, &why) == ERR_CONTENT && strcmp(why.text, "001 has other bytes than were installed") == 0);
        CHECK(disk->ops->remove_tree(disk, "streams/rules/a/000", NULL) == OK);
        CHECK(look(disk, &release, &steps, &why) == ERR_CONTENT && strcmp(why.text, "000 is gone") == 0);
        CHECK(disk->ops->make_folder(disk, "streams/rules/a/000", NULL) == OK);
        CHECK(look(disk, &release, &steps, &why) == ERR_CONTENT && strncmp(why.text, "000 ", 4) == 0);
}

TEST(recheck, forgives_a_disk_that_fails_once)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct slot_release release;
        unsigned steps;
        sim_disk_init(&sim);
        install(&sim.disk, &release);
        for (unsigned n = 0; n < 300; n++) {
                sim_disk_fail_at(&sim, n, ERR_IO);
                enum err e = look(&sim.disk, &release, &steps, NULL);
                CHECK(e == OK || (e == ERR_IO && !n));           /* the first call reads the note */
        }
}

TEST(recheck, believes_no_note_but_that_of_the_release)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        struct disk *disk = &sim.disk;
        struct slot_release release, other;
        struct why why;
        unsigned steps;
        sim_disk_init(&sim);
        install(disk, &release);
        other = release;
        other.target[0] ^= 1;
        CHECK(look(disk, &other, &steps, &why) == ERR_SYNTAX);
        CHECK(disk->ops->replace(disk, "streams/rules/a.note", "x", 1, NULL) == OK && look(disk, &release, &steps, &why) == ERR_SYNTAX);
        CHECK(disk->ops->remove_tree(disk, "streams/rules/a.note", NULL) == OK && look(disk, &release, &steps, &why) == ERR_NOT_FOUND);
        struct recheck *none = NULL;
        CHECK(recheck_open(&(struct recheck_of){ disk, "rules", SLOT_FACTORY, &release }, &none, NULL) == ERR_NOT_FOUND && !none);
}

/* 4 is in slot a, 6 in b and runs. */
static void run_6(void)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        world_hear(6, OFFER_GO);
        CHECK(world_running() == 6);
        while (slots_report(world.agent.slots))
                CHECK(slots_acknowledge(world.agent.slots, slots_report(world.agent.slots)->seq, NULL) == OK);
}

static void spoil(const char *path)
{
        CHECK(world.sim.disk.ops->replace(&world.sim.disk, path, "9\n", 2, NULL) == OK);
}

/* The machine is off meanwhile, and then it starts. */
static void start_spoilt(const char *one, const char *another)
{
        world_end();
        spoil(one);
        if (another)
                spoil(another);
        CHECK(world_start() == OK);
        world_live();
}

static void stop(void)
{
        world_end();
        world_close();
}

TEST(recheck, of_what_is_whole_holds_up_the_engine_for_a_while_and_changes_nothing)
{
        run_6();
        world_end();
        CHECK(world_start() == OK);
        CHECK(rechecking_holds(&world.stream, world.now_ms) && stream_wake_ms(&world.stream) <= world.now_ms);
        CHECK(!rechecking_holds(&world.stream, world.now_ms + 10000));
        world_live();
        CHECK(world_running() == 6 && !slots_report(world.agent.slots) && !world.stream.recheck);
        stop();
}

TEST(recheck, goes_down_one_level_and_says_which_file_it_was)
{
        run_6();
        start_spoilt("streams/rules/b/VERSION", NULL);
        const struct slot_report *report = slots_report(world.agent.slots);
        CHECK(world_running() == 4 && report->counter == 6 && report->running == 4 && report->outcome == SLOT_DECLINED && report->kind == SLOT_KIND_NONE);
        static const uint8_t no_lease[16];
        CHECK(memcmp(report->nonce, no_lease, sizeof(no_lease)) == 0);   /* that was answered when it was proven */
        CHECK(strcmp(report->detail, "slot b damaged: VERSION has other bytes than were installed") == 0 && slots_report_count(world.agent.slots) == 1);
        stop();
}

/* It was the disk. */
TEST(recheck, lets_the_same_release_come_again)
{
        run_6();
        start_spoilt("streams/rules/b/VERSION", NULL);
        CHECK(world_running() == 4 && !slots_is_denied(world.agent.slots, 0, 6) && slots_stream(world.agent.slots, 0)->state[SLOT_B] == SLOT_EMPTY);
        world_hear(6, OFFER_GO);
        CHECK(world_running() == 6 && !slots_on_trial(world.agent.slots, 0) && slots_stream(world.agent.slots, 0)->last_good == SLOT_B);
        world_end();
        CHECK(world_start() == OK);
        world_live();
        CHECK(world_running() == 6);
        stop();
}

/* 7 runs, which has so much that no look at it is waited for. */
static void run_much(void)
{
        struct disk *disk = &world.sim.disk;
        struct slots *slots = world.agent.slots;
        enum slot_id slot;
        struct release_file file = { .length = 65 << 20, .path = "VERSION" };
        const struct release_note note = {
                .stream = "rules", .version = "1", .counter = 7, .floor = 1, .platform_count = 1, .platforms = { "any" }, .file_count = 1, .files = &file,
                .ceiling = { .start = 1, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        struct slot_release release = { .counter = 7 };
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_NOTE_BYTES);
        CHECK(release_note_write(&note, &text, NULL) == OK);
        sha256(text.bytes, text.length, release.target);
        CHECK(slots_clear(slots, 0, &slot, NULL) == OK && recheck_keep(disk, "rules", slot, &note, NULL) == OK);
        CHECK(slots_staged(slots, 0, slot, &release, NULL) == OK);
        const struct slot_trial trial = { .lease = SLOT_LEASE_EXPOSURE, .slot = (uint8_t)slot, .boots_max = 1, .crashes_max = 1 };
        CHECK(slots_arm(slots, 0, &trial, NULL) == OK && slots_prove(slots, 0, 1, NULL) == OK);
}

TEST(recheck, of_much_content_holds_up_no_engine)
{
        run_6();
        run_much();
        world_end();
        CHECK(world_start() == OK && world.stream.recheck && !rechecking_holds(&world.stream, world.now_ms));
        CHECK(stream_wake_ms(&world.stream) <= world.now_ms);
        world_live();
        CHECK(world_running() == 6);     /* there were no such bytes */
        stop();
}

TEST(recheck, ends_on_the_factory_copy_when_both_slots_are_spoilt)
{
        run_6();
        start_spoilt("streams/rules/a/VERSION", "streams/rules/b/VERSION");
        CHECK(world_running() == 0 && slots_stream(world.agent.slots, 0)->current == SLOT_FACTORY && slots_report_count(world.agent.slots) == 2);
        stop();
}

TEST(recheck, looks_at_last_good_when_it_falls_back_to_it)
{
        run_6();
        spoil("streams/rules/a/VERSION");
        world_hear(6, OFFER_WITHDRAW);
        CHECK(world_running() == 0);
        stop();
}

TEST(recheck, ends_the_trial_of_what_is_spoilt)
{
        run_6();
        world.stream_config.boots_max = 3;
        world.lease_bake_s = 100;
        world_hear(7, OFFER_GO);
        CHECK(world_running() == 7 && slots_on_trial(world.agent.slots, 0));
        start_spoilt("streams/rules/a/VERSION", NULL);
        const struct slot_report *report = slots_report(world.agent.slots);
        CHECK(world_running() == 6 && !slots_on_trial(world.agent.slots, 0) && report->counter == 7 && report->outcome == SLOT_DECLINED);
        CHECK(slots_report_count(world.agent.slots) == 1 && !slots_is_denied(world.agent.slots, 0, 7) && report->nonce[0]);
        stop();
}

TEST(recheck, lets_run_what_it_cannot_judge)
{
        run_6();
        start_spoilt("streams/rules/b.note", NULL);
        CHECK(world_running() == 6 && !slots_report(world.agent.slots));
        stop();
}
