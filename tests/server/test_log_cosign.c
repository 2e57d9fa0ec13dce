/* 2 of 3 witnesses: a proof is out with the second cosignature, and no sooner; and what is no cosignature of theirs changes nothing. */
#include "server/log_view.h"

#include "support/sweep.h"
#include "support/test.h"
#include "trust/sha.h"

static const char route[] = "/api/v1/log/cosignatures";
enum { THEN = WORLD_START_S };

static void open_watched(struct world *world)
{
        *world = (struct world){ .has_log = true, .witnesses = 3, .witness_threshold = 2 };
        world_open_file(world);
}

static struct logged publish(struct world *world, int64_t counter)
{
        CHECK(world_publish(world, counter) == 201);
        log_tick(world);
        return view_release(world, (uint64_t)counter, world->target);
}

TEST(cosign, gives_the_proof_out_with_the_second_witness)
{
        OWN(world) struct world world = { 0 };
        size_t signatures = 0;
        open_watched(&world);
        const struct logged release = publish(&world, 1);
        CHECK(view_proof(&world, &release, 2) == ERR_NOT_FOUND);
        CHECK(log_cosign(&world, 1, THEN) == 200 && world_int(&world, "size") == 5 && world_int(&world, "witnesses") == 1 && world_int(&world, "threshold") == 2);
        CHECK(world_int(&world, "proofs") == 0 && view_proof(&world, &release, 2) == ERR_NOT_FOUND);
        CHECK(log_cosign(&world, 1, THEN + 5) == 200 && world_int(&world, "witnesses") == 1 && view_proof(&world, &release, 2) == ERR_NOT_FOUND);
        CHECK(view_head(&world, &signatures).size == 5 && signatures == 2);
        CHECK(log_cosign(&world, 3, THEN) == 200 && world_int(&world, "witnesses") == 2 && world_int(&world, "proofs") == 1);
        CHECK(view_proof(&world, &release, 2) == OK && view_proof(&world, &release, 3) == ERR_UNTRUSTED);
        CHECK(view_head(&world, &signatures).size == 5 && signatures == 3);
        CHECK(log_count(&world, "SELECT count(*) FROM audit WHERE what = 'log.cosign'") == 2);
}

/* The first word of each counts: since then the log stood so, and devices count the pace from there. */
TEST(cosign, keeps_since_when_each_witness_says_it)
{
        OWN(world) struct world world = { 0 };
        open_watched(&world);
        (void)publish(&world, 1);
        CHECK(log_cosign(&world, 1, THEN) == 200 && log_cosign(&world, 1, THEN + 5) == 200);
        CHECK(log_count(&world, "SELECT at FROM log_cosignatures") == THEN);
}

/* A witness whose clock is ahead would have a proof that no device takes before its time has come. */
TEST(cosign, passes_over_a_time_that_is_yet_to_come)
{
        OWN(world) struct world world = { 0 };
        open_watched(&world);
        const struct logged release = publish(&world, 1);
        const int64_t ahead = world.now_ms / 1000 + LIMIT_WITNESS_AHEAD_S;
        CHECK(log_cosign(&world, 1, THEN) == 200 && world_int(&world, "witnesses") == 1);
        CHECK(log_cosign(&world, 2, INT64_MAX) == 200 && world_int(&world, "witnesses") == 1);
        CHECK(log_cosign(&world, 2, ahead + 60) == 200 && world_int(&world, "witnesses") == 1 && view_proof(&world, &release, 2) == ERR_NOT_FOUND);
        CHECK(log_cosign(&world, 2, ahead) == 200 && world_int(&world, "witnesses") == 2 && view_proof(&world, &release, 2) == OK);
}

TEST(cosign, is_the_same_again_and_takes_several_at_once)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf note = { 0 };
        open_watched(&world);
        const struct logged release = publish(&world, 1);
        CHECK(view_file(&world, "checkpoint", &note));
        test_cosign(&note, 2, THEN);
        test_cosign(&note, 3, THEN);
        for (int i = 0; i < 3; i++)
                CHECK(world_ask(&world, "POST", route, buf_text(&note)) == 200 && world_int(&world, "witnesses") == 2 && world_int(&world, "proofs") == (i ? 0 : 1));
        CHECK(view_proof(&world, &release, 2) == OK && log_count(&world, "SELECT count(*) FROM audit WHERE what = 'log.cosign'") == 1);
}

/* A proof that was handed out stays byte for byte, also when a third cosigns, or a newer head is cosigned. */
TEST(cosign, leaves_a_proof_that_is_out_as_it_is)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf before = { 0 }, after = { 0 };
        char path[FILES_PATH_MAX];
        open_watched(&world);
        const struct logged first = publish(&world, 1);
        CHECK(log_cosign(&world, 1, THEN) == 200 && log_cosign(&world, 2, THEN) == 200);
        files_proof_path(first.digest, path);
        CHECK(view_file(&world, path, &before));
        CHECK(log_cosign(&world, 3, THEN) == 200 && log_cosign(&world, 1, THEN + 60) == 200);
        const struct logged second = publish(&world, 2);
        CHECK(log_cosign(&world, 1, THEN) == 200 && log_cosign(&world, 3, THEN) == 200 && world_int(&world, "proofs") == 1);
        world_crash(&world);
        log_tick(&world);
        CHECK(view_file(&world, path, &after) && buf_equal(&before, &after) && view_proof(&world, &second, 2) == OK);
}

static int64_t proofs_out(struct world *world) { return log_count(world, "SELECT count(*) FROM log_proofs WHERE is_out"); }

/* So that requests need not wait for all of them. */
TEST(cosign, gives_many_proofs_out_some_at_a_time)
{
        enum { MANY = 2 * LIMIT_LOG_PROOFS + 5 };
        OWN(world) struct world world = { 0 };
        struct logged logged = { .kind = LOGGED_RELEASE, .name = "edr-rules" };
        open_watched(&world);
        for (logged.number = 1; logged.number <= MANY; logged.number++) {
                sha256(&logged.number, sizeof(logged.number), logged.digest);
                CHECK(rows_add(world.store->db, &logged, world.now_ms, NULL) == OK);
        }
        log_tick(&world);
        CHECK(log_cosign(&world, 1, THEN) == 200 && log_cosign(&world, 2, THEN) == 200 && world_int(&world, "proofs") == MANY);
        CHECK(proofs_out(&world) == LIMIT_LOG_PROOFS);
        for (int i = 2; i <= 3; i++) {
                log_tick(&world);
                CHECK(proofs_out(&world) == (i == 3 ? MANY : i * LIMIT_LOG_PROOFS));
        }
        logged.number = MANY;
        CHECK(view_proof(&world, &logged, 2) == OK);
}

TEST(cosign, survives_every_lack_of_memory)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf note = { 0 };
        world = (struct world){ .has_log = true, .witnesses = 3, .witness_threshold = 2 };
        world_open(&world);
        const struct logged release = publish(&world, 1);
        CHECK(view_file(&world, "checkpoint", &note));
        test_cosign(&note, 1, THEN);
        test_cosign(&note, 2, THEN);
        SWEEP_MEMORY {
                int status = world_ask(&world, "POST", route, buf_text(&note));
                CHECK(status == 200 || status == 503);
        }
        log_tick(&world);
        CHECK(log_count(&world, "SELECT count(*) FROM log_cosignatures") == 2 && log_count(&world, "SELECT count(*) FROM audit WHERE what = 'log.cosign'") == 1);
        CHECK(view_proof(&world, &release, 2) == OK);
}

/* The second release's head gets its cosignatures first: then both releases have their proof by it. */
TEST(cosign, of_a_newer_head_covers_what_was_before)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf old = { 0 };
        open_watched(&world);
        const struct logged first = publish(&world, 1);
        CHECK(view_file(&world, "checkpoint", &old));
        const struct logged second = publish(&world, 2);
        CHECK(log_cosign(&world, 1, THEN) == 200 && log_cosign(&world, 2, THEN) == 200 && world_int(&world, "proofs") == 2);
        CHECK(view_proof(&world, &first, 2) == OK && view_proof(&world, &second, 2) == OK);
        test_cosign(&old, 1, THEN);
        test_cosign(&old, 2, THEN);
        CHECK(world_ask(&world, "POST", route, buf_text(&old)) == 200 && world_int(&world, "size") == 5 && world_int(&world, "witnesses") == 2 && world_int(&world, "proofs") == 0);
}

/* A checkpoint that says so, with this log's key or another's. */
static void write_note(const char *origin, const struct tree_head *head, uint8_t key, struct buf *note)
{
        struct secret_key secret = test_key(key);
        buf_init(note, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(origin, head, note);
        CHECK(checkpoint_sign(note, &secret, NULL) == OK);
        test_cosign(note, 1, THEN);
        test_cosign(note, 2, THEN);
}

TEST(cosign, refuses_what_this_log_did_not_sign)
{
        OWN(world) struct world world = { 0 };
        open_watched(&world);
        const struct logged release = publish(&world, 1);
        const struct tree_head head = view_head(&world, NULL);
        struct tree_head fork = head, ahead = head, short_one = head;
        fork.root.bytes[0] ^= 1;
        ahead.size++;
        short_one.size = 1;
        const struct { const char *origin; const struct tree_head *head; uint8_t key; int status; } cases[] = {
                { TEST_ORIGIN, &fork, 8, 409 }, { TEST_ORIGIN, &ahead, 8, 409 }, { TEST_ORIGIN, &short_one, 8, 409 }, { TEST_ORIGIN, &head, 9, 403 }, { "log.example.com/other", &head, 8, 403 },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf note;
                write_note(cases[i].origin, cases[i].head, cases[i].key, &note);
                CHECK(world_ask(&world, "POST", route, buf_text(&note)) == cases[i].status);
        }
        static const char *const nonsense[] = { "", "x", "\n", "log.example.com/fleet\n5\n", "{\"size\":5}" };
        for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
                CHECK(world_ask(&world, "POST", route, nonsense[i]) == (nonsense[i][0] ? 400 : 400));
        CHECK(log_count(&world, "SELECT count(*) FROM log_cosignatures") == 0 && view_proof(&world, &release, 2) == ERR_NOT_FOUND);
}

/* The log's key signs more lines than three only in another's hands. */
TEST(cosign, refuses_a_checkpoint_with_more_in_it)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf note;
        struct secret_key key = test_key(8);
        open_watched(&world);
        (void)publish(&world, 1);
        const struct tree_head head = view_head(&world, NULL);
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(TEST_ORIGIN, &head, &note);
        buf_add_text(&note, "more\n");
        CHECK(checkpoint_sign(&note, &key, NULL) == OK);
        test_cosign(&note, 1, THEN);
        CHECK(world_ask(&world, "POST", route, buf_text(&note)) == 409 && log_count(&world, "SELECT count(*) FROM log_cosignatures") == 0);
}

/* One bad cosignature of a witness that counts, and nothing of the whole is kept. */
TEST(cosign, refuses_a_forged_one_with_all_that_comes_with_it)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf note = { 0 }, old = { 0 };
        open_watched(&world);
        const struct logged release = publish(&world, 1);
        CHECK(view_file(&world, "checkpoint", &old));
        test_cosign(&old, 2, THEN);
        (void)publish(&world, 2);
        CHECK(view_file(&world, "checkpoint", &note));
        test_cosign(&note, 1, THEN);
        const char *line = strstr(buf_text(&old), "\xe2\x80\x94 witness");        /* what was said of an older head */
        CHECK(line);
        buf_add_text(&note, line);
        CHECK(world_ask(&world, "POST", route, buf_text(&note)) == 403 && strstr(world_text(&world, "detail"), "does not fit"));
        CHECK(log_count(&world, "SELECT count(*) FROM log_cosignatures") == 0 && view_proof(&world, &release, 2) == ERR_NOT_FOUND);
}

TEST(cosign, keeps_none_of_others)
{
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf note = { 0 };
        size_t signatures = 0;
        open_watched(&world);
        const struct logged release = publish(&world, 1);
        CHECK(view_file(&world, "checkpoint", &note));
        test_cosign(&note, 4, THEN);
        test_cosign(&note, 5, THEN);
        CHECK(world_ask(&world, "POST", route, buf_text(&note)) == 200 && world_int(&world, "witnesses") == 0);
        CHECK(log_count(&world, "SELECT count(*) FROM log_cosignatures") == 0 && view_proof(&world, &release, 2) == ERR_NOT_FOUND);
        CHECK(view_head(&world, &signatures).size == 5 && signatures == 1);
}

/* The next anchor names other witnesses; `second` must outlive the world. */
struct rotation { struct buf versions[2]; struct store_trust trust; };
static void rotation_release(struct rotation *rotation) { buf_done(&rotation->versions[0]); buf_done(&rotation->versions[1]); }

static void rotate(struct world *world, struct rotation *rotation, size_t threshold)
{
        struct why why = { 0 };
        world->witness_threshold = threshold;
        for (unsigned i = 0; i < 2; i++)
                buf_init(&rotation->versions[i], LIMIT_METADATA_BYTES);
        buf_add(&rotation->versions[0], world->anchor.bytes, world->anchor.length);
        world_anchor(world, 2, &rotation->versions[1]);
        rotation->trust = (struct store_trust){ { &world->release_root, 1 }, { &world->director_root, 1 }, { rotation->versions, 2 }, { &world->director_anchor, 1 }, NULL, NULL };
        world->trust = &rotation->trust;
        CHECK(world_try_open(world, &why) == OK);
        log_tick(world);
}

TEST(policy, that_asks_for_more_has_proofs_made_anew_when_there_is_enough)
{
        OWN(rotation) struct rotation rotation = { 0 };
        OWN(world) struct world world = { 0 };
        open_watched(&world);
        const struct logged release = publish(&world, 1);
        CHECK(log_cosign(&world, 1, THEN) == 200 && log_cosign(&world, 2, THEN) == 200 && view_proof(&world, &release, 2) == OK);
        rotate(&world, &rotation, 3);
        CHECK(view_head(&world, NULL).size == 6);                                /* the anchor itself was logged */
        CHECK(view_proof(&world, &release, 2) == OK && view_proof(&world, &release, 3) == ERR_UNTRUSTED);
        CHECK(world_ask(&world, "GET", "/api/v1/status", NULL) == 200 && json_int(json_get(json_get(world.json, "log"), "unproven"), -1) == 1);
        for (uint8_t number = 1; number <= 3; number++)
                CHECK(log_cosign(&world, number, THEN) == 200 && world_int(&world, "proofs") == (number == 3));
        CHECK(view_proof(&world, &release, 3) == OK);
}

TEST(policy, that_asks_for_less_leaves_proofs_as_they_are_and_makes_the_rest_at_once)
{
        OWN(rotation) struct rotation rotation = { 0 };
        OWN(world) struct world world = { 0 };
        OWN(buf) struct buf before = { 0 }, after = { 0 };
        char path[FILES_PATH_MAX];
        open_watched(&world);
        const struct logged first = publish(&world, 1);
        CHECK(log_cosign(&world, 1, THEN) == 200 && log_cosign(&world, 2, THEN) == 200);
        files_proof_path(first.digest, path);
        CHECK(view_file(&world, path, &before));
        const struct logged second = publish(&world, 2);
        CHECK(log_cosign(&world, 3, THEN) == 200 && view_proof(&world, &second, 1) == ERR_NOT_FOUND);
        rotate(&world, &rotation, 1);
        CHECK(view_proof(&world, &second, 1) == OK);
        CHECK(view_file(&world, path, &after) && buf_equal(&before, &after));
        CHECK(world_ask(&world, "GET", "/api/v1/status", NULL) == 200 && json_int(json_get(json_get(world.json, "log"), "unproven"), -1) == 0);
}
