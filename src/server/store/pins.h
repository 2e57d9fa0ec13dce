/* pins.h - the publisher's public material: both root files and both anchors. Given once, kept, and
 * exchanged only for those that follow them. */
#pragma once

#include "server/store/db.h"
#include "server/store/store.h"
#include "trust/anchor.h"

struct pins {
        struct anchor anchor;
        struct director_anchor director;
        struct buf release_root, director_root;      /* the files */
        struct public_key timestamp;                 /* the online key that the release root names */
};

/* From the database and the configuration. Within a transaction. ERR_REFUSED: material that does not follow what was kept, or none at all. */
MUST_CHECK enum err pins_open(struct db *db, const struct store_config *config, int64_t now_s, struct pins *ret_pins, struct why *why);
void pins_done(struct pins *pins);
