#include "log/prover.h"

#include "base/mem.h"
#include "base/own.h"
#include "log/merkle.h"

#include <inttypes.h>
#include <string.h>

/* The tile of each level that was read last: a proof stays near one place. */
struct prover {
        const struct tile_store *store;
        uint64_t size;
        struct tile kept[TILE_LEVELS];           /* width 0: none yet */
        struct tree_hash hashes[TILE_LEVELS][TILE_WIDTH];
};

static void prover_free(struct prover *prover)
{
        mem_free(prover);
}
OWN_DEFINE(prover, struct prover *, prover_free)

/* Entries `from` up to before `to`. */
struct range { uint64_t from, to; };

static enum err prover_new(const struct tile_store *store, uint64_t size, struct prover **ret_prover, struct why *why)
{
        struct prover *prover = mem_new(1, sizeof(*prover));
        if (!prover)
                return FAIL(why, ERR_NOMEM, "no memory for a log's tiles");
        prover->store = store;
        prover->size = size;
        *ret_prover = prover;
        return OK;
}

static enum err keep(struct prover *prover, int level, uint64_t index, struct why *why)
{
        struct tile *kept = &prover->kept[level];
        if (kept->width && kept->index == index)
                return OK;
        *kept = (struct tile){ .level = level };
        struct tile tile = { level, tile_width(prover->size, level, index), index };
        enum err e = tile_read(prover->store, &tile, prover->hashes[level], why);
        if (!e)
                *kept = tile;
        return e;
}

/* The root over the 2^bits entries from number at * 2^bits on, all of which the tree has. */
static enum err whole_root(struct prover *prover, unsigned bits, uint64_t at, struct tree_hash *ret_root, struct why *why)
{
        int level = (int)(bits / TILE_BITS);
        size_t count = (size_t)1 << bits % TILE_BITS;
        uint64_t first = at * count;
        enum err e = keep(prover, level, first / TILE_WIDTH, why);
        if (!e)
                tree_whole(&prover->hashes[level][first % TILE_WIDTH], count, ret_root);
        return e;
}

/* A range that RFC 6962 hashes as one: it begins where a subtree of its size would. Whole subtrees, joined from the right. */
static enum err range_root(struct prover *prover, struct range range, struct tree_hash *ret_root, struct why *why)
{
        uint64_t count = range.to - range.from, end = range.to;
        bool is_begun = false;
        for (unsigned bit = 0; count >> bit; bit++) {
                struct tree_hash part;
                if (!(count >> bit & 1))
                        continue;
                end -= UINT64_C(1) << bit;
                enum err e = whole_root(prover, bit, end >> bit, &part, why);
                if (e)
                        return e;
                if (is_begun)
                        tree_node(&part, ret_root, ret_root);
                else
                        *ret_root = part;
                is_begun = true;
        }
        return OK;
}

/* Where RFC 6962 cuts a range: the largest power of two that is less than its length. */
static uint64_t middle(struct range range)
{
        uint64_t half = 1;
        while (half * 2 < range.to - range.from)
                half *= 2;
        return range.from + half;
}

/* Add what is beside the way down, and take one step of it. */
static enum err step_down(struct prover *prover, struct range *range, bool to_left, struct tree_proof *proof, struct why *why)
{
        uint64_t cut = middle(*range);
        struct range beside = to_left ? (struct range){ cut, range->to } : (struct range){ range->from, cut };
        *range = to_left ? (struct range){ range->from, cut } : (struct range){ cut, range->to };
        return range_root(prover, beside, &proof->hashes[proof->count++], why);
}

/* The way was from the root to the leaf, and a proof goes up. */
static void turn_round(struct tree_proof *proof)
{
        for (size_t i = 0; i < proof->count / 2; i++) {
                struct tree_hash hash = proof->hashes[i];
                proof->hashes[i] = proof->hashes[proof->count - 1 - i];
                proof->hashes[proof->count - 1 - i] = hash;
        }
}

static enum err not_the_head(enum err e, struct why *why)
{
        return e == ERR_UNTRUSTED ? DURING(why, ERR_CONTENT, "the tiles are not those of the checkpoint") : e;
}

enum err prover_inclusion(const struct tile_store *store, const struct tree_head *head, uint64_t index,
                          struct tree_proof *ret_proof, struct why *why)
{
        OWN(prover) struct prover *prover = NULL;
        struct tree_hash leaf;
        struct range range = { 0, head->size };
        if (index >= head->size || head->size >= TREE_SIZE_END)
                return FAIL(why, ERR_NOT_FOUND, "the log has %" PRIu64 " entries, and none of number %" PRIu64, head->size, index);
        enum err e = prover_new(store, head->size, &prover, why);
        if (e)
                return e;
        ret_proof->count = 0;
        while (range.to - range.from > 1 && !e)
                e = step_down(prover, &range, index < middle(range), ret_proof, why);
        if (!e)
                e = whole_root(prover, 0, index, &leaf, why);
        turn_round(ret_proof);
        return e ? e : not_the_head(merkle_inclusion(&leaf, index, head, ret_proof, why), why);
}

static enum err prove_growth(struct prover *prover, uint64_t old_size, struct prover_growth *growth, struct why *why)
{
        struct range range = { 0, prover->size };
        bool is_old_root = true;         /* what we stand on: the older tree itself, which the verifier knows */
        enum err e = range_root(prover, (struct range){ 0, old_size }, &growth->older.root, why);
        while (range.to != old_size && !e) {
                bool to_left = old_size <= middle(range);
                is_old_root = is_old_root && to_left;
                e = step_down(prover, &range, to_left, &growth->proof, why);
        }
        if (!is_old_root && !e)
                e = range_root(prover, range, &growth->proof.hashes[growth->proof.count++], why);
        turn_round(&growth->proof);
        return e;
}

enum err prover_consistency(const struct tile_store *store, const struct tree_head *head, uint64_t old_size,
                            struct prover_growth *ret_growth, struct why *why)
{
        OWN(prover) struct prover *prover = NULL;
        ret_growth->older.size = old_size;
        ret_growth->proof.count = 0;
        if (old_size > head->size || head->size >= TREE_SIZE_END)
                return FAIL(why, ERR_NOT_FOUND, "the log has %" PRIu64 " entries, and never had %" PRIu64, head->size, old_size);
        enum err e = prover_new(store, head->size, &prover, why);
        if (e)
                return e;
        if (old_size)
                e = prove_growth(prover, old_size, ret_growth, why);
        else
                tree_root(&(struct tree){ 0 }, &ret_growth->older.root);
        return e ? e : not_the_head(merkle_consistency(&ret_growth->older, head, &ret_growth->proof, why), why);
}
