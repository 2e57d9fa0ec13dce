/* founding.h - make a publisher's folder: every key, both roots, both anchors, empty metadata (docs/guide/formats.md 6).
 *
 * One person on one machine: thresholds are 1 of 1. The folder is made under another name and gets its own at the end,
 * in one step, so that a folder with that name is always whole. */
#pragma once

#include "base/err.h"
#include "cli/passphrase.h"

struct disk;
struct random_source;

struct founding {
        struct disk *disk;                    /* of the folder in which the new one will stand */
        struct random_source *random;
        const char *folder, *publisher;       /* its name; what the publisher is called */
        const struct passphrase *passphrase;  /* empty: the offline keys are not encrypted */
        int64_t now;
};

/* ERR_REFUSED: there is something of that name. A folder that was left unfinished by a cut is cleared away. */
MUST_CHECK enum err founding_make(const struct founding *founding, struct why *why);
