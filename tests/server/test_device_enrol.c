#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"
#include "trust/sha.h"

#include <inttypes.h>

static const char *token_for(struct world *world, const char *order)
{
        static char token[64];
        CHECK(world_ask(world, "POST", "/api/v1/tokens", order) == 200);
        snprintf(token, sizeof(token), "%s", world_text(world, "token"));
        return token;
}

static int enrol(struct world *world, struct world_device *device, const char *token)
{
        return world_device_ask(world, device, "/v1/enrol", world_enrol_body(world, device, token, "os=debian"));
}

TEST(enrol, gives_the_same_answer_again_and_spends_one_use)
{
        OWN(world) struct world world = { 0 };
        struct world_device one, two, three;
        char token[64], mac_key[65];
        world_open(&world);
        snprintf(token, sizeof(token), "%s", token_for(&world, "{\"group\":\"sales\",\"uses\":2,\"expires_s\":60}"));
        world_device_init(&world, &one);
        world_device_init(&world, &two);
        world_device_init(&world, &three);
        CHECK(enrol(&world, &one, token) == 200 && world_int(&world, "pace_ms") == 300000 && strcmp(world_text(&world, "tenant"), "default") == 0);
        snprintf(mac_key, sizeof(mac_key), "%s", world_text(&world, "mac_key"));
        CHECK(enrol(&world, &one, token) == 200 && strlen(mac_key) == 64 && strcmp(world_text(&world, "mac_key"), mac_key) == 0);
        CHECK(enrol(&world, &two, token) == 200 && strcmp(world_text(&world, "mac_key"), mac_key) != 0);
        CHECK(enrol(&world, &three, token) == 401 && enrol(&world, &one, token) == 200);
        world.now_ms += 61000;
        CHECK(enrol(&world, &three, token) == 401 && enrol(&world, &one, token) == 200);
}

TEST(enrol, asks_for_a_token_that_is_known_and_in_time)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        char token[64];
        world_open(&world);
        world_device_init(&world, &device);
        CHECK(enrol(&world, &device, "fbt_0000000000000000000000000000000000000000") == 401);
        snprintf(token, sizeof(token), "%s", token_for(&world, "{\"group\":\"sales\",\"uses\":2,\"expires_s\":60}"));
        world.now_ms += 60000;
        CHECK(enrol(&world, &device, token) == 401);
}

TEST(enrol, asks_for_proof_of_the_key_and_of_the_id)
{
        OWN(world) struct world world = { 0 };
        struct world_device device, thief;
        char token[64], body[2048];
        world_open(&world);
        world_device_init(&world, &device);
        world_device_init(&world, &thief);
        snprintf(token, sizeof(token), "%s", token_for(&world, "{\"group\":\"sales\",\"uses\":9,\"expires_s\":60}"));
        snprintf(body, sizeof(body), "%s", world_enrol_body(&world, &device, token, ""));
        CHECK(world_device_ask(&world, &thief, "/v1/enrol", body) == 401);              /* another id in the header */
        snprintf(thief.id, sizeof(thief.id), "%s", device.id);
        CHECK(world_device_ask(&world, &thief, "/v1/enrol", body) == 401);              /* signed with another key */
        CHECK(enrol(&world, &device, token) == 200);
        CHECK(enrol(&world, &thief, token) == 409);                                     /* a key of his own for a known id */
}

TEST(enrol, refuses_a_body_that_says_something_else)
{
        static const char *const attributes[] = { "os", "os=a,os=b", "a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9", "os=\\n" };
        OWN(world) struct world world = { 0 };
        struct world_device device;
        char token[64];
        world_open(&world);
        world_device_init(&world, &device);
        snprintf(token, sizeof(token), "%s", token_for(&world, "{\"group\":\"sales\",\"uses\":9,\"expires_s\":60}"));
        for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
                int status = world_device_ask(&world, &device, "/v1/enrol", world_enrol_body(&world, &device, token, attributes[i]));
                CHECK(status == 400 || status == 413);
        }
        CHECK(world_device_ask(&world, &device, "/v1/enrol", "{}") == 400 && world_device_ask(&world, &device, "/v1/enrol", "") == 400);
        CHECK(world_ask(&world, "GET", "/api/v1/devices", NULL) == 200 && json_count(json_get(world.json, "items")) == 0);
}

TEST(device, is_revoked_by_an_operator_for_good)
{
        OWN(world) struct world world = { 0 };
        struct world_device device, other;
        char path[96];
        world_open(&world);
        world_device_init(&world, &device);
        world_device_init(&world, &other);
        world_enrol(&world, &device, "os=debian");
        world_enrol(&world, &other, "os=debian");
        snprintf(path, sizeof(path), "/api/v1/devices/%s/revoke", device.id);
        CHECK(world_ask(&world, "POST", path, "{}") == 400 && world_ask(&world, "POST", path, "{\"who\":\"a b\",\"reason\":\"x\"}") == 400);
        CHECK(world_device_ask(&world, &device, "/v1/report", "{}") == 400);
        CHECK(world_ask(&world, "POST", path, "{\"who\":\"anna\",\"reason\":\"stolen\"}") == 200 && world_int(&world, "revoked_at") == world.now_ms / 1000);
        CHECK(store_public_state(world.store)->revoked_count == 1 && strcmp(store_public_state(world.store)->revoked[0], device.id) == 0);
        CHECK(world_device_ask(&world, &device, "/v1/report", "{}") == 401 && world_device_ask(&world, &other, "/v1/report", "{}") == 400);
        const int64_t since = world.now_ms / 1000;
        world.now_ms += 60000;
        CHECK(world_ask(&world, "POST", path, "{\"who\":\"bert\",\"reason\":\"again\"}") == 200 && world_int(&world, "revoked_at") == since);
        int64_t lines = 0;
        CHECK(db_number(world.store->db, "SELECT count(*) FROM audit WHERE what = 'device.revoke' AND who = 'anna' AND subject = ?", VALUES(bind_text(device.id)), 0, &lines, NULL) == OK && lines == 1);
        CHECK(world_ask(&world, "POST", "/api/v1/devices/00000000000000000000000000000000/revoke", "{\"who\":\"anna\",\"reason\":\"x\"}") == 404);
}

TEST(device, is_refused_when_its_clock_is_off_or_it_was_revoked)
{
        OWN(world) struct world world = { 0 };
        struct world_device device;
        world_open(&world);
        world_enrol(&world, &device, "os=debian");
        int64_t now_ms = world.now_ms;
        char date[24], signature[REQUEST_SIGNATURE_BYTES];
        for (int off = -301; off <= 301; off += 301) {
                static const char body[] = "{}";
                snprintf(date, sizeof(date), "%" PRId64, now_ms / 1000 + off);
                struct request_facts facts = { "POST", "/v1/report", date, body, 2 };
                CHECK(request_sign(&facts, &device.key, signature, NULL) == OK);
                struct store_request request = { .route = ROUTE_DEVICE_REPORT, .method = "POST", .path = "/v1/report", .device = device.id, .date = date,
                                                 .signature = signature, .body = { body, 2 } };
                struct store_answer answer = { 0 };
                store_batch(world.store, now_ms, &request, 1, &answer);
                CHECK(answer.status == (off ? 403 : 400));
                store_answer_done(&answer);
        }
        CHECK(db_run(world.store->db, "UPDATE devices SET revoked_at = 1", NO_VALUES, NULL) == OK);
        CHECK(world_device_ask(&world, &device, "/v1/report", "{}") == 401 && strstr(world_text(&world, "detail"), "revoked"));
        CHECK(enrol(&world, &device, "fbt_0") == 409);
}

TEST(token, is_refused_without_sense_and_never_kept_in_the_clear)
{
        static const char *const bad[] = { "{\"group\":\"a b\",\"uses\":1,\"expires_s\":1}", "{\"group\":\"a\",\"uses\":0,\"expires_s\":1}", "{\"group\":\"a\",\"uses\":1}",
                                           "{\"group\":\"a\",\"uses\":1,\"expires_s\":1,\"x\":1}", "[]", "{", "{\"group\":\"a\",\"uses\":1.5,\"expires_s\":1}" };
        OWN(world) struct world world = { 0 };
        world_open(&world);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(world_ask(&world, "POST", "/api/v1/tokens", bad[i]) == 400);
        const char *token = token_for(&world, "{\"group\":\"sales\",\"uses\":1,\"expires_s\":60}");
        int64_t found = -1;
        uint8_t hash[32];
        CHECK(strncmp(token, "fbt_", 4) == 0 && strlen(token) == 44);
        sha256(token, strlen(token), hash);
        CHECK(db_number(world.store->db, "SELECT count(*) FROM tokens WHERE hash = ?", VALUES(bind_blob(hash, 32)), -1, &found, NULL) == OK && found == 1);
}
