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
