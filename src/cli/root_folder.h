/* root_folder.h - a publisher's folder in a ceremony: the files in force, and the step to those that follow them. */
#pragma once

#include "ceremony/rotation.h"
#include "cli/publisher.h"

/* The files in force become the `before` of a proposal that was just made. */
MUST_CHECK enum err root_folder_read(struct disk *disk, struct proposal *proposal, struct why *why);
/* ERR_REFUSED: the proposal follows other files than those in force here. The listing may be another where it does not change. */
MUST_CHECK enum err root_folder_check(struct disk *disk, const struct proposal *proposal, struct why *why);

/* A new key for the server: kept aside until root_folder_take() finds that it is in force. */
enum online_key { ONLINE_TIMESTAMP, ONLINE_DIRECTOR, ONLINE_LOG, ONLINE_KEYS };
const char *online_key_name(enum online_key which);      /* "timestamp": of its file */
MUST_CHECK enum err root_folder_keep(struct disk *disk, enum online_key which, const struct secret_key *key, struct why *why);

/* What rotation_finish() made is in force, all at once; older versions stay in online/ for devices that lag. ERR_NOT_FOUND: an online key that is new
 * was not kept aside here, and is not held elsewhere. */
struct root_taking { const struct holders *before, *after; const struct buf *files; bool is_elsewhere; };
MUST_CHECK enum err root_folder_take(struct disk *disk, const struct root_taking *taking, struct why *why);
/* What was kept aside for it is no longer needed. */
MUST_CHECK enum err root_folder_clear(struct disk *disk, const struct root_taking *taking, struct why *why);
/* Is all that it proposes in force here already? */
MUST_CHECK enum err root_folder_is_taken(struct disk *disk, const struct proposal *proposal, bool *ret_is, struct why *why);
