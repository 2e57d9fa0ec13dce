#include "log/appender.h"

#include "base/mem.h"

#include <string.h>

/* The last tile of a level, partial or empty. */
struct edge {
        unsigned width, written;         /* hashes in it, and how many of them are in a file */
        struct tree_hash hashes[TILE_WIDTH];
};

struct appender {
        const struct tile_store *store;
        struct tree tree;
        struct edge edges[TILE_LEVELS];
        struct buf bundle;               /* as wide as the edge of level 0 */
};

/* The last tile of that level that a tree of this size has; width 0 when all are full. */
static struct tile last_tile(uint64_t size, int level)
{
        uint64_t count = size >> (level > 0 ? TILE_BITS * level : 0);
        return (struct tile){ level, (unsigned)(count % TILE_WIDTH), count / TILE_WIDTH };
}

/* A subtree of 2^i entries for each bit of the width, the largest first. */
static void peaks_of(const struct edge *edge, struct tree_hash *peaks)
{
        for (unsigned bit = 0; bit < TILE_BITS; bit++)
                if (edge->width >> bit & 1)
                        tree_whole(edge->hashes + (edge->width >> (bit + 1) << (bit + 1)), (size_t)1 << bit, &peaks[bit]);
}

static enum err read_edges(struct appender *appender, struct why *why)
{
        for (int level = 0; level < TILE_LEVELS; level++) {
                struct edge *edge = &appender->edges[level];
                struct tile tile = last_tile(appender->tree.size, level);
                edge->width = edge->written = tile.width;
                enum err e = edge->width ? tile_read(appender->store, &tile, edge->hashes, why) : OK;
                if (e)
                        return e;
                peaks_of(edge, appender->tree.peaks + TILE_BITS * level);
        }
        return OK;
}

static enum err read_bundle(struct appender *appender, struct why *why)
{
        struct tile tile = last_tile(appender->tree.size, TILE_ENTRIES);
        struct entry entry;
        struct tree_hash leaf;
        enum err e = tile.width ? appender->store->read(appender->store->context, &tile, &appender->bundle, why) : OK;
        if (!e)
                e = buf_check(&appender->bundle, why);
        struct entries entries = { (const uint8_t *)buf_text(&appender->bundle), appender->bundle.length };
        for (unsigned i = 0; i < tile.width && !e; i++) {
                e = entries_next(&entries, &entry, why);
                if (e)
                        break;
                tree_leaf(entry.bytes, entry.length, &leaf);
                if (!tree_hash_equal(&leaf, &appender->edges[0].hashes[i]))
                        return FAIL(why, ERR_CONTENT, "entry %u of the last bundle is not the one in the tree", i);
        }
        if (!e)
                appender->bundle.length -= entries.left;     /* of a wider bundle that stands in for this one */
        return e == ERR_SYNTAX ? DURING(why, ERR_CONTENT, "the last bundle") : e;
}

enum err appender_open(const struct tile_store *store, const struct tree_head *head, struct appender **ret_appender, struct why *why)
{
        OWN(appender) struct appender *appender = mem_new(1, sizeof(*appender));
        struct tree_hash root;
        if (!appender)
                return FAIL(why, ERR_NOMEM, "no memory for a log's right edge");
        if (head->size >= TREE_SIZE_END)
                return FAIL(why, ERR_LIMIT, "a log has fewer than 2^%d entries", LIMIT_TREE_BITS);
        appender->store = store;
        appender->tree.size = head->size;
        buf_init(&appender->bundle, ENTRIES_BYTES_MAX);
        enum err e = read_edges(appender, why);
        if (e)
                return e;
        tree_root(&appender->tree, &root);
        if (head->size && !tree_hash_equal(&root, &head->root))
                return FAIL(why, ERR_CONTENT, "the tiles are not those of the checkpoint: they have another root");
        e = read_bundle(appender, why);
        if (e)
                return e;
        *ret_appender = GIVE(appender);
        return OK;
}

void appender_close(struct appender *appender)
{
        if (!appender)
                return;
        buf_done(&appender->bundle);
        mem_free(appender);
}

static enum err write_file(const struct appender *appender, const struct tile *tile, struct why *why)
{
        char path[TILE_PATH_MAX];
        const void *bytes = tile->level == TILE_ENTRIES ? (const void *)buf_text(&appender->bundle) : appender->edges[tile->level].hashes;
        size_t length = tile->level == TILE_ENTRIES ? appender->bundle.length : tile->width * sizeof(struct tree_hash);
        enum err e = appender->store->write(appender->store->context, tile, bytes, length, why);
        tile_path(tile, path);
        return e ? DURING(why, e, "writing %s", path) : OK;
}

/* The edge of that level as a file, and with level 0 the bundle beside it. */
static enum err write_edge(struct appender *appender, int level, uint64_t index, struct why *why)
{
        struct edge *edge = &appender->edges[level];
        enum err e = OK;
        if (level == 0)
                e = write_file(appender, &(struct tile){ TILE_ENTRIES, edge->width, index }, why);
        if (!e)
                e = write_file(appender, &(struct tile){ level, edge->width, index }, why);
        if (!e)
                edge->written = edge->width;
        return e;
}

/* Full tiles are written, and what they hash to goes one level up. */
static enum err write_full(struct appender *appender, struct why *why)
{
        for (int level = 0; level < TILE_LEVELS && appender->edges[level].width == TILE_WIDTH; level++) {
                struct edge *edge = &appender->edges[level];
                enum err e = write_edge(appender, level, last_tile(appender->tree.size, level).index - 1, why);
                if (e)
                        return e;
                if (level + 1 < TILE_LEVELS) {
                        struct edge *above = &appender->edges[level + 1];
                        tree_whole(edge->hashes, TILE_WIDTH, &above->hashes[above->width++]);
                }
                edge->width = edge->written = 0;
                if (level == 0)
                        buf_clear(&appender->bundle);
        }
        return OK;
}

enum err appender_add(struct appender *appender, const struct entry *entry, struct why *why)
{
        struct edge *edge = &appender->edges[0];
        enum err e = entries_add(&appender->bundle, entry, why);
        if (e)
                return e;
        tree_leaf(entry->bytes, entry->length, &edge->hashes[edge->width]);
        e = tree_add(&appender->tree, &edge->hashes[edge->width], why);
        if (e)
                return e;
        edge->width++;
        return write_full(appender, why);
}

void appender_head(const struct appender *appender, struct tree_head *ret_head)
{
        ret_head->size = appender->tree.size;
        tree_root(&appender->tree, &ret_head->root);
}

enum err appender_publish(struct appender *appender, struct tree_head *ret_head, struct why *why)
{
        for (int level = 0; level < TILE_LEVELS; level++) {
                struct edge *edge = &appender->edges[level];
                if (edge->width == edge->written)
                        continue;
                enum err e = write_edge(appender, level, last_tile(appender->tree.size, level).index, why);
                if (e)
                        return e;
        }
        appender_head(appender, ret_head);
        return OK;
}
