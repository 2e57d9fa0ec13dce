#include "platform/windows/pair.h"

#include "platform/windows/wide.h"

#include <winsock2.h>
#include <ws2tcpip.h>

enum { CONNECT_MS = 5000, TRIES = 16 };

static bool are_sockets_ready(void)
{
        static LONG is_started;
        WSADATA data;
        if (InterlockedCompareExchange(&is_started, 0, 0))
                return true;
        bool is_ready = WSAStartup(MAKEWORD(2, 2), &data) == 0;
        InterlockedExchange(&is_started, is_ready);
        return is_ready;
}

/* Without overlapped calls, so that a program which is given one for its standard input or output reads and writes it as a file. */
static SOCKET new_socket(void)
{
        return WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);
}

static void close_socket(SOCKET *socket)
{
        if (*socket != INVALID_SOCKET)
                closesocket(*socket);
        *socket = INVALID_SOCKET;
}

static bool listen_here(SOCKET listener, struct sockaddr_in *ret_address)
{
        int length = sizeof(*ret_address), one = 1;
        *ret_address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        return setsockopt(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&one, sizeof(one)) == 0
               && bind(listener, (const struct sockaddr *)ret_address, sizeof(*ret_address)) == 0 && listen(listener, 1) == 0
               && getsockname(listener, (struct sockaddr *)ret_address, &length) == 0;
}

/* Somebody else of this machine may have been quicker: whoever is not us is sent away. */
static SOCKET accept_own(SOCKET listener, SOCKET connected)
{
        struct sockaddr_in own, other;
        int length = sizeof(own);
        if (getsockname(connected, (struct sockaddr *)&own, &length))
                return INVALID_SOCKET;
        for (int i = 0; i < TRIES && pair_wait(wide_file((void *)listener), false, CONNECT_MS); i++) {
                length = sizeof(other);
                SOCKET end = accept(listener, (struct sockaddr *)&other, &length);
                if (end != INVALID_SOCKET && other.sin_port == own.sin_port && other.sin_addr.s_addr == own.sin_addr.s_addr)
                        return end;
                close_socket(&end);
        }
        return INVALID_SOCKET;
}

static bool set_up(SOCKET end)
{
        int one = 1;
        SetHandleInformation((HANDLE)end, HANDLE_FLAG_INHERIT, 0);
        return setsockopt(end, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof(one)) == 0;
}

enum err pair_open(int ret_ends[2], struct why *why)
{
        struct sockaddr_in address;
        if (!are_sockets_ready())
                return FAIL(why, ERR_IO, "making a channel: Windows Sockets do not start");
        SOCKET listener = new_socket(), one = new_socket(), other = INVALID_SOCKET;
        if (listener != INVALID_SOCKET && one != INVALID_SOCKET && listen_here(listener, &address) && connect(one, (const struct sockaddr *)&address, sizeof(address)) == 0)
                other = accept_own(listener, one);
        int failed = WSAGetLastError();
        close_socket(&listener);
        if (other == INVALID_SOCKET || !set_up(one) || !set_up(other)) {
                close_socket(&one);
                close_socket(&other);
                return FAIL(why, ERR_IO, "making a channel: Windows Sockets report error %d", failed);
        }
        ret_ends[0] = wide_file((void *)one);
        ret_ends[1] = wide_file((void *)other);
        return OK;
}

static SOCKET socket_of(int end)
{
        return (SOCKET)wide_handle(end);
}

/* Asked so, a socket does not wait any more: it is told to. */
static bool can_be_selected(int end)
{
        u_long waits = 0;
        return WSAEventSelect(socket_of(end), NULL, 0) == 0 && ioctlsocket(socket_of(end), FIONBIO, &waits) == 0;
}

/* Wine says nothing of the kind of a socket that was inherited, but waits for one as for any other. */
bool pair_is_socket(int end)
{
        int kind = 0, length = sizeof(kind);
        if (!are_sockets_ready())
                return false;
        return getsockopt(socket_of(end), SOL_SOCKET, SO_TYPE, (char *)&kind, &length) == 0 || (GetFileType(wide_handle(end)) == FILE_TYPE_PIPE && can_be_selected(end));
}

bool pair_wait(int end, bool to_write, int64_t timeout_ms)
{
        fd_set set, failed;
        FD_ZERO(&set);
        FD_ZERO(&failed);
        FD_SET(socket_of(end), &set);
        FD_SET(socket_of(end), &failed);
        int64_t ms = timeout_ms > 60000 ? 60000 : timeout_ms;
        struct timeval time = { .tv_sec = (long)(ms / 1000), .tv_usec = (long)(ms % 1000 * 1000) };
        return select(0, to_write ? NULL : &set, to_write ? &set : NULL, &failed, timeout_ms < 0 ? NULL : &time) > 0;
}

size_t pair_waiting(int end, bool *ret_is_gone)
{
        u_long count = 0;
        *ret_is_gone = false;
        if (!pair_wait(end, false, 0))
                return 0;
        if (ioctlsocket(socket_of(end), FIONREAD, &count) != 0)
                count = 0;
        *ret_is_gone = !count;
        return count;
}

static enum err gone_or_failed(const char *what, struct why *why)
{
        int failed = WSAGetLastError();
        if (failed == WSAECONNRESET || failed == WSAECONNABORTED || failed == WSAESHUTDOWN || failed == WSAENOTCONN)
                return FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
        return FAIL(why, ERR_IO, "%s: Windows Sockets report error %d", what, failed);
}

/* As a file is written: wine does not know an inherited socket by send(). */
enum err pair_send(int end, const void *bytes, size_t length, struct why *why)
{
        for (size_t done = 0; done < length;) {
                DWORD sent = 0;
                if (!WriteFile(wide_handle(end), (const char *)bytes + done, (DWORD)(length - done), &sent, NULL)) {
                        DWORD failed = GetLastError();
                        bool is_gone = failed == ERROR_NETNAME_DELETED || failed == ERROR_BROKEN_PIPE || failed == ERROR_NO_DATA || failed == ERROR_CONNECTION_ABORTED || failed == WSAECONNRESET;
                        return is_gone ? FAIL(why, ERR_UNAVAILABLE, "the other process is gone") : WIN_FAIL(why, failed, "sending");
                }
                done += sent;
        }
        return OK;
}

enum err pair_receive(int end, void *bytes, size_t length, struct why *why)
{
        if (!are_sockets_ready())
                return FAIL(why, ERR_IO, "receiving: Windows Sockets do not start");
        for (size_t done = 0; done < length;) {
                int got = recv(socket_of(end), (char *)bytes + done, (int)(length - done), 0);
                if (got < 0)
                        return gone_or_failed("receiving", why);
                if (got == 0)
                        return FAIL(why, ERR_UNAVAILABLE, "the other process is gone");
                done += (size_t)got;
        }
        return OK;
}
