#include "agent/unpack.h"

#include "agent/content.h"
#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

static const char *const contents[] = { "one\n", "", "deep", "deeper" };
static const char *const paths[] = { "VERSION", "empty", "rules/a/x.yar", "rules/b.yar" };
enum { FILES = 4 };

static struct unpack_file file_of(const void *user, size_t index)
{
        (void)user;
        struct unpack_file file = { .length = strlen(contents[index]), .is_program = index == FILES - 1, .path = paths[index] };
        sha256(contents[index], strlen(contents[index]), file.sha256);
        return file;
}

static void fill_spool(struct disk *disk)
{
        CHECK(disk->ops->make_folder(disk, "spool", NULL) == OK && content_prepare(disk, "rules", NULL, NULL) == OK);
        for (size_t i = 0; i < FILES; i++)
                CHECK(disk->ops->replace(disk, spool_artifact(file_of(NULL, i).sha256).text, contents[i], strlen(contents[i]), NULL) == OK);
        CHECK(disk->ops->sync_folder(disk, "", NULL) == OK);
}

static enum err unpack_all(struct disk *disk)
{
        OWN(unpack) struct unpack *unpack = NULL;
        const struct unpack_job job = { disk, file_of, NULL, FILES, "streams/rules/a" };
        bool is_done = false;
        enum err e = unpack_open(&job, &unpack, NULL);
        while (!e && !is_done)
                e = unpack_step(unpack, &is_done, NULL);
        return e;
}

static bool is_whole(struct disk *disk)
{
        bool is_whole = true;
        for (size_t i = 0; i < FILES; i++) {
                OWN(buf) struct buf bytes;
                char path[100];
                buf_init(&bytes, 100);
                snprintf(path, sizeof(path), "streams/rules/a/%s", paths[i]);
                is_whole &= disk->ops->read(disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), contents[i]) == 0;
        }
        return is_whole;
}

TEST(unpack, says_done_only_when_all_of_it_survives_a_power_cut)
{
        for (unsigned fate = 0; fate < SIM_FATES; fate++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                fill_spool(&sim.disk);
                CHECK(unpack_all(&sim.disk) == OK);
                sim_disk_cut_at(&sim, 0, fate);
                CHECK(sim.disk.ops->make_folder(&sim.disk, "next", NULL) != OK);
                sim_disk_power_on(&sim);
                CHECK(is_whole(&sim.disk));
        }
}

TEST(unpack, makes_programs_of_those_that_the_note_calls_so)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        CHECK(unpack_all(&sim.disk) == OK);
        for (size_t i = 0; i < FILES; i++) {
                char path[100];
                int file;
                uint64_t length;
                snprintf(path, sizeof(path), "streams/rules/a/%s", paths[i]);
                CHECK(sim.disk.ops->open(&sim.disk, path, &file, &length, NULL) == OK);
                CHECK(sim.disk.ops->file_is_program(&sim.disk, file) == (i == FILES - 1));
                sim.disk.ops->file_close(&sim.disk, file);
        }
}

TEST(unpack, can_be_repeated_wherever_the_power_went)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned cuts = 0;
        SWEEP_POWER_AFTER(&sim, fill_spool) {
                cuts += unpack_all(&sim.disk) != OK;
                sim_disk_power_on(&sim);
                CHECK(unpack_all(&sim.disk) == OK && is_whole(&sim.disk));
        }
        CHECK(cuts > 0);
}

TEST(unpack, fails_cleanly_whichever_call_of_the_disk_fails)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_DISK_FAULT(&sim, fill_spool, ERR_FULL) {
                enum err e = unpack_all(&sim.disk);
                CHECK(e == OK || e == ERR_FULL);
                sim_disk_power_on(&sim);
                CHECK(unpack_all(&sim.disk) == OK && is_whole(&sim.disk));
        }
}

static enum err unpack_after(const char *bytes)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        CHECK(sim.disk.ops->replace(&sim.disk, spool_artifact(file_of(NULL, 2).sha256).text, bytes, strlen(bytes), NULL) == OK);
        return unpack_all(&sim.disk);
}

TEST(unpack, refuses_bytes_that_are_not_those_of_the_note)
{
        CHECK(unpack_after("deep") == OK);
        CHECK(unpack_after("dEep") == ERR_CONTENT);
        CHECK(unpack_after("dee") == ERR_CONTENT);
        CHECK(unpack_after("deep!") == ERR_CONTENT);
        CHECK(unpack_after("") == ERR_CONTENT);
}

TEST(unpack, refuses_a_spool_file_that_is_missing_or_a_link)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        struct spool_path path = spool_artifact(file_of(NULL, 0).sha256);
        CHECK(sim.disk.ops->remove_tree(&sim.disk, path.text, NULL) == OK && unpack_all(&sim.disk) == ERR_NOT_FOUND);
        CHECK(sim.disk.ops->point(&sim.disk, path.text, "elsewhere", NULL) == OK && unpack_all(&sim.disk) != OK);
}

TEST(unpack_open, survives_every_allocation_failure)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill_spool(&sim.disk);
        SWEEP_MEMORY {
                enum err e = unpack_all(&sim.disk);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
