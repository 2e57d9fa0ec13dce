/* material.h - the public files of the publisher's folder online/: both roots and the anchor, and whether the keys beside them fit.
 *
 * Checked before anything is kept: a data folder remembers the roots it was made with, and a server with the wrong keys would look
 * well while every device refuses what it says. */
#pragma once

#include "base/buf.h"
#include "server/signer/signer.h"

struct material { struct buf release_root, director_root, anchor; };

/* ERR_NOT_FOUND, ERR_SYNTAX. material_done() in any case. */
MUST_CHECK enum err material_read(const char *folder, struct material *material, struct why *why);
void material_done(struct material *material);

/* Asks `signer` for signatures that are worth nothing, and verifies them with the keys that the files name. ERR_UNTRUSTED: they
 * are of different publishers; ERR_SYNTAX: a file is damaged; ERR_UNAVAILABLE: the signer is gone. */
MUST_CHECK enum err material_check(const struct material *material, struct signer *signer, struct why *why);
