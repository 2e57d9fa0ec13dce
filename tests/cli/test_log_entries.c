#include "cli/log_entries.h"

#include "log/logs.h"
#include "support/sweep.h"

struct seen { uint64_t from, next; };

static enum err see(void *user, uint64_t index, const struct entry *entry, struct why *why)
{
        struct seen *seen = user;
        char text[32];
        struct entry wanted = test_entry(index, text);
        CHECK(index == seen->next && entry->length == wanted.length && memcmp(entry->bytes, wanted.bytes, wanted.length) == 0);
        seen->next++;
        return index == 6666 ? FAIL(why, ERR_FULL, "enough") : OK;
}

static enum err look(const struct tile_store *store, const struct tree_head *head, struct seen *seen)
{
        seen->next = seen->from;
        return log_entries_read(&(struct log_entries){ .store = store, .head = head, .from = seen->from, .visit = see, .user = seen }, NULL);
}

TEST(log_entries, shows_each_once_and_in_order_from_where_it_is_told)
{
        static const uint64_t sizes[] = { 0, 1, 2, 255, 256, 257, 511, 512, 700, 1024 };
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                test_grow(memory, &head, sizes[i]);
                const uint64_t froms[] = { 0, sizes[i] / 2, sizes[i] - (sizes[i] > 0), sizes[i], sizes[i] + 1 };
                for (size_t k = 0; k < sizeof(froms) / sizeof(froms[0]); k++) {
                        struct seen seen = { .from = froms[k] };
                        CHECK(look(&store, &head, &seen) == OK && seen.next == (froms[k] < sizes[i] ? sizes[i] : froms[k]));
                }
        }
}

static void change(struct memory *memory, const char *path, size_t at)
{
        struct memory_file *file = memory_find(memory, path);
        CHECK(file && file->bytes.length > at);
        file->bytes.bytes[at] ^= 1;
}

TEST(log_entries, shows_nothing_of_a_bundle_of_which_a_bit_is_another)
{
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        test_grow(memory, &head, 700);
        for (size_t at = 0; at < memory_find(memory, "tile/entries/001")->bytes.length; at += 17) {
                struct seen seen = { 0 };
                change(memory, "tile/entries/001", at);
                CHECK(look(&store, &head, &seen) == ERR_CONTENT && seen.next == 256);
                change(memory, "tile/entries/001", at);
        }
        struct seen seen = { 0 };
        CHECK(look(&store, &head, &seen) == OK && seen.next == 700);
}

TEST(log_entries, believes_no_hash_that_does_not_lead_to_the_root)
{
        static const struct { const char *path; uint64_t shown; } cases[] = { { "tile/1/000.p/2", 0 }, { "tile/0/002.p/188", 0 } };
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        struct seen seen = { 0 };
        test_grow(memory, &head, 700);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                change(memory, cases[i].path, 40);
                CHECK(look(&store, &head, &seen) == ERR_CONTENT && seen.next == cases[i].shown);
                change(memory, cases[i].path, 40);
        }
        head.root.bytes[0] ^= 1;
        CHECK(look(&store, &head, &seen) == ERR_CONTENT && seen.next == 0);
}

/* A tile of level 0 is what the entries say, not what the server says: no such file is read for what is listed. */
TEST(log_entries, needs_no_hashes_of_the_entries_themselves)
{
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        struct seen seen = { 0 };
        test_grow(memory, &head, 200);
        change(memory, "tile/0/000.p/200", 0);
        CHECK(look(&store, &head, &seen) == OK && seen.next == 200);
}

TEST(log_entries, takes_a_wider_bundle_and_no_narrower_one)
{
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        struct seen seen = { 0 };
        test_grow(memory, &head, 200);
        struct memory_file *partial = memory_find(memory, "tile/entries/000.p/200");
        size_t length = partial->bytes.length;
        CHECK(entries_add(&partial->bytes, &(struct entry){ (const uint8_t *)"more", 4 }, NULL) == OK);
        CHECK(look(&store, &head, &seen) == OK && seen.next == 200);
        partial->bytes.length = length - 1;
        CHECK(look(&store, &head, &seen) == ERR_CONTENT && seen.next == 0);
        partial->bytes.length = 0;
        CHECK(look(&store, &head, &seen) == ERR_CONTENT);
}

TEST(log_entries, ends_where_the_reader_wants_no_more)
{
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        struct seen seen = { .from = 6600 };
        test_grow(memory, &head, 7000);
        CHECK(look(&store, &head, &seen) == ERR_FULL && seen.next == 6667);
}

TEST(log_entries, survives_a_lack_of_memory)
{
        OWN(memory_store) struct memory *memory = memory_new();
        const struct tile_store store = memory_store(memory);
        struct tree_head head = oracle_head(0);
        unsigned failed = 0;
        test_grow(memory, &head, 300);
        SWEEP_MEMORY {
                struct seen seen = { 0 };
                enum err e = look(&store, &head, &seen);
                CHECK(e == OK ? seen.next == 300 : e == ERR_NOMEM);
                failed += e != OK;
        }
        CHECK(failed > 2);
}
