/* addition.h - a proposal that lists one release more: its note, and targets and snapshot with it. Nobody's role changes.
 *
 *      addition_propose(&proposal, &text, expires, why)   the files in force are there, and the note's text
 *
 * The rest is as in any ceremony: proposal_add() where each key is, rotation_finish() for the files. */
#pragma once

#include "ceremony/holders.h"
#include "trust/release_note.h"

/* `text`: of a note, not yet signed; targets and snapshot are good until `expires`. ERR_REFUSED: a release of that name is listed;
 * ERR_SYNTAX, ERR_LIMIT: the text is no note's. */
MUST_CHECK enum err addition_propose(struct proposal *proposal, const struct buf *text, int64_t expires, struct why *why);

/* Of a proposal that adds one; the caller frees it. */
MUST_CHECK enum err addition_note(const struct proposal *proposal, struct release_note **ret_note, struct why *why);

/* For holders.h: the text of the targets, with it; and may it be listed? */
MUST_CHECK enum err addition_write_targets(const struct proposal *proposal, const struct tuf_stamp *stamp, struct buf *into, struct why *why);
MUST_CHECK enum err addition_check(const struct proposal *proposal, struct why *why);
