/* content.h - the files of a content folder, as a release may have them.
 *
 * Refuses what a device could not be given exactly: symbolic links, devices, pipes, names outside
 * [A-Za-z0-9._+@-], an empty folder, too many or too large files. dossier.yaml and release.yaml at the top
 * describe the release and are no part of it; an empty folder below is left out, since a release has only files. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct disk;

struct content_file {
        const char *path;
        uint64_t length;
};

struct content {
        size_t count;
        struct content_file *files;      /* sorted by the bytes of their paths */
        uint64_t bytes;
};

/* All of it lives in the arena. ERR_REFUSED names the file and says what to do with it; ERR_LIMIT. */
MUST_CHECK enum err content_list(struct disk *disk, struct arena *arena, struct content *ret_content, struct why *why);
