/* head.h - our own reading of a request's head: one spelling of everything, all else refused with a reason.
 *
 * Pure: bytes in, texts and numbers out. A status is 0 when all is well, else what to answer (400, 414, 417, 431, 501, 505). */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct http_request;

/* One line with its end. Called as lines arrive, so that a client cannot dribble nonsense for long. */
MUST_CHECK int head_line_check(const char *line, size_t length, bool is_first, struct why *why);

/* `head` is all lines, checked, and the empty one. NULs are written into it, and the texts of `request` point there. */
MUST_CHECK int head_read(char *head, size_t length, struct http_request *request, struct why *why);
