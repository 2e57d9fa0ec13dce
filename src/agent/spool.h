/* spool.h - what was downloaded and is no longer needed goes: nothing of ours grows for ever.
 *
 * Artifacts are kept by their digest (unpack.h) while some stream prepares a release: what was cut is resumed, what was refused for
 * a while need not be fetched again. */
#pragma once

#include "base/err.h"
#include "platform/disk.h"
#include "trust/release_note.h"

/* What some stream prepares: its note, the name of that, and the delta by which it comes. */
struct spool_needs { const struct release_note *note; const uint8_t *target, *delta; };          /* delta NULL: none */
/* Removes everything but the artifacts of these, and the files in which metadata arrives; all artifacts when `needs` is NULL. */
MUST_CHECK enum err spool_sweep(struct disk *disk, const struct spool_needs *needs, struct why *why);
/* What stands in the place of the file to be fetched next and is no file is removed: a folder would be in the way for ever. */
MUST_CHECK enum err spool_make_way(struct disk *disk, const char *name, struct why *why);
/* What the fetcher would not write into is removed, and what never goes on where it was cut: metadata begins with a new file, whatever
 * somebody left in its place. */
MUST_CHECK enum err spool_remove(struct disk *disk, const char *name, struct why *why);
bool spool_has(struct disk *disk, const struct release_file *file);
