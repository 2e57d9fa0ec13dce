/* The whole life of releases on one device, with the real stream, slots, content and unpacking over a disk that loses power
 * at every change: afterwards there is always something good to start. The network, the judge and the clock are stand-ins. */
#include "agent/content.h"
#include "support/sweep.h"
#include "agent/stream.h"
#include "base/mem.h"
#include "platform/file.h"
#include "support/sim_disk.h"
#include "support/sim_random.h"
#include "support/test.h"
#include "trust/sha.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct world {
        struct sim_disk sim;
        struct sim_random random;
        struct agent agent;
        struct agent_config config;
        struct agent_stream_config stream_config;
        struct stream stream;
        int64_t now_ms, lease_bake_s;
        char pid_file[64], deaf_file[64];        /* the latter "": the engine is none that has to become deaf first */
        struct buf notes[10];            /* by counter */
} world;

/* What agent.c, caller.c and judge.c are for the stream. */
int64_t agent_steady_ms(const struct agent *agent) { (void)agent; return world.now_ms; }
int64_t agent_time_s(const struct agent *agent) { (void)agent; return 1000 + world.now_ms / 1000; }
bool agent_is_busy(const struct agent *agent) { return life_is_busy(agent->streams[0].life); }
bool agent_may_ask(const struct agent *agent) { (void)agent; return true; }
int64_t agent_jitter_ms(const struct agent *agent, int64_t span_ms) { (void)agent; return span_ms; }
int64_t agent_again_ms(const struct agent *agent) { (void)agent; return world.now_ms + 1000; }
bool agent_ends(struct agent *agent, int64_t wait_ms) { (void)agent, (void)wait_ms; return false; }
void agent_note(const struct agent *agent, enum log_event event, const struct stream *stream, const char *text) { (void)agent, (void)event, (void)stream, (void)text; }
bool caller_is_free(const struct caller *caller, int64_t now_ms) { (void)caller, (void)now_ms; return true; }
void caller_forget(struct caller *caller, const void *user) { (void)caller, (void)user; }

static void content_of(uint64_t counter, char text[32])
{
        snprintf(text, 32, "%" PRIu64 "\n", counter);
}

/* The spool gets whatever is asked for: a note by its digest, or the VERSION that a note names. */
void caller_get(struct caller *caller, const struct caller_get *get, caller_done *done, void *user)
{
        (void)caller;
        char path[128], text[32];
        struct disk *disk = &world.sim.disk;
        enum err e = ERR_NOT_FOUND;
        snprintf(path, sizeof(path), "spool/%s", get->spool);
        for (uint64_t counter = 4; counter < 10 && e; counter++) {
                content_of(counter, text);
                const struct buf *note = &world.notes[counter];
                const struct { const void *bytes; size_t length; } found[] = { { note->bytes, note->length }, { text, strlen(text) } };
                for (size_t i = 0; i < 2 && e; i++) {
                        uint8_t digest[32];
                        sha256(found[i].bytes, found[i].length, digest);
                        if (strcmp(spool_artifact(digest).text, path) == 0)
                                e = disk->ops->replace(disk, path, found[i].bytes, found[i].length, NULL);
                }
        }
        const struct fetch_answer answer = { .status = 200 };
        done(user, e, &answer);
}

void caller_post(struct caller *caller, const struct caller_post *post, caller_done *done, void *user)
{
        (void)caller, (void)post;
        const struct fetch_answer answer = { .status = 200, .text = "lease" };
        done(user, OK, &answer);
}

enum err judge_note(const struct judge *judge, const struct buf *signed_note, const uint8_t target[32], struct release_note **ret_note, struct why *why)
{
        (void)judge, (void)target;
        return release_note_parse(signed_note->bytes, signed_note->length, ret_note, why);
}

enum err judge_lease(const struct judge *judge, const struct judge_question *question, const struct buf *signed_lease, struct lease *ret_lease,
                     struct why *why)
{
        (void)judge, (void)signed_lease, (void)why;
        *ret_lease = (struct lease){ .counter = question->facts.note->counter, .granted = 1000, .deadline = 5000, .bake_s = world.lease_bake_s };
        return OK;
}

static void make_note(uint64_t counter)
{
        char text[32];
        content_of(counter, text);
        struct release_file file = { .length = strlen(text), .path = "VERSION" };
        sha256(text, strlen(text), file.sha256);
        const struct release_note note = {
                .stream = "rules", .version = "1", .counter = counter, .floor = 1, .platform_count = 1, .platforms = { "any" }, .file_count = 1,
                .files = &file, .ceiling = { .start = 1, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        buf_init(&world.notes[counter], 4096);
        CHECK(release_note_write(&note, &world.notes[counter], NULL) == OK);
}

static struct offer offer_of(uint64_t counter, enum offer_state state)
{
        const struct buf *note = &world.notes[counter];
        struct offer offer = { .state = state, .is_admitted = true, .counter = counter, .note_length = note->length, .expires = INT64_MAX };
        sha256(note->bytes, note->length, offer.target);
        return offer;
}

static void write_pid(int pid)
{
        char text[16];
        int length = snprintf(text, sizeof(text), "%d\n", pid);
        CHECK(file_write(world.pid_file, text, (size_t)length, NULL) == OK);
}

static const char *const names[] = { "rules" };

/* The machine starts: what the guard and the supervisor do. */
static enum err start(void)
{
        struct agent *agent = &world.agent;
        world.now_ms += 1000;
        *agent = (struct agent){ .config = &world.config, .disk = &world.sim.disk, .random = &world.random.source, .streams = &world.stream, .stream_count = 1 };
        snprintf(agent->device, sizeof(agent->device), "00112233445566778899aabbccddeeff");
        write_pid(getpid());
        enum err e = world.sim.disk.ops->make_folder(&world.sim.disk, "spool", NULL);
        if (!e)
                e = slots_open(agent->disk, names, 1, &agent->slots, NULL);
        if (!e)
                slots_boot(agent->slots, false, 1);
        return e ? e : stream_open(agent, 0, &world.stream, NULL);
}

static void end(void)
{
        if (world.stream.agent)
                stream_done(&world.stream);
        world.stream = (struct stream){ 0 };
        slots_close(world.agent.slots);
        world.agent.slots = NULL;
}

/* Time goes by until nothing more happens, or the light goes out. */
static void live(void)
{
        for (int turn = 0; turn < 60 && !world.sim.is_dark; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
                world.now_ms += 200;
        }
}

static void be_offered(uint64_t counter, enum offer_state state)
{
        const struct offer offer = offer_of(counter, state);
        stream_offer(&world.stream, &offer);
        live();
}

/* 4 is proven, 5 kills its engine, 6 is proven and then withdrawn; each step only while there is power. */
static void whole_life(void)
{
        if (start())
                return;
        live();
        be_offered(4, OFFER_GO);
        const struct offer bad = offer_of(5, OFFER_GO);
        stream_offer(&world.stream, &bad);
        for (int turn = 0; turn < 60 && !world.sim.is_dark && world.stream.life != LIFE_PROBATION; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        write_pid(0x7fffffff);
        live();
        write_pid(getpid());
        if (!world.sim.is_dark)
                be_offered(6, OFFER_GO);
        if (!world.sim.is_dark)
                be_offered(6, OFFER_WITHDRAW);
}

static bool is_whole(enum slot_id slot)
{
        if (slot >= SLOT_FACTORY)
                return slot == SLOT_FACTORY;
        char path[CONTENT_PATH_BYTES + 16], text[32];
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 64);
        snprintf(path, sizeof(path), "%s/VERSION", content_slot("rules", slot).text);
        content_of(slots_in(world.agent.slots, 0, slot)->counter, text);
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

static void world_open(void)
{
        signal(SIGHUP, SIG_IGN);
        world.deaf_file[0] = 0;
        world.lease_bake_s = 1;
        CHECK(file_temporary(world.pid_file, NULL) == OK);
        strncat(world.pid_file, "/pid", sizeof(world.pid_file) - strlen(world.pid_file) - 1);
        world.stream_config = (struct agent_stream_config){
                .name = "rules", .engine = { .pid_file = world.pid_file, .reload_signal = "HUP", .stop_ms = 100 }, .bake_s = 1, .crashes_max = 1,
                .boots_max = 1, .probe_every_ms = 1000,
        };
        world.config = (struct agent_config){ .state_dir = "/nowhere", .platform = "linux-amd64", .ring = "default",
                                              .streams = { 1, &world.stream_config } };
        for (uint64_t counter = 4; counter <= 6; counter++)
                make_note(counter);
}

static void world_close(void)
{
        *strrchr(world.pid_file, '/') = 0;
        file_remove_tree(world.pid_file);
        for (uint64_t counter = 4; counter <= 6; counter++)
                buf_done(&world.notes[counter]);
        sim_disk_done(&world.sim);
}

static uint64_t running(void)
{
        return slots_in(world.agent.slots, 0, (enum slot_id)slots_stream(world.agent.slots, 0)->current)->counter;
}

TEST(life, goes_as_planned_while_there_is_power)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        whole_life();
        CHECK(running() == 4 && slots_is_denied(world.agent.slots, 0, 5) && slots_is_denied(world.agent.slots, 0, 6));
        CHECK(slots_stream(world.agent.slots, 0)->counters.proven == 2 && slots_stream(world.agent.slots, 0)->counters.crashes == 1);
        check_startable();
        end();
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
        CHECK(start() == OK);
        struct disk *disk = &world.sim.disk;
        for (unsigned i = 0; i < 200; i++) {
                uint8_t digest[32] = { (uint8_t)i };
                CHECK(disk->ops->replace(disk, spool_artifact(digest).text, "left", 4, NULL) == OK);
        }
        CHECK(disk->ops->replace(disk, "spool/wanted", "metadata", 8, NULL) == OK);
        const struct offer offer = offer_of(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_PREFLIGHT && world.stream.life != LIFE_WAITING; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        CHECK(spool_entries() == 3);             /* the note, one file, and what is not a download */
        live();
        CHECK(running() == 4 && spool_entries() == 1);
        end();
        sim_disk_done(&world.sim);
        sim_disk_init(&world.sim);
        whole_life();
        CHECK(running() == 4 && spool_entries() == 0);
        end();
        world_close();
}

TEST(spool, and_slot_are_emptied_when_the_disk_is_full)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK);
        const struct offer offer = offer_of(4, OFFER_GO);
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
        end();
        world_close();
}

TEST(stream, takes_no_release_under_another_number_than_the_signed_one)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK);
        struct offer offer = offer_of(4, OFFER_GO);
        offer.counter = 9;               /* what a verifier that was taken over might say of a release that was given up */
        stream_offer(&world.stream, &offer);
        live();
        CHECK(running() == 0 && slots_stream(world.agent.slots, 0)->counters.proven == 0 && !slots_is_denied(world.agent.slots, 0, 9));
        end();
        world_close();
}

TEST(stream_open, survives_a_lack_of_memory)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK);
        end();
        SWEEP_MEMORY {
                enum err e = start();
                CHECK(e == OK || e == ERR_NOMEM);
                end();
        }
        world_close();
}

TEST(stream_open, runs_what_is_good_from_a_disk_that_takes_nothing_any_more)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK);
        be_offered(4, OFFER_GO);
        end();
        world.sim.is_readonly = true;
        CHECK(start() == OK && running() == 4 && is_whole(SLOT_A));
        live();
        CHECK(engine_is_alive(&world.stream.engine));
        end();
        world.sim.is_readonly = false;
        const struct offer bad = offer_of(5, OFFER_GO);
        CHECK(start() == OK);
        stream_offer(&world.stream, &bad);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_PROBATION; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
                world.now_ms += 100;
        }
        end();
        world.sim.is_readonly = true;
        CHECK(start() == OK && running() == 4);  /* on trial, and nothing can be counted: not that */
        end();
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
        const struct offer bad = offer_of(5, OFFER_GO);
        stream_offer(&world.stream, &bad);
        for (int turn = 0; turn < 60 && world.stream.life != LIFE_PROBATION; turn++) {
                stream_tick(&world.stream);
                (void)stream_call(&world.stream);
        }
        CHECK(world.stream.life == LIFE_PROBATION && running() == 5);
}

TEST(trial, ends_on_what_is_good_although_the_disk_takes_nothing_any_more)
{
        char told[64];
        world_open();
        run_telling_engine(told);
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK && is_told(told, "/nowhere/streams/rules/current\n"));
        be_offered(4, OFFER_GO);
        try_5();
        world.sim.is_readonly = true;
        stream_harm(&world.stream, SLOT_PROBE_FAILED, "unwell");
        CHECK(running() == 4 && world.stream.life == LIFE_IDLE);
        CHECK(is_told(told, "/nowhere/streams/rules/a\n") && strcmp(sim_disk_link(&world.sim, "streams/rules/current"), "b") == 0);
        /* The same when it only hears of it at its start. */
        end();
        file_remove(told);
        CHECK(start() == OK && running() == 4 && is_told(told, "/nowhere/streams/rules/a\n"));
        /* Once the disk is well, the next release is reached by the link again. */
        world.sim.is_readonly = false;
        CHECK(slots_save(world.agent.slots, NULL) == OK);
        be_offered(6, OFFER_GO);
        CHECK(is_told(told, "/nowhere/streams/rules/current\n") && strcmp(sim_disk_link(&world.sim, "streams/rules/current"), "b") == 0);
        end();
        world_close();
}

TEST(trial, cut_short_goes_back_to_what_is_good_on_a_full_disk)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK);
        be_offered(4, OFFER_GO);
        try_5();
        end();
        world.sim.free_bytes = 0;
        CHECK(start() == OK && running() == 4);
        CHECK(strcmp(sim_disk_link(&world.sim, "streams/rules/current"), "a") == 0);
        end();
        world_close();
}

/* A child of the test's takes real time until it hears no signal any more; one that comes before would end it. */
static void wait_until_deaf(void)
{
        int said = 0;
        for (int looks = 0; looks < 20000 && world.deaf_file[0] && world.stream.engine.child.pid != said && world.stream.engine.child.pid; looks++) {
                OWN(buf) struct buf text;
                buf_init(&text, 32);
                said = file_read(world.deaf_file, &text, NULL) == OK ? (int)strtol(buf_text(&text), NULL, 10) : 0;
                usleep(1000);
        }
}

static void turn(int64_t ms)
{
        stream_tick(&world.stream);
        wait_until_deaf();
        (void)stream_call(&world.stream);
        world.now_ms += ms;
}

static void live_until(enum life_state life)
{
        for (int turns = 0; turns < 1000 && world.stream.life != life; turns++)
                turn(200);
        CHECK(world.stream.life == life);
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
        CHECK(start() == OK);
        const struct offer go = offer_of(4, OFFER_GO), hold = offer_of(4, OFFER_HOLD);
        stream_offer(&world.stream, &go);
        live_until(LIFE_UNPACKING);
        stream_offer(&world.stream, &hold);
        live_until(LIFE_WAITING);
        turn(10000);
        turn(0);
        CHECK(stream_wake_ms(&world.stream) > world.now_ms);
        stream_offer(&world.stream, &go);
        CHECK(stream_wake_ms(&world.stream) <= world.now_ms);
        live_until(LIFE_PROBATION);
        turn(90000);
        turn(0);
        CHECK(world.stream.life == LIFE_PROBATION && stream_wake_ms(&world.stream) > world.now_ms);
        end();
        world_close();
}

static bool is_proven_after(int64_t lease_bake_s, int64_t own_bake_s, int seconds)
{
        world_open();
        world.lease_bake_s = lease_bake_s;
        world.stream_config.bake_s = own_bake_s;
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK);
        const struct offer go = offer_of(4, OFFER_GO);
        stream_offer(&world.stream, &go);
        live_until(LIFE_PROBATION);
        for (int i = 0; i < seconds; i++)
                turn(1000);
        bool is_proven = slots_stream(world.agent.slots, 0)->counters.proven == 1;
        end();
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
        CHECK(start() == OK);
        be_offered(4, OFFER_GO);
        struct offer absent = offer_of(5, OFFER_GO);
        absent.target[0] ^= 1;           /* nobody has its note */
        stream_offer(&world.stream, &absent);
        for (int turns = 0; turns < 100000 && world.stream.retry_at_ms < world.now_ms + 500000; turns++)
                turn(200);
        CHECK(running() == 4 && world.stream.retry_at_ms > world.now_ms + 400000);
        const struct offer another = offer_of(6, OFFER_GO), withdrawn = offer_of(6, OFFER_WITHDRAW);
        stream_offer(&world.stream, &another);
        live_until(LIFE_PROBATION);
        live_until(LIFE_IDLE);
        CHECK(running() == 6 && !world.stream.retry_pause_ms);
        world.stream.retry_at_ms = world.now_ms + 500000;
        stream_offer(&world.stream, &withdrawn);
        turn(0);
        CHECK(running() == 4);
        end();
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
        CHECK(start() == OK);
        const struct offer offers[] = { offer_of(4, OFFER_GO), offer_of(5, OFFER_GO) };
        stream_offer(&world.stream, &offers[0]);
        live_until(LIFE_PROBATION);
        CHECK(file_write(status_file, loaded, strlen(loaded), NULL) == OK);
        live_until(LIFE_IDLE);
        stream_offer(&world.stream, &offers[1]);
        live_until(LIFE_PROBATION);
        int hanging = world.stream.engine.child.pid;
        CHECK(hanging && running() == 5);
        live_until(LIFE_IDLE);
        CHECK(running() == 4 && world.stream.engine.child.pid == hanging);
        for (int turns = 0; turns < 5000 && (world.stream.engine.child.pid == hanging || !world.stream.engine.child.pid); turns++) {
                turn(200);
                usleep(1000);            /* for the child, whose death takes real time */
        }
        CHECK(world.stream.engine.child.pid && world.stream.engine.child.pid != hanging);
        CHECK(slots_stream(world.agent.slots, 0)->counters.crashes == 0);
        end();
        world_close();
}

static uint64_t running_after_restart(void)
{
        CHECK(start() == OK);
        return running();
}

TEST(life, goes_down_from_a_good_release_that_can_be_loaded_no_more)
{
        char status_file[64];
        world_open();
        run_deaf_engine(status_file);
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(start() == OK);
        const struct offer offer = offer_of(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        live_until(LIFE_PROBATION);
        CHECK(file_write(status_file, "state=ok version=4\n", 19, NULL) == OK);
        live_until(LIFE_IDLE);
        end();
        CHECK(running_after_restart() == 4);
        for (int turns = 0; turns < 5000 && running() == 4; turns++) {
                turn(200);
                if (world.stream.engine.child.pid && !world.stream.engine.is_stopping)
                        CHECK(file_write(status_file, "state=error version=\n", 21, NULL) == OK);
                usleep(1000);
        }
        CHECK(running() == 0 && slots_report(world.agent.slots) && slots_stream(world.agent.slots, 0)->counters.fallbacks == 1);
        end();
        world_close();
}

TEST(life, leaves_something_good_to_start_whenever_the_power_goes)
{
        unsigned cuts = 0;
        world_open();
        SWEEP_POWER(&world.sim) {
                sim_random_init(&world.random, 1);
                whole_life();
                end();
                cuts += world.sim.was_cut;
                sim_disk_power_on(&world.sim);
                CHECK(start() == OK);
                check_startable();
                end();
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
                        end();
                        sim_disk_power_on(&world.sim);
                        CHECK(start() == OK);
                        check_startable();
                        end();
                }
        world_close();
}
