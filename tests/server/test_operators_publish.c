#include "server/world.h"

#include "support/test.h"

static int64_t releases(struct world *world)
{
        CHECK(world_ask(world, "GET", "/api/v1/releases", NULL) == 200);
        return (int64_t)json_count(json_get(world->json, "items"));
}

/* The body with one piece replaced by another of any length. */
static int publish_with(struct world *world, const char *old, const char *new)
{
        static char body[1 << 17];
        const char *good = world_sign(world, 1), *at = strstr(good, old);
        CHECK(at);
        snprintf(body, sizeof(body), "%.*s%s%s", (int)(at - good), good, new, at + strlen(old));
        return world_ask(world, "POST", "/api/v1/releases", body);
}

TEST(publish, takes_a_release_and_shows_it)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201 && world_int(&world, "counter") == 1);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 200 && strcmp(world_text(&world, "version"), "1.1") == 0);
        CHECK(strcmp(world_text(&world, "state"), "draft") == 0 && !json_bool(json_get(json_get(world.json, "gate"), "open"), true));
        CHECK(world_int(&world, "files") == 1 && json_text(json_get(json_get(world.json, "dossier"), "what")));
        CHECK(world_publish(&world, 2) == 201 && releases(&world) == 2);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/3", NULL) == 404 && world_ask(&world, "GET", "/api/v1/releases/edr-rules/x", NULL) == 404);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/0", NULL) == 404 && world_ask(&world, "GET", "/api/v1/releases?limit=0", NULL) == 400);
}

TEST(publish, gives_the_same_answer_to_the_same_release)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        const char *body = world_sign(&world, 1);
        CHECK(world_ask(&world, "POST", "/api/v1/releases", body) == 201 && world_ask(&world, "POST", "/api/v1/releases", body) == 200 && releases(&world) == 1);
}

TEST(publish, serves_what_a_device_can_verify)
{
        OWN(world) struct world world = { 0 };
        OWN(tuf) struct tuf *tuf = NULL;
        struct tuf_target target;
        static const struct { enum tuf_role role; const char *name; } files[] = {
                { TUF_TIMESTAMP, "timestamp.json" }, { TUF_SNAPSHOT, "1.snapshot.json" }, { TUF_TARGETS, "1.targets.json" },
        };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201 && tuf_open(&world.release_root, WORLD_START_S, &tuf, NULL) == OK);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
                OWN(buf) struct buf file;
                buf_init(&file, 1 << 20);
                world_file(&world, "release", files[i].name, &file);
                CHECK(tuf_update(tuf, files[i].role, &file, NULL) == OK);
        }
        CHECK(tuf_find(tuf, "edr-rules/1", &target, NULL) == OK && memcmp(target.sha256, world.target, 32) == 0);
}

TEST(publish, refuses_what_was_changed_after_signing)
{
        static const struct { const char *old, *new; int status; } changes[] = {
                { "\"version\":1", "\"version\":9", 403 },                         /* targets */
                { "\"what\":\"a rule", "\"what\":\"two rules", 422 },                 /* the dossier */
                { "\"dossier\":{", "\"dossier\":{\"extra\":1,", 422 },
                { "stream edr-rules", "stream edr-other", 403 },                   /* the note */
                { "\"targets\"", "\"tragets\"", 400 },
                { "\"note\":\"", "\"note\":\"x", 403 },
                { "{\"targets\":{", "{\"more\":1,\"targets\":{", 400 },
                { "{\"targets\":{", "{\"targets\":{\"signatures\":[],", 400 },
        };
        OWN(world) struct world world = { 0 };
        world_open(&world);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
                int status = publish_with(&world, changes[i].old, changes[i].new);
                if (status != changes[i].status)
                        printf("# %s: %d %s\n", changes[i].new, status, buf_text(&world.answer.body));
                CHECK(status == changes[i].status);
                world.version = 0;
                buf_clear(&world.targets);
        }
        CHECK(releases(&world) == 0);
}

TEST(publish, refuses_bodies_that_are_none)
{
        static const char *const bad[] = { "", "{}", "[]", "{\"targets\":1}", "\xff", "{\"a\":{\"a\":{\"a\":{}}}" };
        OWN(world) struct world world = { 0 };
        world_open(&world);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(world_ask(&world, "POST", "/api/v1/releases", bad[i]) == 400);
}

TEST(publish, refuses_to_drop_a_release)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        buf_clear(&world.targets);
        CHECK(world_publish(&world, 2) == 409 && strstr(world_text(&world, "detail"), "no longer listed"));
}

TEST(publish, takes_metadata_that_also_lists_what_is_not_published)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        (void)world_sign(&world, 1);
        CHECK(world_publish(&world, 2) == 201);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 404);
        CHECK(world_ask(&world, "POST", "/api/v1/rollouts", "{\"stream\":\"edr-rules\",\"counter\":1}") == 404);
}

TEST(publish, never_goes_back)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        CHECK(world_publish(&world, 2) == 201 && world_publish(&world, 1) == 409);
        CHECK(strstr(world_text(&world, "detail"), "higher"));
        world.version = 0;                                          /* metadata of an older version than is served */
        CHECK(world_publish(&world, 3) == 409 && releases(&world) == 1);
}

TEST(publish, needs_every_file_of_the_release)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        const char *body = world_sign(&world, 1);
        world_lose_artifacts(&world);
        CHECK(world_ask(&world, "POST", "/api/v1/releases", body) == 422 && strstr(world_text(&world, "detail"), "rules/main.yar"));
}

TEST(publish, does_nothing_by_half_when_the_disk_is_full_or_the_signer_gone)
{
        OWN(world) struct world world = { 0 };
        world_open(&world);
        const char *body = world_sign(&world, 1);
        int64_t epoch = store_public_state(world.store)->epoch;
        world.disk.free_bytes = 0;
        CHECK(world_ask(&world, "POST", "/api/v1/releases", body) == 507 && world.answer.retry_after_s);
        world.disk.free_bytes = 1 << 20;
        world.signer.failure = ERR_UNAVAILABLE;
        CHECK(world_ask(&world, "POST", "/api/v1/releases", body) == 503);
        world.signer.failure = OK;
        CHECK(releases(&world) == 0 && store_public_state(world.store)->epoch == epoch);
        CHECK(world_ask(&world, "POST", "/api/v1/releases", body) == 201 && store_public_state(world.store)->epoch > epoch);
}

TEST(operators, need_the_key)
{
        static const char *const wrong[] = { NULL, "", "Bearer ", "Bearer admin-key-of-the-test", "Bearer admin-key-of-the-tests ", "Basic admin-key-of-the-tests" };
        OWN(world) struct world world = { 0 };
        world_open(&world);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                struct store_answer answer = { 0 };
                struct store_request request = { .route = ROUTE_STATUS, .method = "GET", .path = "/api/v1/status", .authorization = wrong[i] };
                store_batch(world.store, world.now_ms, &request, 1, &answer);
                CHECK(answer.status == 401);
                store_answer_done(&answer);
        }
}
