/* local.h - a socket on this machine, by a path, with whole messages: who may connect, and who it is that did. On Windows a named pipe, which administrators and
 * the system may open where root may here.
 *
 * Nothing here waits, but local_connect() for its turn. An end is closed with channel_close(). */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { LOCAL_PATH_MAX = 107 };           /* the system's */

/* Is it where local_listen() could listen, as far as the text tells? ERR_USAGE. On Windows it is a named pipe, //./pipe/NAME; elsewhere an absolute path. */
MUST_CHECK enum err local_check(const char *path, struct why *why);
/* Root, this process' own user and the members of `group` (NULL: none) may connect. The path's folder is made if absent (not its parent); only its
 * owner, who is root or this user, may write to it. A socket that was left there is replaced. `ret_group` is for local_accept(). ERR_USAGE: too long, or no
 * such group; ERR_REFUSED: the folder is others', or something that is no socket is in the way. */
MUST_CHECK enum err local_listen(const char *path, const char *group, int *ret_socket, unsigned *ret_group, struct why *why);

enum { LOCAL_NO_GROUP = -1u };
struct local_peer {
        int end;
        unsigned user;
};
/* The next who wants in: ERR_NOT_FOUND when there is none now. Who may not is closed and reported as ERR_REFUSED, without a why. */
enum err local_accept(int socket, unsigned group, struct local_peer *ret_peer);

/* ERR_NOT_FOUND: nobody listens there. ERR_REFUSED: not to us. ERR_BUSY: there is a queue. */
MUST_CHECK enum err local_connect(const char *path, int *ret_end, struct why *why);

enum local_taken { LOCAL_NOTHING, LOCAL_MESSAGE, LOCAL_TOO_LONG, LOCAL_GONE };
enum local_taken local_take(int end, void *bytes, size_t bytes_max, size_t *ret_length);
/* False: gone, or does not read what it was sent. */
bool local_give(int end, const void *bytes, size_t length);
