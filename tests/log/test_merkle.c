#include "log/merkle.h"
#include "log/oracle.h"

enum { SIZE = 600 };

TEST(merkle, holds_for_every_entry_of_every_tree)
{
        for (unsigned size = 1; size <= SIZE; size++) {
                struct tree_head head = oracle_head(size);
                for (unsigned i = 0; i < size; i++) {
                        struct tree_proof proof = { 0 };
                        struct tree_hash leaf = test_leaf(i);
                        oracle_path(i, 0, size, &proof);
                        CHECK(merkle_inclusion(&leaf, i, &head, &proof, NULL) == OK);
                }
        }
}

TEST(merkle, holds_between_every_two_sizes)
{
        for (unsigned size = 0; size <= SIZE; size++) {
                struct tree_head head = oracle_head(size);
                for (unsigned old = 0; old <= size; old++) {
                        struct tree_proof proof = { 0 };
                        struct tree_head older = oracle_head(old);
                        if (old)
                                oracle_subproof(old, 0, size, true, &proof);
                        CHECK(merkle_consistency(&older, &head, &proof, NULL) == OK);
                }
        }
}

/* No other place, no other length, no other bytes. */
TEST(merkle, refuses_an_entry_that_is_elsewhere)
{
        for (unsigned size = 1; size <= 40; size++) {
                struct tree_head head = oracle_head(size);
                for (unsigned i = 0; i < size; i++) {
                        struct tree_proof proof = { 0 };
                        struct tree_hash leaf = test_leaf(i);
                        oracle_path(i, 0, size, &proof);
                        for (unsigned other = 0; other <= size + 2; other++)
                                CHECK(other == i || merkle_inclusion(&leaf, other, &head, &proof, NULL) == ERR_UNTRUSTED);
                        proof.count++;
                        CHECK(merkle_inclusion(&leaf, i, &head, &proof, NULL) == ERR_UNTRUSTED);
                        proof.count--;
                        if (proof.count) {
                                proof.count--;
                                CHECK(merkle_inclusion(&leaf, i, &head, &proof, NULL) == ERR_UNTRUSTED);
                        }
                }
        }
}

TEST(merkle, refuses_an_inclusion_of_which_a_byte_changed)
{
        struct tree_proof proof = { 0 };
        struct tree_hash leaf = test_leaf(389);
        struct tree_head head = oracle_head(SIZE);
        oracle_path(389, 0, SIZE, &proof);
        for (size_t i = 0; i < proof.count * 32; i++) {
                proof.hashes[i / 32].bytes[i % 32] ^= 1;
                CHECK(merkle_inclusion(&leaf, 389, &head, &proof, NULL) == ERR_UNTRUSTED);
                proof.hashes[i / 32].bytes[i % 32] ^= 1;
        }
        for (size_t i = 0; i < 32; i++) {
                leaf.bytes[i] ^= 128;
                CHECK(merkle_inclusion(&leaf, 389, &head, &proof, NULL) == ERR_UNTRUSTED);
                leaf.bytes[i] ^= 128;
                head.root.bytes[i] ^= 1;
                CHECK(merkle_inclusion(&leaf, 389, &head, &proof, NULL) == ERR_UNTRUSTED);
                head.root.bytes[i] ^= 1;
        }
        CHECK(merkle_inclusion(&leaf, 389, &head, &proof, NULL) == OK);
}

TEST(merkle, refuses_growth_from_another_tree)
{
        for (unsigned size = 1; size <= 40; size++) {
                struct tree_head head = oracle_head(size);
                for (unsigned old = 0; old <= size; old++) {
                        struct tree_proof proof = { 0 };
                        struct tree_head older = oracle_head(old), other;
                        if (old)
                                oracle_subproof(old, 0, size, true, &proof);
                        for (unsigned at = 1; at <= size; at++) {
                                other = (struct tree_head){ at, older.root };
                                CHECK(at == old || merkle_consistency(&other, &head, &proof, NULL) == ERR_UNTRUSTED);
                        }
                        proof.count++;
                        CHECK(merkle_consistency(&older, &head, &proof, NULL) == ERR_UNTRUSTED);
                        proof.count--;
                        if (proof.count) {
                                proof.count--;
                                CHECK(merkle_consistency(&older, &head, &proof, NULL) == ERR_UNTRUSTED);
                        }
                }
        }
}

TEST(merkle, refuses_growth_of_which_a_byte_changed)
{
        static const unsigned sizes[] = { 1, 64, 255, 389, 512, 599 };
        struct tree_head head = oracle_head(SIZE);
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                struct tree_proof proof = { 0 };
                struct tree_head older = oracle_head(sizes[s]);
                oracle_subproof(sizes[s], 0, SIZE, true, &proof);
                for (size_t i = 0; i < proof.count * 32; i++) {
                        proof.hashes[i / 32].bytes[i % 32] ^= 1;
                        CHECK(merkle_consistency(&older, &head, &proof, NULL) == ERR_UNTRUSTED);
                        proof.hashes[i / 32].bytes[i % 32] ^= 1;
                }
                for (size_t i = 0; i < 32; i++) {
                        older.root.bytes[i] ^= 1;
                        CHECK(merkle_consistency(&older, &head, &proof, NULL) == ERR_UNTRUSTED);
                        older.root.bytes[i] ^= 1;
                }
        }
}

TEST(merkle, refuses_a_tree_that_shrank_or_forked)
{
        struct tree_proof none = { 0 };
        struct tree_head five = oracle_head(5), four = oracle_head(4), forked = { 5, four.root }, no_root = { 0, four.root };
        CHECK(merkle_consistency(&five, &five, &none, NULL) == OK && merkle_consistency(&five, &forked, &none, NULL) == ERR_UNTRUSTED);
        CHECK(merkle_consistency(&five, &four, &none, NULL) == ERR_UNTRUSTED);
        CHECK(merkle_consistency(&no_root, &five, &none, NULL) == ERR_UNTRUSTED && merkle_consistency(&no_root, &no_root, &none, NULL) == ERR_UNTRUSTED);
}
