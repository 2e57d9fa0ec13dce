/* download.h - one target: found by the roles that speak for it, fetched, and held against what they say before it has its name. */
#pragma once

#include "tuf/session.h"

enum { DOWNLOAD_NAME_BYTES = 256 };      /* of a file */

struct downloaded { char file[DOWNLOAD_NAME_BYTES]; uint64_t length; bool was_there; };

/* `name` is the target's path; its file's name in --target-dir is that, escaped. One that is there and is the right one is not fetched.
 * ERR_NOT_FOUND: nobody vouches for it; ERR_UNTRUSTED: other bytes. */
MUST_CHECK enum err download_target(struct session *session, const char *name, struct downloaded *ret_downloaded, struct why *why);

/* Where a target is below --target-base-url: escaped, and with its digest in its name in a repository of consistent snapshots.
 * ERR_REFUSED: the path would lead out. */
MUST_CHECK enum err download_path(const char *name, const struct tuf_digest *consistent, struct buf *into, struct why *why);
