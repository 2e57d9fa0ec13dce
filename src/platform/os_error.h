/* os_error.h - errno as enum err, with a text that says what to do. One table for all of platform/. */
#pragma once

#include "base/err.h"

/* OS_FAIL(why, errno, "opening %s", path): "opening rules: no room on the file system: free some or give it more". */
#define OS_FAIL(why, number, ...) DURING((why), os_start((why), (number), __FILE__, __LINE__), __VA_ARGS__)

enum err os_start(struct why *why, int number, const char *file, int line);
