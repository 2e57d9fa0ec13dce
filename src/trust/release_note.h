/* release_note.h - the manifest of a release, signed by the content threshold. Format: docs/guide/formats.md, 1.1.
 *
 * A release is named by the SHA-256 of that text, without the signatures: everybody who has to sign can do so at the same time, and
 * nobody names it anew by signing too. */
#pragma once

#include "base/limits.h"
#include "base/own.h"
#include "trust/ceiling.h"
#include "trust/note.h"

struct anchor;

enum { RELEASE_PLATFORMS_MAX = 16 };      /* os-arch pairs that one content fits; more is `any` */

struct release_file {
        uint64_t length;
        uint8_t sha256[32];
        bool is_program;                  /* to be run by its owner: the one attribute of a file that travels */
        const char *path;
};

/* Those that are read own their memory; one that is to be written borrows all. */
struct release_note {
        char stream[LIMIT_NAME_BYTES + 1], version[LIMIT_NAME_BYTES + 1];
        uint64_t counter, floor;
        size_t platform_count;
        char platforms[RELEASE_PLATFORMS_MAX][LIMIT_NAME_BYTES + 1];
        struct ceiling ceiling;
        uint8_t dossier[32];
        size_t file_count;
        struct release_file *files;       /* sorted by path */
        char *text;                       /* where the paths are; NULL in one to be written */
        uint8_t target[32];               /* of one that was read: its name */
        uint64_t text_length;             /* bytes of that text, which metadata lists with it */
};

void release_note_free(struct release_note *note);                           /* NULL is fine */
OWN_DEFINE(release_note, struct release_note *, release_note_free)

/* The text to be signed. ERR_SYNTAX, ERR_LIMIT: what release_note_parse() would not take, as files out of order. */
MUST_CHECK enum err release_note_write(const struct release_note *note, struct buf *into, struct why *why);

/* The text of a note, strictly. ERR_SYNTAX names the line. */
MUST_CHECK enum err release_note_parse(const char *text, size_t length, struct release_note **ret_note, struct why *why);
/* A signed note: first the threshold of content keys, or of agent keys (ERR_UNTRUSTED), then the text; and whether these were the keys of its stream. */
MUST_CHECK enum err release_note_open(const struct anchor *anchor, const struct buf *bytes, struct release_note **ret_note, struct why *why);

/* Its path among the targets: "edr-rules/4". */
enum { RELEASE_PATH_MAX = LIMIT_NAME_BYTES + 1 + 20 + 1 };
void release_note_path(const struct release_note *note, char path[static RELEASE_PATH_MAX]);

uint64_t release_note_bytes(const struct release_note *note);                /* of all files */
bool release_note_is_for(const struct release_note *note, const char *platform);
