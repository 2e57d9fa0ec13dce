#include "platform/local.h"

/* Engines ask the breaker over a socket that tells who they are. There is none here yet that would. */
enum err local_listen(const char *path, const char *group, int *ret_socket, unsigned *ret_group, struct why *why)
{
        (void)group, (void)ret_socket, (void)ret_group;
        return FAIL(why, ERR_UNAVAILABLE, "listening at %.107s: not on Windows", path);
}

enum err local_accept(int socket, unsigned group, struct local_peer *ret_peer)
{
        (void)socket, (void)group, (void)ret_peer;
        return ERR_NOT_FOUND;
}

enum err local_connect(const char *path, int *ret_end, struct why *why)
{
        (void)ret_end;
        return FAIL(why, ERR_NOT_FOUND, "nobody listens at %.107s: not on Windows", path);
}

enum local_taken local_take(int end, void *bytes, size_t bytes_max, size_t *ret_length)
{
        (void)end, (void)bytes, (void)bytes_max, (void)ret_length;
        return LOCAL_GONE;
}

bool local_give(int end, const void *bytes, size_t length)
{
        (void)end, (void)bytes, (void)length;
        return false;
}
