#include "support/sim_disk.h"

#include "support/test.h"

#include <string.h>

static bool holds(struct sim_disk *sim, const char *path, const char *expected)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 1000);
        return sim->disk.ops->read(&sim->disk, path, &buf, NULL) == OK && strcmp(buf_text(&buf), expected) == 0;
}

static bool is_absent(struct sim_disk *sim, const char *path)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 1000);
        return sim->disk.ops->read(&sim->disk, path, &buf, NULL) == ERR_NOT_FOUND;
}

static void put_old(struct disk *disk)
{
        (void)disk->ops->replace(disk, "record", "old", 3, NULL);
}

TEST(sim_disk, replaces_wholly_or_not_at_all)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned olds = 0, news = 0, runs = 0;
        SWEEP_POWER_AFTER(&sim, put_old) {
                enum err e = sim.disk.ops->replace(&sim.disk, "record", "new", 3, NULL);
                CHECK((e == OK) == !sim.was_cut);
                sim_disk_power_on(&sim);
                CHECK(holds(&sim, "record", "old") || (news++, holds(&sim, "record", "new")));
                CHECK(e != OK || holds(&sim, "record", "new"));
                olds += holds(&sim, "record", "old");
                runs++;
        }
        CHECK(runs == SIM_FATES + 1 && olds > 0 && news > 1);      /* both fates were met */
}

static enum err write_and_sync(struct disk *disk, bool sync_file, bool sync_folder)
{
        int file = -1;
        enum err e = disk->ops->create(disk, "f", 0644, &file, NULL);
        if (!e)
                e = disk->ops->file_write(disk, file, "0123456789", 10, NULL);
        if (!e && sync_file)
                e = disk->ops->file_sync(disk, file, NULL);
        disk->ops->file_close(disk, file);
        if (!e && sync_folder)
                e = disk->ops->sync_folder(disk, "", NULL);
        if (!e)
                e = disk->ops->replace(disk, "done", "", 0, NULL);
        return e;
}

static bool seen_lost, seen_torn, seen_zeros, seen_whole;

static void look_at_f(struct sim_disk *sim)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 100);
        if (sim->disk.ops->read(&sim->disk, "f", &buf, NULL))
                seen_lost = true;
        else if (buf.length < 10)
                seen_torn = true;
        else if (memcmp(buf.bytes, "0123456789", 10) != 0)
                seen_zeros = true;
        else
                seen_whole = true;
}

TEST(sim_disk, loses_tears_or_keeps_what_was_not_synced)
{
        seen_lost = seen_torn = seen_zeros = seen_whole = false;
        for (unsigned fate = 0; fate < 100; fate++) {
                OWN(sim_disk) struct sim_disk sim;
                sim_disk_init(&sim);
                sim_disk_cut_at(&sim, 2, fate);
                CHECK(write_and_sync(&sim.disk, true, true) == ERR_IO);       /* cut while the file is synced */
                CHECK(sim.disk.ops->make_folder(&sim.disk, "d", NULL) == ERR_IO);
                sim_disk_power_on(&sim);
                look_at_f(&sim);
        }
        CHECK(seen_lost && seen_torn && seen_zeros && seen_whole);
}

TEST(sim_disk, keeps_what_was_synced_whatever_happens)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                enum err e = write_and_sync(&sim.disk, true, true);
                sim_disk_power_on(&sim);
                if (e == OK || !is_absent(&sim, "done"))
                        CHECK(holds(&sim, "f", "0123456789"));
        }
}

/* The two mistakes that a sweep has to find, or it is no good. */
TEST(sim_disk, finds_a_missing_sync)
{
        for (int mistake = 0; mistake < 2; mistake++) {
                bool found = false;
                for (unsigned fate = 0; fate < 20; fate++) {
                        OWN(sim_disk) struct sim_disk sim;
                        sim_disk_init(&sim);
                        sim_disk_cut_at(&sim, UINT_MAX / 2, fate);
                        int file = -1;
                        CHECK(sim.disk.ops->make_folder(&sim.disk, "d", NULL) == OK);
                        CHECK(sim.disk.ops->sync_folder(&sim.disk, "", NULL) == OK);
                        CHECK(sim.disk.ops->create(&sim.disk, "d/f", 0644, &file, NULL) == OK);
                        CHECK(sim.disk.ops->file_write(&sim.disk, file, "bytes", 5, NULL) == OK);
                        if (mistake == 0)
                                CHECK(sim.disk.ops->file_sync(&sim.disk, file, NULL) == OK);
                        else
                                CHECK(sim.disk.ops->sync_folder(&sim.disk, "d", NULL) == OK);
                        sim.disk.ops->file_close(&sim.disk, file);
                        sim_disk_power_off(&sim);
                        sim_disk_power_on(&sim);
                        found |= !holds(&sim, "d/f", "bytes");
                }
                CHECK(found);
        }
}

static void put_two(struct disk *disk)
{
        (void)disk->ops->make_folder(disk, "d", NULL);
        (void)disk->ops->sync_folder(disk, "", NULL);
        (void)disk->ops->replace(disk, "d/a", "content", 7, NULL);
}

TEST(sim_disk, renames_wholly_or_not_at_all)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned moved = 0, stayed = 0;
        SWEEP_POWER_AFTER(&sim, put_two) {
                enum err e = sim.disk.ops->rename(&sim.disk, "d/a", "b", NULL);
                sim_disk_power_on(&sim);
                bool is_old = holds(&sim, "d/a", "content"), is_new = holds(&sim, "b", "content");
                CHECK(is_old != is_new && (e != OK || is_new));
                moved += is_new;
                stayed += is_old;
        }
        CHECK(moved > 1 && stayed > 0);
}

TEST(sim_disk, points_wholly_or_not_at_all)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        SWEEP_POWER(&sim) {
                enum err e = sim.disk.ops->point(&sim.disk, "current", "a", NULL);
                if (!e)
                        e = sim.disk.ops->point(&sim.disk, "current", "b", NULL);
                bool is_first = sim.changes == 1;
                sim_disk_power_on(&sim);
                const char *target = sim_disk_link(&sim, "current");
                CHECK(target ? strcmp(target, "a") == 0 || strcmp(target, "b") == 0 : is_first);
                CHECK(e != OK || strcmp(target, "b") == 0);
        }
}

TEST(sim_disk, may_leave_a_half_removed_tree)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        bool seen_half = false;
        SWEEP_POWER_AFTER(&sim, put_two) {
                enum err e = sim.disk.ops->remove_tree(&sim.disk, "d", NULL);
                sim_disk_power_on(&sim);
                bool has_folder = sim.disk.ops->sync_folder(&sim.disk, "d", NULL) == OK;
                CHECK(e != OK || !has_folder);
                seen_half |= has_folder && is_absent(&sim, "d/a");
        }
        CHECK(seen_half);
}

TEST(sim_disk, fails_one_call_and_works_again)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned failures = 0;
        SWEEP_DISK_FAULT(&sim, put_old, ERR_FULL) {
                enum err e = write_and_sync(&sim.disk, true, true);
                CHECK(e == OK || e == ERR_FULL);
                failures += e == ERR_FULL;
                sim_disk_power_on(&sim);
                CHECK(holds(&sim, "record", "old"));
        }
        CHECK(failures == 5);
}

TEST(sim_disk, fills_up)
{
        OWN(sim_disk) struct sim_disk sim;
        sim_disk_init(&sim);
        sim.free_bytes = 5;
        CHECK(sim.disk.ops->replace(&sim.disk, "a", "1234", 4, NULL) == OK);
        CHECK(sim.disk.ops->replace(&sim.disk, "b", "12", 2, NULL) == ERR_FULL);
        CHECK(is_absent(&sim, "b"));
        uint64_t room = 9;
        CHECK(sim.disk.ops->free_bytes(&sim.disk, &room, NULL) == OK && room == 1);
}

TEST(sim_disk, forgets_open_files_when_the_power_goes)
{
        OWN(sim_disk) struct sim_disk sim;
        sim_disk_init(&sim);
        int file = -1;
        CHECK(sim.disk.ops->create(&sim.disk, "f", 0644, &file, NULL) == OK);
        sim_disk_power_off(&sim);
        CHECK(sim.disk.ops->file_write(&sim.disk, file, "x", 1, NULL) == ERR_IO);
        sim_disk_power_on(&sim);
        CHECK(sim.disk.ops->file_write(&sim.disk, file, "x", 1, NULL) == ERR_IO);
}

/* A file in a new folder, and one removed, without a sync of either. */
static enum err change_and_sync(struct disk *disk, bool syncs)
{
        int system = -1, file = -1;
        enum err e = disk->ops->open_system(disk, "", &system, NULL);
        if (!e)
                e = disk->ops->make_folder(disk, "d", NULL);
        if (!e)
                e = disk->ops->create(disk, "d/f", 0644, &file, NULL);
        if (!e)
                e = disk->ops->file_write(disk, file, "0123456789", 10, NULL);
        if (!e)
                e = disk->ops->remove(disk, "record", NULL);
        return !e && syncs ? disk->ops->sync_system(disk, system, NULL) : e;
}

static unsigned count_lost(bool syncs)
{
        OWN(sim_disk) struct sim_disk sim = { 0 };
        unsigned lost = 0;
        SWEEP_POWER_AFTER(&sim, put_old) {
                bool is_done = change_and_sync(&sim.disk, syncs) == OK;
                (void)!sim.disk.ops->make_folder(&sim.disk, "next", NULL);
                sim_disk_power_on(&sim);
                lost += is_done && (!holds(&sim, "d/f", "0123456789") || !is_absent(&sim, "record"));
        }
        return lost;
}

TEST(sim_disk, loses_nothing_after_a_sync_of_the_file_system)
{
        CHECK(count_lost(true) == 0 && count_lost(false) > 0);
}
