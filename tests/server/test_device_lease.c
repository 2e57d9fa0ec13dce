#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

enum { FLEET = 12 };
struct fleet { struct world world; struct world_device devices[FLEET]; };

static void fleet_open(struct fleet *fleet, const char *policy)
{
        char body[256];
        world_open(&fleet->world);
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":%s}", policy);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", body) == 201);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static const char quick[] = "{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}";

static int64_t number(struct fleet *fleet, const char *key)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        return world_int(&fleet->world, key);
}

static int act(struct fleet *fleet, const char *action)
{
        char path[96];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/1/%s", action);
        return world_ask(&fleet->world, "POST", path, "{\"who\":\"ann\",\"reason\":\"test\"}");
}

/* All wait; a tick picks; how many then get one. */
static int all_ask(struct fleet *fleet, bool is_new)
{
        int granted = 0;
        for (int i = 0; i < FLEET; i++)
                granted += world_lease(&fleet->world, &fleet->devices[i], 1, is_new) == 200;
        return granted;
}

TEST(lease, is_given_to_no_more_than_the_window_and_stays_the_same)
{
        OWN(fleet) struct fleet fleet = { 0 };
        char first[1024];
        fleet_open(&fleet, quick);
        CHECK(all_ask(&fleet, true) == 0);
        CHECK(strcmp(world_text(&fleet.world, "reason"), "waiting in line") == 0 && world_int(&fleet.world, "retry_ms") >= 500);
        world_tick(&fleet.world, 100);
        CHECK(all_ask(&fleet, false) == 2 && number(&fleet, "exposed") == 2);
        world_tick(&fleet.world, 100);
        CHECK(all_ask(&fleet, false) == 2);
        for (int i = 0; i < FLEET; i++)
                if (world_lease(&fleet.world, &fleet.devices[i], 1, false) == 200) {
                        snprintf(first, sizeof(first), "%s", buf_text(&fleet.world.answer.body));
                        fleet.world.now_ms += 1000;
                        CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, false) == 200 && strcmp(first, buf_text(&fleet.world.answer.body)) == 0);
                        CHECK(!fleet.devices[i].lease.is_shadow && fleet.devices[i].lease.counter == 1);
                        CHECK(fleet.devices[i].lease.deadline == fleet.devices[i].lease.granted + 5 && fleet.devices[i].lease.bake_s == 2);
                }
}

TEST(lease, belongs_to_the_device_that_asked)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        int owner = 0;
        while (world_lease(&fleet.world, &fleet.devices[owner], 1, false) != 200)
                owner++;
        int thief = (owner + 1) % FLEET;
        memcpy(fleet.devices[thief].nonce, fleet.devices[owner].nonce, sizeof(fleet.devices[owner].nonce));
        CHECK(world_lease(&fleet.world, &fleet.devices[thief], 1, false) == 409);
        CHECK(world_lease(&fleet.world, &fleet.devices[owner], 1, true) == 202);         /* one at a time */
}

/* A second stream beside the first, which may go to all at once. */
struct second { const char *stream; uint8_t target[32]; };
static void start_second(struct fleet *fleet)
{
        fleet->world.stream = "other";
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", "{\"stream\":\"other\",\"counter\":1,\"policy\":{\"budget\":12,\"bake_s\":2,\"gap_s\":3,"
                                                                   "\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}") == 201);
}
static void swap_streams(struct fleet *fleet, struct second *second)
{
        struct second was = { fleet->world.stream, { 0 } };
        memcpy(was.target, fleet->world.target, 32);
        fleet->world.stream = second->stream;
        memcpy(fleet->world.target, second->target, 32);
        *second = was;
}
static void open_both(struct fleet *fleet, struct second *second)
{
        fleet_open(fleet, quick);
        second->stream = fleet->world.stream;
        memcpy(second->target, fleet->world.target, 32);
        start_second(fleet);
        swap_streams(fleet, second);
}

TEST(lease, is_signed_for_the_stream_that_it_was_reserved_in)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct second second;
        open_both(&fleet, &second);
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        swap_streams(&fleet, &second);
        for (int i = 0; i < FLEET; i++) {
                int status = world_lease(&fleet.world, &fleet.devices[i], 1, false);
                CHECK(status == 409 || status == 202);
        }
        swap_streams(&fleet, &second);
        CHECK(all_ask(&fleet, false) == 2);
        for (int i = 0; i < FLEET; i++)
                CHECK(!fleet.devices[i].lease.deadline || strcmp(fleet.devices[i].lease.stream, "edr-rules") == 0);
}

TEST(lease, is_one_at_a_time_for_a_device_in_two_streams)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct second second;
        int64_t most = 0;
        open_both(&fleet, &second);
        (void)all_ask(&fleet, true);
        swap_streams(&fleet, &second);
        (void)all_ask(&fleet, true);
        for (int i = 0; i < 4; i++) {
                world_tick(&fleet.world, 100);
                CHECK(db_number(fleet.world.store->db, "SELECT max(n) FROM (SELECT count(*) AS n FROM leases GROUP BY device)", NO_VALUES, 0, &most, NULL) == OK && most == 1);
        }
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM leases", NO_VALUES, 0, &most, NULL) == OK && most == FLEET);
}

/* Two devices with one nonce, by an accident or on purpose: one gets it, and the clock goes on for all others. */
TEST(lease, is_not_kept_from_others_by_a_nonce_that_two_brought)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        for (int i = 0; i < 2; i++) {
                memset(fleet.devices[i].nonce, 'a', 32);
                CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, false) == 202);
        }
        world_tick(&fleet.world, 100);
        int first = world_lease(&fleet.world, &fleet.devices[0], 1, false), second = world_lease(&fleet.world, &fleet.devices[1], 1, false);
        CHECK((first == 200 && second == 409) || (first == 409 && second == 200));
        CHECK(number(&fleet, "exposed") == 2 && number(&fleet, "window") == 0);           /* the other's place stays occupied for a lease's time */
        for (int i = 0; i < 60; i++)
                world_tick(&fleet.world, 100);
        CHECK(number(&fleet, "dark") == 1 && number(&fleet, "exposed") == 1);
}

TEST(lease, is_refused_for_what_is_not_offered)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 2, true) == 409);
        fleet.world.target[0] ^= 1;
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 1, true) == 409);
        fleet.world.target[0] ^= 1;
        fleet.world.stream = "other";
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 1, true) == 409);
}

TEST(lease, is_refused_to_strangers_and_to_bad_bodies)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device stranger;
        fleet_open(&fleet, quick);
        world_device_init(&fleet.world, &stranger);
        CHECK(world_lease(&fleet.world, &stranger, 1, true) == 401);
        snprintf(stranger.id, sizeof(stranger.id), "%s", fleet.devices[0].id);
        CHECK(world_lease(&fleet.world, &stranger, 1, true) == 401);
        CHECK(world_device_ask(&fleet.world, &fleet.devices[0], "/v1/lease", "{\"stream\":\"edr-rules\"}") == 400);
        CHECK(world_device_ask(&fleet.world, &fleet.devices[0], "/v1/lease", "") == 400);
}

TEST(lease, waits_for_devices_that_came_after_the_release)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device late;
        fleet_open(&fleet, quick);
        fleet.world.now_ms += 2000;
        uint8_t target[32];
        memcpy(target, fleet.world.target, 32);
        world_enrol(&fleet.world, &late, "os=debian");
        CHECK(world_lease(&fleet.world, &late, 1, true) == 202 && strstr(world_text(&fleet.world, "reason"), "enrolled after"));
        world_tick(&fleet.world, 100);
        CHECK(world_lease(&fleet.world, &late, 1, false) == 202);
}

/* rollout.md, invariant 1. */
TEST(lease, that_nobody_fetched_is_never_booked_dark_and_may_be_asked_for_again)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        CHECK(number(&fleet, "window") == 0);                    /* reserved: it occupies the window */
        for (int i = 0; i < 60; i++)
                world_tick(&fleet.world, 100);
        CHECK(number(&fleet, "dark") == 0 && number(&fleet, "hurt") == 0);
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        CHECK(all_ask(&fleet, false) == 2 && number(&fleet, "dark") == 0);
}

/* The deadline of one passes between two ticks: nobody else is turned away for it. */
TEST(lease, is_given_though_a_deadline_of_another_has_just_come)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        for (int i = 0; i < 2; i++) {
                CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, true) == 202);
                world_tick(&fleet.world, 100);
                if (!i)
                        CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, false) == 200);
                fleet.world.now_ms += 4000 * !i;
        }
        fleet.world.now_ms += 1000;
        CHECK(world_lease(&fleet.world, &fleet.devices[1], 1, false) == 200 && number(&fleet, "dark") == 1);
        fleet.world.now_ms += 6000;
        CHECK(act(&fleet, "halt") == 200 && number(&fleet, "dark") == 2);
}

static void all_report(struct fleet *fleet, bool of_shadows, const char *outcome, const char *kind)
{
        for (int i = 0; i < FLEET; i++) {
                struct world_device *device = &fleet->devices[i];
                bool has_it = world_lease(&fleet->world, device, 1, false) == 200;
                if (has_it && device->lease.is_shadow == of_shadows)
                        CHECK(world_report(&fleet->world, device, outcome, kind) == 200);
        }
}

static void pass(struct fleet *fleet, int seconds)
{
        for (int i = 0; i < 10 * seconds; i++)
                world_tick(&fleet->world, 100);
}

/* A leap of a day, and back: who falls silent then is missed in seconds, not after a day. */
TEST(lease, ends_in_time_though_the_clock_was_put_back)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        for (int i = 0; i < 2; i++) {
                CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, true) == 202);
                world_tick(&fleet.world, 100);
                CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, false) == 200);
                CHECK(fleet.devices[i].lease.deadline == fleet.devices[i].lease.granted + 5 && fleet.devices[i].lease.bake_s == 2);
                if (!i)
                        world_tick(&fleet.world, 86400000), world_tick(&fleet.world, -86400000);
                CHECK(number(&fleet, "dark") == 1);
                fleet.world.now_ms -= 2000 * i;
        }
        pass(&fleet, 6);
        CHECK(number(&fleet, "dark") == 2);
}

TEST(lease, is_reserved_for_nobody_who_asked_at_a_time_that_was_none)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        fleet.world.now_ms += 86400000;
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, -86400000);
        CHECK(number(&fleet, "unanswered") == 0);
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        CHECK(number(&fleet, "unanswered") == 2);
}

/* Two of twelve have proven it, and that was all that was asked for: the others are no free for all. */
TEST(lease, of_a_complete_rollout_is_given_within_the_window_and_counts)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0,\"complete_ppm\":100000}");
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        all_report(&fleet, false, "proven", "");
        pass(&fleet, 6);
        CHECK(number(&fleet, "completed") > 0 && number(&fleet, "exposed") == 2);
        CHECK(all_ask(&fleet, true) == 2);                       /* who has proven it may have it again */
        world_tick(&fleet.world, 100);
        CHECK(number(&fleet, "unanswered") >= 1 && number(&fleet, "unanswered") <= 3);
        all_report(&fleet, false, "harmed", "crash");
        CHECK(number(&fleet, "hurt") >= 2 && strcmp(world_text(&fleet.world, "state"), "halted") == 0);
        CHECK(all_ask(&fleet, true) == 0);
}

TEST(lease, of_a_complete_rollout_goes_to_no_more_of_those_who_came_later_than_the_budget_lets_it_hurt)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device late[4];
        fleet_open(&fleet, "{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0,\"complete_ppm\":100000,\"watch_s\":10}");
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        all_report(&fleet, false, "proven", "");
        pass(&fleet, 20);
        CHECK(number(&fleet, "completed") > 0 && strcmp(world_text(&fleet.world, "state"), "watched") == 0);
        for (int i = 0; i < 4; i++) {
                world_enrol(&fleet.world, &late[i], "os=debian");
                CHECK(world_lease(&fleet.world, &late[i], 1, true) == (i < 2 ? 200 : 202));
                if (i < 2)
                        CHECK(world_report(&fleet.world, &late[i], "harmed", "crash") == 200);
        }
        CHECK(number(&fleet, "hurt") == 0);
        const struct json *followers = json_get(fleet.world.json, "followers");
        CHECK(json_int(json_get(followers, "given"), 0) == 2 && json_int(json_get(followers, "hurt"), 0) == 2);
        CHECK(act(&fleet, "halt") == 200 && act(&fleet, "withdraw") == 200 && number(&fleet, "hurt") == 0);
}

static bool director_says(struct fleet *fleet, const char *word)
{
        int64_t count = 0;
        CHECK(db_number(fleet->world.store->db, "SELECT count(*) FROM cohorts WHERE says LIKE ? || ' %'", VALUES(bind_text(word)), 0, &count, NULL) == OK);
        return count == 1;
}

/* All are silent, as when a network fails: control is asked until it answers, and nobody is exposed meanwhile. */
TEST(lease, goes_to_control_alone_until_it_is_heard_again)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":4}");
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        (void)all_ask(&fleet, false);
        pass(&fleet, 6);
        CHECK(number(&fleet, "exposed") == 2 && strcmp(world_text(&fleet.world, "reason"), "unknown") == 0);
        for (int round = 0; round < 4; round++) {
                CHECK(director_says(&fleet, "go"));              /* or no device would ask */
                (void)all_ask(&fleet, true);
                world_tick(&fleet.world, 100);
                all_report(&fleet, true, "proven", "");
                CHECK(round || number(&fleet, "exposed") == 2);
                pass(&fleet, 6);
        }
        CHECK(number(&fleet, "control") > 8 && strcmp(world_text(&fleet.world, "verdict"), "GO") == 0);
}

TEST(lease, waits_while_people_hold_and_is_refused_when_they_halt)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        CHECK(act(&fleet, "hold") == 200 && world_lease(&fleet.world, &fleet.devices[0], 1, true) == 202);
        world_tick(&fleet.world, 100);
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 1, false) == 202 && number(&fleet, "exposed") == 0);
        CHECK(act(&fleet, "resume") == 200 && all_ask(&fleet, true) == 0);
        world_tick(&fleet.world, 100);
        CHECK(all_ask(&fleet, false) == 2);
        CHECK(all_ask(&fleet, false) == 2);                      /* the answer was lost */
        CHECK(act(&fleet, "halt") == 200);
        CHECK(all_ask(&fleet, false) == 0);                      /* and it is too late to send it again */
        CHECK(act(&fleet, "withdraw") == 200 && all_ask(&fleet, false) == 0);
        CHECK(world_lease(&fleet.world, &fleet.devices[0], 1, true) == 409 || world_lease(&fleet.world, &fleet.devices[1], 1, true) == 409);
}

TEST(lease, of_a_control_device_names_what_it_runs)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, "{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":2}");
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        int shadows = 0;
        for (int i = 0; i < FLEET; i++) {
                struct world_device *device = &fleet.devices[i];
                if (world_lease(&fleet.world, device, 1, false) != 200 || !device->lease.is_shadow)
                        continue;
                static const uint8_t factory[32];
                shadows++;
                CHECK(device->lease.counter == 0 && memcmp(device->lease.target, factory, 32) == 0 && device->lease.bake_s == 2);
                CHECK(world_report(&fleet.world, device, "proven", "") == 200);
        }
        CHECK(shadows >= 1 && number(&fleet, "control") == shadows);
}

TEST(lease, is_not_given_when_the_signer_is_gone_and_then_nothing_is_counted)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet, quick);
        (void)all_ask(&fleet, true);
        world_tick(&fleet.world, 100);
        fleet.world.signer.failure = ERR_UNAVAILABLE;
        for (int i = 0; i < FLEET; i++) {
                int status = world_lease(&fleet.world, &fleet.devices[i], 1, false);
                CHECK(status == 202 || status == 503);
        }
        fleet.world.signer.failure = OK;
        int64_t granted = -1;
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM rollout_inputs WHERE what = 'granted'", NO_VALUES, -1, &granted, NULL) == OK && granted == 0);
        CHECK(all_ask(&fleet, false) == 2 && number(&fleet, "exposed") == 2);
}
