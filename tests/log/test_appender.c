#include "log/logs.h"
#include "support/sweep.h"

static bool has(struct memory *memory, const char *path)
{
        return memory_find(memory, path);
}

TEST(appender, has_the_root_of_the_recursion_whenever_it_is_published)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tree_head head = { 0 };
        for (unsigned size = 1; size <= 600; size++) {
                struct tree_hash root = oracle_root(0, size);
                test_grow(memory, &head, size);
                CHECK(tree_hash_equal(&head.root, &root));
        }
}

/* The standard's example, and what a log of that size consists of. */
TEST(appender, writes_the_files_of_a_log_of_70000)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tree_head head = { 0 };
        test_grow(memory, &head, 70000);
        CHECK(has(memory, "tile/0/272") && has(memory, "tile/0/273.p/112") && has(memory, "tile/entries/272") && has(memory, "tile/entries/273.p/112"));
        CHECK(has(memory, "tile/1/000") && has(memory, "tile/1/001.p/17") && has(memory, "tile/2/000.p/1"));
        CHECK(memory->count == 2 * 274 + 3 && memory->writes == memory->count);
}

TEST(appender, writes_what_changed_and_reads_the_right_edge)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tree_head head = { 0 };
        test_grow(memory, &head, 66000);
        memory->reads = memory->writes = 0;
        test_grow(memory, &head, 66001);
        CHECK(memory->reads == 4 && memory->writes == 2);    /* tiles of three levels and a bundle; one tile and the bundle */
        memory->reads = memory->writes = 0;
        test_grow(memory, &head, 66001);
        CHECK(memory->writes == 0);
}

/* Files of an attempt that was never signed are there, of other entries; the log goes on from what was. */
TEST(appender, goes_on_from_the_last_checkpoint_after_a_crash)
{
        for (unsigned size = 0; size < 600; size += 37) {
                OWN(memory_store) struct memory *memory = memory_new();
                OWN(appender) struct appender *lost = NULL;
                struct tile_store store = memory_store(memory);
                struct tree_head head = { 0 }, never;
                test_grow(memory, &head, size);
                CHECK(appender_open(&store, &head, &lost, NULL) == OK);
                for (int i = 0; i < 300; i++)
                        CHECK(appender_add(lost, &(struct entry){ (const uint8_t *)"lost", 4 }, NULL) == OK);
                CHECK(appender_publish(lost, &never, NULL) == OK);
                test_grow(memory, &head, size + 300);
                struct tree_hash root = oracle_root(0, size + 300);
                CHECK(tree_hash_equal(&head.root, &root));
        }
}

TEST(appender, takes_a_wider_file_when_the_partial_one_is_gone)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tree_head at_five = { 0 }, head = { 0 };
        test_grow(memory, &at_five, 5);
        test_grow(memory, &head, 7);
        static const char *const kinds[] = { "0", "entries" };
        for (int i = 0; i < 2; i++) {
                char old[TILE_PATH_MAX], wide[TILE_PATH_MAX];
                snprintf(old, sizeof(old), "tile/%s/000.p/5", kinds[i]);
                snprintf(wide, sizeof(wide), "tile/%s/000.p/7", kinds[i]);
                memcpy(memory_find(memory, old)->path, "gone", 5);
                memcpy(memory_find(memory, wide)->path, old, sizeof(old));
        }
        test_grow(memory, &at_five, 7);
        CHECK(tree_hash_equal(&at_five.root, &head.root));
}

TEST(appender, does_not_open_at_files_of_another_log)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_head head = { 0 };
        test_grow(memory, &head, 300);
        for (size_t f = 0; f < memory->count; f++) {
                OWN(appender) struct appender *appender = NULL;
                struct memory_file *file = &memory->files[f];
                if (!strstr(file->path, ".p/"))
                        continue;                                /* full ones are not read again */
                for (size_t i = 0; i < file->bytes.length; i++) {
                        file->bytes.bytes[i] ^= 1;
                        CHECK(appender_open(&store, &head, &appender, NULL) == ERR_CONTENT);
                        file->bytes.bytes[i] ^= 1;
                }
                file->bytes.length--;
                CHECK(appender_open(&store, &head, &appender, NULL) == ERR_CONTENT);
                file->bytes.length++;
        }
        head.root.bytes[0] ^= 1;
        OWN(appender) struct appender *appender = NULL;
        CHECK(appender_open(&store, &head, &appender, NULL) == ERR_CONTENT);
        CHECK(appender_open(&store, &(struct tree_head){ .size = TREE_SIZE_END }, &appender, NULL) == ERR_LIMIT);
}

TEST(appender, says_when_a_file_cannot_be_written)
{
        OWN(memory_store) struct memory *memory = memory_new();
        OWN(appender) struct appender *appender = NULL;
        struct tile_store store = memory_store(memory);
        struct tree_head head = { 0 };
        CHECK(appender_open(&store, &head, &appender, NULL) == OK);
        CHECK(appender_add(appender, &(struct entry){ (const uint8_t *)"a", 1 }, NULL) == OK);
        memory->is_full = true;
        CHECK(appender_publish(appender, &head, NULL) == ERR_FULL && !head.size);
        for (int i = 1; i < 255; i++)
                CHECK(appender_add(appender, &(struct entry){ (const uint8_t *)"a", 1 }, NULL) == OK);
        CHECK(appender_add(appender, &(struct entry){ (const uint8_t *)"a", 1 }, NULL) == ERR_FULL);
}

TEST(appender, survives_running_out_of_memory)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_head before = { 0 };
        test_grow(memory, &before, 255);
        SWEEP_MEMORY {
                OWN(appender) struct appender *appender = NULL;
                struct tree_head head = { 0 };
                char text[32];
                enum err e = appender_open(&store, &before, &appender, NULL);
                for (unsigned i = 255; i < 260 && !e; i++) {
                        struct entry entry = test_entry(i, text);
                        e = appender_add(appender, &entry, NULL);
                }
                if (!e)
                        e = appender_publish(appender, &head, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !head.size));
                struct tree_hash root = oracle_root(0, 260);
                CHECK(e || tree_hash_equal(&head.root, &root));
        }
}
