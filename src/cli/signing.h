/* signing.h - sign a packed release with the offline keys, and the metadata that lists it.
 *
 *      signing_do(&signing, &made, why)                 all keys are here
 *      signing_propose(&signing, file, why)             or a proposal goes to where they are, and comes back:
 *      signing_take(&signing, file, why)
 *
 * All is made in memory and judged by the device's own verifier first; then it becomes true in one step (journal.h). Cut
 * short at any moment, either nothing is signed or all is. */
#pragma once

#include "cli/ceremony_file.h"
#include "cli/passphrase.h"
#include "cli/release_folder.h"

struct random_source;

struct signing {
        struct disk *disk;                       /* the publisher's folder */
        const char *folder;                      /* where it is on this machine; NULL: nowhere */
        struct release_id release;
        struct random_source *random;
        int64_t now;
        const struct args *args;                 /* where a passphrase is, should a key have one */
};

struct signed_release {
        uint8_t target[32];                      /* the release's name */
        uint64_t version;                        /* of targets and snapshot */
        int64_t expires;
};

/* ERR_REFUSED: signed already; ERR_CONTENT: not what was packed; ERR_NOT_FOUND: no such release, or a key is not here;
 * ERR_UNAUTHORIZED: wrong passphrase; ERR_REFUSED, too: a key is not encrypted and others may read it; ERR_UNTRUSTED, ERR_EXPIRED:
 * devices would refuse the outcome. */
MUST_CHECK enum err signing_do(const struct signing *signing, struct signed_release *ret_signed, struct why *why);

/* `file` was just made. Changes nothing in the folder. */
MUST_CHECK enum err signing_propose(const struct signing *signing, struct ceremony_file *file, struct why *why);

/* The same of the listing alone, as it is, with a new date; the signing names no release, and the outcome has no target. */
MUST_CHECK enum err signing_renew(const struct signing *signing, struct signed_release *ret_signed, struct why *why);
MUST_CHECK enum err signing_propose_renewal(const struct signing *signing, struct ceremony_file *file, struct why *why);

/* Signed by enough, it is in force; once more is fine. ERR_REFUSED: the folder has another release packed under that name, or went on since. */
MUST_CHECK enum err signing_take(const struct signing *signing, const struct ceremony_file *file, struct why *why);
