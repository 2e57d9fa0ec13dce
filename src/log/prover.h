/* prover.h - Merkle proofs (RFC 6962, 2.1) made from a log's tiles. Each is checked against the head before it is handed out. */
#pragma once

#include "log/tile.h"

/* Reads up to two tiles a level. ERR_CONTENT: the tiles are not those of the head, ERR_NOT_FOUND: the tree has no such entry; ERR_NOMEM;
 * whatever the store's read() says. */
MUST_CHECK enum err prover_inclusion(const struct tile_store *store, const struct tree_head *head, uint64_t index,
                                     struct tree_proof *ret_proof, struct why *why);
/* From the same log when it had `old_size` entries; `older` is its head at that time. ERR_NOT_FOUND: it is smaller than that. */
struct prover_growth { struct tree_head older; struct tree_proof proof; };
MUST_CHECK enum err prover_consistency(const struct tile_store *store, const struct tree_head *head, uint64_t old_size,
                                       struct prover_growth *ret_growth, struct why *why);
