#include "log/logs.h"
#include "log/prover.h"
#include "support/sweep.h"

static bool is_tried(unsigned size)
{
        return size <= 40 || (size >= 254 && size <= 259) || (size >= 510 && size <= 514) || size == 600;
}

TEST(prover, makes_the_proofs_of_the_recursion)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_head head = { 0 };
        for (unsigned size = 1; size <= 600; size++) {
                if (!is_tried(size))
                        continue;
                test_grow(memory, &head, size);
                for (unsigned i = 0; i <= size; i++) {
                        struct tree_proof proof, path = { 0 }, subproof = { 0 };
                        struct prover_growth growth;
                        struct tree_head older = oracle_head(i);
                        if (i < size) {
                                oracle_path(i, 0, size, &path);
                                CHECK(prover_inclusion(&store, &head, i, &proof, NULL) == OK && test_same_proof(&proof, &path));
                        }
                        if (i)
                                oracle_subproof(i, 0, size, true, &subproof);
                        CHECK(prover_consistency(&store, &head, i, &growth, NULL) == OK && test_same_proof(&growth.proof, &subproof));
                        CHECK(growth.older.size == i && tree_hash_equal(&growth.older.root, &older.root));
                }
        }
}

TEST(prover, knows_no_entry_and_no_size_beyond_the_head)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_head head = { 0 };
        struct tree_proof proof;
        struct prover_growth growth;
        CHECK(prover_inclusion(&store, &head, 0, &proof, NULL) == ERR_NOT_FOUND);
        test_grow(memory, &head, 5);
        CHECK(prover_inclusion(&store, &head, 5, &proof, NULL) == ERR_NOT_FOUND && prover_consistency(&store, &head, 6, &growth, NULL) == ERR_NOT_FOUND);
}

TEST(prover, hands_out_no_proof_from_files_that_changed)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_head head = { 0 };
        struct tree_proof proof;
        struct prover_growth growth;
        test_grow(memory, &head, 300);
        struct buf *bytes = &memory_find(memory, "tile/0/001.p/44")->bytes;
        for (size_t i = 0; i < bytes->length; i++) {
                bytes->bytes[i] ^= 1;
                CHECK(prover_inclusion(&store, &head, 270, &proof, NULL) == ERR_CONTENT);
                CHECK(prover_consistency(&store, &head, 270, &growth, NULL) == ERR_CONTENT);
                bytes->bytes[i] ^= 1;
        }
        bytes->length -= 32;
        CHECK(prover_inclusion(&store, &head, 270, &proof, NULL) == ERR_CONTENT);
        bytes->length += 32;
        memcpy(memory_find(memory, "tile/0/000")->path, "gone", 5);
        CHECK(prover_inclusion(&store, &head, 1, &proof, NULL) == ERR_NOT_FOUND);
}

TEST(prover, survives_running_out_of_memory)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_head head = { 0 };
        test_grow(memory, &head, 300);
        SWEEP_MEMORY {
                struct tree_proof proof;
                struct prover_growth growth;
                enum err e = prover_inclusion(&store, &head, 290, &proof, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                e = prover_consistency(&store, &head, 290, &growth, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
