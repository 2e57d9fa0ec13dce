/* log_view.h - the server's log as others see it: by its files alone, and judged from outside. */
#pragma once

#include "log/entries.h"
#include "log/entry_proof.h"
#include "log/logged.h"
#include "log/signed.h"
#include "server/log/files.h"
#include "server/log/rows.h"
#include "server/store/inside.h"
#include "server/world.h"

static inline bool view_file(struct world *world, const char *path, struct buf *into)
{
        buf_init(into, 1 << 20);
        enum err e = world->log_disk.disk.ops->read(&world->log_disk.disk, path, into, NULL);
        CHECK(e == OK || e == ERR_NOT_FOUND);
        return e == OK;
}

/* The checkpoint that is out, whose signature is checked. Size 0: none. */
static inline struct tree_head view_head(struct world *world, size_t *ret_signatures)
{
        OWN(buf) struct buf note;
        struct checkpoint checkpoint = { .head = { .size = 0 } };
        if (view_file(world, "checkpoint", &note)) {
                CHECK(checkpoint_parse(buf_text(&note), note.length, &checkpoint, NULL) == OK);
                CHECK(checkpoint_verify(&checkpoint, &world->log, NULL) == OK);
        }
        if (ret_signatures)
                *ret_signatures = checkpoint.signature_count;
        return checkpoint.head;
}

/* A tile as whoever fetches it knows it must be: of the width that the tree has, or full by now. */
static inline void view_tile(struct world *world, uint64_t size, int level, uint64_t index, struct buf *into)
{
        char path[TILE_PATH_MAX];
        tile_path(&(struct tile){ level, tile_width(size, level, index), index }, path);
        if (!view_file(world, path, into))
                printf("# %s is missing\n", path);
        CHECK(into->length);
}

/* What is in the log, entry by entry, and that the tree over it is that of the checkpoint, tile by tile. */
typedef void view_visit(void *user, uint64_t index, const struct entry *entry);
static inline void view_entries(struct world *world, const struct tree_head *head, view_visit *visit, void *user)
{
        struct tree tree = { 0 };
        struct tree_hash root, leaf;
        for (uint64_t bundle = 0; bundle * TILE_WIDTH < head->size; bundle++) {
                OWN(buf) struct buf bytes = { 0 }, hashes = { 0 };
                view_tile(world, head->size, TILE_ENTRIES, bundle, &bytes);
                view_tile(world, head->size, 0, bundle, &hashes);
                struct entries entries = { (const uint8_t *)bytes.bytes, bytes.length };
                unsigned width = tile_width(head->size, 0, bundle);
                CHECK(hashes.length == width * sizeof(leaf));
                for (unsigned i = 0; i < width; i++) {
                        struct entry entry;
                        CHECK(entries_next(&entries, &entry, NULL) == OK);
                        tree_leaf(entry.bytes, entry.length, &leaf);
                        CHECK(memcmp(hashes.bytes + i * sizeof(leaf), leaf.bytes, sizeof(leaf)) == 0);
                        CHECK(tree_add(&tree, &leaf, NULL) == OK);
                        if (visit)
                                visit(user, bundle * TILE_WIDTH + i, &entry);
                }
                CHECK(entries.left == 0);
        }
        tree_root(&tree, &root);
        CHECK(tree_hash_equal(&root, &head->root));
}

struct view_find { struct logged wanted; int64_t found; };
static inline void view_match(void *user, uint64_t index, const struct entry *entry)
{
        struct view_find *find = user;
        struct logged logged;
        CHECK(logged_parse(entry->bytes, entry->length, &logged, NULL) == OK);
        if (logged.kind != find->wanted.kind || strcmp(logged.name, find->wanted.name) != 0 || logged.number != find->wanted.number ||
            memcmp(logged.digest, find->wanted.digest, sizeof(logged.digest)) != 0)
                return;
        CHECK(find->found < 0);                  /* nothing stands there twice */
        find->found = (int64_t)index;
}

/* Its index; -1: it is not in the log. */
static inline int64_t view_find(struct world *world, const struct logged *wanted)
{
        struct view_find find = { *wanted, -1 };
        struct tree_head head = view_head(world, NULL);
        view_entries(world, &head, view_match, &find);
        return find.found;
}

static inline struct logged view_release(const struct world *world, uint64_t counter, const uint8_t target[32])
{
        struct logged logged = { .kind = LOGGED_RELEASE, .number = counter };
        snprintf(logged.name, sizeof(logged.name), "%s", world->stream);
        memcpy(logged.digest, target, sizeof(logged.digest));
        return logged;
}

/* As a device would judge it, with `threshold` of the world's first three witnesses; 0: by the log's own word. ERR_NOT_FOUND: there is none. */
static inline enum err view_proof(struct world *world, const struct logged *release, size_t threshold)
{
        OWN(buf) struct buf proof = { 0 }, text = { 0 };
        char path[FILES_PATH_MAX];
        struct entry_proof parsed;
        int64_t seen;
        const struct verifier keys[] = { test_witness(1), test_witness(2), test_witness(3) };
        const struct witnesses witnesses = { keys, 3, threshold, 0, INT64_MAX };
        const struct entry_policy policy = { &world->log, threshold ? &witnesses : NULL };
        files_proof_path(release->digest, path);
        if (!view_file(world, path, &proof))
                return ERR_NOT_FOUND;
        buf_init(&text, LOGGED_BYTES_MAX);
        logged_write(release, &text);
        CHECK(entry_proof_parse(buf_text(&proof), proof.length, &parsed, NULL) == OK);
        return entry_proof_verify(&parsed, &(struct entry_claim){ buf_text(&text), text.length }, &policy, &seen, NULL);
}

static inline void log_tick(struct world *world)
{
        struct why why = { 0 };
        world->now_ms += 1000;
        enum err e = store_log_tick(world->store, world->now_ms, &why);
        if (e)
                printf("# store_log_tick: %s\n", why.text);
        CHECK(e == OK);
}

/* The checkpoint that is out, cosigned by witness `number`, brought to the server: the status. */
static inline int log_cosign(struct world *world, uint8_t number, int64_t time)
{
        OWN(buf) struct buf note = { 0 };
        CHECK(view_file(world, "checkpoint", &note));
        test_cosign(&note, number, time);
        return world_ask(world, "POST", "/api/v1/log/cosignatures", buf_text(&note));
}

static inline int64_t log_count(struct world *world, const char *sql)
{
        int64_t number = -1;
        CHECK(db_number(world->store->db, sql, NO_VALUES, 0, &number, NULL) == OK);
        return number;
}
