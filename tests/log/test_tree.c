#include "format/hex.h"
#include "log/oracle.h"

/* From tests/interop/log/vectors.py. */
static const struct { unsigned size; const char *root; } known[] = {
        { 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { 1, "773885a613489e24ce2cf76199d6a423f042e4bbf12d7eecee912ef276c65701" },
        { 2, "5a47662fd8a317d96049a3f9f47c55dc67ca66051baa3683dbb19b2fe09a07b0" },
        { 3, "94fbd0dd836f50301692e6d0eade728ee19ec52bfff1606ed807c8575d5aaa19" },
        { 5, "7caa345dbd892a66454d6c6512ea3c3ea3f0d3ec21be3fc2e2375705fd38f672" },
        { 8, "b69732ce5c914162ca9accfaf4e95d3f9874d68805437088aaff184a4db96773" },
        { 255, "cf66793e6329dff242eb3cee0a6f36ad3e3a196dcc573a1ec775e102be863f1c" },
        { 256, "da6596d95369f5fef322ab8e4e0da3b0b50236aa9c8a3b1d246f7411c9e2e32e" },
        { 257, "5c1fdfe835358022f2392de478dbe053fc130cfe1d3a082879a90cf6bf14bf7e" },
        { 600, "e8a804af596789ed4f53942e294cfe44d5bed4c7140c7f0f5fa52c0c122232d6" },
};

TEST(tree, has_the_roots_that_others_compute)
{
        struct tree tree = { 0 };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                struct tree_hash root;
                char hex[65];
                while (tree.size < known[i].size) {
                        struct tree_hash leaf = test_leaf(tree.size);
                        CHECK(tree_add(&tree, &leaf, NULL) == OK);
                }
                tree_root(&tree, &root);
                hex_encode(root.bytes, sizeof(root.bytes), hex);
                CHECK(strcmp(hex, known[i].root) == 0);
        }
}

TEST(tree, has_the_root_of_the_recursion_at_every_size)
{
        struct tree tree = { 0 };
        for (unsigned size = 1; size <= 600; size++) {
                struct tree_hash leaf = test_leaf(size - 1), root, other = oracle_root(0, size);
                CHECK(tree_add(&tree, &leaf, NULL) == OK);
                tree_root(&tree, &root);
                CHECK(tree_hash_equal(&root, &other));
        }
}

TEST(tree, ends_below_its_ceiling)
{
        struct tree tree = { .size = TREE_SIZE_END - 2 };
        struct tree_hash leaf = test_leaf(0);
        CHECK(tree_add(&tree, &leaf, NULL) == OK && tree.size == TREE_SIZE_END - 1);
        CHECK(tree_add(&tree, &leaf, NULL) == ERR_LIMIT && tree.size == TREE_SIZE_END - 1);
}
