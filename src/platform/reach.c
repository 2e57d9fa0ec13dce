#include "platform/reach.h"

#include "base/own.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_MAX = 255 };

static void release(struct addrinfo *found)
{
        if (found)
                freeaddrinfo(found);
}
OWN_DEFINE(addrinfo, struct addrinfo *, release)

static enum err split(const char *place, char host[HOST_MAX + 1], const char **ret_port, struct why *why)
{
        const char *colon = strrchr(place, ':');
        bool has_brackets = place[0] == '[' && colon && colon > place + 1 && colon[-1] == ']';
        const char *from = place + has_brackets;
        size_t length = colon ? (size_t)(colon - has_brackets - from) : 0, digits = colon ? strspn(colon + 1, "0123456789") : 0;
        if (!length || length > HOST_MAX || !digits || digits > 5 || colon[1 + digits] || (!has_brackets && memchr(from, ':', length)))
                return FAIL(why, ERR_USAGE, "`%.80s` must be HOST:PORT, as 192.0.2.1:443 or [2001:db8::1]:443", place);
        memcpy(host, from, length);
        host[length] = 0;
        *ret_port = colon + 1;
        return OK;
}

/* 0, or an error number. */
static int wait_for(int socket, int64_t timeout_ms)
{
        struct pollfd one = { socket, POLLOUT, 0 };
        int error = 0;
        socklen_t size = sizeof(error);
        if (poll(&one, 1, (int)timeout_ms) <= 0)
                return ETIMEDOUT;
        return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

static int reach(const struct addrinfo *address, int64_t timeout_ms)
{
        int file = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
        int error = file >= 0 && connect(file, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
        if (error == EINPROGRESS)
                error = wait_for(file, timeout_ms);
        if (file >= 0)
                close(file);
        return error;
}

enum err reach_tcp(const char *place, int64_t timeout_ms, struct why *why)
{
        OWN(addrinfo) struct addrinfo *found = NULL;
        char host[HOST_MAX + 1];
        const char *port = NULL;
        const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
        enum err e = split(place, host, &port, why);
        if (e)
                return e;
        int code = getaddrinfo(host, port, &hints, &found), error = EHOSTUNREACH;
        if (code)
                return FAIL(why, ERR_UNAVAILABLE, "%s: %s", host, gai_strerror(code));
        int64_t count = 0;
        for (const struct addrinfo *at = found; at; at = at->ai_next)
                count++;
        for (const struct addrinfo *at = found; error && at; at = at->ai_next)
                error = reach(at, timeout_ms / count);
        return error ? FAIL(why, ERR_UNAVAILABLE, "%s: %s", place, strerror(error)) : OK;
}
