#include "agent/spool.h"

#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct spool { char folder[64], wanted[96]; struct disk *disk; };

static void spool_open(struct spool *spool)
{
        *spool = (struct spool){ 0 };
        CHECK(file_temporary(spool->folder, NULL) == OK && disk_folder_open(spool->folder, &spool->disk, NULL) == OK);
        CHECK(spool->disk->ops->make_folder(spool->disk, "spool", NULL) == OK);
        snprintf(spool->wanted, sizeof(spool->wanted), "%s/spool/wanted", spool->folder);
}

static void spool_release(struct spool *spool)
{
        disk_folder_close(spool->disk);
        file_remove_tree(spool->folder);
}

static enum err count_name(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length, (void)why;
        ++*(unsigned *)user;
        return OK;
}

/* A disk that counts how many names it was made to show. */
struct counting {
        struct disk disk;
        struct disk_ops ops;
        struct disk *below;
        unsigned visits;
        disk_visit *visit;
        void *user;
};

static enum err count_visit(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        struct counting *counting = user;
        counting->visits++;
        return counting->visit(counting->user, name, kind, length, why);
}

static enum err count_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        struct counting *counting = (struct counting *)disk;
        counting->visit = visit;
        counting->user = user;
        return counting->below->ops->list(counting->below, path, count_visit, counting, why);
}

static enum err pass_remove(struct disk *disk, const char *path, struct why *why)
{
        struct counting *counting = (struct counting *)disk;
        return counting->below->ops->remove_tree(counting->below, path, why);
}

static bool makes_way(const struct spool *spool)
{
        struct stat found;
        return spool_make_way(spool->disk, "wanted", NULL) == OK && lstat(spool->wanted, &found) != 0;
}

TEST(spool_make_way, removes_whatever_is_no_file)
{
        OWN(spool) struct spool spool;
        char path[128];
        spool_open(&spool);
        CHECK(makes_way(&spool));                /* nothing there */
        snprintf(path, sizeof(path), "%s/file", spool.wanted);
        CHECK(mkdir(spool.wanted, 0700) == 0 && file_write(path, "x", 1, NULL) == OK && makes_way(&spool));
        CHECK(mkfifo(spool.wanted, 0600) == 0 && makes_way(&spool));
        struct sockaddr_un place = { .sun_family = AF_UNIX };
        snprintf(place.sun_path, sizeof(place.sun_path), "%s", spool.wanted);
        int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(end >= 0 && bind(end, (struct sockaddr *)&place, sizeof(place)) == 0 && makes_way(&spool));
        close(end);
}

TEST(spool_make_way, removes_a_link_and_not_what_it_points_to)
{
        OWN(spool) struct spool spool;
        char path[128];
        spool_open(&spool);
        snprintf(path, sizeof(path), "%s/other", spool.folder);
        CHECK(file_write(path, "x", 1, NULL) == OK && symlink(path, spool.wanted) == 0 && makes_way(&spool));
        CHECK(access(path, F_OK) == 0);
}

TEST(spool_make_way, leaves_a_part_also_when_it_cannot_be_looked_at)
{
        static const enum err faults[] = { ERR_IO, ERR_NOMEM, ERR_LIMIT };
        for (size_t i = 0; i <= sizeof(faults) / sizeof(faults[0]); i++) {
                OWN(sim_disk) struct sim_disk sim = { 0 };
                uint64_t length = 0;
                int file = -1;
                sim_disk_init(&sim);
                struct disk *disk = &sim.disk;
                CHECK(disk->ops->make_folder(disk, "spool", NULL) == OK && disk->ops->replace(disk, "spool/wanted", "part", 4, NULL) == OK);
                if (i)
                        sim_disk_fail_at(&sim, 0, faults[i - 1]);
                CHECK(spool_make_way(disk, "wanted", NULL) == OK);
                CHECK(disk->ops->open(disk, "spool/wanted", &file, &length, NULL) == OK && length == 4);
        }
}

/* What a fetcher that was taken over leaves must not fill the disk for ever. */
TEST(spool_sweep, leaves_nothing_that_is_no_download)
{
        static const char *const left[] = { "junk", "0123", "WANTED", "x.new" };
        OWN(sim_disk) struct sim_disk sim = { 0 };
        sim_disk_init(&sim);
        struct disk *disk = &sim.disk;
        char longest[6 + DISK_NAME_MAX + 1] = "spool/";
        memset(longest + 6, 'x', DISK_NAME_MAX);
        CHECK(disk->ops->make_folder(disk, "spool", NULL) == OK && disk->ops->replace(disk, "spool/wanted", "metadata", 8, NULL) == OK);
        CHECK(disk->ops->replace(disk, "spool/anchor", "metadata", 8, NULL) == OK);
        for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
                char path[32];
                snprintf(path, sizeof(path), "spool/%s", left[i]);
                CHECK(disk->ops->replace(disk, path, "x", 1, NULL) == OK);
        }
        CHECK(disk->ops->make_folder(disk, "spool/folder", NULL) == OK && disk->ops->replace(disk, "spool/folder/x", "x", 1, NULL) == OK);
        CHECK(disk->ops->replace(disk, longest, "x", 1, NULL) == OK && spool_sweep(disk, NULL, NULL) == OK);
        unsigned names = 0;
        CHECK(disk->ops->list(disk, "spool", count_name, &names, NULL) == OK && names == 2);
}

/* The supervisor watches an engine meanwhile, so each name is looked at a few times at most, however many there are. */
TEST(spool_sweep, takes_no_more_time_for_a_name_when_there_are_many)
{
        enum { NAMES = 1000 };
        OWN(spool) struct spool spool;
        spool_open(&spool);
        struct counting counting = { .disk.ops = &counting.ops, .ops = *spool.disk->ops, .below = spool.disk };
        counting.ops.list = count_list;
        counting.ops.remove_tree = pass_remove;
        for (unsigned i = 0; i < NAMES; i++) {
                char path[200];
                snprintf(path, sizeof(path), "%s/spool/%064x", spool.folder, i);
                CHECK(file_write(path, "", 0, NULL) == OK);
        }
        CHECK(spool_sweep(&counting.disk, NULL, NULL) == OK && counting.visits >= NAMES && counting.visits <= 2 * NAMES);
        unsigned names = 0;
        CHECK(spool.disk->ops->list(spool.disk, "spool", count_name, &names, NULL) == OK && names == 0);
}
