/* wide.h - names as Windows takes them, and its errors as ours. Used by the other sources of this folder, nobody else.
 *
 * All texts of ours are UTF-8 with '/' between the parts of a path. A handle has 32 bits that count, on 64-bit Windows too, so that the
 * rest of the tree keeps it as it keeps a file: an int, -1 for none. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

enum { WIDE_PATH_MAX = 4096 };

/* False: not UTF-8, or too long. */
bool wide_text(const char *text, wchar_t *wide, size_t wide_max);
bool wide_narrow(const wchar_t *wide, char *text, size_t text_max);

/* A path with '/', as all of ours, and without the prefix of long ones. */
bool wide_narrow_path(const wchar_t *wide, char *text, size_t text_max);

/* A path for any call of Windows, also where it is longer than 260: absolute and with the prefix that says so. */
bool wide_path(const char *path, wchar_t wide[WIDE_PATH_MAX]);

/* WIN_FAIL(why, GetLastError(), "opening %s", path), as OS_FAIL() has it for errno. */
#define WIN_FAIL(why, number, ...) DURING((why), wide_start((why), (number), __FILE__, __LINE__), __VA_ARGS__)
enum err wide_start(struct why *why, unsigned long number, const char *file, int line);

void *wide_handle(int file);                     /* 0 to 2 are the standard ones, as elsewhere: no handle has such a number */
static inline int wide_file(void *handle) { return (int)(intptr_t)handle; }
