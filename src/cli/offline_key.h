/* offline_key.h - the keys under offline/ of a publisher's folder. Asks for the passphrase when the first key that has one is
 * read, and only then. */
#pragma once

#include "cli/passphrase.h"
#include "trust/key.h"

struct disk;

struct offline_keys {
        struct disk *disk;                   /* the publisher's folder */
        const struct args *args;             /* may say where the passphrase is */
        struct passphrase *passphrase;       /* empty until it was asked for; the caller's, who wipes it */
};

/* ERR_NOT_FOUND: the medium with the keys is not here; ERR_UNAUTHORIZED: wrong passphrase. */
MUST_CHECK enum err offline_key_read(const struct offline_keys *keys, const char *path, struct secret_key *ret_key, struct why *why);
