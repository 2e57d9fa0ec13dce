/* listen.h - a socket that others connect to. */
#pragma once

#include "base/err.h"

enum { LISTEN_TEXT_MAX = 64 };

/* `address` as 127.0.0.1:8443, [::1]:8443 or localhost:8443; port 0 takes a free one. `ret_address` is what it became.
 * ERR_USAGE: no such address; ERR_BUSY: in use; ERR_REFUSED: needs a right that we do not have. */
MUST_CHECK enum err listen_open(const char *address, int *ret_socket, char ret_address[LISTEN_TEXT_MAX], struct why *why);
void listen_close(int socket);                                         /* -1 is fine */
