/* journal.h - three files of the publisher's folder that change as one.
 *
 * A signature makes a new note, new targets and a new snapshot; half of them would be a folder that nobody can publish
 * from. So all three are first written whole into `metadata/next`, in one atomic replacement: before it the old state
 * holds, after it the new one, and whoever opens the folder carries out what such a file still says.
 *
 * Invariant: after journal_finish() the note, targets and snapshot are all old or all new. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "cli/release_id.h"

#include <stdbool.h>

struct disk;

struct journal_entry {
        struct release_id release;
        const struct buf *note, *targets, *snapshot;     /* borrowed; the last two are JSON in canonical form */
};

MUST_CHECK enum err journal_commit(struct disk *disk, const struct journal_entry *entry, struct why *why);

/* Is there a step that journal_finish() would carry out? */
MUST_CHECK enum err journal_is_pending(struct disk *disk, bool *ret_is, struct why *why);
/* Fine when there is nothing to finish. ERR_SYNTAX: the file was written by something else. */
MUST_CHECK enum err journal_finish(struct disk *disk, struct why *why);
