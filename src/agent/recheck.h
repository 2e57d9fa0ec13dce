/* recheck.h - does a slot still hold what was installed? By the note that is kept beside it, in slices.
 *
 *      streams/NAME/a.note      the text of its release note: what the slot record names by its SHA-256
 *
 * The slot record vouches for the note, and the note for each file; files that it does not name are not looked at. Reads only, but for
 * recheck_keep(). Does not decide what becomes of it: see stream_recheck.c. */
#pragma once

#include "agent/slot.h"
#include "platform/disk.h"
#include "trust/release_note.h"

#include <stdbool.h>

struct recheck;

/* Beside the slot, durable when it returns; before the record says that the slot holds this release. */
MUST_CHECK enum err recheck_keep(struct disk *disk, const char *stream, enum slot_id slot, const struct release_note *note, struct why *why);

struct recheck_of { struct disk *disk; const char *stream; enum slot_id slot; const struct slot_release *release; };
/* Borrows the disk only. ERR_NOT_FOUND: no note was kept, as for the factory copy. Any other error: its note cannot be read, or is not the
 * one that the record names; it says nothing of the content. */
MUST_CHECK enum err recheck_open(const struct recheck_of *of, struct recheck **ret_recheck, struct why *why);
/* The note alone. Errors as above. */
MUST_CHECK enum err recheck_note(const struct recheck_of *of, struct release_note **ret_note, struct why *why);
uint64_t recheck_bytes(const struct recheck *recheck);           /* of all its files */
/* At most about a megabyte further. ERR_CONTENT names the first file that is not what was installed; ERR_LIMIT and ERR_NOMEM say nothing of
 * the content. */
MUST_CHECK enum err recheck_step(struct recheck *recheck, bool *ret_is_done, struct why *why);
void recheck_close(struct recheck *recheck);
OWN_DEFINE(recheck, struct recheck *, recheck_close)
