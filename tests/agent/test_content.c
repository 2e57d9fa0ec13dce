#include "agent/content.h"

#include "agent/files.h"
#include "platform/file.h"
#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>

static const char *const names[] = { "rules" };

static enum err put(struct disk *disk, const char *path, const char *text)
{
        return disk->ops->replace(disk, path, text, strlen(text), NULL);
}

static bool holds(struct disk *disk, const char *path, const char *text)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 1000);
        return disk->ops->read(disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), text) == 0;
}

TEST(content_settle, points_at_what_the_record_says)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = NULL;
        CHECK(slots_open(&sim.disk, names, 1, &slots, NULL) == OK && content_prepare(&sim.disk, "rules", NULL, NULL) == OK);
        CHECK(content_settle(&sim.disk, slots, 0, NULL) == OK && strcmp(sim_disk_link(&sim, "streams/rules/current"), "factory") == 0);
        CHECK(slots_descend(slots, 0, &(struct slot_harm){ SLOT_CRASH, "", 1 }, NULL) == OK && content_settle(&sim.disk, slots, 0, NULL) == OK);
        CHECK(strcmp(sim_disk_link(&sim, "streams/rules/current"), "none") == 0);
}

TEST(content_version, is_the_first_line_of_what_runs)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        OWN(slots) struct slots *slots = NULL;
        char version[CONTENT_VERSION_BYTES] = "?";
        CHECK(slots_open(&sim.disk, names, 1, &slots, NULL) == OK && content_prepare(&sim.disk, "rules", NULL, NULL) == OK);
        content_version(&sim.disk, slots, 0, version);
        CHECK(version[0] == 0);
        CHECK(put(&sim.disk, "streams/rules/factory/VERSION", "7.1\nmore\n") == OK);
        content_version(&sim.disk, slots, 0, version);
        CHECK(strcmp(version, "7.1") == 0);
        CHECK(put(&sim.disk, "streams/rules/factory/VERSION", "7.2 (beta)\r\n") == OK);
        content_version(&sim.disk, slots, 0, version);
        CHECK(strcmp(version, "7.2__beta_") == 0);
}

static void fill(struct disk *disk)
{
        CHECK(disk->ops->make_folder(disk, "from", NULL) == OK && disk->ops->make_folder(disk, "from/deep", NULL) == OK);
        CHECK(put(disk, "from/VERSION", "0\n") == OK && put(disk, "from/deep/one", "1") == OK);
        CHECK(disk->ops->sync_folder(disk, "from", NULL) == OK && disk->ops->sync_folder(disk, "", NULL) == OK);
}

TEST(files_copy, brings_the_whole_tree_durably)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill(&sim.disk);
        CHECK(files_copy(&(struct files_copy){ &sim.disk, &sim.disk, "from", "to" }, NULL) == OK);
        CHECK(sim.disk.ops->sync_folder(&sim.disk, "", NULL) == OK);
        sim_disk_power_off(&sim);
        sim_disk_power_on(&sim);
        CHECK(holds(&sim.disk, "to/VERSION", "0\n") && holds(&sim.disk, "to/deep/one", "1"));
}

TEST(files_copy, refuses_a_link)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill(&sim.disk);
        CHECK(sim.disk.ops->point(&sim.disk, "from/link", "VERSION", NULL) == OK);
        CHECK(files_copy(&(struct files_copy){ &sim.disk, &sim.disk, "from", "to" }, NULL) == ERR_CONTENT);
}

TEST(content_prepare, takes_no_missing_folder_for_empty_factory_content)
{
        char folder[64], factory[80];
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(factory, sizeof(factory), "%s/factory", folder);
        CHECK(content_prepare(&sim.disk, "rules", factory, NULL) == ERR_NOT_FOUND && file_kind(factory) == FILE_ABSENT);
        CHECK(mkdir(factory, 0700) == 0 && content_prepare(&sim.disk, "rules", factory, NULL) == OK);
        file_remove_tree(folder);
}

TEST(content_prepare, can_be_repeated_whenever_the_power_went)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                (void)!content_prepare(&sim.disk, "rules", NULL, NULL);
                sim_disk_power_on(&sim);
                OWN(slots) struct slots *slots = NULL;
                CHECK(content_prepare(&sim.disk, "rules", NULL, NULL) == OK && slots_open(&sim.disk, names, 1, &slots, NULL) == OK);
                CHECK(content_settle(&sim.disk, slots, 0, NULL) == OK);
        }
}

TEST(content_prepare, keeps_the_factory_copy_that_is_there_whatever_the_disk_refuses)
{
        char folder[64], version[80];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(version, sizeof(version), "%s/VERSION", folder);
        for (unsigned n = 0; n < 12; n++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                sim_disk_init(&sim);
                CHECK(file_write(version, "0\n", 2, NULL) == OK && content_prepare(&sim.disk, "rules", folder, NULL) == OK);
                CHECK(file_write(version, "1\n", 2, NULL) == OK);
                sim_disk_fail_at(&sim, n, ERR_FULL);
                enum err e = content_prepare(&sim.disk, "rules", folder, NULL);
                sim_disk_power_on(&sim);
                CHECK((n > 8 || e == ERR_FULL) && holds(&sim.disk, "streams/rules/factory/VERSION", "0\n"));
                CHECK(sim.disk.ops->sync_folder(&sim.disk, "streams/rules/factory.new", NULL) == ERR_NOT_FOUND);
        }
        file_remove_tree(folder);
}
