/* What a release has in common with what is here is not fetched: in the life of a stream, with a stand-in for the network. */
#include "agent/content.h"
#include "agent/world.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

/* Beside its VERSION, what the stand-in has for others: "8\n" and "9\n" in every release, and in 7 one of them elsewhere. */
static void make_note(uint64_t counter)
{
        struct release_file files[3] = { { .path = "VERSION" }, { .path = counter == 7 ? "moved" : "eight" }, { .path = "nine" } };
        const uint64_t contents[3] = { counter, 8, 9 };
        for (size_t i = 0; i < 3; i++) {
                char text[32];
                world_content(contents[i], text);
                files[i].length = strlen(text);
                sha256(text, strlen(text), files[i].sha256);
        }
        const struct release_note note = {
                .stream = "rules", .version = "1", .counter = counter, .floor = 1, .platform_count = 1, .platforms = { "any" }, .file_count = 3,
                .files = files, .ceiling = { .start = 1, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        buf_done(&world.notes[counter]);
        buf_init(&world.notes[counter], 4096);
        CHECK(release_note_write(&note, &world.notes[counter], NULL) == OK);
}

static void begin(void)
{
        world_open();
        world.artifacts = 0;
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        for (uint64_t counter = 4; counter <= 7; counter++)
                make_note(counter);
        CHECK(world_start() == OK);
}

static void end(void)
{
        world_end();
        world_close();
}

static unsigned hear(uint64_t counter)
{
        unsigned before = world.artifacts;
        world_hear(counter, OFFER_GO);
        for (int turns = 0; turns < 20 && world_running() != counter; turns++)
                world_live();
        CHECK(world_running() == counter);
        return world.artifacts - before;
}

static bool holds(const char *path, const char *text)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 100);
        return world.sim.disk.ops->read(&world.sim.disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), text) == 0;
}

TEST(candidate, has_nothing_fetched_but_what_is_new)
{
        begin();
        CHECK(hear(4) == 3 && hear(5) == 1 && hear(6) == 1 && hear(7) == 1);
        CHECK(holds("streams/rules/b/moved", "8\n") && holds("streams/rules/b/nine", "9\n") && holds("streams/rules/b/VERSION", "7\n"));
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 100);
        CHECK(world.sim.disk.ops->read(&world.sim.disk, "streams/rules/b/eight", &bytes, NULL) == ERR_NOT_FOUND);
        end();
}

static void spoil(const char *path)
{
        CHECK(world.sim.disk.ops->replace(&world.sim.disk, path, "7\n", 2, NULL) == OK);
}

TEST(candidate, waits_for_the_limit_before_each_file_and_asks_to_be_woken_once)
{
        begin();
        const int64_t ready_ms = world.ready_ms = world.now_ms + 1000000;
        world_hear(4, OFFER_GO);
        CHECK(world.artifacts == 0 && world.stream.life == LIFE_FETCHING && candidate_wake_ms(&world.stream) == ready_ms);
        world.now_ms = ready_ms;
        CHECK(candidate_wake_ms(&world.stream) == INT64_MAX);      /* what is not fetched now waits for something else */
        world_live();
        CHECK(world.artifacts == 3 && world_running() == 4);
        world.ready_ms = 0;
        end();
}

TEST(candidate, fetches_what_has_gone_bad_here_and_blames_no_release)
{
        begin();
        CHECK(hear(4) == 3 && hear(5) == 1);
        spoil("streams/rules/a/eight");
        CHECK(hear(6) == 2);                     /* VERSION, and what was bad where it stood; "nine" came from b */
        CHECK(holds("streams/rules/a/eight", "8\n") && holds("streams/rules/a/nine", "9\n") && !slots_is_denied(world.agent.slots, 0, 6));
        end();
}

/* By its mode, its owner or another name, which a release would be blamed for. */
TEST(candidate, makes_anew_what_others_have_changed_and_fetches_no_more)
{
        static const char *const changed[] = { "streams/rules/a/nine", "streams/rules/a" };
        for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
                begin();
                CHECK(hear(4) == 3 && hear(5) == 1);
                sim_disk_change(&world.sim, changed[i]);
                CHECK(!world.sim.disk.ops->is_as_made(&world.sim.disk, "streams/rules/a", 0755) == (i == 1));
                CHECK(hear(6) == 1 && !strstr(world.noted, "cannot be read"));
                CHECK(world.sim.disk.ops->is_as_made(&world.sim.disk, "streams/rules/a/nine", 0644) && world.sim.disk.ops->is_as_made(&world.sim.disk, "streams/rules/a", 0755));
                end();
        }
}

/* Where what runs is what was found bad, the look at the whole slot finds it, too. */
TEST(candidate, that_meets_damage_in_what_runs_has_that_looked_at)
{
        begin();
        CHECK(hear(4) == 3);
        world_live();
        spoil("streams/rules/a/nine");
        const struct offer offer = world_offer(5, OFFER_GO);
        stream_offer(&world.stream, &offer);
        for (int turns = 0; turns < 300 && world_running() == 4; turns++)
                world_turn(200);
        CHECK(strstr(world.noted, "slot a damaged: nine has other bytes") || slots_report_newest(world.agent.slots));
        bool is_said = false;
        for (const struct slot_report *report = slots_report(world.agent.slots); report; report = slots_report_after(world.agent.slots, report->seq))
                is_said |= strstr(report->detail, "slot a damaged: nine has other bytes") && report->outcome == SLOT_DECLINED;
        CHECK(is_said);
        end();
}

TEST(candidate, needs_room_for_nothing_that_stays_where_it_is)
{
        begin();
        CHECK(hear(4) == 3 && hear(5) == 1);
        const uint64_t spare = 16 << 20;
        world.sim.free_bytes = spare + 3;                /* "6\n" to the spool and to the slot: 4 */
        world_hear(6, OFFER_GO);
        CHECK(world_running() == 5 && strstr(world.lived, "needs 16777220 bytes"));
        world.sim.free_bytes = spare + (1 << 20);
        for (int turns = 0; turns < 100 && world_running() == 5; turns++)
                world_live();
        CHECK(world_running() == 6);
        end();
}
