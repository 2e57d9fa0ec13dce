#include "platform/local.h"

#include "platform/channel.h"
#include "platform/windows/pair.h"
#include "platform/windows/pipe.h"
#include "platform/windows/wide.h"

#include <string.h>
#include <winsock2.h>

enum {
        GIVEN_MAX = 8192,                /* of one message and its length */
        WHOLE_MS = 100,                  /* for a message of which the begin is there; a process of ours sends it in one breath */
};

enum err local_check(const char *path, struct why *why)
{
        return pipe_is_name(path) ? OK : FAIL(why, ERR_USAGE, "%.120s is no pipe: //./pipe/NAME", path);
}

enum err local_listen(const char *path, const char *group, int *ret_socket, unsigned *ret_group, struct why *why)
{
        *ret_group = LOCAL_NO_GROUP;             /* Windows itself lets nobody else in */
        return pipe_listen(path, group, ret_socket, why);
}

enum err local_accept(int socket, unsigned group, struct local_peer *ret_peer)
{
        struct pipe_connection connection;
        (void)group;
        if (!pipe_next(socket, &connection))
                return ERR_NOT_FOUND;
        *ret_peer = (struct local_peer){ connection.end, connection.user };
        return OK;
}

enum err local_connect(const char *path, int *ret_end, struct why *why)
{
        return pipe_connect(path, ret_end, why);
}

static enum local_taken pass_over(int end, size_t length)
{
        struct why why;
        char part[GIVEN_MAX];
        return length <= sizeof(part) && pair_receive(end, part, length, &why) == OK ? LOCAL_TOO_LONG : LOCAL_GONE;
}

/* A channel's message: its length, then itself (channel_send). */
enum local_taken local_take(int end, void *bytes, size_t bytes_max, size_t *ret_length)
{
        struct why why;
        uint32_t length = 0;
        bool is_gone;
        size_t there = pair_waiting(end, &is_gone);
        if (is_gone)
                return LOCAL_GONE;
        if (!there)
                return LOCAL_NOTHING;
        for (int i = 0; i < WHOLE_MS && there < sizeof(length); i++, there = pair_waiting(end, &is_gone))
                Sleep(1);
        if (there < sizeof(length) || pair_receive(end, &length, sizeof(length), &why))
                return LOCAL_GONE;
        if (length > bytes_max)
                return pass_over(end, length);
        for (int i = 0; i < WHOLE_MS && (there = pair_waiting(end, &is_gone)) < length && !is_gone; i++)
                Sleep(1);
        if (there < length || pair_receive(end, bytes, length, &why))
                return LOCAL_GONE;
        *ret_length = length;
        return LOCAL_MESSAGE;
}

bool local_give(int end, const void *bytes, size_t length)
{
        char given[GIVEN_MAX];
        const uint32_t header = (uint32_t)length;
        u_long waits_not = 1, waits = 0;
        SOCKET socket = (SOCKET)wide_handle(end);
        if (length > sizeof(given) - sizeof(header))
                return false;
        memcpy(given, &header, sizeof(header));
        memcpy(given + sizeof(header), bytes, length);
        (void)ioctlsocket(socket, FIONBIO, &waits_not);
        int sent = send(socket, given, (int)(sizeof(header) + length), 0);
        (void)ioctlsocket(socket, FIONBIO, &waits);
        return sent == (int)(sizeof(header) + length);
}
