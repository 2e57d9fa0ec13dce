#include "agent/self.h"

#include "agent/world.h"
#include "platform/channel.h"
#include "platform/handover.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

/* ---- what one agent hands to the next ---- */

static struct self_handed handed_of(const char *stream)
{
        struct self_handed handed = { .magic = "FBHO", .version = SELF_HANDED_VERSION, .home = "/usr/bin/firebreak-agent", .beat = -1, .engine_count = 1 };
        handed.engines[0] = (struct self_engine){ .started_ms = 5, .pid = 77, .read_end = 8, .write_end = 9 };
        snprintf(handed.engines[0].stream, sizeof(handed.engines[0].stream), "%s", stream);
        return handed;
}

TEST(self_handed_check, takes_nothing_that_contradicts_itself)
{
        const struct self_handed sound = handed_of("rules");
        CHECK(self_handed_check(&sound, NULL) == OK);
        struct self_handed wrong[] = { sound, sound, sound, sound, sound, sound, sound, sound, sound };
        wrong[0].magic[3] = 'P';
        wrong[1].version++;
        wrong[2].engine_count = LIMIT_STREAMS + 1;
        memset(wrong[3].home, 'x', sizeof(wrong[3].home));
        memset(wrong[4].units, 'x', sizeof(wrong[4].units));
        memset(wrong[5].engines[0].stream, 'x', sizeof(wrong[5].engines[0].stream));
        wrong[6].engines[0].pid = 1;
        wrong[7].engines[0].write_end = 2;
        wrong[8].slot = SLOT_FACTORY + 1;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                CHECK(self_handed_check(&wrong[i], NULL) == ERR_SYNTAX);
}

/* ---- one device whose content is its agent ---- */

static void begin(void)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        world.stream_config.engine = (struct agent_engine){ .is_self = true, .reload_signal = "HUP", .stop_ms = 100 };
        CHECK(world_start() == OK);
        world.agent.self = (struct self){ .stream = 0, .slot = SLOT_FACTORY, .beat = -1 };
}

static void end(void)
{
        world_end();
        world_close();
}

/* The supervisor that the record names goes on in its place. */
static void go_on(void)
{
        world.agent.self.slot = (enum slot_id)slots_stream(world.agent.slots, 0)->current;
        CHECK(self_is_current(&world.agent));
}

TEST(self, is_what_the_record_names_or_the_packages)
{
        begin();
        CHECK(self_is_current(&world.agent));
        world.agent.self.slot = SLOT_B;
        CHECK(!self_is_current(&world.agent));
        world.agent.self.stream = SELF_NONE;
        CHECK(self_is_current(&world.agent));
        end();
}

TEST(self, is_not_proven_by_the_agent_before_it)
{
        begin();
        world.agent.self.has_heard = true;
        world_hear(4, OFFER_GO);
        CHECK(world.stream.life == LIFE_PROBATION && !self_is_current(&world.agent) && slots_on_trial(world.agent.slots, 0));
        go_on();
        world_until(LIFE_IDLE);
        CHECK(world_running() == 4 && !slots_on_trial(world.agent.slots, 0));
        end();
}

TEST(self, is_proven_only_when_it_has_reached_the_server)
{
        begin();
        world_hear(4, OFFER_GO);
        go_on();
        for (int i = 0; i < 100; i++)
                world_turn(1000);
        CHECK(world.stream.life == LIFE_PROBATION);
        world.agent.self.has_heard = true;
        world_until(LIFE_IDLE);
        CHECK(world_running() == 4);
        end();
}

TEST(self, steps_back_when_it_never_reaches_the_server)
{
        begin();
        world_hear(4, OFFER_GO);
        go_on();
        for (int i = 0; i < SELF_REACH_MS / 1000 + 100 && world.stream.life == LIFE_PROBATION; i++)
                world_turn(1000);
        CHECK(world.stream.life == LIFE_IDLE && world_running() == 0 && slots_is_denied(world.agent.slots, 0, 4));
        CHECK(slots_report(world.agent.slots)->kind == SLOT_PROBE_FAILED && strstr(slots_report(world.agent.slots)->detail, "reached the server"));
        CHECK(!self_is_current(&world.agent));       /* and goes on as the one before */
        end();
}

/* ---- engines ---- */

TEST(self_adopt, takes_over_an_engine_that_is_a_child_and_no_other)
{
        const char *const words[] = { "sleep", "60", NULL };
        const char *command[] = { "sleep", "60" };
        struct child child = { 0 };
        int ends[2];
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        world.stream_config.engine = (struct agent_engine){ .command = { 2, command }, .reload_signal = "HUP", .stop_ms = 100 };
        CHECK(world_start() == OK);
        struct stream *stream = &world.stream;
        murmur_close(&stream->murmur);
        CHECK(channel_pipe(ends, NULL) == OK && child_start(&(struct child_setup){ .argv = words, .input = -1, .output = -1, .errors = -1 }, &child, NULL) == OK);
        CHECK(!self_adopt(stream));
        world.agent.self.handed = handed_of("other");
        CHECK(!self_adopt(stream));
        world.agent.self.handed = handed_of("rules");
        world.agent.self.handed.engines[0].pid = getppid();
        CHECK(!self_adopt(stream));
        world.agent.self.handed.engines[0].pid = child.pid;
        world.agent.self.handed.engines[0].read_end = ends[0];
        world.agent.self.handed.engines[0].write_end = ends[1];
        CHECK(self_adopt(stream) && engine_pid(&stream->engine) == child.pid && stream->murmur.read_end == ends[0] && !world.agent.self.handed.engine_count);
        for (int i = 0; i < 5; i++)
                world_turn(1000);
        CHECK(engine_pid(&stream->engine) == child.pid);     /* none was started beside it */
        end();
        CHECK(!handover_is_child(child.pid));
}
