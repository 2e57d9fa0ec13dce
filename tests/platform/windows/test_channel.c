#include "platform/channel.h"

#include "platform/file.h"
#include "support/test.h"

#include <string.h>

TEST(channel, keeps_messages_whole)
{
        int ends[2];
        char bytes[16];
        size_t length = 0;
        struct why why;
        CHECK(channel_open(ends, &why) == OK);
        CHECK(channel_send(ends[0], "one", 3, &why) == OK && channel_send(ends[0], "", 0, &why) == OK && channel_send(ends[0], "three", 5, &why) == OK);
        CHECK(channel_receive(ends[1], bytes, sizeof(bytes), &length, &why) == OK && length == 3 && memcmp(bytes, "one", 3) == 0);
        CHECK(channel_receive(ends[1], bytes, sizeof(bytes), &length, &why) == OK && length == 0);
        CHECK(channel_receive(ends[1], bytes, 4, &length, &why) == ERR_LIMIT && strstr(why.text, "5 bytes"));
        CHECK(channel_send(ends[1], "back", 4, &why) == OK && channel_receive(ends[0], bytes, sizeof(bytes), &length, &why) == OK && length == 4);
        channel_close(ends[0]);
        CHECK(channel_receive(ends[1], bytes, sizeof(bytes), &length, &why) == ERR_UNAVAILABLE);
        channel_close(ends[1]);
}

TEST(channel_wait, says_which_has_something)
{
        int one[2], other[2];
        bool ready[3];
        CHECK(channel_open(one, NULL) == OK && channel_pipe(other, NULL) == OK);
        const int files[] = { one[0], -1, other[0] };
        CHECK(channel_wait(files, 3, 5, ready, NULL) == OK && !ready[0] && !ready[1] && !ready[2]);
        CHECK(channel_send(other[1], "x", 1, NULL) == OK);
        CHECK(channel_wait(files, 3, 60000, ready, NULL) == OK && !ready[0] && !ready[1] && ready[2]);
        channel_close(one[1]);
        CHECK(channel_wait(files, 1, 60000, ready, NULL) == OK && ready[0]);
        channel_close(one[0]);
        channel_close(other[0]);
        channel_close(other[1]);
}

/* What was watched is waited for again as before. */
TEST(channel_wait, leaves_a_channel_as_it_was)
{
        int ends[2];
        bool ready;
        char bytes[4];
        size_t length;
        CHECK(channel_open(ends, NULL) == OK && channel_wait(ends, 1, 0, &ready, NULL) == OK && !ready);
        CHECK(channel_send(ends[1], "abc", 3, NULL) == OK && channel_receive(ends[0], bytes, sizeof(bytes), &length, NULL) == OK && length == 3);
        channel_close(ends[0]);
        channel_close(ends[1]);
}

TEST(channel_pipe, gives_what_is_there_and_never_waits)
{
        int ends[2];
        char bytes[8];
        CHECK(channel_pipe(ends, NULL) == OK && channel_pipe_take(ends[0], bytes, sizeof(bytes)) == 0 && channel_pipe_take(-1, bytes, sizeof(bytes)) == 0);
        CHECK(channel_pour(ends[1], "ab", 2, 1000, NULL) == OK);
        CHECK(channel_pipe_take(ends[0], bytes, sizeof(bytes)) == 2 && channel_pipe_take(ends[0], bytes, sizeof(bytes)) == 0);
        channel_close(ends[0]);
        channel_close(ends[1]);
}

TEST(channel_stream, is_drained_to_its_end_its_ceiling_or_its_time)
{
        int ends[2];
        OWN(buf) struct buf all, some;
        buf_init(&all, 100);
        buf_init(&some, 3);
        CHECK(channel_stream(ends, NULL) == OK && channel_drain(ends[1], &all, 20, NULL) == ERR_TIMEOUT);
        CHECK(channel_pour(ends[0], "all of it", 9, 1000, NULL) == OK && channel_drain(ends[1], &all, 10000, NULL) == OK && strcmp(buf_text(&all), "all of it") == 0);
        CHECK(channel_pour(ends[1], "too much", 8, 1000, NULL) == OK && channel_drain(ends[0], &some, 10000, NULL) == ERR_LIMIT);
        channel_close(ends[0]);
        channel_close(ends[1]);
}

TEST(channel_spool_open, goes_on_with_a_part_and_empties_all_else)
{
        char folder[64], path[96], other[96];
        int file;
        uint64_t length = 9;
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/part", folder);
        snprintf(other, sizeof(other), "%s/none/part", folder);
        CHECK(channel_spool_open(path, 100, &file, &length, NULL) == OK && length == 0);
        channel_close(file);
        CHECK(file_write(path, "12345", 5, NULL) == OK && channel_spool_open(path, 100, &file, &length, NULL) == OK && length == 5);
        channel_close(file);
        CHECK(channel_spool_open(path, 5, &file, &length, NULL) == OK && length == 0);
        channel_close(file);
        CHECK(file_is_empty(path) && channel_spool_open(other, 5, &file, &length, NULL) != OK && channel_spool_open(folder, 5, &file, &length, NULL) != OK);
        file_remove_tree(folder);
}
