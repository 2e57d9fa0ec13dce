/* kill -9 after an answer: what was answered is there when the server is, and the rollout goes on as if nothing had been. */
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

enum { FLEET = 12, BUDGET = 3 };
struct fleet { struct world world; struct world_device devices[FLEET]; };
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static void fleet_open(struct fleet *fleet)
{
        world_open_file(&fleet->world);
        for (int i = 0; i < FLEET; i++)
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        CHECK(world_publish(&fleet->world, 1) == 201);
        world_prove(&fleet->world, 1);
}

static void start(struct fleet *fleet)
{
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts",
                        "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":3,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0}}") == 201);
}

/* The server is killed: `path` shows the same before and after, byte for byte. */
static void check_crash(struct world *world, const char *path)
{
        static char before[1 << 16];
        CHECK(world_ask(world, "GET", path, NULL) == 200 && world->answer.body.length < sizeof(before));
        snprintf(before, sizeof(before), "%s", buf_text(&world->answer.body));
        world_crash(world);
        CHECK(world_ask(world, "GET", path, NULL) == 200);
        CHECK(strcmp(before, buf_text(&world->answer.body)) == 0);
}

static const char rollout[] = "/api/v1/rollouts/edr-rules/1";

static const char *device_path(const struct world_device *device)
{
        static char path[64];
        snprintf(path, sizeof(path), "/api/v1/devices/%s", device->id);
        return path;
}

static int64_t count(struct world *world, const char *sql)
{
        int64_t number = -1;
        CHECK(db_number(world->store->db, sql, NO_VALUES, 0, &number, NULL) == OK);
        return number;
}

TEST(restart, knows_devices_and_when_they_were_seen)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        struct store_seen seen = { .at_s = WORLD_START_S + 50 };
        world_open_file(&world);
        world_enrol(&world, &device, "os=debian,os_version=12");
        check_crash(&world, device_path(&device));
        snprintf(seen.id, sizeof(seen.id), "%s", device.id);
        CHECK(store_seen(world.store, &seen, 1, NULL) == OK);
        check_crash(&world, device_path(&device));
        CHECK(world_int(&world, "seen_at") == WORLD_START_S + 50);
}

TEST(restart, goes_on_with_the_same_files_for_devices)
{
        OWN(fleet) struct fleet fleet = { 0 };
        OWN(buf) struct buf before, after;
        buf_init(&before, 1 << 16);
        buf_init(&after, 1 << 16);
        fleet_open(&fleet);
        start(&fleet);
        int64_t epoch = store_public_state(fleet.world.store)->epoch;
        world_file(&fleet.world, "director", "timestamp.json", &before);
        check_crash(&fleet.world, "/api/v1/releases/edr-rules/1");
        world_file(&fleet.world, "director", "timestamp.json", &after);
        CHECK(before.length == after.length && memcmp(before.bytes, after.bytes, after.length) == 0);
        CHECK(store_public_state(fleet.world.store)->epoch == epoch);
}

/* Exactly those that were picked, with the very lease that they had, and nobody in their place. */
TEST(restart, gives_the_permits_that_were_given_to_whom_they_were_given)
{
        OWN(fleet) struct fleet fleet = { 0 };
        char notes[FLEET][1024] = { "" };
        fleet_open(&fleet);
        start(&fleet);
        check_crash(&fleet.world, rollout);
        for (int i = 0; i < FLEET; i++)
                CHECK(world_lease(&fleet.world, &fleet.devices[i], 1, true) == 202);
        world_tick(&fleet.world, 100);
        for (int i = 0; i < FLEET / 2; i++)                      /* the others come only after the crash */
                if (world_lease(&fleet.world, &fleet.devices[i], 1, false) == 200)
                        snprintf(notes[i], sizeof(notes[i]), "%s", buf_text(&fleet.world.answer.body));
        check_crash(&fleet.world, rollout);
        for (int round = 0; round < 5; round++) {
                int granted = 0;
                for (int i = 0; i < FLEET; i++) {
                        int status = world_lease(&fleet.world, &fleet.devices[i], 1, false);
                        CHECK(status == 200 || (status == 202 && !notes[i][0]));
                        if (notes[i][0])
                                CHECK(strcmp(notes[i], buf_text(&fleet.world.answer.body)) == 0);
                        granted += status == 200;
                }
                world_tick(&fleet.world, 100);
                check_crash(&fleet.world, rollout);
                CHECK(granted == BUDGET && world_int(&fleet.world, "exposed") == BUDGET);
        }
        CHECK(count(&fleet.world, "SELECT count(DISTINCT device) FROM leases WHERE note IS NOT NULL") == BUDGET);
}

/* A release that crashes whoever has it, and a server that is killed after each answer. */
TEST(restart, after_each_answer_lets_no_more_be_hurt_than_the_budget)
{
        OWN(fleet) struct fleet fleet = { 0 };
        fleet_open(&fleet);
        start(&fleet);
        for (int round = 0; round < 8; round++) {
                for (int i = 0; i < FLEET; i++) {
                        struct world_device *device = &fleet.devices[i];
                        int status = world_lease(&fleet.world, device, 1, !device->nonce[0] || device->seq);
                        CHECK(status == 409 || (!device->seq && (status == 200 || status == 202)));
                        if (status != 200)
                                continue;
                        check_crash(&fleet.world, rollout);
                        CHECK(world_report(&fleet.world, device, "harmed", "crash") == 200);
                        check_crash(&fleet.world, rollout);
                        device->seq--;                           /* the answer was lost: it tells again */
                        CHECK(world_report(&fleet.world, device, "harmed", "crash") == 200);
                        check_crash(&fleet.world, device_path(device));
                        CHECK(world_int(&fleet.world, "report_seq") == device->seq);
                }
                world_tick(&fleet.world, 100);
                check_crash(&fleet.world, rollout);
        }
        CHECK(world_int(&fleet.world, "hurt") == BUDGET && world_int(&fleet.world, "exposed") == BUDGET && strcmp(world_text(&fleet.world, "state"), "holding") == 0);
        CHECK(count(&fleet.world, "SELECT count(*) FROM reports") == BUDGET);
        CHECK(count(&fleet.world, "SELECT count(DISTINCT device) FROM leases WHERE note IS NOT NULL") == BUDGET);
}

TEST(restart, remembers_every_word_of_people)
{
        static const struct { const char *word, *state; } words[] = {
                { "hold", "holding" }, { "resume", "exposing" }, { "halt", "halted" }, { "override", "exposing" }, { "cancel", "cancelled" },
        };
        OWN(fleet) struct fleet fleet = { 0 };
        int64_t lines = 0;
        fleet_open(&fleet);
        start(&fleet);
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                char path[96];
                fleet.world.now_ms += 100;
                snprintf(path, sizeof(path), "%s/%s", rollout, words[i].word);
                CHECK(world_ask(&fleet.world, "POST", path, "{\"who\":\"ann\",\"reason\":\"test\",\"second\":\"bob\"}") == 200);
                check_crash(&fleet.world, rollout);
                CHECK(strcmp(world_text(&fleet.world, "state"), words[i].state) == 0);
        }
        CHECK(audit_verify(fleet.world.store->db, &lines, NULL) == OK);
        CHECK(count(&fleet.world, "SELECT count(*) FROM audit WHERE who = 'ann' AND what LIKE 'rollout.%'") == 5);
}
