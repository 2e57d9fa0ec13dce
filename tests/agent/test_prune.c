#include "agent/prune.h"

#include "support/sim_disk.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static bool stays(const void *user, const char *path, enum disk_kind kind, uint64_t length)
{
        (void)user;
        return kind == DISK_FOLDER ? strncmp(path, "keep", 4) == 0 : strstr(path, "good") && length == 1;
}

static void fill(struct disk *disk)
{
        static const char *const folders[] = { "t", "t/keep", "t/keep/keep", "t/drop", "t/drop/deep" };
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
                CHECK(disk->ops->make_folder(disk, folders[i], NULL) == OK);
        static const char *const files[] = { "t/good", "t/keep/good", "t/keep/keep/good", "t/drop/good", "t/drop/deep/good", "t/bad" };
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                CHECK(disk->ops->replace(disk, files[i], "x", 1, NULL) == OK);
        CHECK(disk->ops->replace(disk, "t/keep/good2", "too long", 8, NULL) == OK && disk->ops->point(disk, "t/keep/good-link", "good", NULL) == OK);
        for (int i = 0; i < 30; i++) {
                char path[32];
                snprintf(path, sizeof(path), "t/keep/keep/%d", i);
                CHECK(disk->ops->replace(disk, path, "x", 1, NULL) == OK);
        }
        CHECK(disk->ops->sync_folder(disk, "", NULL) == OK && disk->ops->sync_folder(disk, "t", NULL) == OK && disk->ops->sync_folder(disk, "t/keep", NULL) == OK);
}

static enum err prune(struct disk *disk)
{
        return prune_folder(&(struct prune){ disk, "t", stays, NULL }, NULL);
}

struct count { struct disk *disk; const char *folder; size_t *count; };
static enum err count(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)length;
        const struct count *above = user;
        char path[100];
        snprintf(path, sizeof(path), "%s/%s", above->folder, name);
        ++*above->count;
        return kind == DISK_FOLDER ? above->disk->ops->list(above->disk, path, count, &(struct count){ above->disk, path, above->count }, why) : OK;
}

static size_t entries(struct disk *disk)
{
        size_t found = 0;
        CHECK(disk->ops->list(disk, "t", count, &(struct count){ disk, "t", &found }, NULL) == OK);
        return found;
}

static bool is_there(struct disk *disk, const char *path)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 10);
        return disk->ops->read(disk, path, &bytes, NULL) == OK;
}

static bool is_pruned(struct disk *disk)
{
        return entries(disk) == 5 && is_there(disk, "t/good") && is_there(disk, "t/keep/good") && is_there(disk, "t/keep/keep/good");
}

TEST(prune, leaves_what_stays_and_nothing_else)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        fill(&sim.disk);
        CHECK(entries(&sim.disk) == 42 && prune(&sim.disk) == OK && is_pruned(&sim.disk));
        CHECK(prune(&sim.disk) == OK && is_pruned(&sim.disk));
        CHECK(prune_folder(&(struct prune){ &sim.disk, "none", stays, NULL }, NULL) == ERR_NOT_FOUND);
}

TEST(prune, can_be_repeated_wherever_the_power_went)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned cuts = 0;
        SWEEP_POWER_AFTER(&sim, fill) {
                cuts += prune(&sim.disk) != OK;
                sim_disk_power_on(&sim);
                CHECK(prune(&sim.disk) == OK && is_pruned(&sim.disk));
        }
        CHECK(cuts > 30);
}

TEST(prune, fails_cleanly_whichever_call_of_the_disk_fails)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned failures = 0;
        SWEEP_DISK_FAULT(&sim, fill, ERR_BUSY) {
                enum err e = prune(&sim.disk);
                CHECK(e == OK || e == ERR_BUSY);
                CHECK((e != OK) == sim.has_failed);
                failures += e != OK;
                sim_disk_power_on(&sim);
                CHECK(prune(&sim.disk) == OK && is_pruned(&sim.disk));
        }
        CHECK(failures > 30);
}

enum { CROWD = 1200 };                   /* files of long names: more than the names of one round */

static bool is_even(const void *user, const char *path, enum disk_kind kind, uint64_t length)
{
        (void)user, (void)length;
        return kind == DISK_FILE && strtoul(path, NULL, 10) % 2 == 0;
}

static enum err count_listed(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length, (void)why;
        ++*(size_t *)user;
        return OK;
}

/* Who waits for it must not wait for the square of the files. */
struct counting { struct disk disk; struct disk *real; struct disk_ops ops; size_t visits; };
struct counted { struct counting *counting; disk_visit *visit; void *user; };
static enum err visit_counted(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        const struct counted *counted = user;
        counted->counting->visits++;
        return counted->visit(counted->user, name, kind, length, why);
}

static enum err counting_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        struct counting *counting = (struct counting *)disk;
        return counting->real->ops->list(counting->real, path, visit_counted, &(struct counted){ counting, visit, user }, why);
}

static enum err counting_remove(struct disk *disk, const char *path, struct why *why)
{
        struct disk *real = ((struct counting *)disk)->real;
        return real->ops->remove(real, path, why);
}

TEST(prune, of_a_crowded_folder_looks_at_each_name_a_few_times_only)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        CHECK(sim.disk.ops->make_folder(&sim.disk, "t", NULL) == OK);
        for (int i = 0; i < CROWD; i++) {
                char path[200];
                snprintf(path, sizeof(path), "t/%d-%.*s", i, 150, "a name that is as long as those that tools make of what they have read, and of the time at which they did, and of whose it was, so that it fills its round");
                int file = -1;
                CHECK(sim.disk.ops->create(&sim.disk, path, 0644, &file, NULL) == OK);
                sim.disk.ops->file_close(&sim.disk, file);
        }
        struct counting counting = { .real = &sim.disk, .ops = { .list = counting_list, .remove = counting_remove } };
        counting.disk.ops = &counting.ops;
        CHECK(prune_folder(&(struct prune){ &counting.disk, "t", is_even, NULL }, NULL) == OK);
        size_t left = 0;
        CHECK(sim.disk.ops->list(&sim.disk, "t", count_listed, &left, NULL) == OK && left == CROWD / 2);
        CHECK(counting.visits > CROWD && counting.visits < 4 * CROWD);
}
