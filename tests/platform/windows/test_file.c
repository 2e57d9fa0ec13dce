#include "platform/file.h"

#include "platform/channel.h"
#include "platform/file_at.h"
#include "platform/lock.h"
#include "platform/paths.h"
#include "support/test.h"

#include <string.h>

TEST(file, is_written_and_read_back)
{
        char folder[64], path[96];
        struct why why;
        OWN(buf) struct buf text, little;
        buf_init(&text, 100);
        buf_init(&little, 3);
        CHECK(file_temporary(folder, NULL) == OK && file_kind(folder) == FILE_FOLDER && file_is_empty(folder));
        snprintf(path, sizeof(path), "%s/k\xc3\xa4y", folder);
        CHECK(file_kind(path) == FILE_ABSENT && file_read(path, &text, &why) == ERR_NOT_FOUND && strstr(why.text, path));
        CHECK(file_write(path, "longer than that\n", 17, NULL) == OK && file_write(path, "secret\n", 7, NULL) == OK && file_kind(path) == FILE_REGULAR);
        CHECK(file_read(path, &text, NULL) == OK && strcmp(buf_text(&text), "secret\n") == 0 && file_read(path, &little, NULL) == ERR_LIMIT);
        CHECK(!file_is_empty(folder) && file_check_regular(folder, &why) == ERR_REFUSED && file_check_regular(path, NULL) == OK && file_can_be_read(path));
        CHECK(file_read_regular(folder, &text, NULL) == ERR_REFUSED);
        file_remove(path);
        CHECK(file_kind(path) == FILE_ABSENT && !file_can_be_read(path));
        file_remove_tree(folder);
        CHECK(file_kind(folder) == FILE_ABSENT);
}

TEST(file_mark, differs_when_the_file_was_replaced_and_is_0_for_what_is_absent)
{
        char folder[64], path[96];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/x", folder);
        CHECK(file_mark(path) == 0 && file_write(path, "a", 1, NULL) == OK);
        uint64_t first = file_mark(path);
        CHECK(first && file_mark(path) == first);
        file_remove_tree(folder);
}

TEST(file_at, reads_and_writes_in_places)
{
        char folder[64], path[96], bytes[4];
        int file;
        uint64_t length;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/x", folder);
        CHECK(channel_spool_open(path, 0, &file, &length, NULL) == OK && file_at_write(file, 0, "0123456789", 10, NULL) == OK && file_at_write(file, 2, "xy", 2, NULL) == OK);
        channel_close(file);
        CHECK(file_at_open(path, FILE_AT_NO_LINK, &file, &length, NULL) == OK && length == 10);
        CHECK(file_at_read(file, 1, bytes, 4) && memcmp(bytes, "1xy4", 4) == 0 && !file_at_read(file, 8, bytes, 4));
        channel_close(file);
        CHECK(file_at_open(folder, FILE_AT_LINKS, &file, &length, NULL) == ERR_REFUSED && file_at_open("C:/no/such", FILE_AT_LINKS, &file, &length, NULL) == ERR_NOT_FOUND);
        CHECK(channel_spool_open(path, 100, &file, &length, NULL) == OK && length == 10 && file_at_empty(file, NULL) == OK);
        channel_close(file);
        CHECK(file_is_empty(path));
        file_remove_tree(folder);
}

TEST(lock, is_had_by_one_at_a_time)
{
        char folder[64], path[96];
        int lock, other;
        struct why why;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/lock", folder);
        CHECK(lock_take(path, 0, &lock, NULL) == OK && lock_take(path, 0, &other, &why) == ERR_BUSY && strstr(why.text, path));
        lock_give(lock);
        CHECK(lock_take(path, 0, &other, NULL) == OK);
        lock_give(other);
        lock_give(-1);
        file_remove_tree(folder);
}

TEST(paths, are_absolute_with_a_drive_or_a_share)
{
        CHECK(paths_is_absolute("C:/x") && paths_is_absolute("d:\\x") && paths_is_absolute("\\\\server\\share"));
        CHECK(!paths_is_absolute("x") && !paths_is_absolute("C:x") && !paths_is_absolute("/x") && !paths_is_absolute("../x") && !paths_is_absolute(""));
}

TEST(paths_real, has_a_drive_and_no_backslash)
{
        char folder[64], real[PATH_MAX], own[PATH_MAX];
        struct why why;
        CHECK(file_temporary(folder, NULL) == OK && paths_real(folder, real, NULL) == OK && paths_is_absolute(real) && !strchr(real, '\\'));
        CHECK(paths_real("C:/no/such/thing", real, &why) == ERR_NOT_FOUND);
        CHECK(paths_own_program(own, NULL) == OK && paths_is_own_program(own) && !paths_is_own_program(folder));
        file_remove_tree(folder);
}

static enum err add(void *user, const char *path, struct why *why)
{
        (void)why;
        snprintf((char *)user + strlen(user), 100 - strlen(user), "%s ", strrchr(path, '/') + 1);
        return OK;
}

TEST(paths_like, finds_in_order)
{
        char folder[64], path[96], found[100] = "";
        CHECK(file_temporary(folder, NULL) == OK);
        static const char *const names[] = { "b.yar", "a.yar", "c.txt" };
        for (size_t i = 0; i < 3; i++) {
                snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
                CHECK(file_write(path, "x", 1, NULL) == OK);
        }
        snprintf(path, sizeof(path), "%s/*.yar", folder);
        CHECK(paths_like(path, add, found, NULL) == OK && strcmp(found, "a.yar b.yar ") == 0);
        file_remove_tree(folder);
}
