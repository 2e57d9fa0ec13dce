/* pass.h - one connection of a named pipe as a channel. Used by the other sources of this folder, nobody else.
 *
 * What is waited for together here are sockets and events (pair.h), and a pipe is neither: each connection has a thread that takes the messages from the one to the
 * other, as they are, until one side is gone. Nobody turns in a circle for that. */
#pragma once

#include "base/err.h"

enum { PASS_BYTES_MAX = 8192 };          /* of a message; a longer one arrives as one of so many bytes */

/* Takes the handle of the pipe, which was opened for overlapped calls and has messages. `ret_end` is the caller's, for channel_send() and channel_receive(). `used`
 * (NULL: nobody counts) is one more for as long as the connection lasts. */
MUST_CHECK enum err pass_on(void *pipe, long *used, int *ret_end, struct why *why);
/* One less, and freed by the last. */
void pass_put_down(long *used);
