/* What devices say of the policy of their owners, and what operators see of it. */
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

#include <inttypes.h>

enum { FLEET = 3 };
struct fleet { struct world world; struct world_device devices[FLEET]; };

static void fleet_open(struct fleet *fleet)
{
        world_open(&fleet->world);
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":3,\"bake_s\":2,\"gap_s\":3,"
                                                                  "\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}") == 201);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static int say(struct fleet *fleet, int device, const char *stream, int64_t counter, const char *reason)
{
        char body[256];
        snprintf(body, sizeof(body), "{\"stream\":\"%s\",\"counter\":%" PRId64 ",\"reason\":\"%s\",\"until\":0}", stream, counter, reason);
        return world_device_ask(&fleet->world, &fleet->devices[device], "/v1/holds", body);
}

static int64_t held(struct fleet *fleet, const char *reason)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        return json_int(json_get(json_get(fleet->world.json, "held"), reason), 0);
}

static int64_t rows(struct fleet *fleet)
{
        int64_t count = -1;
        CHECK(db_number(fleet->world.store->db, "SELECT count(*) FROM holds", NO_VALUES, -1, &count, NULL) == OK);
        return count;
}

TEST(hold, counts_each_device_once_by_its_last_word)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(held(&fleet, "freeze") == 0);
        CHECK(say(&fleet, 0, "edr-rules", 1, "freeze") == 200 && world_int(&fleet.world, "ack") == 1);
        CHECK(say(&fleet, 0, "edr-rules", 1, "freeze") == 200 && say(&fleet, 1, "edr-rules", 1, "window") == 200);
        CHECK(held(&fleet, "freeze") == 1 && held(&fleet, "window") == 1);
        CHECK(say(&fleet, 0, "edr-rules", 1, "battery") == 200);
        CHECK(held(&fleet, "freeze") == 0 && held(&fleet, "battery") == 1);
        CHECK(say(&fleet, 0, "edr-rules", 1, "") == 200 && held(&fleet, "battery") == 0 && rows(&fleet) == 1);
}

TEST(hold, of_another_release_or_stream_is_not_this_ones)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(say(&fleet, 0, "edr-rules", 2, "pin") == 200 && say(&fleet, 1, "other", 1, "pin") == 200);
        CHECK(held(&fleet, "pin") == 0 && rows(&fleet) == 2);
}

TEST(hold, ends_when_the_device_asks_for_a_lease)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(say(&fleet, 0, "edr-rules", 1, "window") == 200 && held(&fleet, "window") == 1);
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 1, true) == 202 && held(&fleet, "window") == 0);
}

/* Nobody waits for it, and no time makes it dark. */
TEST(hold, is_no_silence_and_no_harm)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(say(&fleet, 0, "edr-rules", 1, "freeze") == 200);
        for (int i = 0; i < 1000; i++)
                world_tick(&fleet.world, 1000);
        CHECK(held(&fleet, "freeze") == 1 && world_int(&fleet.world, "hurt") == 0 && world_int(&fleet.world, "dark") == 0 && world_int(&fleet.world, "exposed") == 0);
}

/* A hold is no way to hide what came of a release. */
TEST(hold, of_who_had_the_release_already_is_not_counted)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        world_lease(&fleet.world, &fleet.devices[0], 1, true);
        int status = 202;
        for (int i = 0; i < 100 && status == 202; i++) {
                world_tick(&fleet.world, 1000);
                status = world_lease(&fleet.world, &fleet.devices[0], 1, false);
        }
        CHECK(status == 200);
        CHECK(say(&fleet, 0, "edr-rules", 1, "freeze") == 200 && say(&fleet, 1, "edr-rules", 1, "freeze") == 200 && held(&fleet, "freeze") == 1);
        for (int i = 0; i < 5000 && world_int(&fleet.world, "dark") != 1; i++) {
                world_tick(&fleet.world, 1000);
                CHECK(held(&fleet, "freeze") == 1);
        }
        CHECK(world_int(&fleet.world, "dark") == 1 && world_report(&fleet.world, &fleet.devices[0], "declined", "") == 200);
        CHECK(held(&fleet, "freeze") == 1 && world_int(&fleet.world, "dark") == 1);
}

TEST(hold, of_a_revoked_device_is_not_counted)
{
        OWN(fleet) struct fleet fleet = { 0 };
        char path[96];
        fleet_open(&fleet);
        CHECK(say(&fleet, 0, "edr-rules", 1, "freeze") == 200 && held(&fleet, "freeze") == 1);
        snprintf(path, sizeof(path), "/api/v1/devices/%s/revoke", fleet.devices[0].id);
        CHECK(world_ask(&fleet.world, "POST", path, "{\"who\":\"kim\",\"reason\":\"stolen\"}") == 200);
        CHECK(held(&fleet, "freeze") == 0);
}

/* Its owner took the policy away while the agent did not run, so it said nothing more of it. */
TEST(hold, ends_with_a_report_of_what_came_of_the_release)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(say(&fleet, 0, "edr-rules", 1, "battery") == 200);
        struct world_device *device = &fleet.devices[0];
        snprintf(device->nonce, sizeof(device->nonce), "%032d", 7);
        device->lease.counter = 1;
        CHECK(world_report(&fleet.world, device, "declined", "") == 200 && held(&fleet, "battery") == 1);
        device->lease.counter = 2;
        CHECK(world_report(&fleet.world, device, "preflight_failed", "") == 200 && held(&fleet, "battery") == 1);
        device->lease.counter = 1;
        CHECK(world_report(&fleet.world, device, "preflight_failed", "") == 200 && held(&fleet, "battery") == 0);
}

TEST(hold, said_again_it_is_not_written_again)
{
        OWN(fleet) struct fleet fleet = { 0 };
        int64_t first = 0, second = 0;
        fleet_open(&fleet);
        CHECK(say(&fleet, 0, "edr-rules", 1, "freeze") == 200 && db_number(fleet.world.store->db, "SELECT said_ms FROM holds", NO_VALUES, -1, &first, NULL) == OK);
        world_tick(&fleet.world, 60000);
        CHECK(say(&fleet, 0, "edr-rules", 1, "freeze") == 200 && db_number(fleet.world.store->db, "SELECT said_ms FROM holds", NO_VALUES, -1, &second, NULL) == OK);
        CHECK(first == second && say(&fleet, 0, "edr-rules", 1, "window") == 200);
        CHECK(db_number(fleet.world.store->db, "SELECT said_ms FROM holds", NO_VALUES, -1, &second, NULL) == OK && second > first);
}

TEST(hold, takes_no_more_rows_than_a_device_may_have_streams)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        for (int i = 0; i < LIMIT_STREAMS + 4; i++) {
                char stream[16];
                snprintf(stream, sizeof(stream), "s%d", i);
                CHECK(say(&fleet, 0, stream, 1, "pin") == 200);
        }
        CHECK(rows(&fleet) == LIMIT_STREAMS);
}

TEST(hold, is_refused_when_it_makes_no_sense_or_is_nobodys)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device stranger;
        fleet_open(&fleet);
        world_device_init(&fleet.world, &stranger);
        CHECK(say(&fleet, 0, "edr-rules", 1, "because") == 400 && say(&fleet, 0, "edr-rules", 0, "pin") == 400 && say(&fleet, 0, "a b", 1, "pin") == 400);
        CHECK(world_device_ask(&fleet.world, &stranger, "/v1/holds", "{}") == 401 && rows(&fleet) == 0);
}
