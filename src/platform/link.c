#include "platform/link.h"

#include "platform/os_error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTION = 64 << 10 };

enum err link_open(int ret_ends[2], struct why *why)
{
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends))
                return OS_FAIL(why, errno, "connecting two processes");
        return OK;
}

void link_close(int end)
{
        if (end >= 0)
                close(end);
}

static enum err gone(struct why *why)
{
        return FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
}

static bool is_later(int number)
{
        return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

enum err link_read(int end, struct buf *into, size_t most, struct why *why)
{
        char bytes[PORTION];
        for (size_t total = 0; total < most;) {
                ssize_t got = recv(end, bytes, most - total < sizeof(bytes) ? most - total : sizeof(bytes), 0);
                if (got < 0 && is_later(errno))
                        return OK;
                if (got == 0 || (got < 0 && errno == ECONNRESET))
                        return total ? OK : gone(why);
                if (got < 0)
                        return OS_FAIL(why, errno, "reading from another process");
                buf_add(into, bytes, (size_t)got);
                enum err e = buf_check(into, why);
                if (e)
                        return DURING(why, e, "reading from another process");
                total += (size_t)got;
        }
        return OK;
}

enum err link_write(int end, struct buf *from, struct why *why)
{
        size_t sent = 0;
        int failed = 0;
        while (sent < from->length && !failed) {
                ssize_t more = send(end, from->bytes + sent, from->length - sent, MSG_NOSIGNAL);
                if (more < 0)
                        failed = errno;
                else
                        sent += (size_t)more;
        }
        if (sent) {
                memmove(from->bytes, from->bytes + sent, from->length - sent);
                from->length -= sent;
        }
        if (!failed || is_later(failed))
                return OK;
        return failed == EPIPE || failed == ECONNRESET ? gone(why) : OS_FAIL(why, failed, "writing to another process");
}

enum err link_wait(int end, bool wants_room, int64_t timeout_ms, struct why *why)
{
        struct pollfd wait = { .fd = end, .events = (short)(POLLIN | (wants_room ? POLLOUT : 0)) };
        int timeout = timeout_ms < 0 ? -1 : timeout_ms > 60000 ? 60000 : (int)timeout_ms;
        if (poll(&wait, 1, timeout) < 0 && errno != EINTR)
                return OS_FAIL(why, errno, "waiting for another process");
        return OK;
}
