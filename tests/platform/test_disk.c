/* What disk.h promises, asked of the real folder and of the simulated disk alike: tests on one then say something of the other. */
#include "platform/disk.h"

#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/sim_disk.h"
#include "support/test.h"

#include <string.h>

enum { READ_MAX = 1000 };

static bool holds(struct disk *disk, const char *path, const char *expected)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, READ_MAX);
        return disk->ops->read(disk, path, &buf, NULL) == OK && strcmp(buf_text(&buf), expected) == 0;
}

static enum err read_error(struct disk *disk, const char *path, size_t bytes_max)
{
        OWN(buf) struct buf buf;
        buf_init(&buf, bytes_max);
        return disk->ops->read(disk, path, &buf, NULL);
}

static enum err replace(struct disk *disk, const char *path, const char *text)
{
        return disk->ops->replace(disk, path, text, strlen(text), NULL);
}

static void write_file(struct disk *disk, const char *path, const char *text)
{
        int file = -1;
        CHECK(disk->ops->create(disk, path, 0644, &file, NULL) == OK);
        CHECK(disk->ops->file_write(disk, file, text, strlen(text), NULL) == OK);
        CHECK(disk->ops->file_sync(disk, file, NULL) == OK);
        disk->ops->file_close(disk, file);
}

static enum err collect(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        static const char letters[] = { [DISK_FILE] = 'f', [DISK_FOLDER] = 'd', [DISK_LINK] = 'l', [DISK_OTHER] = '?' };
        (void)why;
        struct { char text[32]; } *rows = user;
        for (int i = 0; i < 8; i++)
                if (!rows[i].text[0]) {
                        snprintf(rows[i].text, sizeof(rows[i].text), "%c %s %d", letters[kind], name, (int)length);
                        break;
                }
        return OK;
}

static int compare_rows(const void *a, const void *b) { return strcmp(a, b); }

/* The listing, sorted, in one line. */
static bool lists(struct disk *disk, const char *path, const char *expected)
{
        struct { char text[32]; } rows[8] = { { "" } };
        CHECK(disk->ops->list(disk, path, collect, rows, NULL) == OK);
        qsort(rows, 8, sizeof(rows[0]), compare_rows);
        char line[300] = "";
        for (int i = 0; i < 8; i++)
                if (rows[i].text[0])
                        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", line[0] ? ", " : "", rows[i].text);
        return strcmp(line, expected) == 0;
}

static void check_files(struct disk *disk)
{
        CHECK(read_error(disk, "a", 100) == ERR_NOT_FOUND);
        CHECK(replace(disk, "a", "one") == OK && holds(disk, "a", "one"));
        CHECK(replace(disk, "a", "twelve") == OK && holds(disk, "a", "twelve"));
        CHECK(read_error(disk, "a", 5) == ERR_LIMIT && read_error(disk, "a", 6) == OK);
        CHECK(replace(disk, "none/a", "x") == ERR_NOT_FOUND);
        CHECK(replace(disk, "a/b", "x") == ERR_NOT_FOUND);
        CHECK(replace(disk, "empty", "") == OK && holds(disk, "empty", ""));
}

static void check_handles(struct disk *disk)
{
        write_file(disk, "f", "0123456789");
        int file = -1;
        CHECK(disk->ops->create(disk, "f", 0644, &file, NULL) == ERR_BUSY && file == -1);
        CHECK(disk->ops->create(disk, "none/f", 0644, &file, NULL) == ERR_NOT_FOUND && file == -1);
        uint64_t length = 0;
        CHECK(disk->ops->open(disk, "f", &file, &length, NULL) == OK && length == 10);
        char bytes[6];
        size_t got = 0;
        CHECK(disk->ops->file_read(disk, file, bytes, 6, &got, NULL) == OK && got == 6 && memcmp(bytes, "012345", 6) == 0);
        CHECK(disk->ops->file_read(disk, file, bytes, 6, &got, NULL) == OK && got == 4 && memcmp(bytes, "6789", 4) == 0);
        CHECK(disk->ops->file_read(disk, file, bytes, 6, &got, NULL) == OK && got == 0);
        disk->ops->file_close(disk, file);
        CHECK(disk->ops->open(disk, "absent", &file, &length, NULL) == ERR_NOT_FOUND);
        disk->ops->file_close(disk, -1);
}

static bool is_program(struct disk *disk, const char *path)
{
        int file;
        uint64_t length;
        CHECK(disk->ops->open(disk, path, &file, &length, NULL) == OK);
        bool is_program = disk->ops->file_is_program(disk, file);
        disk->ops->file_close(disk, file);
        return is_program;
}

/* On Windows whatever is there may be run, and a disk says so. */
static bool keeps_modes(struct disk *disk)
{
#ifdef _WIN32
        return !is_program(disk, "b");
#else
        (void)disk;
        return true;
#endif
}

static void check_programs(struct disk *disk)
{
        int file;
        CHECK(disk->ops->create(disk, "a", 0755, &file, NULL) == OK && disk->ops->file_is_program(disk, file));
        disk->ops->file_close(disk, file);
        write_file(disk, "b", "x");
        if (!keeps_modes(disk))
                return;
        CHECK(is_program(disk, "a") && !is_program(disk, "b"));
        CHECK(disk->ops->rename(disk, "a", "b", NULL) == OK && is_program(disk, "b"));
        CHECK(replace(disk, "b", "y") == OK && !is_program(disk, "b"));
}

static void check_as_made(struct disk *disk)
{
        int file;
        CHECK(disk->ops->create(disk, "a", 0755, &file, NULL) == OK && disk->ops->make_folder(disk, "d", NULL) == OK);
        disk->ops->file_close(disk, file);
        CHECK(disk->ops->create(disk, "d/b", 0644, &file, NULL) == OK);
        disk->ops->file_close(disk, file);
        CHECK(disk->ops->is_as_made(disk, "a", 0755) && disk->ops->is_as_made(disk, "d", 0755) && disk->ops->is_as_made(disk, "d/b", 0644));
        write_file(disk, "b", "x");
        if (!keeps_modes(disk))
                return;
        CHECK(!disk->ops->is_as_made(disk, "a", 0644) && !disk->ops->is_as_made(disk, "d/b", 0755));
        CHECK(!disk->ops->is_as_made(disk, "none", 0644) && !disk->ops->is_as_made(disk, "none/b", 0644) && !disk->ops->is_as_made(disk, "a/b", 0644));
        CHECK(disk->ops->point(disk, "current", "a", NULL) == OK && !disk->ops->is_as_made(disk, "current", 0755));
}

static void check_folders(struct disk *disk)
{
        CHECK(lists(disk, "", ""));
        CHECK(disk->ops->make_folder(disk, "d", NULL) == OK && disk->ops->make_folder(disk, "d", NULL) == OK);
        CHECK(disk->ops->make_folder(disk, "x/y", NULL) == ERR_NOT_FOUND);
        CHECK(disk->ops->make_folder(disk, "d/e", NULL) == OK);
        write_file(disk, "d/e/f", "12345");
        CHECK(disk->ops->make_folder(disk, "d/e/f", NULL) == ERR_REFUSED);
        CHECK(disk->ops->sync_folder(disk, "d/e", NULL) == OK && disk->ops->sync_folder(disk, "", NULL) == OK);
        CHECK(disk->ops->sync_folder(disk, "none", NULL) == ERR_NOT_FOUND);
        CHECK(disk->ops->point(disk, "d/current", "e", NULL) == OK);
        CHECK(lists(disk, "", "d d 0") && lists(disk, "d", "d e 0, l current 0") && lists(disk, "d/e", "f f 5"));
        CHECK(disk->ops->list(disk, "d/e/f", collect, NULL, NULL) == ERR_NOT_FOUND);
        CHECK(read_error(disk, "d", 10) == ERR_REFUSED);
        CHECK(replace(disk, "d", "x") == ERR_REFUSED);
        CHECK(disk->ops->remove_tree(disk, "d", NULL) == OK && disk->ops->remove_tree(disk, "d", NULL) == OK);
        CHECK(disk->ops->remove_tree(disk, "d/e", NULL) == OK);
        CHECK(lists(disk, "", ""));
}

static void check_removals(struct disk *disk)
{
        write_file(disk, "a", "one");
        CHECK(disk->ops->make_folder(disk, "d", NULL) == OK && disk->ops->point(disk, "current", "a", NULL) == OK);
        CHECK(disk->ops->remove(disk, "current", NULL) == OK && holds(disk, "a", "one"));
        CHECK(disk->ops->remove(disk, "a", NULL) == OK && disk->ops->remove(disk, "a", NULL) == ERR_NOT_FOUND);
        CHECK(disk->ops->remove(disk, "d", NULL) == ERR_REFUSED && disk->ops->remove(disk, "d/../d", NULL) == ERR_USAGE);
        CHECK(lists(disk, "", "d d 0"));
}

static void check_systems(struct disk *disk)
{
        int system = -1, none = -1;
        CHECK(disk->ops->open_system(disk, "none", &none, NULL) == ERR_NOT_FOUND && none == -1);
        write_file(disk, "f", "x");
        CHECK(disk->ops->open_system(disk, "f", &none, NULL) == ERR_NOT_FOUND && none == -1);
        CHECK(disk->ops->make_folder(disk, "d", NULL) == OK && disk->ops->open_system(disk, "d", &system, NULL) == OK);
        write_file(disk, "d/f", "two");
        if (system < 0)                          /* one that cannot: each file is synced there */
                return;
        CHECK(disk->ops->sync_system(disk, system, NULL) == OK && holds(disk, "d/f", "two"));
        CHECK(disk->ops->sync_system(disk, system, NULL) == OK);
        disk->ops->file_close(disk, system);
        CHECK(disk->ops->sync_system(disk, system, NULL) == ERR_IO);
}

static void check_renames(struct disk *disk)
{
        write_file(disk, "a", "one");
        write_file(disk, "b", "two");
        CHECK(disk->ops->make_folder(disk, "d", NULL) == OK);
        CHECK(disk->ops->rename(disk, "a", "b", NULL) == OK && holds(disk, "b", "one"));
        CHECK(disk->ops->rename(disk, "a", "c", NULL) == ERR_NOT_FOUND);
        CHECK(disk->ops->rename(disk, "b", "d/b", NULL) == OK && lists(disk, "", "d d 0"));
        CHECK(disk->ops->make_folder(disk, "e", NULL) == OK);
        CHECK(disk->ops->rename(disk, "d", "e", NULL) == OK && holds(disk, "e/b", "one"));
        CHECK(disk->ops->make_folder(disk, "d", NULL) == OK);
        CHECK(disk->ops->rename(disk, "d", "e", NULL) == ERR_BUSY && lists(disk, "", "d d 0, d e 0"));
}

static void check_links(struct disk *disk)
{
        CHECK(disk->ops->make_folder(disk, "a", NULL) == OK);
        CHECK(replace(disk, "a/file", "in a") == OK);
        CHECK(disk->ops->point(disk, "current", "a", NULL) == OK && disk->ops->point(disk, "current", "b", NULL) == OK);
        char target[DISK_NAME_MAX + 1] = "";
        CHECK(disk->ops->pointed(disk, "current", target, NULL) == OK && strcmp(target, "b") == 0);
        CHECK(disk->ops->point(disk, "current", "a", NULL) == OK);
        CHECK(disk->ops->pointed(disk, "a", target, NULL) == ERR_NOT_FOUND && disk->ops->pointed(disk, "a/file", target, NULL) == ERR_NOT_FOUND);
        CHECK(disk->ops->pointed(disk, "none", target, NULL) == ERR_NOT_FOUND);
        CHECK(read_error(disk, "current/file", 100) == ERR_NOT_FOUND);         /* never through a link */
        CHECK(read_error(disk, "current", 100) == ERR_REFUSED);
        CHECK(replace(disk, "current/new", "x") == ERR_NOT_FOUND);
        CHECK(disk->ops->point(disk, "bad", "../a", NULL) == ERR_USAGE && disk->ops->point(disk, "bad", "..", NULL) == ERR_USAGE);
        CHECK(disk->ops->point(disk, "a", "b", NULL) == ERR_REFUSED);
        CHECK(disk->ops->remove_tree(disk, "current", NULL) == OK && holds(disk, "a/file", "in a"));
}

static void check_paths(struct disk *disk)
{
        static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "./a", "a/./b" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CHECK(replace(disk, bad[i], "x") == ERR_USAGE);
                CHECK(read_error(disk, bad[i], 10) == ERR_USAGE);
                CHECK(disk->ops->remove_tree(disk, bad[i], NULL) == ERR_USAGE);
                CHECK(disk->ops->rename(disk, bad[i], "x", NULL) == ERR_USAGE);
        }
        char long_path[DISK_PATH_MAX + 2];
        for (size_t i = 0; i < sizeof(long_path); i++)
                long_path[i] = i % 2 ? '/' : 'a';
        long_path[sizeof(long_path) - 1] = 0;
        CHECK(replace(disk, long_path, "x") == ERR_LIMIT);
        char long_name[DISK_NAME_MAX + 2];
        memset(long_name, 'a', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = 0;
        CHECK(replace(disk, long_name, "x") == ERR_USAGE);
}

static enum err stop(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)name, (void)kind, (void)length;
        ++*(int *)user;
        return FAIL(why, ERR_REFUSED, "enough");
}

static void check_visits(struct disk *disk)
{
        CHECK(replace(disk, "a", "") == OK && replace(disk, "b", "") == OK);
        int visits = 0;
        CHECK(disk->ops->list(disk, "", stop, &visits, NULL) == ERR_REFUSED && visits == 1);
        uint64_t room = 0;
        CHECK(disk->ops->free_bytes(disk, &room, NULL) == OK && room > 0);
}

static void on_both(void (*check)(struct disk *disk))
{
        OWN(sim_disk) struct sim_disk sim;
        sim_disk_init(&sim);
        check(&sim.disk);

        char root[64];
        CHECK(file_temporary(root, NULL) == OK);
        OWN(disk_folder) struct disk *disk = NULL;
        CHECK(disk_folder_open(root, &disk, NULL) == OK);
        check(disk);
        static const char *const left[] = { "a", "b", "d", "e", "f", "empty", "current" };
        for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
                CHECK(disk->ops->remove_tree(disk, left[i], NULL) == OK);
        CHECK(file_is_empty(root));                  /* nothing else was left in it */
        disk_folder_close(disk);
        disk = NULL;
        file_remove_tree(root);
}

TEST(every_disk, replaces_and_reads_whole_files) { on_both(check_files); }
TEST(every_disk, writes_and_reads_by_handle) { on_both(check_handles); }
TEST(every_disk, makes_lists_and_removes_folders) { on_both(check_folders); }
TEST(every_disk, knows_programs) { on_both(check_programs); }
TEST(every_disk, knows_what_it_would_make_itself) { on_both(check_as_made); }
TEST(every_disk, removes_a_file_or_a_link_and_no_folder) { on_both(check_removals); }
TEST(every_disk, syncs_a_file_system_that_was_opened) { on_both(check_systems); }
TEST(every_disk, renames_as_posix_does) { on_both(check_renames); }
TEST(every_disk, follows_no_link) { on_both(check_links); }
TEST(every_disk, refuses_paths_that_could_lead_out) { on_both(check_paths); }
TEST(every_disk, stops_when_the_visitor_says_so) { on_both(check_visits); }
