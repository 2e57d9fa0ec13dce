/* journal.h - files of the publisher's folder that change as one.
 *
 * A signature makes a new note, new targets and a new snapshot, a ceremony new roots, anchors and keys; half of them would be
 * a folder that nobody can publish from. So all are first written whole into `metadata/next`, in one atomic
 * replacement: before it the old state holds, after it the new one, and whoever opens the folder carries out what such a
 * file still says.
 *
 * Invariant: after journal_finish() the files are all old or all new. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

struct disk;

enum { JOURNAL_FILES_MAX = 32 };         /* a ceremony: two roots, two anchors, each in three or four places, three keys, the log's and metadata */

/* Texts (UTF-8 without NUL) for paths whose folders are there; borrowed. */
struct journal_file { const char *path; const struct buf *text; };

MUST_CHECK enum err journal_commit(struct disk *disk, const struct journal_file *files, size_t count, struct why *why);

/* Is there a step that journal_finish() would carry out? */
MUST_CHECK enum err journal_is_pending(struct disk *disk, bool *ret_is, struct why *why);
/* Fine when there is nothing to finish. ERR_SYNTAX: the file was written by something else. */
MUST_CHECK enum err journal_finish(struct disk *disk, struct why *why);
