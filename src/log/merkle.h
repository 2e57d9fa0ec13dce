/* merkle.h - does a Merkle proof hold (RFC 6962, 2.1; the way of checking is RFC 9162's)? A proof has one right length: no other is taken.
 *
 * Where proofs come from: prover.h. */
#pragma once

#include "log/tree.h"

/* The entry with this leaf is the one at `index` (from 0) of the tree. ERR_UNTRUSTED. */
MUST_CHECK enum err merkle_inclusion(const struct tree_hash *leaf, uint64_t index, const struct tree_head *head,
                                     const struct tree_proof *proof, struct why *why);
/* The newer tree begins with all of the older. From an empty tree, and between equal ones, the proof is empty. ERR_UNTRUSTED. */
MUST_CHECK enum err merkle_consistency(const struct tree_head *older, const struct tree_head *newer,
                                      const struct tree_proof *proof, struct why *why);
