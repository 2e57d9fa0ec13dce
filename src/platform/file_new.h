/* file_new.h - a file that is to have a path: written beside it and durable, read back by whoever wants to, and then put in its place.
 *
 * Cut short at any moment, there is what was there, or the whole new file; never a part. A cut may leave the file that was written beside
 * it, `.NAME.new`, which the next one takes away. One process at a time in a folder. For files that a person names; see disk.h for state. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stddef.h>

struct file_new;

/* Mode 0600, with the owner of what it is to replace. ERR_NOT_FOUND: no such folder; ERR_BUSY: another process writes into it. */
MUST_CHECK enum err file_new_write(const char *path, const void *bytes, size_t length, struct file_new **ret_file, struct why *why);
void file_new_close(struct file_new *file);              /* what was not put in its place is gone */
OWN_DEFINE(file_new, struct file_new *, file_new_close)

/* Where it is until then. */
const char *file_new_path(const struct file_new *file);

/* FILE_ONLY_NEW: ERR_BUSY when there is something. Durable. */
enum file_place { FILE_ONLY_NEW, FILE_REPLACE };
MUST_CHECK enum err file_new_settle(struct file_new *file, enum file_place place, struct why *why);
