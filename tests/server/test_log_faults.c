/* The log's folder fails, fills up or loses power at the 1st, 2nd, 3rd ... call; the signer is gone; the server is killed: nobody waits for the
 * log, what was answered is in it in the end, the same as without trouble, and no two heads of one size were ever out. */
#include "server/log_view.h"

#include "evidence/record.h"
#include "support/sweep.h"
#include "support/test.h"

enum { SEEN_MAX = 64, FILLER = 260, THEN = WORLD_START_S };

/* Entries of no meaning, for a log of some length. */
static void log_fill(struct world *world, unsigned count)
{
        CHECK(db_begin(world->store->db, NULL) == OK);
        for (unsigned i = 0; i < count; i++) {
                struct logged logged = { .kind = LOGGED_EVIDENCE, .name = "filler", .number = i + 1 };
                CHECK(rows_add(world->store->db, &logged, world->now_ms, NULL) == OK);
        }
        CHECK(db_commit(world->store->db, NULL) == OK);
}

/* Every head that stood in the file `checkpoint` at some time. */
struct life {
        struct world world;
        struct logged releases[2];
        size_t seen_count;
        struct tree_head seen[SEEN_MAX];
};
static void life_release(struct life *life) { world_close(&life->world); }

/* Looking is none of the calls that fail. */
static void look(struct life *life)
{
        struct sim_disk *disk = &life->world.log_disk;
        const enum err failure = disk->failure;
        if (disk->is_dark)
                return;
        disk->failure = OK;
        struct tree_head head = view_head(&life->world, NULL);
        disk->failure = failure;
        CHECK(life->seen_count < SEEN_MAX);
        if (head.size)
                life->seen[life->seen_count++] = head;
}

static void try_tick(struct life *life)
{
        life->world.now_ms += 1000;
        if (store_log_tick(life->world.store, life->world.now_ms, NULL) != OK)
                look(life);
        look(life);
}

static void publish(struct life *life, int64_t counter)
{
        CHECK(world_publish(&life->world, counter) == 201);
        life->releases[counter - 1] = view_release(&life->world, (uint64_t)counter, life->world.target);
        look(life);
}

/* Whatever checkpoint is out, if any. */
static void try_cosign(struct life *life, uint8_t number)
{
        struct sim_disk *disk = &life->world.log_disk;
        OWN(buf) struct buf note = { 0 };
        const enum err failure = disk->failure;
        if (disk->is_dark)
                return;
        disk->failure = OK;
        const bool is_out = view_file(&life->world, "checkpoint", &note);
        disk->failure = failure;
        if (!is_out)
                return;
        test_cosign(&note, number, THEN);
        CHECK(world_ask(&life->world, "POST", "/api/v1/log/cosignatures", buf_text(&note)) == 200);
        look(life);
}

static void live(struct life *life)
{
        try_tick(life);
        publish(life, 1);
        try_tick(life);
        try_cosign(life, 1);
        try_cosign(life, 2);
        log_fill(&life->world, FILLER);
        try_tick(life);
        publish(life, 2);
        CHECK(world_evidence(&life->world, 2, "S1", RECORD_PASS, false) == 201);
        try_tick(life);
}

static void begin(struct life *life)
{
        life->world = (struct world){ .has_log = true, .witnesses = 3, .witness_threshold = 2 };
}

/* The root at each size, from the entries as they are in the end. */
struct prefix { const struct life *life; struct tree tree; size_t matched; };

static void compare(void *user, uint64_t index, const struct entry *entry)
{
        struct prefix *prefix = user;
        struct tree_hash leaf, root;
        (void)index;
        tree_leaf(entry->bytes, entry->length, &leaf);
        CHECK(tree_add(&prefix->tree, &leaf, NULL) == OK);
        tree_root(&prefix->tree, &root);
        for (size_t i = 0; i < prefix->life->seen_count; i++)
                if (prefix->life->seen[i].size == prefix->tree.size) {
                        CHECK(tree_hash_equal(&root, &prefix->life->seen[i].root));
                        prefix->matched++;
                }
}

static struct tree_hash expected;                /* of a life without trouble */

/* The trouble is over: it goes on by itself. */
static void check_end(struct life *life)
{
        struct world *world = &life->world;
        struct prefix prefix = { .life = life };
        for (int i = 0; i < 2; i++)
                log_tick(world);
        CHECK(log_cosign(world, 1, THEN) == 200 && log_cosign(world, 2, THEN) == 200);
        struct tree_head head = view_head(world, NULL);
        CHECK(head.size == (uint64_t)log_count(world, "SELECT count(*) FROM log_entries") && head.size == 4 + 2 + 1 + FILLER);
        view_entries(world, &head, compare, &prefix);
        CHECK(prefix.matched == life->seen_count && tree_hash_equal(&head.root, &expected));
        CHECK(view_proof(world, &life->releases[0], 2) == OK && view_proof(world, &life->releases[1], 2) == OK);
}

static void learn_expected(void)
{
        OWN(life) struct life life = { 0 };
        begin(&life);
        world_open(&life.world);
        live(&life);
        expected = view_head(&life.world, NULL).root;
        CHECK(life.seen_count >= 6);
        check_end(&life);
}

/* False: the fault did not come. */
static bool fails_at(unsigned n, enum err failure, bool crashes)
{
        OWN(life) struct life life = { 0 };
        begin(&life);
        if (crashes)
                world_open_file(&life.world);
        else
                world_open(&life.world);
        sim_disk_fail_at(&life.world.log_disk, n, failure);
        live(&life);
        const bool has_failed = life.world.log_disk.has_failed;
        sim_disk_power_on(&life.world.log_disk);
        if (crashes)
                world_crash(&life.world);
        check_end(&life);
        return has_failed;
}

TEST(log_folder, that_fails_once_changes_nothing_in_the_end)
{
        learn_expected();
        unsigned n = 0;
        for (; fails_at(n, n % 2 ? ERR_IO : ERR_FULL, false); n++)
                ;
        CHECK(n > 60);
}

TEST(log_folder, that_fails_and_a_server_that_is_killed_change_nothing_in_the_end)
{
        learn_expected();
        for (unsigned n = 0; fails_at(n, n % 2 ? ERR_FULL : ERR_IO, true); n += 7)
                ;
}

/* Full for good: publishing, evidence and cosignatures go on, and the log follows when there is room. */
TEST(log_folder, that_is_full_keeps_nobody_waiting)
{
        learn_expected();
        for (unsigned ticks = 0; ticks < 4; ticks++) {
                OWN(life) struct life life = { 0 };
                begin(&life);
                world_open(&life.world);
                for (unsigned i = 0; i < ticks; i++)
                        try_tick(&life);
                life.world.now_ms = WORLD_START_S * 1000LL;              /* evidence has the time in it */
                life.world.log_disk.free_bytes = 0;
                live(&life);
                life.world.log_disk.free_bytes = 1 << 20;
                check_end(&life);
        }
}

static bool goes_dark_at(unsigned n, unsigned fate)
{
        OWN(life) struct life life = { 0 };
        begin(&life);
        world_open_file(&life.world);
        sim_disk_cut_at(&life.world.log_disk, n, fate);
        live(&life);
        const bool was_cut = life.world.log_disk.was_cut;
        sim_disk_power_on(&life.world.log_disk);
        world_crash(&life.world);
        look(&life);
        check_end(&life);
        return was_cut;
}

TEST(log_folder, that_loses_power_at_any_change_goes_on_from_the_rows)
{
        learn_expected();
        for (unsigned fate = 0; fate < SIM_FATES; fate++)
                for (unsigned n = fate % 4; goes_dark_at(n, fate); n += 4)
                        ;
}

TEST(log_folder, that_was_lost_is_made_anew_from_the_rows)
{
        static const char *const parts[] = { "tile", "tile/0", "tile/entries", "tile/0/000", "tile/1", "checkpoint", "proof", "" };
        learn_expected();
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                OWN(life) struct life life = { 0 };
                begin(&life);
                world_open_file(&life.world);
                live(&life);
                struct sim_disk *disk = &life.world.log_disk;
                if (parts[i][0])
                        CHECK(disk->disk.ops->remove_tree(&disk->disk, parts[i], NULL) == OK);
                else
                        sim_disk_done(disk), sim_disk_init(disk);
                world_crash(&life.world);
                check_end(&life);
        }
}

TEST(log_tick, without_a_signer_waits_for_it)
{
        OWN(life) struct life life = { 0 };
        learn_expected();
        begin(&life);
        world_open(&life.world);
        publish(&life, 1);
        life.world.signer.failure = ERR_UNAVAILABLE;
        for (int i = 0; i < 3; i++)
                CHECK(store_log_tick(life.world.store, life.world.now_ms, NULL) == ERR_UNAVAILABLE);
        CHECK(world_evidence(&life.world, 1, "S1", RECORD_PASS, false) == 201);
        CHECK(!view_head(&life.world, NULL).size && log_count(&life.world, "SELECT count(*) FROM log_heads") == 0);
        life.world.signer.failure = OK;
        log_tick(&life.world);
        struct tree_head head = view_head(&life.world, NULL);
        CHECK(head.size == 6);
        view_entries(&life.world, &head, NULL, NULL);
}

/* A signer with another key than log.vkey says: nothing of it gets out. */
TEST(log_tick, lets_no_signature_out_that_does_not_fit)
{
        OWN(world) struct world world = { .has_log = true };
        struct why why = { 0 };
        world_open(&world);
        world.signer.log_key = 9;
        CHECK(store_log_tick(world.store, world.now_ms, &why) == ERR_UNTRUSTED && strstr(why.text, "log.pem"));
        CHECK(!view_head(&world, NULL).size && log_count(&world, "SELECT count(*) FROM log_heads") == 0);
}

TEST(log_tick, survives_every_lack_of_memory)
{
        OWN(world) struct world world = { .has_log = true };
        world_open(&world);
        CHECK(world_publish(&world, 1) == 201);
        const struct logged release = view_release(&world, 1, world.target);
        SWEEP_MEMORY {                           /* what failed is done again by the next: it ends when all is done */
                enum err e = store_log_tick(world.store, world.now_ms, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        CHECK(view_head(&world, NULL).size == 5 && view_proof(&world, &release, 0) == OK);
}

/* As if an older backup of the database alone had been put back. */
TEST(log_tick, with_an_older_database_signs_nothing)
{
        OWN(life) struct life life = { 0 };
        struct why why = { 0 };
        begin(&life);
        world_open_file(&life.world);
        live(&life);
        struct tree_head before = view_head(&life.world, NULL);
        struct db *db = life.world.store->db;
        static const char *const back[] = { "DROP TRIGGER log_entries_keep", "DROP TRIGGER log_heads_keep", "DELETE FROM log_proofs", "DELETE FROM log_cosignatures",
                                            "DELETE FROM log_heads WHERE size > 4", "DELETE FROM log_entries WHERE entry >= 4" };
        for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++)
                CHECK(db_run(db, back[i], NO_VALUES, NULL) == OK);
        world_crash(&life.world);
        for (int i = 0; i < 2; i++)
                CHECK(store_log_tick(life.world.store, life.world.now_ms, &why) == ERR_CONTENT && strstr(why.text, "older"));
        CHECK(world_publish(&life.world, 3) == 201);
        CHECK(store_log_tick(life.world.store, life.world.now_ms, &why) == ERR_CONTENT);
        struct tree_head after = view_head(&life.world, NULL);
        CHECK(before.size == after.size && tree_hash_equal(&before.root, &after.root) && log_count(&life.world, "SELECT max(size) FROM log_heads") == 4);
}

/* A new name and key: it begins with all that was, and its proofs take the place of the old ones. */
TEST(log_tick, of_another_log_begins_anew_with_the_same_entries)
{
        OWN(world) struct world world = { .has_log = true };
        struct why why = { 0 };
        world_open_file(&world);
        CHECK(world_publish(&world, 1) == 201);
        log_tick(&world);
        const struct logged release = view_release(&world, 1, world.target);
        struct tree_head before = view_head(&world, NULL);
        world.signer.log_key = 9;
        CHECK(world_try_open(&world, &why) == OK);
        log_tick(&world);
        struct tree_head after = view_head(&world, NULL);
        CHECK(after.size == before.size && tree_hash_equal(&after.root, &before.root) && view_proof(&world, &release, 0) == OK);
}
