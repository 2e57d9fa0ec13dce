/* tuf_match.h - does a delegation speak for a target path? Shell patterns of TUF 1.0, and prefixes of the path's SHA-256. */
#pragma once

#include <stdbool.h>

/* `*` any run, `?` any one byte, `[a-z]` and `[!a-z]` a set; none of them matches a slash, and all else is itself. */
bool tuf_match_pattern(const char *pattern, const char *path);
/* Is the prefix, in lower-case hex, how the SHA-256 of the path begins? */
bool tuf_match_prefix(const char *prefix, const char *path);
