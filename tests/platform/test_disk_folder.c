#include "platform/disk_folder.h"

#include "support/sweep.h"
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
        char root[40];
        struct disk *disk;
};

static void folder_open(struct folder *folder)
{
        snprintf(folder->root, sizeof(folder->root), "/tmp/firebreak-folder-XXXXXX");
        CHECK(mkdtemp(folder->root));
        CHECK(disk_folder_open(folder->root, &folder->disk, NULL) == OK);
}

static void folder_done(struct folder *folder)
{
        CHECK(folder->disk->ops->remove_tree(folder->disk, "t", NULL) == OK);
        disk_folder_close(folder->disk);
        CHECK(rmdir(folder->root) == 0);
}

static const char *path_of(const struct folder *folder, const char *path)
{
        static char full[200];
        snprintf(full, sizeof(full), "%s/%s", folder->root, path);
        return full;
}

static enum err read_error(struct folder *folder, const char *path)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, 10000);
        return folder->disk->ops->read(folder->disk, path, &buf, NULL);
}

TEST(disk_folder_open, makes_the_folder_for_its_owner_only)
{
        char parent[] = "/tmp/firebreak-parent-XXXXXX", root[64];
        CHECK(mkdtemp(parent));
        snprintf(root, sizeof(root), "%s/state", parent);
        OWN(disk_folder) struct disk *disk = NULL;
        CHECK(disk_folder_open(root, &disk, NULL) == OK);
        struct stat stat;
        CHECK(lstat(root, &stat) == 0 && (stat.st_mode & 0777) == 0700);
        CHECK(rmdir(root) == 0 && rmdir(parent) == 0);
}

TEST(disk_folder_open, says_what_is_wrong_with_the_root)
{
        struct disk *disk = NULL;
        struct why why;
        CHECK(disk_folder_open("/nowhere/state", &disk, &why) == ERR_NOT_FOUND && !disk);
        CHECK(strcmp(why.text, "making folder /nowhere/state: No such file or directory") == 0);
        CHECK(disk_folder_open("/dev/null", &disk, &why) == ERR_NOT_FOUND && !disk);
        CHECK(strcmp(why.text, "opening folder /dev/null: a part of the path is not a folder") == 0);
}

TEST(disk_folder, removes_what_the_longest_path_of_a_release_may_have_made)
{
        struct folder folder;
        char path[300] = "t";
        folder_open(&folder);
        CHECK(folder.disk->ops->make_folder(folder.disk, path, NULL) == OK);
        for (int depth = 0; depth < 127; depth++) {
                memcpy(path + 1 + 2 * depth, "/d", 3);
                CHECK(folder.disk->ops->make_folder(folder.disk, path, NULL) == OK);
        }
        folder_done(&folder);
}

TEST(disk_folder_find, makes_no_folder)
{
        struct folder folder;
        struct disk *disk = NULL;
        folder_open(&folder);
        CHECK(disk_folder_find(path_of(&folder, "t"), NULL, &disk, NULL) == ERR_NOT_FOUND && !disk);
        CHECK(disk_folder_find(folder.root, "t", &disk, NULL) == ERR_NOT_FOUND && !disk && access(path_of(&folder, "t"), F_OK));
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0 && disk_folder_find(folder.root, "t", &disk, NULL) == OK);
        disk_folder_close(disk);
        folder_done(&folder);
}

TEST(disk_folder_find, follows_links_as_they_are_meant_on_that_disk)
{
        struct folder folder;
        struct disk *disk = NULL;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0 && mkdir(path_of(&folder, "t/data"), 0700) == 0);
        CHECK(symlink("/data", path_of(&folder, "t/var")) == 0 && symlink("../../../../usr", path_of(&folder, "t/out")) == 0);
        CHECK(disk_folder_find(path_of(&folder, "t"), "var", &disk, NULL) == OK);
        CHECK(disk->ops->replace(disk, "here", "1", 1, NULL) == OK && access(path_of(&folder, "t/data/here"), F_OK) == 0);
        disk_folder_close(disk);
        disk = NULL;
        CHECK(disk_folder_find(path_of(&folder, "t"), "out", &disk, NULL) == ERR_NOT_FOUND && !disk);
        folder_done(&folder);
}

TEST(disk_folder_lock, lets_one_in)
{
        struct folder folder;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0);
        struct disk *disks[2];
        CHECK(disk_folder_find(folder.root, "t", &disks[0], NULL) == OK && disk_folder_find(folder.root, "t", &disks[1], NULL) == OK);
        CHECK(disk_folder_lock(disks[0], NULL) == OK && disk_folder_lock(disks[1], NULL) == ERR_BUSY);
        disk_folder_close(disks[0]);
        CHECK(disk_folder_lock(disks[1], NULL) == OK);
        disk_folder_close(disks[1]);
        folder_done(&folder);
}

TEST(disk_folder_open, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(disk_folder) struct disk *disk = NULL;
                enum err e = disk_folder_open("/tmp", &disk, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
                CHECK((e == OK) == (disk != NULL));
        }
}

TEST(disk_folder, opens_no_pipe_socket_or_device_and_does_not_hang)
{
        struct folder folder;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0);
        CHECK(mkfifo(path_of(&folder, "t/pipe"), 0600) == 0);
        CHECK(read_error(&folder, "t/pipe") == ERR_REFUSED);
        folder_done(&folder);
}

TEST(disk_folder, follows_no_link_that_someone_else_put_there)
{
        struct folder folder;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0);
        CHECK(symlink("/etc/passwd", path_of(&folder, "t/file")) == 0);
        CHECK(symlink("/etc", path_of(&folder, "t/etc")) == 0);
        CHECK(read_error(&folder, "t/file") == ERR_REFUSED);
        CHECK(read_error(&folder, "t/etc/passwd") == ERR_NOT_FOUND);
        int file = -1;
        CHECK(folder.disk->ops->create(folder.disk, "t/file", 0600, &file, NULL) == ERR_BUSY);
        CHECK(folder.disk->ops->create(folder.disk, "t/etc/new", 0600, &file, NULL) == ERR_NOT_FOUND);
        CHECK(folder.disk->ops->sync_folder(folder.disk, "t/etc", NULL) == ERR_NOT_FOUND);
        /* Replacing and removing act on the link itself. */
        CHECK(folder.disk->ops->replace(folder.disk, "t/file", "mine", 4, NULL) == OK);
        CHECK(read_error(&folder, "t/file") == OK && access("/etc/passwd", R_OK) == 0);
        folder_done(&folder);
        CHECK(access("/etc", R_OK) == 0);
}

TEST(disk_folder, takes_over_what_a_power_cut_left)
{
        struct folder folder;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0);
        int left = open(path_of(&folder, "t/.pending-record"), O_CREAT | O_WRONLY, 0600);
        CHECK(left >= 0 && write(left, "half", 4) == 4 && close(left) == 0);
        CHECK(folder.disk->ops->replace(folder.disk, "t/record", "whole", 5, NULL) == OK);
        CHECK(access(path_of(&folder, "t/.pending-record"), F_OK) != 0);
        struct stat stat;
        CHECK(lstat(path_of(&folder, "t/record"), &stat) == 0 && stat.st_size == 5 && (stat.st_mode & 0777) == 0600);
        folder_done(&folder);
}

static enum err count(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length, (void)why;
        ++*(int *)user;
        return OK;
}

TEST(disk_folder, does_not_list_what_is_still_pending)
{
        struct folder folder;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0);
        CHECK(symlink("x", path_of(&folder, "t/.pending-link")) == 0);
        int names = 0;
        CHECK(folder.disk->ops->list(folder.disk, "t", count, &names, NULL) == OK && names == 0);
        folder_done(&folder);
}

TEST(disk_folder, removes_deep_trees_up_to_a_limit)
{
        struct folder folder;
        folder_open(&folder);
        char path[500] = "t";
        CHECK(mkdir(path_of(&folder, path), 0700) == 0);
        for (int depth = 0; depth < 170; depth++) {
                snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
                CHECK(folder.disk->ops->make_folder(folder.disk, path, NULL) == OK);
        }
        CHECK(folder.disk->ops->remove_tree(folder.disk, "t", NULL) == ERR_LIMIT);
        path[strlen(path) - 2 * 15] = 0;
        CHECK(folder.disk->ops->remove_tree(folder.disk, path, NULL) == OK);
        folder_done(&folder);
}

TEST(disk_folder, knows_what_others_have_made_of_a_file)
{
        struct folder folder;
        struct disk *disk;
        char other[200];
        int file = -1;
        folder_open(&folder);
        disk = folder.disk;
        CHECK(disk->ops->make_folder(disk, "t", NULL) == OK && disk->ops->create(disk, "t/f", 0644, &file, NULL) == OK);
        disk->ops->file_close(disk, file);
        CHECK(disk->ops->is_as_made(disk, "t/f", 0644) && disk->ops->is_as_made(disk, "t", 0755));
        static const mode_t others[] = { 0600, 0666, 0755, 04644, 0444 };
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                CHECK(chmod(path_of(&folder, "t/f"), others[i]) == 0 && !disk->ops->is_as_made(disk, "t/f", 0644));
        CHECK(chmod(path_of(&folder, "t/f"), 0644) == 0 && disk->ops->is_as_made(disk, "t/f", 0644));
        snprintf(other, sizeof(other), "%s", path_of(&folder, "t/g"));
        CHECK(link(path_of(&folder, "t/f"), other) == 0 && !disk->ops->is_as_made(disk, "t/f", 0644));
        CHECK(unlink(other) == 0 && disk->ops->is_as_made(disk, "t/f", 0644));
        CHECK(symlink("f", other) == 0 && !disk->ops->is_as_made(disk, "t/g", 0644));
        CHECK(chmod(path_of(&folder, "t"), 0777) == 0 && !disk->ops->is_as_made(disk, "t", 0755));
        folder_done(&folder);
}

TEST(disk_folder, leaks_no_descriptor_on_failure)
{
        struct folder folder;
        folder_open(&folder);
        int before = dup(0);
        close(before);
        for (int i = 0; i < 20; i++) {
                CHECK(read_error(&folder, "a/b/c") == ERR_NOT_FOUND);
                CHECK(read_error(&folder, "a") == ERR_NOT_FOUND);
                CHECK(folder.disk->ops->rename(folder.disk, "a", "b/c", NULL) == ERR_NOT_FOUND);
                CHECK(folder.disk->ops->replace(folder.disk, "t/x", "", 0, NULL) == ERR_NOT_FOUND);
        }
        int after = dup(0);
        close(after);
        CHECK(before == after);
        folder_done(&folder);
}

/* A limit on the size of a file stands for a full disk: the same path, and no root needed. */
TEST(disk_folder, keeps_the_old_file_when_there_is_no_room_for_the_new)
{
        struct folder folder;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0);
        CHECK(folder.disk->ops->replace(folder.disk, "t/record", "old", 3, NULL) == OK);
        static char much[8192];
        struct rlimit old_limit, limit;
        CHECK(getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
        limit = (struct rlimit){ .rlim_cur = 4096, .rlim_max = old_limit.rlim_max };
        signal(SIGXFSZ, SIG_IGN);
        CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        enum err e = folder.disk->ops->replace(folder.disk, "t/record", much, sizeof(much), NULL);
        CHECK(setrlimit(RLIMIT_FSIZE, &old_limit) == 0);
        CHECK(e == ERR_FULL);
        struct stat stat;
        CHECK(lstat(path_of(&folder, "t/record"), &stat) == 0 && stat.st_size == 3);
        CHECK(access(path_of(&folder, "t/.pending-record"), F_OK) != 0);
        folder_done(&folder);
}

TEST(disk_folder_try, says_whether_a_file_can_be_made_and_leaves_nothing)
{
        struct folder folder;
        struct disk *proc = NULL;
        folder_open(&folder);
        CHECK(mkdir(path_of(&folder, "t"), 0700) == 0);
        int left = open(path_of(&folder, "t/.pending-record"), O_CREAT | O_WRONLY, 0600);
        CHECK(left >= 0 && close(left) == 0);
        CHECK(disk_folder_try(folder.disk, "t/record", NULL) == OK);
        CHECK(access(path_of(&folder, "t/record"), F_OK) != 0 && access(path_of(&folder, "t/.pending-record"), F_OK) != 0);
        CHECK(folder.disk->ops->replace(folder.disk, "t/record", "old", 3, NULL) == OK && disk_folder_try(folder.disk, "t/record", NULL) == OK);
        struct stat stat;
        CHECK(lstat(path_of(&folder, "t/record"), &stat) == 0 && stat.st_size == 3);
        CHECK(disk_folder_try(folder.disk, "none/record", NULL) == ERR_NOT_FOUND);
        CHECK(disk_folder_find("/proc", NULL, &proc, NULL) == OK && disk_folder_try(proc, "x", NULL) != OK);
        disk_folder_close(proc);
        folder_done(&folder);
}

TEST(disk_folder_is, knows_a_folder_under_another_name)
{
        struct folder folder, other;
        struct disk *again = NULL;
        char dotted[80];
        folder_open(&folder);
        folder_open(&other);
        snprintf(dotted, sizeof(dotted), "%s/.", folder.root);
        CHECK(disk_folder_find(dotted, NULL, &again, NULL) == OK && disk_folder_is(again, folder.disk) && !disk_folder_is(other.disk, folder.disk));
        disk_folder_close(again);
        folder_done(&folder);
        folder_done(&other);
}

TEST(disk_folder_part, is_one_process_alone_and_never_what_has_another_name_by_now)
{
        struct folder folder;
        int one = -1, other = -1;
        struct stat stat;
        folder_open(&folder);
        CHECK(disk_folder_part(folder.disk, "part", &one, NULL) == OK && write(one, "right", 5) == 5);
        CHECK(disk_folder_part(folder.disk, "part", &other, NULL) == ERR_BUSY && fstat(one, &stat) == 0 && stat.st_size == 5);
        CHECK(folder.disk->ops->rename(folder.disk, "part", "t", NULL) == OK);
        CHECK(disk_folder_part(folder.disk, "part", &other, NULL) == OK && write(other, "x", 1) == 1);
        CHECK(lstat(path_of(&folder, "t"), &stat) == 0 && stat.st_size == 5);
        CHECK(close(one) == 0 && close(other) == 0);
        CHECK(disk_folder_part(folder.disk, "part", &one, NULL) == OK && fstat(one, &stat) == 0 && stat.st_size == 0 && close(one) == 0);
        CHECK(unlink(path_of(&folder, "part")) == 0 && symlink("t", path_of(&folder, "part")) == 0 && disk_folder_part(folder.disk, "part", &one, NULL) != OK);
        CHECK(unlink(path_of(&folder, "part")) == 0 && mkfifo(path_of(&folder, "part"), 0600) == 0 && disk_folder_part(folder.disk, "part", &one, NULL) == ERR_REFUSED);
        CHECK(unlink(path_of(&folder, "part")) == 0);
        folder_done(&folder);
}
