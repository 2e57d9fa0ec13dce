#include "platform/listen.h"

#include "base/own.h"
#include "platform/os_error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, HOST_MAX = 255, PORT_MAX = 65535 };

static void release(struct addrinfo *found)
{
        if (found)
                freeaddrinfo(found);
}
OWN_DEFINE(addrinfo, struct addrinfo *, release)

/* host:port; an IPv6 host in brackets. */
static enum err split(const char *address, char host[HOST_MAX + 1], const char **ret_port, struct why *why)
{
        const char *colon = strrchr(address, ':');
        bool has_brackets = address[0] == '[' && colon && colon > address + 1 && colon[-1] == ']';
        const char *from = address + has_brackets, *end = colon ? colon - has_brackets : from;
        size_t length = (size_t)(end - from), digits = colon ? strspn(colon + 1, "0123456789") : 0;
        if (!digits || digits > 9 || colon[1 + digits] || !length || length > HOST_MAX || (!has_brackets && memchr(from, ':', length)))
                return FAIL(why, ERR_USAGE, "`%.80s` is no address to listen on: give HOST:PORT, as 127.0.0.1:8443 or [::1]:8443", address);
        if (strtol(colon + 1, NULL, 10) > PORT_MAX)
                return FAIL(why, ERR_USAGE, "`%.80s`: a port is a number from 0 to %d (--listen)", address, PORT_MAX);
        memcpy(host, from, length);
        host[length] = 0;
        *ret_port = colon + 1;
        return OK;
}

static enum err look_up(const char *address, struct addrinfo **ret_found, struct why *why)
{
        char host[HOST_MAX + 1];
        const char *port = NULL;
        const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
        enum err e = split(address, host, &port, why);
        if (e)
                return e;
        int code = getaddrinfo(host, port, &hints, ret_found);
        return code ? FAIL(why, ERR_USAGE, "%.80s: %s (--listen)", address, gai_strerror(code)) : OK;
}

static enum err complain(const char *address, int number, struct why *why)
{
        if (number == EADDRINUSE)
                return FAIL(why, ERR_BUSY, "%s is in use by another program: stop that one, or listen elsewhere (--listen)", address);
        if (number == EACCES)
                return FAIL(why, ERR_REFUSED, "%s: ports below 1024 need the right CAP_NET_BIND_SERVICE; take a higher one (--listen)", address);
        if (number == EADDRNOTAVAIL)
                return FAIL(why, ERR_USAGE, "%s is not an address of this machine (--listen)", address);
        return OS_FAIL(why, number, "listening on %s", address);
}

static enum err tell(int socket, char ret_address[LISTEN_TEXT_MAX], struct why *why)
{
        struct sockaddr_storage name;
        socklen_t length = sizeof(name);
        char host[48], port[8];
        if (getsockname(socket, (struct sockaddr *)&name, &length))
                return OS_FAIL(why, errno, "listening");
        if (getnameinfo((struct sockaddr *)&name, length, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
                return FAIL(why, ERR_IO, "the address that is listened on cannot be told");
        snprintf(ret_address, LISTEN_TEXT_MAX, name.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
        return OK;
}

enum err listen_open(const char *address, int *ret_socket, char ret_address[LISTEN_TEXT_MAX], struct why *why)
{
        OWN(addrinfo) struct addrinfo *found = NULL;
        enum err e = look_up(address, &found, why);
        if (e)
                return e;
        int one = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return complain(address, errno, why);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        e = bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG) ? complain(address, errno, why) : tell(fd, ret_address, why);
        if (e)
                close(fd);
        else
                *ret_socket = fd;
        return e;
}

void listen_close(int socket)
{
        if (socket >= 0)
                close(socket);
}
