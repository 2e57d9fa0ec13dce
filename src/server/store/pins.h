/* pins.h - the publisher's public material: both root files and the anchor. Given once, kept, never exchanged silently. */
#pragma once

#include "server/store/db.h"
#include "server/store/store.h"
#include "trust/anchor.h"

struct pins {
        struct anchor anchor;
        struct buf release_root, director_root;      /* the files */
        struct public_key timestamp;                 /* the online key that the release root names */
};

/* From the database, or from the configuration at first start. ERR_REFUSED: other material than before, or none at all. */
MUST_CHECK enum err pins_open(struct db *db, const struct store_config *config, int64_t now_s, struct pins *ret_pins, struct why *why);
void pins_done(struct pins *pins);
