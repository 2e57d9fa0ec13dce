#include "platform/file.h"

#include "platform/child.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err read_into(const char *path, size_t most, struct buf *into, struct why *why)
{
        buf_init(into, most);
        return file_read(path, into, why);
}

TEST(file, is_written_for_its_owner_alone_and_read_back)
{
        char folder[64], path[128];
        CHECK(file_temporary(folder, NULL) == OK && file_kind(folder) == FILE_FOLDER);
        snprintf(path, sizeof(path), "%s/key", folder);
        CHECK(file_kind(path) == FILE_ABSENT);
        CHECK(file_write(path, "secret\n", 7, NULL) == OK && file_kind(path) == FILE_REGULAR);
        struct stat found;
        CHECK(stat(path, &found) == 0 && (found.st_mode & 0777) == 0600);
        OWN(buf) struct buf text;
        CHECK(read_into(path, 100, &text, NULL) == OK && strcmp(buf_text(&text), "secret\n") == 0);
        file_remove_tree(folder);
        CHECK(file_kind(folder) == FILE_ABSENT);
}

TEST(file, is_not_written_through_a_link)
{
        char folder[64], path[128];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/link", folder);
        CHECK(symlink("target", path) == 0);
        CHECK(file_write(path, "x", 1, NULL) != OK);
        file_remove_tree(folder);
}

TEST(file, says_what_cannot_be_read)
{
        struct why why;
        OWN(buf) struct buf none;
        CHECK(read_into("/nonexistent/file", 100, &none, &why) == ERR_NOT_FOUND && strstr(why.text, "/nonexistent/file"));
        OWN(buf) struct buf folder;
        CHECK(read_into("/", 100, &folder, &why) != OK);
        OWN(buf) struct buf endless;
        CHECK(read_into("/dev/zero", 100, &endless, &why) == ERR_LIMIT);
}

TEST(file_check_regular, refuses_what_would_be_waited_for)
{
        struct why why;
        char folder[64], path[80];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/pipe", folder);
        CHECK(mkfifo(path, 0600) == 0);
        CHECK(file_check_regular(path, &why) == ERR_REFUSED && strstr(why.text, path) && strstr(why.text, "pipe"));
        CHECK(file_check_regular(folder, &why) == ERR_REFUSED && strstr(why.text, "a folder"));
        CHECK(file_check_regular("/proc/version", &why) == OK && file_check_regular("/no/such/file", &why) == OK);
        file_remove_tree(folder);
}

TEST(file, reports_a_full_disk)
{
        struct why why;
        char block[4096] = "";
        CHECK(file_write("/dev/full", block, sizeof(block), &why) == ERR_FULL);
}

TEST(file_remove_tree, removes_links_and_not_what_they_point_to)
{
        char folder[64], other[64], path[128], kept[128];
        CHECK(file_temporary(folder, NULL) == OK && file_temporary(other, NULL) == OK);
        snprintf(kept, sizeof(kept), "%s/kept", other);
        CHECK(file_write(kept, "x", 1, NULL) == OK);
        snprintf(path, sizeof(path), "%s/link", folder);
        CHECK(symlink(other, path) == 0);
        file_remove_tree(folder);
        CHECK(file_kind(folder) == FILE_ABSENT && file_kind(kept) == FILE_REGULAR);
        file_remove_tree(other);
}

TEST(file_mark, differs_after_each_writing_and_is_0_for_what_is_absent)
{
        char folder[64], path[128];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/status", folder);
        CHECK(file_mark(path) == 0 && file_write(path, "state=ok", 8, NULL) == OK);
        uint64_t first = file_mark(path);
        CHECK(first != 0 && file_mark(path) == first);
        usleep(20000);
        CHECK(file_write(path, "state=ok", 8, NULL) == OK && file_mark(path) != first);
        file_remove_tree(folder);
}

static int make_both(void *user)
{
        file_private();
        return chdir(user) || mkdir("folder", 0777) || creat("file", 0666) < 0;
}

TEST(file_mode, is_kept_and_set_and_of_what_is_absent_that_of_a_new_one)
{
        char folder[64], path[96];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/f", folder);
        mode_t kept = umask(027);
        CHECK(file_mode(path) == 0640 && umask(027) == 027);
        (void)umask(kept);
        CHECK(file_write(path, "x", 1, NULL) == OK && file_mode(path) == 0600);
        file_set_mode(path, 0604);
        CHECK(file_mode(path) == 0604);
        file_remove_tree(folder);
}

TEST(file_private, keeps_what_is_made_after_it_for_the_owner)
{
        char folder[64], path[128];
        struct child child;
        struct child_end end = { 0 };
        CHECK(file_temporary(folder, NULL) == OK && child_fork(make_both, folder, &child, NULL) == OK);
        while (!child_ended(&child, &end))
                usleep(1000);
        CHECK(!end.is_signal && end.code == 0);
        for (int i = 0; i < 2; i++) {
                struct stat found;
                snprintf(path, sizeof(path), "%s/%s", folder, i ? "file" : "folder");
                CHECK(stat(path, &found) == 0 && (found.st_mode & 0777) == (i ? 0600 : 0700));
        }
        file_remove_tree(folder);
}

TEST(file_read_regular, takes_a_file_and_waits_for_nobody)
{
        char folder[64], path[80], link[80];
        struct why why;
        OWN(buf) struct buf text;
        buf_init(&text, 100);
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/pipe", folder);
        snprintf(link, sizeof(link), "%s/link", folder);
        CHECK(mkfifo(path, 0600) == 0 && symlink("pipe", link) == 0);
        alarm(20);                       /* it would wait for ever */
        CHECK(file_read_regular(path, &text, &why) == ERR_REFUSED && strstr(why.text, path));
        CHECK(file_read_regular(link, &text, NULL) == ERR_REFUSED && file_read_regular("/dev/zero", &text, NULL) == ERR_REFUSED);
        CHECK(file_read_regular(folder, &text, NULL) == ERR_REFUSED);
        alarm(0);
        file_remove(path);
        CHECK(file_read_regular(link, &text, NULL) == ERR_NOT_FOUND);
        CHECK(file_write(path, "here", 4, NULL) == OK && file_read_regular(link, &text, NULL) == OK && strcmp(buf_text(&text), "here") == 0);
        file_remove_tree(folder);
}

TEST(file_is_empty, looks_at_files_and_folders_and_takes_nothing_else_for_empty)
{
        char folder[64], path[128];
        CHECK(file_temporary(folder, NULL) == OK && file_is_empty(folder));
        snprintf(path, sizeof(path), "%s/x", folder);
        CHECK(!file_is_empty(path));
        CHECK(file_write(path, "", 0, NULL) == OK && file_is_empty(path) && !file_is_empty(folder));
        CHECK(file_write(path, "x", 1, NULL) == OK && !file_is_empty(path) && !file_is_empty("/dev/null"));
        file_remove_tree(folder);
}

static void count_bytes(void *user, const void *bytes, size_t length)
{
        CHECK(((const char *)bytes)[0] == 'a' && ((const char *)bytes)[length - 1] == 'a');
        *(size_t *)user += length;
}

TEST(file_read_parts, reads_a_file_that_is_longer_than_a_part_and_nothing_but_files)
{
        static char many[100000];
        char folder[64], path[128];
        size_t count = 0;
        memset(many, 'a', sizeof(many));
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/x", folder);
        CHECK(file_write(path, many, sizeof(many), NULL) == OK);
        CHECK(file_read_parts(path, count_bytes, &count, NULL) == OK && count == sizeof(many));
        CHECK(file_read_parts(folder, count_bytes, &count, NULL) == ERR_REFUSED && file_read_parts("/no/such", count_bytes, &count, NULL) == ERR_NOT_FOUND);
        file_remove_tree(folder);
}

TEST(file_can_be_read, says_so_beforehand)
{
        CHECK(file_can_be_read("/proc/self/status") && !file_can_be_read("/no/such/file"));
}
