#include "platform/disk_folder.h"

#include "platform/channel.h"
#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <windows.h>

static struct disk *begin(char root[static 64])
{
        struct disk *disk = NULL;
        CHECK(file_temporary(root, NULL) == OK && disk_folder_open(root, &disk, NULL) == OK);
        return disk;
}

static void end(struct disk *disk, const char *root)
{
        disk_folder_close(disk);
        file_remove_tree(root);
        CHECK(file_kind(root) == FILE_ABSENT);
}

TEST(disk_folder, takes_no_name_that_windows_takes_for_something_else)
{
        static const char *const bad[] = { "a:b", "a:", "b\\c", "con", "NUL.txt", "com1", "lpt9.log", "dot.", "space ", "star*", "what?", "a|b", "<", ">", "\"", "LONGNA~1", "longna~1.txt", "\x01", "d/aux", "d/x:y" };
        char root[64];
        struct why why;
        struct disk *disk = begin(root);
        CHECK(disk->ops->make_folder(disk, "d", NULL) == OK);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                int file;
                CHECK(disk->ops->replace(disk, bad[i], "x", 1, &why) == ERR_USAGE);
                CHECK(disk->ops->create(disk, bad[i], 0644, &file, &why) == ERR_USAGE);
        }
        static const char *const good[] = { "console", "a~b", "com10", ".hidden", "ä ö", "a.b.c" };
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                CHECK(disk->ops->replace(disk, good[i], "x", 1, &why) == OK);
        end(disk, root);
}

TEST(disk_folder, keeps_its_own_files_from_whoever_names_them)
{
        char root[64], target[DISK_NAME_MAX + 1];
        struct disk *disk = begin(root);
        CHECK(disk->ops->make_folder(disk, "a", NULL) == OK && disk->ops->point(disk, "current", "a", NULL) == OK);
        CHECK(disk->ops->replace(disk, ".points-current", "b", 1, NULL) == ERR_REFUSED && disk->ops->replace(disk, ".pending-x", "b", 1, NULL) == ERR_REFUSED);
        CHECK(disk->ops->remove_tree(disk, ".points-current", NULL) == ERR_REFUSED);
        CHECK(disk->ops->pointed(disk, "current", target, NULL) == OK && strcmp(target, "a") == 0);
        end(disk, root);
}

TEST(disk_folder, takes_over_what_a_cut_left_behind)
{
        char root[64], path[96];
        struct disk *disk = begin(root);
        snprintf(path, sizeof(path), "%s/.pending-record", root);
        CHECK(file_write(path, "half", 4, NULL) == OK);
        CHECK(disk->ops->replace(disk, "record", "whole", 5, NULL) == OK && file_kind(path) == FILE_ABSENT);
        CHECK(file_write(path, "half", 4, NULL) == OK && disk_folder_try(disk, "record", NULL) == OK && file_kind(path) == FILE_ABSENT);
        OWN(buf) struct buf text;
        buf_init(&text, 100);
        CHECK(disk->ops->read(disk, "record", &text, NULL) == OK && strcmp(buf_text(&text), "whole") == 0);
        end(disk, root);
}

TEST(disk_folder, does_not_believe_a_pointer_that_leads_out)
{
        static const char *const bad[] = { "..", "../x", "", "a/b" };
        char root[64], path[96], target[DISK_NAME_MAX + 1];
        struct disk *disk = begin(root);
        snprintf(path, sizeof(path), "%s/.points-current", root);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CHECK(file_write(path, bad[i], strlen(bad[i]), NULL) == OK);
                CHECK(disk->ops->pointed(disk, "current", target, NULL) == ERR_NOT_FOUND);
        }
        end(disk, root);
}

TEST(disk_folder, replaces_a_file_that_somebody_reads)
{
        char root[64], bytes[8];
        int file;
        uint64_t length;
        size_t got = 0;
        struct disk *disk = begin(root);
        CHECK(disk->ops->replace(disk, "a", "old", 3, NULL) == OK && disk->ops->open(disk, "a", &file, &length, NULL) == OK && length == 3);
        CHECK(disk->ops->file_read(disk, file, bytes, sizeof(bytes), &got, NULL) == OK && got == 3 && memcmp(bytes, "old", 3) == 0);
        disk->ops->file_close(disk, file);
        CHECK(disk->ops->replace(disk, "a", "newer", 5, NULL) == OK && disk->ops->open(disk, "a", &file, &length, NULL) == OK && length == 5);
        disk->ops->file_close(disk, file);
        end(disk, root);
}

static DWORD WINAPI let_go(void *user)
{
        Sleep(100);
        CloseHandle(user);
        return 0;
}

/* As a scanner for viruses does, which lets nobody else near it. */
TEST(disk_folder, replaces_a_file_that_somebody_has_for_a_moment)
{
        char root[64], path[96];
        struct disk *disk = begin(root);
        OWN(buf) struct buf text;
        buf_init(&text, 16);
        CHECK(disk->ops->replace(disk, "a", "old", 3, NULL) == OK);
        snprintf(path, sizeof(path), "%s/a", root);
        HANDLE held = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
        HANDLE thread = held != INVALID_HANDLE_VALUE ? CreateThread(NULL, 0, let_go, held, 0, NULL) : NULL;
        CHECK(thread && disk->ops->replace(disk, "a", "newer", 5, NULL) == OK);
        CHECK(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && CloseHandle(thread));
        CHECK(disk->ops->read(disk, "a", &text, NULL) == OK && strcmp(buf_text(&text), "newer") == 0);
        end(disk, root);
}

TEST(disk_folder_lock, is_had_by_one)
{
        char root[64];
        struct disk *disk = begin(root), *other = NULL;
        struct why why;
        CHECK(disk_folder_lock(disk, NULL) == OK && disk_folder_find(root, NULL, &other, NULL) == OK);
        CHECK(disk_folder_lock(other, &why) == ERR_BUSY && strstr(why.text, "in use") && disk_folder_is(disk, other));
        disk_folder_close(disk);
        CHECK(disk_folder_lock(other, NULL) == OK);
        end(other, root);
}

TEST(disk_folder_part, is_empty_and_had_by_one)
{
        char root[64];
        int file, again;
        uint64_t length;
        struct disk *disk = begin(root);
        CHECK(disk->ops->replace(disk, "part", "from before", 11, NULL) == OK && disk_folder_part(disk, "part", &file, NULL) == OK);
        CHECK(disk_folder_part(disk, "part", &again, NULL) == ERR_BUSY);
        channel_close(file);
        CHECK(disk->ops->open(disk, "part", &again, &length, NULL) == OK && length == 0);
        channel_close(again);
        end(disk, root);
}

TEST(disk_folder_find, stays_below_the_root)
{
        char root[64];
        struct disk *disk = begin(root), *below = NULL;
        CHECK(disk->ops->make_folder(disk, "var", NULL) == OK && disk->ops->make_folder(disk, "var/lib", NULL) == OK);
        CHECK(disk_folder_find(root, "../x", &below, NULL) != OK && disk_folder_find(root, "none", &below, NULL) == ERR_NOT_FOUND);
        CHECK(disk_folder_find(root, "var/lib", &below, NULL) == OK && !disk_folder_is(disk, below));
        disk_folder_close(below);
        end(disk, root);
}
