/* anchors.h - the two anchors in force on this device: pinned when it was installed, or followed from there since.
 *
 * Of each the newest counts: what is pinned (a package may bring a newer one) or what was followed, which is kept in the state
 * folder. Invariant: both fit each other, and one that is in force is on disk: it was replaced there as a whole before it counted.
 *
 * Does not ask for newer ones: see follow.h. */
#pragma once

#include "base/own.h"
#include "platform/disk.h"
#include "trust/anchor.h"
#include "trust/bundle.h"

struct anchors;

/* `trust`: the folder with release.anchor and director.anchor, which must be there and sound. `disk`: the state; borrowed. */
MUST_CHECK enum err anchors_open(const char *trust, struct disk *disk, struct anchors **ret_anchors, struct why *why);
void anchors_close(struct anchors *anchors);              /* NULL is fine */
OWN_DEFINE(anchors, struct anchors *, anchors_close)

/* Why the one that was kept does not count and is to be followed anew; NULL: it does, or there was none. */
const char *anchors_passed_over(const struct anchors *anchors, enum bundle_repository repository);

/* NULL of NULL. */
const struct anchor *anchors_publisher(const struct anchors *anchors);
const struct director_anchor *anchors_director(const struct anchors *anchors);
uint64_t anchors_version(const struct anchors *anchors, enum bundle_repository repository);

/* The next version of one of them, in force when this returns OK; otherwise all is as it was. ERR_SYNTAX, ERR_LIMIT, ERR_ROLLBACK and
 * ERR_UNTRUSTED (also: it does not fit the other one) are its own fault, all else is this device's. */
MUST_CHECK enum err anchors_follow(struct anchors *anchors, enum bundle_repository repository, const struct buf *bytes, struct why *why);
