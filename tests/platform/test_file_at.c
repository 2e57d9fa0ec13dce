#include "platform/channel.h"
#include "platform/file.h"
#include "platform/file_at.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96], link_path[96];

static void begin(void)
{
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/file", folder);
        snprintf(link_path, sizeof(link_path), "%s/link", folder);
        CHECK(file_write(path, "0123456789", 10, NULL) == OK && symlink("file", link_path) == 0);
}

TEST(file_at, reads_where_it_is_told_and_all_or_nothing)
{
        int file = -1;
        uint64_t length = 0;
        char bytes[10];
        begin();
        CHECK(file_at_open(path, FILE_AT_NO_LINK, &file, &length, NULL) == OK && length == 10);
        CHECK(file_at_read(file, 3, bytes, 4) && memcmp(bytes, "3456", 4) == 0 && file_at_read(file, 0, bytes, 10) && file_at_read(file, 10, bytes, 0));
        CHECK(!file_at_read(file, 8, bytes, 3) && !file_at_read(file, 100, bytes, 1));
        channel_close(file);
        file_remove_tree(folder);
}

TEST(file_at, opens_files_and_waits_for_nothing_else)
{
        int file = -1;
        uint64_t length;
        begin();
        CHECK(file_at_open(link_path, FILE_AT_LINKS, &file, &length, NULL) == OK && length == 10);
        channel_close(file);
        CHECK(file_at_open(link_path, FILE_AT_NO_LINK, &file, &length, NULL) == ERR_REFUSED && file_at_open(folder, FILE_AT_LINKS, &file, &length, NULL) == ERR_REFUSED);
        CHECK(unlink(path) == 0 && file_at_open(path, FILE_AT_LINKS, &file, &length, NULL) == ERR_NOT_FOUND);
        CHECK(mkfifo(path, 0600) == 0 && file_at_open(path, FILE_AT_LINKS, &file, &length, NULL) == ERR_REFUSED);
        file_remove_tree(folder);
}

TEST(file_at, is_written_in_places_and_emptied)
{
        char place[64], name[96], bytes[4];
        CHECK(file_temporary(place, NULL) == OK);
        snprintf(name, sizeof(name), "%s/x", place);
        int file = open(name, O_RDWR | O_CREAT, 0600), full = open("/dev/full", O_WRONLY);
        struct why why;
        CHECK(file >= 0 && file_at_write(file, 0, "0123456789", 10, NULL) == OK && file_at_write(file, 2, "xy", 2, NULL) == OK);
        CHECK(file_at_read(file, 1, bytes, 4) && memcmp(bytes, "1xy4", 4) == 0 && !file_at_read(file, 8, bytes, 4));
        CHECK(file_at_empty(file, NULL) == OK && file_is_empty(name));
        CHECK(full >= 0 && file_at_write(full, 0, "x", 1, &why) == ERR_FULL && file_at_write(-1, 0, "x", 1, &why) == ERR_IO && file_at_empty(-1, &why) == ERR_IO);
        close(file);
        close(full);
        file_remove_tree(place);
}
