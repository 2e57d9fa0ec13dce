/* What a device asks for between a release's note and its files, and what it does while it waits. */
#include "agent/vouched.h"
#include "agent/world.h"
#include "format/hex.h"
#include "platform/file.h"

#include <string.h>

/* What the server has, and what it was asked. */
static struct server {
        bool has_proof, has_customer, has_lift, is_garbled;
        const char *by;                          /* witnesses */
        int64_t seen;
        int status;                              /* instead of all answers; 0: none */
        unsigned proofs, customers, lifts;
        struct buf bytes;
} server;

static const char *customer_key(void)
{
        static char id[65];
        const struct vkey vkey = test_vkey("acme", VOUCHED_CUSTOMER);
        hex_encode(vkey.key.bytes, 32, id);
        return id;
}

static const struct buf *serve(const char *path, struct fetch_answer *answer)
{
        const struct offer offer = world_offer(4, OFFER_GO);
        bool has = false;
        if (strstr(path, "/log/proof/")) {
                struct logged logged = { .kind = LOGGED_RELEASE, .name = "rules", .number = 4 };
                memcpy(logged.digest, offer.target, sizeof(logged.digest));
                vouched_proof(&logged, server.by, server.seen, &server.bytes);
                has = server.has_proof;
                server.proofs++;
        } else if (strstr(path, "/emergency")) {
                vouched_approval(APPROVAL_EMERGENCY, offer.target, VOUCHED_EMERGENCY, 2, &server.bytes);
                has = server.has_lift;
                server.lifts++;
        } else if (strstr(path, customer_key())) {
                vouched_approval(APPROVAL_CUSTOMER, offer.target, VOUCHED_CUSTOMER, 1, &server.bytes);
                has = server.has_customer;
                server.customers++;
        }
        if (server.is_garbled)
                server.bytes.bytes[0] ^= 1;
        answer->status = server.status ? server.status : has ? 200 : 404;
        return answer->status == 200 ? &server.bytes : NULL;
}

static char pinned[64];
static const char *const wanted_by[] = { "acme" };

static void pin(const struct anchor *anchor)
{
        char path[96];
        const struct director_anchor director = { .version = 1, .root = { 1, 1, { test_vkey("root", 30) } }, .key = test_vkey("director", 31) };
        CHECK(file_temporary(pinned, NULL) == OK);
        buf_clear(&server.bytes);
        CHECK(anchor_write(anchor, &server.bytes, NULL) == OK);
        test_sign(&server.bytes, "root", VOUCHED_ROOT);
        snprintf(path, sizeof(path), "%s/release.anchor", pinned);
        CHECK(file_write(path, server.bytes.bytes, server.bytes.length, NULL) == OK);
        buf_clear(&server.bytes);
        CHECK(director_anchor_write(&director, &server.bytes, NULL) == OK);
        test_sign(&server.bytes, "root", 30);
        snprintf(path, sizeof(path), "%s/director.anchor", pinned);
        CHECK(file_write(path, server.bytes.bytes, server.bytes.length, NULL) == OK);
}

static void begin(void)
{
        const struct anchor anchor = vouched_anchor();
        server = (struct server){ .by = "12", .seen = 1, .has_proof = true };
        buf_init(&server.bytes, VOUCH_BYTES_MAX);
        pin(&anchor);
        world_open();
        world.document = serve;
        world.config.platform = "linux-amd64";
        world.config.ring = "all";
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        struct disk *disk = &world.sim.disk;
        CHECK(disk->ops->make_folder(disk, "trust", NULL) == OK && disk->ops->sync_folder(disk, "", NULL) == OK);
        world.now_ms = 7200000;
        CHECK(anchors_open(pinned, disk, &world.anchors, NULL) == OK && world_start() == OK);
}

static void end(void)
{
        world_end();
        anchors_close(world.anchors);
        world.anchors = NULL;
        world_close();
        file_remove_tree(pinned);
        buf_done(&server.bytes);
}

static void wants_customer(void)
{
        world.config.approved_by = (struct yaml_texts){ 1, (const char **)wanted_by };
        world.config.approvers[0] = test_vkey("acme", VOUCHED_CUSTOMER);
}

/* One attempt: true when its files are there and it goes on; false when it has to wait. */
static bool takes_it(void)
{
        const struct offer offer = world_offer(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        for (int turns = 0; turns < 50 && (!turns || world.stream.life == LIFE_FETCHING); turns++)
                world_turn(1);
        CHECK(world.stream.life != LIFE_FETCHING);
        return world.stream.life > LIFE_FETCHING;
}

TEST(stream_vouch, is_proved_before_its_files_are_fetched)
{
        begin();
        CHECK(takes_it() && server.proofs == 1 && server.customers == 0 && server.lifts == 0);
        end();
}

TEST(stream_vouch, without_a_proof_it_waits_and_asks_again)
{
        begin();
        server.has_proof = false;
        CHECK(!takes_it() && server.proofs == 1 && world.stream.life == LIFE_IDLE);
        CHECK(strstr(world.stream.text, "no proof yet"));
        server.has_proof = true;
        world.now_ms += 600000;
        CHECK(takes_it() && server.proofs == 2);
        end();
}

TEST(stream_vouch, with_too_few_witnesses_it_waits)
{
        begin();
        server.by = "1";
        CHECK(!takes_it() && world.stream.life == LIFE_IDLE);
        server.by = "13";
        world.now_ms += 600000;
        CHECK(takes_it());
        end();
}

TEST(stream_vouch, garbled_or_refused_is_as_good_as_none)
{
        begin();
        server.is_garbled = true;
        CHECK(!takes_it() && world.stream.life == LIFE_IDLE);
        server.is_garbled = false;
        server.status = 500;
        world.now_ms += 600000;
        CHECK(!takes_it() && world.stream.life == LIFE_IDLE);
        server.status = 0;
        world.now_ms += 600000;
        CHECK(takes_it());
        end();
}

/* Whoever has the fetcher can write what he likes; the release is tried again when he is gone. */
TEST(stream_vouch, a_note_without_end_is_damage_and_no_fault_of_the_release)
{
        begin();
        world.is_spool_flooded = true;
        CHECK(!takes_it() && world.stream.life == LIFE_IDLE && strstr(world.stream.text, "the release note"));
        world.is_spool_flooded = false;
        world.now_ms += 600000;
        CHECK(takes_it());
        end();
}

TEST(stream_vouch, waits_for_its_customer)
{
        begin();
        wants_customer();
        CHECK(!takes_it() && server.customers == 1 && strstr(world.stream.text, "acme has not approved"));
        server.has_customer = true;
        world.now_ms += 600000;
        /* The proof of before still counts. */
        CHECK(takes_it() && server.customers == 2 && server.proofs == 1);
        end();
}

TEST(stream_vouch, keeps_to_the_pace_until_it_is_lifted)
{
        begin();
        server.seen = agent_time_s(&world.agent) - 60;
        CHECK(!takes_it() && server.lifts == 1 && strstr(world.stream.text, "pace"));
        server.has_lift = true;
        world.now_ms += 600000;
        CHECK(takes_it() && server.lifts == 2 && server.proofs == 1);
        end();
}

TEST(stream_vouch, keeps_to_the_pace_until_its_turn_comes)
{
        begin();
        server.seen = agent_time_s(&world.agent) - 60;
        CHECK(!takes_it() && world.stream.life == LIFE_IDLE);
        world.now_ms += 3600000;
        CHECK(takes_it() && server.lifts == 1);
        end();
}

/* A garbled lift is none; it does not keep the device from going when its turn comes. */
TEST(stream_vouch, is_not_held_up_by_a_lift_that_is_none)
{
        begin();
        CHECK(takes_it());
        end();
        begin();
        server.seen = agent_time_s(&world.agent) - 60;
        CHECK(!takes_it());
        server.has_lift = server.is_garbled = true;
        world.now_ms += 600000;
        CHECK(!takes_it() && server.lifts == 2 && server.proofs == 1);
        world.now_ms += 3600000;
        CHECK(takes_it() && server.lifts == 2);
        end();
}
