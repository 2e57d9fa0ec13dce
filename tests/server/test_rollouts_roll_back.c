/* Release 1 runs on two devices of three, proven, and is withdrawn over a minute. */
#include "server/rollouts/roll_back.h"
#include "server/store/inside.h"
#include "server/world.h"

#include "base/limits.h"
#include "support/test.h"

#include <inttypes.h>

enum { DEVICES = 3, PROVEN = 2, OVER_S = 60, LEASE_S = 5 };

struct fleet { struct world world; struct world_device devices[DEVICES]; };
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static int act(struct fleet *fleet, const char *what, const char *more)
{
        char path[96], body[128];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/1/%s", what);
        snprintf(body, sizeof(body), "{\"who\":\"ann\",\"reason\":\"test\"%s}", more);
        return world_ask(&fleet->world, "POST", path, body);
}

static void run_1(struct fleet *fleet, const char *policy)
{
        char body[256];
        for (int i = 0; i < DEVICES; i++)
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0%s}}", policy);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", body) == 201);
        for (int i = 0; i < PROVEN; i++)
                CHECK(world_lease(&fleet->world, &fleet->devices[i], 1, true) == 202);
        world_tick(&fleet->world, 100);
        for (int i = 0; i < PROVEN; i++)
                CHECK(world_lease(&fleet->world, &fleet->devices[i], 1, false) == 200);
        world_tick(&fleet->world, 2500);
        for (int i = 0; i < PROVEN; i++) {
                fleet->devices[i].running = fleet->devices[i].proven = 1;
                CHECK(world_report(&fleet->world, &fleet->devices[i], "proven", "") == 200);
        }
}

static void fleet_open(struct fleet *fleet)
{
        world_open_file(&fleet->world);
        run_1(fleet, ",\"rollback_s\":60");
}

/* What devices are told of release 1 beside the document. */
static struct withdrawal told(struct fleet *fleet)
{
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_target target;
        struct withdrawal withdrawals[WITHDRAWALS_MAX];
        world_director(&fleet->world, &tuf);
        CHECK(tuf_find(tuf, "edr-rules", &target, NULL) == OK);
        const struct withdrawal *found = withdrawal_find(withdrawals, withdrawals_read(target.custom, withdrawals), 1);
        return found ? *found : (struct withdrawal){ 0 };
}

static const struct json *look(struct fleet *fleet)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        return json_get(fleet->world.json, "roll_back");
}

static bool shows(struct fleet *fleet, int64_t devices, int64_t gone)
{
        const struct json *view = look(fleet);
        return json_int(json_get(view, "devices"), -1) == devices && json_int(json_get(view, "gone"), -1) == gone;
}

static void go_back(struct fleet *fleet, int i)
{
        struct world_device *device = &fleet->devices[i];
        device->running = device->proven = 0;
        snprintf(device->nonce, sizeof(device->nonce), "%032d", 0);
        CHECK(world_report(&fleet->world, device, "declined", "") == 200);
}

static bool is_in(struct fleet *fleet, const char *state)
{
        (void)look(fleet);
        return strcmp(world_text(&fleet->world, "state"), state) == 0;
}

TEST(roll_back, tells_devices_since_when_and_over_how_long)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(told(&fleet).counter == 0 && json_type(look(&fleet)) == JSON_NULL);
        int64_t since_s = fleet.world.now_ms / 1000;
        CHECK(act(&fleet, "withdraw", "") == 200);
        struct withdrawal withdrawal = told(&fleet);
        CHECK(withdrawal.counter == 1 && withdrawal.since_s == since_s && withdrawal.over_s == OVER_S);
        world_crash(&fleet.world);
        world_tick(&fleet.world, 1000000);               /* the director's files are made anew */
        withdrawal = told(&fleet);
        CHECK(withdrawal.since_s == since_s && withdrawal.over_s == OVER_S);
}

TEST(roll_back, shows_how_many_have_gone_and_until_when_it_takes)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(act(&fleet, "withdraw", "") == 200 && shows(&fleet, PROVEN, 0));
        int64_t since = json_int(json_get(look(&fleet), "since"), 0);
        CHECK(since == fleet.world.now_ms / 1000 && json_int(json_get(look(&fleet), "over_s"), 0) == OVER_S && json_int(json_get(look(&fleet), "until"), 0) == since + OVER_S);
        go_back(&fleet, 0);
        CHECK(shows(&fleet, PROVEN, 1));
        go_back(&fleet, 1);
        CHECK(shows(&fleet, PROVEN, 2));
}

/* Who looks later must find how fast it began. */
TEST(roll_back, writes_down_the_pace_with_which_it_begins)
{
        static const struct { const char *more, *says; } cases[] = { { "", "devices go back over 60 s" }, { ",\"rollback_s\":0", "devices go back at once" } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(fleet) struct fleet fleet = { 0 };
                char text[80];
                int64_t recorded = 0;
                fleet_open(&fleet);
                CHECK(act(&fleet, "withdraw", cases[i].more) == 200);
                const struct json *events = json_get((look(&fleet), fleet.world.json), "events");
                snprintf(text, sizeof(text), "%s; by ann: test", cases[i].says);
                CHECK(strcmp(json_text(json_get(json_at(events, json_count(events) - 1), "what")), text) == 0);
                snprintf(text, sizeof(text), "%s; test", cases[i].says);
                CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM audit WHERE what LIKE 'rollout.withdraw%' AND detail = ?", VALUES(bind_text(text)), 0, &recorded, NULL) == OK);
                CHECK(recorded == 1);
        }
}

/* Each is one more that has to go back; those who went have gone. */
TEST(roll_back, counts_those_who_tell_late_that_they_run_it)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(act(&fleet, "withdraw", "") == 200);
        go_back(&fleet, 0);
        go_back(&fleet, 1);
        CHECK(shows(&fleet, PROVEN, PROVEN));
        fleet.devices[2].running = fleet.devices[2].proven = 1;
        snprintf(fleet.devices[2].nonce, sizeof(fleet.devices[2].nonce), "%032d", 0);
        for (int times = 0; times < 2; times++) {
                CHECK(world_report(&fleet.world, &fleet.devices[2], "declined", "") == 200);
                CHECK(shows(&fleet, PROVEN + 1, PROVEN));
        }
        world_crash(&fleet.world);
        CHECK(shows(&fleet, PROVEN + 1, PROVEN));
        go_back(&fleet, 2);
        CHECK(shows(&fleet, PROVEN + 1, PROVEN + 1));
}

TEST(roll_back, does_not_end_before_it_was_everybodys_turn)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(act(&fleet, "withdraw", "") == 200);
        for (int i = 0; i < PROVEN; i++)
                go_back(&fleet, i);
        for (int s = 0; s < OVER_S + LEASE_S - 1; s++) {
                world_tick(&fleet.world, 1000);
                CHECK(is_in(&fleet, "rolling_back"));
        }
        world_tick(&fleet.world, 2000);
        CHECK(is_in(&fleet, "withdrawn") && shows(&fleet, PROVEN, PROVEN) && told(&fleet).over_s == OVER_S);
}

TEST(roll_back, is_at_once_where_somebody_says_so)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        static const char *const bad[] = { "-1", "86401", "9223372036854775807", "true", "null" };
        CHECK(act(&fleet, "hold", ",\"rollback_s\":0") == 400 && strstr(world_text(&fleet.world, "detail"), "rollback_s belongs to `withdraw`"));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char more[64];
                snprintf(more, sizeof(more), ",\"rollback_s\":%s", bad[i]);
                CHECK(act(&fleet, "withdraw", more) == 400 && is_in(&fleet, "exposing"));
        }
        CHECK(act(&fleet, "withdraw", ",\"rollback_s\":0") == 200);
        CHECK(told(&fleet).counter == 1 && told(&fleet).over_s == 0);
        for (int i = 0; i < PROVEN; i++)
                go_back(&fleet, i);
        world_tick(&fleet.world, (LEASE_S + 1) * 1000);
        CHECK(is_in(&fleet, "withdrawn"));
}

TEST(roll_back, can_be_hurried_while_devices_wait)
{
        int64_t recorded = 0;
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(act(&fleet, "withdraw", "") == 200 && told(&fleet).over_s == OVER_S);
        CHECK(act(&fleet, "withdraw", "") == 409 && told(&fleet).over_s == OVER_S);
        world_tick(&fleet.world, 1000);
        CHECK(act(&fleet, "withdraw", ",\"rollback_s\":0") == 200);
        world_tick(&fleet.world, 1000);
        CHECK(told(&fleet).over_s == 0 && told(&fleet).since_s == fleet.world.now_ms / 1000 - 1);
        const struct json *events = json_get((look(&fleet), fleet.world.json), "events");
        CHECK(strstr(json_text(json_get(json_at(events, json_count(events) - 1), "what")), "devices go back at once; by ann: test"));
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM audit WHERE what = 'rollout.withdraw.pace'", NO_VALUES, 0, &recorded, NULL) == OK && recorded == 1);
        CHECK(act(&fleet, "withdraw", ",\"rollback_s\":600") == 409 && strstr(world_text(&fleet.world, "detail"), "no device waits for its turn any more"));
}

/* A quarter of the minute is over; of a day, that is six hours ago. Nobody gets another turn, or loses one. */
TEST(roll_back, at_once_is_over_though_the_clock_was_put_back)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(act(&fleet, "halt", "") == 200 && act(&fleet, "withdraw", ",\"rollback_s\":0") == 200);
        fleet.world.now_ms -= 120000;
        CHECK(act(&fleet, "withdraw", ",\"rollback_s\":60") == 409 && strstr(world_text(&fleet.world, "detail"), "no device waits for its turn any more"));
}

TEST(roll_back, can_be_slowed_down_while_devices_wait)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(act(&fleet, "withdraw", "") == 200);
        world_tick(&fleet.world, OVER_S / 4 * 1000);
        int64_t now_s = fleet.world.now_ms / 1000;
        CHECK(act(&fleet, "withdraw", ",\"rollback_s\":86400") == 200);
        struct withdrawal slow = told(&fleet);
        CHECK(slow.over_s == LIMIT_ROLL_BACK_S && slow.since_s == now_s - LIMIT_ROLL_BACK_S / 4);
        for (int i = 0; i < PROVEN; i++)
                go_back(&fleet, i);
        world_tick(&fleet.world, LIMIT_ROLL_BACK_S / 2 * 1000);
        CHECK(is_in(&fleet, "rolling_back"));
        CHECK(act(&fleet, "withdraw", ",\"rollback_s\":60") == 200);
        struct withdrawal quick = told(&fleet);
        CHECK(quick.over_s == OVER_S && quick.since_s == fleet.world.now_ms / 1000 - OVER_S * 3 / 4);
        world_tick(&fleet.world, (OVER_S / 4 + LEASE_S + 1) * 1000);
        CHECK(is_in(&fleet, "withdrawn"));
}

TEST(roll_back, takes_as_long_as_the_policy_says_within_a_day)
{
        static const struct { const char *policy; int64_t over_s; } cases[] = { { "", 600 }, { ",\"rollback_s\":0", 0 }, { ",\"rollback_s\":86400", LIMIT_ROLL_BACK_S } };
        static const char *const bad[] = { "-1", "86401", "9223372036854775807", "\"600\"", "null" };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(fleet) struct fleet fleet = { 0 };
                world_open(&fleet.world);
                run_1(&fleet, cases[i].policy);
                CHECK(json_int(json_get((look(&fleet), json_get(fleet.world.json, "policy")), "rollback_s"), -1) == cases[i].over_s);
                CHECK(act(&fleet, "withdraw", "") == 200 && told(&fleet).over_s == cases[i].over_s);
        }
        OWN(world) struct world world = { 0 };
        struct world_device device;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char body[128];
                snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"rollback_s\":%s}}", bad[i]);
                CHECK(world_ask(&world, "POST", "/api/v1/rollouts", body) == 400 && strstr(world_text(&world, "detail"), "policy: rollback_s"));
        }
}

/* By a server that kept no such rows: its devices go at once, and nothing waits. */
TEST(roll_back, that_began_before_there_was_a_pace_goes_on_at_once)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        CHECK(act(&fleet, "withdraw", "") == 200);
        CHECK(db_run(fleet.world.store->db, "DELETE FROM roll_backs", NO_VALUES, NULL) == OK);
        for (int i = 0; i < PROVEN; i++)
                go_back(&fleet, i);
        world_tick(&fleet.world, (LEASE_S + 1) * 1000);
        CHECK(told(&fleet).counter == 0 && json_type(look(&fleet)) == JSON_NULL && is_in(&fleet, "withdrawn"));
}
