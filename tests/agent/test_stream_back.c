/* A release that is withdrawn, over time, on one device with a stand-in for the network. */
#include "agent/back.h"
#include "agent/world.h"
#include "support/test.h"

/* 4 and then 6 are proven; at once after, the server says that 6 is withdrawn, over a quarter of an hour. */
enum { WITHDRAWN_OVER_S = 900 };
static struct offer run_6(int64_t *ret_moment_ms)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        world_hear(6, OFFER_GO);
        struct offer offer = world_offer(6, OFFER_WITHDRAW);
        offer.withdrawal_count = 1;
        offer.withdrawals[0] = (struct withdrawal){ 6, agent_time_s(&world.agent), WITHDRAWN_OVER_S };
        const struct slot_release *release = slots_in(world.agent.slots, 0, (enum slot_id)slots_stream(world.agent.slots, 0)->current);
        int64_t time_ms = agent_time_s(&world.agent) * 1000;
        *ret_moment_ms = world.now_ms + back_moment_ms(&offer.withdrawals[0], release, world.agent.device, time_ms / 1000) - time_ms;
        CHECK(*ret_moment_ms > world.now_ms + 60000 && *ret_moment_ms <= world.now_ms + WITHDRAWN_OVER_S * 1000);
        return offer;
}

/* And the device hears it. */
static struct offer hear_of_6(int64_t *ret_moment_ms)
{
        const struct offer offer = run_6(ret_moment_ms);
        stream_offer(&world.stream, &offer);
        world_live();
        CHECK(world_running() == 6);
        return offer;
}

static void stop(void)
{
        world_end();
        world_close();
}

TEST(withdrawal, of_what_is_proven_waits_for_this_devices_turn)
{
        int64_t moment_ms;
        (void)hear_of_6(&moment_ms);
        CHECK(stream_wake_ms(&world.stream) <= moment_ms);
        world.now_ms = moment_ms - 1;
        stream_tick(&world.stream);
        CHECK(world_running() == 6);
        world.now_ms = moment_ms;
        stream_tick(&world.stream);
        CHECK(world_running() == 4 && slots_is_denied(world.agent.slots, 0, 6));
        stream_tick(&world.stream);              /* what it went back to is looked at again */
        CHECK(world_running() == 4 && stream_wake_ms(&world.stream) > moment_ms);
        stop();
}

TEST(withdrawal, waits_through_a_restart_without_network)
{
        int64_t moment_ms;
        (void)hear_of_6(&moment_ms);
        world_end();
        sim_disk_power_on(&world.sim);
        CHECK(world_start() == OK && world_running() == 6 && world.stream.offer.state == OFFER_NONE);
        world_live();
        world.now_ms = moment_ms - 1000;         /* stand-in clocks count in seconds */
        stream_tick(&world.stream);
        CHECK(world_running() == 6);
        world.now_ms = moment_ms + 1000;
        stream_tick(&world.stream);
        CHECK(world_running() == 4);
        stop();
}

TEST(withdrawal, whose_turn_came_while_the_device_was_off_waits_for_some_seconds_more)
{
        int64_t moment_ms;
        (void)hear_of_6(&moment_ms);
        world_end();
        world.now_ms = moment_ms + 5000000;
        CHECK(world_start() == OK && world_running() == 6);
        world.now_ms += WITHDRAWAL_JITTER_S * 1000;
        stream_tick(&world.stream);
        CHECK(world_running() == 4);
        stop();
}

TEST(withdrawal, waits_for_nothing_where_it_is_on_trial)
{
        int64_t moment_ms;
        struct offer offer = run_6(&moment_ms);
        const struct offer next = world_offer(5, OFFER_GO);
        stream_offer(&world.stream, &next);
        world_until(LIFE_PROBATION);
        CHECK(world_running() == 5);
        offer = world_offer(5, OFFER_WITHDRAW);
        offer.withdrawal_count = 1;
        offer.withdrawals[0] = (struct withdrawal){ 5, agent_time_s(&world.agent), WITHDRAWN_OVER_S };
        stream_offer(&world.stream, &offer);
        stream_tick(&world.stream);
        CHECK(world_running() == 6);
        stop();
}

TEST(withdrawal, waits_no_longer_once_the_engine_crashed_with_it)
{
        int64_t moment_ms;
        (void)hear_of_6(&moment_ms);
        world_set_pid(0x7fffffff);
        world_live();
        CHECK(world_running() == 4 && world.now_ms < moment_ms);
        stop();
}

TEST(withdrawal, waits_no_longer_once_the_server_says_at_once)
{
        int64_t moment_ms;
        struct offer offer = hear_of_6(&moment_ms);
        offer.withdrawals[0].over_s = 0;
        stream_offer(&world.stream, &offer);
        stream_tick(&world.stream);
        CHECK(world_running() == 4);
        stop();
}

TEST(withdrawal, does_not_wait_for_its_turn_where_a_newer_release_may_be_had)
{
        int64_t moment_ms;
        struct offer offer = run_6(&moment_ms);
        const struct withdrawal withdrawal = offer.withdrawals[0];
        offer = world_offer(7, OFFER_GO);
        offer.withdrawn_count = offer.withdrawal_count = 1;
        offer.withdrawn[0] = 6;
        offer.withdrawals[0] = withdrawal;
        stream_offer(&world.stream, &offer);
        world_live();
        CHECK(world_running() == 7 && world.now_ms < moment_ms && world.stream.life == LIFE_IDLE);
        world.now_ms = moment_ms + 1000;
        stream_tick(&world.stream);
        CHECK(world_running() == 7);
        stop();
}
