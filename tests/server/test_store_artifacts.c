#include "server/store/artifacts.h"

#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>

TEST(artifact_put, is_there_again_after_a_power_cut_or_not_at_all)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                uint8_t digest[32];
                OWN(buf) struct buf bytes;
                buf_init(&bytes, 100);
                enum err put = artifact_put(&sim.disk, "hello", 5, digest, NULL);
                sim_disk_power_on(&sim);
                enum err read = artifact_read(&sim.disk, digest, &bytes, NULL);
                CHECK(read == OK || (put != OK && read == ERR_NOT_FOUND));
                CHECK(read != OK || strcmp(buf_text(&bytes), "hello") == 0);
        }
}

TEST(artifact_check, tells_absent_from_another_length)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        uint8_t digest[32], other[32] = { 0 };
        CHECK(artifact_put(&sim.disk, "hello", 5, digest, NULL) == OK);
        CHECK(artifact_put(&sim.disk, "hello", 5, digest, NULL) == OK);
        CHECK(artifact_check(&sim.disk, digest, 5, NULL) == OK);
        CHECK(artifact_check(&sim.disk, digest, 6, NULL) == ERR_CONTENT);
        CHECK(artifact_check(&sim.disk, other, 5, NULL) == ERR_NOT_FOUND);
}

TEST(artifact_path, begins_with_the_first_byte)
{
        uint8_t digest[32] = { 0xab, 0xcd };
        char path[ARTIFACT_PATH_MAX];
        artifact_path(digest, path);
        CHECK(strncmp(path, "ab/abcd00", 9) == 0 && strlen(path) == 3 + 64);
}
