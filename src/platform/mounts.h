/* mounts.h - the other names that a file has because its file system, or a folder of it, is mounted at more than one place. */
#pragma once

#include "platform/paths.h"

/* Of what is at `path`, which is absolute and without links; what is not there has none. ERR_NOT_FOUND: the system does not say where what is mounted. */
MUST_CHECK enum err mounts_names(const char *path, paths_visit *visit, void *user, struct why *why);

/* Where it would stand by this table (/proc/self/mountinfo, see proc(5)): the pure part, which does not look whether it is the same file. */
MUST_CHECK enum err mounts_places(const char *table, const char *path, paths_visit *visit, void *user, struct why *why);
