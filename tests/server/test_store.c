#include "server/store/inside.h"
#include "server/store/metadata.h"
#include "server/world.h"

#include "support/sweep.h"
#include "support/test.h"
#include "trust/keys.h"
#include "trust/tuf_build.h"

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

/* ---- after a ceremony ---- */

static void next_root(uint64_t version, uint8_t content, uint8_t timestamp, struct buf *into)
{
        const struct public_key keys[TUF_ROLES] = { test_key(1).public, test_key(content).public, test_key(content).public, test_key(timestamp).public };
        struct tuf_root root = { .stamp = { version, WORLD_START_S + 90 * 86400 } };
        const struct secret_key by = test_key(1);
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        buf_init(into, LIMIT_METADATA_BYTES);
        for (int role = 0; role < TUF_ROLES; role++)
                root.roles[role] = (struct tuf_role_keys){ &keys[role], 1, 1 };
        CHECK(tuf_root_write(&root, &text, NULL) == OK && tuf_file_sign(&text, &by, 1, into, NULL) == OK);
}

static void next_anchor(uint64_t version, uint8_t lab, struct buf *into)
{
        const struct anchor anchor = { .version = version, .root = { 1, 1, { test_vkey("root", 1) } }, .content = { 1, 1, { test_vkey("content", 6) } },
                                       .lab = { 1, 1, { test_vkey("lab.acme", lab) } } };
        buf_init(into, LIMIT_METADATA_BYTES);
        CHECK(anchor_write(&anchor, into, NULL) == OK);
        test_sign(into, "root", 1);
}

static void next_director_anchor(uint64_t version, struct buf *into)
{
        const struct director_anchor anchor = { .version = version, .root = { 1, 1, { test_vkey("root", 4) } }, .key = test_vkey("director", 5) };
        buf_init(into, LIMIT_METADATA_BYTES);
        CHECK(director_anchor_write(&anchor, into, NULL) == OK);
        test_sign(into, "root", 4);
}

/* The files of `world` and what follows them; the first of each is the world's. */
struct sequel { struct buf roots[3], anchors[2], director_anchors[2], targets, snapshot; struct store_trust trust; };

static void sequel_release(struct sequel *sequel)
{
        buf_done(&sequel->roots[1]);
        buf_done(&sequel->roots[2]);
        buf_done(&sequel->anchors[1]);
        buf_done(&sequel->director_anchors[1]);
        buf_done(&sequel->targets);
        buf_done(&sequel->snapshot);
}

/* A store in a file, with a release; and what follows its files, which it is given when it opens again. */
static void sequel_open(struct sequel *sequel, struct world *world, uint8_t content)
{
        world_open_file(world);
        CHECK(world_publish(world, 1) == 201);
        *sequel = (struct sequel){ .roots = { world->release_root }, .anchors = { world->anchor }, .director_anchors = { world->director_anchor } };
        next_root(2, 2, 3, &sequel->roots[1]);
        next_root(3, content, content == 2 ? 3 : 13, &sequel->roots[2]);
        next_anchor(2, 8, &sequel->anchors[1]);
        next_director_anchor(2, &sequel->director_anchors[1]);
        sequel->trust = (struct store_trust){ { sequel->roots, 3 }, { &world->director_root, 1 }, { sequel->anchors, 2 }, { sequel->director_anchors, 2 }, NULL, NULL };
        world->trust = &sequel->trust;
}

static bool serves_in(struct world *world, const char *repository, const char *name, const struct buf *bytes)
{
        OWN(buf) struct buf file;
        buf_init(&file, LIMIT_METADATA_BYTES);
        world_file(world, repository, name, &file);
        return buf_equal(&file, bytes);
}

static bool serves(struct world *world, const char *name, const struct buf *bytes)
{
        return serves_in(world, "release", name, bytes);
}

TEST(store_open, follows_every_version_and_serves_it)
{
        OWN(world) struct world world = { 0 };
        OWN(sequel) struct sequel sequel = { 0 };
        struct why why;
        sequel_open(&sequel, &world, 2);
        CHECK(world_try_open(&world, &why) == OK);
        CHECK(serves(&world, "1.root.json", &sequel.roots[0]) && serves(&world, "2.root.json", &sequel.roots[1]) && serves(&world, "3.root.json", &sequel.roots[2]));
        CHECK(serves(&world, "1.anchor", &sequel.anchors[0]) && serves(&world, "2.anchor", &sequel.anchors[1]));
        CHECK(serves_in(&world, "director", "1.anchor", &sequel.director_anchors[0]) && serves_in(&world, "director", "2.anchor", &sequel.director_anchors[1]));
        CHECK(world_try_open(&world, &why) == OK && world_publish(&world, 2) == 201);
        world.trust = NULL;                      /* what was there first */
        CHECK(world_try_open(&world, &why) == ERR_REFUSED && strstr(why.text, "nor one that follows it"));
        sequel.trust.release_root = (struct store_versions){ sequel.roots, 2 };
        world.trust = &sequel.trust;
        CHECK(world_try_open(&world, &why) == ERR_REFUSED);
}

TEST(store_open, takes_no_root_that_did_not_sign_what_is_served)
{
        OWN(world) struct world world = { 0 };
        OWN(sequel) struct sequel sequel = { 0 };
        struct why why;
        sequel_open(&sequel, &world, 9);         /* content has another key, and nothing was signed anew */
        CHECK(world_try_open(&world, &why) == ERR_REFUSED && strstr(why.text, "targets.json"));
        world.trust = NULL;                      /* nothing of it was kept */
        CHECK(world_try_open(&world, &why) == OK && world_publish(&world, 2) == 201);
}

/* The listing as `content` signs it anew, listing the world's release. */
static void list_anew(struct sequel *sequel, struct world *world, uint8_t content)
{
        const struct tuf_stamp stamp = { 2, WORLD_START_S + 80 * 86400 };
        const struct secret_key by = test_key(content);
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_METADATA_BYTES);
        buf_init(&sequel->targets, LIMIT_METADATA_BYTES);
        buf_init(&sequel->snapshot, LIMIT_METADATA_BYTES);
        CHECK(tuf_targets_write(&stamp, &(struct tuf_change){ &world->targets, NULL }, &text, NULL) == OK && tuf_file_sign(&text, &by, 1, &sequel->targets, NULL) == OK);
        buf_clear(&text);
        CHECK(tuf_snapshot_write(&stamp, &(struct tuf_of){ 2, NULL }, &text, NULL) == OK && tuf_file_sign(&text, &by, 1, &sequel->snapshot, NULL) == OK);
        sequel->trust.targets = &sequel->targets;
        sequel->trust.snapshot = &sequel->snapshot;
}

/* Whoever had the old keys published a version that nobody will reach; also long after, when the new listing has expired in its turn. */
TEST(store_open, takes_the_new_listing_whatever_the_old_one_was_called)
{
        for (int64_t days = 0; days < 200; days += 150) {
                OWN(world) struct world world = { .version = 1000000 };
                OWN(sequel) struct sequel sequel = { 0 };
                struct why why;
                sequel_open(&sequel, &world, 9);
                list_anew(&sequel, &world, 9);
                world.signer.timestamp_key = 13;
                world.now_ms += days * 86400000;
                CHECK(world_try_open(&world, &why) == OK && serves(&world, "2.targets.json", &sequel.targets) && serves(&world, "2.snapshot.json", &sequel.snapshot));
                CHECK(world_try_open(&world, &why) == OK && world_ask(&world, "GET", "/api/v1/status", NULL) == 200 && !strstr(buf_text(&world.answer.body), "1000001"));
        }
}

/* The thief's listing has the number that the publisher's next one has, too; and a release that this one does not list. */
TEST(store_open, takes_the_new_listing_after_a_thief_published)
{
        OWN(world) struct world world = { 0 };
        OWN(sequel) struct sequel sequel = { 0 };
        struct why why;
        sequel_open(&sequel, &world, 9);
        list_anew(&sequel, &world, 9);
        CHECK(world_publish(&world, 2) == 201);
        world.signer.timestamp_key = 13;
        CHECK(world_try_open(&world, &why) == OK && serves(&world, "2.targets.json", &sequel.targets));
}

TEST(store_open, forgets_what_a_lab_said_that_was_taken_out)
{
        OWN(world) struct world world = { 0 };
        OWN(sequel) struct sequel sequel = { 0 };
        struct why why;
        sequel_open(&sequel, &world, 2);
        world_prove(&world, 1);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 200 && strstr(buf_text(&world.answer.body), "\"open\":true"));
        CHECK(world_try_open(&world, &why) == OK);
        CHECK(world_ask(&world, "GET", "/api/v1/releases/edr-rules/1", NULL) == 200 && strstr(buf_text(&world.answer.body), "\"open\":false"));
}

TEST(store_open, follows_only_what_the_keys_before_signed)
{
        OWN(world) struct world world = { 0 };
        OWN(sequel) struct sequel sequel = { 0 };
        struct why why;
        sequel_open(&sequel, &world, 2);
        sequel.anchors[1].bytes[sequel.anchors[1].length - 8] ^= 1;
        CHECK(world_try_open(&world, &why) != OK);
        sequel.anchors[1].bytes[sequel.anchors[1].length - 8] ^= 1;
        sequel.trust.release_root = (struct store_versions){ (const struct buf[]){ sequel.roots[0], sequel.roots[2] }, 2 };
        CHECK(world_try_open(&world, &why) == ERR_ROLLBACK);
        world.trust = NULL;
        CHECK(world_try_open(&world, &why) == OK);
}

/* By its own word each of them is good. */
TEST(store_open, leaves_out_no_version_of_an_anchor)
{
        OWN(world) struct world world = { 0 };
        OWN(sequel) struct sequel sequel = { 0 };
        OWN(buf) struct buf anchor, director_anchor;
        struct why why;
        sequel_open(&sequel, &world, 2);
        const struct store_trust good = sequel.trust;
        next_anchor(3, 8, &anchor);
        next_director_anchor(3, &director_anchor);
        sequel.trust.anchor = (struct store_versions){ (const struct buf[]){ sequel.anchors[0], anchor }, 2 };
        CHECK(world_try_open(&world, &why) == ERR_ROLLBACK);
        sequel.trust = good;
        sequel.trust.director_anchor = (struct store_versions){ (const struct buf[]){ sequel.director_anchors[0], director_anchor }, 2 };
        CHECK(world_try_open(&world, &why) == ERR_ROLLBACK);
        sequel.trust = good;
        CHECK(world_try_open(&world, &why) == OK);
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
        CHECK(public->file_count == 10 && public->revoked_count == 0);
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
        CHECK(strstr(text, "firebreak_metadata_health{repository=\"release\",role=\"targets\",health=\"good\"} 1\n"));
        CHECK(strcmp(text + strlen(text) - 6, "# EOF\n") == 0);
}

TEST(metadata_health, is_said_before_it_is_too_late)
{
        static const struct { const char *repository; enum tuf_role role; int64_t now_s; enum metadata_health health; } cases[] = {
                { "release", TUF_TIMESTAMP, 1000, METADATA_GOOD }, { "release", TUF_TIMESTAMP, 1450, METADATA_GOOD },  { "release", TUF_TIMESTAMP, 1451, METADATA_LATE },
                { "director", TUF_TARGETS, 1600, METADATA_LATE },  { "director", TUF_ROOT, 1600, METADATA_GOOD },     { "director", TUF_ROOT, 1601, METADATA_RENEW },
                { "release", TUF_TARGETS, 1451, METADATA_GOOD },   { "release", TUF_SNAPSHOT, 1700, METADATA_RENEW }, { "release", TUF_ROOT, 1900, METADATA_EXPIRED },
                { "release", TUF_TIMESTAMP, 1900, METADATA_EXPIRED },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct metadata metadata = { cases[i].repository, cases[i].role, { 1, 1900 }, 1000 };
                CHECK(metadata_health(&metadata, cases[i].now_s) == cases[i].health);
        }
}

/* Of the world's roots, 90 days; that the server starts again makes them no younger. */
TEST(status, says_what_people_have_to_sign_again)
{
        struct world world = { 0 };
        world_open_file(&world);
        CHECK(world_publish(&world, 1) == 201);
        world.now_ms += 61 * INT64_C(86400000);
        CHECK(world_try_open(&world, NULL) == OK && world_ask(&world, "GET", "/api/v1/status", NULL) == 200);
        const struct json *files = json_get(world.json, "metadata");
        for (size_t i = 0; i < json_count(files); i++) {
                const struct json *file = json_at(files, i);
                const bool by_people = strcmp(json_text(json_get(file, "role")), "root") == 0 ||
                                       (strcmp(json_text(json_get(file, "repository")), "release") == 0 && strcmp(json_text(json_get(file, "role")), "timestamp") != 0);
                CHECK(strcmp(json_text(json_get(file, "health")), by_people ? "renew" : "good") == 0);
        }
        CHECK(json_count(files) == 8);
        world_close(&world);
}
