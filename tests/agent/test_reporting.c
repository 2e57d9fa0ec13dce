/* What the log says, and what becomes of a report, when the server or the disk does not take it. */
#include "agent/reporting.h"
#include "agent/world.h"
#include "support/test.h"

#include <string.h>

static enum err outcome;
static int status;

static enum err answers(const struct caller_post *post, struct fetch_answer *answer)
{
        answer->status = status;
        snprintf(answer->text, sizeof(answer->text), "the server says %d", status);
        return strcmp(post->path, "/v1/report") == 0 ? outcome : OK;
}

/* Two reports are to be told. */
static void start(void)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world.config.poll_ms_max = 5000;
        world_hear(4, OFFER_GO);
        world_hear(6, OFFER_GO);
        CHECK(slots_report_count(world.agent.slots) == 2);
        world.noted[0] = world.told[0] = 0;
        world.post = answers;
        outcome = OK;
        status = 200;
}

static void stop(void)
{
        sim_disk_power_on(&world.sim);
        world_end();
        world_close();
}

static bool call(void)
{
        return reporting_call(&world.agent, world.now_ms);
}

TEST(reporting, tells_one_after_the_other)
{
        start();
        CHECK(call() && slots_report_count(world.agent.slots) == 1 && call() && !call() && !world.told[0] && !world.noted[0]);
        stop();
}

/* A server that took it is not blamed for a disk that does not; and it is not told again at once. */
TEST(reporting, says_in_the_disks_own_words_that_it_does_not_keep_the_answer)
{
        start();
        world.sim.is_readonly = true;
        CHECK(call() && !world.told[0] && strncmp(world.noted, "saving the slot record: ", 24) == 0 && strstr(world.noted, "the file system is read-only"));
        CHECK(slots_report_count(world.agent.slots) == 2 && !call() && world.agent.report_at_ms == world.now_ms + 2000);
        world.sim.is_readonly = false;
        world.now_ms = world.agent.report_at_ms;
        CHECK(call() && slots_report_count(world.agent.slots) == 1 && world.agent.report_at_ms == 0 && world.agent.report_pause_ms == 0);
        stop();
}

TEST(reporting, keeps_what_the_server_did_not_take_and_tells_it_later_and_later)
{
        start();
        status = 503;
        CHECK(call() && strcmp(world.told, "the server says 503") == 0 && slots_report_count(world.agent.slots) == 2 && !call());
        const int64_t pauses_ms[] = { 2000, 4000, 5000, 5000 };
        for (size_t i = 0; i < 4; i++) {
                CHECK(world.agent.report_at_ms == world.now_ms + pauses_ms[i] && world.agent.report_pause_ms == pauses_ms[i]);
                world.now_ms = world.agent.report_at_ms;
                CHECK(call());
        }
        outcome = ERR_UNAVAILABLE;
        world.now_ms = world.agent.report_at_ms;
        CHECK(call() && strcmp(world.told, "the fetcher ended") == 0);
        stop();
}

TEST(reporting, lets_go_what_the_server_will_never_take)
{
        start();
        status = 400;
        CHECK(call() && slots_report_count(world.agent.slots) == 1 && strcmp(world.told, "the server says 400") == 0);
        stop();
}
