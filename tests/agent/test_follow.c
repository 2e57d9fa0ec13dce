/* Who is asked for which anchor, and what its answer means for what is under way. */
#include "agent/follow.h"

#include "agent/anchors.h"
#include "agent/ceremony.h"
#include "agent/world.h"
#include "platform/file.h"
#include "support/sweep.h"

#include <inttypes.h>
#include <string.h>

/* What the server has: versions up to these, and what it does to some of them. */
static struct server {
        uint64_t newest[BUNDLE_REPOSITORIES];
        bool has_same_keys;                      /* in each version, and any number of them */
        bool is_late_pair;                       /* content gets the key that the director has in version 1 */
        bool is_forged[BUNDLE_REPOSITORIES];     /* the next one, by somebody else's root */
        int status;                              /* instead of all answers; 0: none */
        char asked[8][64];
        unsigned asks;
        struct buf bytes;
} server;

static const struct buf *serve(const char *path, struct fetch_answer *answer)
{
        char repository[12];
        uint64_t version;
        CHECK(sscanf(path, "/v1/tuf/%11[a-z]/%" SCNu64 ".anchor", repository, &version) == 2);
        const enum bundle_repository of = strcmp(repository, "release") == 0 ? BUNDLE_RELEASE : BUNDLE_DIRECTOR;
        snprintf(server.asked[server.asks++ % 8], sizeof(server.asked[0]), "%s", path);
        answer->status = server.status ? server.status : version <= server.newest[of] ? 200 : 404;
        if (answer->status != 200)
                return NULL;
        if (server.is_forged[of]) {
                ceremony_write(of, version, &(struct ceremony_keys){ 41, 42, 45 }, &server.bytes);
                test_sign(&server.bytes, "root", 41);
        } else if (server.is_late_pair && of == BUNDLE_RELEASE) {
                ceremony_write(of, version, &(struct ceremony_keys){ 1, ceremony_keys[1].director, 0 }, &server.bytes);
                test_sign(&server.bytes, "root", 1);
        } else if (server.has_same_keys) {
                ceremony_write(of, version, &ceremony_keys[1], &server.bytes);
                test_sign(&server.bytes, "root", ceremony_keys[1].root);
        } else {
                ceremony_sign_version(of, version, &server.bytes);
        }
        return &server.bytes;
}

static char pinned[64];

static void make_trust(struct disk *disk)
{
        CHECK(disk->ops->make_folder(disk, "trust", NULL) == OK && disk->ops->make_folder(disk, "spool", NULL) == OK && disk->ops->sync_folder(disk, "", NULL) == OK);
}

static void pin(void)
{
        static const char *const names[] = { "release", "director" };
        CHECK(file_temporary(pinned, NULL) == OK);
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++) {
                char path[96];
                ceremony_sign_version((enum bundle_repository)repository, 1, &server.bytes);
                snprintf(path, sizeof(path), "%s/%s.anchor", pinned, names[repository]);
                CHECK(file_write(path, server.bytes.bytes, server.bytes.length, NULL) == OK);
        }
}

static void begin(void)
{
        server = (struct server){ .newest = { 1, 1 } };
        buf_init(&server.bytes, LIMIT_METADATA_BYTES);
        pin();
        world_open();
        world.document = serve;
        sim_disk_init(&world.sim);
        sim_random_init(&world.random, 1);
        make_trust(&world.sim.disk);
        CHECK(anchors_open(pinned, &world.sim.disk, &world.anchors, NULL) == OK && world_start() == OK);
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

static void count(void *user)
{
        ++*(unsigned *)user;
}

/* As a refresh does. */
static void follow_all(struct follow *follow)
{
        unsigned answers = 0, asks = server.asks;
        follow_begin(follow);
        while (follow_is_due(follow))
                follow_call(follow, count, &answers);
        CHECK(answers == server.asks - asks);
}

static bool are(uint64_t release, uint64_t director)
{
        return anchors_version(world.anchors, BUNDLE_RELEASE) == release && anchors_version(world.anchors, BUNDLE_DIRECTOR) == director;
}

TEST(follow, asks_for_the_next_one_until_there_is_none)
{
        static const char *const paths[] = { "/v1/tuf/release/2.anchor", "/v1/tuf/release/3.anchor", "/v1/tuf/release/4.anchor",
                                             "/v1/tuf/director/2.anchor", "/v1/tuf/director/3.anchor" };
        struct follow follow;
        begin();
        server.newest[BUNDLE_RELEASE] = 3;
        server.newest[BUNDLE_DIRECTOR] = 2;
        follow_init(&follow, &world.agent);
        follow_all(&follow);
        CHECK(are(3, 2) && server.asks == 5 && !follow_is_behind(&follow));
        for (unsigned i = 0; i < 5; i++)
                CHECK(strcmp(server.asked[i], paths[i]) == 0);
        /* Not again, until there is a reason to. */
        follow_all(&follow);
        CHECK(server.asks == 5);
        server.newest[BUNDLE_DIRECTOR] = 3;
        follow_want(&follow, BUNDLE_DIRECTOR);
        follow_all(&follow);
        CHECK(server.asks == 7 && are(3, 3));
        end();
}

TEST(follow, goes_on_with_the_old_one_when_the_next_is_refused_and_asks_again_later)
{
        struct follow follow;
        begin();
        server.newest[BUNDLE_RELEASE] = server.newest[BUNDLE_DIRECTOR] = 2;
        server.is_forged[BUNDLE_RELEASE] = true;
        follow_init(&follow, &world.agent);
        follow_all(&follow);
        CHECK(are(1, 2) && server.asks == 3 && follow_is_behind(&follow) && !follow_is_away(&follow));
        server.is_forged[BUNDLE_RELEASE] = false;
        follow_all(&follow);
        CHECK(are(2, 2) && server.asks == 5 && !follow_is_behind(&follow));
        end();
}

TEST(follow, takes_one_that_fits_the_other_only_once_that_was_followed)
{
        struct follow follow;
        begin();
        server.newest[BUNDLE_RELEASE] = server.newest[BUNDLE_DIRECTOR] = 2;
        server.is_late_pair = true;
        follow_init(&follow, &world.agent);
        follow_all(&follow);
        CHECK(are(1, 2) && follow_is_behind(&follow));
        follow_all(&follow);
        CHECK(are(2, 2) && !follow_is_behind(&follow));
        end();
}

TEST(follow, asks_nothing_more_of_a_server_that_does_not_say)
{
        struct follow follow;
        begin();
        server.newest[BUNDLE_RELEASE] = 2;
        server.status = 503;
        follow_init(&follow, &world.agent);
        follow_all(&follow);
        CHECK(are(1, 1) && server.asks == 1 && follow_is_behind(&follow) && follow_is_away(&follow));
        server.status = 0;
        follow_all(&follow);
        CHECK(are(2, 1) && server.asks == 4 && !follow_is_behind(&follow));
        end();
}

TEST(follow, takes_so_many_in_a_row_and_no_more)
{
        struct follow follow;
        begin();
        server.newest[BUNDLE_RELEASE] = UINT64_MAX;
        server.has_same_keys = true;
        follow_init(&follow, &world.agent);
        follow_all(&follow);
        CHECK(are(LIMIT_ROOTS + 1, 1) && server.asks == LIMIT_ROOTS + 1 && follow_is_behind(&follow) && !follow_is_away(&follow));
        end();
}

TEST(follow, has_a_candidate_judged_again_by_newer_keys_of_content)
{
        struct follow follow;
        begin();
        server.newest[BUNDLE_DIRECTOR] = 2;
        follow_init(&follow, &world.agent);
        const struct offer offer = world_offer(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        world_until(LIFE_UNPACKING);
        follow_all(&follow);
        CHECK(are(1, 2) && world.stream.life == LIFE_UNPACKING);
        server.newest[BUNDLE_RELEASE] = 2;
        follow_want(&follow, BUNDLE_RELEASE);
        follow_all(&follow);
        CHECK(are(2, 2) && world.stream.life == LIFE_IDLE && !world.stream.note);
        world_live();
        CHECK(world_running() == 4 && slots_stream(world.agent.slots, 0)->counters.proven == 1);
        end();
}

TEST(follow, leaves_a_trial_alone_and_what_waits_for_its_next_try_need_not_wait)
{
        struct follow follow;
        begin();
        server.newest[BUNDLE_RELEASE] = 2;
        follow_init(&follow, &world.agent);
        const struct offer offer = world_offer(4, OFFER_GO);
        stream_offer(&world.stream, &offer);
        world_until(LIFE_PROBATION);
        world.stream.retry_at_ms = world.now_ms + 500000;
        follow_all(&follow);
        CHECK(are(2, 1) && world.stream.life == LIFE_PROBATION && !world.stream.retry_at_ms);
        world_until(LIFE_IDLE);
        CHECK(world_running() == 4 && slots_stream(world.agent.slots, 0)->counters.proven == 1);
        end();
}

/* What this device lacks is no fault of the anchor. */
TEST(follow, refuses_none_for_a_lack_of_memory)
{
        struct follow follow;
        begin();
        server.newest[BUNDLE_RELEASE] = 2;
        server.newest[BUNDLE_DIRECTOR] = 2;
        follow_init(&follow, &world.agent);
        CHECK(serve("/v1/tuf/release/2.anchor", &(struct fetch_answer){ 0 }));    /* its own memory */
        SWEEP_MEMORY {
                follow_want(&follow, BUNDLE_RELEASE);
                follow_all(&follow);
                CHECK(follow_is_away(&follow) == follow_is_behind(&follow));
        }
        CHECK(are(2, 2) && !follow_is_behind(&follow));
        end();
}

TEST(follow, refuses_none_for_a_fault_of_the_disk)
{
        begin();
        server.newest[BUNDLE_RELEASE] = server.newest[BUNDLE_DIRECTOR] = 3;
        world_end();
        SWEEP_DISK_FAULT(&world.sim, make_trust, ERR_IO) {
                struct follow follow;
                OWN(anchors) struct anchors *anchors = NULL;
                struct anchors *before = world.anchors;
                if (anchors_open(pinned, &world.sim.disk, &anchors, NULL) == OK) {
                        world.agent.anchors = world.anchors = anchors;
                        world.agent.stream_count = 0;
                        follow_init(&follow, &world.agent);
                        follow_all(&follow);
                        CHECK(follow_is_away(&follow) == follow_is_behind(&follow));
                        sim_disk_power_on(&world.sim);
                        follow_all(&follow);
                        CHECK(are(3, 3) && !follow_is_behind(&follow));
                }
                world.anchors = before;
        }
        end();
}
