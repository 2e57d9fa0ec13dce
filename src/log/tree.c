#include "log/tree.h"

#include "trust/sha.h"

#include <assert.h>
#include <string.h>

enum { LEAF = 0, NODE = 1, HASHES_MAX = 256 };   /* the first byte keeps an entry from passing for two hashes */

static void hash_two(uint8_t kind, const void *first, size_t first_length, const struct tree_hash *second, struct tree_hash *ret_hash)
{
        struct sha256 sha;
        sha256_init(&sha);
        sha256_update(&sha, &kind, 1);
        sha256_update(&sha, first, first_length);
        if (second)
                sha256_update(&sha, second->bytes, sizeof(second->bytes));
        sha256_final(&sha, ret_hash->bytes);
}

void tree_leaf(const void *entry, size_t length, struct tree_hash *ret_hash)
{
        hash_two(LEAF, entry, length, NULL, ret_hash);
}

void tree_node(const struct tree_hash *left, const struct tree_hash *right, struct tree_hash *ret_hash)
{
        hash_two(NODE, left->bytes, sizeof(left->bytes), right, ret_hash);
}

bool tree_hash_equal(const struct tree_hash *a, const struct tree_hash *b)
{
        return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void tree_whole(const struct tree_hash *hashes, size_t count, struct tree_hash *ret_root)
{
        struct tree_hash row[HASHES_MAX];
        assert(count && count <= HASHES_MAX && (count & (count - 1)) == 0);
        memcpy(row, hashes, count * sizeof(row[0]));
        for (size_t left = count / 2; left; left /= 2)
                for (size_t i = 0; i < left; i++)
                        tree_node(&row[2 * i], &row[2 * i + 1], &row[i]);
        *ret_root = row[0];
}

enum err tree_add(struct tree *tree, const struct tree_hash *leaf, struct why *why)
{
        struct tree_hash peak = *leaf;
        unsigned level = 0;
        if (tree->size + 1 >= TREE_SIZE_END)
                return FAIL(why, ERR_LIMIT, "a log has fewer than 2^%d entries", LIMIT_TREE_BITS);
        for (; tree->size >> level & 1; level++)
                tree_node(&tree->peaks[level], &peak, &peak);
        tree->peaks[level] = peak;
        tree->size++;
        return OK;
}

void tree_root(const struct tree *tree, struct tree_hash *ret_root)
{
        bool is_begun = false;
        if (!tree->size)
                sha256(NULL, 0, ret_root->bytes);
        for (unsigned level = 0; tree->size >> level; level++) {
                if (!(tree->size >> level & 1))
                        continue;
                if (is_begun)
                        tree_node(&tree->peaks[level], ret_root, ret_root);
                else
                        *ret_root = tree->peaks[level];
                is_begun = true;
        }
}
