/* pack.h - make a release, not yet signed, of a content folder (docs/guide/formats.md 6: releases/STREAM/COUNTER).
 *
 * The release is made as releases/STREAM/.COUNTER.new and gets its name at the end, in one step, so that a folder with that
 * name is always whole. Digests are of the bytes as they are copied: content that changes meanwhile cannot disagree with
 * its note. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "cli/content.h"
#include "cli/release_id.h"
#include "cli/release_spec.h"
#include "trust/release_note.h"

struct packing {
        struct disk *from, *into;                /* the content folder; the publisher's folder */
        struct arena *arena;
        const struct content *content;           /* of `from` */
        const struct release_spec *spec;
        const struct buf *dossier;               /* the bytes of dossier.json */
        int64_t now;                             /* the start, when the spec says none */
};

struct packed {
        struct release_id id;
        struct release_note note;                /* borrows from the arena */
        uint8_t target[32];                      /* the release's name, which it keeps when it is signed */
};

/* ERR_REFUSED: the counter is taken; ERR_ROLLBACK: a floor below the release's before. Nothing is left behind by a failure. */
MUST_CHECK enum err pack_release(const struct packing *packing, struct packed *ret_packed, struct why *why);
