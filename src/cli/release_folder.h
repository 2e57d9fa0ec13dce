/* release_folder.h - a release in the publisher's folder, as pack made it and sign left it. */
#pragma once

#include "base/buf.h"
#include "cli/release_id.h"
#include "trust/release_note.h"

struct disk;

struct release_folder {
        struct disk *disk;                       /* borrowed: the publisher's folder */
        struct release_id id;
        struct buf note;                         /* the bytes of the file */
        struct release_note *manifest;           /* what it says */
        bool is_signed;                          /* by anyone; trust is release_note_open()'s to judge */
};

/* ERR_NOT_FOUND says how a release is made; ERR_CONTENT: its note is of another. Files are not looked at. */
MUST_CHECK enum err release_folder_open(struct disk *disk, const struct release_id *id, struct release_folder *ret_folder, struct why *why);
void release_folder_done(struct release_folder *folder);
static inline void release_folder_release(struct release_folder *folder) { release_folder_done(folder); }

/* Are the files and the dossier those of the note, and is there nothing else? ERR_CONTENT names what is not. */
MUST_CHECK enum err release_folder_check(const struct release_folder *folder, struct why *why);

/* Of the publisher's disk: "releases/edr-rules/4/files/rules/main.yar". ERR_LIMIT. */
MUST_CHECK enum err release_folder_path(const struct release_folder *folder, const char *below, struct buf *into, struct why *why);
