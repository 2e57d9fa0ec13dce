#include "platform/channel.h"
#include "platform/local.h"
#include "platform/windows/pipe.h"
#include "support/test.h"

#include <string.h>
#include <windows.h>

enum { WAIT_MS = 10000 };
#define NAME "//./pipe/firebreak-test-pipe"

static bool waits_for(int end)
{
        bool ready[1];
        return channel_wait(&end, 1, WAIT_MS, ready, NULL) == OK && ready[0];
}

static enum local_taken takes(int end, void *bytes, size_t bytes_max, size_t *ret_length)
{
        *ret_length = 0;
        return waits_for(end) ? local_take(end, bytes, bytes_max, ret_length) : LOCAL_NOTHING;
}

static void listen(int *listener)
{
        unsigned group;
        CHECK(local_listen(NAME, NULL, listener, &group, NULL) == OK);
}

/* A listener that was closed goes a moment later. */
static enum err listen_again(int *listener)
{
        unsigned group;
        enum err e = ERR_REFUSED;
        for (int i = 0; i < WAIT_MS / 10 && e; i++, Sleep(10)) {
                struct why why;
                e = local_listen(NAME, NULL, listener, &group, &why);
        }
        return e;
}

static void meet(int listener, int *mine, struct local_peer *peer)
{
        struct why why = { .err = OK };
        if (local_connect(NAME, mine, &why))
                printf("# %s\n", why.text);
        CHECK(why.err == OK);
        CHECK(waits_for(listener) && local_accept(listener, LOCAL_NO_GROUP, peer) == OK);
}

TEST(pipe, knows_its_names)
{
        static const char *const good[] = { NAME, "\\\\.\\pipe\\x", "//./PIPE/edr.ask" }, *const bad[] = { "", "C:/x", "//./pipe/", "//./pipe/a/b", "//./pipe/a\\b", "//server/pipe/x", "/run/x", "//./pip" };
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                CHECK(pipe_is_name(good[i]));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!pipe_is_name(bad[i]));
}

TEST(pipe, carries_whole_messages_both_ways_and_never_waits)
{
        int listener = -1, mine = -1;
        struct local_peer peer = { -1, 0 };
        char bytes[64];
        size_t length;
        listen(&listener);
        CHECK(local_accept(listener, LOCAL_NO_GROUP, &peer) == ERR_NOT_FOUND);
        meet(listener, &mine, &peer);
        CHECK(peer.user != 0 && local_take(peer.end, bytes, sizeof(bytes), &length) == LOCAL_NOTHING);
        CHECK(local_give(mine, "one", 3) && local_give(mine, "two and more", 12));
        CHECK(takes(peer.end, bytes, sizeof(bytes), &length) == LOCAL_MESSAGE && length == 3 && memcmp(bytes, "one", 3) == 0);
        CHECK(takes(peer.end, bytes, 8, &length) == LOCAL_TOO_LONG);
        CHECK(local_give(peer.end, "back", 4) && takes(mine, bytes, sizeof(bytes), &length) == LOCAL_MESSAGE && length == 4 && memcmp(bytes, "back", 4) == 0);
        channel_close(mine);
        CHECK(takes(peer.end, bytes, sizeof(bytes), &length) == LOCAL_GONE);
        channel_close(peer.end);
        channel_close(listener);
}

TEST(pipe, says_too_long_of_what_is_longer_than_any_message)
{
        int listener = -1;
        struct local_peer peer = { -1, 0 };
        static char bytes[20000], heard[20000];
        size_t length;
        DWORD written;
        CHECK(listen_again(&listener) == OK);
        HANDLE pipe = CreateFileA("\\\\.\\pipe\\firebreak-test-pipe", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        CHECK(pipe != INVALID_HANDLE_VALUE && waits_for(listener) && local_accept(listener, LOCAL_NO_GROUP, &peer) == OK);
        CHECK(WriteFile(pipe, bytes, sizeof(bytes), &written, NULL) && WriteFile(pipe, "next", 4, &written, NULL));
        CHECK(takes(peer.end, heard, 5000, &length) == LOCAL_TOO_LONG);
        CHECK(takes(peer.end, heard, sizeof(heard), &length) == LOCAL_MESSAGE && length == 4 && memcmp(heard, "next", 4) == 0);
        /* The last words of who closes reach the one who still listens. */
        CHECK(local_give(peer.end, "deny\n", 5));
        channel_close(peer.end);
        CHECK(ReadFile(pipe, heard, sizeof(heard), &written, NULL) && written == 5 && memcmp(heard, "deny\n", 5) == 0);
        CHECK(!ReadFile(pipe, heard, sizeof(heard), &written, NULL));
        CloseHandle(pipe);
        channel_close(listener);
}

/* That only one process listens is not shown: wine 8 lets a second one. */
TEST(pipe, says_what_is_wrong_with_a_name_and_is_free_when_who_listened_ends)
{
        int listener = -1, second = -1;
        unsigned group;
        struct why why;
        CHECK(listen_again(&listener) == OK);
        CHECK(local_listen("C:/ask", NULL, &second, &group, &why) == ERR_USAGE && strstr(why.text, "//./pipe/NAME") && local_listen(NAME "-2", "no such group here", &second, &group, &why) == ERR_USAGE);
        channel_close(listener);
        CHECK(listen_again(&listener) == OK);
        channel_close(listener);
}

/* Many connect at once and some go without a word: each that asks is answered, and what was used is free again afterwards. */
TEST(pipe, outlives_a_crowd)
{
        enum { ROUNDS = 20, AT_ONCE = 24 };
        int listener = -1, mine[AT_ONCE];
        struct local_peer peers[AT_ONCE];
        char bytes[16];
        size_t length;
        DWORD before = 0, after = 0;
        CHECK(listen_again(&listener) == OK);
        for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < AT_ONCE; i++)
                        meet(listener, &mine[i], &peers[i]);
                for (int i = 0; i < AT_ONCE; i += 2)
                        CHECK(local_give(mine[i], "ask", 3) && takes(peers[i].end, bytes, sizeof(bytes), &length) == LOCAL_MESSAGE);
                for (int i = 0; i < AT_ONCE; i++) {
                        channel_close(i % 3 ? mine[i] : peers[i].end);
                        CHECK(takes(i % 3 ? peers[i].end : mine[i], bytes, sizeof(bytes), &length) == LOCAL_GONE);
                        channel_close(i % 3 ? peers[i].end : mine[i]);
                }
                Sleep(round == 1 || round == ROUNDS - 1 ? 300 : 0);
                if (round == 1)
                        CHECK(GetProcessHandleCount(GetCurrentProcess(), &before));
        }
        CHECK(GetProcessHandleCount(GetCurrentProcess(), &after) && after < before + AT_ONCE);
        channel_close(listener);
}

/* Who asks and does not read is left, and holds nobody up. */
TEST(pipe, never_waits_for_who_does_not_read)
{
        int listener = -1;
        struct local_peer peer = { -1, 0 };
        CHECK(listen_again(&listener) == OK);
        HANDLE pipe = CreateFileA("\\\\.\\pipe\\firebreak-test-pipe", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        CHECK(pipe != INVALID_HANDLE_VALUE && waits_for(listener) && local_accept(listener, LOCAL_NO_GROUP, &peer) == OK);
        static char bytes[4000];
        int sent = 0;
        while (sent < 100000 && local_give(peer.end, bytes, sizeof(bytes)))
                sent++;
        CHECK(sent > 0 && sent < 100000);
        channel_close(peer.end);
        CloseHandle(pipe);
        channel_close(listener);
}
