/* platform_file.h - what an engine asks about: is it one of the platform's files, as it was brought?
 *
 * A path is looked up as it was said, with the links of its folders followed, with all links followed, and at the other places where its file system is
 * mounted: to act on any of these is to act on the file. A file whose content is not its package's any more is ordinary; what cannot be read, or is too large to be read now, counts as
 * unchanged. Reads up to LIMIT_BREAKER_FILE_BYTES, which takes part of a second: for a process that may take its time. */
#pragma once

#include "agent/breaker.h"
#include "agent/owners.h"

struct platform {
        const struct owners *owners;             /* NULL: there is no list (yet) */
        const char *database;                    /* of packages: what changed in it since, or is just changing, is not known */
        const char *const *protect;              /* folders where what is not known is not touched */
        size_t protect_count;
        const char *const *own;                  /* the agent's own files and folders, without links */
        size_t own_count;
};

/* `path` is absolute. */
enum breaker_file platform_file(const struct platform *platform, const char *path);
