/* What an engine that somebody else starts is told, when the supervisor finds it running. */
#include "agent/world.h"
#include "support/test.h"

#include <signal.h>

static volatile sig_atomic_t told;

static void hear_reload(int signal)
{
        (void)signal;
        told++;
}

/* The engine is this process. */
static void open_engine(void)
{
        world_open();
        world.stream_config.boots_max = 3;
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        told = 0;
        signal(SIGHUP, hear_reload);
}

static void close_engine(void)
{
        world_end();
        world_close();
}

/* Release 4 is proven, and the supervisor ends while 5 is on trial. */
static void end_in_trial(void)
{
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        const struct offer next = world_offer(5, OFFER_GO);
        stream_offer(&world.stream, &next);
        world_until(LIFE_PROBATION);
        CHECK(world_running() == 5);
        world_end();
        told = 0;
}

TEST(stream_open, tells_an_engine_that_was_there_before_its_content)
{
        open_engine();
        CHECK(world_start() == OK);
        world_live();
        CHECK(told == 1);
        world_end();
        CHECK(world_start() == OK);
        world_live();
        CHECK(told == 1);
        close_engine();
}

TEST(stream_open, tells_an_engine_whose_trial_its_supervisor_may_not_have_told_it_of)
{
        open_engine();
        end_in_trial();
        CHECK(world_start() == OK && world.stream.life == LIFE_PROBATION && stream_load(&world.stream) == ENGINE_SAYS_NOTHING);
        world_live();
        CHECK(told == 1 && world_running() == 5 && slots_stream(world.agent.slots, 0)->counters.proven == 2);
        close_engine();
}

/* It began after the guard, which had set the link right. */
TEST(stream_open, leaves_an_engine_alone_that_started_with_the_machine)
{
        open_engine();
        end_in_trial();
        CHECK(world_start() == OK);
        world_end();
        struct stream *stream = &world.stream;
        world.agent.boot = 8;
        CHECK(slots_open(world.agent.disk, (const char *const[]){ "rules" }, 1, &world.agent.slots, NULL) == OK);
        CHECK(stream_open(&world.agent, 0, stream, NULL) == OK && stream->life == LIFE_PROBATION && !stream->is_untold);
        world_live();
        CHECK(told == 0 && world_running() == 5);
        close_engine();
}

TEST(stream_open, tells_an_engine_of_the_release_that_a_start_of_the_supervisor_fell_back_to)
{
        open_engine();
        end_in_trial();
        for (unsigned starts = 0; starts < 3 && (starts == 0 || world_running() == 5); starts++) {
                world_end();
                CHECK(world_start() == OK);
        }
        CHECK(world_running() == 4 && told == 0);
        world_live();
        CHECK(told == 1);
        close_engine();
}
