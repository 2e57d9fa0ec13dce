#include "platform/channel.h"

#include "platform/child.h"
#include "support/test.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LONG = 3 << 20 };

/* Reads all, then says how much that was. */
static int count(void *user)
{
        const int *ends = user;
        OWN(buf) struct buf got;
        buf_init(&got, LONG + 1);
        channel_close(ends[0]);          /* or it never ends */
        if (channel_drain(ends[1], &got, 20000, NULL) != OK)
                return 1;
        return channel_pour(ends[1], &got.length, sizeof(got.length), 20000, NULL) != OK;
}

TEST(channel_pour, brings_more_than_a_socket_holds_and_the_answer_comes_back)
{
        int ends[2];
        struct child child = { 0 };
        size_t length = 0;
        OWN(buf) struct buf bytes, answer;
        buf_init(&bytes, LONG);
        buf_init(&answer, sizeof(length));
        char piece[4096] = { 1 };
        while (bytes.length < LONG)
                buf_add(&bytes, piece, sizeof(piece));
        CHECK(channel_stream(ends, NULL) == OK && child_fork(count, ends, &child, NULL) == OK);
        channel_close(ends[1]);
        CHECK(channel_pour(ends[0], bytes.bytes, bytes.length, 20000, NULL) == OK && channel_drain(ends[0], &answer, 20000, NULL) == OK);
        CHECK(answer.length == sizeof(length));
        memcpy(&length, answer.bytes, sizeof(length));
        CHECK(length == LONG);
        channel_close(ends[0]);
        child_kill(&child);
}

TEST(channel_drain, waits_for_no_end_that_does_not_come_and_takes_no_more_than_it_may)
{
        int ends[2];
        OWN(buf) struct buf got;
        buf_init(&got, 3);
        CHECK(channel_stream(ends, NULL) == OK);
        CHECK(send(ends[1], "abc", 3, 0) == 3 && channel_drain(ends[0], &got, 20, NULL) == ERR_TIMEOUT && got.length == 3);
        CHECK(send(ends[1], "d", 1, 0) == 1 && channel_drain(ends[0], &got, 20000, NULL) == ERR_LIMIT);
        char piece[16] = { 0 };
        channel_close(ends[1]);
        CHECK(channel_pour(ends[0], piece, sizeof(piece), 20, NULL) == ERR_UNAVAILABLE);
        channel_close(ends[0]);
}

TEST(channel_pour, gives_up_on_who_reads_nothing)
{
        int ends[2];
        static char much[LONG];
        CHECK(channel_stream(ends, NULL) == OK && channel_pour(ends[0], much, sizeof(much), 20, NULL) == ERR_TIMEOUT);
        channel_close(ends[0]);
        channel_close(ends[1]);
}

TEST(channel_connect, finds_who_listens_and_says_so_when_nobody_does)
{
        struct why why;
        char folder[] = "/tmp/channel-XXXXXX", too_long[200];
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int end = -1, messages = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        CHECK(mkdtemp(folder));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/fetch", folder);
        CHECK(channel_connect(address.sun_path, CHANNEL_MESSAGES, &end, &why) == ERR_UNAVAILABLE && strstr(why.text, "fetch") && end == -1);
        CHECK(bind(messages, (const struct sockaddr *)&address, sizeof(address)) == 0);
        CHECK(channel_connect(address.sun_path, CHANNEL_MESSAGES, &end, NULL) == ERR_UNAVAILABLE);           /* made, and nobody is there */
        CHECK(listen(messages, 1) == 0 && channel_connect(address.sun_path, CHANNEL_STREAM, &end, NULL) == ERR_UNAVAILABLE);
        CHECK(channel_connect(address.sun_path, CHANNEL_MESSAGES, &end, NULL) == OK && end >= 0);
        memset(too_long, 'x', sizeof(too_long) - 1);
        too_long[sizeof(too_long) - 1] = 0;
        CHECK(channel_connect(too_long, CHANNEL_STREAM, &end, NULL) == ERR_LIMIT);
        channel_close(end);
        channel_close(messages);
        CHECK(unlink(address.sun_path) == 0 && rmdir(folder) == 0);
}
