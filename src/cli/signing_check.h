/* signing_check.h - what would a device say of metadata and a note that have just been signed?
 *
 * Devices follow root, timestamp, snapshot, targets. The timestamp's key belongs to the server and need not be here, so two
 * questions are asked: are targets and snapshot signed as the root that devices pin demands; and do they follow each other,
 * and the ones before, under a root that differs in its timestamp's key only. */
#pragma once

#include "base/buf.h"
#include "cli/release_id.h"
#include "trust/key.h"
#include "trust/release_note.h"

struct random_source;
struct tuf;

struct signing_outcome {
        const struct release_id *release;
        const struct buf *anchor, *root;                       /* of public/ */
        const struct buf *old_snapshot;
        const struct buf *note, *targets, *snapshot;           /* the new ones */
        struct random_source *random;
        int64_t now;
};

/* ERR_UNTRUSTED, ERR_EXPIRED, ERR_ROLLBACK, ERR_SYNTAX: what the device would say. */
MUST_CHECK enum err signing_check(const struct signing_outcome *outcome, struct why *why);
