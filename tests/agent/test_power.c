/* The whole life of releases on one device, with the real stream, slots, content and unpacking over a disk that loses power
 * at every change: afterwards there is always something good to start. The network, the judge and the clock are stand-ins. */
#include "agent/content.h"
#include "agent/world.h"
#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* 4 is proven, 5 kills its engine, 6 is proven and then withdrawn; each step only while there is power. */
static void whole_life(void)
{
        if (world_start())
                return;
        world_live();
        world_hear(4, OFFER_GO);
        const struct offer bad = world_offer(5, OFFER_GO);
        stream_offer(&world.stream, &bad);
        for (int turn = 0; turn < 60 && !world.sim.is_dark && world.stream.life != LIFE_PROBATION; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        world_set_pid(0x7fffffff);
        world_live();
        world_set_pid(getpid());
        if (!world.sim.is_dark)
                world_hear(6, OFFER_GO);
        if (!world.sim.is_dark)
                world_hear(6, OFFER_WITHDRAW);
}

static bool is_whole(enum slot_id slot)
{
        if (slot >= SLOT_FACTORY)
                return slot == SLOT_FACTORY;
        char path[CONTENT_PATH_BYTES + 16], text[32];
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 64);
        snprintf(path, sizeof(path), "%s/VERSION", content_slot("rules", slot).text);
        world_content(slots_in(world.agent.slots, 0, slot)->counter, text);
        return world.sim.disk.ops->read(&world.sim.disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), text) == 0;
}

static void check_startable(void)
{
        const struct slot_stream *now = slots_stream(world.agent.slots, 0);
        const char *link = sim_disk_link(&world.sim, "streams/rules/current");
        CHECK(link && strcmp(link, slot_name((enum slot_id)now->current)) == 0);
        CHECK(is_whole((enum slot_id)now->current) && is_whole((enum slot_id)now->last_good));
        CHECK(now->current == now->last_good || slots_on_trial(world.agent.slots, 0));
        CHECK(slots_in(world.agent.slots, 0, (enum slot_id)now->last_good)->counter != 5);
        const struct slot_report *report = slots_report(world.agent.slots);
        CHECK(!slots_is_denied(world.agent.slots, 0, 5) || report);
}

TEST(life, goes_as_planned_while_there_is_power)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        whole_life();
        CHECK(world_running() == 4 && slots_is_denied(world.agent.slots, 0, 5) && slots_is_denied(world.agent.slots, 0, 6));
        CHECK(slots_stream(world.agent.slots, 0)->counters.proven == 2 && slots_stream(world.agent.slots, 0)->counters.crashes == 1);
        check_startable();
        world_end();
        world_close();
}

static enum err count_entry(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length, (void)why;
        ++*(unsigned *)user;
        return OK;
}

static unsigned spool_entries(void)
{
        unsigned count = 0;
        CHECK(world.sim.disk.ops->list(&world.sim.disk, "spool", count_entry, &count, NULL) == OK);
        return count;
}

TEST(spool, holds_nothing_once_a_release_is_proven_or_given_up)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        struct disk *disk = &world.sim.disk;
        for (unsigned i = 0; i < 200; i++) {
                uint8_t digest[32] = { (uint8_t)i };
                CHECK(disk->ops->replace(disk, spool_artifact(digest).text, "left", 4, NULL) == OK);
        }
        CHECK(disk->ops->replace(disk, "spool/wanted", "metadata", 8, NULL) == OK);
        const struct offer offer = world_offer(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_PREFLIGHT && world.stream.life != LIFE_WAITING; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        CHECK(spool_entries() == 3);             /* the note, one file, and what is not a download */
        world_live();
        CHECK(world_running() == 4 && spool_entries() == 1);
        world_end();
        sim_disk_done(&world.sim);
        sim_disk_init(&world.sim);
        whole_life();
        CHECK(world_running() == 4 && spool_entries() == 0);
        world_end();
        world_close();
}

/* The cause stands at the end of a reason, after all that was under way: what a full disk says, with paths. */
TEST(stream_event, logs_a_reason_of_300_bytes_whole)
{
        char reason[301];
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        memset(reason, 'x', sizeof(reason));
        snprintf(reason + 300 - 26, 27, "no room on the file system");
        world.stream.life = LIFE_WAITING;
        stream_event(&world.stream, LIFE_FAILED, reason);
        const char *logged = strstr(world.lived, "failed, waiting -> idle: xxx");
        CHECK(logged == world.lived && strlen(strchr(logged, 'x')) == 300 && strstr(logged, "xno room on the file system"));
        world_end();
        world_close();
}

TEST(spool, and_slot_are_emptied_when_the_disk_is_full)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        const struct offer offer = world_offer(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_UNPACKING; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        world.sim.free_bytes = 1;
        stream_tick(&world.stream);
        CHECK(world.stream.life == LIFE_IDLE && spool_entries() == 0);
        unsigned files = 0;
        CHECK(world.sim.disk.ops->list(&world.sim.disk, "streams/rules/a", count_entry, &files, NULL) == OK && files == 0);
        world_end();
        world_close();
}

TEST(stream, takes_no_release_under_another_number_than_the_signed_one)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        struct offer offer = world_offer(4, OFFER_GO);
        offer.counter = 9;               /* what a verifier that was taken over might say of a release that was given up */
        stream_offer(&world.stream, &offer);
        world_live();
        CHECK(world_running() == 0 && slots_stream(world.agent.slots, 0)->counters.proven == 0 && !slots_is_denied(world.agent.slots, 0, 9));
        world_end();
        world_close();
}

TEST(stream_open, survives_a_lack_of_memory)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_end();
        SWEEP_MEMORY {
                enum err e = world_start();
                CHECK(e == OK || e == ERR_NOMEM);
                world_end();
        }
        world_close();
}

TEST(stream_open, runs_what_is_good_from_a_disk_that_takes_nothing_any_more)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        world_end();
        world.sim.is_readonly = true;
        CHECK(world_start() == OK && world_running() == 4 && is_whole(SLOT_A));
        world_live();
        CHECK(engine_is_alive(&world.stream.engine));
        world_end();
        world.sim.is_readonly = false;
        const struct offer bad = world_offer(5, OFFER_GO);
        CHECK(world_start() == OK);
        stream_offer(&world.stream, &bad);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_PROBATION; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
                world.now_ms += 100;
        }
        world_end();
        world.sim.is_readonly = true;
        CHECK(world_start() == OK && world_running() == 4);  /* on trial, and nothing can be counted: not that */
        world_end();
        world_close();
}

/* In place of pid_file: a child that says which folder it was given, and lives on. */
static void run_telling_engine(char told[64])
{
        static const char *words[] = { "sh", "-c", "trap '' HUP; echo \"$0\" > \"$1.new\"; mv \"$1.new\" \"$1\"; exec sleep 600", "{current}", NULL };
        snprintf(told, 64, "%s", world.pid_file);
        memcpy(strrchr(told, '/'), "/is", sizeof("/is"));
        words[4] = told;
        world.stream_config.engine = (struct agent_engine){ .command = { 5, words }, .reload_signal = "HUP", .stop_ms = 100 };
}

/* Its death and its next start take real time. */
static bool is_told(const char *told, const char *folder)
{
        for (int looks = 0; looks < 5000; looks++) {
                OWN(buf) struct buf text;
                buf_init(&text, 256);
                if (file_read(told, &text, NULL) == OK && strcmp(buf_text(&text), folder) == 0)
                        return true;
                stream_tick(&world.stream);
                usleep(1000);
        }
        return false;
}

static void try_5(void)
{
        const struct offer bad = world_offer(5, OFFER_GO);
        stream_offer(&world.stream, &bad);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_PROBATION; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        CHECK(world.stream.life == LIFE_PROBATION && world_running() == 5);
}

/* What was found in the metadata before the trial began does not lead it back once that is proven. */
TEST(trial, is_not_followed_by_an_older_release_that_was_offered_before_it)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        const struct offer next = world_offer(6, OFFER_GO);
        stream_offer(&world.stream, &next);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_PROBATION; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        CHECK(world.stream.life == LIFE_PROBATION);
        world_hear(5, OFFER_GO);
        world_live();
        CHECK(world_running() == 6 && world.stream.life == LIFE_IDLE);
        world_end();
        world_close();
}

TEST(trial, ends_on_what_is_good_although_the_disk_takes_nothing_any_more)
{
        char told[64];
        world_open();
        run_telling_engine(told);
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK && is_told(told, "/nowhere/streams/rules/current\n"));
        world_hear(4, OFFER_GO);
        try_5();
        world.sim.is_readonly = true;
        stream_harm(&world.stream, SLOT_PROBE_FAILED, "unwell");
        CHECK(world_running() == 4 && world.stream.life == LIFE_IDLE);
        CHECK(is_told(told, "/nowhere/streams/rules/a\n") && strcmp(sim_disk_link(&world.sim, "streams/rules/current"), "b") == 0);
        /* The same when it only hears of it at its start. */
        world_end();
        file_remove(told);
        CHECK(world_start() == OK && world_running() == 4 && is_told(told, "/nowhere/streams/rules/a\n"));
        /* Once the disk is well, the next release is reached by the link again. */
        world.sim.is_readonly = false;
        CHECK(slots_save(world.agent.slots, NULL) == OK);
        world_hear(6, OFFER_GO);
        CHECK(is_told(told, "/nowhere/streams/rules/current\n") && strcmp(sim_disk_link(&world.sim, "streams/rules/current"), "b") == 0);
        world_end();
        world_close();
}

TEST(trial, cut_short_goes_back_to_what_is_good_on_a_full_disk)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        try_5();
        world_end();
        world.sim.free_bytes = 0;
        CHECK(world_start() == OK && world_running() == 4);
        CHECK(strcmp(sim_disk_link(&world.sim, "streams/rules/current"), "a") == 0);
        world_end();
        world_close();
}

/* In place of pid_file: a child that hears no signal but one, and for which the test says what it loaded. */
static void run_deaf_engine(char status_file[64])
{
        static const char *words[] = { "sh", "-c", "trap '' TERM HUP; echo $$ > \"$0\"; while :; do sleep 0.05; done", world.deaf_file };
        snprintf(world.deaf_file, sizeof(world.deaf_file), "%.*s/deaf", (int)(strrchr(world.pid_file, '/') - world.pid_file), world.pid_file);
        snprintf(status_file, 64, "%s", world.pid_file);
        memcpy(strrchr(status_file, '/'), "/ok", sizeof("/ok"));
        world.stream_config.engine = (struct agent_engine){
                .command = { 4, words }, .reload_signal = "HUP", .status_file = status_file, .stop_ms = 100,
        };
}

TEST(stream_wake, never_asks_to_be_woken_for_what_waits_for_something_else)
{
        world_open();
        world.stream_config.bake_s = 600;
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        const struct offer go = world_offer(4, OFFER_GO), hold = world_offer(4, OFFER_HOLD);
        stream_offer(&world.stream, &go);
        world_until(LIFE_UNPACKING);
        stream_offer(&world.stream, &hold);
        world_until(LIFE_WAITING);
        world_turn(10000);
        world_turn(0);
        CHECK(stream_wake_ms(&world.stream) > world.now_ms);
        stream_offer(&world.stream, &go);
        CHECK(stream_wake_ms(&world.stream) <= world.now_ms);
        world_until(LIFE_PROBATION);
        world_turn(90000);
        world_turn(0);
        CHECK(world.stream.life == LIFE_PROBATION && stream_wake_ms(&world.stream) > world.now_ms);
        world_end();
        world_close();
}

static bool is_proven_after(int64_t lease_bake_s, int64_t own_bake_s, int seconds)
{
        world_open();
        world.lease_bake_s = lease_bake_s;
        world.stream_config.bake_s = own_bake_s;
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        const struct offer go = world_offer(4, OFFER_GO);
        stream_offer(&world.stream, &go);
        world_until(LIFE_PROBATION);
        for (int i = 0; i < seconds; i++)
                world_turn(1000);
        bool is_proven = slots_stream(world.agent.slots, 0)->counters.proven == 1;
        world_end();
        world_close();
        return is_proven;
}

TEST(trial, lasts_as_long_as_the_lease_says_and_longer_only_if_the_device_wants_it)
{
        CHECK(!is_proven_after(60, 0, 58) && is_proven_after(60, 0, 65));
        CHECK(!is_proven_after(60, 5, 58) && is_proven_after(60, 5, 65));
        CHECK(!is_proven_after(60, 90, 88) && is_proven_after(60, 90, 95));
}

TEST(life, makes_neither_a_withdrawal_nor_another_release_wait_for_the_next_try_of_one)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        struct offer absent = world_offer(5, OFFER_GO);
        absent.target[0] ^= 1;           /* nobody has its note */
        stream_offer(&world.stream, &absent);
        for (int turns = 0; turns < 100000 && world.stream.retry_at_ms < world.now_ms + 500000; turns++)
                world_turn(200);
        CHECK(world_running() == 4 && world.stream.retry_at_ms > world.now_ms + 400000);
        const struct offer another = world_offer(6, OFFER_GO), withdrawn = world_offer(6, OFFER_WITHDRAW);
        stream_offer(&world.stream, &another);
        world_until(LIFE_PROBATION);
        world_until(LIFE_IDLE);
        CHECK(world_running() == 6 && !world.stream.retry_pause_ms);
        world.stream.retry_at_ms = world.now_ms + 500000;
        stream_offer(&world.stream, &withdrawn);
        world_turn(0);
        CHECK(world_running() == 4);
        world_end();
        world_close();
}

TEST(life, starts_an_engine_again_that_a_release_left_hanging)
{
        static const char loaded[] = "state=ok version=4\n";
        char status_file[64];
        world_open();
        run_deaf_engine(status_file);
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        const struct offer offers[] = { world_offer(4, OFFER_GO), world_offer(5, OFFER_GO) };
        stream_offer(&world.stream, &offers[0]);
        world_until(LIFE_PROBATION);
        CHECK(file_write(status_file, loaded, strlen(loaded), NULL) == OK);
        world_until(LIFE_IDLE);
        stream_offer(&world.stream, &offers[1]);
        world_until(LIFE_PROBATION);
        int hanging = world.stream.engine.child.pid;
        CHECK(hanging && world_running() == 5);
        world_until(LIFE_IDLE);
        CHECK(world_running() == 4 && world.stream.engine.child.pid == hanging);
        for (int turns = 0; turns < 5000 && (world.stream.engine.child.pid == hanging || !world.stream.engine.child.pid); turns++) {
                world_turn(200);
                usleep(1000);            /* for the child, whose death takes real time */
        }
        CHECK(world.stream.engine.child.pid && world.stream.engine.child.pid != hanging);
        CHECK(slots_stream(world.agent.slots, 0)->counters.crashes == 0);
        world_end();
        world_close();
}

static uint64_t running_after_restart(void)
{
        CHECK(world_start() == OK);
        return world_running();
}

TEST(life, goes_down_from_a_good_release_that_can_be_loaded_no_more)
{
        char status_file[64];
        world_open();
        run_deaf_engine(status_file);
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        const struct offer offer = world_offer(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        world_until(LIFE_PROBATION);
        CHECK(file_write(status_file, "state=ok version=4\n", 19, NULL) == OK);
        world_until(LIFE_IDLE);
        world_end();
        CHECK(running_after_restart() == 4);
        for (int turns = 0; turns < 5000 && world_running() == 4; turns++) {
                world_turn(200);
                if (world.stream.engine.child.pid && !world.stream.engine.is_stopping)
                        CHECK(file_write(status_file, "state=error version=\n", 21, NULL) == OK);
                usleep(1000);
        }
        CHECK(world_running() == 0 && slots_report(world.agent.slots) && slots_stream(world.agent.slots, 0)->counters.fallbacks == 1);
        world_end();
        world_close();
}

TEST(life, leaves_something_good_to_start_whenever_the_power_goes)
{
        unsigned cuts = 0;
        world_open();
        SWEEP_POWER(&world.sim) {
                sim_random_init(&world.random, 1);
                whole_life();
                world_end();
                cuts += world.sim.was_cut;
                sim_disk_power_on(&world.sim);
                CHECK(world_start() == OK);
                check_startable();
                world_end();
        }
        CHECK(cuts > 100);
        world_close();
}

TEST(life, goes_on_after_whatever_the_disk_refused_once)
{
        const enum err failures[] = { ERR_FULL, ERR_IO };
        world_open();
        for (size_t i = 0; i < 2; i++)
                SWEEP_DISK_FAULT(&world.sim, NULL, failures[i]) {
                        sim_random_init(&world.random, 1);
                        whole_life();
                        world_end();
                        sim_disk_power_on(&world.sim);
                        CHECK(world_start() == OK);
                        check_startable();
                        world_end();
                }
        world_close();
}
