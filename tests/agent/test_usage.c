/* What an engine uses, over simulated time, with a stand-in for the process: its past, and releases that are judged by it. */
#include "agent/usage.h"

#include "agent/world.h"
#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

/* From now on the engine burns so much, and has so much; `started` changes with each new process. */
static struct { int64_t since_ms; uint64_t cpu_ms, permille, memory_kib, started; unsigned samples; bool is_gone; } engine;

static void engine_uses(uint64_t permille, uint64_t memory_kib)
{
        engine.cpu_ms += (uint64_t)(world.now_ms - engine.since_ms) * engine.permille / 1000;
        engine.since_ms = world.now_ms;
        engine.permille = permille;
        engine.memory_kib = memory_kib;
}

enum err process_usage(int pid, struct process_usage *ret_usage, struct why *why)
{
        CHECK(pid == getpid());
        engine.samples++;
        if (engine.is_gone)
                return FAIL(why, ERR_NOT_FOUND, "gone");
        engine_uses(engine.permille, engine.memory_kib);
        *ret_usage = (struct process_usage){ engine.started, engine.cpu_ms, engine.memory_kib };
        return OK;
}

enum { FOR_S = 60, USUAL = 100, USUAL_KIB = 50 << 10, MINUTE_MS = 60000 };

static struct agent_probe probe = {
        .kind = PROBE_RESOURCES, .resources = { .cpu = 300, .memory = 200, .for_s = FOR_S, .cpu_least = 25, .memory_least_mb = 64 }, .timeout_ms = 10000,
};

static void open_device(void)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        world.stream_config.probes = (struct yaml_maps){ 1, &probe };
        world.stream_config.bake_s = 300;
        engine.is_gone = false;
        engine.samples = 0;
        engine.started = 1;
        CHECK(world_start() == OK);
        engine_uses(USUAL, USUAL_KIB);
}

static void close_device(void)
{
        world_end();
        world_close();
}

/* As the agent's loop does: it wakes when it wants to, and for a check-in each five minutes. Returns how often it woke. */
static unsigned idle(int64_t ms)
{
        const int64_t until_ms = world.now_ms + ms;
        int64_t checkin_ms = world.now_ms + 5 * MINUTE_MS;
        unsigned wakes = 0;
        for (; world.now_ms < until_ms; wakes++) {
                stream_tick(&world.stream);
                int64_t wake_ms = stream_wake_ms(&world.stream);
                CHECK(wake_ms > world.now_ms);
                world.now_ms = wake_ms < checkin_ms ? wake_ms : checkin_ms;
                if (world.now_ms == checkin_ms)
                        checkin_ms += 5 * MINUTE_MS;
        }
        return wakes;
}

static void offer(uint64_t counter)
{
        const struct offer wanted = world_offer(counter, OFFER_GO);
        stream_offer(&world.stream, &wanted);
        world_until(LIFE_PROBATION);
}

/* Until the trial is over; how long that took. */
static int64_t end_trial(void)
{
        int64_t began_ms = world.now_ms;
        for (int turns = 0; turns < 20000 && life_is_busy(world.stream.life); turns++)
                world_turn(200);
        CHECK(!life_is_busy(world.stream.life));
        return world.now_ms - began_ms;
}

static const struct slot_report *last_report(void)
{
        const struct slot_report *report = NULL;
        for (const struct slot_report *next; (next = slots_report_after(world.agent.slots, report ? report->seq : 0)); report = next)
                ;
        return report;
}

TEST(usage, wakes_an_idle_device_no_more_than_once_for_each_check_in)
{
        open_device();
        (void)idle(MINUTE_MS);
        unsigned wakes = idle(60 * MINUTE_MS);
        CHECK(wakes >= 12 && wakes <= 25);
        CHECK(past_is_enough(&world.stream.usage.past) && past_most(&world.stream.usage.past).cpu_permille == USUAL);
        CHECK(past_most(&world.stream.usage.past).memory_kib == USUAL_KIB);
        close_device();
}

TEST(usage, looks_at_no_engine_that_nobody_asked_about)
{
        open_device();
        world_end();
        world.stream_config.probes.count = 0;
        engine.samples = 0;
        CHECK(world_start() == OK);
        (void)idle(120 * MINUTE_MS);
        CHECK(engine.samples == 0);
        close_device();
}

TEST(usage, outlives_a_restart_of_the_agent_and_a_power_cut)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        world_end();
        sim_disk_power_on(&world.sim);
        CHECK(world_start() == OK && past_is_enough(&world.stream.usage.past) && past_most(&world.stream.usage.past).cpu_permille == USUAL);
        close_device();
}

TEST(usage, begins_anew_where_its_file_is_damaged)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        world_end();
        CHECK(world.sim.disk.ops->replace(&world.sim.disk, "streams/rules/past", "FBPS", 4, NULL) == OK);
        CHECK(world_start() == OK && !past_is_enough(&world.stream.usage.past));
        (void)idle(120 * MINUTE_MS);
        CHECK(past_is_enough(&world.stream.usage.past));
        close_device();
}

/* A window of one process only: the time of another one is no time of this. */
TEST(usage, counts_no_window_in_which_the_engine_was_started_again)
{
        open_device();
        for (int i = 0; i < 30; i++) {
                (void)idle(MINUTE_MS / 2);
                engine.started++;
                engine.cpu_ms += 1000000;
        }
        CHECK(past_most(&world.stream.usage.past).cpu_permille == 0);
        close_device();
}

TEST(trial, of_a_release_that_uses_what_was_usual_is_proven)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        offer(4);
        CHECK(end_trial() >= 299000 && world_running() == 4 && last_report()->outcome == SLOT_PROVEN);
        close_device();
}

TEST(trial, of_a_release_that_burns_is_over_after_so_long)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        offer(4);
        engine_uses(980, USUAL_KIB);
        int64_t took_ms = end_trial();
        const struct slot_report *report = last_report();
        CHECK(world_running() == 0 && report->kind == SLOT_RESOURCE && took_ms > FOR_S * 1000 && took_ms < FOR_S * 1000 + 2 * 7500 + 1000);
        CHECK(strncmp(report->detail, "probe resources: cpu 98 % of a processor for 6", 46) == 0 && strstr(report->detail, "s, 10 % at most before"));
        close_device();
}

TEST(trial, of_a_release_that_takes_memory_is_over_after_so_long)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        offer(4);
        engine_uses(USUAL, 300 << 10);
        (void)end_trial();
        CHECK(world_running() == 0 && last_report()->kind == SLOT_RESOURCE);
        CHECK(strstr(last_report()->detail, "probe resources: memory 300 MiB for 6"));
        close_device();
}

/* A peak that is shorter than asked for, twice, with a good window between. */
TEST(trial, of_a_release_that_peaks_for_less_is_proven)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        offer(4);
        for (int peaks = 0; peaks < 2; peaks++) {
                engine_uses(4000, 500 << 10);
                for (int64_t until_ms = world.now_ms + 45000; world.now_ms < until_ms;)
                        world_turn(200);
                engine_uses(USUAL, USUAL_KIB);
                for (int64_t until_ms = world.now_ms + 20000; world.now_ms < until_ms;)
                        world_turn(200);
        }
        (void)end_trial();
        CHECK(world_running() == 4 && last_report()->outcome == SLOT_PROVEN);
        close_device();
}

/* It has only begun to be too much: until it is known, nothing is proven. */
TEST(trial, does_not_end_well_while_it_is_too_much)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        world.stream_config.bake_s = 30;
        offer(4);
        engine_uses(980, USUAL_KIB);
        CHECK(end_trial() > FOR_S * 1000 && world_running() == 0 && last_report()->kind == SLOT_RESOURCE);
        close_device();
}

TEST(trial, without_a_past_is_not_judged_by_it)
{
        open_device();
        offer(4);
        engine_uses(8000, 4 << 20);
        (void)end_trial();
        CHECK(world_running() == 4 && last_report()->outcome == SLOT_PROVEN && world.stream.usage.is_told);
        close_device();
}

/* What a trial uses is no past, and neither is the time before an engine that died is there again. */
TEST(trial, is_no_past_of_the_next_one)
{
        open_device();
        (void)idle(120 * MINUTE_MS);
        offer(4);
        engine_uses(980, USUAL_KIB);
        (void)end_trial();
        engine_uses(USUAL, USUAL_KIB);
        (void)idle(120 * MINUTE_MS);
        CHECK(past_most(&world.stream.usage.past).cpu_permille == USUAL);
        engine.is_gone = true;
        (void)idle(120 * MINUTE_MS);
        CHECK(past_most(&world.stream.usage.past).cpu_permille == USUAL);
        close_device();
}
