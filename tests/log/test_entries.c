#include "log/entries.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

TEST(entries, come_back_as_they_were_put_in)
{
        static uint8_t largest[LIMIT_ENTRY_BYTES];
        const struct entry all[] = { { (const uint8_t *)"a", 1 }, { (const uint8_t *)"", 0 }, { largest, sizeof(largest) }, { (const uint8_t *)"bc", 2 } };
        OWN(buf) struct buf bundle;
        struct entry entry;
        buf_init(&bundle, ENTRIES_BYTES_MAX);
        for (int i = 0; i < 4; i++)
                CHECK(entries_add(&bundle, &all[i], NULL) == OK);
        struct entries entries = { (const uint8_t *)bundle.bytes, bundle.length };
        for (int i = 0; i < 4; i++)
                CHECK(entries_next(&entries, &entry, NULL) == OK && entry.length == all[i].length && memcmp(entry.bytes, all[i].bytes, entry.length) == 0);
        CHECK(!entries.left && entries_next(&entries, &entry, NULL) == ERR_SYNTAX);
        CHECK(memcmp(bundle.bytes, "\0\1a\0\0\377\377", 7) == 0);
}

TEST(entries, are_refused_when_they_are_cut)
{
        static const uint8_t bytes[] = { 0, 3, 'a', 'b', 'c' };
        struct entry entry;
        for (size_t length = 0; length < sizeof(bytes); length++) {
                struct entries entries = { bytes, length };
                CHECK(entries_next(&entries, &entry, NULL) == ERR_SYNTAX);
        }
}

TEST(entries, have_a_ceiling)
{
        static uint8_t large[LIMIT_ENTRY_BYTES + 1];
        OWN(buf) struct buf bundle;
        buf_init(&bundle, ENTRIES_BYTES_MAX);
        CHECK(entries_add(&bundle, &(struct entry){ large, sizeof(large) }, NULL) == ERR_LIMIT && bundle.length == 0);
        CHECK(entries_add(&bundle, &(struct entry){ large, sizeof(large) - 1 }, NULL) == OK);
}

TEST(entries, survive_running_out_of_memory)
{
        SWEEP_MEMORY {
                OWN(buf) struct buf bundle;
                buf_init(&bundle, ENTRIES_BYTES_MAX);
                enum err e = entries_add(&bundle, &(struct entry){ (const uint8_t *)"abc", 3 }, NULL);
                CHECK(e == OK ? bundle.length == 5 : e == ERR_NOMEM && bundle.length == 0);
        }
}
