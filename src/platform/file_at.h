/* file_at.h - a file read in places, so that what is large need not be in memory. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A regular file, never waited for; closed with channel_close(). With FILE_AT_NO_LINK the name itself must be no link. ERR_NOT_FOUND; ERR_REFUSED: it is
 * something else (a folder, a pipe, a link); ERR_IO: not ours to read, or not to be read now. */
enum file_at_how { FILE_AT_LINKS, FILE_AT_NO_LINK };
MUST_CHECK enum err file_at_open(const char *path, enum file_at_how how, int *ret_file, uint64_t *ret_length, struct why *why);
/* All of these bytes, or false. */
bool file_at_read(int file, uint64_t offset, void *bytes, size_t length);

/* Of a file that is open to be written to: all of these bytes there, and nothing left in it. ERR_FULL, ERR_IO. */
MUST_CHECK enum err file_at_write(int file, uint64_t offset, const void *bytes, size_t length, struct why *why);
MUST_CHECK enum err file_at_empty(int file, struct why *why);
