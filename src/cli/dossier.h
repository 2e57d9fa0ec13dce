/* dossier.h - what a release changes, why, at what risk, and how to undo it: dossier.yaml of a content folder. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/yaml.h"

struct disk;

struct dossier {
        const char *what, *why, *risk, *undo;
        const char *canary;                      /* text that the content must be seen to match; NULL: none */
        struct yaml_texts new_features;
};

/* Complaints name the line. ERR_NOT_FOUND shows the smallest dossier that will do. */
MUST_CHECK enum err dossier_read(struct disk *disk, struct arena *arena, struct dossier *ret_dossier, struct why *why);

/* JSON on one line, keys in the order of their bytes: the file whose digest the release note carries. Not the canonical form
 * of canon.h, in which a line end within a text is a raw byte that no JSON reader takes. */
MUST_CHECK enum err dossier_write(const struct dossier *dossier, struct buf *into, struct why *why);
