/* listing.h - targets and snapshot as the offline keys signed them: what devices would say of a new pair, and keeping it.
 *
 *      listing_init(&listing); canon_write(..., &listing.targets); canon_write(..., &listing.snapshot)
 *      listing_verify(store, now_s, &listing, why)        the client's workflow, and that nothing published is dropped
 *      listing_keep(store, now_s, &listing, why)          served from now on */
#pragma once

#include "base/buf.h"
#include "base/own.h"
#include "trust/tuf.h"

struct store;

struct listing {
        struct buf targets, snapshot;            /* files, byte for byte */
        struct buf timestamp;                    /* made by listing_verify() */
        struct tuf *tuf;                         /* the same; to look targets up in */
};

void listing_init(struct listing *listing);
void listing_done(struct listing *listing);
static inline void listing_release(struct listing *listing) { listing_done(listing); }

/* ERR_UNTRUSTED, ERR_EXPIRED, ERR_ROLLBACK as a device has it; ERR_REFUSED: a published release is no longer listed as it was. Signs a
 * timestamp, which is not served before listing_keep(). */
MUST_CHECK enum err listing_verify(struct store *store, int64_t now_s, struct listing *listing, struct why *why);
/* Within a transaction. */
MUST_CHECK enum err listing_keep(struct store *store, int64_t now_s, const struct listing *listing, struct why *why);

/* At start: takes what --keys brought if it is newer. ERR_REFUSED: the root names other keys than those that signed what is served. */
MUST_CHECK enum err listing_open(struct store *store, int64_t now_s, struct why *why);
