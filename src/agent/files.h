/* files.h - a tree of files copied from one disk to another: factory content. */
#pragma once

#include "platform/disk.h"

/* Copies all files below folder `from` of one disk ("": its root) to the new folder `to` of another, durable when it returns.
 * At most LIMIT_RELEASE_FILES entries; links and devices are ERR_CONTENT. */
struct files_copy { struct disk *from_disk, *to_disk; const char *from, *to; };
MUST_CHECK enum err files_copy(const struct files_copy *copy, struct why *why);
