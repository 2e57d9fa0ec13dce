#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

#include <inttypes.h>

enum { FLEET = 12 };
struct fleet { struct world world; struct world_device devices[FLEET]; struct world_device *one; };

/* A rollout in which devices[...] `one` has just got its lease. */
static void fleet_open(struct fleet *fleet)
{
        world_open(&fleet->world);
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":3,\"bake_s\":2,\"gap_s\":3,"
                                                                  "\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}") == 201);
        for (int i = 0; i < FLEET; i++)
                CHECK(world_lease(&fleet->world, &fleet->devices[i], 1, true) == 202);
        world_tick(&fleet->world, 100);
        for (int i = 0; i < FLEET && !fleet->one; i++)
                if (world_lease(&fleet->world, &fleet->devices[i], 1, false) == 200)
                        fleet->one = &fleet->devices[i];
        CHECK(fleet->one);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static int64_t number(struct fleet *fleet, const char *key)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        return world_int(&fleet->world, key);
}

static void pass(struct fleet *fleet, int seconds)
{
        for (int i = 0; i < 10 * seconds; i++)
                world_tick(&fleet->world, 100);
}

TEST(report, is_acknowledged_again_and_counts_once)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(world_report(&fleet.world, fleet.one, "harmed", "crash") == 200 && world_int(&fleet.world, "ack") == 1);
        CHECK(number(&fleet, "harmed") == 1 && number(&fleet, "recovered") == 1);
        fleet.one->seq--;
        CHECK(world_report(&fleet.world, fleet.one, "proven", "") == 200 && world_int(&fleet.world, "ack") == 1);
        CHECK(number(&fleet, "harmed") == 1 && number(&fleet, "proven") == 0);
}

static int64_t reports_kept(struct fleet *fleet)
{
        int64_t count = 0;
        CHECK(db_number(fleet->world.store->db, "SELECT count(*) FROM reports", NO_VALUES, 0, &count, NULL) == OK);
        return count;
}

TEST(report, of_a_device_that_counts_anew_is_not_taken_for_a_repeat)
{
        OWN(fleet) struct fleet fleet = { 0 };
        char nonce[sizeof(fleet.one->nonce)];
        fleet_open(&fleet);
        memcpy(nonce, fleet.one->nonce, sizeof(nonce));
        memset(fleet.one->nonce, 'a', sizeof(nonce) - 1);
        CHECK(world_report(&fleet.world, fleet.one, "proven", "") == 200 && number(&fleet, "proven") == 0);      /* of no lease */
        memcpy(fleet.one->nonce, nonce, sizeof(nonce));
        for (int again = 0; again < 3; again++) {
                fleet.one->seq = 0;
                CHECK(world_report(&fleet.world, fleet.one, "harmed", "crash") == 200 && world_int(&fleet.world, "ack") == 1);
                CHECK(number(&fleet, "harmed") == 1 && reports_kept(&fleet) == 2);
        }
}

/* One device that makes up reports and streams must not fill the disk; its own harm is heard all the same. */
TEST(report, about_no_lease_is_kept_a_hundred_times_and_of_so_many_streams)
{
        OWN(fleet) struct fleet fleet = { 0 };
        char nonce[sizeof(fleet.one->nonce)], stream[32];
        int64_t rows = 0;
        fleet_open(&fleet);
        memcpy(nonce, fleet.one->nonce, sizeof(nonce));
        memset(fleet.one->nonce, 'a', sizeof(nonce) - 1);
        const char *own = fleet.world.stream;
        for (int i = 0; i < LIMIT_STRAY_REPORTS + 20; i++) {
                snprintf(stream, sizeof(stream), "made-up-%d", i);
                fleet.world.stream = stream;
                CHECK(world_report(&fleet.world, fleet.one, "proven", "") == 200);
        }
        fleet.world.stream = own;
        CHECK(reports_kept(&fleet) == LIMIT_STRAY_REPORTS);
        CHECK(db_number(fleet.world.store->db, "SELECT max(n) FROM (SELECT count(*) AS n FROM versions GROUP BY device)", NO_VALUES, 0, &rows, NULL) == OK);
        CHECK(rows == LIMIT_STREAMS);
        memcpy(fleet.one->nonce, nonce, sizeof(nonce));
        CHECK(world_report(&fleet.world, fleet.one, "harmed", "crash") == 200 && number(&fleet, "harmed") == 1);
}

TEST(report, that_overtook_another_does_not_hide_it)
{
        OWN(fleet) struct fleet fleet = { 0 };
        int64_t running = -1;
        fleet_open(&fleet);
        fleet.one->seq = 1;
        fleet.one->running = 1;
        CHECK(world_report(&fleet.world, fleet.one, "proven", "") == 200 && world_int(&fleet.world, "ack") == 2);
        fleet.one->seq = 0;
        fleet.one->running = 0;
        CHECK(world_report(&fleet.world, fleet.one, "declined", "") == 200 && world_int(&fleet.world, "ack") == 1);
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM reports", NO_VALUES, 0, &running, NULL) == OK && running == 2);
        CHECK(db_number(fleet.world.store->db, "SELECT running FROM versions WHERE running = 1", NO_VALUES, 0, &running, NULL) == OK && running == 1);
}

TEST(report, that_does_not_come_is_dark_and_a_late_one_mends_the_label)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        pass(&fleet, 6);
        CHECK(number(&fleet, "dark") == 1 && number(&fleet, "hurt") == 1 && number(&fleet, "recovered") == 0);
        fleet.one->running = fleet.one->proven = 1;
        CHECK(world_report(&fleet.world, fleet.one, "proven", "") == 200);
        CHECK(number(&fleet, "dark") == 0 && number(&fleet, "proven") == 1);
}

/* What people read of a lease is what the rollout counted. */
TEST(report, that_declines_what_was_proven_changes_nothing)
{
        OWN(fleet) struct fleet fleet = { 0 };
        int64_t count = 0;
        fleet_open(&fleet);
        CHECK(world_report(&fleet.world, fleet.one, "proven", "") == 200 && world_report(&fleet.world, fleet.one, "declined", "") == 200);
        CHECK(number(&fleet, "proven") == 1 && number(&fleet, "declined") == 0);
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM leases WHERE outcome = 'proven'", NO_VALUES, 0, &count, NULL) == OK && count == 1);
}

/* The rollout's own time had passed the deadline with another's report; it does not go back with the clock. */
TEST(report, that_declines_after_the_deadline_changes_nothing_though_the_clock_was_put_back)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device *other = NULL;
        int64_t count = 0;
        fleet_open(&fleet);
        for (int i = 0; i < FLEET && !other; i++)
                if (&fleet.devices[i] != fleet.one && world_lease(&fleet.world, &fleet.devices[i], 1, false) == 200)
                        other = &fleet.devices[i];
        CHECK(other);
        fleet.world.now_ms += 6000;
        CHECK(world_report(&fleet.world, other, "proven", "") == 200);
        fleet.world.now_ms -= 6000;
        CHECK(world_report(&fleet.world, fleet.one, "declined", "") == 200);
        CHECK(number(&fleet, "declined") == 0 && number(&fleet, "dark") == 1);
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM leases WHERE outcome = 'declined'", NO_VALUES, 0, &count, NULL) == OK && count == 0);
}

TEST(report, of_dark_devices_that_fell_back_counts_as_recovered)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        pass(&fleet, 6);
        CHECK(world_report(&fleet.world, fleet.one, "harmed", "boot_loop") == 200);
        CHECK(number(&fleet, "hurt") == 1 && number(&fleet, "recovered") == 1);
}

TEST(report, about_the_lease_of_another_moves_nothing)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        struct world_device *other = fleet.one == &fleet.devices[0] ? &fleet.devices[1] : &fleet.devices[0];
        memcpy(other->nonce, fleet.one->nonce, sizeof(other->nonce));
        other->lease.counter = 1;
        CHECK(world_report(&fleet.world, other, "harmed", "crash") == 200 && number(&fleet, "harmed") == 0);
        snprintf(other->nonce, sizeof(other->nonce), "%032d", 0);
        CHECK(world_report(&fleet.world, other, "preflight_failed", "") == 200 && number(&fleet, "preflight_failed") == 0);
        fleet.one->lease.counter = 7;
        CHECK(world_report(&fleet.world, fleet.one, "preflight_failed", "") == 200 && number(&fleet, "preflight_failed") == 0);
}

TEST(report, of_harm_counts_against_what_was_given_before_it_and_nothing_else)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        int64_t now_ms = fleet.world.now_ms;
        fleet.one->lease.counter = 7;
        fleet.world.now_ms -= 60000;             /* when it happened, says the device */
        CHECK(world_report(&fleet.world, fleet.one, "harmed", "crash") == 200 && number(&fleet, "harmed") == 0);
        fleet.world.now_ms = now_ms;
        CHECK(world_report(&fleet.world, fleet.one, "harmed", "crash") == 200 && number(&fleet, "harmed") == 1);
}

TEST(report, is_refused_when_it_is_none)
{
        static const char *const bad[] = { "", "{}", "[]", "{\"seq\":1}" };
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(world_device_ask(&fleet.world, fleet.one, "/v1/report", bad[i]) == 400);
        CHECK(world_report(&fleet.world, fleet.one, "harmed", "") == 400 && world_report(&fleet.world, fleet.one, "exploded", "") == 400);
}

TEST(report, survives_a_crash_right_after_its_acknowledgement)
{
        struct fleet fleet = { 0 };
        world_open_file(&fleet.world);
        for (int i = 0; i < 2; i++)
                world_enrol(&fleet.world, &fleet.devices[i], "os=debian");
        snprintf(fleet.devices[0].nonce, sizeof(fleet.devices[0].nonce), "%032d", 0);
        CHECK(world_report(&fleet.world, &fleet.devices[0], "preflight_failed", "") == 200);
        world_crash(&fleet.world);
        int64_t count = 0;
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM reports", NO_VALUES, 0, &count, NULL) == OK && count == 1);
        world_close(&fleet.world);
}
