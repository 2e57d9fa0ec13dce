/* percent.h - a byte of a name that somebody else chose, for names of files and URLs: itself if it is a letter, a digit or one of `_-.~`,
 * else as %2F (RFC 3986). */
#pragma once

#include <stddef.h>

enum { PERCENT_BYTES = 3 };

/* How many bytes it took, with no NUL after them: 1 or 3. */
size_t percent_byte(char byte, char into[PERCENT_BYTES]);
