/* tree.h - the Merkle tree of a transparency log (RFC 6962, 2.1), of which only the right edge is kept: what it takes to go on.
 *
 * Invariant: peaks[i] is the root of a whole subtree of 2^i entries where bit i of the size is set, the largest on the left. */
#pragma once

#include "base/err.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_hash { uint8_t bytes[32]; };

/* What a checkpoint says of a tree. `size` is in entries, below TREE_SIZE_END. */
struct tree_head {
        uint64_t size;
        struct tree_hash root;
};
#define TREE_SIZE_END (UINT64_C(1) << LIMIT_TREE_BITS)

/* A Merkle proof: hashes from the leaf's side up to the root's. */
struct tree_proof {
        size_t count;
        struct tree_hash hashes[LIMIT_PROOF_HASHES];
};

/* The caller's own storage; all zeros is the empty tree. */
struct tree {
        uint64_t size;
        struct tree_hash peaks[LIMIT_TREE_BITS];
};

void tree_leaf(const void *entry, size_t length, struct tree_hash *ret_hash);
/* ret_hash may be one of the two. */
void tree_node(const struct tree_hash *left, const struct tree_hash *right, struct tree_hash *ret_hash);
bool tree_hash_equal(const struct tree_hash *a, const struct tree_hash *b);
/* The root over a power of two of hashes, 256 at most. */
void tree_whole(const struct tree_hash *hashes, size_t count, struct tree_hash *ret_root);

/* ERR_LIMIT when there are TREE_SIZE_END - 1 already. */
MUST_CHECK enum err tree_add(struct tree *tree, const struct tree_hash *leaf, struct why *why);
/* The root of the empty tree is the SHA-256 of nothing. */
void tree_root(const struct tree *tree, struct tree_hash *ret_root);
