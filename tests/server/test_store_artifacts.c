#include "server/store/artifacts.h"

#include "support/sim_disk.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

static enum err read_back(struct disk *disk, const uint8_t digest[32], struct buf *into)
{
        char path[ARTIFACT_PATH_MAX];
        artifact_path(digest, path);
        return disk->ops->read(disk, path, into, NULL);
}

TEST(artifact_put, is_there_again_after_a_power_cut_or_not_at_all)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                uint8_t digest[32];
                OWN(buf) struct buf bytes;
                buf_init(&bytes, 100);
                enum err put = artifact_put(&sim.disk, "hello", 5, digest, NULL);
                sim_disk_power_on(&sim);
                enum err read = read_back(&sim.disk, digest, &bytes);
                CHECK(read == OK || (put != OK && read == ERR_NOT_FOUND));
                CHECK(read != OK || strcmp(buf_text(&bytes), "hello") == 0);
        }
}

/* Of "hello\n": below its name, and not by it. */
static bool has_text(struct disk *disk, const uint8_t target[32])
{
        char path[ARTIFACT_PATH_MAX];
        OWN(buf) struct buf text;
        buf_init(&text, 100);
        artifact_path(target, path);
        snprintf(path + strlen(path), sizeof(path) - strlen(path), ".text");
        return disk->ops->read(disk, path, &text, NULL) == OK && strcmp(buf_text(&text), "hello\n") == 0;
}

TEST(artifact_read_note, finds_one_that_was_published_as_an_artifact)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf bytes;
        uint8_t target[32];
        sim_disk_init(&sim);
        buf_init(&bytes, 100);
        CHECK(artifact_put(&sim.disk, "hello\n\nby anna\n", 15, target, NULL) == OK);
        CHECK(artifact_read_note(&sim.disk, target, &bytes, NULL) == OK && strcmp(buf_text(&bytes), "hello\n\nby anna\n") == 0);
        target[0] ^= 1;
        CHECK(artifact_read_note(&sim.disk, target, &bytes, NULL) == ERR_NOT_FOUND);
}

TEST(artifact_put_note, leaves_the_old_one_or_the_new_one_beside_the_text)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                uint8_t target[32];
                OWN(buf) struct buf note, bytes;
                buf_init(&note, 100);
                buf_init(&bytes, 100);
                buf_add_text(&note, "hello\n\nby anna\n");
                sha256("hello\n", 6, target);
                enum err put = artifact_put_note(&sim.disk, target, &note, NULL);
                sim_disk_power_on(&sim);
                enum err read = artifact_read_note(&sim.disk, target, &bytes, NULL);
                CHECK(read == OK || (put != OK && read == ERR_NOT_FOUND));
                CHECK(read != OK || (buf_equal(&bytes, &note) && artifact_check(&sim.disk, target, 6, NULL) == ERR_NOT_FOUND && has_text(&sim.disk, target)));
                buf_add_text(&note, "and bert\n");
                CHECK(put != OK || artifact_put_note(&sim.disk, target, &note, NULL) == OK);
                buf_clear(&bytes);
                CHECK(put != OK || (artifact_read_note(&sim.disk, target, &bytes, NULL) == OK && buf_equal(&bytes, &note)));
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
