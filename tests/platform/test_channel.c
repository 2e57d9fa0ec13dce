#include "platform/channel.h"

#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(channel, carries_messages_whole_and_says_when_the_other_side_is_gone)
{
        int ends[2];
        char got[16];
        size_t length = 0;
        CHECK(channel_open(ends, NULL) == OK);
        CHECK(channel_send(ends[0], "abc", 3, NULL) == OK && channel_send(ends[0], "de", 2, NULL) == OK);
        CHECK(channel_receive(ends[1], got, sizeof(got), &length, NULL) == OK && length == 3 && memcmp(got, "abc", 3) == 0);
        CHECK(channel_receive(ends[1], got, 1, &length, NULL) == ERR_LIMIT);
        channel_close(ends[0]);
        CHECK(channel_receive(ends[1], got, sizeof(got), &length, NULL) == ERR_UNAVAILABLE);
        CHECK(channel_send(ends[1], "x", 1, NULL) == ERR_UNAVAILABLE);
        channel_close(ends[1]);
        channel_close(-1);
}

TEST(channel_wait, names_the_file_that_is_ready_and_leaves_out_absent_ones)
{
        int ends[2];
        bool ready[3] = { true, true, true };
        CHECK(channel_open(ends, NULL) == OK);
        const int files[] = { -1, ends[0], ends[1] };
        CHECK(channel_wait(files, 3, 0, ready, NULL) == OK && !ready[0] && !ready[1] && !ready[2]);
        CHECK(channel_send(ends[0], "x", 1, NULL) == OK);
        CHECK(channel_wait(files, 3, 1000, ready, NULL) == OK && !ready[0] && !ready[1] && ready[2]);
        channel_close(ends[0]);
        channel_close(ends[1]);
}

TEST(channel_signals, arrive_as_a_file_and_tell_an_end_from_a_child)
{
        int file = -1;
        bool ready;
        CHECK(channel_signals(&file, NULL) == OK);
        CHECK(!channel_signals_take(file));
        CHECK(raise(SIGCHLD) == 0 && channel_wait(&file, 1, 1000, &ready, NULL) == OK && ready && !channel_signals_take(file));
        CHECK(raise(SIGTERM) == 0 && channel_wait(&file, 1, 1000, &ready, NULL) == OK && ready && channel_signals_take(file));
        channel_close(file);
}

TEST(channel_spool_open, goes_on_with_a_part_and_never_through_a_link)
{
        char folder[] = "/tmp/channel-XXXXXX", path[64], link[64];
        CHECK(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/part", folder);
        snprintf(link, sizeof(link), "%s/link", folder);
        int file;
        uint64_t length = 9;
        CHECK(channel_spool_open(path, 9, &file, &length, NULL) == OK && length == 0);
        CHECK(write(file, "1234", 4) == 4);
        channel_close(file);
        CHECK(channel_spool_open(path, 5, &file, &length, NULL) == OK && length == 4);
        channel_close(file);
        CHECK(channel_spool_open(path, 4, &file, &length, NULL) == OK && length == 0 && lseek(file, 0, SEEK_END) == 0);
        channel_close(file);
        /* Another name of it is another file for whoever knows it by that. */
        int other;
        CHECK(linkat(AT_FDCWD, path, AT_FDCWD, link, 0) == 0 && channel_spool_open(link, 4, &other, &length, NULL) == ERR_REFUSED);
        CHECK(channel_spool_open(path, 4, &other, &length, NULL) == ERR_REFUSED && unlink(link) == 0);
        CHECK(mkfifo(link, 0600) == 0 && channel_spool_open(link, 9, &other, &length, NULL) == ERR_REFUSED && unlink(link) == 0);
        CHECK(symlink(path, link) == 0 && channel_spool_open(link, 9, &file, &length, NULL) == ERR_REFUSED);
        CHECK(unlink(link) == 0 && symlink(folder, link) == 0);
        snprintf(path, sizeof(path), "%s/link/part", folder);
        CHECK(channel_spool_open(path, 9, &file, &length, NULL) == ERR_IO);
        snprintf(path, sizeof(path), "%s/part", folder);
        CHECK(unlink(link) == 0 && unlink(path) == 0 && rmdir(folder) == 0);
}

TEST(channel_memory, is_read_from_its_start)
{
        int file;
        char got[8] = "";
        CHECK(channel_memory("bytes", 5, &file, NULL) == OK);
        CHECK(read(file, got, sizeof(got)) == 5 && memcmp(got, "bytes", 5) == 0);
        channel_close(file);
}
