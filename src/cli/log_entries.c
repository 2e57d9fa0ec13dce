#include "cli/log_entries.h"

#include "log/prover.h"

#include <inttypes.h>

/* A bundle, and the hashes of its entries in the place of the tile above it: who proves one of them by these proves them all, since
 * each of the others is in a hash beside its way to the root. */
struct bundle {
        const struct tile_store *store;
        struct tile tile;                        /* of level 0 */
        struct tree_hash hashes[TILE_WIDTH];
        struct buf bytes;
};

static void bundle_release(struct bundle *bundle)
{
        buf_done(&bundle->bytes);
}

static enum err read_over(void *context, const struct tile *tile, struct buf *into, struct why *why)
{
        const struct bundle *bundle = context;
        if (tile->level != 0 || tile->index != bundle->tile.index)
                return bundle->store->read(bundle->store->context, tile, into, why);
        buf_add(into, bundle->hashes, bundle->tile.width * sizeof(bundle->hashes[0]));
        return buf_check(into, why);
}

static enum err hash_bundle(struct bundle *bundle, struct why *why)
{
        struct entries left = { (const uint8_t *)buf_text(&bundle->bytes), bundle->bytes.length };
        for (unsigned i = 0; i < bundle->tile.width; i++) {
                struct entry entry;
                if (entries_next(&left, &entry, why))
                        return DURING(why, ERR_CONTENT, "entry %" PRIu64, bundle->tile.index * TILE_WIDTH + i);
                tree_leaf(entry.bytes, entry.length, &bundle->hashes[i]);
        }
        return OK;
}

static enum err read_bundle(struct bundle *bundle, const struct tree_head *head, struct why *why)
{
        struct tile file = { TILE_ENTRIES, bundle->tile.width, bundle->tile.index };
        struct tile_store over = { .context = bundle, .read = read_over };
        struct tree_proof proof;
        char path[TILE_PATH_MAX];
        tile_path(&file, path);
        buf_clear(&bundle->bytes);
        enum err e = bundle->store->read(bundle->store->context, &file, &bundle->bytes, why);
        if (!e)
                e = buf_check(&bundle->bytes, why);
        if (!e)
                e = hash_bundle(bundle, why);
        if (!e)
                e = prover_inclusion(&over, head, bundle->tile.index * TILE_WIDTH, &proof, why);
        return e ? DURING(why, e, "%s", path) : OK;
}

static enum err visit_bundle(const struct bundle *bundle, const struct log_entries *entries, struct why *why)
{
        struct entries left = { (const uint8_t *)buf_text(&bundle->bytes), bundle->bytes.length };
        uint64_t index = bundle->tile.index * TILE_WIDTH, end = index + bundle->tile.width;
        enum err e = OK;
        for (; !e && index < end; index++) {
                struct entry entry;
                e = entries_next(&left, &entry, why);
                if (!e && index >= entries->from)
                        e = entries->visit(entries->user, index, &entry, why);
        }
        return e;
}

enum err log_entries_read(const struct log_entries *entries, struct why *why)
{
        OWN(bundle) struct bundle bundle = { .store = entries->store };
        uint64_t index = entries->from / TILE_WIDTH;
        enum err e = OK;
        buf_init(&bundle.bytes, ENTRIES_BYTES_MAX);
        for (; !e && entries->from < entries->head->size && index * TILE_WIDTH < entries->head->size; index++) {
                bundle.tile = (struct tile){ 0, tile_width(entries->head->size, 0, index), index };
                e = read_bundle(&bundle, entries->head, why);
                if (!e)
                        e = visit_bundle(&bundle, entries, why);
        }
        return e;
}
