/* After the bake: devices that fall silent, that move on, and that are harmed while something else is on trial. */
#include "server/store/inside.h"
#include "server/world.h"
#include "rollout/rollout.h"

#include "support/test.h"

#include <string.h>

enum { FLEET = 40, LEASE_MS = 5000 };
struct fleet { struct world world; struct world_device devices[FLEET]; bool is_in_file, is_control[FLEET]; };

static void start(struct fleet *fleet, int64_t counter, int64_t budget)
{
        char body[256];
        snprintf(body, sizeof(body), "{\"stream\":\"%s\",\"counter\":%lld,\"policy\":{\"budget\":%lld,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":300000}}",
                 fleet->world.stream ? fleet->world.stream : "edr-rules", (long long)counter, (long long)budget);
        CHECK(world_publish(&fleet->world, counter) == 201);
        world_prove(&fleet->world, counter);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", body) == 201);
}

/* Everybody asks; who gets a lease proves it. */
static void everybody_asks(struct fleet *fleet, int64_t counter)
{
        for (int i = 0; i < FLEET; i++)
                if (fleet->devices[i].running != counter)
                        (void)world_lease(&fleet->world, &fleet->devices[i], counter, true);
        world_tick(&fleet->world, 100);
        for (int i = 0; i < FLEET; i++) {
                struct world_device *device = &fleet->devices[i];
                if (device->running == counter || world_lease(&fleet->world, device, counter, false) != 200)
                        continue;
                fleet->is_control[i] |= device->lease.is_shadow;
                if (!device->lease.is_shadow)
                        device->running = device->proven = counter;
                CHECK(world_report(&fleet->world, device, "proven", "") == 200);
        }
        world_tick(&fleet->world, LEASE_MS + 100);
}

static void fleet_open(struct fleet *fleet, int64_t budget)
{
        if (fleet->is_in_file)
                world_open_file(&fleet->world);
        else
                world_open(&fleet->world);
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        start(fleet, 1, budget);
        for (int round = 0; round < 4; round++)
                everybody_asks(fleet, 1);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static int64_t number(struct fleet *fleet, int64_t counter, const char *key)
{
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/%lld", (long long)counter);
        CHECK(world_ask(&fleet->world, "GET", path, NULL) == 200);
        const struct json *watch = json_get(fleet->world.json, "watch");
        return json_get(watch, key) ? json_int(json_get(watch, key), -1) : world_int(&fleet->world, key);
}

static bool is_state(struct fleet *fleet, const char *state)
{
        (void)number(fleet, 1, "exposed");
        return strcmp(world_text(&fleet->world, "state"), state) == 0;
}

/* As check-ins are booked: of all but the first `silent` of those that have it. */
static void hear(struct fleet *fleet, unsigned silent)
{
        for (int i = 0; i < FLEET; i++)
                if (fleet->devices[i].running != 1 || silent-- - 1 >= FLEET)
                        CHECK(db_run(fleet->world.store->db, "UPDATE devices SET seen_at = ? WHERE number = ?",
                                     VALUES(bind_int(fleet->world.now_ms / 1000), bind_int(i + 1)), NULL) == OK);
}

static void rounds(struct fleet *fleet, unsigned count, unsigned silent)
{
        for (unsigned i = 0; i < 5 * count; i++) {
                hear(fleet, silent);
                world_tick(&fleet->world, 1000);
        }
}

TEST(server_watch, counts_those_who_have_it_and_listens_to_them)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, 40);
        int64_t proven = number(&fleet, 1, "proven");
        CHECK(is_state(&fleet, "complete") && proven > 20 && number(&fleet, 1, "watched") == proven && number(&fleet, 1, "listened") > 20);
        rounds(&fleet, 4, 0);
        CHECK(number(&fleet, 1, "lost") == 0 && number(&fleet, 1, "control_lost") == 0 && is_state(&fleet, "complete"));
}

TEST(server_watch, stops_a_release_that_silences_who_had_proven_it)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, 15);
        rounds(&fleet, 2, 0);
        rounds(&fleet, 3, FLEET);
        CHECK(number(&fleet, 1, "lost") > 20 && number(&fleet, 1, "control_lost") == 0);
        /* Who is control is drawn by the release's name: with few of them the budget may have no room left before it is spent. */
        CHECK(is_state(&fleet, "halted") || is_state(&fleet, "holding"));
        CHECK(number(&fleet, 1, "hurt") == 0 && strcmp(world_text(&fleet.world, "stopped_by"), "operator") != 0);
}

TEST(server_watch, says_the_same_after_a_restart)
{
        OWN(fleet) struct fleet fleet = { .is_in_file = true };
        fleet_open(&fleet, 40);
        rounds(&fleet, 2, 0);
        rounds(&fleet, 2, 4);
        int64_t lost = number(&fleet, 1, "lost"), listened = number(&fleet, 1, "listened");
        CHECK(lost > 1 && lost < 5);
        world_crash(&fleet.world);
        CHECK(number(&fleet, 1, "lost") == lost && number(&fleet, 1, "listened") == listened);
        rounds(&fleet, 2, 0);
        CHECK(number(&fleet, 1, "lost") == 0);
}

TEST(server_watch, hears_of_harm_to_control_whatever_it_is_told_of)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, 40);
        int control = 0;
        while (fleet.devices[control].running == 1 || !fleet.is_control[control])
                control++;
        snprintf(fleet.devices[control].nonce, sizeof(fleet.devices[control].nonce), "%032d", 7);      /* of a lease long ago */
        int64_t before = number(&fleet, 1, "control_harmed");
        CHECK(world_report(&fleet.world, &fleet.devices[control], "harmed", "crash") == 200);
        CHECK(number(&fleet, 1, "control_harmed") == before + 1);
        CHECK(world_report(&fleet.world, &fleet.devices[control], "harmed", "crash") == 200);
        CHECK(number(&fleet, 1, "control_harmed") == before + 1 && number(&fleet, 1, "harmed") == 0);
}

TEST(server_watch, counts_late_harm_of_who_has_it)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, 40);
        int treated = 0;
        while (fleet.devices[treated].running != 1)
                treated++;
        int64_t watched = number(&fleet, 1, "watched");
        CHECK(world_report(&fleet.world, &fleet.devices[treated], "harmed", "crash") == 200);
        CHECK(number(&fleet, 1, "harmed") == 1 && number(&fleet, 1, "watched") == watched - 1 && is_state(&fleet, "complete"));
}

TEST(server_watch, lets_go_of_those_who_got_a_newer_release)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, 40);
        int64_t watched = number(&fleet, 1, "watched");
        start(&fleet, 2, 40);
        everybody_asks(&fleet, 2);
        int64_t exposed = number(&fleet, 2, "exposed");
        CHECK(watched > 20 && exposed > 5 && number(&fleet, 1, "watched") < watched && is_state(&fleet, "complete"));
        rounds(&fleet, 3, FLEET);
        CHECK(is_state(&fleet, "complete"));
}

/* Ten minutes ago it got this one, and now something crashes under another. */
TEST(server_watch, counts_harm_against_all_that_is_in_its_bake)
{
        OWN(fleet) struct fleet fleet = { 0 };
        world_open(&fleet.world);
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet.world, &fleet.devices[i], "os=debian");
        start(&fleet, 1, 10);
        for (int i = 0; i < FLEET; i++)
                (void)world_lease(&fleet.world, &fleet.devices[i], 1, true);
        world_tick(&fleet.world, 100);
        int treated = 0;
        while (world_lease(&fleet.world, &fleet.devices[treated], 1, false) != 200 || fleet.devices[treated].lease.is_shadow)
                treated++;
        CHECK(world_report(&fleet.world, &fleet.devices[treated], "proven", "") == 200 && number(&fleet, 1, "proven") == 1);
        fleet.world.stream = "dns-filter";       /* of which it never had a lease here: what it says of it is kept */
        snprintf(fleet.devices[treated].nonce, sizeof(fleet.devices[treated].nonce), "%032d", 7);
        CHECK(world_report(&fleet.world, &fleet.devices[treated], "harmed", "crash") == 200);
        CHECK(number(&fleet, 1, "harmed") == 1 && number(&fleet, 1, "proven") == 0);
}
