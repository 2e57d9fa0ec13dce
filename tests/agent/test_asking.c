/* The supervisor's part of a breaker: what becomes of a stream whose engine asks. The process between them is the test. */
#include "agent/asked.h"
#include "agent/world.h"
#include "platform/channel.h"
#include "platform/file.h"
#include "platform/local.h"
#include "support/test.h"

#include <string.h>

static int engine_end;

static void start(void)
{
        int ends[2];
        world_open();
        world.stream_config.breaker = (struct agent_breaker){ .socket = "/nowhere/ask", .actions_max = 2, .window_s = 60 };
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK && channel_open(ends, NULL) == OK);
        world.stream.asking.channel = ends[0];
        engine_end = ends[1];
        world_hear(4, OFFER_GO);
        CHECK(world_running() == 4 && world.stream.life == LIFE_IDLE);
}

static void stop(void)
{
        channel_close(engine_end);
        world_end();
        world_close();
}

static struct asked_message message_of(enum breaker_file file, const char *path)
{
        struct asked_message message = { .version = ASKED_VERSION, .kind = ASKED_QUESTION, .file = (uint8_t)file, .question = { .action = "quarantine" } };
        snprintf(message.question.path, sizeof(message.question.path), "%s", path);
        return message;
}

static struct asked_answer answer;
static bool asks(enum breaker_file file, const char *path)
{
        struct asked_message message = message_of(file, path);
        size_t length;
        CHECK(channel_send(engine_end, &message, sizeof(message), NULL) == OK);
        asking_take(&world.stream);
        CHECK(local_take(engine_end, &answer, sizeof(answer), &length) == LOCAL_MESSAGE && length == sizeof(answer) && answer.version == ASKED_VERSION);
        return answer.is_allowed;
}

static const struct slot_report *newest_report(void)
{
        const struct slot_report *report = NULL;
        for (uint64_t seen = 0; slots_report_after(world.agent.slots, seen); seen = report->seq)
                report = slots_report_after(world.agent.slots, seen);
        return report;
}

static void tell(uint64_t counter)
{
        const struct offer offer = world_offer(counter, OFFER_GO);
        stream_offer(&world.stream, &offer);
        world_until(LIFE_PROBATION);
        CHECK(world_running() == counter);
}

/* An engine without a status file is taken to have loaded it a second later. */
static void try_release(uint64_t counter)
{
        tell(counter);
        world.now_ms += STREAM_SETTLE_MS;
}

static bool is_stormed(uint64_t counter, const char *detail)
{
        const struct slot_report *report = newest_report();
        return world_running() == 4 && slots_is_denied(world.agent.slots, 0, counter) && report && report->counter == counter && report->outcome == SLOT_HARMED
               && report->kind == SLOT_ACTION_STORM && strcmp(report->detail, detail) == 0;
}

TEST(asking, rolls_back_at_the_first_action_on_what_the_platform_ships)
{
        start();
        try_release(6);
        CHECK(!asks(BREAKER_PLATFORM, "/usr/bin/ls") && is_stormed(6, "quarantine of /usr/bin/ls, which the platform ships"));
        CHECK(!asks(BREAKER_ORDINARY, "/srv/x") && strstr(answer.reason, "tripped"));
        world.now_ms += 10 * STREAM_SETTLE_MS;
        stream_tick(&world.stream);
        CHECK(asks(BREAKER_ORDINARY, "/srv/x") && world.stream.life == LIFE_IDLE);
        stop();
}

TEST(asking, rolls_back_past_the_rate)
{
        start();
        try_release(6);
        CHECK(asks(BREAKER_ORDINARY, "/srv/1") && asks(BREAKER_ORDINARY, "/srv/2") && world_running() == 6);
        CHECK(!asks(BREAKER_ORDINARY, "/srv/3") && is_stormed(6, "3rd quarantine in 60 s: /srv/3"));
        stop();
}

TEST(asking, denies_and_keeps_what_is_proven)
{
        start();
        uint64_t reports = slots_report_newest(world.agent.slots);
        CHECK(asks(BREAKER_ORDINARY, "/srv/1") && asks(BREAKER_ORDINARY, "/srv/2") && !asks(BREAKER_ORDINARY, "/srv/3") && !asks(BREAKER_PLATFORM, "/bin/ls"));
        CHECK(world_running() == 4 && slots_report_newest(world.agent.slots) == reports);
        world.now_ms += 60000;
        CHECK(asks(BREAKER_ORDINARY, "/srv/3"));
        stop();
}

TEST(asking, blames_a_release_only_for_what_was_done_under_it)
{
        start();
        CHECK(asks(BREAKER_ORDINARY, "/srv/1") && asks(BREAKER_ORDINARY, "/srv/2"));
        try_release(6);
        CHECK(asks(BREAKER_ORDINARY, "/srv/3") && asks(BREAKER_ORDINARY, "/srv/4") && !asks(BREAKER_ORDINARY, "/srv/5") && world_running() == 4);
        stop();
}

TEST(asking, blames_no_release_for_what_the_content_before_asks_until_it_is_loaded)
{
        start();
        tell(6);
        CHECK(!asks(BREAKER_PLATFORM, "/usr/bin/ls") && asks(BREAKER_ORDINARY, "/srv/1") && asks(BREAKER_ORDINARY, "/srv/2") && !asks(BREAKER_ORDINARY, "/srv/3"));
        CHECK(world_running() == 6 && world.stream.life == LIFE_PROBATION);
        world.now_ms += STREAM_SETTLE_MS;
        CHECK(asks(BREAKER_ORDINARY, "/srv/4") && world_running() == 6);
        CHECK(!asks(BREAKER_PLATFORM, "/usr/bin/ls") && is_stormed(6, "quarantine of /usr/bin/ls, which the platform ships"));
        stop();
}

TEST(asking, takes_the_engines_word_for_what_is_at_work)
{
        char status[80];
        start();
        snprintf(status, sizeof(status), "%s.status", world.pid_file);
        world.stream_config.engine.status_file = status;
        world.lease_bake_s = 3600;
        tell(6);
        world.now_ms += 10 * STREAM_SETTLE_MS;
        CHECK(!asks(BREAKER_PLATFORM, "/usr/bin/ls") && world_running() == 6);
        CHECK(file_write(status, "state=ok version=4\n", 19, NULL) == OK && !asks(BREAKER_PLATFORM, "/usr/bin/ls") && world_running() == 6);
        CHECK(file_write(status, "state=ok version=6\n", 19, NULL) == OK && !asks(BREAKER_PLATFORM, "/usr/bin/ls") && world_running() == 4);
        file_remove(status);
        stop();
}

TEST(asking, does_without_an_index_what_it_can)
{
        start();
        try_release(6);
        CHECK(!asks(BREAKER_UNKNOWN, "/usr/bin/x") && world_running() == 6 && asks(BREAKER_ORDINARY, "/srv/x"));
        stop();
}

TEST(asking, takes_no_word_of_a_process_that_talks_nonsense)
{
        start();
        try_release(6);
        struct asked_message message = message_of(BREAKER_FILES, "/x");
        CHECK(channel_send(engine_end, &message, sizeof(message), NULL) == OK);
        asking_take(&world.stream);
        CHECK(world.stream.asking.channel < 0 && world_running() == 6 && asking_wake_ms(&world.stream) > world.now_ms);
        asking_done(&world.stream);
        CHECK(asking_wake_ms(&world.stream) == INT64_MAX);
        stop();
}

TEST(asking, lets_nobody_fill_the_log)
{
        start();
        unsigned before = world.lines;
        struct asked_message note = message_of(BREAKER_ORDINARY, "mad");
        note.kind = ASKED_NOTE;
        for (int i = 0; i < 100; i++) {
                CHECK(channel_send(engine_end, &note, sizeof(note), NULL) == OK);
                asking_take(&world.stream);
                CHECK(!asks(BREAKER_PLATFORM, "/usr/bin/ls"));
        }
        CHECK(world.lines == before + 20);
        world.now_ms += 60000;
        CHECK(!asks(BREAKER_PLATFORM, "/usr/bin/ls") && world.lines == before + 21);
        stop();
}

TEST(asking, is_nothing_to_a_stream_without_a_breaker)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        CHECK(world_running() == 4 && asking_wake_ms(&world.stream) == INT64_MAX && world.stream.asking.channel < 0 && !world.stream.asking.child.pid);
        world_end();
        world_close();
}
