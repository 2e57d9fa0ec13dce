#include "agent/back.h"

#include "format/hex.h"
#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>

static const struct withdrawal told = { 4, 1784432200, 600 };

static void open_disk(struct sim_disk *sim)
{
        sim_disk_init(sim);
        CHECK(sim->disk.ops->make_folder(&sim->disk, "streams", NULL) == OK && sim->disk.ops->make_folder(&sim->disk, "streams/rules", NULL) == OK);
        CHECK(sim->disk.ops->sync_folder(&sim->disk, "streams", NULL) == OK && sim->disk.ops->sync_folder(&sim->disk, "", NULL) == OK);
}

TEST(back, is_kept_across_a_power_cut)
{
        struct sim_disk sim;
        struct withdrawal again;
        open_disk(&sim);
        CHECK(!back_read(&sim.disk, "rules", &again));
        CHECK(back_keep(&sim.disk, "rules", &told, NULL) == OK);
        sim_disk_power_on(&sim);
        CHECK(back_read(&sim.disk, "rules", &again) && again.counter == 4 && again.since_s == told.since_s && again.over_s == 600);
        sim_disk_done(&sim);
}

/* "FBWD", version 1, counter 4, since 1784432200 = 0x6a5c4648, over 600 s. */
TEST(back, is_on_disk_as_it_was_in_the_first_version)
{
        static const uint8_t stored[32] = { 'F', 'B', 'W', 'D', 1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0x48, 0x46, 0x5c, 0x6a, 0, 0, 0, 0, 0x58, 0x02, 0, 0, 0, 0, 0, 0 };
        struct sim_disk sim;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 64);
        open_disk(&sim);
        CHECK(back_keep(&sim.disk, "rules", &told, NULL) == OK && sim.disk.ops->read(&sim.disk, "streams/rules/withdrawn", &bytes, NULL) == OK);
        CHECK(bytes.length == sizeof(stored) && memcmp(bytes.bytes, stored, sizeof(stored)) == 0);
        sim_disk_done(&sim);
}

TEST(back, takes_nothing_from_a_file_that_makes_no_sense)
{
        const struct back_record bad[] = {
                { "FBWX", 1, 4, 1784432200, 600 }, { "FBWD", 2, 4, 1784432200, 600 }, { "FBWD", 1, 0, 1784432200, 600 }, { "FBWD", 1, 4, -1, 600 },
                { "FBWD", 1, 4, INT64_MAX, 600 },  { "FBWD", 1, 4, 1784432200, -1 },  { "FBWD", 1, 4, 1784432200, INT64_MAX },
        };
        struct sim_disk sim;
        struct withdrawal again;
        open_disk(&sim);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CHECK(sim.disk.ops->replace(&sim.disk, "streams/rules/withdrawn", &bad[i], sizeof(bad[i]), NULL) == OK);
                CHECK(!back_read(&sim.disk, "rules", &again));
        }
        CHECK(sim.disk.ops->replace(&sim.disk, "streams/rules/withdrawn", "FBWD", 4, NULL) == OK && !back_read(&sim.disk, "rules", &again));
        sim_disk_done(&sim);
}

/* The vector of test_cohort.c: bucket 0x172de05add10dfa2, whose turn test_withdrawal.c has. */
TEST(back, is_by_the_bucket_that_the_device_has_in_the_release_itself)
{
        struct slot_release release = { .counter = 4 };
        CHECK(hex_decode("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", release.target, sizeof(release.target), NULL) == OK);
        CHECK(back_moment_ms(&told, &release, "00112233445566778899aabbccddeeff", told.since_s) == told.since_s * 1000 + 474660);
}
