/* pipe.h - a named pipe that others of this machine connect to, whose connections are channels like all others. Used by the other sources of this folder, nobody else. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* `//./pipe/NAME`, with '\' as well. */
bool pipe_is_name(const char *path);

/* Administrators, the system, this process' own user and the members of `group` (NULL: none) may connect, and nobody from another machine. `ret_end` can be read
 * when there is a connection (pipe_next); closing it ends the listening. ERR_USAGE: no such name or group. ERR_REFUSED: another process listens there. */
MUST_CHECK enum err pipe_listen(const char *path, const char *group, int *ret_end, struct why *why);
struct pipe_connection { int end; unsigned user; };      /* `user`: the same number for the same user, as far as Windows tells; else for the same process */
bool pipe_next(int listener, struct pipe_connection *ret_connection);

/* To whom administrators, the system or our own user listens there; what anybody else has put in its place counts as nobody. ERR_NOT_FOUND; ERR_REFUSED; ERR_BUSY. */
MUST_CHECK enum err pipe_connect(const char *path, int *ret_end, struct why *why);
