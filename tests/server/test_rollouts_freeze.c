/* Freeze windows on the server. The world begins on Sunday, 19 July 2026, at 03:36:40 UTC, which is 05:36:40 in Berlin. */
#include "server/rollouts/freeze.h"
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

#include <string.h>

enum { FLEET = 12 };
struct fleet { struct world world; struct world_device devices[FLEET]; };

static const char *const attributes[] = { "os=debian,timezone=Europe/Berlin", "os=debian,timezone=UTC", "os=debian", "os=debian,timezone=Nowhere/Atlantis" };
static bool is_berlin(int device) { return device % 4 == 0; }

static int start(struct fleet *fleet, const char *freeze)
{
        char body[512];
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":12,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0,"
                                     "\"watch_s\":10,\"freeze\":%s}}", freeze);
        return world_ask(&fleet->world, "POST", "/api/v1/rollouts", body);
}

static void enrol_and_publish(struct fleet *fleet)
{
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet->world, &fleet->devices[i], attributes[i % 4]);
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
}

static void fleet_open(struct fleet *fleet, const char *freeze)
{
        world_open(&fleet->world);
        enrol_and_publish(fleet);
        CHECK(start(fleet, freeze) == 201);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static const struct json *look(struct fleet *fleet)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        return fleet->world.json;
}

static bool stands(struct fleet *fleet, const char *state, const char *reason)
{
        (void)look(fleet);
        return strcmp(world_text(&fleet->world, "state"), state) == 0 && strcmp(world_text(&fleet->world, "reason"), reason) == 0;
}

static int act(struct fleet *fleet, const char *action)
{
        char path[96];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/1/%s", action);
        return world_ask(&fleet->world, "POST", path, "{\"who\":\"ann\",\"second\":\"bob\",\"reason\":\"test\"}");
}

/* Everybody asks; a tick; everybody asks again: whose turn it is has it. */
static int all_ask(struct fleet *fleet, bool has[FLEET])
{
        int granted = 0;
        for (int i = 0; i < FLEET; i++)
                (void)world_lease(&fleet->world, &fleet->devices[i], 1, true);
        world_tick(&fleet->world, 100);
        for (int i = 0; i < FLEET; i++) {
                bool is_given = world_lease(&fleet->world, &fleet->devices[i], 1, false) == 200;
                granted += is_given;
                if (has)
                        has[i] = is_given;
        }
        return granted;
}

static bool director_says(struct fleet *fleet, const char *word)
{
        int64_t count = 0;
        CHECK(db_number(fleet->world.store->db, "SELECT count(*) FROM cohorts WHERE says LIKE ? || ' %'", VALUES(bind_text(word)), 0, &count, NULL) == OK);
        return count == 1;
}

TEST(freeze, holds_the_rollout_and_lets_it_go_on_by_itself)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "[\"sun 03:00 - sun 03:40 UTC\",\"sat 12:00 - sun 05:39 Europe/Berlin\"]");
        CHECK(stands(&fleet, "holding", "freeze_window") && world_int(&fleet.world, "until") == WORLD_START_S + 200 && world_int(&fleet.world, "frozen") == FLEET);
        CHECK(strcmp(world_text(&fleet.world, "sentence"), "A freeze window is open: what runs it, runs on; nothing new starts before 2026-07-19 03:40 UTC.") == 0);
        world_tick(&fleet.world, 100);
        CHECK(director_says(&fleet, "hold") && all_ask(&fleet, NULL) == 0 && strcmp(world_text(&fleet.world, "reason"), "a freeze window is open") == 0);
        world_tick(&fleet.world, 180000);
        CHECK(stands(&fleet, "holding", "freeze_window"));
        world_tick(&fleet.world, 20000);
        CHECK(stands(&fleet, "exposing", "") && director_says(&fleet, "go") && world_int(&fleet.world, "frozen") == 0);
        CHECK(json_get(fleet.world.json, "until") && world_int(&fleet.world, "until") == -1 && all_ask(&fleet, NULL) == FLEET);
}

TEST(freeze, begins_in_the_midst_of_a_rollout_and_lets_leases_run_on)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "[\"sun 03:37 - mon 03:00 UTC\"]");
        (void)world_lease(&fleet.world, &fleet.devices[0], 1, true);
        (void)world_lease(&fleet.world, &fleet.devices[1], 1, true);
        world_tick(&fleet.world, 100);                   /* both are picked; one comes in time */
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 1, false) == 200);
        world_tick(&fleet.world, 20000 - 100);
        CHECK(stands(&fleet, "holding", "freeze_window") && director_says(&fleet, "hold"));
        CHECK(world_lease(&fleet.world, &fleet.devices[1], 1, false) == 409);            /* its reservation lapsed */
        CHECK(world_report(&fleet.world, &fleet.devices[0], "proven", "") == 200);
        CHECK(look(&fleet) && world_int(&fleet.world, "proven") == 1 && world_int(&fleet.world, "exposed") == 1);
}

TEST(freeze, in_the_zones_of_devices_keeps_those_out_of_line_where_it_is_time)
{
        OWN(fleet) struct fleet fleet = { 0 };
        bool has[FLEET];
        fleet_open(&fleet, "[\"sun 05:00 - sun 05:39 device\"]");
        CHECK(stands(&fleet, "exposing", ""));
        world_tick(&fleet.world, 100);
        CHECK(look(&fleet) && world_int(&fleet.world, "frozen") == FLEET / 4);
        CHECK(all_ask(&fleet, has) == FLEET * 3 / 4);
        for (int i = 0; i < FLEET; i++)
                CHECK(has[i] != is_berlin(i));
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 1, false) == 202);
        CHECK(strcmp(world_text(&fleet.world, "reason"), "a freeze window is open where this device is") == 0);
        CHECK(world_report(&fleet.world, &fleet.devices[1], "proven", "") == 200);      /* the others fall silent: they are not all */
        world_tick(&fleet.world, 140000);
        CHECK(all_ask(&fleet, has) == FLEET / 4 && has[0]);
}

TEST(freeze, in_the_zones_of_devices_holds_when_it_is_time_everywhere)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "[\"sun 03:00 - sun 06:00 device\"]");
        CHECK(stands(&fleet, "holding", "freeze_window") && world_int(&fleet.world, "until") == 1784433600);     /* 06:00 in Berlin */
        world_tick(&fleet.world, (1784433600 - WORLD_START_S) * 1000);
        CHECK(stands(&fleet, "exposing", "") && world_int(&fleet.world, "frozen") == FLEET * 3 / 4 && all_ask(&fleet, NULL) == FLEET / 4);
}

TEST(freeze, never_freezes_a_roll_back)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "[\"sun 03:37 - mon 03:00 UTC\"]");
        CHECK(all_ask(&fleet, NULL) == FLEET);
        for (int i = 0; i < 10; i++)
                CHECK(world_report(&fleet.world, &fleet.devices[i], "proven", "") == 200);
        world_tick(&fleet.world, 20000);
        CHECK(stands(&fleet, "holding", "freeze_window"));
        CHECK(act(&fleet, "withdraw") == 200 && stands(&fleet, "rolling_back", "") && director_says(&fleet, "withdraw"));
}

TEST(freeze, is_passed_over_by_two_people)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "[\"sun 03:00 - mon 03:00 UTC\"]");
        CHECK(act(&fleet, "resume") == 409 && strstr(buf_text(&fleet.world.answer.body), "it goes on by itself"));
        CHECK(act(&fleet, "override") == 200 && stands(&fleet, "exposing", "") && world_int(&fleet.world, "frozen") == 0);
        world_tick(&fleet.world, 60000);
        CHECK(all_ask(&fleet, NULL) == FLEET);
}

TEST(freeze, is_the_same_after_a_restart)
{
        OWN(fleet) struct fleet fleet = { 0 };
        char before[8192];
        world_open_file(&fleet.world);
        enrol_and_publish(&fleet);
        CHECK(start(&fleet, "[\"sun 03:38 - sun 03:40 UTC\",\"mon 00:00 - mon 01:00 device\"]") == 201);
        for (int round = 0; round < 5; round++) {
                world_tick(&fleet.world, 60000);
                (void)look(&fleet);
                CHECK(fleet.world.answer.body.length < sizeof(before));
                snprintf(before, sizeof(before), "%s", buf_text(&fleet.world.answer.body));
                world_crash(&fleet.world);
                world_tick(&fleet.world, 1);
                (void)look(&fleet);
                CHECK(strcmp(before, buf_text(&fleet.world.answer.body)) == 0);
                CHECK(stands(&fleet, round > 0 && round < 3 ? "holding" : "exposing", round > 0 && round < 3 ? "freeze_window" : ""));
        }
        int64_t told = 0;
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM rollout_inputs WHERE what = 'freeze'", NO_VALUES, 0, &told, NULL) == OK && told == 2);
}

/* Complete, the watch over: who comes then has it outside of the books, but not in a freeze. */
TEST(freeze, holds_for_those_who_come_later)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device late[2];
        fleet_open(&fleet, "[\"sun 05:40 - sun 06:00 device\"]");
        CHECK(all_ask(&fleet, NULL) == FLEET);
        world_tick(&fleet.world, 2000);
        for (int i = 0; i < FLEET; i++)
                CHECK(world_report(&fleet.world, &fleet.devices[i], "proven", "") == 200);
        world_tick(&fleet.world, 20000);
        world_tick(&fleet.world, 20000);
        CHECK(stands(&fleet, "watched", ""));
        world_tick(&fleet.world, 200000);
        world_enrol(&fleet.world, &late[0], attributes[0]);
        world_enrol(&fleet.world, &late[1], attributes[1]);
        CHECK(world_lease(&fleet.world, &late[0], 1, true) == 202 && world_lease(&fleet.world, &late[1], 1, true) == 200);
        world_tick(&fleet.world, 1200000);
        CHECK(world_lease(&fleet.world, &late[0], 1, true) == 200);
}

TEST(freeze, that_is_none_is_refused_with_the_reason)
{
        static const struct { const char *freeze, *says; } cases[] = {
                { "[\"sun 05:40 - sun 06:00 Europe/Bonn\"]", "there is no time zone `Europe/Bonn`" },
                { "[\"sun 05:40 - sun 06:00\"]", "write it as" },
                { "[5]", "freeze[0] is no text" },
                { "\"sun 05:40 - sun 06:00 UTC\"", "freeze" },
        };
        OWN(fleet) struct fleet fleet = { 0 };
        world_open(&fleet.world);
        enrol_and_publish(&fleet);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(start(&fleet, cases[i].freeze) == 400 && strstr(buf_text(&fleet.world.answer.body), cases[i].says));
        CHECK(start(&fleet, "[\"Sun 05:40 - sun 24:00 device\"]") == 201);
        const struct json *freeze = json_get(json_get(fleet.world.json, "policy"), "freeze");
        CHECK(json_count(freeze) == 1 && strcmp(json_text(json_at(freeze, 0)), "sun 05:40 - mon 00:00 device") == 0);
}
