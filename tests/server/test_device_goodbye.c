/* What devices say before they fall silent, and what operators see of it. */
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

#include <inttypes.h>
#include <string.h>

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
        world_tick(&fleet->world, 60000);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static int say(struct fleet *fleet, int device, const char *kind, int64_t back_s)
{
        char body[128];
        snprintf(body, sizeof(body), "{\"kind\":\"%s\",\"back_s\":%" PRId64 "}", kind, back_s);
        return world_device_ask(&fleet->world, &fleet->devices[device], "/v1/goodbyes", body);
}

/* What `firebreak device show` gets of it. */
static const struct json *shown(struct fleet *fleet, int device)
{
        char path[80];
        snprintf(path, sizeof(path), "/api/v1/devices/%s", fleet->devices[device].id);
        CHECK(world_ask(&fleet->world, "GET", path, NULL) == 200);
        return json_get(fleet->world.json, "goodbye");
}

static bool shows(struct fleet *fleet, int device, const char *kind, bool is_away)
{
        const struct json *goodbye = shown(fleet, device);
        const char *found = json_text(json_get(goodbye, "kind"));
        return found && strcmp(found, kind) == 0 && json_bool(json_get(goodbye, "is_away"), !is_away) == is_away;
}

static void seen(struct fleet *fleet, int device)
{
        struct store_seen seen = { .at_s = fleet->world.now_ms / 1000 };
        snprintf(seen.id, sizeof(seen.id), "%s", fleet->devices[device].id);
        CHECK(store_seen(fleet->world.store, &seen, 1, NULL) == OK);
}

static int64_t counted(struct fleet *fleet, const char *what)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        return json_int(json_get(json_get(fleet->world.json, "goodbyes"), what), -1);
}

TEST(goodbye, is_shown_until_the_device_is_heard_of_again)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        seen(&fleet, 0);
        CHECK(!json_text(json_get(shown(&fleet, 0), "kind")));
        CHECK(say(&fleet, 0, "suspend", 0) == 200 && world_int(&fleet.world, "ack") == fleet.world.now_ms / 1000);
        CHECK(shows(&fleet, 0, "suspend", true) && !json_text(json_get(shown(&fleet, 1), "kind")));
        fleet.world.now_ms += 3600000;
        CHECK(shows(&fleet, 0, "suspend", true));
        seen(&fleet, 0);
        CHECK(shows(&fleet, 0, "suspend", false));
        CHECK(world_ask(&fleet.world, "GET", "/api/v1/devices", NULL) == 200 && json_count(json_get(fleet.world.json, "items")) == FLEET);
        const struct json *first = json_at(json_get(fleet.world.json, "items"), 0);
        CHECK(strcmp(json_text(json_get(json_get(first, "goodbye"), "kind")), "suspend") == 0);
}

/* The agent goes on until the machine sleeps. */
TEST(goodbye, is_not_ended_by_what_was_said_before_the_machine_slept)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(say(&fleet, 0, "shutdown", 0) == 200);
        fleet.world.now_ms += 1000 * (LIMIT_GOODBYE_SETTLE_S - 1);
        seen(&fleet, 0);
        CHECK(shows(&fleet, 0, "shutdown", true));
        fleet.world.now_ms += 1000;
        seen(&fleet, 0);
        CHECK(shows(&fleet, 0, "shutdown", false));
}

TEST(goodbye, of_a_reboot_names_the_time_of_return)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        const int64_t now_s = fleet.world.now_ms / 1000;
        CHECK(say(&fleet, 0, "reboot", 600) == 200 && shows(&fleet, 0, "reboot", true));
        CHECK(json_int(json_get(shown(&fleet, 0), "back_at"), 0) == now_s + 600);
        fleet.world.now_ms += 1000;
        CHECK(say(&fleet, 0, "suspend", 0) == 200 && json_int(json_get(shown(&fleet, 0), "back_at"), -1) == -1);
}

/* Who stands between keeps what a device signed, and says it again when the device is back, or after its next goodbye. */
TEST(goodbye, said_again_by_somebody_else_does_nothing)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        struct world_device *device = &fleet.devices[0];
        static const char suspend[] = "{\"kind\":\"suspend\",\"back_s\":0}", reboot[] = "{\"kind\":\"reboot\",\"back_s\":600}";
        const int64_t first_s = fleet.world.now_ms / 1000, second_s = first_s + 30;
        CHECK(world_device_ask_at(&fleet.world, device, first_s, "/v1/goodbyes", suspend) == 200);
        fleet.world.now_ms += 30000;
        CHECK(world_device_ask_at(&fleet.world, device, second_s, "/v1/goodbyes", reboot) == 200 && shows(&fleet, 0, "reboot", true));
        fleet.world.now_ms += 30000;
        seen(&fleet, 0);
        CHECK(shows(&fleet, 0, "reboot", false));
        fleet.world.now_ms += 30000;
        CHECK(world_device_ask_at(&fleet.world, device, first_s, "/v1/goodbyes", suspend) == 200 && shows(&fleet, 0, "reboot", false));
        CHECK(world_device_ask_at(&fleet.world, device, second_s, "/v1/goodbyes", reboot) == 200 && shows(&fleet, 0, "reboot", false));
        CHECK(json_int(json_get(shown(&fleet, 0), "said_at"), 0) == second_s);
        CHECK(world_device_ask_at(&fleet.world, device, first_s - 400, "/v1/goodbyes", suspend) == 403);
}

/* Our clock was far ahead for a moment, and the device followed it: what it says later is no repetition of that. */
TEST(goodbye, is_heard_after_one_of_a_time_that_never_came)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        const int64_t now_ms = fleet.world.now_ms, ahead_s = now_ms / 1000 + 31536000;
        static const char suspend[] = "{\"kind\":\"suspend\",\"back_s\":0}";
        fleet.world.now_ms = ahead_s * 1000;
        CHECK(world_device_ask_at(&fleet.world, &fleet.devices[0], ahead_s, "/v1/goodbyes", suspend) == 200);
        fleet.world.now_ms = now_ms;
        CHECK(say(&fleet, 0, "reboot", 600) == 200 && shows(&fleet, 0, "reboot", true) && json_int(json_get(shown(&fleet, 0), "said_at"), 0) == now_ms / 1000);
        CHECK(world_device_ask_at(&fleet.world, &fleet.devices[0], ahead_s, "/v1/goodbyes", suspend) == 403 && shows(&fleet, 0, "reboot", true));
}

TEST(goodbye, is_one_row_for_each_device_whatever_it_says)
{
        OWN(fleet) struct fleet fleet = { 0 };
        int64_t rows = 0;
        fleet_open(&fleet);
        for (int i = 0; i < 50; i++) {
                fleet.world.now_ms += 1000;
                CHECK(say(&fleet, i % 2, i % 3 ? "suspend" : "shutdown", i) == 200);
        }
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM goodbyes", NO_VALUES, -1, &rows, NULL) == OK && rows == 2);
}

TEST(goodbye, that_is_none_is_refused_and_changes_nothing)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device stranger;
        fleet_open(&fleet);
        world_device_init(&fleet.world, &stranger);
        CHECK(say(&fleet, 0, "restart", 0) == 400 && say(&fleet, 0, "reboot", 0) == 400 && say(&fleet, 0, "reboot", LIMIT_GOODBYE_BACK_S + 1) == 400);
        CHECK(world_device_ask(&fleet.world, &fleet.devices[0], "/v1/goodbyes", "{\"kind\":\"suspend\"}") == 400);
        CHECK(world_device_ask(&fleet.world, &stranger, "/v1/goodbyes", "{\"kind\":\"suspend\",\"back_s\":0}") == 401);
        CHECK(!json_text(json_get(shown(&fleet, 0), "kind")));
}

/* One that is on trial and says goodbye, once or again and again, is dark when any other would be; people see that it had said so. */
TEST(goodbye, hides_no_silence_and_moves_no_deadline)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        int status[2] = { world_lease(&fleet.world, &fleet.devices[0], 1, true), world_lease(&fleet.world, &fleet.devices[1], 1, true) };
        for (int i = 0; i < 100 && (status[0] != 200 || status[1] != 200); i++) {
                world_tick(&fleet.world, 1000);
                for (int device = 0; device < 2; device++)
                        status[device] = world_lease(&fleet.world, &fleet.devices[device], 1, false);
        }
        CHECK(status[0] == 200 && status[1] == 200);
        const int64_t end_ms = 1000 * (fleet.devices[0].lease.deadline > fleet.devices[1].lease.deadline ? fleet.devices[0].lease.deadline : fleet.devices[1].lease.deadline);
        CHECK(counted(&fleet, "unanswered") == 0);
        CHECK(say(&fleet, 0, "suspend", 0) == 200 && counted(&fleet, "unanswered") == 1 && counted(&fleet, "dark") == 0);
        while (fleet.world.now_ms <= end_ms + 2000) {
                world_tick(&fleet.world, 1000);
                CHECK(say(&fleet, 0, "reboot", 600) == 200);
        }
        CHECK(counted(&fleet, "unanswered") == 0 && counted(&fleet, "dark") == 1 && world_int(&fleet.world, "dark") == 2);
}
