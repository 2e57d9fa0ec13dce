/* The signed ceiling of a release's ramp, held by the server too. */
#include "server/store/inside.h"
#include "server/world.h"
#include "trust/cohort.h"

#include "format/hex.h"
#include "support/test.h"

#include <string.h>

enum { FLEET = 40 };
struct fleet { struct world world; struct world_device devices[FLEET]; int64_t early; bool is_in_file; };

/* 10 % at once, 50 % after a minute, all after an hour; from ten seconds after the world began. */
static const struct ceiling ramp = { WORLD_START_S + 10, 3, { { 0, 100000 }, { 60, 500000 }, { 3600, 1000000 } } };

static void fleet_open(struct fleet *fleet)
{
        if (fleet->is_in_file)
                world_open_file(&fleet->world);
        else
                world_open(&fleet->world);
        fleet->world.ceiling = ramp;
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        CHECK(db_run(fleet->world.store->db, "UPDATE devices SET ring = 'early' WHERE number <= ?", VALUES(bind_int(fleet->early)), NULL) == OK);
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":40,\"bake_s\":2,\"gap_s\":3,"
                                                                   "\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}") == 201);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static int64_t number(struct fleet *fleet, const char *key)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        return world_int(&fleet->world, key);
}

static bool is_at_ceiling(struct fleet *fleet)
{
        (void)number(fleet, "exposed");
        return strcmp(world_text(&fleet->world, "state"), "holding") == 0 && strcmp(world_text(&fleet->world, "reason"), "ceiling") == 0;
}

static bool admits(const struct fleet *fleet, int device)
{
        char salt[65];
        hex_encode(fleet->world.target, 32, salt);
        return ceiling_admits(&ramp, fleet->world.now_ms / 1000, cohort_bucket(salt, fleet->devices[device].id), device < fleet->early ? "early" : "default");
}

/* Devices that ask whatever their own rule says; who gets a lease for the first time proves it. */
static void everybody_asks(struct fleet *fleet)
{
        for (int i = 0; i < FLEET; i++)
                if (fleet->devices[i].running != 1)
                        (void)world_lease(&fleet->world, &fleet->devices[i], 1, true);
        world_tick(&fleet->world, 100);
        for (int i = 0; i < FLEET; i++)
                if (fleet->devices[i].running != 1 && world_lease(&fleet->world, &fleet->devices[i], 1, false) == 200) {
                        CHECK(admits(fleet, i));
                        fleet->devices[i].running = fleet->devices[i].proven = 1;
                        CHECK(world_report(&fleet->world, &fleet->devices[i], "proven", "") == 200);
                }
        world_tick(&fleet->world, 100);
}

static int64_t count_admitted(const struct fleet *fleet)
{
        int64_t count = 0;
        for (int i = 0; i < FLEET; i++)
                count += admits(fleet, i);
        return count;
}

static void climb(struct fleet *fleet)
{
        const struct { int64_t at_s, share; } steps[] = { { 10, FLEET / 10 }, { 70, FLEET / 2 } };
        CHECK(is_at_ceiling(fleet) && number(fleet, "until") == WORLD_START_S + 10);
        for (int step = 0; step < 2; step++) {
                world_tick(&fleet->world, (WORLD_START_S + steps[step].at_s) * 1000 - fleet->world.now_ms);
                int64_t share = steps[step].share > fleet->early ? steps[step].share : fleet->early, admitted = count_admitted(fleet);
                for (int round = 0; round < 4; round++)
                        everybody_asks(fleet);
                CHECK(number(fleet, "exposed") == (share < admitted ? share : admitted));
                CHECK(is_at_ceiling(fleet) && number(fleet, "until") == WORLD_START_S + (step ? 3610 : 70));
        }
        world_tick(&fleet->world, 3600000);
        for (int round = 0; round < 4; round++)
                everybody_asks(fleet);
        CHECK(number(fleet, "exposed") == FLEET);
}

TEST(ramp, is_climbed_step_by_step)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        climb(&fleet);
}

TEST(ramp, begins_with_the_early_ring_whatever_its_size)
{
        OWN(fleet) struct fleet fleet = { .early = 9 };
        fleet_open(&fleet);
        climb(&fleet);
}

TEST(ramp, is_the_same_after_a_restart)
{
        OWN(fleet) struct fleet fleet = { .is_in_file = true };
        fleet_open(&fleet);
        world_tick(&fleet.world, 11000);
        everybody_asks(&fleet);
        int64_t exposed = number(&fleet, "exposed");
        CHECK(is_at_ceiling(&fleet));
        world_crash(&fleet.world);
        world_tick(&fleet.world, 100);
        CHECK(is_at_ceiling(&fleet) && number(&fleet, "exposed") == exposed && number(&fleet, "until") == WORLD_START_S + 70);
        everybody_asks(&fleet);
        CHECK(number(&fleet, "exposed") == exposed);
}

TEST(ramp, is_lifted_by_nobody_here)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(world_ask(&fleet.world, "POST", "/api/v1/rollouts/edr-rules/1/override", "{\"who\":\"ann\",\"second\":\"bob\",\"reason\":\"now\"}") == 409);
        CHECK(strstr(buf_text(&fleet.world.answer.body), "signed offline") && is_at_ceiling(&fleet));
}

static void say(struct fleet *fleet, const char *word)
{
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/1/%s", word);
        CHECK(world_ask(&fleet->world, "POST", path, "{\"who\":\"ann\",\"reason\":\"test\"}") == 200);
}

/* Whoever resumes does not hold: the ceiling does. */
TEST(ramp, holds_in_its_own_name_after_a_resume)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        say(&fleet, "hold");
        say(&fleet, "resume");
        CHECK(is_at_ceiling(&fleet));
        const struct json *events = json_get(fleet.world.json, "events");
        const char *resumed = json_text(json_get(json_at(events, json_count(events) - 2), "what"));
        const char *held = json_text(json_get(json_at(events, json_count(events) - 1), "what"));
        CHECK(strstr(resumed, "holding -> exposing (resume)") && strstr(resumed, "; by ann: test"));
        CHECK(strstr(held, "exposing -> holding (ceiling)") && !strstr(held, "by "));
}

TEST(ramp, is_withdrawn_in_the_name_of_who_said_so_by_way_of_a_halt)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        say(&fleet, "withdraw");
        (void)number(&fleet, "exposed");
        const struct json *events = json_get(fleet.world.json, "events");
        int said = 0;
        for (size_t i = 0; i < json_count(events); i++) {
                const char *what = json_text(json_get(json_at(events, i), "what"));
                said += strstr(what, " -> ") && strstr(what, "; by ann: test");
        }
        CHECK(said == 2);
}
