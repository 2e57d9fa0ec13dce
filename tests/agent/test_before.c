#include "agent/before.h"

#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>

static void open_disk(struct sim_disk *sim)
{
        sim_disk_init(sim);
        CHECK(sim->disk.ops->make_folder(&sim->disk, "streams", NULL) == OK && sim->disk.ops->make_folder(&sim->disk, "streams/rules", NULL) == OK);
        CHECK(sim->disk.ops->sync_folder(&sim->disk, "streams", NULL) == OK && sim->disk.ops->sync_folder(&sim->disk, "", NULL) == OK);
}

static const struct before seen = { .boot = 7, .probes = 9, .words = { "ff-", "", "12" } };

TEST(before, is_kept_across_a_power_cut)
{
        struct sim_disk sim;
        struct before again;
        open_disk(&sim);
        CHECK(!before_read(&sim.disk, "rules", &again) && before_keep(&sim.disk, "rules", &seen, NULL) == OK);
        sim_disk_power_on(&sim);
        CHECK(before_read(&sim.disk, "rules", &again) && memcmp(&again, &seen, sizeof(seen)) == 0);
        sim_disk_done(&sim);
}

/* "FBBF", its checksum, version 1, boot 7, probes 9, then words of 40 bytes each. */
TEST(before, is_on_disk_as_it_was_in_the_first_version)
{
        static const uint8_t stored[24] = { 'F', 'B', 'B', 'F', 0xb3, 0x4c, 0x43, 0xff, 1, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 'f', 'f', '-', 0 };
        struct sim_disk sim;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        open_disk(&sim);
        CHECK(before_keep(&sim.disk, "rules", &seen, NULL) == OK && sim.disk.ops->read(&sim.disk, "streams/rules/before", &bytes, NULL) == OK);
        CHECK(bytes.length == 660 && memcmp(bytes.bytes, stored, sizeof(stored)) == 0 && memcmp(bytes.bytes + 20 + 80, "12", 3) == 0);
        sim_disk_done(&sim);
}

TEST(before, is_not_taken_from_what_is_damaged)
{
        struct sim_disk sim;
        struct before again, bad = seen;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        open_disk(&sim);
        memset(bad.words[3], 'f', BEFORE_WORD_BYTES);
        CHECK(before_keep(&sim.disk, "rules", &bad, NULL) == OK && !before_read(&sim.disk, "rules", &again));
        bad = seen;
        bad.words[3][0] = '/';
        CHECK(before_keep(&sim.disk, "rules", &bad, NULL) == OK && !before_read(&sim.disk, "rules", &again));
        CHECK(before_keep(&sim.disk, "rules", &seen, NULL) == OK && sim.disk.ops->read(&sim.disk, "streams/rules/before", &bytes, NULL) == OK);
        for (size_t at = 0; at < bytes.length; at += 7) {
                bytes.bytes[at] ^= 0x40;
                CHECK(sim.disk.ops->replace(&sim.disk, "streams/rules/before", bytes.bytes, bytes.length, NULL) == OK && !before_read(&sim.disk, "rules", &again));
                bytes.bytes[at] ^= 0x40;
        }
        sim_disk_done(&sim);
}

TEST(before_probes, tells_other_files_and_other_units)
{
        const char *ab[] = { "/a", "/b" }, *ba[] = { "/b", "/a" };
        struct agent_probe probe = { .kind = PROBE_FILES, .files = { 2, ab } };
        struct agent_stream_config stream = { .probes = { 1, &probe } };
        uint32_t first = before_probes(&stream);
        CHECK(before_probes(&stream) == first);
        probe.files.items = ba;
        CHECK(before_probes(&stream) != first);
        probe = (struct agent_probe){ .kind = PROBE_UNIT, .unit = "a.service" };
        uint32_t unit = before_probes(&stream);
        probe.unit = "b.service";
        CHECK(unit != first && before_probes(&stream) != unit);
}
