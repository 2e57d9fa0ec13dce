#include "agent/disk_hold.h"

#include "support/sim_disk.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

static bool holds(struct disk *disk, const char *path, const char *text)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 1000);
        return disk->ops->read(disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), text) == 0;
}

TEST(disk_hold, knows_what_would_be_written_and_writes_it_when_it_lets_go)
{
        uint8_t digest[32];
        struct disk_hold hold;
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        CHECK(sim.disk.ops->replace(&sim.disk, "one", "old", 3, NULL) == OK);
        disk_hold_init(&hold, &sim.disk, "one", NULL);
        struct disk *disk = &hold.disk;
        CHECK(disk->ops->replace(disk, "one", "new", 3, NULL) == ERR_BUSY && disk->ops->replace(disk, "two", "new", 3, NULL) == OK);
        sha256("new", 3, digest);
        CHECK(memcmp(hold.digest, digest, sizeof(digest)) == 0 && holds(disk, "one", "old") && holds(&sim.disk, "two", "new"));
        hold.lets_go = true;
        CHECK(disk->ops->replace(disk, "one", "new", 3, NULL) == OK && holds(&sim.disk, "one", "new"));
}

TEST(disk_hold, reads_something_else_instead)
{
        struct disk_hold hold;
        OWN(sim_disk) struct sim_disk sim = { 0 };
        OWN(buf) struct buf instead;
        sim_disk_init(&sim);
        buf_init(&instead, 100);
        buf_add_text(&instead, "other");
        CHECK(sim.disk.ops->replace(&sim.disk, "one", "old", 3, NULL) == OK && sim.disk.ops->replace(&sim.disk, "two", "old", 3, NULL) == OK);
        disk_hold_init(&hold, &sim.disk, "one", &instead);
        CHECK(holds(&hold.disk, "one", "other") && holds(&hold.disk, "two", "old"));
        OWN(buf) struct buf small;
        buf_init(&small, 4);
        CHECK(hold.disk.ops->read(&hold.disk, "one", &small, NULL) == ERR_LIMIT);
}

TEST(disk_hold, does_all_else_at_once)
{
        int file;
        uint64_t length;
        char target[DISK_NAME_MAX + 1];
        struct disk_hold hold;
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        disk_hold_init(&hold, &sim.disk, "one", NULL);
        struct disk *disk = &hold.disk;
        CHECK(disk->ops->make_folder(disk, "folder", NULL) == OK && disk->ops->sync_folder(disk, "", NULL) == OK);
        CHECK(disk->ops->replace(disk, "folder/a", "a", 1, NULL) == OK && disk->ops->rename(disk, "folder/a", "folder/b", NULL) == OK);
        CHECK(disk->ops->open(disk, "folder/b", &file, &length, NULL) == OK && length == 1);
        disk->ops->file_close(disk, file);
        CHECK(disk->ops->point(disk, "link", "folder", NULL) == OK && disk->ops->pointed(disk, "link", target, NULL) == OK && strcmp(target, "folder") == 0);
        CHECK(disk->ops->remove_tree(disk, "folder", NULL) == OK && disk->ops->sync_folder(disk, "folder", NULL) == ERR_NOT_FOUND);
}
