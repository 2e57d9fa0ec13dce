#include "platform/channel.h"

#include "platform/os_error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum err channel_stream(int ret_ends[2], struct why *why)
{
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_ends))
                return OS_FAIL(why, errno, "making a channel");
        return OK;
}

/* A socket whose backlog is full would be waited for: it does not, and is told as one at which nobody listens. */
static bool is_connected(int end, const struct sockaddr_un *address, int *ret_failed)
{
        struct timeval short_while = { .tv_sec = 1 };
        bool is_there = !setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &short_while, sizeof(short_while)) && !connect(end, (const struct sockaddr *)address, sizeof(*address));
        *ret_failed = is_there ? 0 : errno;
        return is_there;
}

enum err channel_connect(const char *path, enum channel_kind kind, int *ret_end, struct why *why)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int failed = 0;
        if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= sizeof(address.sun_path))
                return FAIL(why, ERR_LIMIT, "%.150s is too long for a socket", path);
        int end = socket(AF_UNIX, (kind == CHANNEL_STREAM ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0);
        if (end < 0)
                return OS_FAIL(why, errno, "making a channel");
        if (!is_connected(end, &address, &failed)) {
                close(end);
                return FAIL(why, ERR_UNAVAILABLE, "connecting to %.150s: %s", path, strerror(failed));
        }
        *ret_end = end;
        return OK;
}

static enum err wait_for(int end, short events, int64_t until_ms, struct why *why)
{
        struct pollfd one = { .fd = end, .events = events };
        int64_t left_ms = until_ms - now_ms();
        int ready = left_ms <= 0 ? 0 : poll(&one, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (ready < 0 && errno != EINTR)
                return OS_FAIL(why, errno, "waiting");
        return left_ms <= 0 ? FAIL(why, ERR_TIMEOUT, "the other process took too long") : OK;
}

/* Try again later, or how it failed. */
static enum err judge(struct why *why)
{
        if (errno == EAGAIN || errno == EINTR)
                return OK;
        if (errno == EPIPE || errno == ECONNRESET)
                return FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
        return OS_FAIL(why, errno, "a channel");
}

enum err channel_pour(int end, const void *bytes, size_t length, int64_t timeout_ms, struct why *why)
{
        int64_t until_ms = now_ms() + timeout_ms;
        enum err e = OK;
        for (size_t done = 0; !e && done < length;) {
                ssize_t sent = send(end, (const char *)bytes + done, length - done, MSG_NOSIGNAL | MSG_DONTWAIT);
                done += sent > 0 ? (size_t)sent : 0;
                e = sent < 0 ? judge(why) : OK;
                if (!e && done < length)
                        e = wait_for(end, POLLOUT, until_ms, why);
        }
        if (!e && shutdown(end, SHUT_WR))
                e = judge(why);
        return e;
}

enum err channel_drain(int end, struct buf *into, int64_t timeout_ms, struct why *why)
{
        char piece[4096];
        int64_t until_ms = now_ms() + timeout_ms;
        for (;;) {
                ssize_t got = recv(end, piece, sizeof(piece), MSG_DONTWAIT);
                if (got == 0)
                        return OK;
                enum err e = got < 0 ? judge(why) : OK;
                if (got > 0)
                        buf_add(into, piece, (size_t)got);
                if (!e)
                        e = buf_check(into, why);
                if (!e && got < 0)
                        e = wait_for(end, POLLIN, until_ms, why);
                if (!e && now_ms() >= until_ms)
                        e = FAIL(why, ERR_TIMEOUT, "the other process took too long");
                if (e)
                        return e;
        }
}
