/* director.h - what the server itself tells devices: cohort documents, and the director's and timestamp's metadata.
 *
 * Each change of what a stream's rollout says makes the stream's next cohort document (seq + 1, naming its predecessor), signed
 * targets and snapshot over it, a timestamp, and a new epoch: all in the transaction of the change. Without a change,
 * documents and timestamps are renewed at a quarter of their lifetime: so a hold is only a matter of not renewing. */
#pragma once

#include "base/buf.h"
#include "trust/tuf_build.h"

struct store;

/* Writes and signs whatever is due; nothing most of the time. Within a transaction. */
MUST_CHECK enum err director_follow(struct store *store, int64_t now_ms, struct why *why);

/* The release repository's next timestamp over a snapshot, signed, added to `file`. Not yet kept. */
MUST_CHECK enum err director_release_timestamp(struct store *store, int64_t now_s, const struct tuf_of *snapshot, struct buf *file, struct why *why);
