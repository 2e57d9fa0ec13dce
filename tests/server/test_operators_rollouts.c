#include "server/store/inside.h"
#include "server/world.h"

#include "evidence/record.h"
#include "support/test.h"
#include "trust/cohort.h"

static const char start_1[] = "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":2,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,\"controls\":0,\"rollback_s\":0}}";
static const char start_2[] = "{\"stream\":\"edr-rules\",\"counter\":2}";

static int act(struct world *world, const char *what, const char *body)
{
        char path[96];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/1/%s", what);
        return world_ask(world, "POST", path, body ? body : "{\"who\":\"ann\",\"reason\":\"test\"}");
}

/* Two devices, a release with evidence. */
static void prepare(struct world *world, struct world_device devices[2])
{
        world_open(world);
        world_enrol(world, &devices[0], "os=debian");
        world_enrol(world, &devices[1], "os=debian");
        CHECK(world_publish(world, 1) == 201);
        world_prove(world, 1);
}

static void read_cohort(struct world *world, struct cohort *cohort)
{
        OWN(buf) struct buf bytes;
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_target target;
        buf_init(&bytes, COHORT_BYTES_MAX);
        world_director(world, &tuf);
        CHECK(tuf_find(tuf, "edr-rules", &target, NULL) == OK);
        world_artifact(world, target.sha256, &bytes);
        CHECK(bytes.length == target.length && cohort_parse(bytes.bytes, bytes.length, cohort, NULL) == OK);
}

TEST(start, asks_for_evidence_and_says_what_is_missing)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 409 && strstr(world_text(&world, "detail"), "S1"));
        CHECK(world_evidence(&world, 1, "S1", RECORD_PASS, false) == 201 && world_evidence(&world, 1, "S2", RECORD_PASS, false) == 201);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 409 && strstr(world_text(&world, "detail"), "S4"));
        CHECK(world_evidence(&world, 1, "S4", RECORD_PASS, false) == 201);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201 && strcmp(world_text(&world, "state"), "exposing") == 0);
}

TEST(start, is_overridden_by_two_people_and_that_is_recorded)
{
        static const struct { const char *people; int status; } tries[] = {
                { "\"override\":{\"people\":[\"ann\",\"ann\"],\"reason\":\"urgent\"}", 409 }, { "\"override\":{\"people\":[\"ann\"],\"reason\":\"urgent\"}", 400 },
                { "\"override\":{\"people\":[\"ann\",1],\"reason\":\"urgent\"}", 400 },       { "\"override\":{\"people\":[\"ann\",\"bob\"],\"reason\":\"\"}", 400 },
                { "\"override\":{\"people\":[\"ann\",\"b b\"],\"reason\":\"urgent\"}", 400 }, { "\"override\":{\"people\":[\"ann\",\"bob\"],\"reason\":\"urgent\"}", 201 },
        };
        OWN(world) struct world world = { 0 };
        struct world_device device;
        int64_t recorded = 0;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
                char body[256];
                snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":1,%s}", tries[i].people);
                CHECK(world_ask(&world, "POST", "/api/v1/rollouts", body) == tries[i].status);
        }
        CHECK(db_number(world.store->db, "SELECT count(*) FROM audit WHERE what = 'rollout.start.override' AND who = 'ann' AND instr(detail, 'bob')"
                                         " AND instr(detail, 'urgent')", NO_VALUES, 0, &recorded, NULL) == OK && recorded == 1);
}

TEST(start, cannot_be_overridden_against_boot_critical_matches)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201 && world_evidence(&world, 1, "S4", RECORD_FAIL, true) == 201);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1}") == 409);
        CHECK(strstr(world_text(&world, "detail"), "nobody can override this") && !strstr(world_text(&world, "detail"), "two people"));
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1,\"override\":{\"people\":[\"ann\",\"bob\"],\"reason\":\"urgent\"}}") == 409);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 404);
}

TEST(start, refuses_what_makes_no_sense)
{
        static const struct { const char *body; int status; } bad[] = {
                { "{\"stream\":\"edr-rules\",\"counter\":9}", 404 },
                { "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"bugdet\":5}}", 400 },
                { "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":0}}", 400 },
                { "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"budget\":-1}}", 400 },
                { "{\"stream\":\"edr-rules\",\"counter\":1,\"policy\":{\"bake_s\":\"2\"}}", 400 },
                { "{\"stream\":\"edr-rules\"}", 400 }, { "{}", 400 }, { "", 400 },
        };
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        prepare(&world, devices);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(world_ask(&world, "POST", "/api/v1/rollouts", bad[i].body) == bad[i].status);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 409);      /* a release has one rollout */
}

TEST(start, needs_somebody_to_expose)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 409 && strstr(world_text(&world, "detail"), "no device may get "));
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts", NULL) == 200 && json_count(json_get(world.json, "items")) == 0);
}

TEST(start, of_a_newer_release_supersedes_the_older_and_an_older_one_is_refused)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        struct cohort cohort;
        prepare(&world, devices);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        CHECK(world_publish(&world, 2) == 201);
        world_prove(&world, 2);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_2) == 201);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && strcmp(world_text(&world, "state"), "superseded") == 0);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 409);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts", NULL) == 200 && json_count(json_get(world.json, "items")) == 2);
        read_cohort(&world, &cohort);
        CHECK(cohort.counter == 2 && cohort.state == COHORT_GO && cohort.seq == 2);
}

TEST(act, asks_who_and_why_and_refuses_what_the_state_does_not_allow)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        prepare(&world, devices);
        CHECK(act(&world, "hold", NULL) == 404);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        CHECK(act(&world, "hold", "{\"who\":\"ann\"}") == 400 && act(&world, "hold", "{\"who\":\"a b\",\"reason\":\"x\"}") == 400);
        CHECK(act(&world, "explode", NULL) == 400 && act(&world, "budget", NULL) == 400 && strstr(world_text(&world, "detail"), "withdraw"));
        CHECK(act(&world, "resume", NULL) == 409 && act(&world, "hold", NULL) == 200 && strcmp(world_text(&world, "state"), "holding") == 0);
        CHECK(act(&world, "override", NULL) == 409 && act(&world, "halt", NULL) == 200 && act(&world, "resume", NULL) == 409);
        CHECK(act(&world, "override", "{\"who\":\"ann\",\"reason\":\"x\",\"second\":\"ann\"}") == 409);
        CHECK(act(&world, "override", "{\"who\":\"ann\",\"reason\":\"x\",\"second\":\"bob\"}") == 200 && strcmp(world_text(&world, "state"), "exposing") == 0);
        const struct json *events = json_get(world.json, "events");
        CHECK(strstr(json_text(json_get(json_at(events, json_count(events) - 1), "what")), "(override): 0 exposed, 0 proven, 0 harmed, 0 dark; by ann and bob: x"));
        CHECK(act(&world, "cancel", NULL) == 200 && strcmp(world_text(&world, "state"), "cancelled") == 0);
}

TEST(withdraw, tells_devices_to_go_back_and_ends_when_those_that_talk_run_something_else)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        struct cohort cohort;
        prepare(&world, devices);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        CHECK(world_lease(&world, &devices[0], 1, true) == 202 && world_lease(&world, &devices[1], 1, true) == 202);
        world_tick(&world, 100);
        CHECK(world_lease(&world, &devices[0], 1, false) == 200);
        world_tick(&world, 2500);
        devices[0].running = devices[0].proven = 1;
        CHECK(world_report(&world, &devices[0], "proven", "") == 200);
        CHECK(act(&world, "withdraw", NULL) == 200 && strcmp(world_text(&world, "state"), "rolling_back") == 0);
        read_cohort(&world, &cohort);
        CHECK(cohort.state == COHORT_WITHDRAW && cohort.counter == 1 && cohort.fallback == 0);
        for (int i = 0; i < 10; i++)
                world_tick(&world, 1000);
        struct store_seen seen = { .at_s = world.now_ms / 1000 };
        snprintf(seen.id, sizeof(seen.id), "%s", devices[0].id);
        CHECK(store_seen(world.store, &seen, 1, NULL) == OK);
        world_tick(&world, 1000);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200);
        CHECK(strcmp(world_text(&world, "state"), "withdrawn") == 0 || strcmp(world_text(&world, "state"), "rolling_back") == 0);
        devices[0].running = devices[0].proven = 0;
        snprintf(devices[0].nonce, sizeof(devices[0].nonce), "%032d", 0);
        CHECK(world_report(&world, &devices[0], "declined", "") == 200);
        world_tick(&world, 1000);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 200 && strcmp(world_text(&world, "state"), "withdrawn") == 0);
        CHECK(world_lease(&world, &devices[1], 1, true) == 409 && act(&world, "override", "{\"who\":\"ann\",\"reason\":\"x\",\"second\":\"bob\"}") == 409);
        read_cohort(&world, &cohort);
        CHECK(cohort.state == COHORT_WITHDRAW);
}

TEST(evidence, counts_only_from_labs_that_the_publisher_named_and_about_this_release)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        prepare(&world, devices);
        CHECK(world_ask(&world, "POST", "/api/v1/releases/edr-rules/1/evidence", "{}") == 400);
        CHECK(world_ask(&world, "POST", "/api/v1/releases/edr-rules/7/evidence", "{}") == 404);
        world.target[0] ^= 1;
        CHECK(world_evidence(&world, 1, "S1", RECORD_PASS, false) == 422);
        world.target[0] ^= 1;
        CHECK(world_evidence(&world, 1, "S1", RECORD_PASS, false) == 201);              /* again: kept once */
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 200 && json_count(json_get(world.json, "evidence")) == 3);
        world.lab_key = 8;
        CHECK(world_evidence(&world, 1, "S1", RECORD_PASS, false) == 403);
}

TEST(view, names_every_stratum_and_what_was_not_tried)
{
        OWN(world) struct world world = { 0 };
        struct world_device devices[2];
        prepare(&world, devices);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start_1) == 201);
        const struct json *strata = json_get(world.json, "strata"), *unseen = json_get(world.json, "unseen");
        CHECK(json_count(strata) == 2 && json_count(unseen) == 2 && strcmp(json_text(json_get(json_at(strata, 0), "name")), "os=debian") == 0);
        CHECK(world_int(&world, "fleet") == 2 && world_int(&world, "eligible") == 2 && json_int(json_get(json_get(world.json, "policy"), "budget"), 0) == 2);
        CHECK(json_count(json_get(world.json, "events")) >= 1 && json_type(json_get(world.json, "stopped")) == JSON_NULL);
}
