/* What a device does with an offer that its owner does not want now: the real stream, over a simulated disk. */
#include "agent/world.h"

#include "support/test.h"

#include <string.h>

static struct { unsigned leases, holds; bool is_lost; int status; char held[256]; } server;

static enum err post(const struct caller_post *post, struct fetch_answer *answer)
{
        if (strcmp(post->path, "/v1/holds") == 0) {
                server.holds++;
                snprintf(server.held, sizeof(server.held), "%s", post->body);
                return server.is_lost ? ERR_UNAVAILABLE : OK;
        }
        if (strcmp(post->path, "/v1/lease") != 0)
                return OK;
        server.leases++;
        if (server.status)
                answer->status = server.status;
        return server.is_lost ? ERR_UNAVAILABLE : OK;
}

static struct policy *rules(void) { return &world.stream_config.policy.rules; }

/* Runs 4, and is offered 5. */
static void begin(void)
{
        world_open();
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        memset(&server, 0, sizeof(server));
        world.post = post;
        world.stream_config.policy = (struct agent_policy){ .is_given = true, .battery.folder = "/nonexistent" };
        CHECK(world_start() == OK);
        world_hear(4, OFFER_GO);
        CHECK(world_running() == 4);
        server.leases = 0;
}

static void end(void)
{
        world_end();
        world_close();
}

static const struct slot_report *newest_report(void)
{
        const struct slot_report *last = NULL;
        for (const struct slot_report *next = slots_report(world.agent.slots); next; next = slots_report_after(world.agent.slots, next->seq))
                last = next;
        return last;
}

TEST(stream_policy, frozen_it_fetches_nothing_and_goes_on_when_the_freeze_ends)
{
        begin();
        rules()->frozen_until_s = agent_time_s(&world.agent) + 60;
        world_hear(5, OFFER_GO);
        CHECK(world.stream.life == LIFE_IDLE && world_running() == 4 && strstr(world.lived, "release 5: held: frozen until "));
        CHECK(stream_wake_ms(&world.stream) <= world.now_ms + 60000);
        world.now_ms += 60000;
        world_live();
        CHECK(world_running() == 5);
        end();
}

TEST(stream_policy, frozen_it_still_goes_back_from_what_is_withdrawn)
{
        begin();
        world_hear(5, OFFER_GO);
        CHECK(world_running() == 5);
        rules()->is_frozen = true;
        world_hear(5, OFFER_WITHDRAW);
        CHECK(world_running() == 4);
        end();
}

TEST(stream_policy, a_window_lets_it_prepare_and_asks_for_no_lease)
{
        begin();
        CHECK(calendar_add(&rules()->windows, "2001-01-01 00:00 - 2001-01-02 00:00 UTC", NULL) == OK);
        world_hear(5, OFFER_GO);
        CHECK(world.stream.life == LIFE_WAITING && !server.leases && world_running() == 4);
        rules()->windows.count = 0;
        world_live();
        CHECK(world_running() == 5 && server.leases == 1);
        end();
}

TEST(stream_policy, a_pin_takes_no_other_release_and_asks_for_its_own)
{
        begin();
        rules()->pin = 6;
        world_hear(5, OFFER_GO);
        CHECK(world.stream.life == LIFE_IDLE && world_running() == 4 && holding_instead(&world.stream) == 6);
        world_hear(6, OFFER_GO);
        CHECK(world_running() == 6);
        world_hear(7, OFFER_GO);
        CHECK(world_running() == 6 && world.stream.holding.answer.hold == WIRE_HOLD_PIN);
        end();
}

TEST(stream_policy, one_behind_it_asks_for_the_proven_one_before_the_newest)
{
        begin();
        rules()->is_behind = true;
        struct offer offer = world_offer(6, OFFER_GO);
        offer.fallback = 5;
        stream_offer(&world.stream, &offer);
        world_live();
        CHECK(world_running() == 4 && holding_instead(&world.stream) == 5);
        world_hear(5, OFFER_GO);
        CHECK(world_running() == 5);
        stream_offer(&world.stream, &offer);
        world_live();
        CHECK(world_running() == 5 && world.stream.holding.answer.hold == WIRE_HOLD_BEHIND);
        end();
}

/* The answer to its ask was lost: it may have been a lease. */
TEST(stream_policy, held_after_an_answer_was_lost_it_hands_the_lease_back)
{
        begin();
        server.is_lost = true;
        world_hear(5, OFFER_GO);
        CHECK(world.stream.life == LIFE_WAITING && server.leases && world.stream.holding.is_unsure);
        uint8_t nonce[16];
        memcpy(nonce, world.stream.release.nonce, sizeof(nonce));
        rules()->is_frozen = true;
        world.now_ms += 10000;
        world_live();
        const struct slot_report *report = newest_report();
        CHECK(report && report->outcome == SLOT_DECLINED && report->counter == 5 && memcmp(report->nonce, nonce, sizeof(nonce)) == 0);
        CHECK(world.stream.life == LIFE_IDLE && !world.stream.holding.is_unsure && !slots_is_denied(world.agent.slots, 0, 5));
        const uint64_t reports = slots_report_newest(world.agent.slots);
        rules()->is_frozen = server.is_lost = false;
        world.now_ms += 10000;
        world_live();
        CHECK(world_running() == 5 && slots_report_newest(world.agent.slots) > reports);
        end();
}

/* The same, and the supervisor ended in between. */
TEST(stream_policy, held_from_its_start_it_hands_back_what_it_may_have_been_granted_before)
{
        begin();
        server.is_lost = true;
        world_hear(5, OFFER_GO);
        CHECK(world.stream.life == LIFE_WAITING);
        world_end();
        rules()->is_frozen = true;
        CHECK(world_start() == OK);
        world_hear(5, OFFER_GO);
        const struct slot_report *report = newest_report();
        CHECK(report && report->outcome == SLOT_DECLINED && report->counter == 5 && world_running() == 4);
        const uint64_t seq = slots_report_newest(world.agent.slots);
        world_end();
        CHECK(world_start() == OK);
        world_hear(5, OFFER_GO);
        CHECK(slots_report_newest(world.agent.slots) == seq);           /* once */
        end();
}

/* It is prepared anew after a restart, its slot is empty, and only then the owner minds. */
TEST(stream_policy, held_while_it_is_prepared_again_it_hands_back_what_was_asked_for_before)
{
        begin();
        server.is_lost = true;
        world_hear(5, OFFER_GO);
        uint8_t nonce[16];
        memcpy(nonce, world.stream.release.nonce, sizeof(nonce));
        world_end();
        CHECK(world_start() == OK);
        const struct offer offer = world_offer(5, OFFER_GO);
        stream_offer(&world.stream, &offer);
        world_until(LIFE_UNPACKING);
        rules()->is_frozen = true;
        world.now_ms += 10000;
        world_live();
        const struct slot_report *report = newest_report();
        CHECK(report && report->outcome == SLOT_DECLINED && report->counter == 5 && memcmp(report->nonce, nonce, sizeof(nonce)) == 0);
        end();
}

/* A word about the request, not about the lease: what was lost before is as open as it was. */
TEST(stream_policy, an_answer_that_is_none_leaves_it_unsure_and_its_nonce_as_it_is)
{
        static const int none[] = { 400, 401, 403, 404, 429, 500 };
        begin();
        server.is_lost = true;
        world_hear(5, OFFER_GO);
        uint8_t nonce[16];
        memcpy(nonce, world.stream.release.nonce, sizeof(nonce));
        server.is_lost = false;
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
                const unsigned before = server.leases;
                server.status = none[i];
                for (int turn = 0; turn < 20 && server.leases == before; turn++)
                        world_live();
                CHECK(server.leases > before && world.stream.holding.is_unsure && memcmp(world.stream.release.nonce, nonce, sizeof(nonce)) == 0);
        }
        end();
}

/* Refused, then granted under the new nonce in an answer that is lost, then ended: the new one is handed back, for it is on disk. */
TEST(stream_policy, what_is_asked_for_after_a_refusal_is_handed_back_by_the_next_supervisor)
{
        begin();
        server.status = 409;
        world_hear(5, OFFER_GO);
        CHECK(world.stream.life == LIFE_WAITING && server.leases && !world.stream.holding.is_unsure);
        uint8_t nonce[16];
        memcpy(nonce, world.stream.release.nonce, sizeof(nonce));
        world_end();
        rules()->is_frozen = true;
        CHECK(world_start() == OK);
        world_hear(5, OFFER_GO);
        const struct slot_report *report = newest_report();
        CHECK(report && report->outcome == SLOT_DECLINED && memcmp(report->nonce, nonce, sizeof(nonce)) == 0);
        end();
}

/* Each is a write to the disk. */
TEST(stream_policy, refused_again_and_again_it_asks_less_and_less_often)
{
        begin();
        server.status = 409;
        world_hear(5, OFFER_GO);
        const int64_t from_ms = world.now_ms;
        while (world.now_ms < from_ms + 3600000)
                world_live();
        CHECK(server.leases > 5 && server.leases < 30);
        server.status = 0;
        const int64_t again_ms = world.now_ms;
        while (world.now_ms < again_ms + 1200000 && world_running() != 5)
                world_live();
        CHECK(world_running() == 5);
        end();
}

TEST(stream_policy, told_to_wait_there_is_nothing_to_hand_back)
{
        begin();
        server.status = 202;
        world_hear(5, OFFER_GO);
        CHECK(world.stream.life == LIFE_WAITING && server.leases && !world.stream.holding.is_unsure);
        const uint64_t seq = slots_report_newest(world.agent.slots);
        rules()->is_frozen = true;
        world.now_ms += 10000;
        world_live();
        CHECK(world.stream.life == LIFE_WAITING && slots_report_newest(world.agent.slots) == seq);
        end();
}

/* Whatever begins to hold while a release is on trial waits for its end. */
TEST(stream_policy, a_trial_that_has_begun_ends_as_any_other)
{
        begin();
        world.lease_bake_s = 5;
        const struct offer offer = world_offer(5, OFFER_GO);
        stream_offer(&world.stream, &offer);
        world_until(LIFE_PROBATION);
        rules()->is_frozen = true;
        world_live();
        CHECK(world_running() == 5 && world.stream.life == LIFE_IDLE && newest_report()->outcome == SLOT_PROVEN);
        end();
}

TEST(stream_policy, tells_the_server_once_what_is_held_and_when_nothing_is_any_more)
{
        begin();
        rules()->is_frozen = server.is_lost = true;
        world_hear(5, OFFER_GO);
        CHECK(server.holds > 1);                                        /* until it is heard */
        server.is_lost = false;
        world_live();
        server.holds = 0;
        world_live();
        CHECK(!server.holds && strstr(server.held, "\"counter\":5") && strstr(server.held, "\"reason\":\"freeze\"") && strstr(server.held, "\"until\":0"));
        rules()->is_frozen = false;
        world.now_ms += 10000;
        world_live();
        CHECK(server.holds == 1 && strstr(server.held, "\"reason\":\"\"") && world_running() == 5);
        end();
}
