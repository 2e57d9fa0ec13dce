#include "server/store/inside.h"
#include "server/world.h"

#include "support/sweep.h"
#include "support/test.h"

static struct store_request status_request(void)
{
        return (struct store_request){ .route = ROUTE_STATUS, .method = "GET", .path = "/api/v1/status", .authorization = "Bearer admin-key-of-the-tests" };
}

TEST(store_batch, answers_each_by_itself)
{
        static const char bad[] = "{\"group\":\"a\"}", good[] = "{\"group\":\"a\",\"uses\":1,\"expires_s\":9}";
        OWN(world) struct world world = { 0 };
        struct store_answer answers[4] = { 0 };
        world_open(&world);
        struct store_request requests[4] = { status_request(), status_request(), status_request(), status_request() };
        for (int i = 1; i < 3; i++) {
                requests[i].route = ROUTE_TOKEN_NEW;
                requests[i].body = (struct store_text){ i == 1 ? bad : good, i == 1 ? sizeof(bad) - 1 : sizeof(good) - 1 };
        }
        requests[3].route = ROUTE_ARTIFACT_GET;
        store_batch(world.store, world.now_ms, requests, 4, answers);
        CHECK(answers[0].status == 200 && answers[1].status == 400 && answers[2].status == 200 && answers[3].status == 404);
        for (int i = 0; i < 4; i++)
                store_answer_done(&answers[i]);
}

/* The commit itself cannot be had without the signer here: a start changes what the director says. */
TEST(store_batch, gives_all_the_failure_when_the_whole_cannot_be_kept)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        static const char start[] = "{\"stream\":\"edr-rules\",\"counter\":1}", token[] = "{\"group\":\"a\",\"uses\":1,\"expires_s\":9}";
        struct store_answer answers[2] = { 0 };
        struct store_request requests[2] = { status_request(), status_request() };
        int64_t before = 0, after = 0;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        CHECK(db_number(world.store->db, "SELECT count(*) FROM tokens", NO_VALUES, 0, &before, NULL) == OK);
        requests[0].route = ROUTE_TOKEN_NEW;
        requests[0].body = (struct store_text){ token, sizeof(token) - 1 };
        requests[1].route = ROUTE_ROLLOUT_START;
        requests[1].body = (struct store_text){ start, sizeof(start) - 1 };
        world.signer.failure = ERR_UNAVAILABLE;
        store_batch(world.store, world.now_ms, requests, 2, answers);
        CHECK(answers[0].status == 503 && answers[1].status == 503 && answers[0].retry_after_s);
        world.signer.failure = OK;
        CHECK(db_number(world.store->db, "SELECT count(*) FROM tokens", NO_VALUES, 0, &after, NULL) == OK && before == after);
        CHECK(world_ask(&world, "GET", "/api/v1/rollouts/edr-rules/1", NULL) == 404);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", start) == 201);
        store_answer_done(&answers[0]);
        store_answer_done(&answers[1]);
}

TEST(store_batch, says_that_the_disk_is_full_and_goes_on_when_it_is_not)
{
        OWN(world) struct world world = { 0 };
        int status = 200, made = 0;
        int64_t kept = 0, pages = 0;
        world_open(&world);
        CHECK(db_number(world.store->db, "PRAGMA page_count", NO_VALUES, 0, &pages, NULL) == OK);
        char limit[64];
        snprintf(limit, sizeof(limit), "PRAGMA max_page_count=%lld", (long long)pages + 2);
        CHECK(db_run(world.store->db, limit, NO_VALUES, NULL) == OK);
        for (int i = 0; i < 10000 && status == 200; i++, made += status == 200)
                status = world_ask(&world, "POST", "/api/v1/tokens", "{\"group\":\"sales\",\"uses\":1,\"expires_s\":9}");
        CHECK(status == 507 && strstr(world_text(&world, "detail"), "disk is full"));
        CHECK(db_run(world.store->db, "PRAGMA max_page_count=100000", NO_VALUES, NULL) == OK);
        CHECK(db_number(world.store->db, "SELECT count(*) FROM tokens", NO_VALUES, 0, &kept, NULL) == OK && kept == made);
        CHECK(world_ask(&world, "POST", "/api/v1/tokens", "{\"group\":\"sales\",\"uses\":1,\"expires_s\":9}") == 200);
}

/* The store keeps its lock while it runs, so this takes some undoing. */
TEST(store_batch, asks_to_come_again_while_somebody_else_has_the_database)
{
        OWN(world) struct world world = { 0 };
        OWN(db) struct db *other = NULL;
        static const char token[] = "{\"group\":\"sales\",\"uses\":1,\"expires_s\":9}";
        static const char *const let_go[] = { "PRAGMA journal_mode=DELETE", "PRAGMA locking_mode=NORMAL", "PRAGMA busy_timeout=0" };
        int64_t kept = 0;
        world_open_file(&world);
        CHECK(world_ask(&world, "POST", "/api/v1/tokens", token) == 200);
        for (size_t i = 0; i < sizeof(let_go) / sizeof(let_go[0]); i++)
                CHECK(db_number(world.store->db, let_go[i], NO_VALUES, 0, &kept, NULL) == OK);
        CHECK(world_ask(&world, "POST", "/api/v1/tokens", token) == 200);
        CHECK(db_open(world.database, &other, NULL) == OK && db_begin(other, NULL) == OK);
        CHECK(world_ask(&world, "POST", "/api/v1/tokens", token) == 503 && world.answer.retry_after_s && strstr(world_text(&world, "detail"), "another process"));
        CHECK(store_tick(world.store, world.now_ms + 100, NULL) != OK);
        db_rollback(other);
        db_close(GIVE(other));
        CHECK(world_ask(&world, "POST", "/api/v1/tokens", token) == 200);
        CHECK(db_number(world.store->db, "SELECT count(*) FROM tokens", NO_VALUES, 0, &kept, NULL) == OK && kept == 3);
}

TEST(store_open, keeps_to_the_roots_that_it_was_given_first)
{
        struct world world = { 0 };
        struct why why;
        world_open_file(&world);
        buf_add_text(&world.anchor, "\n");
        CHECK(world_try_open(&world, &why) == ERR_REFUSED && strstr(why.text, "anchor"));
        world.anchor.bytes[--world.anchor.length] = 0;
        CHECK(world_try_open(&world, &why) == OK);
        world_close(&world);
}

TEST(store_open, needs_roots_that_hold)
{
        struct world world = { 0 };
        struct why why;
        world_open(&world);
        world.release_root.bytes[world.release_root.length / 2] ^= 1;
        CHECK(world_try_open(&world, &why) != OK);
        world.release_root.bytes[world.release_root.length / 2] ^= 1;
        CHECK(world_try_open(&world, &why) == OK);
        world_close(&world);
}

TEST(store_open, survives_every_allocation_failure)
{
        OWN(world) struct world world = { 0 };
        world_open_file(&world);
        SWEEP_MEMORY {
                enum err e = world_try_open(&world, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        CHECK(world.store);
}

TEST(store_public_state, changes_only_when_something_did)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        uint64_t changes = store_public_state(world.store)->changes;
        world_tick(&world, 100);
        CHECK(world_ask(&world, "GET", "/api/v1/status", NULL) == 200);
        CHECK(store_public_state(world.store)->changes == changes);
        CHECK(world_publish(&world, 1) == 201 && store_public_state(world.store)->changes > changes);
        const struct store_public *public = store_public_state(world.store);
        for (size_t i = 1; i < public->file_count; i++) {
                int order = strcmp(public->files[i - 1].repository, public->files[i].repository);
                CHECK(order < 0 || (order == 0 && strcmp(public->files[i - 1].name, public->files[i].name) < 0));
        }
        CHECK(public->file_count == 8 && public->revoked_count == 0);
}

TEST(director, renews_what_it_says_at_a_quarter_of_its_life)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        int64_t epoch = store_public_state(world.store)->epoch;
        world_tick(&world, 899000);
        CHECK(store_public_state(world.store)->epoch == epoch);
        world_tick(&world, 1000);
        CHECK(store_public_state(world.store)->epoch > epoch);
        for (int hour = 0; hour < 48; hour++) {
                OWN(tuf) struct tuf *tuf = NULL;
                world_tick(&world, 3600000);
                world_director(&world, &tuf);
                CHECK(world_ask(&world, "GET", "/readyz", NULL) == 200);
        }
        CHECK(store_public_state(world.store)->file_count < 40);
}

TEST(ready, is_no_longer_said_when_metadata_could_not_be_renewed)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_ask(&world, "GET", "/readyz", NULL) == 200);
        world.signer.failure = ERR_UNAVAILABLE;
        world.now_ms += 3601000;
        CHECK(store_tick(world.store, world.now_ms, NULL) == ERR_UNAVAILABLE);
        CHECK(world_ask(&world, "GET", "/readyz", NULL) == 503);
        world.signer.failure = OK;
        world_tick(&world, 100);
        CHECK(world_ask(&world, "GET", "/readyz", NULL) == 200);
}

TEST(store_seen, moves_the_time_forward_only_and_takes_no_strangers)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        struct store_seen seen[3] = { { .at_s = WORLD_START_S + 50 }, { .id = "not an id", .at_s = 1 }, { .id = "00000000000000000000000000000000", .at_s = 1 } };
        snprintf(seen[0].id, sizeof(seen[0].id), "%s", device.id);
        CHECK(store_seen(world.store, seen, 3, NULL) == OK);
        seen[0].at_s = 1;
        CHECK(store_seen(world.store, seen, 1, NULL) == OK);
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/devices/%s", device.id);
        CHECK(world_ask(&world, "GET", path, NULL) == 200 && world_int(&world, "seen_at") == WORLD_START_S + 50 && strcmp(world_text(&world, "group"), "sales") == 0);
        CHECK(world_ask(&world, "GET", "/api/v1/devices/00000000000000000000000000000000", NULL) == 404 && world_ask(&world, "GET", "/api/v1/devices/x", NULL) == 404);
}

TEST(status, shows_the_whole_at_a_glance)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        CHECK(world_publish(&world, 1) == 201);
        world_prove(&world, 1);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1}") == 201);
        CHECK(world_ask(&world, "GET", "/api/v1/status", NULL) == 200 && json_int(json_get(json_get(world.json, "devices"), "enrolled"), 0) == 1);
        CHECK(json_count(json_get(world.json, "rollouts")) == 1 && json_count(json_get(world.json, "metadata")) == 8);
        CHECK(world_ask(&world, "GET", "/metrics", NULL) == 200);
        const char *text = buf_text(&world.answer.body);
        CHECK(strstr(text, "firebreak_devices 1\n") && strstr(text, "firebreak_rollout_exposed{stream=\"edr-rules\",counter=\"1\"} 0\n"));
        CHECK(strcmp(text + strlen(text) - 6, "# EOF\n") == 0);
}
