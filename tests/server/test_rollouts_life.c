/* Whole lives of releases: sixty devices in one process, with the real library, store and signatures. */
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

#include <inttypes.h>

enum { FLEET = 60 };

struct fleet {
        struct world world;
        struct world_device devices[FLEET];
        bool is_waiting[FLEET];                  /* in line, with its nonce */
};

/* How devices fare with a release: the word of their report, NULL for silence. */
typedef const char *fate(int device, const struct world_device *state);

static const char *all_well(int device, const struct world_device *state) { (void)device, (void)state; return "proven"; }
static bool is_old_os(int device) { return device % 5 == 0; }
static const char *old_os_crashes(int device, const struct world_device *state)
{
        return is_old_os(device) && !state->lease.is_shadow ? "harmed" : "proven";
}
static const char *goes_dark(int device, const struct world_device *state) { (void)device; return state->lease.is_shadow ? "proven" : NULL; }

static void enrol_all(struct fleet *fleet)
{
        static const char *const locales[] = { "de_DE", "en_US", "ja_JP" };
        for (int i = 0; i < FLEET; i++) {
                char attributes[128];
                snprintf(attributes, sizeof(attributes), "os=debian,os_version=%d,locale=%s,group=g%d", is_old_os(i) ? 11 : 12, locales[i % 3], i % 2);
                world_enrol(&fleet->world, &fleet->devices[i], attributes);
        }
}
static void fleet_open(struct fleet *fleet)
{
        world_open(&fleet->world);
        enrol_all(fleet);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static void start(struct fleet *fleet, int64_t counter)
{
        char body[256];
        fleet->world.now_ms += 1000;
        CHECK(world_publish(&fleet->world, counter) == 201);
        world_prove(&fleet->world, counter);
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":%" PRId64 ",\"policy\":{\"budget\":5,\"bake_s\":2,\"gap_s\":3,\"gather_s\":1,\"holdout_ppm\":0}}", counter);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", body) == 201);
        for (int i = 0; i < FLEET; i++)
                fleet->is_waiting[i] = false;
}

static void answer(struct fleet *fleet, int i, int64_t counter, const char *outcome)
{
        struct world_device *device = &fleet->devices[i];
        bool is_harmed = outcome && strcmp(outcome, "harmed") == 0;
        if (!outcome)
                return;
        if (!device->lease.is_shadow && !is_harmed)
                device->running = device->proven = counter;
        CHECK(world_report(&fleet->world, device, outcome, is_harmed ? "crash" : "") == 200);
}

struct course { int64_t counter; fate *fate; bool is_done[FLEET]; int64_t until_ms[FLEET]; };

/* One device's turn: it asks for a lease, or waits for its bake to be over and tells. */
static void turn(struct fleet *fleet, struct course *course, int i)
{
        struct world_device *device = &fleet->devices[i];
        if (course->is_done[i])
                return;
        if (course->until_ms[i]) {
                if (fleet->world.now_ms < course->until_ms[i])
                        return;
                const char *outcome = course->fate(i, device);
                answer(fleet, i, course->counter, outcome);
                course->until_ms[i] = 0;
                course->is_done[i] = !device->lease.is_shadow;
                return;
        }
        int status = world_lease(&fleet->world, device, course->counter, !fleet->is_waiting[i]);
        CHECK(status == 200 || status == 202 || status == 409);
        fleet->is_waiting[i] = status == 202;
        if (status != 200)
                return;
        course->until_ms[i] = fleet->world.now_ms + (strcmp(course->fate(i, device) ? course->fate(i, device) : "", "harmed") == 0 ? 300 : 2100);
}

static const char *state_of(struct fleet *fleet, int64_t counter)
{
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/%" PRId64, counter);
        CHECK(world_ask(&fleet->world, "GET", path, NULL) == 200);
        return world_text(&fleet->world, "state");
}

/* Half a second at a time until the state is `wanted`, or `seconds` are over. */
static bool run_until(struct fleet *fleet, struct course *course, const char *wanted, int seconds)
{
        for (int step = 0; step < 2 * seconds; step++) {
                for (int i = 0; i < FLEET; i++)
                        turn(fleet, course, i);
                world_tick(&fleet->world, 250);
                world_tick(&fleet->world, 250);
                if (strcmp(state_of(fleet, course->counter), wanted) == 0)
                        return true;
        }
        printf("# still %s after %d s: %s\n", world_text(&fleet->world, "state"), seconds, world_text(&fleet->world, "sentence"));
        return false;
}

TEST(life, of_a_good_release_ends_with_every_device_proven)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        struct course course = { .counter = 1, .fate = all_well };
        CHECK(run_until(&fleet, &course, "complete", 120));
        CHECK(world_int(&fleet.world, "exposed") >= 57 && world_int(&fleet.world, "hurt") == 0 && world_int(&fleet.world, "fleet") == FLEET);
        for (int i = 0; i < 40; i++)                     /* who is left follows */
                for (int k = 0; k < FLEET; k++)
                        turn(&fleet, &course, k), world_tick(&fleet.world, 20);
        for (int i = 0; i < FLEET; i++)
                CHECK(fleet.devices[i].running == 1);
}

TEST(life, of_a_release_that_crashes_one_stratum_stops_within_the_budget)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        struct course course = { .counter = 1, .fate = old_os_crashes };
        CHECK(run_until(&fleet, &course, "holding", 120));
        printf("# exposed %" PRId64 " hurt %" PRId64 " recovered %" PRId64 "\n", world_int(&fleet.world, "exposed"), world_int(&fleet.world, "hurt"), world_int(&fleet.world, "recovered"));
        CHECK(world_int(&fleet.world, "hurt") <= 5 && strcmp(world_text(&fleet.world, "reason"), "budget") == 0);
        CHECK(world_int(&fleet.world, "recovered") == world_int(&fleet.world, "hurt"));
        CHECK(strcmp(world_text(&fleet.world, "stopped_by"), "budget") == 0);
}

TEST(life, of_a_release_that_darkens_devices_stops_without_any_report)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        struct course course = { .counter = 1, .fate = goes_dark };
        CHECK(run_until(&fleet, &course, "holding", 120));
        CHECK(world_int(&fleet.world, "dark") >= 1 && world_int(&fleet.world, "exposed") <= 5);
}

static int say(struct fleet *fleet, int64_t counter, const char *action)
{
        char path[96];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/%" PRId64 "/%s", counter, action);
        return world_ask(&fleet->world, "POST", path, "{\"who\":\"ann\",\"second\":\"bert\",\"reason\":\"test\"}");
}

TEST(life, of_a_halted_release_does_not_begin_again_beside_a_newer_one)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        CHECK(say(&fleet, 1, "halt") == 200 && say(&fleet, 1, "override") == 200 && say(&fleet, 1, "halt") == 200);
        start(&fleet, 2);
        CHECK(say(&fleet, 1, "override") == 409 && strcmp(state_of(&fleet, 1), "halted") == 0 && strcmp(state_of(&fleet, 2), "exposing") == 0);
}

/* Between the moment at which it is complete and the tick that would say so. */
TEST(life, of_a_release_that_is_complete_by_now_is_not_superseded)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[3];
        static const char policy[] = "\"policy\":{\"budget\":5,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}";
        char body[200];
        world_open(&world);
        for (int i = 0; i < 3; i++)
                world_enrol(&world, &devices[i], "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":1,%s}", policy);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", body) == 201);
        for (int i = 0; i < 3; i++)
                CHECK(world_lease(&world, &devices[i], 1, true) == 202);
        world_tick(&world, 100);
        for (int i = 0; i < 3; i++)
                CHECK(world_lease(&world, &devices[i], 1, false) == 200 && world_report(&world, &devices[i], "proven", "") == 200);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && strcmp(world_text(&world, "state"), "exposing") == 0);
        world.now_ms += 6000;
        CHECK(world_publish(&world, 2) == 201);
        world_prove(&world, 2);
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":2,%s}", policy);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", body) == 201);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && strcmp(world_text(&world, "state"), "complete") == 0);
}

/* But for how fast devices go back. */
static bool director_says(struct fleet *fleet, const char *words)
{
        int64_t count = 0;
        CHECK(db_number(fleet->world.store->db, "SELECT count(*) FROM cohorts WHERE substr(says, 1, instr(says || ' @', ' @') - 1) = ?", VALUES(bind_text(words)), 0, &count, NULL) == OK);
        return count == 1;
}

TEST(life, does_not_begin_without_a_device_that_may_have_it)
{
        OWN(world) struct world world = { 0 };
        struct world_device late;
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        world.now_ms += 1000;
        world_enrol(&world, &late, "os=debian");
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1}") == 409);
        CHECK(strstr(world_text(&world, "detail"), "no device may get "));
        world_tick(&world, 1000);
}

/* rollout.md, invariant 5. */
TEST(life, of_a_release_that_fell_below_the_floor_reaches_nobody_more)
{
        OWN(fleet) struct fleet fleet = { 0 };
        uint8_t target[32];
        fleet_open(&fleet);
        start(&fleet, 1);
        memcpy(target, fleet.world.target, 32);
        for (int i = 0; i < FLEET; i++)
                CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, true) == 202);
        world_tick(&fleet.world, 1000);
        CHECK(director_says(&fleet, "go 1 0"));
        fleet.world.floor = 2;
        CHECK(world_publish(&fleet.world, 2) == 201);
        memcpy(fleet.world.target, target, 32);
        for (int i = 0; i < FLEET; i++)
                CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, false) == 409 && strstr(world_text(&fleet.world, "detail"), "below the security floor"));
        world_tick(&fleet.world, 1000);
        CHECK(director_says(&fleet, "hold 1 0"));
}

TEST(life, of_a_release_ends_as_nobodys_fallback_when_it_is_withdrawn)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        struct course course = { .counter = 1, .fate = all_well };
        CHECK(run_until(&fleet, &course, "complete", 120));
        start(&fleet, 2);
        CHECK(director_says(&fleet, "go 2 1 <1"));
        CHECK(say(&fleet, 1, "withdraw") == 200 && director_says(&fleet, "go 2 0 -1"));
        CHECK(say(&fleet, 2, "withdraw") == 200 && director_says(&fleet, "withdraw 2 0 -1"));
}

TEST(life, of_a_cancelled_release_ends_for_the_director_too)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        start(&fleet, 2);
        CHECK(strcmp(state_of(&fleet, 1), "superseded") == 0 && director_says(&fleet, "go 2 0"));
        CHECK(say(&fleet, 2, "cancel") == 200 && director_says(&fleet, "hold 2 0"));
}

/* Whoever missed the word hears it beside that on the next release; the same for one that is withdrawn behind the next. */
TEST(life, of_a_newer_release_does_not_silence_a_withdrawal)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        CHECK(say(&fleet, 1, "withdraw") == 200 && director_says(&fleet, "withdraw 1 0"));
        start(&fleet, 2);
        world_tick(&fleet.world, 100);
        CHECK(director_says(&fleet, "go 2 0 -1"));
        CHECK(say(&fleet, 2, "halt") == 200);
        start(&fleet, 3);
        world_tick(&fleet.world, 100);
        CHECK(director_says(&fleet, "go 3 0 -1"));
        CHECK(say(&fleet, 2, "withdraw") == 200);
        world_tick(&fleet.world, 100);
        CHECK(director_says(&fleet, "go 3 0 -1 -2"));
}

/* What the rules and the server itself say is not for people. */
TEST(life, follows_the_words_of_people_and_no_others)
{
        static const char *const words[] = { "supersede", "rolled_back", "start", "prove", "pass", "complete", "evidence", "clear", "nonsense" };
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet, 1);
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                CHECK(say(&fleet, 1, words[i]) == 400 && strcmp(state_of(&fleet, 1), "exposing") == 0);
        CHECK(say(&fleet, 1, "withdraw") == 200 && say(&fleet, 1, "rolled_back") == 400 && strcmp(state_of(&fleet, 1), "rolling_back") == 0);
        CHECK(say(&fleet, 1, "override") == 409);
}

/* kill -9 every other second, wherever it is: what was answered is known, and it decides as if nothing had been. */
TEST(life, goes_on_after_every_crash_and_forgets_nothing_that_it_acknowledged)
{
        OWN(fleet) struct fleet fleet = { 0 };
        world_open_file(&fleet.world);
        enrol_all(&fleet);
        start(&fleet, 1);
        struct course course = { .counter = 1, .fate = all_well };
        bool is_complete = false;
        for (int crash = 0; crash < 60 && !is_complete; crash++) {
                char before[20000];
                is_complete = run_until(&fleet, &course, "complete", 2);
                CHECK(strcmp(state_of(&fleet, 1), is_complete ? "complete" : "exposing") == 0);
                snprintf(before, sizeof(before), "%s", buf_text(&fleet.world.answer.body));
                world_crash(&fleet.world);
                (void)state_of(&fleet, 1);
                CHECK(strcmp(before, buf_text(&fleet.world.answer.body)) == 0);
                CHECK(world_int(&fleet.world, "exposed") <= world_int(&fleet.world, "limit"));
        }
        CHECK(is_complete && world_int(&fleet.world, "hurt") == 0);
        for (int i = 0; i < FLEET; i++) {                /* a report that was acknowledged is not taken twice */
                char path[64];
                snprintf(path, sizeof(path), "/api/v1/devices/%s", fleet.devices[i].id);
                CHECK(world_ask(&fleet.world, "GET", path, NULL) == 200 && world_int(&fleet.world, "report_seq") == fleet.devices[i].seq);
        }
}
