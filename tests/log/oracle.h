/* oracle.h - roots and proofs by RFC 6962's own recursion, over entries that are `entry N`: to be held against ours. */
#pragma once

#include "log/entries.h"
#include "log/tree.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static inline struct entry test_entry(uint64_t number, char text[32])
{
        return (struct entry){ (const uint8_t *)text, (size_t)snprintf(text, 32, "entry %llu", (unsigned long long)number) };
}

static inline struct tree_hash test_leaf(uint64_t number)
{
        char text[32];
        struct tree_hash leaf;
        struct entry entry = test_entry(number, text);
        tree_leaf(entry.bytes, entry.length, &leaf);
        return leaf;
}

/* MTH of RFC 6962, 2.1, over leaves `from` to before `to`; whole subtrees are remembered, so that the tests end. */
enum { ORACLE_BITS = 10, ORACLE_LEAVES = 1 << ORACLE_BITS };
static inline struct tree_hash oracle_root(unsigned from, unsigned to)
{
        static struct tree_hash known[ORACLE_BITS + 1][ORACLE_LEAVES];
        static bool is_known[ORACLE_BITS + 1][ORACLE_LEAVES];
        unsigned count = to - from, level = 0, half = 1;
        while (half * 2 < count)
                half *= 2;
        while (1u << level < count)
                level++;
        bool is_whole = 1u << level == count;
        if (is_whole && is_known[level][from])
                return known[level][from];
        struct tree_hash root = count == 1 ? test_leaf(from) : oracle_root(from, from + half);
        if (count > 1) {
                struct tree_hash right = oracle_root(from + half, to);
                tree_node(&root, &right, &root);
        }
        if (is_whole) {
                known[level][from] = root;
                is_known[level][from] = true;
        }
        return root;
}

static inline struct tree_head oracle_head(unsigned size)
{
        struct tree_head head = { .size = size };
        if (size)
                head.root = oracle_root(0, size);
        else
                tree_root(&(struct tree){ 0 }, &head.root);
        return head;
}

/* PATH(m, D[from:to]) of 2.1.1. */
static inline void oracle_path(unsigned m, unsigned from, unsigned to, struct tree_proof *proof)
{
        unsigned half = 1;
        if (to - from <= 1)
                return;
        while (half * 2 < to - from)
                half *= 2;
        bool is_left = m < half;
        oracle_path(is_left ? m : m - half, is_left ? from : from + half, is_left ? from + half : to, proof);
        proof->hashes[proof->count++] = is_left ? oracle_root(from + half, to) : oracle_root(from, from + half);
}

/* SUBPROOF(m, D[from:to], is_old) of 2.1.2. */
static inline void oracle_subproof(unsigned m, unsigned from, unsigned to, bool is_old, struct tree_proof *proof)
{
        unsigned half = 1;
        if (m == to - from) {
                if (!is_old)
                        proof->hashes[proof->count++] = oracle_root(from, to);
                return;
        }
        while (half * 2 < to - from)
                half *= 2;
        bool is_left = m <= half;
        oracle_subproof(is_left ? m : m - half, is_left ? from : from + half, is_left ? from + half : to, is_left && is_old, proof);
        proof->hashes[proof->count++] = is_left ? oracle_root(from + half, to) : oracle_root(from, from + half);
}

static inline bool test_same_proof(const struct tree_proof *a, const struct tree_proof *b)
{
        return a->count == b->count && memcmp(a->hashes, b->hashes, a->count * sizeof(a->hashes[0])) == 0;
}
