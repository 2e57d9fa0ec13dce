/* material.h - the public files of the publisher's folder online/: both roots and both anchors, and whether the keys beside them fit.
 *
 * Checked before anything is kept: a data folder remembers the roots it was made with, and a server with the wrong keys would look
 * well while every device refuses what it says. */
#pragma once

#include "base/buf.h"
#include "server/log_key.h"
#include "server/store/store.h"

enum material_kind { MATERIAL_RELEASE_ROOT, MATERIAL_DIRECTOR_ROOT, MATERIAL_ANCHOR, MATERIAL_DIRECTOR_ANCHOR, MATERIAL_KINDS };

/* All versions of a file, in order: `release.1.root.json`, `release.2.root.json`, ... as a ceremony leaves them beside
 * `release.root.json`, which is the last of them; before the first ceremony that one alone. */
struct material_file { struct buf *versions; size_t count; };
struct material {
        struct material_file files[MATERIAL_KINDS];
        struct buf targets, snapshot;            /* signed anew in a ceremony; empty: none */
        struct log_key log;
};

const struct buf *material_newest(const struct material *material, enum material_kind kind);


/* ERR_NOT_FOUND, ERR_SYNTAX. material_done() in any case. */
MUST_CHECK enum err material_read(const char *folder, struct material *material, struct why *why);
void material_done(struct material *material);

struct store_trust material_trust(const struct material *material);          /* borrowed */

/* Asks `signer` for signatures that are worth nothing, and verifies them with the keys that the files name. ERR_UNTRUSTED: they
 * are of different publishers; ERR_SYNTAX: a file is damaged; ERR_UNAVAILABLE: the signer is gone. */
MUST_CHECK enum err material_check(const struct material *material, struct signer *signer, struct why *why);
